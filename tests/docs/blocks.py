"""The fenced blocks of a page, and whether they are meant to run.

A block runs unless the line above it says otherwise: `<!-- not run: the reason -->`.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "examples" / "pairwright-plugin-example" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
SHELL = ("sh", "console", "bash", "shell", "")
FENCE = re.compile(r"(?:^<!-- not run: (?P<reason>.+?) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.S | re.M)
PROGRAMS = ("pairwright", "make", "pip", "torchrun")


@dataclass(frozen=True)
class Block:
    """reason: why it is not run, empty where it is."""

    language: str
    text: str
    reason: str

    def lines(self) -> list[str]:
        """Every command as it is typed, one that goes on on the next line in one piece."""
        return [line.removeprefix("$ ") for line in self.text.replace("\\\n", " ").splitlines() if words(line)]


def words(line: str) -> list[str]:
    """A command as its program gets it: without variables before it, and the program without its folder."""
    found = shlex.split(line.removeprefix("$ "), comments=True)
    while found and re.fullmatch(r"[A-Z_]+=.*", found[0]):
        found = found[1:]
    return [found[0].removeprefix(".venv/bin/"), *found[1:]] if found else []


def blocks(path: Path) -> Iterator[Block]:
    for found in FENCE.finditer(path.read_text(encoding="utf-8")):
        yield Block(found["language"], found["text"], found["reason"] or "")


def shell(path: Path) -> list[Block]:
    """Blocks of commands; one without a language counts where it begins with a program of ours."""
    return [one for one in blocks(path) if one.language in SHELL and (one.language or _ours(one))]


def python(path: Path) -> list[Block]:
    return [one for one in blocks(path) if one.language == "python"]


def _ours(block: Block) -> bool:
    return bool(block.lines()) and words(block.lines()[0])[0] in PROGRAMS
