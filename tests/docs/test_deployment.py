"""What is said of running a gateway on a server can be done, and the files for it are what they seem."""

import os
import re
import secrets
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from seawall.server.app import DRAIN_S
from seawall.settings import describe_settings, load_settings
from tests.docs.pages import ROOT, blocks_of, read_page
from tests.fixtures.servers import free_port

UNIT = (ROOT / "deploy" / "seawall.service").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
SETTINGS = {name for setting in describe_settings() for name in setting.env_names}
KNOWN = {*SETTINGS, "SEAWALL_ADMIN_KEY", "SEAWALL_SECRETS_DIR", "SEAWALL_CONFIG"}

STUBS = """
set -euo pipefail
sudo() { if [ "$1" = -u ]; then shift 2; fi; "$@"; }
apt-get() { :; }
useradd() { :; }
chown() { :; }
bootstrap() { :; }
systemctl() {
    if [ "$1" = enable ]; then
        unit=$(sed "s#/\\(opt\\|etc\\|var/lib\\)/seawall#PLACE&#g" PLACE/etc/systemd/system/seawall.service)
        export "$(sed -n 's/^Environment=//p' <<<"$unit")"
        $(sed -n 's/^ExecStart=//p' <<<"$unit") >PLACE/out 2>PLACE/err &
        echo $! >PLACE/pid
    fi
}
"""
"""Users, packages and systemd are left out; the service is started by the line that is in its unit."""


def test_the_commands_of_the_plain_server_serve_calls(tmp_path: Path) -> None:
    """Up to the upgrade, in folders below the test's own."""
    done = follow_the_page(tmp_path)
    try:
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert '{"ready":true}' in done.stdout
        assert re.search(r"\bsw-[\w-]{20,}", done.stdout)
        assert "OPENAI_API_KEY" in done.stdout  # `doctor` found the file.
        assert "your-providers-key" not in done.stdout
    finally:
        os.kill(int((tmp_path / "pid").read_text(encoding="ascii")), signal.SIGTERM)


