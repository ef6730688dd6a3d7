"""What the reference model finds easy: the learner is taught what a better model is sure of.

    s = - loss of the reference,    p(i) ~ exp(s_i given those already chosen)

The learner does not have to be asked, so a step costs no more than without. Words that do not belong to their picture
are not easy, and are hardly ever drawn; but what the learner knows already comes again and again.

Source: Udandarao, Parthasarathy, Naeem, Evans, Albanie, Tombari, Xian, Tonioni, Henaff 2024, "Active data curation
effectively distills large-scale multimodal models" (ACID), arXiv 2411.18674; Evans et al. 2024 (JEST), arXiv
2406.17711, algorithm 1. No official code.
Differs from the papers: the reference is taught at the start of the run, by answers.
"""

from dataclasses import dataclass

from torch import Tensor

from trainer.candidates import Candidates, Draw
from trainer.selectors._joint import Jointly


@dataclass(frozen=True)
class Selector(Jointly):
    """Settings as all that go by a reference model."""

    def __call__(self, candidates: Candidates, count: int, draw: Draw) -> Tensor:
        reference = self.losses(candidates.at("reference"), candidates.codes)
        return self.drawn(lambda chosen: -reference.beside(chosen), min(count, len(candidates)), draw)
