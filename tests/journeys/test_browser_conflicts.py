"""Contradictions in a real browser: seen with who said what, answered again by key, gone; hostile names do not run."""

import uuid
from pathlib import Path

import pytest

from app.settings import Settings
from db import catalog, feedback, queue
from db.nouns import Answer, Kind, PairVerdict, Question, Verdict
from tests.app.conftest import fill
from tests.journeys.test_browser import needs_browser, page, playwright, server

pytestmark = pytest.mark.browser
__all__ = ["page"]
EVIL = '"><img src=x onerror=window.ran=1>'


@needs_browser
@pytest.mark.timeout(240)
def test_a_contradiction_is_answered_again_and_is_gone(page: "playwright.Page", tmp_path: Path) -> None:
    settings = Settings(tmp_path / "workspace")
    database = settings.open()
    a, b, c, *_ = fill(database, settings.folder)
    with database.write() as s:
        criterion = catalog.add_criterion(s, "shape", catalog.collection_id(s, "shapes"), "Same shape?")
        for source, one, other, verdict in (
            ("ada", a, b, Verdict.SAME), (EVIL, b, c, Verdict.SAME), ("grace", a, c, Verdict.DIFFERENT),
        ):  # fmt: skip
            asked = queue.about_pair(s, Question(criterion, Kind.PAIR, one, (other,), "test"))
            feedback.record(s, Answer(asked, (PairVerdict(one, other, verdict),), source, uuid.uuid4().hex))
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    with server(settings.folder) as (_, address):
        page.goto(address)
        page.get_by_role("tab", name="Conflicts").click()
        page.get_by_text("1 open contradiction").wait_for()
        card = page.locator(".pw-contradiction")
        card.get_by_text("Said to be different, yet joined by others").wait_for()
        assert card.locator(".pw-walk img").count() == 3 and card.get_by_text("grace: different").count() == 1
        page.wait_for_function("[...document.querySelectorAll('.pw-again img')].every((one) => one.naturalWidth > 0)")
        pair = card.locator(f"[data-pair='{a}-{c}']")
        assert pair.count() == 1  # the one "different" against two that say "same"
        pair.focus()
        page.keyboard.press("s")
        page.keyboard.press("s")
        page.get_by_text("No contradictions").wait_for()
        page.get_by_label("also those that later answers outvoted").check()
        page.locator(".pw-contradiction.settled").wait_for()
        assert page.locator(".pw-history").get_by_text("admin").count() >= 1
        assert page.evaluate("window.ran") is None
    with database.read() as s:
        mine = [one for one in feedback.statements(s, criterion) if one.source == "admin"]
    assert mine and {one.verdict for one in mine} == {Verdict.SAME}
    database.close()
    assert faults == []
