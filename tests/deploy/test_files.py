"""The files of deploy/ say what the program understands: commands, variables, volumes, users, pins, addresses."""

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import typer
import yaml

from app.cli.main import app
from app.settings import Settings
from db.errors import BadInput

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
OURS = {name: one for name, one in SERVICES.items() if one["image"] == "pairwright"}
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
KNOWN = set(re.findall(r"PAIRWRIGHT_[A-Z_]+", (ROOT / "docs" / "reference.md").read_text()))


def understood(words: list[str]) -> None:
    """Parse a command line with our own commands, without running it. Raises click's error for what is unknown."""
    group = typer.main.get_command(app)
    name, *rest = words
    command = group.commands[name]  # type: ignore[attr-defined]
    command.make_context(name, rest)


def known(variable: str) -> bool:
    return not variable.startswith("PAIRWRIGHT_") or variable.removesuffix("_FILE") in KNOWN


def test_every_service_runs_a_command_with_options_that_there_are() -> None:
    assert set(OURS) == {"web", "web-2", "trainer"}
    for one in OURS.values():
        understood(one["command"])
    assert [one["command"][0] for one in OURS.values()].count("trainer") == 1
    assert all("--no-trainer" in one["command"] for one in OURS.values() if one["command"][0] == "serve")
    with pytest.raises(Exception, match="no-such"):
        understood(["serve", "--no-such"])


def test_every_variable_is_one_that_the_settings_know(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for one in OURS.values():
        assert all(known(name) for name in one["environment"]), one["environment"]
    assert not known("PAIRWRIGHT_NO_SUCH")
    web = SERVICES["web"]["environment"]
    (tmp_path / "url").write_text("postgresql+psycopg://pairwright:x@postgres/pairwright\n")
    for name, value in {**web, "PAIRWRIGHT_DATABASE_URL_FILE": str(tmp_path / "url")}.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.url == "postgresql+psycopg://pairwright:x@postgres/pairwright"
    assert (settings.folder, settings.proxies) == (Path("/workspace"), "*")
    monkeypatch.setenv("PAIRWRIGHT_DATABASE_URL_FILE", str(tmp_path / "none"))
    with pytest.raises(BadInput, match=r"PAIRWRIGHT_DATABASE_URL_FILE must name a file that can be read, got"):
        Settings()


def test_volumes_secrets_and_neighbours_that_are_named_exist() -> None:
    volumes = {at.split(":")[0] for one in SERVICES.values() for at in one["volumes"]}
    assert {at for at in volumes if not at.startswith(".")} == set(COMPOSE["volumes"])
    assert all((DEPLOY / at).exists() for at in volumes if at.startswith("."))
    assert {at for one in SERVICES.values() for at in one.get("secrets", [])} == set(COMPOSE["secrets"])
    for name, one in OURS.items():
        assert one["volumes"] == ["workspace:/workspace"], f"{name} shares the pictures"
        assert one["environment"]["PAIRWRIGHT_DATABASE_URL_FILE"] == "/run/secrets/database_url"
    for one in SERVICES.values():
        assert set(one.get("depends_on", [])) <= set(SERVICES)
    assert all("healthcheck" in SERVICES[name] for name in ("postgres", "web", "web-2"))


def test_the_proxy_of_the_services_knocks_where_they_listen() -> None:
    doors = SERVICES["proxy"]["environment"]["PAIRWRIGHT_DOORS"].split()
    listening = [
        f"{name}:{one['command'][one['command'].index('--port') + 1]}"
        for name, one in OURS.items()
        if one["command"][0] == "serve"
    ]
    assert doors == listening
    for name in ("PAIRWRIGHT_DOORS", "PAIRWRIGHT_SITE"):
        assert f"{{${name}:" in (DEPLOY / "Caddyfile").read_text()


def test_the_image_has_no_root_takes_the_pins_and_copies_what_there_is() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    steps = [line.split() for line in lines if re.match("[A-Z]+ ", line)]
    assert [step[1] for step in steps if step[0] == "USER"] == ["pairwright"]
    assert any("--constraint /source/constraints.txt" in line for line in lines)
    copied = {name for step in steps if step[0] == "COPY" for name in step[1:-1]}
    assert all((ROOT / name).exists() for name in copied)
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert let_in == copied
    (command,) = (line for line in lines if line.startswith("CMD"))
    understood(yaml.safe_load(command.removeprefix("CMD ")))
    extras = next(line.split("=")[1] for line in lines if line.startswith("ARG EXTRAS"))
    assert all(re.search(rf"^{extra} = \[", (ROOT / "pyproject.toml").read_text(), re.M) for extra in extras.split(","))
    client, server = re.search(r"postgresql-client-(\d+)", "\n".join(lines)), SERVICES["postgres"]["image"]
    assert client and server.endswith(f":pg{client[1]}"), "pg_dump refuses a newer server"


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_runs_what_there_is_with_no_more_rights_than_it_needs(unit: Path) -> None:
    parsed = configparser.RawConfigParser(strict=False)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read_string(unit.read_text())
    service = parsed["Service"]
    words = shlex.split(service["ExecStart"].replace("%i", "7861"))
    assert words[0] == "/opt/pairwright/.venv/bin/pairwright"
    understood(words[1:])
    assert all(known(one.split("=")[0]) for one in service["Environment"].split())
    assert service["User"] == "pairwright" and service["NoNewPrivileges"] == "yes"
    assert service["ProtectSystem"] == "strict" and service["UMask"] == "0077"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is missing")
def test_systemd_itself_finds_no_fault(tmp_path: Path) -> None:
    for unit in UNITS:
        there = unit.read_text().replace("/opt/pairwright/.venv/bin/pairwright", "/bin/true")
        (tmp_path / unit.name).write_text(there)
    found = subprocess.run(
        ["systemd-analyze", "verify", *(str(tmp_path / unit.name) for unit in UNITS)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    ours = [line for line in found.stderr.splitlines() if "pairwright" in line]
    assert ours == [], found.stderr


@pytest.mark.skipif(shutil.which("caddy") is None, reason="caddy is missing")
def test_caddy_itself_finds_no_fault() -> None:
    words = ["caddy", "validate", "--adapter", "caddyfile", "--config", str(DEPLOY / "Caddyfile")]
    found = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert found.returncode == 0, found.stderr
