"""One of several workers of `seawall serve`: what its supervisor starts, with the channel as argument."""

import pickle
import signal
import socket
import sys

import typer

from seawall.cli.serving import Order, Seat, run
from seawall.server.channel import Channel
from seawall.server.serving import Share
from seawall.server.sharing import Loads


def main() -> None:
    """Serve as the supervisor says."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # It means something to gateways that renew certificates.
    channel = Channel(int(sys.argv[1]))
    try:
        order: Order = pickle.loads(channel.read_order())  # noqa: S301 - a pipe of our own parent
    except EOFError:
        return
    with socket.socket(fileno=order.listening) as bound:
        try:
            run(order.settings, bound, Seat(Share(Loads(order.loads, order.count), order.number), channel))
        except typer.Exit as end:
            sys.exit(end.exit_code)


if __name__ == "__main__":
    main()
