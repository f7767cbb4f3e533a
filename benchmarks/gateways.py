"""Start what is measured, each a process on a core of its own, and read its accounting (Linux only)."""

import http.client
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

HERE = Path(__file__).parent
SOURCE = HERE.parent / "src"
GATEWAY_CORE, OTHER_CORE = 0, 1
START_MAX_S = 60.0
TICKS = os.sysconf("SC_CLK_TCK")

SEAWALL_TOML = """\
default_tier = "bench"
[budget]
daily_usd = "1000000.00"
[providers.mock]
kind = "openai"
base_url = "{provider}/v1"
api_key_env = "MOCK_API_KEY"
models = ["fake-gpt"]
[providers.mock_messages]
kind = "anthropic"
base_url = "{provider}/v1"
api_key_env = "MOCK_API_KEY"
models = ["fake-claude-s50-g40", "fake-claude-s100"]
[prices."fake-gpt"]
input_usd_per_mtok = "10.00"
output_usd_per_mtok = "30.00"
max_output_tokens = 4096
context_tokens = 128000
[prices."fake-claude-s50-g40"]
input_usd_per_mtok = "10.00"
output_usd_per_mtok = "30.00"
[prices."fake-claude-s100"]
input_usd_per_mtok = "10.00"
output_usd_per_mtok = "30.00"
[models.limited]
targets = ["mock/fake-gpt"]
[limits]
per_user = "1000000/second"
per_ip = "1000000/second"
per_key = "1000000/second"
[model_limits.limited]
per_key = "1/day"
[tiers.bench]
tokens_per_day = 1000000000
[loop]
calls = 100000
window_s = 1
[cache]
enabled = true
[log]
access = true
"""

NGINX_CONF = """\
worker_processes 1; daemon off; pid nginx.pid; error_log error.log warn;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_requests 10000000; client_body_buffer_size 64k;
  client_body_temp_path body; proxy_temp_path proxy;
  fastcgi_temp_path fast; uwsgi_temp_path uw; scgi_temp_path sc;
  upstream provider {{ server {provider}; keepalive 1024; keepalive_requests 10000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://provider; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
    }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Gateway:
    """One process that answers chat calls."""

    name: str
    pid: int
    root: str
    key: str
    first_answer_s: float

    @property
    def url(self) -> str:
        """Return the address of its chat completions."""
        return f"{self.root}/v1/chat/completions"

    def cpu_s(self) -> float:
        """Return the user and system time of its process tree so far, in seconds."""
        ticks = 0
        for pid in _tree(self.pid):
            fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12]) if fields else 0
        return ticks / TICKS

    def rss_kb(self) -> int:
        """Return the resident memory of its process tree, in KiB."""
        found = (re.search(r"VmRSS:\s+(\d+)", _read(f"/proc/{pid}/status")) for pid in _tree(self.pid))
        return sum(int(match[1]) for match in found if match)


Start = Callable[[str, Path], AbstractContextManager[Gateway]]
"""Runs a gateway in front of a provider (scheme, host, port), with an empty folder of its own."""


@contextmanager
def provider_on(core: int | None) -> Iterator[Gateway]:
    """Run the mock provider."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "seawall.proving.mock_provider",
        "--port",
        str(port),
        "--counter",
        "bytes",
    ]
    with _process(command, core=core, log=None) as (process, started):
        root = f"http://127.0.0.1:{port}"
        yield Gateway(
            "no gateway", process.pid, root, "none", _first_answer(root, lambda: "none", process, started)
        )


@contextmanager
def plain_proxy(provider: str, folder: Path) -> Iterator[Gateway]:
    """Run the floor."""
    port = free_port()
    command = [sys.executable, str(HERE / "plain_proxy.py"), "--provider", provider, "--port", str(port)]
    with _process(command, core=GATEWAY_CORE, log=folder / "log") as (process, started):
        root = f"http://127.0.0.1:{port}"
        yield Gateway(
            "plain proxy", process.pid, root, "none", _first_answer(root, lambda: "none", process, started)
        )


