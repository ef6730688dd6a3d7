"""CPC: from the upper patches of a picture predict the lower ones, among all patches of the batch.

    L = - mean_k log exp(<z_{r+k,u}, W_k c_{r,u}> / tau) / sum_j exp(<z_j, W_k c_{r,u}> / tau)     c: GRU down to row r

Family: sequences
Source: Oord, Li, Vinyals 2018, "Representation learning with contrastive predictive coding", arXiv 1807.03748,
equation 4 and section 3.3. No official code.
Parts: one view, cut into overlapping patches; the encoder itself as target; every patch of the batch as candidates; the
patch at the predicted place; uniform negatives; contrast (self); a predictor with the context.
Needs: pictures, of 16 pixels at least. A must-link makes both pictures' patches at one place positives; a cannot-link
makes each patch of the other picture a confirmed negative.
Differs from the paper: 3 x 3 patches of half the side in place of 7 x 7; the context of a patch is its column, by a
GRU, in place of a PixelCNN over the whole rows above; cosines with a temperature in place of raw products; batch
normalisation stays. What people use afterwards is the feature of the whole picture.
Checked by: plain loops, values and gradients; the contract of methods.
"""

from dataclasses import dataclass
from typing import Annotated

from oracle.bounds import Bounds, Count, Positive
from trainer.objectives.contrast import Objective
from trainer.patches import Below, Patches
from trainer.recipe import Recipe, Term
from trainer.views import Views


@dataclass(frozen=True)
class Method:
    """temperature: tau > 0. grid: patches a side. share: of the picture's side that a patch has. ahead: how many rows
    further down are predicted."""

    temperature: Positive = 0.1
    grid: Count = 3
    share: Annotated[float, Bounds(0, 1, above=True)] = 0.5
    ahead: Count = 2

    def recipe(self) -> Recipe:
        patches = Patches(self.grid, self.share, self.ahead)
        term = Term(Objective(self.temperature, denominator="self"), predictor=0)
        return Recipe((term,), both_views=False, views=(Views(area=0.5),), predictors=(Below(patches),), look=patches)
