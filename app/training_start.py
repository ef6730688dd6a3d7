"""Everything a training run needs before its first step: pictures as squares, the recipe, what the answers say.

lesson -> settings checked -> items, answers -> squares -> Training, and short texts that say which run it is
"""

import hashlib
import json
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from app.reviewed import Verdicts, listening, mark, reviewed
from app.scoring import column
from app.settings import Settings
from app.training_answers import Answers, answers_of
from db import catalog, synthetic
from db.engine import Database
from db.errors import BadInput, Refused, unknown
from db.nouns import Item
from db.synthetic import State, SyntheticPicture
from oracle import plugins
from trainer import ranks
from trainer.attributes import Attributes
from trainer.evaluate import label_codes
from trainer.generated import Generated
from trainer.generating import FAMILY as GENERATORS
from trainer.labelled import Labelled
from trainer.maps import maps, on_maps
from trainer.overlay import Overlay
from trainer.priors import as_settings, share_of
from trainer.provenance import digest
from trainer.recipe import FAMILIES, FAMILY, Recipe, build
from trainer.squares import squares
from trainer.training import Training, TrainSettings

READS = 20  # how often ranks read again until all of them see the same answers
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
class Prepared:
    """What a run is made of before its first step. about: short texts that say which run it is."""

    items: list[Item]
    known: Answers | None
    training: Training
    truth: np.ndarray | None
    about: Mapping[str, str]

    @property
    def mark(self) -> int:
        """A number that is another one for other pictures or answers."""
        said = [] if self.known is None else [self.known.last_event, self.known.graph.size, len(self.known.witnesses)]
        return int(digest(np.concatenate([self.training.ids.cpu().numpy(), np.array(said, np.int64)]))[:15], 16)


def planned(lesson: Lesson) -> TrainSettings:
    """The trainer's settings; every option must belong to them or to the recipe, which is tried here."""
    ours = {f.name for f in fields(TrainSettings)}
    if lesson.criterion and lesson.taught_by:
        raise BadInput("either the answers of a criterion or the labels of a column teach, and both were named.")
    general = {key: value for key, value in lesson.options.items() if key in ours}
    known = {*FAMILIES, *ours, *plugins.settings_of(FAMILY, lesson.method)} - {"seed"}
    if "seed" in lesson.options:
        raise BadInput(f"seed is an option of its own. Say --seed {lesson.options['seed']}.")
    for key in lesson.options:
        if "." not in key and key not in known:
            raise unknown(f"setting of {lesson.method} or of training", key, known)
    given = plugins.checked(TrainSettings, "training", dict(general)) | {"seed": lesson.seed}
    if lesson.epochs is not None:
        given["epochs"] = lesson.epochs
    _recipe(lesson, None)
    return TrainSettings(**given)


def in_turn(prepare: Callable[[], Prepared | None], cancelled: Callable[[], bool]) -> Prepared | None:
    """The first rank fills the caches, the others find them there. None if any was cancelled.

    Raises: Refused where answers or pictures come in faster than all ranks can read them.
    """
    ready: Prepared | None = None
    for first in (True, False):
        if first == (ranks.rank() == 0):
            ready = prepare()
        if ranks.anyone(cancelled()):
            return None
    for _ in range(READS):
        if ranks.agreed(ready.mark if ready else 0):
            return ready
        ready = prepare()
    raise Refused("answers come in faster than the processes can read them. Pause labelling while training starts.")


def prepare(
    settings: Settings, database: Database, lesson: Lesson, plan: TrainSettings, folder: Path, told: Told,
    cancelled: Callable[[], bool], *, known: Answers | None = None, only: Container[int] | None = None,
) -> Prepared | None:  # fmt: skip
    """The run before its first step; None if cancelled. known: what to learn from in place of all answers of now;
    only: ids of the items to train on."""
    items = [item for item in _items(database, lesson) if only is None or item.id in only]
    if lesson.criterion and known is None:
        known = answers_of(settings, database, lesson.criterion, lesson.collection)
    recipe = _recipe(lesson, known)
    made = synthetic_of(database, lesson, recipe)
    words = reviewed(database, items[0].collection)
    attributes = _introduced(recipe, items, settings.folder, words)
    training = _prepared(settings, lesson, recipe, plan, items, attributes, known, made, folder, told, cancelled)
    if training is None:
        return None
    return Prepared(items, known, training, _truth(lesson, items, training), _about(lesson, training, made, words))


