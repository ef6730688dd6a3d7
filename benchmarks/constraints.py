"""How fast the constraint graph takes answers in and says what follows: 20,000 statements, 100,000 items, 10 % lies.

    python -m benchmarks.constraints [--items 100000] [--statements 20000] [--lies 0.1]

Two logs: `scattered`, pairs all over the items; `gathered`, every pair among a fiftieth of them, so that groups are
large and contradictions many. After the log, answers come one by one, each followed by a look at relations, evidence
and conflicts, as a live session does.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np

from benchmarks._report import keep, machine
from db.nouns import Statement, Verdict
from oracle.constraints import ConstraintGraph
from oracle.weighing import weigh

GROUPS, LIVE = 20, 200


def log(items: int, among: int, count: int, lies: float, seed: int) -> list[Statement]:
    """Screens of eight pairs: an item beside others, half of them of its own group."""
    rng = np.random.default_rng(seed)
    shown = rng.choice(items, min(among, items), replace=False)
    labels = rng.integers(0, GROUPS, len(shown))
    members = [np.flatnonzero(labels == group) for group in range(GROUPS)]
    said = []
    for number in range(count):
        if number % 8 == 0:
            anchor = int(rng.integers(len(shown)))
        pool = members[labels[anchor]] if rng.random() < 0.5 else np.arange(len(shown))
        other = int(rng.choice(pool))
        if other != anchor:
            same = (labels[anchor] == labels[other]) != (rng.random() < lies)
            verdict = Verdict.SAME if same else Verdict.DIFFERENT
            said.append(Statement(number // 8, int(shown[anchor]), int(shown[other]), verdict, "ab"[number // 8 % 2]))
    return said


def took_ms(do: Callable[[], object]) -> float:
    began = time.process_time()
    do()
    return 1000 * (time.process_time() - began)


def measured(said: list[Statement]) -> dict[str, float]:
    """Milliseconds of processor time, so that a busy machine tells the same.

    add: mean over the log; live_*: after each single answer, median and worst.
    """
    graph = ConstraintGraph()
    found = {"add_mean": took_ms(lambda: graph.update(said[:-LIVE])) / len(said)}
    found["first_conflicts"] = took_ms(graph.conflicts)
    rng = np.random.default_rng(0)
    items = sorted({one.a for one in said})
    live: dict[str, list[float]] = {"add": [], "conflicts": [], "relation": [], "implied": [], "arrays": []}
    for one in said[-LIVE:]:
        a, b = (items[row] for row in rng.choice(len(items), 2, replace=False))
        live["add"].append(took_ms(lambda one=one: graph.add(one)))
        live["conflicts"].append(took_ms(graph.conflicts))  # first: whoever looks first pays for the new answer
        live["relation"].append(took_ms(lambda a=a, b=b: graph.relation(a, b)))
        live["implied"].append(took_ms(lambda a=a, b=b: graph.implied(a, b)))
        live["arrays"].append(took_ms(graph.arrays))
    for name, times in live.items():
        found |= {f"live_{name}_median": float(np.median(times)), f"live_{name}_worst": max(times)}
    found["reweigh"] = took_ms(lambda: graph.reweigh({"a": 0.08, "b": 0.12}, 0.1))
    found["judge_annotators"] = took_ms(lambda: weigh(graph))
    found["conflicts_open"] = len(graph.conflicts())
    return {name: round(value, 4) for name, value in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--statements", type=int, default=20_000)
    parser.add_argument("--lies", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    given, before = parser.parse_args(), machine()
    logs = {
        name: log(given.items, among, given.statements, given.lies, given.seed)
        for name, among in (("scattered", given.items), ("gathered", given.items // 50))
    }
    keep("constraints", vars(given), {name: measured(said) for name, said in logs.items()}, before)


if __name__ == "__main__":
    main()
