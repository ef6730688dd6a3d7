"""Who reads the words of a criterion: names that people give, checked at the door."""

from db.errors import BadInput, unknown
from oracle import plugins

FAMILY = "trainer.towers"
MOST = 3


def checked_words(spoken: str) -> str:
    """Names of towers joined by +, as they are kept. Raises: NotFound with the nearest spelling, or BadInput."""
    names = [name.strip() for name in spoken.split("+") if name.strip()]
    if len(names) > MOST or len(set(names)) < len(names):
        raise BadInput(
            f"words = at most {MOST} different towers joined by + expected, got '{spoken}'. Try ngrams+minilm."
        )
    known = [name for name in plugins.names(FAMILY) if not name.startswith("_")]
    for name in names:
        file, _, model = name.partition(":")
        if file.replace("-", "_") not in known:
            raise unknown("tower of words", file, known)
        if file == "hf" and not model:
            raise BadInput("the tower hf needs the name of a model. Say hf:OWNER/MODEL, or hf:FOLDER.")
    return "+".join(names)


def tried_words(spoken: str) -> str:
    """The same, and each has read a word: what is not installed, or hears recordings, is said now. Needs torch."""
    from trainer.captions import read_by

    found = checked_words(spoken)
    for name in found.split("+") if found else []:
        read_by(name, ["words"])
    return found
