"""The labelling screen's conveniences in a real browser: every layout, keys of one's own, how sure, tour, calm end."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app.settings import Settings
from db import catalog, feedback, queue, versions
from db.engine import Database
from db.nouns import Kind, Question, Verdict
from tests.app.conftest import fill
from tests.journeys.test_browser import SERVE, current, kind, needs_browser, page, playwright, server

pytestmark = pytest.mark.browser
__all__ = ["page"]
UNTAUGHT = SERVE.replace("Settings(Path(sys.argv[1]))", "Settings(Path(sys.argv[1]), trainer=False)")
KEYS = [(Kind.PAIR, "s"), (Kind.MERGE, "d"), (Kind.MISSING, "2"), (Kind.TICK, "1"), (Kind.ODD, "3")]


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Settings, Database, int, list[int]]:
    """A workspace with one question of each layout and no trainer that asks others."""
    monkeypatch.setattr("tests.journeys.test_browser.SERVE", UNTAUGHT)
    settings = Settings(tmp_path / "workspace")
    database = settings.open()
    items = fill(database, settings.folder)
    with database.write() as s:
        criterion = catalog.add_criterion(s, "shape", catalog.collection_id(s, "shapes"), "Same shape?")
        for at, (one, _) in enumerate(KEYS):
            more = 1 if one is Kind.PAIR else 4
            context = tuple(items[20:23]) if one is Kind.MERGE else ()
            shown = Question(criterion, one, items[at], tuple(items[at + 1 : at + 1 + more]), "test", context=context)
            queue.put(s, criterion, [shown], retire=False)
    return settings, database, criterion, items


def said(database: Database, criterion: int) -> dict[int, list[tuple[int, str]]]:
    """Answer -> its (candidate, verdict) pairs, as the log has them."""
    found: dict[int, list[tuple[int, str]]] = {}
    with database.read() as s:
        for one in feedback.statements(s, criterion):
            found.setdefault(one.answer, []).append((one.b, one.verdict.value))
    return found


def pressed(page: "playwright.Page", do: Callable[[], None]) -> None:
    """Do something that shows the next question, and wait for it."""
    before = current(page)
    do()
    page.wait_for_function("before => document.querySelector('.pw-label').dataset.question !== before", arg=before)


@needs_browser
@pytest.mark.timeout(240)
def test_every_layout_is_answered_by_keys_and_the_end_is_calm(
    page: "playwright.Page", asked: tuple[Settings, Database, int, list[int]]
) -> None:
    settings, database, criterion, items = asked
    with server(settings.folder) as (_, address):
        page.goto(address)
        for layout, key in KEYS:
            current(page)
            assert kind(page) == layout.value
            if layout in (Kind.PAIR, Kind.MERGE):
                page.keyboard.press("c")
                page.keyboard.press("c")
                assert page.get_by_role("button", name="Probably").count() == 1
                pressed(page, lambda key=key: page.keyboard.press(key))
                continue
            page.keyboard.press(key)
            pressed(page, lambda: page.keyboard.press("Enter"))
        page.get_by_text("Nothing worth asking now").wait_for()
        assert page.get_by_text("Every pair that could still change a group").count() == 1
        page.wait_for_function("document.querySelector('.pw-saved').dataset.waiting === '0'")
        page.keyboard.press("z")  # also from the end there is a way back
        current(page)
        assert kind(page) == Kind.ODD.value
    answers = said(database, criterion)
    with database.read() as s:
        sure = {one.b: one.confidence for one in feedback.statements(s, criterion) if one.confidence}
    assert sorted(sure.values()) == [0.75, 0.75]
    assert len(answers) == 4 and sorted(len(one) for one in answers.values()) == [1, 1, 4, 4]
    ticked = [
        [item for item, verdict in one if verdict == Verdict.SAME.value] for one in answers.values() if len(one) == 4
    ]
    assert ticked == [[items[4]], [items[4]]]  # the second of the missing ones, the first of those to tick
    database.close()


@needs_browser
@pytest.mark.timeout(240)
def test_keys_are_shown_changed_and_kept(
    page: "playwright.Page", asked: tuple[Settings, Database, int, list[int]]
) -> None:
    settings, database, criterion, _ = asked
    with server(settings.folder) as (_, address):
        page.goto(address)
        current(page)
        page.keyboard.press("?")
        sheet = page.get_by_role("dialog", name="Keys")
        sheet.wait_for()
        sheet.locator("[data-action=same]").click()
        page.keyboard.press("5")
        sheet.get_by_text("Numbers tick pictures").wait_for()
        page.keyboard.press("d")  # which is taken: the two change places
        sheet.get_by_text("Same is D now, Different is S").wait_for()
        page.keyboard.press("Escape")
        sheet.wait_for(state="detached")
        assert page.locator(".pw-actions .same kbd").first.inner_text() == "D"
        page.reload()
        current(page)
        pressed(page, lambda: page.keyboard.press("d"))
        page.wait_for_function("document.querySelector('.pw-saved').dataset.waiting === '0'")
        page.evaluate("localStorage.removeItem('pairwright/keys')")
    assert [verdict for ((_, verdict),) in said(database, criterion).values()] == ["same"]
    database.close()


@needs_browser
@pytest.mark.timeout(240)
def test_the_first_visit_begins_with_a_tour_and_only_the_first(
    page: "playwright.Page", asked: tuple[Settings, Database, int, list[int]]
) -> None:
    settings, database, criterion, _ = asked
    assert page.context.browser is not None
    with server(settings.folder) as (_, address):
        visitor = page.context.browser.new_page(viewport={"width": 1280, "height": 720})
        visitor.goto(address)
        tour = visitor.get_by_role("dialog", name="A short tour")
        tour.wait_for()
        visitor.keyboard.press("s")  # behind the tour nothing is answered
        for step in range(1, 6):
            tour.get_by_text(f"{step} of 5").wait_for()
            visitor.wait_for_timeout(300)  # the ring glides
            box, ring = tour.bounding_box(), visitor.locator(".pw-ring").bounding_box()
            assert (
                box and ring and box["x"] >= 0 and box["x"] + box["width"] <= 1280 and box["y"] + box["height"] <= 720
            )
            assert box["y"] >= ring["y"] + ring["height"] or box["y"] + box["height"] <= ring["y"]
            visitor.keyboard.press("Enter")
        tour.wait_for(state="detached")
        visitor.reload()
        current(visitor)
        visitor.wait_for_timeout(500)
        assert tour.count() == 0
        visitor.close()
    assert said(database, criterion) == {}
    with database.read() as s:
        assert versions.versions(s, criterion) == []
    database.close()
