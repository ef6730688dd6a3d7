"""Logs of known truth to judge estimates on: the default rule asks, scripted oracles answer, wrong now and then.

The program's own loop without its database: questions come five at a time, every source is weighed as the log grows.
Several people ("0.02+0.1+0.2": how often each is wrong) answer screen by screen in turn, each with errors of their own.
Logs are kept as JSON, so that estimates can be judged again in minutes.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import adjusted_rand_score

from benchmarks.label_efficiency.oracle import Oracle
from benchmarks.label_efficiency.sets import LabelledSet
from db.nouns import Snapshot, Statement, Verdict
from oracle import plugins
from oracle.belief import infer
from oracle.constraints import ConstraintGraph
from oracle.truths import agreement
from oracle.weighing import Weigher
from trainer.snapshot import build

BATCH, EVERY = 5, 10  # screens proposed at once; screens between two points of the track


@dataclass(frozen=True)
class Log:
    """One run. truth: (N,) group by row. said: the answers. track: screens -> precision, recall, F1, ARI as they were
    on the screen then. noise: how often answers are wrong, as given; by person in `rates`."""

    set: str
    noise: str
    seed: int
    snapshot: Snapshot
    truth: np.ndarray
    said: list[Statement]
    track: dict[int, dict[str, float]]

    @property
    def rates(self) -> dict[str, float]:
        """How often everybody is wrong, by source."""
        return dict(people(self.noise))

    def until(self, screens: int) -> list[Statement]:
        """The answers up to this screen."""
        return [one for one in self.said if one.answer <= screens]


def people(noise: str) -> list[tuple[str, float]]:
    """Sources and how often each is wrong. One alone is called "oracle"."""
    rates = [float(one) for one in noise.split("+")]
    return [("oracle" if len(rates) == 1 else f"oracle-{place}", rate) for place, rate in enumerate(rates, 1)]


def log(data: LabelledSet, noise: str, seed: int, screens: int, items: int, cache: Path) -> Log:
    """The log of one run, from the cache or played anew. Each seed sees its own items of the set."""
    part = data.part(seed, min(1.0, items / len(data.truth)))
    snapshot = build(np.arange(1, len(part.truth) + 1), part.features, seed=seed)
    path = cache / f"{data.name}-{noise}-{seed}-{screens}-{items}.json"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        played = json.dumps(_played(part, snapshot, noise, seed, screens))
        path.with_suffix(".part").write_text(played, encoding="utf-8")
        path.with_suffix(".part").rename(path)
    kept = json.loads(path.read_text(encoding="utf-8"))
    said = [
        Statement(answer, a, b, Verdict(verdict), source, audit=audit, probability=probability)
        for answer, a, b, verdict, audit, probability, source in kept["said"]
    ]
    return Log(data.name, noise, seed, snapshot, part.truth, said, {int(at): one for at, one in kept["track"].items()})


def _played(part: LabelledSet, snapshot: Snapshot, noise: str, seed: int, screens: int) -> dict[str, Any]:
    """Ask with the default rule until the screens are used up, the graph weighed as in the program."""
    graph, weigher, all_ = ConstraintGraph(), Weigher(), people(noise)
    oracles = [(source, Oracle(part.truth, rate, seed + 1000 * place)) for place, (source, rate) in enumerate(all_)]
    rule = plugins.load("oracle.acquisition", "mixed", seed=seed)
    said: list[Statement] = []
    track = {0: scores(part.truth, snapshot.start)}
    answer = 0
    while answer < screens and (asked := rule.propose(snapshot, graph, min(BATCH, screens - answer))):
        for one in asked:
            source, oracle = oracles[answer % len(oracles)]
            answer += 1
            new = [
                Statement(answer, a, b, Verdict.SAME if oracle.same(a - 1, b - 1) else Verdict.DIFFERENT, source,
                          audit=one.audit, probability=one.probability)
                for a, b in one.pairs()
            ]  # fmt: skip
            said += new
            graph.update(new)
        weigher.refresh(graph)
        if answer % EVERY == 0:
            track[answer] = scores(part.truth, infer(snapshot, graph).labels)
    rows = [(one.answer, one.a, one.b, str(one.verdict), one.audit, one.probability, one.source) for one in said]
    return {"said": rows, "track": track}


def scores(truth: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Precision, recall and F1 over all pairs, and the ARI, of a partition."""
    precision, recall, f1 = agreement(truth, labels)
    return {"precision": precision, "recall": recall, "f1": f1, "ari": float(adjusted_rand_score(truth, labels))}
