"""`pairwright train`: a named system on a collection's pictures, with a criterion's answers where one is given.

    pictures -> squares -> trainer.run (stored, resumable) -> encoder in the artifact store -> features of every item
             -> with a criterion: head taught by the answers, held-out answers decide how it did, a version that is kept

The new version is not served by itself: `pairwright versions promote` does that.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.settings import Settings
from app.training_answers import Answers, store_version
from app.training_start import Lesson, Prepared, Told, in_turn, planned, prepare
from db import runs
from db.artifacts import ArtifactStore
from db.engine import Database
from db.errors import BadInput
from db.nouns import Item
from trainer import ranks
from trainer.doubted import keep_doubts
from trainer.features import feature_store
from trainer.probe import knn_left_out, sampled
from trainer.provenance import checked, versions
from trainer.readers import of_method, store_reader
from trainer.reporting import PROBED, Reporter
from trainer.run import Outcome, run
from trainer.suspects import FILE as SUSPECTS
from trainer.suspects import ranked
from trainer.trained import load_trained, store_encoder
from trainer.training import Training, TrainSettings

__all__ = ["Learnt", "Lesson", "forget", "planned", "train"]
STATE = "state.safetensors"
SHOWN = 10  # suspects that a report names


@dataclass(frozen=True)
class Learnt:
    """How a run ended. figures: kNN accuracy and held-out F1 where they are known; encoder: name of the new one; reads:
    whether it came of a network that reads words, which `pairwright match` can ask."""

    finished: bool
    steps: int
    of: int
    report: Mapping[str, Any]
    figures: Mapping[str, Any]
    encoder: str | None = None
    version: int | None = None
    run: int | None = None
    warnings: tuple[str, ...] = ()
    reads: bool = False


def train(
    settings: Settings, lesson: Lesson, told: Told, cancelled: Callable[[], bool], *, again: bool = False
) -> Learnt:
    """Run a lesson, or go on with it where it was stopped; `again` begins anew. Of several ranks the first one stores.

    Raises: NotFound or BadInput for an unknown method, setting, collection, criterion or column, or where the stopped
    run had other pictures.
    """
    plan, folder = planned(lesson), _folder(settings, lesson)
    database = settings.open()
    try:
        if again and ranks.rank() == 0:
            forget(settings, lesson)
        ready = in_turn(lambda: prepare(settings, database, lesson, plan, folder, told, cancelled), cancelled)
        if ready is None:
            return Learnt(False, 0, 0, {}, {})
        warnings = checked(folder / STATE, ready.about)
        if ranks.rank() > 0:
            outcome = run(ready.training, state=folder / STATE, about=ready.about, cancelled=cancelled)
            return Learnt(outcome.finished, ready.training.done, ready.training.steps, _last(outcome), {})
        return _first(settings, database, lesson, ready, folder, warnings, told, cancelled)
    except BadInput:
        if ranks.rank() == 0 and not (folder / STATE).exists():
            shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        database.close()


def forget(settings: Settings, lesson: Lesson) -> None:
    """Let the same run begin anew."""
    shutil.rmtree(_folder(settings, lesson), ignore_errors=True)


def _folder(settings: Settings, lesson: Lesson) -> Path:
    return settings.folder / "training" / lesson.name


def _first(
    settings: Settings, database: Database, lesson: Lesson, ready: Prepared, folder: Path, warnings: list[str],
    told: Told, cancelled: Callable[[], bool],
) -> Learnt:  # fmt: skip
    """The run as the rank that tells and stores sees it."""
    training, truth = ready.training, ready.truth
    before = _figures(training, truth)
    reporter = _reporter(database, lesson, training.settings, ready.known)
    outcome = _run(training, lesson, ready, folder, reporter, told, cancelled)
    if not outcome.finished:
        return _stopped(training, outcome, reporter)
    now = {PROBED: _last(outcome)[PROBED]} if PROBED in _last(outcome) else _figures(training, truth)
    figures = {f"{name}_before": value for name, value in before.items()} | now
    outcome.warnings[:0] = warnings
    learnt = _stored(settings, database, lesson, ready, outcome, figures, reporter, told)
    shutil.rmtree(folder, ignore_errors=True)
    return learnt


def _figures(training: Training, truth: np.ndarray | None) -> dict[str, float]:
    """kNN accuracy of the features as they are now, over a sample of the pictures whose class is known."""
    if truth is None:
        return {}
    rows = sampled(truth, training.settings.seed)
    return {PROBED: knn_left_out(training.encoders.embed(training.pictures[rows]), truth[rows])}


def _reporter(database: Database, lesson: Lesson, plan: TrainSettings, known: Answers | None) -> Reporter | None:
    """A row among the criterion's training runs, which the Training screen shows."""
    if known is None:
        return None
    words = {"method": lesson.method, **asdict(plan), **{key: str(value) for key, value in lesson.options.items()}}
    trigger = f"train {lesson.method}"
    with database.write() as s:  # the same words at once would be the same run
        runs.close_left(s, known.criterion, lambda one: one.trigger == trigger and one.settings == words)
    return Reporter(database, known.criterion, words, trigger=trigger)


