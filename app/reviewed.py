"""What reviews of captions say of the words beside pictures, and how training listens.

rejected words do not pull their picture, they push;  confirmed ones teach the reference model of a selector
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from db import catalog, feedback
from db.engine import Database
from oracle.ledger import Ledger
from trainer.attributes import Attributes
from trainer.confirmed import with_verdicts
from trainer.provenance import digest
from trainer.recipe import Recipe

Verdicts = Mapping[str, Mapping[int, bool]]  # column -> item id -> whether its words belong


def reviewed(database: Database, collection: int) -> Verdicts:
    """The verdicts that stand, of every review of the collection; where evidence is even, none."""
    found: dict[str, dict[int, bool]] = {}
    with database.read() as s:
        for about in catalog.criteria(s, collection):
            if about.captions:
                said = feedback.captions(s, about.id, catalog.texts(s, about))
                nats = Ledger.of(said).nats
                found.setdefault(about.captions, {}).update({item: one > 0 for item, one in nats.items() if one})
    return {column: verdicts for column, verdicts in found.items() if verdicts}


def listening(attributes: Attributes, words: Verdicts, recipe: Recipe) -> Attributes:
    """The metadata with these verdicts: whose words are denied, and the column that the recipe's selector goes by."""
    denied = {column: {item for item, yes in said.items() if not yes} for column, said in words.items()}
    found = replace(attributes, denied={**attributes.denied, **denied})
    goes_by, about = getattr(recipe.selector, "confirmed", ""), words.get(getattr(recipe.look, "column", ""), {})
    return with_verdicts(found, about, goes_by) if goes_by and about else found


def mark(words: Verdicts) -> str:
    """A short text that is another one for other verdicts."""
    flat = sorted((column, item, yes) for column, said in words.items() for item, yes in said.items())
    return f"{len(flat)} ({digest(np.frombuffer(repr(flat).encode(), np.uint8))})"
