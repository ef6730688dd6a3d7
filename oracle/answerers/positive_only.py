"""Only ever say same: a robot that watches a person pick things sees what belongs together, never what does not.

What was not picked may still belong, so everything else is skipped. Protocol: Ghose et al. 2023 (CoRL 2022, PMLR).
"""

from dataclasses import dataclass

from db.nouns import PairVerdict, Verdict
from oracle.answerers._scripted import Scripted


@dataclass
class Answerer(Scripted):
    """inner: who knows the answer."""

    inner: Scripted

    def verdict(self, a: int, b: int) -> PairVerdict:
        """Same where the inner answerer says same, else skip."""
        said = self.inner.verdict(a, b)
        return said if said.verdict is Verdict.SAME else PairVerdict(a, b, Verdict.SKIP)
