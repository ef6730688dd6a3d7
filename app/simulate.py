"""The whole loop with a scripted oracle: ask, answer, record, learn, ask better; scored at every checkpoint.

    items + features -> version 0 -> [ question -> answer -> log -> graph ] x 10 -> learn -> checkpoint -> ...

The run has a database of its own (`log.sqlite`), and uses the queue and the feedback log through the functions people's
answers go through.
"""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from threading import Event, current_thread, main_thread
from types import FrameType
from typing import Any

import numpy as np

from app import transcript
from app.course import Course, Drift
from app.curve import Curve
from app.features import ensure_features
from app.results import finish, write_answers, write_groups
from app.scoring import column
from app.scratch import new_scratch
from app.settings import Settings
from app.transcript import Recorded, Transcript, Writer, fingerprint, versions
from app.view import in_collection
from db import catalog
from db.errors import BadInput
from db.nouns import Item
from oracle import plugins
from oracle.answerers import from_spec
from oracle.answerers.crowd import rates_of
from oracle.noise import Faults, Ground, drift_of, faulty
from oracle.weighing import judged
from trainer.choices import chosen
from trainer.evaluate import kmeans_ari
from trainer.learner import Learner
from trainer.learner import Settings as Teaching

UNITS = ("screens", "verdicts", "seconds")
EARLY = (3, 6)  # screens after which to learn, before every tenth
EVERY = 10
SILENCE = 25  # this many unanswered questions in a row, and the oracle has no more to say
HOLDER = "simulation"


@dataclass(frozen=True)
class Plan:
    """What to simulate.

    oracle: a spec such as labels:material. budget: in `unit` (screens, verdicts or seconds of the time model).
    noise, abstain: share of pairs it is wrong about, is unsure about, in [0, 1). labels: column to score against; by
    default the oracle's own. annotators: NAME:NOISE,NAME:NOISE for several people who take turns, in place of noise.
    training: KEY=VALUE texts that say how to train, see `trainer.choices`.
    noise_models, people, latency, drift: what else is wrong with the oracle, see `oracle.noise`.
    """

    collection: str
    criterion: str
    oracle: str
    budget: float
    unit: str = "screens"
    acquisition: str = "mixed"
    seed: int = 0
    noise: float = 0.0
    abstain: float = 0.0
    labels: str | None = None
    encoder: str = "lite0"
    annotators: str | None = None
    training: tuple[str, ...] = ()
    noise_models: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    latency: str | None = None
    drift: str | None = None

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise BadInput(f"budget unit must be one of {', '.join(UNITS)}, got '{self.unit}'.")
        if not self.budget > 0:
            raise BadInput(f"budget must be above 0, got {self.budget}.")
        for name in ("noise", "abstain"):
            if not 0 <= getattr(self, name) < 1:
                raise BadInput(f"{name} must be at least 0 and below 1, got {getattr(self, name)}.")
        if self.annotators is not None and self.noise:
            raise BadInput(
                f"noise = 0 expected beside annotators, got {self.noise}. Each annotator has a rate already."
            )
        self.rates  # noqa: B018  # complains about a text of another form
        if self.rates is not None and (self.people or self.noise_models):
            raise BadInput(
                "annotators = no --annotator and no --noise-model beside it expected, got both. Use --annotator."
            )
        if self.drift is not None:
            drift_of(self.drift)

    @property
    def faults(self) -> Faults:
        """What else is wrong with the oracle."""
        return Faults(self.noise_models, self.people, self.latency, self.drift)

    @property
    def rates(self) -> dict[str, float] | None:
        """Noise of each annotator by name; None for a single oracle."""
        return None if self.annotators is None else rates_of(self.annotators)

    @property
    def column(self) -> str | None:
        """The metadata column to score against, if any is known."""
        kind, _, rest = self.oracle.partition(":")
        known = kind.replace("_", "-") in ("labels", "attribute", "positive-only")
        return self.labels or (rest if known and rest else None)


Told = Callable[[str, float, float], None]  # (what is going on, done, of)


