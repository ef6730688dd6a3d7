"""A scripted oracle for synthetic pictures: what class do the real pictures vote a candidate into?

features of the labelled items and of the proposals -> vote of the nearest -> accepted where it is the anchor's class
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np

from app.features import encoder_of, ensure_features
from app.scoring import column
from app.settings import Settings
from db import catalog, synthetic
from db.engine import Database
from db.errors import BadInput, unknown
from db.nouns import Item
from db.synthetic import State, SyntheticPicture

if TYPE_CHECKING:
    from trainer.encoders import Encoder

ORACLES = ("labels",)
BLOCK = 128  # pictures judged together, and stored together
Told = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Judged:
    """open: proposals left, for their anchor has no label, their picture cannot be read, or it was cancelled."""

    accepted: int
    rejected: int
    open: int


def judge(
    settings: Settings, collection: str, spec: str, encoder: str, told: Told, cancelled: Callable[[], bool]
) -> Judged:
    """Accept or reject every proposal of a collection. spec: labels:COLUMN. encoder: whose features vote.

    Raises: BadInput for a spec that cannot be read, NotFound for a collection, column or encoder.
    """
    name, _, wanted = spec.partition(":")
    if name not in ORACLES:
        raise unknown("oracle of synthetic pictures", name, ORACLES, remedy="Say labels:COLUMN.")
    if not wanted:
        raise BadInput("labels needs the name of a column. Say labels:COLUMN.")
    database = settings.open()
    try:
        return _judged(settings, database, collection, wanted, encoder, told, cancelled)
    finally:
        database.close()


def _judged(
    settings: Settings, database: Database, collection: str, wanted: str, encoder: str, told: Told,
    cancelled: Callable[[], bool],
) -> Judged:  # fmt: skip
    from trainer.evaluate import label_codes

    with database.read() as s:
        number = catalog.collection_id(s, collection)
        items: list[Item] = catalog.items(s, number)
        proposals = synthetic.pictures(s, number, [State.PROPOSED])
    codes = dict(zip([one.id for one in items], label_codes(column(wanted, items)).tolist(), strict=True))
    features, _ = ensure_features(
        database, settings.folder, collection, encoder,
        progress=lambda done, of: told("embedding", done, of), cancelled=cancelled,
    )  # fmt: skip
    ids, vectors = features.load()
    labels = np.array([codes.get(item, -1) for item in ids.tolist()])
    known, counted = labels >= 0, {State.ACCEPTED: 0, State.REJECTED: 0}
    judging = [one for one in proposals if codes.get(one.anchor, -1) >= 0]
    eye = encoder_of(settings.folder, encoder)
    for at in range(0, len(judging), BLOCK):
        told("judging", at, len(judging))
        if cancelled():
            break
        block = judging[at : at + BLOCK]
        said = _voted(settings, eye, block, vectors[known], labels[known], codes)
        with database.write() as s:
            for picture, state in said:
                synthetic.decide(s, picture, state, f"labels:{wanted}"[:200], uuid4().hex)
                counted[state] += 1
    done = sum(counted.values())
    return Judged(counted[State.ACCEPTED], counted[State.REJECTED], len(proposals) - done)


def _voted(
    settings: Settings, eye: "Encoder", block: Sequence[SyntheticPicture], known: np.ndarray, labels: np.ndarray,
    codes: dict[int, int],
) -> list[tuple[int, State]]:  # fmt: skip
    """What the neighbours say of each picture that can be read."""
    from trainer.probe import voted

    read = [(one, square) for one in block if (square := _square(settings, eye, one)) is not None]
    if not read:
        return []
    votes = voted(known, labels, eye.encode_squares(np.stack([square for _, square in read])))
    return [
        (one.id, State.ACCEPTED if vote == codes[one.anchor] else State.REJECTED)
        for (one, _), vote in zip(read, votes.tolist(), strict=True)
    ]


def _square(settings: Settings, eye: "Encoder", one: SyntheticPicture) -> np.ndarray | None:
    try:
        return eye.square((settings.folder / one.path).read_bytes())
    except (OSError, ValueError):
        return None  # it stays open
