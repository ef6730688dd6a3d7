"""Contrast the other way round: every key looks for its anchor among the anchors of the batch.

    L = mean over keys with a positive of L_j,    L_j = sum_i pi_ij (log D_ij - s_ij),    s_ij = <p_i, c_j> / tau
    D_ij = exp(s_ij) + sum_k w_kj exp(s_kj)

With one anchor a key this is the cross entropy of an N x N table of two different views: no key meets keys, no anchor
meets anchors. (NT-Xent of the same rows counts these 2N - 2 as negatives too, which is another and larger number.)

Source: Dwibedi, Aytar, Tompson, Sermanet, Zisserman 2021, NNCLR, arXiv 2104.14548, equation 2: the neighbour is what is
asked for, the predictions of the batch are what it is compared with.
Differs from the paper: weights per pair; what answers hold apart pushes with their weight. What some negative policies
add for each anchor (synthetic columns, debiasing) has no meaning here and is left out.
"""

from dataclasses import dataclass

from torch import Tensor

from db.errors import BadInput
from oracle.bounds import Positive
from trainer.objectives.contrast import Objective as Contrast
from trainer.pool import Pool


@dataclass(frozen=True)
class Objective:
    """temperature: tau > 0."""

    temperature: Positive = 0.1

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise BadInput(f"temperature > 0 expected, got {self.temperature}. Usual values are .05 to .5.")

    def __call__(self, pool: Pool) -> Tensor:
        """Returns: () in nats. Exactly 0 where no key has an anchor."""
        return Contrast(self.temperature, denominator="self")(turned(pool))


def turned(pool: Pool) -> Pool:
    """The same pairs with keys in the place of anchors, as far as the plain loss reads them: keys that pull nobody have
    no loss."""
    pulling = (pool.pos > 0).any(0).nonzero()[:, 0]
    wide = (pool.pos, pool.neg, pool.confirmed, pool.same, pool.said)
    pos, neg, confirmed, same, said = (one.T.index_select(0, pulling) for one in wide)
    return Pool(
        pool.keys[pulling], pool.anchors, pool.key_ids[pulling], pool.anchor_ids, pos, neg, confirmed, same, said
    )  # fmt: skip
