"""One of several workers of `seawall serve`: what its supervisor starts, with the channel as argument."""

import pickle
import signal
import socket
import sys
from contextlib import ExitStack

import typer

from seawall.cli.serving import Order, Seat, run
from seawall.server.binding import Sockets
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
    seat = Seat(Share(Loads(order.loads, order.count), order.number), channel)
    with ExitStack() as stack:
        bound = [stack.enter_context(socket.socket(fileno=number)) for number in order.listening]
        try:
            run(order.settings, Sockets(*bound), seat, is_local=order.is_local)
        except typer.Exit as end:
            sys.exit(end.exit_code)


if __name__ == "__main__":
    main()
