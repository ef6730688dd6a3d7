"""Ayush et al.: another picture of the same place attracts, and the picture must tell where in the world it was taken.

    L = -log exp(<q, k+> / tau) / (exp(<q, k+> / tau) + sum_{k in queue} exp(<q, k> / tau))  -  log g(x)[y]
    k+: key of a picture of the place at another time       y: which of the k-means clusters of latitude and longitude

Family: attributes
Source: Ayush, Uzkent, Meng, Tanmay, Burke, Lobell, Ermon 2021, "Geography-aware self-supervised learning", arXiv
2011.09980, sections 4.1 to 4.3. Official code: sustainlab-group/geography-aware-ssl (not copied from).
Parts: two views with blur, the second of a picture of the place at another time; moving average as target; the queue as
candidates; own view and `attribute`; uniform negatives; contrast (self). Beside it a second head on the features and
the objective `places`.
Needs: pictures with latitude and longitude (--latitude-column, --longitude-column). `by=place~100m+!date` asks for
another date, too. Pictures alone at their place keep their own view, as in the paper.
Differs from the paper: as `moco_v2` does; a temperature of .1 in place of .02, and a place is what is within 100 m,
where its satellite pictures come in stacks; the head that tells the place is two layers on the features, in place of
one. Earlier keys of the partner in the queue pull with it.
Checked by: both terms against plain loops; draws against all pairs; the contract of methods; benchmarks/sources.
"""

from dataclasses import dataclass

from oracle.bounds import Fraction, Positive, Weight, Whole
from trainer.objectives.contrast import Objective
from trainer.objectives.places import Objective as Places
from trainer.positives.attribute import PositiveSource as Attribute
from trainer.positives.own_view import PositiveSource as OwnView
from trainer.recipe import Recipe, Term
from trainer.views import Views


@dataclass(frozen=True)
class Method:
    """by: the rule of one place. balance: a column whose values weigh the same. clusters: parts of the world.
    geography: weight of telling them, 0 for none. temperature: tau > 0. momentum: m of the target. queue: keys kept.
    blur: chance of it. seed: of the draws and of k-means."""

    by: str = "place~100m"
    balance: str = ""
    clusters: int = 100
    geography: Weight = 1.0
    temperature: Positive = 0.1
    momentum: Fraction = 0.99
    queue: Whole = 1024
    blur: float = 0.5
    seed: Whole = 0

    def recipe(self) -> Recipe:
        view, source = Views(blur=self.blur), Attribute(self.by, self.balance, others="push", seed=self.seed)
        contrast = Term(Objective(self.temperature, denominator="self"), positives=(OwnView(), source))
        places = Term(Places(self.clusters, self.seed), weight=self.geography)
        terms = (contrast, places) if self.geography else (contrast,)
        return Recipe(
            terms, momentum=self.momentum, both_views=False, queue=self.queue, batch_pushes=False, views=(view, view),
            groups=self.clusters if self.geography else 0,
        )  # fmt: skip