def synthetic_of(database: Database, lesson: Lesson, recipe: Recipe) -> list[SyntheticPicture]:
    """The synthetic pictures that this recipe learns from: accepted, or as its source says; never a rejected one.

    Raises: BadInput where it needs some and there are none.
    """
    if recipe.generated is None:
        return []
    used = [State.ACCEPTED, *([State.PROPOSED] if recipe.generated.use == "proposed" else [])]
    with database.read() as s:
        made = synthetic.pictures(s, catalog.collection_id(s, lesson.collection), used)
    if not made:
        words = " or ".join(used)
        maker = lesson.method if lesson.method in plugins.names(GENERATORS) else "clsp"
        raise BadInput(
            f"the collection '{lesson.collection}' has no {words} synthetic picture. Make some: pairwright synthetic "
            f"make {maker} --collection {lesson.collection}; then accept them on the Compare screen, or: pairwright "
            f"synthetic judge."
        )
    return made


def _about(lesson: Lesson, training: Training, made: Sequence[SyntheticPicture], words: Verdicts) -> dict[str, str]:
    """What a stored state must share with the run that goes on from it."""
    ids = np.array([one.id for one in made], np.int64)
    beside = {"synthetic": f"{len(ids)} ({digest(ids)})"} if made else {}
    beside |= {"reviews": mark(words)} if words else {}
    plan = {key: value for key, value in asdict(training.settings).items() if key not in ("seed", "probe")}
    return {
        "method": lesson.method,
        "settings": json.dumps({**plan, **lesson.options}, sort_keys=True),
        "seed": str(lesson.seed),
        "pictures": f"{len(training.ids)} ({digest(training.ids.cpu().numpy())})",
        **beside,
    }


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
    settings: Settings, lesson: Lesson, recipe: Recipe, plan: TrainSettings, items: list[Item], attributes: Attributes,
    known: Answers | None, made: Sequence[SyntheticPicture], folder: Path, told: Told, cancelled: Callable[[], bool],
) -> Training | None:  # fmt: skip
    """The run before its first step; None if cancelled."""
    from trainer.backbones import load_backbone

    backbone = load_backbone(plan.backbone, size=plan.size or None, pretrained=False)
    wanted = items if known is None else [item for item in items if item.id in known.snapshot.position]
    reading = partial(told, "reading pictures")
    if hasattr(backbone, "trunk"):
        recipe = replace(recipe, **on_maps(recipe))
        pixels, ids = maps(folder, wanted, settings.folder, backbone.trunk(), reading, cancelled)  # type: ignore[operator]
    else:
        pixels, ids = squares(folder, wanted, settings.folder, int(backbone.size), reading, cancelled)  # type: ignore[arg-type]
    generated = _generated(made, folder, settings.folder, int(pixels.shape[1]), cancelled) if made else None
    if cancelled():
        return None
    return Training(recipe, pixels, ids, plan, _overlay(lesson, items, known, ids), attributes, generated)


def _generated(
    made: Sequence[SyntheticPicture], folder: Path, workspace: Path, side: int, cancelled: Callable[[], bool]
) -> Generated:
    """The pictures that can be read, as squares, with their anchors."""
    pixels, ids = squares(folder / "synthetic", made, workspace, side, cancelled=cancelled)
    anchor = {one.id: one.anchor for one in made}
    return Generated(pixels, np.array([anchor[number] for number in ids.tolist()], np.int64))


def _introduced(recipe: Recipe, items: list[Item], workspace: Path, words: Verdicts) -> Attributes:
    """The metadata and what reviews say of it; what it lacks for this recipe is said before any picture is read."""
    found = listening(Attributes.of(items, workspace), words, recipe)
    for part in recipe.readers:
        part.learn_of(found)
    return found


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
