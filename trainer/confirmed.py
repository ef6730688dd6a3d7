"""Which words somebody confirmed to belong to their picture, and which somebody rejected: item id -> yes or no.

They stand in a column of the metadata, 1 or 0, or come from answers: `with_verdicts` puts those into the column.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from db.errors import BadInput
from trainer.attributes import Attributes

LEAST = 8  # confirmed pairs that can teach anything
YES, NO = ("1", "1.0", "true", "yes"), ("0", "0.0", "false", "no")


def said(attributes: Attributes, column: str) -> dict[int, bool]:
    """The verdicts of a column. Raises: NotFound for an unknown one; BadInput for a value neither yes nor no."""
    known = attributes.codes(column) >= 0
    found = {}
    for number, value in zip(attributes.ids[known].tolist(), attributes.values[column][known], strict=True):
        word = str(value).strip().lower()
        if word not in (*YES, *NO):
            raise BadInput(f"the column '{column}' = 1 or 0 expected, got '{value}'. Leave open what nobody judged.")
        found[number] = word in YES
    return found


def enough(attributes: Attributes, column: str) -> dict[int, bool]:
    """The same. Raises BadInput where fewer than `LEAST` are confirmed."""
    found = said(attributes, column) if column in attributes.values else {}
    if sum(found.values()) < LEAST:
        raise BadInput(
            f"{sum(found.values())} pictures with confirmed words = at least {LEAST} expected, a hundred are enough. "
            f"Answer a review of these words (pairwright criterion add NAME --captions COLUMN), put 1 into the column "
            f"'{column}' of the metadata, or name another by selector.confirmed=COLUMN."
        )
    return found


def with_verdicts(attributes: Attributes, verdicts: Mapping[int, bool], column: str = "confirmed") -> Attributes:
    """The same metadata with these verdicts in a column, over what stood there."""
    new = np.full(len(attributes.ids), None, dtype=object)
    if column in attributes.values:
        new[:] = attributes.values[column]
    for place, number in enumerate(attributes.ids.tolist()):
        if number in verdicts:
            new[place] = int(verdicts[number])
    return replace(attributes, values={**attributes.values, column: new})
