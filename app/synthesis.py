"""`pairwright synthetic make`: a generator learns a collection and proposes pictures of its items.

    items -> squares -> trainer.generating (stored, resumable) -> weights in the artifact store
          -> for one anchor after another: candidates -> media store -> rows that are only proposed

What is proposed is for an oracle to accept or reject: on the Compare screen, or `app.synthesis_judge`.
"""

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from io import BytesIO
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from app.importers import files
from app.importers.decode import SYNTHETIC
from app.settings import Settings
from db import catalog, synthetic
from db.engine import Database
from db.errors import BadInput, Broken
from db.nouns import Item
from db.synthetic import NewPicture
from oracle import plugins

if TYPE_CHECKING:
    from trainer.generators._maker import Maker

FAMILY = "trainer.generators"
Told = Callable[[str, int, int], None]  # what is going on, done, of


@dataclass(frozen=True)
class Wish:
    """What to make. count: pictures in all, rounded up to whole anchors. options: KEY -> text, of the generator."""

    method: str
    collection: str
    count: int = 64
    seed: int = 0
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Made:
    """How it ended. proposed: pictures that are new; pictures: all of this generator and seed; anchors: items they are
    made of. report: of the last step of learning, empty where the generator was kept already."""

    finished: bool
    generator: str
    steps: int
    of: int
    proposed: int = 0
    pictures: int = 0
    anchors: int = 0
    report: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Work:
    """settings: those of the generator. pixels: (N, S, S, 3) of the items with ids (N,). name: of the generator."""

    wish: Wish
    settings: Any
    maker: "Maker"
    pixels: np.ndarray
    ids: np.ndarray
    collection: int
    name: str
    folder: Path

    @property
    def words(self) -> dict[str, str]:
        """What a stored state must share with the run that goes on from it."""
        return {"generator": self.name}


def make(settings: Settings, wish: Wish, told: Told, cancelled: Callable[[], bool]) -> Made:
    """Teach the generator unless it is kept already, then propose. A cancelled call keeps what is done; the same wish
    goes on there. The same seed gives the same pictures.

    Raises: NotFound or BadInput for an unknown method, setting or collection, a collection of one picture, or one that
    lacks the metadata which the generator learns from.
    """
    if wish.count < 1:
        raise BadInput(f"count = 1 or more pictures expected, got {wish.count}.")
    chosen = plugins.load(FAMILY, wish.method, **wish.options)
    database = settings.open()
    try:
        work = _read(settings, database, wish, chosen, told, cancelled)
        if work is None:
            return Made(False, "", 0, chosen.steps)
        return _made(settings, database, work, told, cancelled)
    finally:
        database.close()


def _read(
    settings: Settings, database: Database, wish: Wish, chosen: Any, told: Told, cancelled: Callable[[], bool]
) -> _Work | None:
    """The pictures, and the name of the generator that follows from them; None if cancelled."""
    from trainer.attributes import Attributes
    from trainer.generating import maker_of, name_of
    from trainer.provenance import digest
    from trainer.squares import squares

    with database.read() as s:
        number = catalog.collection_id(s, wish.collection)
        items: list[Item] = catalog.items(s, number)
    if len(items) < 2:
        raise BadInput(f"the collection '{wish.collection}' has {len(items)} items, at least 2 needed. Import some.")
    method = wish.method.replace("-", "_")
    words = {"collection": number, "seed": wish.seed, **asdict(chosen)}
    folder = settings.folder / "training" / name_of(method, words)
    pixels, ids = squares(folder, items, settings.folder, chosen.side, partial(told, "reading pictures"), cancelled)
    if cancelled():
        return None
    told("reading metadata", 0, len(ids))
    maker = maker_of(chosen, wish.seed, lambda: Attributes.of(items, settings.folder).only(ids))
    taught_on = [item.sha256 for item in items if item.id in set(ids.tolist())]
    words["pictures"] = digest(ids) + hashlib.sha256("".join(taught_on).encode()).hexdigest()
    if maker.beside:
        words["beside"] = maker.beside
    return _Work(wish, chosen, maker, pixels, ids, number, name_of(method, words), folder)


