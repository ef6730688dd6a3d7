"""The documents say what the program does: commands exist, every command is documented, links lead somewhere."""

import re
import tomllib
from pathlib import Path

import pytest
import typer

from app.cli.main import app
from app.cli.reference import commands, page

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = dict(commands(typer.main.get_command(app), "pairwright"))


def shell_lines(text: str) -> list[str]:
    """Every line of a fenced block, and every inline code, that starts with pairwright or make."""
    fenced = [line.strip() for block in re.findall(r"```[a-z]*\n(.*?)```", text, re.S) for line in block.splitlines()]
    inline = re.findall(r"`((?:pairwright|make) [^`]+)`", text)
    return [line for line in [*fenced, *inline] if line.startswith(("pairwright ", "make "))]


def test_the_reference_is_what_the_commands_say() -> None:
    assert (ROOT / "docs" / "reference.md").read_text(encoding="utf-8") == page(), "run make docs"


def test_every_command_has_help_and_an_example_of_itself() -> None:
    for name, command in COMMANDS.items():
        assert "Examples:" in command.help, name
        assert name in command.help, f"{name} has no example of itself"
        for parameter in command.params:
            assert parameter.param_type_name != "option" or parameter.help, f"{name} {parameter.name} has no help"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_command_a_page_shows_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for line in shell_lines(path.read_text(encoding="utf-8")):
        words = line.split()
        if words[0] == "make":
            assert words[1].strip(".,") in targets, line
            continue
        known = [name for name in COMMANDS if line.startswith(name) or name.startswith(f"{line} ")]
        assert known, f"{path.name}: {line}"
        options = {one for p in COMMANDS[max(known, key=len)].params for one in (*p.opts, *p.secondary_opts)} | {
            "--help"
        }
        typed = re.findall(r"(?<=\s)--[a-z-]+", line)
        assert set(typed) <= options, f"{path.name}: {line}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_of_a_page_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), f"{path.name} links to {target}"


def test_pins_satisfy_the_floors() -> None:
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [
        Requirement(line) for line in project["dependencies"] + extras["test"] + extras["postgres"] + extras["docs"]
    ]
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = {canonicalize_name(name): pin for name, _, pin in (line.partition("==") for line in lines) if pin}
    loose = {"pairwright"}
    for requirement in wanted:
        name = canonicalize_name(requirement.name)
        if name not in loose:
            assert name in pins, f"{name} has no tested pin in constraints.txt"
            assert requirement.specifier.contains(pins[name]), f"{requirement} against {pins[name]}"
