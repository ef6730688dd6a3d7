"""Every command that a page shows is understood by the program it names; those of the tutorial run, in order."""

import csv
import re
import shutil
import tomllib
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.exceptions import TyperException

from app.cli.main import app, run
from tests.docs.blocks import PAGES, ROOT, shell, words
from tests.importers.conftest import paint

GROUP = typer.main.get_command(app)
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
LESS = {"--budget 300": "--budget 2", "/mnt/other-disk/pairwright": "other-disk", "/data/restored": "restored"}
KINDS = ("glass", "metal", "paper")


def understood(given: list[str]) -> None:
    """Raise where the program would not know what is meant. Nothing is done."""
    program, given = given[0], given[1:]
    if program == "torchrun":
        at = given.index("app.cli")
        program, given = "pairwright", given[at + 1 :]
    if program == "make":
        wrong = [one for one in given if "=" not in one and one not in TARGETS]
        assert not wrong, f"make has no target {wrong}"
    elif program == "pip":
        for extras in re.findall(r"pairwright\[([\w,]+)\]", " ".join(given)):
            assert set(extras.split(",")) <= set(EXTRAS), f"no such extra: {extras}"
    else:
        assert program == "pairwright", f"what is {program}? Say <!-- not run: why --> above the block"
        parsed(GROUP, given)


def parsed(command: Any, given: list[str], parent: Any = None) -> None:
    """As the program parses it, to the innermost command."""
    with command.make_context(command.name, list(given), parent=parent) as context:
        if hasattr(command, "commands"):
            _, inner, rest = command.resolve_command(context, [*context._protected_args, *context.args])
            parsed(inner, rest, context)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_command_of_a_page_is_understood(path: Path) -> None:
    for block in shell(path):
        for line in block.lines():
            if block.reason and words(line)[0] not in ("pairwright", "make"):
                continue
            try:
                understood(words(line))
            except (TyperException, AssertionError) as fault:
                raise AssertionError(f"{path.name}: {line}: {fault}") from fault


def test_a_command_that_nobody_knows_is_noticed() -> None:
    for wrong in ("imprt photos/", "embed --collection", "embed --colection x", "simulate --budget many"):
        with pytest.raises(TyperException):
            understood(["pairwright", *wrong.split()])
    for wrong in ("make demmo", "pip install pairwright[x]", "ls"):
        with pytest.raises(AssertionError):
            understood(wrong.split())


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the tutorial takes for granted, small; typed answers say that all belong."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAIRWRIGHT_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.delenv("PAIRWRIGHT_DATABASE_URL", raising=False)
    typed = cycle(("all", "s", "q"))  # whatever is asked, one of them is an answer
    monkeypatch.setattr("typer.prompt", lambda *_, **__: next(typed))
    for name, first in (("photos", 0), ("trashnet", 10), ("clothing", 50)):
        folder = tmp_path / name
        folder.mkdir()
        rows = []
        for number in range(first, first + 18):
            (folder / f"{number}.png").write_bytes(paint(number))
            known = {"material": KINDS[number % 3], "type_known": "yes" if number % 2 else "no", "sender": number % 4}
            rows.append({"id": number, "path": f"{number}.png", **known})
        with (folder / "metadata.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        shutil.make_archive(name, "zip", folder)
    (tmp_path / "photos" / "metadata.csv").unlink()
    return tmp_path


def test_the_commands_of_the_tutorial_run_as_written(desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Budgets are smaller, the other disk is a folder, a backup has the name it got: nothing else differs."""
    done = []
    for block in shell(ROOT / "docs" / "tutorial.md"):
        for line in () if block.reason else block.lines():
            assert run(words(_here(line, desk))[1:]) == 0, f"{line}\n{capfd.readouterr().err}"
            done.append(line.split()[1])
    assert len(done) > 15
    assert {"import", "embed", "ask", "evaluate", "export", "simulate", "compare", "users", "backup"} <= set(done)
    for made in ("groups.csv", "pairs.parquet", "vectors.npy", "run1/report.html", "restored/pairwright.sqlite"):
        assert (desk / made).exists(), made


def _here(line: str, desk: Path) -> str:
    for written, small in LESS.items():
        line = line.replace(written, small)
    made = next(iter(sorted((desk / "other-disk").glob("2*"))), None)
    return line.replace("20261123T031500Z", made.name) if made else line
