"""Groups in a real browser: approve, split, merge, name, ask why, undo by key."""

from pathlib import Path

import pytest

from app.settings import Settings
from db import catalog, feedback, group_names
from db.nouns import Statement, Verdict
from db.tables import ItemRow
from tests.app.conftest import World, fill
from tests.app.test_versions import keep_snapshot
from tests.journeys.test_browser import needs_browser, page, playwright, server

pytestmark = pytest.mark.browser
__all__ = ["page"]
HOSTILE = "<img src=x onerror=window.hacked=1>"


def made(folder: Path) -> World:
    """Pictures in two clear groups, one of them with a name that would like to run."""
    settings = Settings(folder, trainer=False)
    database = settings.open()
    items = fill(database, settings.folder)
    with database.write() as s:
        criterion = catalog.add_criterion(s, "shape", catalog.collection_id(s, "shapes"), "Same shape?")
        for item in items[:4]:
            row = s.get(ItemRow, item)
            assert row is not None
            row.name = HOSTILE
    world = World(settings, database, None, items, criterion, [], {})
    keep_snapshot(world, settings.folder)
    return world


def standing(world: World) -> list[Statement]:
    with world.database.read() as s:
        return feedback.statements(s, world.criterion)


def saved(page: "playwright.Page", screen: str) -> None:
    page.locator(f"{screen} .pw-sent", has_text="saved").first.wait_for()
    page.wait_for_function("Object.keys(localStorage).every((name) => !name.startsWith('pairwright/outbox-groups/'))")


@needs_browser
@pytest.mark.timeout(200)
def test_a_group_is_approved_split_named_and_merged_by_keyboard(page: "playwright.Page", tmp_path: Path) -> None:
    """Each is one ordinary answer, each can be taken back, and nothing that somebody typed runs."""
    world = made(tmp_path / "workspace")
    evens = set(world.items[::2])
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    with server(world.settings.folder, trainer=False) as (_, address):
        page.goto(address)
        page.get_by_role("tab", name="Groups").click()
        page.locator(".pw-group").nth(1).wait_for()
        assert page.locator(".pw-groups-list").get_by_text("2 groups of 24 pictures").count() == 1
        page.locator(f".pw-group[data-anchor='{anchor(page, evens)}'] .pw-group-face").click()
        page.locator(".pw-member").nth(11).wait_for()

        page.locator(".pw-member").nth(2).click()
        page.locator(".pw-member").nth(3).click()
        page.keyboard.press("e")
        page.get_by_text("Believed by the model only").wait_for()
        page.keyboard.press("Escape")
        page.keyboard.press("x")  # the two chosen do not belong
        saved(page, ".pw-group-open")
        (one, other) = standing(world)
        assert (one.verdict, other.verdict, one.answer) == (Verdict.DIFFERENT, Verdict.DIFFERENT, other.answer)
        page.keyboard.press("z")
        page.get_by_text("Taken back: 2 pictures rejected.").wait_for()
        saved(page, ".pw-group-open")
        assert standing(world) == []

        page.locator(".pw-group-open .pw-num", has_text="12 pictures").wait_for()
        page.keyboard.press("a")
        page.locator(".pw-group-open .pw-num", has_text="12 confirmed").wait_for()
        said = standing(world)
        assert {item for one in said for item in (one.a, one.b)} == evens and len({one.answer for one in said}) == 1
        assert [one.source for one in said] == ["admin"] * 11
        page.locator(".pw-member.confirmed").nth(2).click()
        page.locator(".pw-member.confirmed").nth(3).click()
        page.keyboard.press("e")
        page.get_by_text("A chain of 2 answers says so").wait_for()
        assert page.locator(".pw-steps img").count() == 3
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")  # nothing chosen any more

        page.keyboard.press("n")
        page.get_by_label("Name of this group").fill(HOSTILE)
        page.keyboard.press("Enter")
        saved(page, ".pw-group-open")
        with world.database.read() as s:
            assert [one.name for one in group_names.names(s, world.criterion).values()] == [HOSTILE]
        page.keyboard.press("Escape")
        page.locator(".pw-group b", has_text=HOSTILE).wait_for()
        page.reload()
        page.get_by_role("tab", name="Groups").click()
        page.locator(".pw-group b", has_text=HOSTILE).wait_for()

        for box in range(2):
            page.locator(".pw-group-pick input").nth(box).check()
        page.keyboard.press("m")
        page.get_by_role("dialog").get_by_text("Same shape?").wait_for()
        page.keyboard.press("s")
        page.get_by_text("1 group of 24 pictures").wait_for()
        page.keyboard.press("z")
        page.get_by_text("2 groups of 24 pictures").wait_for()
        assert page.evaluate("window.hacked") is None
    assert {one.verdict for one in standing(world)} == {Verdict.SAME}
    world.database.close()
    assert faults == []


def anchor(page: "playwright.Page", evens: set[int]) -> int:
    """The item that stands for the group of even places."""
    anchors = page.eval_on_selector_all(".pw-group", "all => all.map((one) => Number(one.dataset.anchor))")
    return next(one for one in anchors if one in evens)
