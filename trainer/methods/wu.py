"""Wu et al.: two views of a picture and two of one that a generator made of it are four positives.

    L = - mean over views v of item i  mean over the other three v'  log exp(s_vv') / (exp(s_vv') + sum_k exp(s_vk))
    s = cosine / tau        k: views of other items

Family: synthetic positives
Source: Wu, Wang, Zeng, Shi, Hu 2023, "Synthetic data can also teach: synthesizing effective data for unsupervised
visual representation learning", AAAI, arXiv 2202.06464. No public code was found.
Parts: two views each of the picture and of the generated one; the encoder itself as target; all of the batch as
candidates; own views and `generated`; uniform negatives; contrast (self).
Needs: synthetic pictures that an oracle accepted: `pairwright synthetic make wu`, then the Compare screen or
`pairwright synthetic judge`. `use=proposed` takes those that nobody has judged, too; rejected ones are never used.
Differs from the paper: its equations could not be read, only its abstract and a summary of one figure. There both
pictures of a pair are generated while the encoder learns; here the game is played before, with an encoder of its own
(trainer/generators/wu.py says what was chosen), an oracle judges what came of it, and a pair is a picture and what was
made of it. A picture without one has four views of its own.
Checked by: the loss against plain loops; rejected pictures never seen; the contract of methods; benchmarks/synthetic.
"""

from dataclasses import dataclass

from oracle.bounds import Positive, Whole
from trainer.generated import FourViews
from trainer.objectives.contrast import Objective
from trainer.positives.generated import PositiveSource as FromGenerator
from trainer.positives.own_view import PositiveSource as OwnView
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """temperature: tau > 0. use: accepted, or proposed to take pictures nobody has judged, too. seed: of the draws
    among the pictures of an item."""

    temperature: Positive = 0.2
    use: str = "accepted"
    seed: Whole = 0

    def recipe(self) -> Recipe:
        source = FromGenerator(self.use, seed=self.seed)
        term = Term(Objective(self.temperature, denominator="self"), positives=(OwnView(), source))
        return Recipe((term,), both_views=True, look=FourViews(source))
