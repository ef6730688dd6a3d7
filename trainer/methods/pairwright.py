"""Pairwright: views tell pictures apart, answers tell kinds apart, and what is likely the same does not push.

    L = mean_i l_i + gather mean_j (1 - cos(mu_j, y_j))        j: what an answer joins to another; y: features
    l_i = sum_p pi_ip (log Z_i - <z_i, z_p> / tau),    Z_i = sum_k e^{<z_i, z_k> / tau} (p in it)
    pi_ip ~ own for the own view, p(same) for must-links, weight p(same) for likely members
    w_ik = 1 - p(same) for what nobody was asked about, 2 for cannot-links;    mu_j: running mean of j's group

Family: ours
Source: our own, of known parts: Chen et al. 2020, SimCLR, arXiv 2002.05709; Khosla et al. 2020, SupCon, arXiv
2004.11362, equation 2; Huynh et al. 2022, FNC, arXiv 2011.11765; Iscen et al. 2019, label propagation, arXiv
1904.04717; Ghose et al. 2022, the running mean of what a person picked.
Parts: two views; the encoder itself as target; both views of the batch as candidates; own view, must-links and items
the belief is nearly sure of; soft elimination; contrast (all); objective `human` on the features; nine tenths of a
batch from answered items.
Needs: pictures; the answers of a criterion, without which it is SimCLR with its own step size.
Differs from the paper: the own view weighs `own` times a must-link, because answers alone teach a small network to tell
these pictures apart and no others (docs/benchmarks/methods.md); p(same) is that of the partition and the audits;
what is alike gathers in the features themselves, which are what neighbours and groups are read off, beside the
contrast that a head sees.
Status: our own.
Checked by: reference values of the loss and its parts; how every answer enters; the contract of methods.
"""

from dataclasses import dataclass
from typing import Annotated

from oracle.bounds import Bounds, Positive, Weight
from trainer.negatives.soft_elimination import NegativePolicy
from trainer.objectives.contrast import Objective
from trainer.objectives.human import Objective as Human
from trainer.positives.own_view import PositiveSource as OwnView
from trainer.positives.pseudo_members import PositiveSource as PseudoMembers
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """temperature: tau > 0. own: weight of the own view beside a must-link's, > 0. cutoff: chance of belonging together
    from which an item that nobody asked about pulls, in (.5, 1). weight: of its pull. sharpness: exponent of
    1 - p(same), > 0. gather: weight of what pulls features to the mean of their group, >= 0."""

    temperature: Positive = 0.3
    own: Positive = 3.0
    cutoff: Annotated[float, Bounds(0.5, 1, above=True, below=True)] = 0.9
    weight: Weight = 0.3
    sharpness: Positive = 1.0
    gather: Weight = 0.5

    def recipe(self) -> Recipe:
        positives = (OwnView(self.own), PseudoMembers(self.cutoff, self.weight))
        contrast = Term(Objective(self.temperature), NegativePolicy(self.sharpness), positives)
        gather = (Term(Human(), weight=self.gather),) if self.gather else ()
        return Recipe((contrast, *gather), rate=3e-3, answered=0.9)
