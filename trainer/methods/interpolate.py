"""Feature-level interpolation: the key that pulls lies between the own view and a neighbour's. No picture is made.

    l_i = -log exp(<z_i, c_i> / tau) / (exp(<z_i, c_i> / tau) + sum_k exp(<z_i, c_k> / tau))
    c_i = normalise(a z_i' + (1 - a) z_n(i)'),   a ~ U(least, 1)       n(i): a must-link, else the nearest other item

Family: synthetic positives
Source: Zhu, Zhao, Liu, Sun, Chen 2021, "Improving contrastive learning by visualizing feature transformation", arXiv
2108.02982, section 4. Official code: DTennant/CL-Visualizing-Feature-Transformation (not copied from).
Parts: two views; moving average as target; a queue as candidates; `interpolated`; uniform negatives; contrast (self).
Needs: pictures. Answers name the neighbour (must-links), and refuse one (cannot-links).
Differs from the paper: it extrapolates between two views of one picture and interpolates negatives; here the positive
moves towards another item, by at most half the way.
Checked by: mixed keys against a plain loop; answers that name or refuse a neighbour; the contracts of methods and
positives.
"""

from dataclasses import dataclass
from typing import Annotated

from oracle.bounds import Bounds, Fraction, Positive, Whole
from trainer.objectives.contrast import Objective
from trainer.positives.interpolated import PositiveSource as Interpolated
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """least: smallest share of the own key. temperature: tau > 0. momentum: m of the target. queue: keys kept. seed: of
    the shares."""

    least: Annotated[float, Bounds(0, 1, above=True)] = 0.5
    temperature: Positive = 0.2
    momentum: Fraction = 0.99
    queue: Whole = 1024
    seed: Whole = 0

    def recipe(self) -> Recipe:
        source = Interpolated(seed=self.seed, least=self.least)
        term = Term(Objective(self.temperature, denominator="self"), positives=(source,))
        return Recipe((term,), momentum=self.momentum, both_views=False, queue=self.queue, batch_pushes=False)
