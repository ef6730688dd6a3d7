"""What the rules share: who may still be asked about, how a question on words is put."""

from collections.abc import Iterable

import numpy as np

from db.nouns import Kind, Question
from oracle.ledger import Fits, Ledger

PATIENCE = 3  # so many silent answers, or votes, and nobody is asked about these words any more
BY_CHANCE = "Drawn by chance, to see how many are left."


def fresh(fits: Fits, ledger: Ledger) -> list[int]:
    """Items nobody has said anything about, by id."""
    return [item for item in sorted(fits.texts) if item not in ledger.votes and item not in ledger.silent]


def put(fits: Fits, ledger: Ledger, item: int, *, criterion: int, proposer: str, reason: str, probability: float = 1.0,
        audit: bool = False) -> Question:  # fmt: skip
    """A question on the words of one item."""
    return Question(
        criterion, Kind.CAPTION, item, (), proposer, probability=max(probability, 1e-300), audit=audit,
        version=fits.version, expected=(ledger.chance(item, fits.of(item)),), reason=reason, text=fits.texts[item],
    )  # fmt: skip


def drawn(fits: Fits, ledger: Ledger, n: int, seed: int, *, criterion: int, proposer: str, audit: bool = False,
          share: float = 1.0, apart: Iterable[int] = ()) -> list[Question]:  # fmt: skip
    """Up to n items nobody has said anything about, uniformly. share: chance of such a draw; part of what is stored."""
    beside = set(apart)
    left = [item for item in fresh(fits, ledger) if item not in beside]
    random = np.random.default_rng([seed, ledger.size, int(audit)])
    order = random.permutation(len(left))[:n]
    return [
        put(fits, ledger, left[at], criterion=criterion, proposer=proposer, reason=BY_CHANCE, audit=audit,
            probability=share / (len(left) - number))
        for number, at in enumerate(order.tolist())
    ]  # fmt: skip
