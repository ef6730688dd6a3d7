"""A deep refresh from the Training screen in a real browser: started, seen at work, and stopped."""

import os
from pathlib import Path

import pytest

from app.settings import Settings
from db import catalog, feedback, jobs, queue
from db.nouns import Answer, Kind, PairVerdict, Question, Verdict
from tests.app.conftest import fill
from tests.journeys.test_browser import needs_browser, page, playwright, server

pytestmark = pytest.mark.browser
__all__ = ["page"]
CARD = ".pw-refresh"
AT_WORK = """() => document.querySelector(".pw-refresh .pw-bar i")?.style.width
    && document.querySelector(".pw-refresh-bar span").textContent.includes(" of ")"""


@needs_browser
@pytest.mark.timeout(300)
def test_a_refresh_is_started_followed_and_stopped_from_the_training_screen(
    page: "playwright.Page", tmp_path: Path
) -> None:
    settings = Settings(tmp_path / "workspace")
    database = settings.open()
    items = fill(database, settings.folder)
    with database.write() as s:
        criterion = catalog.add_criterion(s, "shape", catalog.collection_id(s, "shapes"), "Same shape?")
        for number in range(60):
            a, b = number % len(items), (7 * number + 1 + number // 5) % len(items)
            if a == b:
                continue
            (put,) = queue.put(
                s, criterion, [Question(criterion, Kind.PAIR, items[a], (items[b],), "test")], retire=False
            )
            said = PairVerdict(items[a], items[b], Verdict.SAME if (a - b) % 2 == 0 else Verdict.DIFFERENT)
            feedback.record(s, Answer(put, (said,), "ada", f"k{number}"))
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    with server(settings.folder) as (_, address):
        page.goto(address)
        page.get_by_role("tab", name="Training").click()
        page.locator(f"{CARD} select[name=method]").wait_for()
        _shot(page, "before")
        assert page.input_value(f"{CARD} select[name=method]") == "pairwright"
        page.select_option(f"{CARD} select[name=method]", "simclr")
        page.get_by_text("two views").first.wait_for()
        page.get_by_role("button", name="Deep refresh", exact=True).click()
        page.wait_for_function(AT_WORK, timeout=120_000)
        _shot(page, "at-work")
        page.reload()
        page.get_by_role("tab", name="Training").click()
        page.locator(f"{CARD}[data-state=running]").wait_for()  # it goes on without anybody looking
        page.locator(f"{CARD} .pw-stop").click()
        page.locator(f"{CARD} select[name=method]").wait_for(timeout=120_000)
        _shot(page, "after")
        with database.read() as s:
            (job,) = [one for one in jobs.jobs(s) if one.kind == "refresh"]
        assert job.state in ("cancelled", "done") and job.payload["method"] == "simclr"
        assert page.locator(f"{CARD} .pw-live-head .pw-pill").count() == 1
    assert not faults
    database.close()


def _shot(page: "playwright.Page", name: str) -> None:
    """For whoever wants to look: PAIRWRIGHT_SHOTS=FOLDER."""
    folder = os.environ.get("PAIRWRIGHT_SHOTS")
    for scheme in ("light", "dark") if folder else ():
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(400)
        page.screenshot(path=f"{folder}/{name}-{scheme}.png", full_page=True)