@contextmanager
def seawall(
    provider: str, folder: Path, settings: str = "", *, above: str = "", core: int | None = GATEWAY_CORE
) -> Iterator[Gateway]:
    """Run Seawall as a user does who starts it for the first time.

    `settings` are more lines for its file, `above` those before its first table. Without a core of its own
    it runs on any.
    """
    port, log, config = free_port(), folder / "log", folder / "seawall.toml"
    config.write_text(above + SEAWALL_TOML.format(provider=provider) + settings)
    program = "from seawall.cli.main import main; main()"
    command = [
        sys.executable,
        "-c",
        program,
        "serve",
        "--config",
        str(config),
        "--data",
        str(folder / "data"),
    ]

    def key() -> str | None:
        match = re.search(r"OPENAI_API_KEY=(\S+)", log.read_text())
        return match[1] if match else None

    with _process([*command, "--port", str(port)], core=core, log=log) as (process, started):
        root = f"http://127.0.0.1:{port}"
        first_s = _first_answer(root, key, process, started)
        yield Gateway("seawall", process.pid, root, key() or "", first_s)


@contextmanager
def nginx(provider: str, folder: Path) -> Iterator[Gateway]:
    """Run nginx as a plain reverse proxy, for a sense of scale."""
    port, config = free_port(), folder / "nginx.conf"
    config.write_text(NGINX_CONF.format(provider=provider.removeprefix("http://"), port=port))
    command = ["nginx", "-e", "stderr", "-p", str(folder), "-c", str(config)]
    with _process(command, core=GATEWAY_CORE, log=folder / "log") as (process, started):
        root = f"http://127.0.0.1:{port}"
        yield Gateway(
            "nginx", process.pid, root, "none", _first_answer(root, lambda: "none", process, started)
        )


def has_nginx() -> bool:
    """Say whether there is an nginx to compare with."""
    return shutil.which("nginx") is not None


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """Keep to one core meanwhile; processes started inside stay on it. Nothing happens on a single core."""
    before = os.sched_getaffinity(0)
    if core is not None and core in before and len(before) > 1:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def environment() -> dict[str, str]:
    """Return the environment of children: compiled files are kept, settings of the caller are not."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("SEAWALL_") and not name.endswith("_KEY") and name != "PYTHONDONTWRITEBYTECODE"
    }
    return kept | {"PYTHONPATH": str(SOURCE), "MOCK_API_KEY": "mock-key", "PYTHONUNBUFFERED": "1"}


@contextmanager
def _process(
    command: list[str], *, core: int | None, log: Path | None
) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """Run a command until the block ends; its output goes to the log, or nowhere."""
    with (log or Path(os.devnull)).open("wb") as output, on_core(core):
        started = time.monotonic()
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment(),
            cwd=log.parent if log else None,
        )
    try:
        yield process, started
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _first_answer(
    root: str, key: Callable[[], str | None], process: subprocess.Popen[bytes], started: float
) -> float:
    """Return the seconds from the start to the first good answer of a chat call."""
    body = msgspec.json.encode(
        {"model": "fake-gpt", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 9}
    )
    last: object = "no key was printed"
    while time.monotonic() - started < START_MAX_S and process.poll() is None:
        found = key()
        if found is not None:
            try:
                status, text = _post(root, found, body)
            except OSError as error:
                last = error
            else:
                if status == 200 and b'"usage"' in text:
                    return time.monotonic() - started
                last = text
        time.sleep(0.002)
    raise SystemExit(f"{process.args!r} did not answer: {last!r}")


def _post(root: str, key: str, body: bytes) -> tuple[int, bytes]:
    """Make one chat call."""
    connection = http.client.HTTPConnection(root.removeprefix("http://"), timeout=10)
    try:
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        connection.request("POST", "/v1/chat/completions", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _tree(pid: int) -> list[int]:
    """Return a process and all below it."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        fields = _read(f"/proc/{name}/stat").rpartition(")")[2].split() if name.isdigit() else []
        if fields:
            children.setdefault(int(fields[1]), []).append(int(name))
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        todo += children.get(found[-1], [])
    return found


def _read(path: str) -> str:
    """Read a file of /proc; empty where the process has gone."""
    try:
        return Path(path).read_text()
    except OSError:
        return ""
