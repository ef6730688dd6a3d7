"""What goes over REST, as typed dictionaries. Written by `python -m app.api.typed`; do not edit."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

Kind = Literal["pair", "tick_positives", "odd_ones_out", "missing_positives", "merge", "caption"]

State = Literal["proposed", "accepted", "rejected"]

Verdict = Literal["same", "different", "not_comparable", "unsure", "skip"]


class Advice(TypedDict):
    """stop: whether to. mean: mu, the chance that the next answer changes a group, in [0, 1], with its interval."""

    stop: bool
    mean: float
    low: float
    high: float
    ahead: float
    answers: int
    words: str


class AgainIn(TypedDict):
    """An answer about a pair that was asked again."""

    criterion: int | str
    a: int
    b: int
    verdict: Literal["same", "different", "not_comparable", "unsure"]
    background: NotRequired[bool]
    seconds: NotRequired[float | None]


class Annotator(TypedDict):
    """What is known about one source."""

    source: str
    answers: int
    error_rate: float
    low: float
    high: float
    gold: list[Any]
    retest: list[Any]


class AnswerIn(TypedDict):
    """A whole answer: one verdict for every pair of the question. seconds: from shown to answered."""

    question: int
    verdicts: list[VerdictIn]
    seconds: NotRequired[float | None]
    lease: NotRequired[str | None]


class AnswerOut(TypedDict):
    """The receipt of a stored answer. late: the lease had run out; the answer is kept all the same."""

    id: int
    question: int
    late: bool


class AskIn(TypedDict):
    """Items to be asked about with the anchor, by whoever asks for it here. tab: the browser tab that will answer."""

    criterion: int | str
    anchor: int
    items: list[int]
    tab: NotRequired[str]
    proposer: NotRequired[Literal["map", "search"]]


class AskedOut(TypedDict):
    questions: list[int]


class Audit(TypedDict):
    """What the audits say. positives: share of same among the pairs not asked and not implied. error: of an answer."""

    precision: Estimate
    recall: Estimate
    f1: Estimate
    positives: Estimate
    error: float


class AuditOut(TypedDict):
    """Newest first. next: pass it as `before` for the following page."""

    entries: list[EntryOut]
    next: int | None


class BackupOut(TypedDict):
    """answers: events in its log. checked: ok, damaged, or none if nobody has read it through lately."""

    name: str
    made_at: str
    answers: int
    files: int
    size: int
    checked: str | None


class BackupsOut(TypedDict):
    """Newest first. job: what is under way; last: how the last one ended. every: hours between two; 0: never."""

    backups: list[BackupOut]
    folder: str
    every: float
    keep: int
    job: JobOut | None
    last: JobOut | None


class BinOut(TypedDict):
    """A bin under the criterion, and how many things lie in it, whoever put them there."""

    bin: str
    things: int


class CancelIn(TypedDict):
    criterion: int | str


class CancelRefreshIn(TypedDict):
    criterion: int | str


class Change(TypedDict):
    answer: int
    changed: bool
    unsettled: float
    groups: int


class ChangeIn(TypedDict):
    """What is to be different; what is left out stays."""

    role: NotRequired[Literal["viewer", "annotator", "robot", "curator", "admin"] | None]
    active: NotRequired[bool | None]


class ChartedOut(TypedDict):
    """A version that can be drawn. maps: those that are kept."""

    id: int
    status: str
    created_at: str
    answers: int
    maps: list[Literal["pca", "umap", "groups"]]


class ClaimIn(TypedDict):
    """Which questions somebody wants to answer. criterion: name or id."""

    criterion: int | str
    kind: NotRequired[Kind | None]
    kinds: NotRequired[list[Kind]]
    tab: NotRequired[str]
    resume: NotRequired[bool]
    count: NotRequired[int]
    overlap: NotRequired[int]
    lease_s: NotRequired[float]


class CollectionIn(TypedDict):
    name: str


class CollectionOut(TypedDict):
    id: int
    name: str
    items: int
    created_at: str
    credit: str


class CollectionsOut(TypedDict):
    """By name. next: pass it as `after` for the following page."""

    collections: list[CollectionOut]
    next: int | None


class ColumnOut(TypedDict):
    """A metadata column. kinds: how many different values; values: the most frequent; low, high: of numbers."""

    name: str
    kinds: int
    values: list[ValueOut]
    low: float | None
    high: float | None


class ColumnsOut(TypedDict):
    columns: list[ColumnOut]


class CompareIn(TypedDict):
    """What to compare on which criterion (name or id). options: KEY -> value, of the methods that take KEY."""

    criterion: int | str
    methods: list[str]
    options: NotRequired[dict[str, str]]
    embedding: NotRequired[Literal["served", "untaught"]]
    batch: NotRequired[int]
    seed: NotRequired[int]


class CompareOut(TypedDict):
    """methods: what can be compared. answers: standing. related: what pairs pictures. job: a comparison under way."""

    criterion: int
    items: int
    answers: int
    methods: list[MethodOut]
    related: dict[str, Literal["equal", "number", "time", "place"]]
    compared: ComparisonOut | None
    job: JobOut | None


class ComparedOut(TypedDict):
    """One method. each: other pictures a picture has of a kind. positives, push, detected: the first pairs drawn."""

    name: str
    settings: dict[str, str]
    notes: list[str]
    refused: bool
    repels: bool
    each: dict[str, float]
    precision: ShareOut
    false: ShareOut
    false_push: ShareOut
    found: ShareOut
    positives: list[PairOut]
    push: list[PairOut]
    detected: list[PairOut]


class ComparisonOut(TypedDict):
    version: int | None
    embedding: str
    batch: int
    seed: int
    options: dict[str, str]
    stale: bool
    learnt: int
    methods: list[ComparedOut]
    sights: list[SightOut]


class ConflictOut(TypedDict):
    pair: PairSaidOut
    against: float
    support: float
    settled: bool
    again: list[PairSaidOut]
    chain: list[PairSaidOut]


class ConflictsOut(TypedDict):
    """criterion: id. open: contradictions that wait; conflicts: the heaviest of them. answers: that stand."""

    criterion: int
    answers: int
    open: int
    conflicts: list[ConflictOut]


class Coverage(TypedDict):
    """How much is settled. asked, placed (by answers), sure (placed, or likelier than .9 in one group): items."""

    items: int
    asked: int
    placed: int
    sure: int
    pending: int
    groups: int
    pairs: float
    implied: float
    unsettled: float


class CriteriaOut(TypedDict):
    """By id. next: pass it as `after` for the following page."""

    criteria: list[CriterionOut]
    next: int | None


class CriterionIn(TypedDict):
    name: str
    collection: int | str
    prompt: NotRequired[str]
    captions: NotRequired[str]
    words: NotRequired[str]


class CriterionOut(TypedDict):
    id: int
    name: str
    collection: int
    prompt: str
    captions: str
    words: str


class DroppedOut(TypedDict):
    criterion: int
    answers: int
    implied: int
    implied_alike: int
    implied_pairs: list[LookAlikeOut]
    softened: int
    softened_pairs: list[LookAlikeOut]
    version: int | None


class EntryOut(TypedDict):
    id: int
    actor: str
    action: str
    target: str
    detail: dict[str, Any]
    at: str


class Estimate(TypedDict):
    value: float | None
    low: float | None
    high: float | None
    answers: int
    pairs: int
    reason: str


class EvidenceOut(TypedDict):
    a: MediaOut
    b: MediaOut
    verdict: Verdict | None
    confidence: float | None
    chain: list[LinkOut]
    cosine: float
    together: bool


class ForecastIn(TypedDict):
    """screens: how far to look. target: the pair F1 to reach."""

    criterion: int | str
    screens: NotRequired[int]
    target: NotRequired[float]


class ForecastOut(TypedDict):
    """One forecast, begun at `answers` answers. stale: as for a measurement."""

    points: list[Point]
    need: Need
    target: float
    error: float
    items: int
    of_items: int
    draws: int
    stopped: bool
    words: str
    version: int
    answers: int
    stale: bool


class FoundOut(TypedDict):
    """One result. cosine: to what was looked for, steering included, in [-1, 1]."""

    item: ItemOut
    cosine: float


class GradeIn(TypedDict):
    """One pair, graded: becomes an ordinary answer of the caller. seconds: from shown to answered."""

    criterion: int | str
    a: int
    b: int
    verdict: Literal["same", "different"]
    seconds: NotRequired[float | None]


class GroupAnswerIn(TypedDict):
    """What a look at a group gave. same: belong with the anchor; different: do not. Nothing is said of the others."""

    criterion: int | str
    anchor: int
    same: NotRequired[list[int]]
    different: NotRequired[list[int]]
    seconds: NotRequired[float | None]


class GroupNameOut(TypedDict):
    """A name, and the item it is tied to. id: grows with every naming."""

    id: int
    item: int
    name: str
    source: str


class GroupOut(TypedDict):
    id: int
    anchor: int
    size: int
    confirmed: int
    doubt: float | None
    names: list[GroupNameOut]
    items: list[MediaOut]


class GroupsOut(TypedDict):
    groups: list[GroupOut]
    next: int | None
    stand: str
    fresh: bool
    job: JobOut | None
    total: int
    items: int


class HeldOutOut(TypedDict):
    """Pair F1 of one version's embedding on held-out audit answers, at the number of answers it had learnt from."""

    version: int
    answers: int
    f1: float


