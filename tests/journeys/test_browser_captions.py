"""Reviewing captions in a real browser: words stay words, keys answer, undo brings back, a sentence finds pictures."""

from pathlib import Path

import pytest

from app.settings import Settings
from db import catalog, feedback, queue
from db.engine import Database
from db.nouns import Kind, Question, Verdict
from tests.app.conftest import fill
from tests.journeys.furnished import learnt
from tests.journeys.test_browser import current, kind, needs_browser, page, playwright, server
from tests.journeys.test_browser_accessible import Auditor

pytestmark = pytest.mark.browser
__all__ = ["page"]
ATTACK = "<img src=x onerror='window.harmed = true'><script>window.harmed = true</script> a boat"
LONG = " ".join(f"sentence {at} of a caption that goes on and on." for at in range(60))


@pytest.fixture
def reviewed(tmp_path: Path) -> tuple[Settings, Database, int, list[int]]:
    """A workspace with captions, a version, and three questions on words."""
    settings = Settings(tmp_path / "workspace")
    database = settings.open()
    items = fill(database, settings.folder)
    words = [ATTACK, LONG, *(f"a {'dark disc' if at % 2 else 'bright square'}" for at in range(2, len(items)))]
    with database.write() as s:
        number = catalog.collection_id(s, "shapes")
        new = [
            catalog.NewItem(one.sha256, 96, 96, one.path, attributes={"words": text})
            for one, text in zip(catalog.items(s, number), words, strict=True)
        ]
        catalog.add_items(s, number, new)
        about = catalog.add_criterion(s, "words", number, catalog.CAPTION_PROMPT, "words")
        shown = [
            Question(about, Kind.CAPTION, items[at], (), "test", text=words[at], reason="Because.") for at in range(3)
        ]
        queue.put(s, about, shown)
    learnt(database, settings, about, items)
    return settings, database, about, items


@needs_browser
@pytest.mark.timeout(240)
def test_captions_are_reviewed_by_keys_and_searched_by_a_sentence(
    page: "playwright.Page", reviewed: tuple[Settings, Database, int, list[int]]
) -> None:
    settings, database, criterion, items = reviewed
    with server(settings.folder, trainer=False) as (_, address):
        auditor = Auditor(page)
        auditor.begin(address)
        first = current(page)
        assert kind(page) == Kind.CAPTION.value
        assert page.locator(".pw-question:not(.waiting) .pw-said").inner_text() == ATTACK
        assert page.evaluate("window.harmed") is None
        assert page.get_by_role("button", name="Belongs").count() == 1
        assert page.get_by_role("button", name="Swap").count() == 0
        auditor.look("caption")
        page.set_viewport_size({"width": 1280, "height": 720})
        page.keyboard.press("d")
        page.wait_for_function("was => document.querySelector('.pw-label').dataset.question !== was", arg=first)
        auditor.look("long caption")
        page.set_viewport_size({"width": 1280, "height": 720})
        page.keyboard.press("s")
        page.wait_for_function("document.querySelector('.pw-saved').dataset.waiting === '0'")
        page.keyboard.press("z")
        page.locator(".pw-question:not(.waiting) .pw-said", has_text="sentence 59").wait_for()
        page.wait_for_function("document.querySelector('.pw-saved').dataset.waiting === '0'")
        page.get_by_role("tab", name="Search").click()
        page.get_by_role("tab", name="Sentence").click()
        page.get_by_label("Sentence to search with").fill("discs")
        page.keyboard.press("Enter")
        page.wait_for_function("Number(document.querySelector('.pw-search').dataset.results) > 0")
        auditor.look("sentence")
        assert page.locator(".pw-steer-words").inner_text() == "discs"
    with database.read() as s:
        texts = catalog.texts(s, catalog.criterion(s, criterion))
        assert [(one.a, one.verdict) for one in feedback.captions(s, criterion, texts)] == [
            (items[0], Verdict.DIFFERENT)
        ]
    database.close()
    assert not auditor.found, "\n".join(auditor.found)
