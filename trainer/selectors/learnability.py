"""What the learner has not learnt and a reference model knows to be learnable: high loss here, low loss there.

    s = loss of the learner - loss of the reference,    p(i) ~ exp(s_i given those already chosen)

The reference model was taught by nothing but pairs that somebody confirmed, so words that do not belong to their
picture cost it much, and are hardly ever drawn; what the learner knows already is not drawn either.

Source: Evans et al. 2024 (JEST), arXiv 2406.17711, section 3 and algorithm 1; Udandarao et al. 2024, "Active data
curation effectively distills large-scale multimodal models" (ACID), arXiv 2411.18674, for a larger reference. No
official code.
Differs from the papers: the reference is taught at the start of the run, by answers.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from trainer.candidates import Candidates, Draw
from trainer.selectors._joint import Jointly


@dataclass(frozen=True)
class Selector(Jointly):
    """Settings as all that go by a reference model."""

    reads: ClassVar[tuple[str, ...]] = ("learner", "reference")

    def __call__(self, candidates: Candidates, count: int, draw: Draw) -> Tensor:
        learner, reference = (self.losses(candidates.at(name), candidates.codes) for name in self.reads)
        value = lambda chosen: learner.beside(chosen) - reference.beside(chosen)  # noqa: E731
        return self.drawn(value, min(count, len(candidates)), draw)