class ImportIn(TypedDict):
    collection: str
    path: str
    metadata: NotRequired[str | None]
    packed: NotRequired[bool]
    in_place: NotRequired[bool]


class IssuedOut(TypedDict):
    """The token itself, shown only now."""

    token: str
    user: str
    label: str


class ItemOut(TypedDict):
    """One image with what is known about it."""

    id: int
    media: str
    name: str
    caption: str | None
    width: int
    height: int
    collection: int
    sha256: str
    taken_at: str | None
    latitude: float | None
    longitude: float | None
    attributes: dict[str, Any]


class ItemsOut(TypedDict):
    """A page of items. next: pass it as `after` for the following page; None on the last."""

    items: list[ItemOut]
    next: int | None


class JobOut(TypedDict):
    """Work in the background. status: queued, running, done, failed or cancelled; progress in [0, 1]."""

    id: int
    kind: str
    status: str
    progress: float
    note: str
    result: dict[str, Any]
    error: str | None
    created_at: str


class JobsOut(TypedDict):
    """Newest first. next: pass it as `before` for the following page."""

    jobs: list[JobOut]
    next: int | None


class LeaseIn(TypedDict):
    """Proof that the question is leased to the caller."""

    token: str
    lease_s: NotRequired[float]


class LeaseOut(TypedDict):
    expires_at: str


