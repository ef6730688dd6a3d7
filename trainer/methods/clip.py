"""CLIP: a picture and the words beside it attract each other, the words and pictures of the batch's others push.

    L = 1/2 mean_i [ -log softmax_j(s <z_i, t_j>)_i - log softmax_j(s <t_i, z_j>)_i ],    s = 1 / tau learnt

Family: cross-modal
Source: Radford et al. 2021, "Learning transferable visual models from natural language supervision", arXiv 2103.00020,
figure 3 and section 2.3. Official code: openai/CLIP.
Parts: one view of the picture, and its words; two encoders, the one for words a head on a tower; the batch as
candidates, both directions; own words; uniform negatives; contrast (all) with a learnt temperature.
Needs: pictures with words in a column of the metadata. `text` names the column, `tower` who reads it: `ngrams` by its
letters, `minilm` by its meaning, hf:OWNER/MODEL as that model does (pip install 'pairwright[methods]'), each frozen;
`subwords` is a small transformer that learns from nothing, and `words.train=true` lets a minilm or hf tower learn, too.
Differs from the paper: by default the tower is frozen and a head of two layers learns on top; equal words are one text,
which belongs to all pictures that have it; batches of 256.
Checked by: plain loops, values and gradients; the contract of methods.
"""

from dataclasses import dataclass

from oracle.bounds import Positive
from trainer.modalities import BOTH_WAYS, Words, WordsHead
from trainer.objectives.contrast import Objective
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """text: the column of the words. tower: who reads them, a file of trainer/towers. temperature: where tau starts,
    > 0."""

    text: str = "caption"
    tower: str = "ngrams"
    temperature: Positive = 0.07

    def recipe(self) -> Recipe:
        words = Words(self.text, self.tower)
        head = WordsHead(words, self.temperature)
        term = Term(Objective(1.0))
        return Recipe((term,), both_views=False, matches=BOTH_WAYS, predictors=(head,), look=words)
