"""Pantazis et al.: a picture attracts one taken in a like context, drawn anew each epoch; all others push.

    l_i = -log exp(<z_i, z_p(i)> / tau) / sum_{k != i} exp(<z_i, z_k> / tau)
    p(i) ~ softmax_j(-|c_i - c_j| / spread),     c: year, day of the year, time of the day, place

Family: attributes
Source: Pantazis, Brostow, Jones, Mac Aodha 2021, "Focus on the positives: self-supervised learning for biodiversity
monitoring", arXiv 2108.06435, section 3. Official code: omipan/camera_traps_self_supervised (not copied from).
Parts: two views, the second of the partner's picture; the encoder itself as target; both views of the batch as
candidates; own view and `context`; uniform negatives; contrast (self).
Needs: pictures with a time (--time-column); a place from --latitude-column or a column (`place=camera`).
Differs from the paper: see trainer/positives/context.py; one of its three losses, SimCLR's; AdamW.
Checked by: chances of the draw against the formula by plain loops; the contract of methods; benchmarks/sources.
"""

from dataclasses import dataclass

from oracle.bounds import Positive, Whole
from trainer.attributes import TIME
from trainer.objectives.contrast import Objective
from trainer.positives.context import PositiveSource as Context
from trainer.positives.own_view import PositiveSource as OwnView
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """place: column of the place, empty for latitude and longitude. time: column of the time. spread: temperature of
    the draw. temperature: tau > 0. seed: of the draws."""

    place: str = ""
    time: str = TIME
    spread: Positive = 0.05
    temperature: Positive = 0.2
    seed: Whole = 0

    def recipe(self) -> Recipe:
        positives = (OwnView(), Context(self.place, self.time, self.spread, seed=self.seed))
        return Recipe((Term(Objective(self.temperature, denominator="self"), positives=positives),))