class LinkOut(TypedDict):
    """One step of a chain of answers: what somebody said about two pictures."""

    a: MediaOut
    b: MediaOut
    verdict: Verdict
    answer: int
    source: str
    at: str


class LogOut(TypedDict):
    answers: list[LoggedOut]
    next: int | None


class LoggedOut(TypedDict):
    """One answer of the log."""

    id: int
    question: int
    source: str
    late: bool
    undone: bool
    created_at: str
    verdicts: list[VerdictIn]


class LookAlikeOut(TypedDict):
    """Two pictures that look alike; before, now: the weight with which they push each other away, in [0, 1]."""

    a: MediaOut
    b: MediaOut
    before: float
    now: float
    cosine: float


class MapCancelIn(TypedDict):
    criterion: int | str
    job: int


class MapIn(TypedDict):
    """What to make in the background. version: the one served by default."""

    criterion: int | str
    what: NotRequired[Literal["pca", "umap", "groups"]]
    version: NotRequired[int | None]


class MapOut(TypedDict):
    """What there is to draw. current: the version that asks now; newest: the last event of the log."""

    criterion: int
    collection: int
    items: int
    current: int | None
    newest: int
    versions: list[ChartedOut]
    jobs: list[JobOut]


class MeasureIn(TypedDict):
    """Which criterion to measure: name or id."""

    criterion: int | str


class MeasuredOut(TypedDict):
    """One measurement. stale: answers came or went since, or another version asks."""

    audit: Audit
    coverage: Coverage
    advice: Advice
    needed: Estimate
    annotators: list[Annotator]
    changes: list[Change]
    curve: list[Step]
    target: float
    answers: int
    level: float
    version: int
    stale: bool


