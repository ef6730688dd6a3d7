"""Compare named systems on a collection before any is trained: which pairs each would create, as plain JSON.

    batches that know a part of the answers (trainer.dealing) -> pairs of every system (trainer.comparing)
        -> drawn by their weight -> {methods: [{rows: {positives, negatives, push, detected}}]}

What is drawn is kept; the answers judge it anew whenever somebody looks (`app.compared`), so a grade counts at once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from app.settings import Settings
from app.view import load_snapshot, raw_snapshot
from db import catalog, feedback, versions
from db.engine import Database
from db.errors import BadInput, PairwrightError, unknown
from db.nouns import Snapshot, Statement
from oracle.constraints import ConstraintGraph
from trainer.systems import EXCHANGED, PARTS, system

if TYPE_CHECKING:
    from app.reviewed import Verdicts
    from trainer.attributes import Attributes
    from trainer.comparing import Created, Sample

KIND = "compare"
MOST = 12  # methods at once
TIMES = {"positives": 100, "negatives": 150, "push": 150, "detected": 60}  # drawn a round
EMBEDDINGS = ("served", "untaught")
Told = Callable[[int, int], object]


@dataclass(frozen=True)
class Wish:
    """What to compare. options: KEY -> text, of the methods that take KEY. embedding: what the served model version
    sees, or the untaught features. batch: items of a batch. seed: the same gives the same pairs."""

    methods: tuple[str, ...]
    options: Mapping[str, str] = field(default_factory=dict)
    embedding: str = "served"
    batch: int = 256
    seed: int = 0

    def __post_init__(self) -> None:
        """Raises: BadInput or NotFound in one sentence for a method, setting or number that is none."""
        if not 1 <= len(self.methods) <= MOST:
            raise BadInput(f"1 to {MOST} methods can be compared at once, got {len(self.methods)}.")
        if self.embedding not in EMBEDDINGS:
            raise BadInput(f"embedding = {' or '.join(EMBEDDINGS)} expected, got '{self.embedding}'.")
        if self.batch < 2:
            raise BadInput(f"batch = at least 2 expected, got {self.batch}.")
        known = [system(name) for name in self.methods]
        object.__setattr__(self, "methods", tuple(dict.fromkeys(one.name for one in known)))
        takes = {key for one in known for key in one.settings} | set(EXCHANGED)
        for key in self.options:
            part, _, inner = key.partition(".")
            if inner and part not in PARTS:
                raise unknown("part with settings", part, PARTS)
            if not inner and key not in takes:
                raise unknown(f"setting of {', '.join(self.methods)}", key, takes)

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> "Wish":
        """From a job's payload."""
        given = {one.name: payload[one.name] for one in fields(cls) if one.name in payload}
        return cls(**{**given, "methods": tuple(given.get("methods", ()))})

    def payload(self) -> dict[str, Any]:
        """For a job."""
        return {**asdict(self), "methods": list(self.methods), "options": dict(self.options)}

    def settings(self, method: str) -> dict[str, str]:
        """Those of the options that this method, or a part of it, takes."""
        own = system(method).settings
        return {key: text for key, text in self.options.items() if "." in key or key in PARTS or key in own}


@dataclass
class Found:
    """What one method created, gathered over the rounds. rows: kind -> [term, a, b, cosine] of every draw."""

    name: str
    settings: Mapping[str, str]
    needs: str
    refused: str | None = None
    terms: tuple[str, ...] = ()
    own: bool = False
    repels: bool = False
    answered: int = 0
    synthetic: float = 0.0
    each: dict[str, float] = field(default_factory=lambda: dict.fromkeys(TIMES, 0.0))
    rows: dict[str, list[tuple[int, int, int, float]]] = field(default_factory=lambda: {kind: [] for kind in TIMES})


