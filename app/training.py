"""`pairwright train`: a named system on a collection's pictures, with a criterion's answers where one is given.

    pictures -> squares -> trainer.run (stored, resumable) -> encoder in the artifact store -> features of every item
             -> with a criterion: head taught by the answers, held-out answers decide how it did, a version that is kept

The new version is not served by itself: `pairwright versions promote` does that.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from app.scoring import column
from app.settings import Settings
from app.training_answers import Answers, answers_of, store_version
from db import catalog
from db.artifacts import ArtifactStore
from db.engine import Database
from db.errors import BadInput, unknown
from db.nouns import Item
from oracle import plugins
from trainer.evaluate import label_codes
from trainer.features import feature_store
from trainer.labelled import Labelled
from trainer.overlay import Overlay
from trainer.priors import as_settings, share_of
from trainer.probe import knn_left_out
from trainer.recipe import FAMILIES, FAMILY, Recipe, build
from trainer.reporting import Reporter
from trainer.run import Outcome, run
from trainer.squares import squares
from trainer.trained import load_trained, store_encoder
from trainer.training import Training, TrainSettings

Told = Callable[[str, int, int], None]  # what is going on, done, of


@dataclass(frozen=True)
class Lesson:
    """What to train. labels: column to measure against; taught_by: column whose labels stand in for answers. options:
    KEY -> text, of the method, its negatives, objective or views, or of TrainSettings."""

    method: str
    collection: str
    criterion: str | None = None
    labels: str | None = None
    taught_by: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    epochs: int | None = None
    seed: int = 0

    @property
    def name(self) -> str:
        """Folder of the run: the same words go on with the same run."""
        words = json.dumps(asdict(self), sort_keys=True)
        return f"{self.method.replace('-', '_')}-{hashlib.sha256(words.encode()).hexdigest()[:12]}"


@dataclass(frozen=True)
class Learnt:
    """How a run ended. figures: kNN accuracy and held-out F1 where they are known; encoder: name of the new one."""

    finished: bool
    steps: int
    of: int
    report: Mapping[str, Any]
    figures: Mapping[str, Any]
    encoder: str | None = None
    version: int | None = None
    run: int | None = None
    warnings: tuple[str, ...] = ()


def train(settings: Settings, lesson: Lesson, told: Told, cancelled: Callable[[], bool]) -> Learnt:
    """Run a lesson, or go on with it where it was stopped.

    Raises: NotFound or BadInput for an unknown method, setting, collection, criterion or column.
    """
    plan = _planned(lesson)
    database = settings.open()
    try:
        items = _items(database, lesson)
        known = answers_of(settings, database, lesson.criterion, lesson.collection) if lesson.criterion else None
        folder = settings.folder / "training" / lesson.name
        recipe = _recipe(lesson, known)
        training = _prepared(settings, lesson, recipe, plan, items, known, folder, told, cancelled)
        if training is None:
            return Learnt(False, 0, 0, {}, {})
        truth = _truth(lesson, items, training)
        before = _figures(training, truth)
        reporter = _reporter(database, lesson, plan, known)
        outcome = _run(training, lesson, folder, reporter, told, cancelled)
        if not outcome.finished:
            return _stopped(training, outcome, reporter)
        figures = {f"{name}_before": value for name, value in before.items()} | _figures(training, truth)
        learnt = _stored(settings, database, lesson, training, items, outcome, figures, known, reporter, told)
        shutil.rmtree(folder, ignore_errors=True)
        return learnt
    finally:
        database.close()


def _planned(lesson: Lesson) -> TrainSettings:
    """The trainer's settings; every option must belong to them or to the recipe, which is tried here."""
    ours = {f.name for f in fields(TrainSettings)}
    if lesson.criterion and lesson.taught_by:
        raise BadInput("either the answers of a criterion or the labels of a column teach, and both were named.")
    general = {key: value for key, value in lesson.options.items() if key in ours}
    known = {"negatives", "objective", *ours, *plugins.settings_of(FAMILY, lesson.method)} - {"seed"}
    for key in lesson.options:
        if "." not in key and key not in known:
            raise unknown(f"setting of {lesson.method} or of training", key, known)
    given = plugins.checked(TrainSettings, "training", dict(general)) | {"seed": lesson.seed}
    if lesson.epochs is not None:
        given["epochs"] = lesson.epochs
    _recipe(lesson, None)
    return TrainSettings(**given)


def _recipe(lesson: Lesson, known: Answers | None) -> Recipe:
    """The named system and the parts put into it. How common "same" is comes from the audit answers, unless said."""
    ours = {f.name for f in fields(TrainSettings)}
    special: dict[str, Any] = {key: value for key, value in lesson.options.items() if key not in ours}
    share = share_of(known.snapshot, known.graph) if known is not None else None
    audited = as_settings(share, plugins.settings_of(FAMILY, lesson.method))
    for part, family in FAMILIES.items():
        takes = plugins.settings_of(family, special[part]) if part in special else {}
        audited |= {f"{part}.{key}": value for key, value in as_settings(share, takes).items()}
    special = audited | special
    return build(lesson.method, special, seed=lesson.seed)