class MediaOut(TypedDict):
    """One image as a question shows it. media: address of the re-encoded picture; add ?size=128|256|512|1024."""

    id: int
    media: str
    name: str
    caption: str | None
    width: int
    height: int


class MemberIdsOut(TypedDict):
    """Every item of a group in the state `stand`."""

    ids: list[int]
    stand: str


class MemberOut(TypedDict):
    id: int
    media: str
    name: str
    caption: str | None
    width: int
    height: int
    sure: float | None
    confirmed: bool


class MembersOut(TypedDict):
    """A page of a group's items. next: pass it as `after` for the following page."""

    group: GroupOut
    members: list[MemberOut]
    next: int | None
    stand: str
    fresh: bool
    job: JobOut | None


class MergeIn(TypedDict):
    """Whether two groups are one. a, b: items of each that were shown, first the one that stands for its group."""

    criterion: int | str
    a: list[int]
    b: list[int]
    verdict: Literal["same", "different", "not_comparable", "unsure"]
    seconds: NotRequired[float | None]


class MethodOut(TypedDict):
    """A named system. settings: its own fields with their defaults, as written."""

    name: str
    idea: str
    family: str
    needs: str
    settings: dict[str, str]


class NameIn(TypedDict):
    """name: of the group that holds the item; empty takes its name away."""

    criterion: int | str
    item: int
    name: str


class Need(TypedDict):
    screens: float | None
    low: float | None
    high: float | None
    seconds: float | None
    reached: int


class NeighbourOut(TypedDict):
    item: MediaOut
    cosine: float


class NeighboursOut(TypedDict):
    version: int
    neighbours: list[NeighbourOut]


class ObservationIn(TypedDict):
    """One look at a thing: the bytes of its picture in base64, or an item of the collection."""

    image: NotRequired[str | None]
    item: NotRequired[int | None]
    object: NotRequired[str]
    seen_at: NotRequired[str | None]
    place: NotRequired[str]


class ObservationOut(TypedDict):
    """A look and the answer to it. action: sort it into `bin`, ask a person, or new: it belongs to no bin yet."""

    id: int
    session: int
    item: int
    object: str
    action: Literal["sort", "ask", "new"]
    bin: str | None
    confidence: float
    new: float
    known: bool
    ranking: list[RankOut]
    seen_at: str | None
    place: str
    source: str
    created_at: str


class ObservationsOut(TypedDict):
    """A page of observations, newest first. next: pass it as `before` for the following page."""

    observations: list[ObservationOut]
    next: int | None


class PairOut(TypedDict):
    a: MediaOut
    b: MediaOut
    cosine: float
    verdict: Literal["same", "different"] | None
    answer: int | None
    term: str


class PairSaidOut(TypedDict):
    """Two pictures and everything that stands about them."""

    a: MediaOut
    b: MediaOut
    said: list[VoiceOut]


class PersonOut(TypedDict):
    name: str
    role: str


class PlacementIn(TypedDict):
    """What was done with a thing, named by one of its observations or as an object."""

    observation: NotRequired[int | None]
    object: NotRequired[str]
    kind: NotRequired[Literal["placement", "correction", "abstention"]]
    bin: NotRequired[str | None]


class PlacementOut(TypedDict):
    """A statement that is in the log for good. supersedes: the one about the same thing that it replaces."""

    id: int
    session: int
    observation: int
    object: str
    kind: Literal["placement", "correction", "abstention"]
    bin: str | None
    supersedes: int | None
    source: str
    created_at: str


class PlacementsOut(TypedDict):
    """A page of statements, newest first, superseded ones too. next: pass it as `before` for the following page."""

    placements: list[PlacementOut]
    next: int | None


class Point(TypedDict):
    """After `screens` more answers, taking `seconds`: the median pair F1 over the draws, and its 80 % band."""

    screens: int
    seconds: float
    f1: float
    low: float
    high: float


class Problem(TypedDict):
    """An error as RFC 9457 has it. errors: the fields that are wrong."""

    type: str
    title: str
    status: int
    detail: str
    instance: NotRequired[str]
    errors: NotRequired[list[dict[str, Any]]]