def follow_the_page(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the commands of the page in their order, with every absolute path below a folder."""
    page = read_page("docs/recipes/server.md").partition("## 5.")[0]
    blocks = [block for block in blocks_of("docs/recipes/server.md") if block.language == "sh"]
    commands = "".join(block.text for block in blocks if block.text in page)
    for name in ("opt/seawall/.venv/bin", "etc/systemd/system", "var/lib/seawall"):
        (folder / name).mkdir(mode=0o700, parents=True)
    for name in ("/opt/seawall", "/etc/seawall", "/etc/systemd", "/var/lib/seawall"):
        commands = commands.replace(name, f"{folder}{name}")
    port = str(free_port())
    commands = commands.replace("8787", port).replace(
        f"{folder}/opt/seawall/scripts/bootstrap run", "bootstrap"
    )
    seawall = folder / "opt/seawall/.venv/bin/seawall"
    start = f"exec {sys.executable} -c 'from seawall.cli.main import main; main()' \"$@\""
    seawall.write_text(f"#!/bin/sh\n{start}\n", encoding="utf-8")
    seawall.chmod(0o755)
    environ = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return subprocess.run(
        ["bash", "-c", STUBS.replace("PLACE", str(folder)) + commands],
        cwd=ROOT,
        env={**environ, "HOME": str(folder), "SEAWALL_SERVER_PORT": port},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    unit = tmp_path / "seawall.service"
    unit.write_text(re.sub(r"(?<=^ExecStart=)\S+", "/bin/true", UNIT, flags=re.MULTILINE), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_unit_starts_what_the_page_has_installed() -> None:
    page = read_page("docs/recipes/server.md")
    start = re.findall(r"^ExecStart=(.*)$", UNIT, flags=re.MULTILINE)
    assert start == [
        "/opt/seawall/.venv/bin/seawall serve --config /etc/seawall/seawall.toml --data /var/lib/seawall"
    ]
    for place in ("/opt/seawall", "/etc/seawall/seawall.toml", "/var/lib/seawall", "/etc/seawall/secrets"):
        assert place in page


def test_the_settings_of_its_own_https_load(tmp_path: Path) -> None:
    [block] = [block for block in blocks_of("docs/recipes/server.md") if block.language == "toml"]
    (tmp_path / "seawall.toml").write_text(block.text, encoding="utf-8")
    settings = load_settings(None, {}, {}, tmp_path)
    assert (settings.server.port, settings.tls.mode) == (443, "auto")


def test_services_have_longer_to_stop_than_open_streams(tmp_path: Path) -> None:
    grace_s = load_settings(None, {}, {}, tmp_path).server.grace_s
    [stop_s] = re.findall(r"^TimeoutStopSec=(\d+)$", UNIT, flags=re.MULTILINE)
    assert int(stop_s) > grace_s + DRAIN_S
    assert COMPOSE["services"]["seawall"]["stop_grace_period"] == f"{stop_s}s"


def test_the_image_copies_what_is_there_and_is_not_ignored() -> None:
    copied = [
        name
        for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, flags=re.MULTILINE)
        for name in line.split()[:-1]
    ]
    let_in = {line[1:] for line in read_page(".dockerignore").splitlines() if line.startswith("!")}
    assert copied and [name for name in copied if not (ROOT / name).exists()] == []
    assert sorted(copied) == sorted(let_in)


def test_the_image_runs_as_nobody_in_particular_and_says_how_it_is() -> None:
    instructions = re.findall(r"^([A-Z]+) (.*)$", DOCKERFILE, flags=re.MULTILINE)
    named = dict(instructions)
    assert named["USER"] == "10001:10001"
    assert "/healthz" in DOCKERFILE.partition("HEALTHCHECK")[2]
    assert all(image.startswith("python:3.11-slim") for name, image in instructions if name == "FROM")
    assert "ARG" not in named and not re.search(r"(?i)(key|password|secret)=", DOCKERFILE)


@pytest.mark.parametrize(
    "text", [DOCKERFILE, read_page("compose.yaml"), UNIT], ids=["image", "compose", "unit"]
)
def test_every_variable_of_ours_is_one(text: str) -> None:
    named = set(re.findall(r"\bSEAWALL_[A-Z_]+", text))
    assert named - KNOWN == set()
    assert named


def test_compose_states_no_password_and_waits_for_its_stores() -> None:
    services = COMPOSE["services"]
    assert set(services) == {"seawall", "postgres", "valkey"}
    assert set(services["seawall"]["depends_on"]) == {"postgres", "valkey"}
    assert all("healthcheck" in services[name] for name in ("postgres", "valkey"))
    for service in services.values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"KEY|PASSWORD|AUTH|URL", name):
                assert "${" in value, name
    assert services["seawall"]["ports"] == ["127.0.0.1:8787:8787"]
    mounts = [mount.partition(":")[0] for each in services.values() for mount in each.get("volumes", ())]
    assert sorted(mounts) == sorted(COMPOSE["volumes"])


def test_valkey_drops_old_answers_where_its_memory_is_full() -> None:
    """As docs/cache.md says; a server that takes nothing more would leave each gateway to its share of the limits."""
    command = COMPOSE["services"]["valkey"]["command"]
    assert "allkeys-lru" in command and "allkeys-lru" in read_page("docs/cache.md")


def test_the_settings_of_compose_load(tmp_path: Path) -> None:
    filled = {
        name: re.sub(r"\$\{(\w+)(?::[-?]([^}]*))?\}", lambda found: FILL.get(found[1], found[2] or ""), value)
        for name, value in COMPOSE["services"]["seawall"]["environment"].items()
    }
    settings = load_settings(None, {}, filled, tmp_path)
    assert (settings.server.workers, settings.stage.value) == (2, "mvp")
    assert settings.database_url == f"postgresql://seawall:{FILL['POSTGRES_PASSWORD']}@postgres:5432/seawall"


FILL = {name: secrets.token_hex(12) for name in ("POSTGRES_PASSWORD", "VALKEY_PASSWORD", "SEAWALL_ADMIN_KEY")}
FORMS = {"render": yaml.safe_load, "fly": tomllib.loads}


@pytest.mark.parametrize("name", ["railway", "render", "fly"])
def test_a_recipe_names_real_variables_and_says_that_it_was_not_run(name: str) -> None:
    page = read_page(f"docs/recipes/{name}.md")
    assert "**Written, not run here.**" in page
    assert set(re.findall(r"\bSEAWALL_[A-Z_]+", page)) - KNOWN == set()
    if name in FORMS:
        assert "/readyz" in str(FORMS[name](blocks_of(f"docs/recipes/{name}.md")[0].text))