def _items(database: Database, lesson: Lesson) -> list[Item]:
    with database.read() as s:
        items = catalog.items(s, catalog.collection_id(s, lesson.collection))
    if len(items) < 2:
        raise BadInput(f"the collection '{lesson.collection}' has {len(items)} items, at least 2 needed. Import some.")
    for name in (lesson.labels, lesson.taught_by):
        if name:
            column(name, items)
    return items


def _prepared(
    settings: Settings, lesson: Lesson, recipe: Recipe, plan: TrainSettings, items: list[Item], known: Answers | None,
    folder: Path, told: Told, cancelled: Callable[[], bool],
) -> Training | None:  # fmt: skip
    """The run before its first step; None if cancelled."""
    from trainer.backbones import load_backbone

    side = plan.size or int(load_backbone(plan.backbone, pretrained=False).size)  # type: ignore[arg-type]
    wanted = items if known is None else [item for item in items if item.id in known.snapshot.position]
    pixels, ids = squares(
        folder, wanted, settings.folder, side, lambda done, of: told("reading pictures", done, of), cancelled
    )
    if cancelled():
        return None
    return Training(recipe, pixels, ids, plan, _overlay(lesson, items, known, ids))


def _overlay(lesson: Lesson, items: list[Item], known: Answers | None, ids: np.ndarray) -> Overlay | Labelled | None:
    """What is known about pairs of the pictures: from answers, from labels, or nothing."""
    from trainer.update import device_for_training

    if known is not None:
        return Overlay(known.snapshot, known.graph, ids, device_for_training())
    if lesson.taught_by is not None:
        return Labelled(_codes(lesson.taught_by, items, ids), device_for_training())
    return None


def _truth(lesson: Lesson, items: list[Item], training: Training) -> np.ndarray | None:
    """(N,) int64 class of each picture trained on, -1 unknown."""
    return None if lesson.labels is None else _codes(lesson.labels, items, training.ids.cpu().numpy())


def _codes(name: str, items: list[Item], ids: np.ndarray) -> np.ndarray:
    """(N,) int64 class of each of these items by a metadata column, -1 unknown."""
    by_id = {item.id: item for item in items}
    return label_codes(column(name, [by_id[number] for number in ids.tolist()]))


def _figures(training: Training, truth: np.ndarray | None) -> dict[str, float]:
    if truth is None:
        return {}
    named = truth >= 0
    return {"knn_accuracy": knn_left_out(training.embed()[named], truth[named])}


def _reporter(database: Database, lesson: Lesson, plan: TrainSettings, known: Answers | None) -> Reporter | None:
    """A row among the criterion's training runs, which the Training screen shows."""
    if known is None:
        return None
    words = {"method": lesson.method, **asdict(plan), **{key: str(value) for key, value in lesson.options.items()}}
    return Reporter(database, known.criterion, words, trigger=f"train {lesson.method}")


def _run(
    training: Training, lesson: Lesson, folder: Path, reporter: Reporter | None, told: Told,
    cancelled: Callable[[], bool],
) -> Outcome:  # fmt: skip
    def progress(step: int, of: int, report: Mapping[str, Any]) -> None:
        told(f"training {lesson.method}, loss {report['loss']:.3f}", step, of)
        if reporter is not None:
            reporter(step, of, report)

    about = {"lesson": lesson.name, "items": str(len(training.ids))}
    try:
        return run(
            training, state=folder / "state.safetensors", about=about, progress=progress, cancelled=cancelled,
            watch=negative_watch(training),
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
    settings: Settings, database: Database, lesson: Lesson, training: Training, items: list[Item], outcome: Outcome,
    figures: dict[str, Any], known: Answers | None, reporter: Reporter | None, told: Told,
) -> Learnt:  # fmt: skip
    """Keep the encoder and its features; with a criterion also a version."""
    store, plan = ArtifactStore(str(settings.folder / "artifacts")), training.settings
    about = {"collection": lesson.collection, "seed": lesson.seed, "steps": training.steps, "figures": figures}
    network = training.encoders.network.eval().backbone
    encoder = store_encoder(store, lesson.method.replace("-", "_"), plan.backbone, network, about)
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
        True, training.done, training.steps, _last(outcome), figures, encoder, version,
        reporter.run if reporter else None, tuple(outcome.warnings),
    )  # fmt: skip


def _last(outcome: Outcome) -> dict[str, Any]:
    return dict(outcome.reports[max(outcome.reports)]) if outcome.reports else {}
