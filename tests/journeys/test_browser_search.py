"""The search in a real browser: find by name, steer with plus and minus, save them as answers, filter, and be refused.

File names and values of the pictures are hostile; nothing of them runs.
"""

from pathlib import Path

import pytest

from db.nouns import Verdict
from tests.journeys.test_browser import needs_browser, page, playwright, server
from tests.journeys.test_browser_map import HOSTILE, verdicts, workspace

pytestmark = pytest.mark.browser
__all__ = ["page"]


@needs_browser
@pytest.mark.timeout(300)
def test_a_search_is_steered_filtered_and_its_marks_become_answers(page: "playwright.Page", tmp_path: Path) -> None:
    settings, database, criterion, _ = workspace(tmp_path / "workspace")
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    cell = ".pw-search .pw-cell"
    first = "Number(document.querySelector('.pw-search .pw-cell[data-place=\"0\"]')?.dataset.item)"
    with server(settings.folder, trainer=False) as (_, address):
        page.goto(address)
        page.get_by_role("tab", name="Search", exact=True).click()
        page.get_by_text("What shall it look like?").wait_for()
        page.get_by_label("Find a picture by name").fill("img src")
        page.locator(".pw-hit").first.click()
        page.locator(cell).nth(5).wait_for()
        assert page.evaluate("document.querySelector('.pw-search').dataset.results") == "39"
        nearest = page.evaluate(first)

        page.get_by_label("Also save + and").check()  # plus: steers, and is an answer
        page.locator(f"{cell}[data-place='0']").focus()
        page.keyboard.press("+")
        page.locator(".pw-steer-shot.liked").wait_for()
        page.get_by_text("Saved: same.").wait_for()
        page.wait_for_function(f"was => {first} !== was", arg=nearest)
        page.locator(f"{cell}[data-place='3']").focus()
        page.keyboard.press("-")
        page.get_by_text("Saved: different.").wait_for()
        assert verdicts(database, criterion) == [Verdict.SAME, Verdict.DIFFERENT]
        page.locator(".pw-search").get_by_role("button", name="Undo").click()
        page.get_by_text("Taken back.").wait_for()
        assert verdicts(database, criterion) == [Verdict.SAME]

        page.get_by_label("Column", exact=True).select_option("shape")
        page.get_by_label("Value", exact=True).select_option("round")
        page.wait_for_function("Number(document.querySelector('.pw-search').dataset.results) <= 20")

        page.get_by_role("tab", name="Sentence").click()
        page.get_by_text("No captions say what words look like here").wait_for()
        assert page.get_by_label("Sentence to search with").is_disabled()

        page.get_by_role("tab", name="Your picture").click()
        hostile = {"name": HOSTILE, "mimeType": "image/png", "buffer": b"<svg onload=alert(1)>"}
        page.set_input_files("#pw-search-file", files=[hostile])
        page.get_by_text("cannot be searched with: not a picture").wait_for()
        assert page.evaluate("window.hacked") is None
    database.close()
    assert faults == []
