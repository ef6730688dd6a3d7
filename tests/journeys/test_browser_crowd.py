"""Eight annotators in eight browsers at once, beside a trainer, and a server killed in between: nothing is lost."""

from collections import defaultdict
from contextlib import closing
from pathlib import Path

import pytest

from app.settings import Settings
from benchmarks.ui.workspace import made
from db import queue
from tests.journeys.crowd import Visitor, clicked, logged, visitors
from tests.journeys.test_browser import needs_browser, server
from tests.measured import tell

pytestmark = pytest.mark.browser
BEFORE, AFTER = 5, 5  # answers of each before and after the server is killed


@needs_browser
@pytest.mark.timeout(300)
def test_eight_annotators_and_a_killed_server_lose_no_click_and_double_none(tmp_path: Path) -> None:
    """Every key press of every page is in the log exactly once, and nothing else is."""
    settings, database, tokens = made(tmp_path / "workspace", pictures=90, items=0)
    database.close()
    with server(settings.folder) as (process, address):
        port = int(address.rsplit(":", 1)[1])
        with visitors(address, tokens) as all_:
            for one in all_:
                one.answer(BEFORE + AFTER)
            for one in all_:
                one.has_pressed(BEFORE)
            process.kill()
            process.wait()
            with server(settings.folder, port):
                for one in all_:
                    one.has_pressed(BEFORE + AFTER)
                    one.says("saved")
                assert [one.waiting() for one in all_] == [0] * len(all_)
                clicks, at_once = clicked(all_), together(settings, all_)
    assert clicks.total() == len(tokens) * (BEFORE + AFTER)
    assert logged(settings.folder) == clicks and set(clicks.values()) == {1}
    assert at_once == []  # overlap 1: no pair is before two people
    tell(11, annotators=len(tokens), server_kills=1, clicks=clicks.total(), lost=0, doubled=0, pairs_before_two=0)


def together(settings: Settings, all_: list[Visitor]) -> list[tuple[frozenset[int], str, str]]:
    """(pair, one, other) of every pair that two people had on screen at the same time."""
    seen: dict[frozenset[int], list[tuple[float, float, str]]] = defaultdict(list)
    with closing(settings.open()) as database, database.read() as s:
        asked = queue.questions(s, [question for one in all_ for question, _, _ in one.shown()])
    for one in all_:
        for question, begin, end in one.shown():
            for pair in asked[question].pairs():
                seen[frozenset(pair)].append((begin, end, one.name))
    return [
        (pair, a[2], b[2])
        for pair, times in seen.items()
        for at, a in enumerate(times)
        for b in times[at + 1 :]
        if a[2] != b[2] and a[0] < b[1] and b[0] < a[1]
    ]
