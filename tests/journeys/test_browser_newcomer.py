"""Somebody who has never seen it: `pairwright demo`, the tour, and answers by keyboard alone from the page load on.

The same session with a second of thought for each pair is measured by `python -m benchmarks.ui newcomer`.
"""

from contextlib import closing
from pathlib import Path

import pytest

from app.settings import Settings
from benchmarks.ui.newcomer import PAIRS, alike, demo, first_session
from db import catalog, feedback
from tests.journeys.test_browser import needs_browser, page, playwright

pytestmark = pytest.mark.browser
__all__ = ["page"]
SMALL = """
import app.demo
from app.drawn import shapes
app.demo.find_spec = lambda name: None
app.demo.shapes = lambda: shapes(copies=1)
"""


@needs_browser
@pytest.mark.timeout(300)
def test_a_newcomer_answers_fifty_questions_of_a_fresh_demo_by_keys_alone(
    page: "playwright.Page", tmp_path: Path
) -> None:
    """Never a mouse; every answer is in the log, once; a model has learnt from them meanwhile."""
    assert page.context.browser is not None
    visitor = page.context.browser.new_context(viewport={"width": 1280, "height": 720}).new_page()
    visitor.set_default_timeout(60_000)
    faults: list[str] = []
    visitor.on("pageerror", lambda error: faults.append(str(error)))
    visitor.add_init_script("addEventListener('pointerdown', () => { window.moused = true; }, true)")
    with demo(tmp_path, before=SMALL) as address:
        same = alike(tmp_path, "kind")
        done = first_session(visitor, address, same, think_s=0.1, enough=lambda s: s.answers >= PAIRS, by_question=True)
        assert visitor.evaluate("window.moused") is None
        assert visitor.inner_text(".pw-saved") == "saved"
        visitor.context.close()
    assert done.pairs >= PAIRS and faults == []
    with closing(Settings(tmp_path).open()) as database, database.read() as s:
        criterion = catalog.criterion(s, "kind").id
        said = list(feedback.statements(s, criterion))
    assert len({one.answer for one in said}) == done.answers == PAIRS
    assert {one.source for one in said} == {"admin"}