def _run(
    training: Training, lesson: Lesson, ready: Prepared, folder: Path, reporter: Reporter | None, told: Told,
    cancelled: Callable[[], bool],
) -> Outcome:  # fmt: skip
    seen: dict[str, float] = {}

    def after(step: int, of: int) -> None:
        figures = [f", {word} {seen[name]:.3f}" for name, word in (("loss", "loss"), (PROBED, "kNN")) if name in seen]
        told(f"training {lesson.method}{''.join(figures)}", step, of)

    def progress(step: int, of: int, report: Mapping[str, Any]) -> None:
        seen.update({name: report[name] for name in ("loss", PROBED) if name in report})
        if reporter is not None:
            reporter(step, of, report)

    probe = None if ready.truth is None else lambda: _figures(training, ready.truth)
    after(training.done, training.steps)
    try:
        return run(
            training, state=folder / STATE, about=ready.about, progress=progress, cancelled=cancelled,
            watch=negative_watch(training), probe=probe, after=after,
        )  # fmt: skip
    except BaseException as error:
        if reporter is not None:
            reporter.end("failed", str(error)[:500] or type(error).__name__)
        raise


def negative_watch(training: Training) -> Any:
    """What every reported step says about its negatives."""
    from trainer.negative_report import report

    return lambda pool: {"negatives": report(pool, training.terms[0].objective)}


def _stopped(training: Training, outcome: Outcome, reporter: Reporter | None) -> Learnt:
    if reporter is not None:
        reporter.end("cancelled", f"stopped after step {training.done}; the same command goes on from there")
    return Learnt(False, training.done, training.steps, _last(outcome), {}, run=reporter.run if reporter else None)


def _stored(
    settings: Settings, database: Database, lesson: Lesson, ready: Prepared, outcome: Outcome, figures: dict[str, Any],
    reporter: Reporter | None, told: Told,
) -> Learnt:  # fmt: skip
    """Keep the encoder and its features; with a criterion also a version."""
    training, items, known = ready.training, ready.items, ready.known
    store, plan = settings.store(), training.settings
    about = {"collection": lesson.collection, "steps": training.steps, "figures": figures, "versions": versions()}
    about |= {"run": dict(ready.about)}
    network = training.encoders.network.eval().backbone
    doubted, more = doubts_of(training, items, store)
    encoder = store_encoder(store, lesson.method.replace("-", "_"), plan.backbone, network, about, more=more)
    reads = store_reader(store, encoder, lesson.method, of_method(lesson.options), training)
    features = feature_store(settings.folder, items[0].collection, encoder)
    features.extend(load_trained(store, encoder), items, settings.folder, lambda done, of: told("embedding", done, of))
    version = None
    if known is not None and reporter is not None:
        words = {"method": lesson.method, "steps": training.steps, "report": _last(outcome), **figures}
        version, held_out = store_version(
            settings, database, known, features, encoder, words, reporter.run, seed=lesson.seed
        )
        figures = figures | held_out
    return Learnt(
        True, training.done, training.steps, _last(outcome), figures | doubted, encoder, version,
        reporter.run if reporter else None, tuple(outcome.warnings), reads,
    )  # fmt: skip


def doubts_of(training: Training, items: list[Item], store: ArtifactStore) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Of a run with a selector that asks a model: whose words are doubted most, and the table of all as a file. Reviews
    of captions are told, too."""
    if training.chooser is None:
        return {}, {}
    ids, looks = training.ids.cpu().numpy(), training.chooser.looks
    doubted, names = ranked(ids, looks), {item.id: item.name for item in items}
    if not doubted:
        return {}, {}
    column = training.chooser.words.column
    texts = {item.id: words for item in items if (words := item.words(column))}
    count = keep_doubts(store, items[0].collection, column, doubted, texts)
    first = [{"item": number, "name": names[number], "doubt": doubted[number]} for number in list(doubted)[:SHOWN]]
    return {"suspects": first, "asked_first": count, "words": column}, {SUSPECTS: looks.to_bytes(ids)}


def _last(outcome: Outcome) -> dict[str, Any]:
    return dict(outcome.reports[max(outcome.reports)]) if outcome.reports else {}
