"""What a criterion's answers add to any recipe: who meets in a batch, who attracts, who is a confirmed negative.

Answers attract (positives `must_links`), confirmed negatives go into their own stratum (`obey`), audits correct the
chances of open pairs, and a share of each batch is drawn from answered items and their partners, because two random
items have almost never been asked about. Where nothing repels (`align`, `decorrelate`), a term of its own lets the
answers push.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from db.errors import BadInput
from db.nouns import Snapshot
from oracle.belief import Belief, infer
from oracle.constraints import ConstraintGraph
from trainer.auditing import audited
from trainer.batches import Knowledge
from trainer.feedback_pool import partners
from trainer.objectives.answers import Objective as Answers
from trainer.positives.must_links import PositiveSource as MustLinks
from trainer.positives.own_view import PositiveSource as OwnView
from trainer.recipe import Curation, Term

POSITIVES: tuple[Curation, ...] = (MustLinks(),)


class Overlay:
    """The belief that follows from a snapshot and the answers, over rows of the items being trained on.

    ids: (N,) int64 rising, of those items, all of them in the snapshot. emphasis: weight of a confirmed negative.
    """

    emphasis: ClassVar[float] = 2.0

    def __init__(self, snapshot: Snapshot, graph: ConstraintGraph, ids: np.ndarray, device: torch.device) -> None:
        self.belief: Belief = infer(snapshot, graph)
        self.knowledge = Knowledge.of(self.belief, device, graph, audited(snapshot, graph, device))
        place = np.searchsorted(snapshot.ids, ids).clip(0, max(len(snapshot.ids) - 1, 0))
        if (snapshot.ids[place] != ids).any():
            raise BadInput("every item must be in the snapshot that says what is known, and some are not.")
        self._place = torch.from_numpy(place).to(device)
        self._row = np.full(len(snapshot.ids), -1)
        self._row[place] = np.arange(len(ids))
        self._placed = np.flatnonzero(self.belief.member >= 0)

    def about(self, rows: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
        """(R, O) chance that they belong together, and (R, O) int8 what was said: +1, -1 or 0."""
        one, other = self._place[rows], self._place[others]
        return self.knowledge.same(one, other), self.knowledge.said(one, other)

    def rows(self, batch: np.ndarray, size: int, seed: tuple[int, ...]) -> np.ndarray:
        """At most `size` distinct rows that answers placed, each as likely as any other; where one meets nobody it was
        asked about with, a partner of its own comes in the place of another. The same seed gives the same rows."""
        random = np.random.default_rng(seed)
        drawn = random.permutation(self._placed)[:size]
        met = np.union1d(drawn, self._place.cpu().numpy()[batch])
        lonely = drawn[self.knowledge.direct[drawn][:, met].getnnz(axis=1) == 0][: size // 2]
        company = partners(self.knowledge, lonely, len(lonely), random)
        others = np.setdiff1d(drawn, np.union1d(lonely, company))
        kept = self._row[np.concatenate([lonely, company, random.permutation(others)])[:size]]
        return np.sort(kept[kept >= 0])

    def partners(self, batch: np.ndarray, limit: int, seed: tuple[int, ...]) -> np.ndarray:
        """At most `limit` rows outside the batch that some answer names together with a row of it."""
        place = self._place.cpu().numpy()[batch]
        kept = self._row[partners(self.knowledge, place, limit, np.random.default_rng(seed))]
        return kept[kept >= 0]


def overlaid(terms: Sequence[Term], feedback: float) -> list[Term]:
    """The terms with must-links among their positives. Where none of them repels, one more of weight `feedback`, on z
    itself: what answers say is about the embedding, not about what predicts it."""
    ours = [replace(term, positives=(*term.positives, *POSITIVES)) for term in terms]
    if feedback == 0 or any(getattr(term.objective, "repels", True) for term in terms):
        return ours
    return [*ours, Term(Answers(), positives=(OwnView(), *POSITIVES), weight=feedback, matches=terms[0].matches)]


def nothing(rows: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """The same without a criterion: nobody said anything."""
    shape, device = (len(rows), len(others)), rows.device
    return torch.zeros(shape, device=device), torch.zeros(shape, dtype=torch.int8, device=device)