class ProgressOut(TypedDict):
    criterion: int
    answers: int
    pairs: int
    settled: int
    effect: int
    effect_answers: int
    open_questions: int
    credit: str
    review: ReviewOut | None


class QualityOut(TypedDict):
    """What is known now. answers: standing; audits: how many of them are audits; job: a measurement under way."""

    criterion: int
    answers: int
    audits: int
    ready: bool
    measured: MeasuredOut | None
    forecast: ForecastOut | None
    versions: list[HeldOutOut]
    job: JobOut | None


class QuestionOut(TypedDict):
    """One leased question, with the pictures it shows. text: the words it asks about (caption)."""

    id: int
    criterion: int
    kind: Kind
    anchor: MediaOut
    candidates: list[MediaOut]
    context: list[MediaOut]
    reason: str
    proposer: str
    version: int | None
    expected: list[float]
    text: str
    token: str | None
    expires_at: str | None


class QuestionsOut(TypedDict):
    questions: list[QuestionOut]


class RankOut(TypedDict):
    """One bin and the chance that the thing belongs there."""

    bin: str
    confidence: float


class RefreshIn(TypedDict):
    criterion: int | str
    method: NotRequired[str]
    options: NotRequired[dict[str, str]]
    epochs: NotRequired[int | None]
    seed: NotRequired[int]
    share: NotRequired[float]


class RefreshOut(TypedDict):
    criterion: int
    answers: int
    job: JobOut | None
    last: JobOut | None
    run: int | None
    default: str
    every: int
    methods: list[SystemOut]


class ReleaseIn(TypedDict):
    token: str


class ReviewOut(TypedDict):
    captions: int
    looked_at: int
    found: int
    left: float
    stop: bool
    words: str


class RunOut(TypedDict):
    """One training run: what triggered it, where it stands, its losses so far (of the newest run only)."""

    id: int
    trigger: str
    status: str
    version: int | None
    note: str
    started_at: str
    ended_at: str | None
    steps: list[StepOut]


class RunsOut(TypedDict):
    """Newest first. next: pass it as `before` for the following page."""

    runs: list[RunOut]
    next: int | None


class SaidOut(TypedDict):
    """One receipt for every dozen of items. pairs: how many were said something about."""

    answers: list[AnswerOut]
    pairs: int


class SayIn(TypedDict):
    """What is said about each of `items` and the anchor. proposer: the screen it was said on."""

    criterion: int | str
    anchor: int
    items: list[int]
    verdict: Literal["same", "different"]
    proposer: NotRequired[Literal["map", "search"]]
    seconds: NotRequired[float | None]


class SearchAboutOut(TypedDict):
    """What can be searched. sentence: why a sentence cannot be searched with, or None where it can."""

    version: int | None
    encoder: str
    items: int
    sentence: str | None


class SearchIn(TypedDict):
    criterion: int | str
    items: NotRequired[list[int]]
    vector: NotRequired[str | None]
    version: NotRequired[int | None]
    text: NotRequired[str]
    liked: NotRequired[list[int]]
    disliked: NotRequired[list[int]]
    where: NotRequired[dict[str, str]]
    after: NotRequired[int]
    limit: NotRequired[int]


class SearchOut(TypedDict):
    """A page of results, most alike first. total: how many can be paged through; among: items that were searched."""

    version: int
    total: int
    among: int
    engine: str
    recall: float
    results: list[FoundOut]


class SecretOut(TypedDict):
    """A user and the password, which is shown only now."""

    user: UserOut
    password: str | None


class SeenOut(TypedDict):
    """A picture as a version sees it: float32 numbers in base64. Nothing of it is kept."""

    version: int
    vector: str


class SessionIn(TypedDict):
    criterion: int | str
    name: NotRequired[str]
    ask_s: NotRequired[float]
    wrong_s: NotRequired[float]


class SessionOut(TypedDict):
    """A session. encoder: what its pictures are seen with; statements: placements, corrections and abstentions."""

    id: int
    criterion: int
    name: str
    state: Literal["open", "paused", "closed"]
    source: str
    encoder: str
    ask_s: float
    wrong_s: float
    observations: int
    statements: int
    bins: list[BinOut]
    created_at: str


