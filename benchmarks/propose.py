"""How long the next 32 questions take, with 10,000 and with 100,000 items, after one screen of new answers.

    python -m benchmarks.propose [--items 10000 100000] [--answers 300 1000 3000] [--rules pairwright mixed]

A made-up collection (groups of several overlapping modes, the snapshot built as the trainer builds it, kept on disk
for the next run) and a made-up log: members of groups beside likely ones, strangers beside one member of every group,
and uniform screens, answered by an oracle that sometimes lies. Then screens of twelve verdicts arrive one by one; after
each the belief is brought up to date and 32 questions are proposed: `fresh_ms` by the clock, `fresh_cpu_ms` of
processor time, which a busy machine disturbs less. `cold_ms` is the same from the log alone, in a snapshot nobody has
asked about. Everything is appended to benchmarks/results/propose.jsonl.
"""

import argparse
import json
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks._report import RESULTS, machine
from db.nouns import Snapshot, Statement, Verdict
from oracle import plugins
from oracle.belief import infer
from oracle.constraints import ConstraintGraph

CACHE = Path.home() / ".cache" / "pairwright" / "benchmarks"
DIM, GROUPS, MODES, SCREEN = 64, 30, 4, 12


def collection(items: int, seed: int) -> tuple[Snapshot, np.ndarray]:
    """A snapshot and the true group of every row. Groups differ in size, have several modes, and overlap."""
    from trainer.snapshot import build

    random = np.random.default_rng([seed, items])
    sizes = random.dirichlet(np.full(GROUPS, 4.0))
    truth = random.choice(GROUPS, items, p=sizes)
    centres = random.standard_normal((GROUPS, DIM))
    modes = centres[:, None] + 0.8 * random.standard_normal((GROUPS, MODES, DIM))
    vectors = modes[truth, random.integers(0, MODES, items)] + 0.95 * random.standard_normal((items, DIM))
    file = CACHE / f"propose-parts-{items}-{seed}.npz"
    if not file.exists():
        made = build(np.arange(1, items + 1), vectors)
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, ids=made.ids, vectors=made.vectors, neighbours=made.neighbours, cosines=made.cosines,
                 start=made.start, finer=made.finer)  # fmt: skip
    with np.load(file) as kept:
        return Snapshot(1, **{name: kept[name] for name in kept.files}), truth


def screens(snapshot: Snapshot, truth: np.ndarray, lies: float, seed: int) -> Iterator[list[Statement]]:
    """Endless screens as a rule asks them: a group's member beside likely ones, a stranger beside groups, uniform."""
    random, found, answer = np.random.default_rng([seed, 1]), {int(truth[0]): 0}, 0
    by_group = [np.flatnonzero(truth == group) for group in range(GROUPS)]
    while True:
        answer += 1
        kind = random.random()
        if kind < 0.6:
            group = int(random.choice(list(found)))
            anchor = found[group]
            near = snapshot.neighbours[random.choice(by_group[group], SCREEN // 2)]
            rows = np.concatenate([random.choice(by_group[group], SCREEN // 2), near[:, -1]])
        elif kind < 0.9:
            anchor = int(random.integers(len(truth)))
            rows = np.array([*found.values(), *snapshot.neighbours[anchor]])[:SCREEN]
            found.setdefault(int(truth[anchor]), anchor)
        else:
            anchor, rows = int(random.integers(len(truth))), random.integers(0, len(truth), SCREEN)
        said = [
            (int(row), (truth[row] == truth[anchor]) != (random.random() < lies)) for row in np.unique(rows)
            if row != anchor
        ]  # fmt: skip
        ids = snapshot.ids
        yield [
            Statement(answer, int(ids[anchor]), int(ids[row]), Verdict.SAME if same else Verdict.DIFFERENT, "oracle")
            for row, same in said
        ]


def once(rule: Any, snapshot: Snapshot, graph: ConstraintGraph, wanted: int) -> tuple[float, float, float]:
    """Milliseconds for the belief alone, for the belief and `wanted` questions, and of the processor for both."""
    began, busy = time.perf_counter(), time.process_time()
    infer(snapshot, graph)
    believed = time.perf_counter()
    rule.propose(snapshot, graph, wanted)
    ended, worked = time.perf_counter(), time.process_time()
    return 1000 * (believed - began), 1000 * (ended - began), 1000 * (worked - busy)


def measured(
    rule: Any, snapshot: Snapshot, said: Iterator[list[Statement]], answers: int, given: Any
) -> dict[str, Any]:
    """Milliseconds after each of `given.rounds` new screens, and from the log alone."""
    log = [next(said)]
    while sum(map(len, log)) < answers:
        log.append(next(said))
    graph = ConstraintGraph.build(one for screen in log for one in screen)
    unseen = replace(snapshot)  # equal, but another object: nothing is remembered of it
    cold = once(rule, unseen, ConstraintGraph.build(graph.statements), given.questions)[1]
    times = []
    once(rule, snapshot, graph, given.questions)
    for _ in range(given.rounds):
        graph.update(next(said))
        times.append(once(rule, snapshot, graph, given.questions))
    believed, whole, busy = np.array(times).T
    return {
        "groups": infer(snapshot, graph).groups,
        "belief_ms": round(float(np.median(believed)), 1),
        "fresh_ms": round(float(np.median(whole)), 1),
        "fresh_p95_ms": round(float(np.quantile(whole, 0.95)), 1),
        "fresh_cpu_ms": round(float(np.median(busy)), 1),
        "cold_ms": round(cold, 1),
        "memory_mb": psutil.Process().memory_info().rss // 2**20,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--answers", type=int, nargs="+", default=[300, 1000, 3000], help="pair verdicts in the log")
    parser.add_argument("--rules", nargs="+", default=["pairwright", "mixed"])
    parser.add_argument("--questions", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=20, help="new screens that are timed")
    parser.add_argument("--lies", type=float, default=0.02)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    date = datetime.now(UTC).strftime("%Y-%m-%d")
    for items in given.items:
        snapshot, truth = collection(items, given.seed)
        for answers in given.answers:
            for name in given.rules:
                before, rule = machine(), plugins.load("oracle.acquisition", name, seed=given.seed)
                said = screens(snapshot, truth, given.lies, given.seed)
                found = measured(rule, snapshot, said, answers, given)
                line = {
                    "items": items, "answers": answers, "rule": name, **found,
                    "questions": given.questions, "rounds": given.rounds, "lies": given.lies, "seed": given.seed,
                    "threads": os.environ.get("OMP_NUM_THREADS", "all"), "date": date, "machine": before,
                }  # fmt: skip
                print({key: value for key, value in line.items() if key != "machine"}, flush=True)
                with (RESULTS / "propose.jsonl").open("a", encoding="utf-8") as out:
                    out.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
