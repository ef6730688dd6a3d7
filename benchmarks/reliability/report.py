"""docs/benchmarks/reliability.md from the results file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks._runs import Line
from benchmarks.negatives.report import table
from benchmarks.reliability.goals import GOALS, Goal

HEAD = """# Reliability and security

Made by `python -m benchmarks.reliability report` from `benchmarks/results/reliability.jsonl`; run with
`python -m benchmarks.reliability run`, in the long form with `make faults`. Every promise has experiments that try to
break it; the short forms are part of `make test`. *Held*: experiments passed of those run; one that this machine cannot
run is not counted. *Measured*: what they told. *Elsewhere*: the same fault in other software, as it was found there.
"""
COMMANDS = """
## By hand

One goal alone: `python -m pytest` with its tests; the long form with `PAIRWRIGHT_FAULTS=long` before it.
"""


def write(lines: Sequence[Line], docs: Path) -> None:
    """The page."""
    (docs / "benchmarks").mkdir(parents=True, exist_ok=True)
    (docs / "benchmarks" / "reliability.md").write_text(page(lines), encoding="utf-8")


def page(lines: Sequence[Line]) -> str:
    """docs/benchmarks/reliability.md."""
    rows = [_row(goal, _newest(lines, goal.number)) for goal in GOALS]
    head = ["goal", "faults", "expected", "held", "measured", "elsewhere"]
    tests = "\n".join(f"- {goal.number}: {', '.join(f'`{test}`' for test in goal.tests)}" for goal in GOALS)
    return f"{HEAD}\n{table(head, rows)}\n{COMMANDS}\n{tests}\n"


def _newest(lines: Sequence[Line], number: int) -> Line | None:
    """The newest long run, or the newest of any size."""
    mine = [line for line in lines if line["goal"] == number]
    return next((line for line in reversed(mine) if line["long"]), mine[-1] if mine else None)


def _row(goal: Goal, line: Line | None) -> list[str]:
    name = f"{goal.number} {goal.title}"
    if line is None:
        return [name, goal.faults, goal.expected, "not measured", "", goal.elsewhere]
    run = line["passed"] + line["failed"]
    held = f"{line['passed']} of {run}{'' if line['failed'] == 0 else ', MISSED'}"
    size = "long" if line["long"] else "short"
    told = "; ".join(_told(alike) for alike in _by_names(line["figures"]))
    measured = f"{told + '. ' if told else ''}{size} form, {line['seconds']:.0f} s, load {line['load']}, {line['date']}"
    return [name, goal.faults, goal.expected, held, measured, goal.elsewhere]


def _by_names(figures: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Figures of the same names together: one experiment in several forms."""
    found: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for one in figures:
        found.setdefault(tuple(one), []).append(one)
    return list(found.values())


def _told(alike: Sequence[dict[str, Any]]) -> str:
    """Each name with its values: all where they are few words, else the least and the largest."""
    said = []
    for name in alike[0]:
        values = sorted({one[name] for one in alike})
        few = len(values) < 4 or isinstance(values[0], str)
        shown = " and ".join(str(value) for value in values) if few else f"{values[0]} to {values[-1]}"
        said.append(f"{name.replace('_', ' ')} {shown}")
    return ", ".join(said)