class SessionsOut(TypedDict):
    """A page of sessions, newest first. next: pass it as `before` for the following page."""

    sessions: list[SessionOut]
    next: int | None


class ShareOut(TypedDict):
    """A share with its interval. value: None where no pair is known. known: pairs answers settle, of `pairs` drawn."""

    value: float | None
    low: float
    high: float
    known: int
    pairs: int


class SightOut(TypedDict):
    """Pictures as these methods would see them. views: pictures as data addresses."""

    methods: list[str]
    pictures: list[dict[str, Any]]


class Step(TypedDict):
    """The pair F1 of the partition after the first `answers` answers, under today's embedding."""

    answers: int
    f1: Estimate


class StepOut(TypedDict):
    """One reported step. negatives: what pushed in it (`trainer.negative_report`); None in runs of older versions."""

    step: int
    loss: float | None
    losses: dict[str, Any]
    negatives: dict[str, float] | None


class SyntheticIn(TypedDict):
    """May it stand for its anchor? proposed: takes the verdict back."""

    state: State


class SyntheticOut(TypedDict):
    id: int
    synthetic: Literal[True]
    media: str
    anchor: MediaOut
    method: str
    maker: str
    seed: int
    state: State
    source: str
    decided_at: str | None


class SyntheticVerdictOut(TypedDict):
    """The receipt of a verdict: stored for good."""

    id: int
    picture: int
    state: State


class SyntheticsOut(TypedDict):
    """Synthetic pictures by id. counts: how many of the collection are in each state. next: pass it as `after`."""

    collection: int
    counts: dict[str, int]
    pictures: list[SyntheticOut]
    next: int | None


class SystemOut(TypedDict):
    """A named system that can refresh."""

    name: str
    idea: str


class TokenIn(TypedDict):
    """label: what it is for. days: until it ends, none for never. scopes: what it is good for, none for all."""

    label: str
    days: NotRequired[float | None]
    scopes: NotRequired[list[Literal["read", "answer", "import", "train", "admin"]] | None]


class TokenOut(TypedDict):
    """A bearer token or a browser's session."""

    id: int
    kind: str
    label: str
    expires_at: str | None
    revoked: bool
    created_at: str
    scopes: list[Literal["read", "answer", "import", "train", "admin"]] | None


class TokensOut(TypedDict):
    """Newest first. next: pass it as `before` for the following page."""

    tokens: list[TokenOut]
    next: int | None


class UndoOut(TypedDict):
    """The receipt of an undo: itself an event in the log."""

    id: int
    undone: int


class UserIn(TypedDict):
    """A new user. Without a password one is generated."""

    name: str
    role: NotRequired[Literal["viewer", "annotator", "robot", "curator", "admin"]]
    password: NotRequired[str | None]


class UserOut(TypedDict):
    """Somebody who may sign in. tokens: bearer tokens that still open something."""

    id: int
    name: str
    role: Literal["viewer", "annotator", "robot", "curator", "admin"]
    active: bool
    created_at: str
    tokens: int


class UsersOut(TypedDict):
    """By name. next: pass it as `after` for the following page."""

    users: list[UserOut]
    next: int | None


class ValueOut(TypedDict):
    """One value of a column of kinds, and how many items have it."""

    value: str
    items: int


class VerdictIn(TypedDict):
    """What is said about one pair. background: they look alike only because of the background."""

    a: int
    b: int
    verdict: Verdict
    confidence: NotRequired[float | None]
    background: NotRequired[bool]


class VersionOut(TypedDict):
    id: int
    criterion: int
    parent: int | None
    last_event: int
    metrics: dict[str, Any]
    status: str
    created_at: str
    promoted_at: str | None


class VersionsOut(TypedDict):
    versions: list[VersionOut]
    next: int | None


class VoiceOut(TypedDict):
    """One verdict of the log. mine: whether the caller may take the answer back; others: pairs that go with it."""

    answer: int
    source: str
    verdict: Verdict
    at: str
    mine: bool
    others: int
