"""Tables of one criterion by their names: the same rows whether a terminal or a browser asks for them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.exporters.answers import FIELDS as ANSWER_FIELDS
from app.exporters.answers import answer_rows
from app.exporters.captions import FIELDS as CAPTION_FIELDS
from app.exporters.captions import caption_rows
from app.exporters.embeddings import export_embeddings
from app.exporters.formats import Row, write_rows
from app.exporters.groups import FIELDS as GROUP_FIELDS
from app.exporters.groups import group_rows
from app.exporters.pairs import FIELDS as PAIR_FIELDS
from app.exporters.pairs import pair_rows
from app.settings import Settings
from db import catalog, feedback
from db.catalog import Criterion
from db.engine import Database
from db.errors import BadInput, unknown

if TYPE_CHECKING:
    from app.view import View


@dataclass(frozen=True)
class Wish:
    """Which criterion, into which file, as what. format: by the file's ending when None. version: the served one.

    look: how a server looks at the criterion, which must not wait for features; by `app.view.view` when None.
    """

    criterion: str | int
    out: Path
    format: str | None = None
    version: int | None = None
    look: "Callable[[], View] | None" = None

    def view(self, settings: Settings, database: Database) -> "View":
        """The criterion as its version and today's answers show it."""
        from app.view import view

        return self.look() if self.look else view(settings, database, self.criterion, self.version)


def take(settings: Settings, database: Database, what: str, wish: Wish) -> int:
    """Write one of TABLES; returns its number of rows. Raises NotFound, BadInput."""
    if what not in TABLES:
        raise unknown("table", what, TABLES)
    return TABLES[what](settings, database, wish)


def pairs_of(database: Database, about: Criterion) -> Iterator[Row]:
    """Every pair verdict of a criterion that stands."""
    with database.read() as s:
        items = {item.id: item for item in catalog.items(s, about.collection)}
        said = feedback.statements(s, about.id)
    return pair_rows(said, items)


def groups_of(shown: "View") -> Iterator[Row]:
    """Every item with its group as people see it."""
    from app.homes import seen

    return group_rows(shown.snapshot.ids, seen(shown.belief).labels, shown.sure, shown.stated, shown.items)


def captions_of(settings: Settings, database: Database, about: Criterion) -> Iterator[Row]:
    """Every caption of a criterion on captions. Raises BadInput for one on pairs."""
    from oracle.ledger import Fits
    from trainer.fits import as_it_stands

    if not about.captions:
        raise BadInput(f"'{about.name}' asks about pairs, not captions. Take its pairs out instead.")
    with database.read() as s:
        items = {item.id: item for item in catalog.items(s, about.collection)}
        reader = as_it_stands(s, settings.store(), about)
    return caption_rows(reader.fits or Fits({}, {}), reader.graph, items)


def _pairs(settings: Settings, database: Database, wish: Wish) -> int:
    return write_rows(pairs_of(database, _about(database, wish)), PAIR_FIELDS, wish.out, wish.format)


def _groups(settings: Settings, database: Database, wish: Wish) -> int:
    return write_rows(groups_of(wish.view(settings, database)), GROUP_FIELDS, wish.out, wish.format)


def _captions(settings: Settings, database: Database, wish: Wish) -> int:
    rows = captions_of(settings, database, _about(database, wish))
    return write_rows(rows, CAPTION_FIELDS, wish.out, wish.format)


def _about(database: Database, wish: Wish) -> Criterion:
    with database.read() as s:
        return catalog.criterion(s, wish.criterion)


def _embeddings(settings: Settings, database: Database, wish: Wish) -> int:
    shown = wish.view(settings, database)
    return export_embeddings(shown.snapshot.ids, shown.snapshot.vectors, shown.items, wish.out, wish.format)


def _answers(settings: Settings, database: Database, wish: Wish) -> int:
    with database.read() as s:
        about = catalog.criterion(s, wish.criterion)
        items = {item.id: item for item in catalog.items(s, about.collection)}
        return write_rows(answer_rows(feedback.history(s, about.id), items), ANSWER_FIELDS, wish.out, wish.format)


TABLES: dict[str, Callable[[Settings, Database, Wish], int]] = {
    "pairs": _pairs,
    "groups": _groups,
    "captions": _captions,
    "embeddings": _embeddings,
    "answers": _answers,
}
