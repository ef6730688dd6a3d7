"""Which answers decide about a refresh and never train it.

    held items  ~ a hash of the item's id, the same for ever        (about a tenth of them)
    witnesses   = answers that touch a held item, and the audits put aside for ever
    lesson      = all the others

No lesson names a held item, so whatever follows from the lesson - a group and all who are in it - says nothing about
one: no witness can be known by closure. A witness that the lesson implies all the same, an audit between two items it
knows, is left out. Holding whole groups instead would take entire classes out of the lesson once answers have joined
them; see docs/why.md.
"""

from collections.abc import Iterable
from hashlib import blake2b

from db.nouns import Statement
from oracle.constraints import ConstraintGraph
from oracle.weighing import weighed_graph
from trainer.promotion import split

SHARE = 0.1  # of the items; an answer about two items touches one of them with chance .19


def is_held(item: int) -> bool:
    """Whether what is said about this item decides about refreshes, and never trains a backbone."""
    number = int.from_bytes(blake2b(f"held {item}".encode(), digest_size=4).digest(), "big")
    return number < SHARE * 2**32


def parted(statements: Iterable[Statement]) -> tuple[ConstraintGraph, list[Statement]]:
    """The lesson as a graph, and the witnesses it tells nothing about."""
    said, audits = split(statements)
    lesson = weighed_graph([one for one in said if not (is_held(one.a) or is_held(one.b))])
    held = [one for one in said if is_held(one.a) or is_held(one.b)]
    return lesson, [one for one in [*held, *audits] if lesson.relation(one.a, one.b) is None]
