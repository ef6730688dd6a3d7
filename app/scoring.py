"""Compare what the system believes with a metadata column."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from db.errors import unknown
from db.nouns import Item

if TYPE_CHECKING:
    from app.view import View


def column(name: str, items: Sequence[Item]) -> list[Any]:
    """The value of one attribute for each item, None where it has none.

    Raises: NotFound when no item has the attribute.
    """
    values = [item.attributes.get(name) for item in items]
    if all(value is None for value in values):
        known = {key for item in items for key in item.attributes}
        raise unknown("metadata column", name, known, remedy="Import again with --metadata to add columns.")
    return values


def score_view(
    seen: "View", truth: Sequence[Any], seed: int, rounds: int = 200
) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """Every figure, and its 95 % bootstrap interval (none for 0 rounds), over all labelled items."""
    from trainer.evaluate import bootstrap, scores

    labels, neighbours = seen.belief.labels, seen.snapshot.neighbours
    figures = scores(truth, labels, seen.snapshot.vectors, neighbours)
    return figures, bootstrap(truth, labels, neighbours, seed=seed, rounds=rounds) if rounds else {}