def compared(
    settings: Settings, database: Database, criterion: int | str, wish: Wish, told: Told = lambda *_: None,
    stopped: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:  # fmt: skip
    """Raises: NotFound for an unknown criterion, BadInput for a collection that is too small."""
    from app.sights import sights
    from trainer.dealing import ROUNDS, dealt

    snapshot, said, version, learnt = _look(settings, database, criterion, wish.embedding)
    attributes = _metadata(database, criterion, snapshot)
    words = _reviewed(database, criterion)
    found = [Found(name, wish.settings(name), system(name).said["Needs"]) for name in wish.methods]
    steps = ROUNDS * len(found)
    for number, (drawn, graph) in enumerate(
        dealt(snapshot, said, size=wish.batch, seed=wish.seed, attributes=attributes)
    ):
        for place, one in enumerate(found):
            told(number * len(found) + place, steps)
            if stopped():
                return {}
            _add(one, drawn, graph, words, answers=bool(said), seed=wish.seed * ROUNDS + number)
    return {
        "version": version, "learnt": learnt, "embedding": wish.embedding, "batch": min(wish.batch, len(snapshot.ids)),
        "seed": wish.seed, "options": dict(wish.options), "sights": sights(settings, database, snapshot, wish),
        "methods": [_document(one, ROUNDS, wish.seed) for one in found],
    }  # fmt: skip


def _look(
    settings: Settings, database: Database, criterion: int | str, embedding: str
) -> tuple[Snapshot, list[Statement], int | None, int]:
    """The embedding, the standing answers, the version it is of, and the newest event that has taught it."""
    with database.read() as s:
        about = catalog.criterion(s, criterion)
        collection = next(one.name for one in catalog.collections(s) if one.id == about.collection)
        said = list(feedback.statements(s, about.id))
        served = versions.current(s, about.id) if embedding == "served" else None
    if served is None:
        snapshot = raw_snapshot(settings, database, collection)
    else:
        snapshot = load_snapshot(settings, database, collection, served)
    if len(snapshot.ids) < 2:
        raise BadInput(
            f"'{collection}' has fewer than 2 pictures that can be read, so there are no pairs. Import some."
        )
    return snapshot, said, served.id if served else None, served.last_event if served else 0


def _metadata(database: Database, criterion: int | str, snapshot: Snapshot) -> "Attributes":
    """Of the items of the snapshot."""
    from trainer.attributes import Attributes

    with database.read() as s:
        items = catalog.items(s, catalog.criterion(s, criterion).collection)
    return Attributes.of(items).only(snapshot.ids)


def _reviewed(database: Database, criterion: int | str) -> "Verdicts":
    """What reviews of captions say of the collection's words: some selectors go by it."""
    from app.reviewed import reviewed

    with database.read() as s:
        collection = catalog.criterion(s, criterion).collection
    return reviewed(database, collection)


def _add(
    one: Found, drawn: "Sample", graph: ConstraintGraph, words: "Verdicts", *, answers: bool, seed: int
) -> None:  # fmt: skip
    """One round of one method; a method that cannot is refused with its own sentence."""
    from app.reviewed import listening
    from trainer.comparing import created
    from trainer.recipe import build
    from trainer.selecting import selected

    if one.refused is not None:
        return
    try:
        recipe = build(one.name, one.settings, seed=seed)
        if drawn.attributes is not None:
            drawn = replace(drawn, attributes=listening(drawn.attributes, words, recipe))
        made = created(recipe, selected(recipe, drawn, seed), answers=answers)
    except PairwrightError as error:
        one.refused = str(error)
        return
    one.terms, one.own, one.repels, one.synthetic = made.terms, made.own, made.repels, made.synthetic
    one.answered += made.answered
    for place, kind in enumerate(TIMES):
        one.each[kind] += made.each[kind]
        one.rows[kind] += _drawn(made, kind, graph, seed * len(TIMES) + place)


def _drawn(made: "Created", kind: str, graph: ConstraintGraph, seed: int) -> list[tuple[int, int, int, float]]:
    """(term, a, b, cosine) of each draw that the answers this round knew leave open."""
    from trainer.comparing import draw

    pairs, rows = made.of[kind], []
    for at in draw(pairs, TIMES[kind], seed).tolist():
        a, b = int(pairs.a[at]), int(pairs.b[at])
        if graph.relation(a, b) is None:
            rows.append((int(pairs.term[at]), a, b, round(float(pairs.cosine[at]), 4)))
    return rows


def _document(one: Found, rounds: int, seed: int) -> dict[str, Any]:
    """One method as JSON: its draws in a random order, each pair once with how often it was drawn."""
    words = {key: value for key, value in asdict(one).items() if key != "rows"}
    rows = {kind: _collapsed(drawn, seed) for kind, drawn in one.rows.items()}
    return {**words, "terms": list(one.terms), "each": {kind: n / rounds for kind, n in one.each.items()}, "rows": rows}


def _collapsed(drawn: Sequence[tuple[int, int, int, float]], seed: int) -> list[list[float]]:
    """[a, b, times, cosine, term] of each pair, in the order of a fair deck: who grades from the left grades fairly."""
    found: dict[tuple[int, int, int], list[float]] = {}
    for at in np.random.default_rng(seed).permutation(len(drawn)).tolist():
        term, a, b, cosine = drawn[at]
        found.setdefault((term, a, b), [a, b, 0, cosine, term])[2] += 1
    return list(found.values())
