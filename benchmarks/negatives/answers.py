"""500 scripted answers: attraction of false negatives by answers against the same training without answers.

    train without answers -> ask about that embedding -> train anew from the same start, answers attract and confirm

An answer is one event of the log: a screen of up to twelve candidates, or a single pair.
"""

from typing import Any

import numpy as np
import torch

from benchmarks.negatives.pictures import PictureSet
from benchmarks.negatives.trial import Budget, accuracy, taught
from db.nouns import Snapshot, Statement, Verdict
from oracle import plugins
from oracle.constraints import ConstraintGraph
from trainer.overlay import Overlay
from trainer.snapshot import build

ANSWERS = 500
AT_ONCE = 10  # questions between two looks at the answers
SCREENS = {"screens": 12, "pairs": 1}


def experiment(system: str, pictures: PictureSet, seed: int, budget: Budget, kind: str) -> dict[str, Any]:
    """Accuracy with and without the answers, from the same seed. kind: screens or pairs."""
    before, _ = taught(system, pictures, seed, budget)
    ids = np.arange(len(pictures.labels))
    snapshot = build(ids, before.embed(), seed=seed)
    graph = asked(snapshot, pictures.labels, seed, SCREENS[kind])
    overlay = Overlay(snapshot, graph, ids, torch.device("cpu"))
    after, _ = taught(system, pictures, seed, budget, overlay)
    said = [one.verdict is Verdict.SAME for one in graph.statements]
    member = overlay.belief.member >= 0
    return {
        "experiment": f"answers:{kind}", "system": system, "set": pictures.name, "seed": seed, "answers": ANSWERS,
        "verdicts": len(said), "same": sum(said), "placed": int(member.sum()), "steps": after.done,
        "without": accuracy(before, pictures), "with": accuracy(after, pictures),
    }  # fmt: skip


def asked(snapshot: Snapshot, labels: np.ndarray, seed: int, screen: int) -> ConstraintGraph:
    """The graph after ANSWERS truthful answers to what the default acquisition asks. ids are rows of labels."""
    acquisition = plugins.load("oracle.acquisition", "pairwright", seed=seed, screen=screen)
    graph, answers = ConstraintGraph(), 0
    while answers < ANSWERS:
        questions = acquisition.propose(snapshot, graph, min(AT_ONCE, ANSWERS - answers))
        if not questions:
            break
        for question in questions:
            answers += 1
            for a, b in question.pairs():
                verdict = Verdict.SAME if labels[a] == labels[b] else Verdict.DIFFERENT
                graph.add(Statement(answers, a, b, verdict, "oracle"))
    return graph
