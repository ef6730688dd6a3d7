"""CiT: of many pairs, a step learns from those whose words are near the name of a class that the run is for.

    keep i  where  max_c <t_i, m_c> > threshold,    L = mean_i -log softmax_j(s <z_i, t_j>)_i

Family: curation in training
Source: Xu, Xie, Po-Yao Huang, Yu, Howes, Ghosh, Zettlemoyer, Feichtenhofer 2023, "CiT: curation in training for
effective vision-language data", arXiv 2301.02241, section 3 and algorithm 1. Official code: facebookresearch/CiT.
Parts: as clip, from pictures to words only; selector metadata_similarity.
Needs: pictures with words in a column of the metadata (`text`), and names of classes: a column `label`, or
`--set selector.names=apple,pear`. `tower` reads both, `minilm` by meaning (pip install 'pairwright[methods]'); by the
letters of `ngrams` cosines are lower, so say `--set selector.threshold=.2`.
Differs from the paper: the tower for words is frozen instead of that for pictures (`--set trainable=frozen` holds that
still, too), so it does not have to look again every hundred steps; every batch looks at a super-batch of its own.
Checked by: plain loops; the contracts of methods and selectors; docs/benchmarks/curation.md.
"""

from dataclasses import dataclass, replace

from oracle.bounds import Positive
from trainer.methods.clip import Method as Clip
from trainer.modalities import PICTURE, WORDS
from trainer.recipe import Recipe
from trainer.selectors.metadata_similarity import Selector


@dataclass(frozen=True)
class Method:
    """text: the column of the words. tower: who reads them, a file of trainer/towers. temperature: where tau starts,
    > 0. label: the column of the names of the classes."""

    text: str = "caption"
    tower: str = "ngrams"
    temperature: Positive = 0.07
    label: str = "label"

    def recipe(self) -> Recipe:
        plain = Clip(self.text, self.tower, self.temperature).recipe()
        return replace(plain, matches=((PICTURE, WORDS),), selector=Selector(column=self.label))
