"""What each named system says about itself: read from the docstrings of trainer/methods, without importing torch."""

import ast
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from db.errors import BadInput, unknown

DEFAULT = "pairwright"  # what a user gets who names none
SECTIONS = ("Family", "Source", "Parts", "Needs", "Differs from the paper", "Checked by")
STATUS = "Status"  # how far what is here is what was published; said where it is not USUAL
USUAL = "the published algorithm, on small data"


@dataclass(frozen=True)
class System:
    """name: file name. title: first line. formula: the indented lines. said: text of each of SECTIONS."""

    name: str
    title: str
    body: str
    said: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)

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
    """Every named system that comes with Pairwright, by name."""
    return [_read(path) for path in sorted(_folder().glob("[!_]*.py"))]


def system(name: str) -> System:
    """One of them; '-' and '_' are the same. Raises NotFound with the nearest spelling."""
    known = {path.stem: path for path in _folder().glob("[!_]*.py")}
    wanted = name.replace("-", "_")
    if wanted not in known:
        raise unknown("method", name, known, remedy="See: pairwright methods.")
    return _read(known[wanted])


def _folder() -> Path:
    spec = find_spec("trainer.methods")
    assert spec is not None and spec.submodule_search_locations
    return Path(next(iter(spec.submodule_search_locations)))


def _read(path: Path) -> System:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    text = ast.get_docstring(tree) or ""
    title, _, rest = text.partition("\n")
    body, said = _split(rest)
    missing = [section for section in SECTIONS if section not in said]
    if missing:
        raise BadInput(f"the docstring of trainer/methods/{path.name} has no line '{missing[0]}: ...'. Add one.")
    return System(path.stem, title, body, {**said, STATUS: said.get(STATUS, USUAL)}, _settings(tree))


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


def _settings(tree: ast.Module) -> dict[str, str]:
    """Fields of the class Method with their defaults, as written."""
    found = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Method"]
    return {
        node.target.id: ast.unparse(node.value)
        for method in found
        for node in method.body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and node.value is not None
        and "ClassVar" not in ast.unparse(node.annotation)
    }
