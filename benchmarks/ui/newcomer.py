"""Somebody who has never seen Pairwright: a fresh demo, its tour, and so many pairs labelled by keyboard alone."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.settings import Settings
from benchmarks.ui.measures import LABEL, NEXT, READY
from benchmarks.ui.workspace import ROOT
from db import catalog

PAIRS = 50
SAVED = "document.querySelector('.pw-saved').dataset.waiting === '0'"
TICKS = "1234567890-="
SEEN = """(screen) => {
    const pictures = [...document.querySelectorAll('.pw-question:not(.waiting) img')];
    return [screen.dataset.kind, ...pictures.map((one) => one.alt)];
}"""
Same = Callable[[str, str], bool]


@dataclass
class Session:
    """What was done: pairs judged, questions answered, seconds from asking for the page to everything saved."""

    pairs: int = 0
    answers: int = 0
    seconds: float = 0.0


Enough = Callable[[Session], bool]


@contextmanager
def demo(folder: Path, *, before: str = "") -> Iterator[str]:
    """`pairwright demo` on a free port; yields its address. before: Python that runs first, for a smaller demo."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    words = ["demo", "--no-browser", "--port", "0", "--workspace", str(folder)]
    command = [sys.executable, "-c", f"{before}\nfrom app.cli import main\nmain({words!r})"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            address = next((found[0] for line in process.stdout if (found := re.findall(r"http://[\w.:]+", line))), "")
            if not address:
                raise RuntimeError("the demo did not start; its last words are above.")
            yield address
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def first_session(
    page: Any, address: str, same: Same, *, think_s: float, enough: Enough, by_question: bool = False
) -> Session:
    """From asking for the page until `enough`, by keys only. same: what this person sees in two pictures' names.

    think_s: seconds of thought for each pair, or for each question where `by_question`.
    """
    done, began = Session(), time.perf_counter()
    page.goto(address)
    _tour(page)
    while not enough(done):
        page.wait_for_function(READY)
        before = page.eval_on_selector(LABEL, "one => one.dataset.question")
        kind, anchor, *others = page.eval_on_selector(LABEL, SEEN)
        judged = _keys(kind, [same(_name(anchor), _name(one)) for one in others])
        page.wait_for_timeout(1000 * think_s * (1 if by_question else judged.pairs))
        for key in judged.keys:
            page.keyboard.press(key)
        page.wait_for_function(NEXT, arg=before)
        done.pairs, done.answers = done.pairs + judged.pairs, done.answers + 1
    page.wait_for_function(SAVED)
    done.seconds = round(time.perf_counter() - began, 1)
    return done


@dataclass(frozen=True)
class Judged:
    """The keys of one answer and how many pairs it judges."""

    keys: list[str]
    pairs: int


def _keys(kind: str, same: list[bool]) -> Judged:
    """Pairs and groups take one key; otherwise a number marks what stands out, and Enter confirms."""
    if kind in ("pair", "merge"):
        return Judged(["s" if same[0] else "d"], 1)
    odd = kind == "odd_ones_out"
    marks = [key for key, alike in zip(TICKS, same, strict=False) if alike is not odd]
    return Judged([*marks, "Enter"], len(same))


def _tour(page: Any) -> None:
    """Read on with Enter until it ends."""
    tour = page.get_by_role("dialog", name="A short tour")
    tour.wait_for()
    while tour.count():
        page.keyboard.press("Enter")
        page.wait_for_timeout(100)


def _name(alt: str) -> str:
    """A picture's alternative text is its place and its name."""
    return alt.split(": ", 1)[-1]


def newcomer(browser: Any) -> dict[str, float]:
    """In the demo as it comes: 50 pairs, a second of thought for each; then 50 questions, a second for each."""
    with tempfile.TemporaryDirectory(prefix="demo-") as folder, demo(Path(folder)) as address:
        same = alike(Path(folder), "kind")
        pairs = _alone(browser, address, same, 1.0, lambda done: done.pairs >= PAIRS)
        questions = _alone(browser, address, same, 1.0, lambda done: done.answers >= PAIRS, by_question=True)
    return {"pairs": pairs.pairs, "in": pairs.answers, "seconds": pairs.seconds, "questions": questions.answers,
            "their_pairs": questions.pairs, "their_seconds": questions.seconds}  # fmt: skip


def _alone(browser: Any, address: str, same: Same, think_s: float, enough: Enough, **how: bool) -> Session:
    """In a browser that has never been here."""
    page = browser.new_context(viewport={"width": 1280, "height": 720}).new_page()
    page.set_default_timeout(120_000)
    done = first_session(page, address, same, think_s=think_s, enough=enough, **how)
    page.context.close()
    return done


def alike(folder: Path, attribute: str) -> Same:
    """What a truthful person says of two pictures' names."""
    with closing(Settings(folder).open()) as database, database.read() as s:
        items = [item for one in catalog.collections(s) for item in catalog.items(s, one.id)]
    known = {item.name: item.attributes[attribute] for item in items}
    return lambda one, other: known[one] == known[other]