def _made(settings: Settings, database: Database, work: _Work, told: Told, cancelled: Callable[[], bool]) -> Made:
    from trainer import generating

    artifacts = settings.store()
    report: dict[str, float] = {}
    maker, of = work.maker, int(work.settings.steps)
    if generating.known(artifacts, work.name):
        maker, steps = generating.taught(artifacts, work.name, maker), of
    else:
        report, finished = _taught(maker, work, told, cancelled)
        if not finished:
            return Made(False, work.name, maker.done, of, report=report)
        about = {
            "method": work.wish.method,
            "seed": work.wish.seed,
            "settings": asdict(work.settings),
            "report": report,
        }
        generating.store(artifacts, work.name, maker, about)
        steps = maker.done
    identity = generating.identity(artifacts, work.name)
    proposed, left = _propose(settings, database, work, maker, identity, told, cancelled)
    if not left:
        shutil.rmtree(work.folder, ignore_errors=True)
    with database.read() as s:
        anchors = synthetic.made_by(s, work.collection, identity, work.wish.seed)
        ours = [one for one in synthetic.pictures(s, work.collection) if one.maker == identity]
    return Made(not left, work.name, steps, of, proposed, len(ours), len(anchors), report)


def _taught(maker: "Maker", work: _Work, told: Told, cancelled: Callable[[], bool]) -> tuple[dict[str, float], bool]:
    """The last report, and whether all steps were taken."""
    from trainer.generating import learn

    report: dict[str, float] = {}

    def heard(done: int, of: int, figures: Mapping[str, float]) -> None:
        report.update(figures)
        told(f"teaching {work.wish.method}, loss {figures['loss']:.3f}", done, of)

    state = work.folder / "state.safetensors"
    finished = learn(
        maker, work.pixels, work.settings.steps, work.settings.batch,
        state=state, about=work.words, told=heard, cancelled=cancelled,
    )  # fmt: skip
    return report, finished


def _propose(
    settings: Settings, database: Database, work: _Work, maker: "Maker", identity: str, told: Told,
    cancelled: Callable[[], bool],
) -> tuple[int, int]:  # fmt: skip
    """Candidates of one anchor after another, each anchor's in one transaction: how many are new, and how many anchors
    are left because of a cancel."""
    from trainer import chance
    from trainer.generating import candidates

    each, seed = int(work.settings.candidates), work.wish.seed
    able = np.arange(len(work.ids)) if maker.anchors is None else maker.anchors
    order = np.random.default_rng((seed, chance.MADE)).permutation(able)
    wanted = [int(row) for row in order[: ceil(work.wish.count / each)]]
    with database.read() as s:
        done = synthetic.made_by(s, work.collection, identity, seed)
    waiting, proposed = [row for row in wanted if int(work.ids[row]) not in done], 0
    for number, row in enumerate(waiting):
        told("making pictures", len(wanted) - len(waiting) + number, len(wanted))
        if cancelled():
            return proposed, len(waiting) - number
        item = int(work.ids[row])
        made = candidates(maker, np.asarray(work.pixels[row]), item, each)
        about = {"method": work.wish.method, "maker": identity, "seed": seed, "settings": asdict(work.settings)}
        new = [_stored(settings.folder, pixels, item, about) for pixels in made]
        with database.write() as s:
            proposed += synthetic.add(s, work.collection, new)
    return proposed, 0


def _stored(workspace: Path, pixels: np.ndarray, item: int, about: Mapping[str, Any]) -> NewPicture:
    """Put one picture into the media store, where its header says what it is."""
    said, out = PngInfo(), BytesIO()
    said.add_text(SYNTHETIC, f"made by {about['method']}, not a photograph")
    Image.fromarray(pixels).save(out, "PNG", pnginfo=said)
    encoded = out.getvalue()
    sha = hashlib.sha256(encoded).hexdigest()
    path = files.media_path(sha, "png")
    try:
        files.write_once(workspace / path, encoded)
        files.sync_folder((workspace / path).parent)
    except OSError as error:
        raise Broken(f"cannot keep a synthetic picture ({error.strerror}). Free some disk space.") from error
    return NewPicture(item, sha, pixels.shape[1], pixels.shape[0], path, **about)
