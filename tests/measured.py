"""Experiments in two sizes, and what they found out: for `make faults` and docs/benchmarks/reliability.md.

PAIRWRIGHT_FAULTS=long takes the long form. PAIRWRIGHT_FIGURES=FILE gets a JSON line for every figure told.
"""

import json
import os
from pathlib import Path
from typing import TypeVar

LONG = os.environ.get("PAIRWRIGHT_FAULTS") == "long"
Count = TypeVar("Count", int, float)


def times(short: Count, long: Count) -> Count:
    """How often, how many or how long, by the size of this run."""
    return long if LONG else short


def tell(goal: int, **figures: float | str) -> None:
    """What an experiment of one goal measured."""
    file = os.environ.get("PAIRWRIGHT_FIGURES")
    test = os.environ.get("PYTEST_CURRENT_TEST", "").split(" ")[0]
    if file:
        with Path(file).open("a", encoding="utf-8") as lines:
            lines.write(json.dumps({"goal": goal, "test": test, "long": LONG, **figures}) + "\n")
