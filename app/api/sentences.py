"""A sentence as something to search with: where the captions of a collection say what words look like."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from app.api.context import Context
from app.eye import Read
from app.eye_words import packed
from db import catalog, feedback
from db.catalog import Criterion
from db.errors import BadInput
from db.versions import Version
from oracle.ledger import Fits
from trainer.fits import as_it_stands

LEAST = 10  # captions from which words can be learnt


def captioned(s: Session, about: Criterion) -> tuple[Criterion, dict[int, str]]:
    """The criterion with the column its words are in, `caption` unless it is about another; and the words."""
    worded = about if about.captions else replace(about, captions="caption")
    return worded, catalog.texts(s, worded)


def unable(s: Session, about: Criterion) -> str | None:
    """Why a sentence cannot be searched with, and what to do; None where it can."""
    _, texts = captioned(s, about)
    if len(texts) >= LEAST and len(set(texts.values())) > 1:
        return None
    return (
        "No captions say what words look like here. Import the collection again with --caption-column COLUMN, or add a "
        "criterion with --captions COLUMN and choose it above."
    )


def placed(
    here: Context, about: Criterion, version: Version, sentence: str, liked: Sequence[int], disliked: Sequence[int]
) -> Read:
    """Where the sentence lies among the pictures of a version. Raises BadInput where there are no captions."""
    with here.database.read() as s:
        why = unable(s, about)
        key = f"{version.id} {feedback.last_event(s, about.id)} {hash(tuple(captioned(s, about)[1].values()))}"
    if why is not None:
        raise BadInput(why)
    asked = {
        "sentence": sentence, "encoder": version.encoder, "head": version.artifact, "words": about.words, "key": key,
        "collection": about.collection, "liked": list(liked), "disliked": list(disliked),
    }  # fmt: skip
    return here.eye.read(asked, lambda: _captions(here, about))


def _captions(here: Context, about: Criterion) -> bytes:
    """Every caption with how far it is believed: a rejected one teaches nothing."""
    with here.database.read() as s:
        worded, texts = captioned(s, about)
        if not about.captions:
            return packed({item: (words, 1.0) for item, words in texts.items()})
        reader = as_it_stands(s, here.settings.store(), worded)
    fits = reader.fits or Fits({}, texts)
    return packed({item: (words, reader.graph.chance(item, fits.of(item))) for item, words in texts.items()})
