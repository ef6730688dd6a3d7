"""What was said about the words beside pictures, added up, and what a model thinks of those nobody looked at.

    nats_i    sum over annotators of +-log((1 - eps) / eps), eps how often the annotator is wrong
    p_i       chance that the words belong: sigmoid(logit(fit_i) + nats_i)
    doubt_i   chance that what stands is wrong: 1 - p_i where they are taken to belong, p_i where they were rejected

Words that nobody rejected are taken to belong. What one annotator says again counts a quarter: who errs for a reason
errs again. A ledger is a function of the statements that stand: their order is irrelevant, and undo needs no code.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, fsum, log

from db.nouns import Statement
from oracle.evidence import answer_weight, direction
from oracle.reliability import annotators
from oracle.votes import ECHO
from oracle.weighing import USUAL, checkpoint, trusted_rates, usual_rate

SURE = 0.005  # no model is believed beyond this
ANYBODY = ""  # a source that is not known yet
UNTOLD = 0.9  # chance of words that no model has looked at


@dataclass(frozen=True)
class Fits:
    """chance: item id -> chance in [0, 1] that its words belong, by a model that never learnt from the two together.
    texts: item id -> the words of now. version: of the model. suspects: item id -> doubt in nats, where a training run
    doubted the words of now."""

    chance: Mapping[int, float]
    texts: Mapping[int, str]
    version: int | None = None
    suspects: Mapping[int, float] = field(default_factory=dict)

    def of(self, item: int) -> float:
        """The chance of one item, bounded."""
        return min(max(self.chance.get(item, UNTOLD), SURE), 1 - SURE)


@dataclass(frozen=True)
class Ledger:
    """nats: item id -> net evidence, positive where the words belong. votes: answers that weigh something, by item;
    silent: those that do not (unsure, skip). audits: (item, belongs) of answers to uniform draws, oldest first. size:
    statements in all."""

    nats: Mapping[int, float] = field(default_factory=dict)
    votes: Mapping[int, int] = field(default_factory=dict)
    silent: Mapping[int, int] = field(default_factory=dict)
    audits: Sequence[tuple[int, bool]] = ()
    size: int = 0

    @classmethod
    def of(cls, statements: Iterable[Statement], rates: Mapping[str, float] | None = None) -> "Ledger":
        """From everything that stands. rates: error rate by source, as `rates_of` found it."""
        said = sorted(statements, key=lambda one: (one.answer, one.a))
        rates = rates or {}
        usual = rates.get(ANYBODY, USUAL)
        weighty = [one for one in said if direction(one)]
        by_voice: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        votes: dict[int, int] = defaultdict(int)
        silent: dict[int, int] = defaultdict(int)
        for one in said:
            if direction(one):
                weight = answer_weight(rates.get(one.source, usual), one.confidence)
                by_voice[one.a][one.source].append(direction(one) * weight)
                votes[one.a] += 1
            else:
                silent[one.a] += 1
        nats = {item: fsum(sorted(_voice(each) for each in voices.values())) for item, voices in by_voice.items()}
        audits = [(one.a, direction(one) > 0) for one in weighty if one.audit]
        return cls(nats, dict(votes), dict(silent), audits, len(said))

    def rejected(self, item: int) -> bool:
        """Whether the answers say, on the whole, that the words do not belong."""
        return self.nats.get(item, 0.0) < 0

    def chance(self, item: int, fit: float) -> float:
        """Chance that the words belong, by the model and the answers."""
        return 1 / (1 + exp(-min(max(log(fit / (1 - fit)) + self.nats.get(item, 0.0), -500), 500)))

    def doubt(self, item: int, fit: float) -> float:
        """Chance that what stands about the item is wrong."""
        chance = self.chance(item, fit)
        return chance if self.rejected(item) else 1 - chance

    def trust(self, item: int) -> float | None:
        """What the answers alone say: chance that the words belong; None where nobody said anything."""
        return self.chance(item, 0.5) if item in self.nats else None


def _voice(votes: list[float]) -> float:
    """One annotator's answers about one item: the first counts whole, each further one a quarter."""
    return fsum(sorted(votes)) * (1 + ECHO * (len(votes) - 1)) / len(votes)


def rates_of(statements: Iterable[Statement], fits: Fits) -> dict[str, float]:
    """Error rate of every source, and of `ANYBODY`, from those who looked at the same words and from a model's chances.

    Only the beginning of a log judges, to a length that grows by a quarter each time (`oracle.weighing.checkpoint`).
    """
    said = sorted(statements, key=lambda one: (one.answer, one.a))
    said = said[: checkpoint(len(said))]
    found = annotators(said, expected={(one.a, one.a): fits.of(one.a) for one in said})
    return {**trusted_rates(found), ANYBODY: usual_rate(found)} if found else {}
