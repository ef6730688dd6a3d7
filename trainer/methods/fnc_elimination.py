"""FNC elimination: keys that look like support views of the anchor are taken for false negatives and push no more.

    score_ij = max_v <v, c_j> over the support views v of i;   F_i = the 10 highest above .7;   w = 0 on F_i

Family: removal of false negatives
Source: Huynh, Kornblith, Walter, Maire, Khademi 2022, "Boosting contrastive self-supervised learning with false
negative cancellation", arXiv 2011.11765, sections 3.1 and 3.2. Official code: google-research/fnc.
Parts: two views and support views; the encoder itself as target; both views of the batch as candidates; own view;
negatives `fnc` (eliminate); contrast (all).
Needs: pictures.
Differs from the paper: candidates are the batch of 256, not 4,096; 2 support views in place of 8, without gradient,
and the two views of the batch with them.
Checked by: reference values, detection against loops; the contract of methods.
"""

from dataclasses import dataclass

from oracle.bounds import Cosine, Positive, Whole
from trainer.negatives.fnc import NegativePolicy
from trainer.objectives.contrast import Objective
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """most, cutoff: how many keys an anchor may take for false negatives, and from which cosine. support: further views
    of each picture. views: 'max' or 'mean' over the views of a picture. temperature: tau > 0."""

    most: int = 10
    cutoff: Cosine = 0.7
    support: Whole = 2
    views: str = "max"
    temperature: Positive = 0.2

    def recipe(self) -> Recipe:
        policy = NegativePolicy(self.most, self.cutoff, "eliminate", self.views)
        return Recipe((Term(Objective(self.temperature, denominator="all"), policy),), support=self.support)
