"""What the Quality routes send: every number with its interval and what it rests on."""

from pydantic import Field

from app.api.shapes import Id, JobOut, Name, Shape


class EstimateOut(Shape):
    """A number with its 90 % interval. value null: not known, `reason` says why. high null: no upper end is known.

    answers, pairs: how many answers and pair verdicts it rests on.
    """

    value: float | None
    low: float | None
    high: float | None
    answers: int
    pairs: int
    reason: str = ""


class AuditOut(Shape):
    """Pair precision, recall and F1 of the groups over all pairs, from audit answers, corrected for annotators' errors.

    positives: share of same pairs among those neither asked nor implied. error: share of wrong answers assumed.
    """

    precision: EstimateOut
    recall: EstimateOut
    f1: EstimateOut
    positives: EstimateOut
    error: float


class CoverageOut(Shape):
    """Items asked about, placed by answers, sure (placed, or likelier than .9 in one group); pairs, and how many of
    them follow from the answers; unsettled: share of items expected in a wrong group."""

    items: int
    asked: int
    placed: int
    sure: int
    groups: int
    pairs: float
    implied: float
    unsettled: float


class AdviceOut(Shape):
    """stop: the advice. mean, low, high: chance that the next answer changes a group; ahead: that any of the next 72
    does. words: the advice in plain sentences."""

    stop: bool
    mean: float
    low: float
    high: float
    ahead: float
    answers: int
    words: str


class AnnotatorOut(Shape):
    """One source: pair verdicts, error rate with its 90 % interval, gold [right, of] and retest [agree, of]."""

    source: str
    answers: int
    error_rate: float
    low: float
    high: float
    gold: tuple[int, int] = (0, 0)
    retest: tuple[int, int] = (0, 0)


class ChangeOut(Shape):
    """One answer's effect: whether an item it showed moved, what doubt was left, how many groups there were."""

    answer: int
    changed: bool
    unsettled: float
    groups: int


class CurveOut(Shape):
    """The audited F1 after so many answers."""

    answers: int
    f1: EstimateOut


class MeasuredOut(Shape):
    """One measurement. stale: answers came or went since, or another version asks. needed: answers left to `target`."""

    version: int
    answers: int
    stale: bool
    target: float
    level: float
    audit: AuditOut
    coverage: CoverageOut
    advice: AdviceOut
    needed: EstimateOut
    annotators: list[AnnotatorOut]
    changes: list[ChangeOut]
    curve: list[CurveOut]


class PointOut(Shape):
    """After `screens` more answers, taking `seconds`: median pair F1 and the band the drawn truths lie in."""

    screens: int
    seconds: float
    f1: float
    low: float
    high: float


class NeedOut(Shape):
    """Screens and seconds to the target; null where most drawn truths do not reach it. reached: how many do."""

    screens: float | None
    low: float | None
    high: float | None
    seconds: float | None
    reached: int


class ForecastOut(Shape):
    """One forecast, begun at `answers` answers. items of of_items played; draws: hidden truths; words: in short."""

    version: int
    answers: int
    stale: bool
    points: list[PointOut]
    need: NeedOut
    target: float
    error: float
    items: int
    of_items: int
    draws: int
    stopped: bool
    words: str


class HeldOutOut(Shape):
    """Pair F1 of one version's embedding on held-out audit answers, at the number of answers it had learnt from."""

    version: int
    answers: int
    f1: float


class QualityOut(Shape):
    """What is known now. answers: standing; audits: how many of them are audits; job: a measurement under way."""

    criterion: int
    answers: int
    audits: int
    ready: bool
    measured: MeasuredOut | None
    forecast: ForecastOut | None
    versions: list[HeldOutOut]
    job: JobOut | None


class MeasureIn(Shape):
    """Which criterion to measure: name or id."""

    criterion: Id | Name


class ForecastIn(MeasureIn):
    """screens: how far to look. target: the pair F1 to reach."""

    screens: int = Field(default=200, ge=1, le=2000)
    target: float = Field(default=0.95, gt=0, lt=1)
