"""docs/methods/: a page for each named system, from its docstring and from what was measured of it."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks._runs import Line
from benchmarks.methods.bars import NAME as BAR
from benchmarks.methods.bars import bars
from benchmarks.negatives.pictures import NAMES as SETS
from benchmarks.negatives.report import BASE_OF, cell, table
from benchmarks.negatives.trial import START
from trainer.systems import System, named


def write(negatives: Sequence[Line], methods: Sequence[Line], docs: Path) -> None:
    """All pages and their index. negatives, methods: the results of both benchmarks."""
    (docs / "methods").mkdir(parents=True, exist_ok=True)
    for name, text in pages(negatives, methods).items():
        (docs / "methods" / name).write_text(text, encoding="utf-8")


def pages(negatives: Sequence[Line], methods: Sequence[Line]) -> dict[str, str]:
    """File name -> text of docs/methods/, an index with them."""
    known = named()
    found = {f"{one.name}.md": _page(one, negatives, methods) for one in known}
    head = ["# Named systems", "", "Made by `python -m benchmarks.methods report` from the docstrings of", "",
            "`trainer/methods/` and `trainer/generators/`. Run one: `pairwright train NAME --collection COLLECTION`,",
            "or what its page says.", ""]  # fmt: skip
    rows = [
        [f"[{one.name}]({one.name}.md)", one.said["Family"], _idea(one), one.said["Needs"], one.said["Status"]]
        for one in known
    ]
    return found | {"README.md": "\n".join([*head, table(["name", "family", "idea", "needs", "status"], rows), ""])}


def _page(one: System, negatives: Sequence[Line], methods: Sequence[Line]) -> str:
    parts = [f"# {one.title}", "", "```", one.formula, "```", ""]
    parts += [one.prose, ""] if one.prose else []
    parts += [f"**{section}.** {words}\n" for section, words in one.said.items()]
    defaults = [[name, f"`{default}`" if default else "none"] for name, default in one.settings.items()]
    parts += ["**Settings.**\n", table(["setting", "default"], defaults), ""]
    given = "".join(f" --set {name}=..." for name, default in one.settings.items() if not default)
    parts += [f"    {one.command} --collection COLLECTION{given}\n"]
    base = BASE_OF.get(one.name, "simclr")
    runs = {
        "negatives": [line for line in negatives if "experiment" not in line],
        "methods": [line for line in methods if line["experiment"] == "alone"],
    }
    tables = [(name, _beside(one.name, base if name == "negatives" else "simclr", of)) for name, of in runs.items()]
    said = [f"See [its benchmark](../benchmarks/{name}.md) for what it means.\n\n{of}\n" for name, of in tables if of]
    said += [
        f"**{BAR}.** See [all systems](../benchmarks/bars.md).\n\n{of}\n" for of in [bars(methods, one.name)] if of
    ]
    return "\n".join([*parts, *(["**Measured.**\n", *said] if said else ["**Measured.** Not yet.\n"])])


def _beside(name: str, base: str, runs: Sequence[Line]) -> str:
    """kNN and linear accuracy beside SimCLR, what the system adds to, and the untrained network."""
    names = [name, *sorted({"simclr", base} - {name}), START]
    rows = []
    for which in SETS:
        cells = [cell(runs, which, system, figure) for system in names for figure in ("knn", "linear")]
        if cells[0] != "-":
            rows.append([which, *cells])
    head = ["set", *(f"{system} {figure}" for system in names for figure in ("kNN", "linear"))]
    return table(head, rows) if rows else ""


def _idea(one: System) -> str:
    return one.title.partition(": ")[2]
