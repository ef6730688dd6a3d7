"""Comparing methods in a real browser: pick two, see their pairs, grade one by key, see the figures change, undo."""

from pathlib import Path

import pytest

from app.settings import Settings
from db import catalog, feedback
from tests.app.conftest import fill
from tests.journeys.test_browser import needs_browser, page, playwright, server

pytestmark = pytest.mark.browser
__all__ = ["page"]
CARD = "[data-card=fnc_attraction]"
PRECISION = "[data-method=fnc_attraction] [data-figure=precision]"
DECODED = """() => {
    const pictures = [...document.querySelectorAll("[data-card=fnc_attraction] [data-kind=positives] img")].slice(0, 2);
    return pictures.length === 2 && pictures.every((one) => one.naturalWidth > 0);
}"""


@needs_browser
@pytest.mark.timeout(300)
def test_two_methods_are_compared_and_a_grade_changes_the_figures(page: "playwright.Page", tmp_path: Path) -> None:
    """In a process of its own; the grade is an answer in the log, and undoing it takes the figure back."""
    settings = Settings(tmp_path / "workspace")
    database = settings.open()
    fill(database, settings.folder)
    with database.write() as s:
        criterion = catalog.add_criterion(s, "shape", catalog.collection_id(s, "shapes"), "Same shape?")
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    with server(settings.folder) as (_, address):
        page.goto(address)
        page.get_by_role("tab", name="Compare").click()
        page.get_by_text("Before training anything").wait_for()
        assert page.get_by_role("button", name="Compare", exact=True).is_disabled()
        for name in ("simclr", "fnc_attraction"):
            page.locator(".pw-choice", has=page.locator(f"input[value={name}]")).click()
        page.get_by_text("2 chosen").wait_for()
        page.get_by_placeholder("temperature=.1").fill("cutoff=.3")
        page.get_by_role("button", name="Compare", exact=True).click()
        page.locator(PRECISION).wait_for(timeout=180_000)
        assert page.get_attribute(PRECISION, "data-known") == "0"
        assert page.locator("[data-card=simclr]").get_by_text("Positives are two views of one picture.").count() == 1
        assert page.locator("[data-card=simclr] .pw-views img").count() == 6
        assert "cutoff = .3" in page.inner_text(CARD)

        pairs = page.locator(f"{CARD} [data-kind=positives] .pw-pair")
        pairs.first.scroll_into_view_if_needed()
        page.wait_for_function(DECODED)
        pairs.first.focus()
        page.keyboard.press("s")
        page.locator(f"{PRECISION}:not([data-known='0'])").wait_for()
        assert "100 %" in page.inner_text(PRECISION) and pairs.first.get_by_text("right").count() == 1
        focus = "document.querySelector('[data-card=fnc_attraction] .pw-pair:nth-child(2)') === document.activeElement"
        page.wait_for_function(focus)  # on to the next one, and the strip was not built anew
        with database.read() as s:
            assert [one.source for one in feedback.statements(s, criterion)] == ["admin"]

        pairs.first.get_by_role("button", name="Same", exact=True).click()  # pressed again: taken back
        page.locator(f"{PRECISION}[data-known='0']").wait_for()
        pairs.first.get_by_role("button", name="Different", exact=True).click()
        page.locator(f"{PRECISION}:not([data-known='0'])").wait_for()
        assert pairs.first.get_by_text("wrong").count() == 1
        pairs.first.focus()
        page.keyboard.press("z")
        page.locator(f"{PRECISION}[data-known='0']").wait_for()
    with database.read() as s:
        assert feedback.statements(s, criterion) == []
    database.close()
    assert faults == []


@needs_browser
@pytest.mark.timeout(300)
def test_a_rule_over_metadata_is_built_and_its_pairs_are_seen(page: "playwright.Page", tmp_path: Path) -> None:
    """Columns, kernels and amounts make the rule; every pair keeps it, and it is there again after a reload."""
    settings = Settings(tmp_path / "workspace")
    database = settings.open()
    fill(database, settings.folder)
    with database.write() as s:
        catalog.add_criterion(s, "shape", catalog.collection_id(s, "shapes"), "Same shape?")
    database.close()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    with server(settings.folder) as (_, address):
        page.goto(address)
        page.get_by_role("tab", name="Compare").click()
        page.get_by_text("Before training anything").wait_for()
        assert not page.locator(".pw-relation").is_visible()
        page.locator(".pw-choice", has=page.locator("input[value=attribute]")).click()
        rule = page.locator(".pw-relation")
        rule.wait_for()
        assert rule.locator("code").inner_text() == "by=shape"
        rule.get_by_label("how it is compared", exact=True).select_option("other")
        assert rule.locator("code").inner_text() == "by=!shape"
        rule.get_by_role("button", name="And").click()
        rule.get_by_role("button", name="remove this condition").last.click()
        rule.get_by_label("how it is compared", exact=True).select_option("same")
        page.get_by_role("button", name="Compare", exact=True).click()
        card = page.locator("[data-card=attribute]")
        card.wait_for(timeout=180_000)
        assert "by = shape" in card.inner_text()
        pairs = card.locator("[data-kind=positives] .pw-pair")
        numbers = [[int(name.split(".")[0][-3:]) for name in pair.get_attribute("title").split(" and ")]
                   for pair in pairs.all()]  # fmt: skip
        assert numbers and all(one % 2 == other % 2 for one, other in numbers)
        page.reload()
        page.get_by_role("tab", name="Compare").click()
        card.wait_for()
        assert page.locator(".pw-relation code").inner_text() == "by=shape"
    assert faults == []