def simulate(
    settings: Settings,
    plan: Plan,
    report: Path,
    told: Told = lambda *_: None,
    *,
    again: Transcript | None = None,
    drawn: bool = True,
) -> dict[str, Any]:
    """Run the plan; writes curve.csv, answers.jsonl, summary.json and report.html into `report`; returns the summary.

    again: answer as this transcript says, in place of the oracle. drawn: with report.html.

    Ctrl-C stops it early: what was measured so far is reported all the same, marked as stopped.
    Raises: NotFound for an unknown collection, criterion, column, acquisition or oracle; BadInput for no items.
    """
    if (about := _about(settings, plan)).captions:
        return _review(settings, plan, about, report, told)
    began = time.monotonic()
    acquisition = plugins.load("oracle.acquisition", plan.acquisition, seed=plan.seed)
    training = chosen(plan.training)
    items, prompt, features = _gather(settings, plan, told)
    if again is None:
        _check_oracle(plan, items, features)
    report.mkdir(parents=True, exist_ok=True)
    (report / "summary.json").unlink(missing_ok=True)
    database, criterion, items = new_scratch(report, items, plan.collection, plan.criterion, prompt)
    try:
        truth = column(plan.column, items) if plan.column else None
        baseline = kmeans_ari(features, truth, plan.seed) if truth else None
        learner = Learner(
            features, np.array([item.id for item in items]), seed=plan.seed, settings=Teaching(update=training)
        )
        head = {"plan": asdict(plan), "versions": versions(), "fingerprint": fingerprint(items, features, truth)}
        writer = Writer(report / transcript.NAME, items, head)
        course = Course(
            database=database,
            criterion=criterion,
            items=items,
            truth=truth,
            learner=learner,
            answerer=_answerer(plan, items, features) if again is None else Recorded(again.screens, items),
            acquisition=acquisition,
            snapshot=learner.start(),
            drift=_drift(plan, items),
            witness=writer.add,
        )
        curve = Curve(report / "curve.csv")
        stopped = _run(course, plan, curve, told, again)
        if not stopped:
            writer.end()
        write_groups(report, items, course.groups().tolist())
        write_answers(report / "answers.jsonl", database, criterion, items)
        found = {source: asdict(one) for source, one in judged(course.graph.statements).items()}
    finally:
        database.close()
    took = time.monotonic() - began
    return finish(
        report, plan, curve, kmeans=baseline, items=len(items), stopped=stopped, took_s=took, annotators=found,
        drawn=drawn,
    )  # fmt: skip


def _about(settings: Settings, plan: Plan) -> catalog.Criterion:
    """The criterion."""
    database = settings.open()
    try:
        in_collection(database, plan.criterion, plan.collection)
        with database.read() as s:
            return catalog.criterion(s, plan.criterion)
    finally:
        database.close()


def _review(settings: Settings, plan: Plan, about: catalog.Criterion, report: Path, told: Told) -> dict[str, Any]:
    """The same for a criterion on captions."""
    from app.review import review, wrong_words

    items, prompt, features = _gather(settings, plan, told)
    kept = [at for at, one in enumerate(items) if one.words(about.captions)]
    items, features = [items[at] for at in kept], features[kept]

    def answerer(there: list[Item]) -> tuple[Any, frozenset[int]]:
        return _answerer(plan, there, features), wrong_words(plan.oracle, there)

    return review(plan, about.captions, about.words, items, prompt, features, answerer, report, told)


def check(settings: Settings, plan: Plan, told: Told = lambda *_: None) -> None:
    """Complain about a plan that cannot be run, as `simulate` would; computes missing features, writes nothing else."""
    if _about(settings, plan).captions:
        plugins.load("oracle.captions", plan.acquisition, seed=plan.seed)
        return
    plugins.load("oracle.acquisition", plan.acquisition, seed=plan.seed)
    chosen(plan.training)
    items, _, features = _gather(settings, plan, told)
    _check_oracle(plan, items, features)


