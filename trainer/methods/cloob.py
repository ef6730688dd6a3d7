"""CLOOB: as CLIP, but pictures and words are compared by what the batch's memory says they are like.

    L = tau * sum over both directions of InfoLOOB(U(x), U(y)) / 2,    U(x) = softmax(beta x M^T) M of length 1

Family: cross-modal
Source: Fürst et al. 2022, "CLOOB: modern Hopfield networks with InfoLOOB outperform CLIP", arXiv 2110.11316, equations
3 to 7. Official code: ml-jku/cloob.
Parts: one view of the picture, and its words; two encoders, the one for words a head on a tower; the batch as
candidates, both directions; own words; uniform negatives, the positive left out; hopfield.
Needs: pictures with words in a column of the metadata. `text` names the column, `tower` who reads it: `ngrams` by its
letters, `minilm` by its meaning, hf:OWNER/MODEL as that model does (pip install 'pairwright[methods]'), each frozen;
`subwords` is a small transformer that learns from nothing, and `words.train=true` lets a minilm or hf tower learn, too.
Differs from the paper: tau = .1 in place of 1/30, which hardly moves within runs of this length; the tower is frozen by
default; the mean over both directions in place of their sum; equal words are one text; batches of 256.
Checked by: plain loops, values and gradients; the contracts of objectives and methods.
"""

from dataclasses import dataclass

from oracle.bounds import Positive
from trainer.modalities import BOTH_WAYS, Words, WordsHead
from trainer.objectives.hopfield import Objective
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """text: the column of the words. tower: who reads them, a file of trainer/towers. temperature: tau > 0, fixed.
    beta: of the retrieval, > 0."""

    text: str = "caption"
    tower: str = "ngrams"
    temperature: Positive = 0.1
    beta: Positive = 8.0

    def recipe(self) -> Recipe:
        words = Words(self.text, self.tower)
        term = Term(Objective(self.temperature, self.beta))
        head = WordsHead(words)
        return Recipe((term,), both_views=False, matches=BOTH_WAYS, predictors=(head,), look=words)
