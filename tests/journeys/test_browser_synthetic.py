"""Synthetic pictures in a real browser: shown as what they are, beside their anchor; judged by key, undone, kept."""

from pathlib import Path

import pytest

from app.settings import Settings
from db import catalog, synthetic
from db.synthetic import State
from tests.app.conftest import fill, propose
from tests.journeys.test_browser import needs_browser, page, playwright, server

pytestmark = pytest.mark.browser
__all__ = ["page"]
DECODED = "[...document.querySelectorAll('.pw-synthetic-card img')].slice(0, 4).every((one) => one.naturalWidth > 0)"


@needs_browser
@pytest.mark.timeout(300)
def test_proposals_are_shown_as_synthetic_and_judged_by_key(page: "playwright.Page", tmp_path: Path) -> None:
    settings = Settings(tmp_path / "workspace")
    database = settings.open()
    items = fill(database, settings.folder)
    made = propose(database, settings.folder, items[:3])
    with database.write() as s:
        collection = catalog.collection_id(s, "shapes")
        catalog.add_criterion(s, "shape", collection, "Same shape?")
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    with server(settings.folder) as (_, address):
        page.goto(address)
        page.get_by_role("tab", name="Compare").click()
        cards = page.locator(".pw-synthetic-card")
        cards.first.wait_for()
        assert cards.count() == 3 and page.locator(".pw-synthetic").get_by_text("3 not judged yet").count() == 1
        cards.first.scroll_into_view_if_needed()
        page.wait_for_function(DECODED)
        frame = cards.first.locator(".made img")
        assert frame.evaluate("one => getComputedStyle(one).borderStyle") == "dashed"
        assert cards.first.locator(".made figcaption").inner_text() == "synthetic"
        assert cards.first.locator("figure:not(.made) img").get_attribute("alt") == "shape-000.png"

        cards.first.focus()
        page.keyboard.press("a")
        page.wait_for_function("document.querySelectorAll('.pw-synthetic-card')[1] === document.activeElement")
        page.keyboard.press("r")
        page.locator(".pw-synthetic-card[data-state=rejected]").wait_for()
        page.keyboard.press("z")  # the last one
        page.locator(".pw-synthetic-card[data-state=rejected]").wait_for(state="detached")
        cards.nth(2).get_by_role("button", name="Reject").click()
        page.locator(".pw-synthetic").get_by_text("1 rejected").wait_for()
        page.locator(".pw-synthetic").get_by_text("1 accepted").wait_for()
        page.reload()
        page.get_by_role("tab", name="Compare").click()
        page.locator(".pw-synthetic").get_by_text("1 not judged yet").wait_for()
        assert page.locator(".pw-synthetic-card").count() == 1
    with database.read() as s:
        found = [synthetic.one(s, number) for number in made]
    assert [one.state for one in found] == [State.ACCEPTED, State.PROPOSED, State.REJECTED]
    assert found[0].source == "admin"
    database.close()
    assert faults == []
