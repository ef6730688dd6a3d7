"""The Groups screen without a mouse, and a group of more than a thousand pictures."""

import re
from pathlib import Path

import pytest

from benchmarks.ui.workspace import made as made_many
from db import catalog, feedback, group_names
from db.nouns import Verdict
from tests.journeys.test_browser import needs_browser, page, playwright, server
from tests.journeys.test_browser_groups import made, saved, standing

pytestmark = pytest.mark.browser
__all__ = ["page"]


def tab_to(page: "playwright.Page", selector: str) -> None:
    """Press Tab until the focus is on the first element like this."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
            return
    raise AssertionError(f"Tab never came to {selector}")


@needs_browser
@pytest.mark.timeout(200)
def test_groups_are_worked_with_by_keyboard_alone(page: "playwright.Page", tmp_path: Path) -> None:
    world = made(tmp_path / "workspace")
    with server(world.settings.folder, trainer=False) as (_, address):
        page.goto(address)
        page.get_by_role("tab", name="Groups").focus()
        page.keyboard.press("Enter")
        page.locator(".pw-group-face").nth(1).wait_for()
        tab_to(page, ".pw-group-face")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        page.locator(".pw-member").nth(11).wait_for()
        page.wait_for_function("document.activeElement.matches('.pw-member[data-place=\"0\"]')")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Space")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Shift+Space")
        page.get_by_role("button", name="Approve 2 chosen").wait_for()
        page.keyboard.press("x")
        saved(page, ".pw-group-open")
        assert [one.verdict for one in standing(world)] == [Verdict.DIFFERENT] * 2
        page.keyboard.press("z")
        page.get_by_text("Taken back: 2 pictures rejected.").wait_for()
        saved(page, ".pw-group-open")
        page.keyboard.press("n")
        page.keyboard.type("round things")
        page.keyboard.press("Enter")
        saved(page, ".pw-group-open")
        with world.database.read() as s:
            assert [one.name for one in group_names.names(s, world.criterion).values()] == ["round things"]
        page.keyboard.press("Escape")
        page.wait_for_function("document.activeElement.matches('.pw-group-face')")  # back where it was opened
        tab_to(page, ".pw-group-pick input")
        page.keyboard.press("Space")
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Space")
        page.keyboard.press("m")
        page.get_by_role("dialog").wait_for()
        page.keyboard.press("d")
        page.get_by_text("Kept apart: two groups.").wait_for()
        saved(page, ".pw-groups-list")
    assert [one.verdict for one in standing(world)] == [Verdict.DIFFERENT]
    world.database.close()


@needs_browser
@pytest.mark.timeout(300)
def test_a_group_of_more_than_a_thousand_is_approved_and_taken_back_as_one(
    page: "playwright.Page", tmp_path: Path
) -> None:
    """In answers of a thousand pairs, said beforehand; taken in beside the server, which can be stopped."""
    chosen, database, _ = made_many(tmp_path, pictures=2, items=1300)
    with database.read() as s:
        about = catalog.criterion(s, "many").id

    def answers() -> list[int]:
        with database.read() as s:
            said = feedback.statements(s, about)
        return [sum(one.answer == answer for one in said) for answer in sorted({one.answer for one in said})]

    page.add_init_script(f"localStorage.setItem('pairwright/criterion', '{about}')")
    with server(chosen.folder, trainer=False) as (_, address):
        page.goto(address)
        page.get_by_role("tab", name="Groups").click()
        page.locator(".pw-group-face").first.click()
        page.locator(".pw-member").nth(5).wait_for()
        page.keyboard.press("a")
        page.get_by_text("1,169 pairs, recorded in 2 answers").wait_for()
        page.keyboard.press("Escape")
        assert answers() == []
        page.route(re.compile(r"/api/v1/map$"), lambda route: route.fulfill(json={"id": 99, "progress": 0.25}))
        page.keyboard.press("a")
        page.get_by_role("dialog").wait_for()
        page.keyboard.press("Enter")
        page.locator(".pw-group-open .pw-num", has_text="1,170 confirmed").wait_for()
        assert answers() == [999, 170]
        page.locator(".pw-group-open").get_by_text("taking your answers in").wait_for()
        page.unroute(re.compile(r"/api/v1/map$"))
        page.locator(".pw-group-open").get_by_role("button", name="Cancel").click()
        page.locator(".pw-group-open").get_by_role("button", name="Take them in").click()
        page.wait_for_function(
            "!document.querySelector('.pw-group-open').dataset.stand.endsWith('.-1')", timeout=90_000
        )
        page.locator(".pw-group-open .pw-taking").wait_for(state="hidden")
        page.keyboard.press("z")
        page.get_by_text("Taken back: 1,170 pictures approved.").wait_for()
        page.locator(".pw-group-open .pw-num", has_text="0 confirmed").wait_for()
    assert answers() == []
    database.close()
