"""Panambur et al.: clusters of texture are pseudo-labels; a picture must be nearer to its cluster than to the others.

    L = mean |z_i - z_p| - |z_i - z_n| + margin  over the negatives n that violate it       p: of the cluster of i

Family: positives from clusters
Source: Panambur, Chakraborty, Meyer, Milliken, Learned-Miller, Parente 2022, "Self-supervised learning to guide
scientifically relevant categorization of Martian terrain images", arXiv 2204.09854, section 3. Official code:
TejasPanambur/mastcam (not copied from).
Parts: one crop of a picture and one of its partner's; the encoder itself as target; both of the batch as candidates;
own view and `texture`; uniform negatives; triplet; anchors drawn evenly over the clusters.
Needs: pictures, whose kinds differ by their surface more than by their shape. No metadata.
Differs from the paper: textures by an encoding layer on patches of grey values, found without labels, which the
embedding joins as training goes on (trainer/texture.py, trainer/positives/texture.py); the mean over violating
negatives in place of a random one; a batch is pairs of a cluster, where the paper has several of each.
Checked by: plain loops and pytorch-metric-learning, values and gradients; the contract of methods; benchmarks/sources.
"""

from dataclasses import dataclass

from oracle.bounds import Count, Weight, Whole
from trainer.objectives.triplet import Objective
from trainer.positives.own_view import PositiveSource as OwnView
from trainer.positives.texture import PositiveSource as Texture
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """clusters: of texture, at most. words: of the texture encoding. margin: of the triplets. seed: of all draws."""

    clusters: int = 150
    words: Count = 16
    margin: Weight = 0.2
    seed: Whole = 0

    def recipe(self) -> Recipe:
        positives = (OwnView(), Texture(self.clusters, self.words, seed=self.seed))
        return Recipe((Term(Objective(self.margin), positives=positives),))