def _run(course: Course, plan: Plan, curve: Curve, told: Told, again: Transcript | None = None) -> bool:
    """Ask until the budget is spent; True if Ctrl-C ended it, now or in the run that is replayed."""
    with _interrupted() as pressed:
        asked = lambda: pressed() or (again is not None and _at_its_end(course, again))  # noqa: E731
        try:
            _ask_on(course, plan, curve, told, asked)
        except KeyboardInterrupt:
            return True
        return asked()


def _ask_on(course: Course, plan: Plan, curve: Curve, told: Told, asked: Callable[[], bool]) -> None:
    curve.add(course.row())
    while not asked() and spent(course, plan) < plan.budget and course.ask():
        told("answering", spent(course, plan), plan.budget)
        screens = course.effort.screens
        if screens in EARLY or screens % EVERY == 0:
            course.learn()
        if screens % EVERY == 0:
            curve.add(course.row())
    if not asked() and curve.rows[-1]["screens"] != course.effort.screens:
        course.learn()
        curve.add(course.row())


def _at_its_end(course: Course, again: Transcript) -> bool:
    """Whether a replay met another question than the run did, or came as far as a run that was halted."""
    return course.answerer.departed is not None or (not again.ended and course.answerer.over)


@contextmanager
def _interrupted() -> Iterator[Callable[[], bool]]:
    """Ctrl-C interrupts at once, and is remembered: what is raised inside a destructor is swallowed there."""
    asked = Event()

    def stop(number: int, frame: FrameType | None) -> None:
        asked.set()
        raise KeyboardInterrupt

    if current_thread() is not main_thread():  # signals are the main thread's
        yield asked.is_set
        return
    before = signal.signal(signal.SIGINT, stop)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def spent(course: Course, plan: Plan) -> float:
    """What has been used of the budget, in its unit."""
    effort = course.effort
    return {"screens": effort.screens, "verdicts": effort.verdicts, "seconds": effort.seconds}[plan.unit]


def _gather(settings: Settings, plan: Plan, told: Told) -> tuple[list[Item], str, np.ndarray]:
    """The items by id, the criterion's prompt, and the items' backbone features (N, D), computed where missing."""
    database = settings.open()
    try:
        in_collection(database, plan.criterion, plan.collection)
        with database.read() as s:
            about = catalog.criterion(s, plan.criterion)
            items = catalog.items(s, about.collection)
        told_embedding = lambda done, of: told("embedding", done, of)  # noqa: E731
        store, _ = ensure_features(database, settings.folder, plan.collection, plan.encoder, progress=told_embedding)
    finally:
        database.close()
    row = {int(item): position for position, item in enumerate(store.ids)}
    readable = [item for item in items if item.id in row]
    return readable, about.prompt, store.vectors()[[row[item.id] for item in readable]]


def _drift(plan: Plan, items: list[Item]) -> Drift | None:
    """After which screen other labels hold, and which."""
    if plan.drift is None:
        return None
    name, at = drift_of(plan.drift)
    return Drift(at, column(name, items))


def _check_oracle(plan: Plan, items: list[Item], features: np.ndarray) -> None:
    """Find a misspelt oracle, model or column before anything is written."""
    if plan.column:
        column(plan.column, items)
    if plan.drift:
        column(drift_of(plan.drift)[0], items)
    _answerer(plan, items, features)


def _answerer(plan: Plan, items: list[Item], features: np.ndarray) -> Any:
    ground = Ground(items, plan.column, _looks(items, features), plan.seed)
    return faulty(partial(_base, plan, items), plan.oracle, plan.faults, ground)


def _base(plan: Plan, items: list[Item], spec: str) -> Any:
    found = from_spec(spec, items, noise=plan.noise, abstain=plan.abstain, seed=plan.seed)
    if plan.rates is None:
        return found
    return plugins.load("oracle.answerers", "crowd", inner=found, rates=plan.rates, seed=plan.seed)


def _looks(items: list[Item], features: np.ndarray) -> dict[int, np.ndarray]:
    """What each item looks like, (D,) unit rows: the features without what all of them share."""
    centred = features - features.mean(0)
    rows = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
    return {item.id: row for item, row in zip(items, rows, strict=True)}
