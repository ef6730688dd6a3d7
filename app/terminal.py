"""Answer questions in a terminal: pictures as coloured half-blocks, one line of keys or numbers per answer."""

import io
import secrets
import time
from collections.abc import Sequence

import numpy as np
import typer
from PIL import Image
from rich.columns import Columns
from rich.console import Console, Group
from rich.text import Text

from app.importers.media import media_bytes
from app.settings import Settings
from app.view import view
from db import catalog, feedback, queue
from db.engine import Database
from db.errors import BadInput
from db.nouns import Answer, Item, Kind, PairVerdict, Question, Verdict
from oracle.captions import FAMILY
from trainer.asker import Asker
from trainer.fits import as_it_stands

WIDTH = 26  # characters; a picture is as many pixels wide and high
KEYS = {
    "s": Verdict.SAME,
    "d": Verdict.DIFFERENT,
    "n": Verdict.NOT_COMPARABLE,
    "u": Verdict.UNSURE,
    "k": Verdict.SKIP,
}
HOW = {
    Kind.PAIR: "s same, d different",
    Kind.CAPTION: "s the words belong, d they do not",
    Kind.MERGE: "s all of them belong together, d they do not",
    Kind.TICK: "numbers of those that belong with A (1 3 4), enter for none, all",
    Kind.ODD: "numbers of the strangers, enter for none, all",
    Kind.MISSING: "numbers of those that do belong with A, enter for none, all",
}
NUMBERED = {  # kind: (what a typed number means, what the others mean)
    Kind.TICK: (Verdict.SAME, Verdict.DIFFERENT),
    Kind.ODD: (Verdict.DIFFERENT, Verdict.SAME),
    Kind.MISSING: (Verdict.SAME, Verdict.DIFFERENT),
}


def ask_here(settings: Settings, database: Database, criterion: str, count: int, source: str, out: Console) -> int:
    """Ask up to `count` questions; returns how many were answered. `q` or the end of the input stops."""
    with database.read() as s:
        about = catalog.criterion(s, criterion)
    asker = _asker(settings, database, about)
    holder = f"{source}/{secrets.token_hex(4)}"
    for done in range(count):
        asker.refresh()
        with database.write() as s:
            claimed = queue.claim(s, about.id, holder, 1, source=source)
        if not claimed:
            out.print("Nothing is left to ask.")
            return done
        if not _one(settings, database, about.prompt, claimed[0], source, out):
            return done
    return count


def _asker(settings: Settings, database: Database, about: catalog.Criterion) -> Asker:
    """What keeps the queue fresh: about captions, or about pairs."""
    if about.captions:
        with database.read() as s:
            reader = as_it_stands(s, settings.store(), about)
        asker = Asker(database, about.id, family=FAMILY, follower=reader)
        asker.snapshot = reader.fits
        return asker
    asker = Asker(database, about.id)
    asker.snapshot = view(settings, database, about.id).snapshot
    return asker


def _one(settings: Settings, database: Database, prompt: str, leased: queue.Leased, source: str, out: Console) -> bool:
    """Show one question and record the answer; False if the person stops instead."""
    asked = leased.question
    with database.read() as s:
        items = catalog.items_by_id(s, [asked.anchor, *asked.context, *asked.candidates])
    show(settings, asked, items, prompt, out)
    began = time.monotonic()
    verdicts = _verdicts(asked, out)
    with database.write() as s:
        if verdicts is None:
            queue.release(s, asked.id or 0, leased.token)
            return False
        seconds = time.monotonic() - began
        feedback.record(s, Answer(asked.id or 0, verdicts, source, secrets.token_hex(16), seconds, leased.token))
    return True


def _verdicts(asked: Question, out: Console) -> tuple[PairVerdict, ...] | None:
    """Ask until the line can be understood; None to stop."""
    while True:
        out.print(f"{HOW[asked.kind]}; n not comparable, u unsure, k skip, q quit")
        try:
            line = typer.prompt("", default="", show_default=False, prompt_suffix="> ", err=True)
        except typer.Abort:
            return None
        if line.strip().lower() == "q":
            return None
        try:
            return understood(asked, line)
        except BadInput as error:
            out.print(str(error))


def understood(asked: Question, line: str) -> tuple[PairVerdict, ...]:
    """What one typed line says about every pair of the question. Raises BadInput if it says nothing."""
    word, pairs = line.strip().lower(), asked.pairs()
    if word in KEYS and (asked.kind not in NUMBERED or word not in "sd"):
        return tuple(PairVerdict(a, b, KEYS[word]) for a, b in pairs)
    if asked.kind not in NUMBERED:
        raise BadInput(f"expected one of {', '.join(KEYS)}, got '{line.strip()}'.")
    typed, others = NUMBERED[asked.kind]
    chosen = _numbers(word, len(pairs))
    return tuple(PairVerdict(a, b, typed if n in chosen else others) for n, (a, b) in enumerate(pairs, start=1))


def _numbers(word: str, most: int) -> set[int]:
    if word == "all":
        return set(range(1, most + 1))
    parts = word.replace(",", " ").split()
    if not all(part.isdecimal() and 1 <= int(part) <= most for part in parts):
        raise BadInput(f"expected numbers from 1 to {most}, got '{word}'.")
    return {int(part) for part in parts}


def show(settings: Settings, asked: Question, items: dict[int, Item], prompt: str, out: Console) -> None:
    """Draw the question: the anchor's group as A, the candidates numbered."""
    out.rule(prompt)
    if asked.reason:
        out.print(asked.reason, style="dim")
    anchors = [_card(settings, items[i], "A") for i in (asked.anchor, *asked.context)]
    others = [_card(settings, items[i], str(n)) for n, i in enumerate(asked.candidates, start=1)]
    for row in (anchors, others):
        out.print(Columns(row, padding=(0, 2)))
    if asked.text:
        out.print(Text(asked.text, style="bold"))


def _card(settings: Settings, item: Item, title: str) -> Group:
    data, _ = media_bytes(settings.folder, item.sha256, item.path, 128)
    with Image.open(io.BytesIO(data)) as image:
        picture = image.convert("RGB")
        picture.thumbnail((WIDTH, WIDTH))
    return Group(Text(f"{title}  {item.name}"[:WIDTH], style="bold"), blocks(np.asarray(picture)))


def blocks(pixels: np.ndarray) -> Text:
    """A picture (H, W, 3) uint8 as text: each character is two pixels, the upper in the ink, the lower in the paper."""
    drawn = Text()
    for upper, lower in zip(pixels[0::2], _padded(pixels)[1::2], strict=True):
        for ink, paper in zip(upper, lower, strict=True):
            drawn.append("▀", style=f"{_hex(ink)} on {_hex(paper)}")
        drawn.append("\n")
    return drawn


def _padded(pixels: np.ndarray) -> np.ndarray:
    return pixels if len(pixels) % 2 == 0 else np.concatenate([pixels, pixels[-1:]])


def _hex(colour: Sequence[int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
