"""CLSP: SimCLR, and a term that pulls each picture to one that a diffusion model made of it.

    L = SimCLR(z_0, z_1)  +  synthetic  mean_i (2 - 2 <z_1i, z_si>)       z_s: of the generated picture of item i

Family: synthetic positives
Source: Zeng, Wu, Hu, Xu, Shi 2024, "Contrastive learning with synthetic positives" (CLSP), arXiv 2408.16965, equation
4. Official code: dewenzeng/clsp (no licence, not copied from).
Parts: two views, a third of the generated picture; the encoder itself as target; both views of the batch as candidates;
own view, and `generated` in a term of its own; uniform negatives; contrast (self) and align.
Needs: synthetic pictures that an oracle accepted: `pairwright synthetic make clsp`, then the Compare screen or
`pairwright synthetic judge`. `use=proposed` takes those that nobody has judged, too; rejected ones are never used.
Differs from the paper: pictures without an accepted one are in SimCLR's term alone; temperature .2; a small generator
(trainer/generators/clsp.py).
Checked by: both terms against plain loops; rejected pictures never seen; the contract of methods; benchmarks/synthetic.
"""

from dataclasses import dataclass

from oracle.bounds import Positive, Weight, Whole
from trainer.generated import ThirdView
from trainer.objectives.align import Objective as Align
from trainer.objectives.contrast import Objective as Contrast
from trainer.positives.generated import PositiveSource as FromGenerator
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """temperature: tau > 0. synthetic: weight of the pull to the generated picture, >= 0. use: accepted, or proposed to
    take pictures nobody has judged, too. seed: of the draws among the pictures of an item."""

    temperature: Positive = 0.2
    synthetic: Weight = 1.0
    use: str = "accepted"
    seed: Whole = 0

    def recipe(self) -> Recipe:
        source = FromGenerator(self.use, seed=self.seed)
        simclr = Term(Contrast(self.temperature, denominator="self"))
        pull = Term(Align(), positives=(source,), weight=self.synthetic, beside=True)
        return Recipe((simclr, pull), both_views=True, look=ThirdView(source))
