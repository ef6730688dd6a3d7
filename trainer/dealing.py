"""Batches to compare methods on, each with a part of the answers hidden: what is hidden judges what is created.

    answers, dealt into rounds -> round k: a batch that knows all answers but those of hand k

A method that sees every answer is always right about the pairs they settle, so these would say nothing about it.
Answers put aside for audits are hidden in every round, as they are in training.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from db.nouns import Snapshot, Statement
from oracle.constraints import ConstraintGraph
from oracle.weighing import weighed_graph
from trainer.attributes import Attributes
from trainer.comparing import Sample, sample
from trainer.overlay import Overlay, nothing
from trainer.promotion import split

ROUNDS = 4
ENOUGH = 8  # answers; fewer are all hidden


def dealt(
    snapshot: Snapshot, said: Sequence[Statement], *, size: int, seed: int, rounds: int = ROUNDS, progress: float = 0.5,
    attributes: Attributes | None = None,
) -> Iterator[tuple[Sample, ConstraintGraph]]:  # fmt: skip
    """For each round a batch, and the graph of the answers it knows. Half of a batch are items with answers.

    attributes: metadata of the items of the snapshot, for sources that pair by it.
    """
    learnt = split(said)[0]
    hand = _hands(learnt, rounds, seed)
    place = snapshot.position
    answered = np.array(sorted({place[item] for one in said for item in (one.a, one.b) if item in place}), np.int64)
    for number in range(rounds):
        kept = [one for one in learnt if hand.get(one.answer, number) != number]
        graph = weighed_graph(kept)
        about = Overlay(snapshot, graph, snapshot.ids, torch.device("cpu")).about if kept else nothing
        mixed = int(np.random.SeedSequence((seed, number)).generate_state(1)[0])
        yield (
            sample(
                snapshot.vectors,
                snapshot.ids,
                about,
                answered=answered,
                size=size,
                seed=mixed,
                progress=progress,
                attributes=attributes,
            ),
            graph,
        )


def _hands(said: Sequence[Statement], rounds: int, seed: int) -> dict[int, int]:
    """Which round hides an answer; with few answers none is dealt, so that every round hides them all."""
    answers = sorted({one.answer for one in said})
    if len(answers) < ENOUGH:
        return {}
    order = np.random.default_rng(seed).permutation(len(answers))
    return {answers[place]: number % rounds for number, place in enumerate(order.tolist())}
