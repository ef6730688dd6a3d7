"""What each named system says about itself: read from docstrings, without importing torch.

Those of trainer/methods are trained; one that makes pictures and teaches no embedding is in trainer/generators alone.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from db.errors import BadInput, unknown

DEFAULT = "pairwright"  # what a user gets who names none
SECTIONS = ("Family", "Source", "Parts", "Needs", "Differs from the paper", "Checked by")
STATUS = "Status"  # how far what is here is what was published; said where it is not USUAL
USUAL = "the published algorithm, on small data"
EXCHANGED = ("negatives", "objective", "selector")  # parts that another of their family can replace: PART=NAME
PARTS = (*EXCHANGED, "views", "words", "sounds")  # parts with settings: PART.KEY=VALUE
TRAINED, MADE = "methods", "generators"  # folders of trainer
CLASS = {TRAINED: "Method", MADE: "Generator"}
COMMAND = {TRAINED: "pairwright train", MADE: "pairwright synthetic make"}


@dataclass(frozen=True)
class System:
    """name: file name. title: first line. formula: the indented lines. said: text of each of SECTIONS. command: what
    runs it on a collection."""

    name: str
    title: str
    body: str
    said: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    command: str = ""

    @property
    def formula(self) -> str:
        """The indented lines of the body."""
        return "\n".join(line[4:] for line in self.body.splitlines() if line.startswith("    "))

    @property
    def prose(self) -> str:
        """The other lines of the body."""
        lines = [line for line in self.body.splitlines() if not line.startswith("    ")]
        return "\n".join(lines).strip()


def systems() -> list[System]:
    """Every named system that comes with Pairwright and can be trained, by name."""
    return [_read(path, TRAINED) for path in _files(TRAINED).values()]


def named() -> list[System]:
    """The same, and those that only make pictures, by name."""
    return [_read(path, folder) for path, folder in _everything().values()]


def system(name: str) -> System:
    """One that can be trained; '-' and '_' are the same. Raises NotFound with the nearest spelling."""
    return _found(name, {stem: (path, TRAINED) for stem, path in _files(TRAINED).items()})


def any_system(name: str) -> System:
    """One of all that have a name. Raises as `system`."""
    return _found(name, _everything())


def _found(name: str, known: Mapping[str, tuple[Path, str]]) -> System:
    wanted = name.replace("-", "_")
    if wanted not in known:
        raise unknown("method", name, known, remedy="See: pairwright methods.")
    return _read(*known[wanted])


def _everything() -> dict[str, tuple[Path, str]]:
    both = {stem: (path, folder) for folder in (MADE, TRAINED) for stem, path in _files(folder).items()}
    return dict(sorted(both.items()))  # what has a method under its name, too, is that method


def _files(folder: str) -> dict[str, Path]:
    spec = find_spec(f"trainer.{folder}")
    assert spec is not None and spec.submodule_search_locations
    return {path.stem: path for path in sorted(Path(next(iter(spec.submodule_search_locations))).glob("[!_]*.py"))}


def _read(path: Path, folder: str) -> System:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    text = ast.get_docstring(tree) or ""
    title, _, rest = text.partition("\n")
    body, said = _split(rest)
    missing = [section for section in SECTIONS if section not in said]
    if missing:
        raise BadInput(f"the docstring of trainer/{folder}/{path.name} has no line '{missing[0]}: ...'. Add one.")
    told = {**said, STATUS: said.get(STATUS, USUAL)}
    return System(path.stem, title, body, told, _settings(tree, CLASS[folder]), f"{COMMAND[folder]} {path.stem}")


def _split(text: str) -> tuple[str, dict[str, str]]:
    """What comes before the first section, and each section as one line."""
    body: list[str] = []
    said: dict[str, str] = {}
    current = None
    for line in text.splitlines():
        head, colon, tail = line.partition(": ")
        if colon and head in (*SECTIONS, STATUS):
            current = head
            said[current] = tail.strip()
        elif current is not None:
            said[current] = f"{said[current]} {line.strip()}".strip()
        else:
            body.append(line)
    return "\n".join(body).strip("\n"), said


def _settings(tree: ast.Module, name: str) -> dict[str, str]:
    """Fields of the class of that name with their defaults, as written; empty for one that must be given."""
    found = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name]
    return {
        node.target.id: ast.unparse(node.value) if node.value is not None else ""
        for method in found
        for node in method.body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and "ClassVar" not in ast.unparse(node.annotation)
    }
