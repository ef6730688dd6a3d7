"""docs/screens.md shows every tab there is, light and dark, in small files."""

from pathlib import Path

import pytest

from app.pages import TABS
from benchmarks.ui.screens import LINES, page, pictured

DOCS = Path(__file__).parents[2] / "docs"
AGAIN = "run: python -m benchmarks.ui screens"


def test_the_page_is_what_the_command_writes() -> None:
    assert (DOCS / "screens.md").read_text(encoding="utf-8") == page(), AGAIN


@pytest.mark.parametrize("title", [tab.TITLE for tab in TABS])
def test_every_tab_has_its_line_and_its_pictures(title: str) -> None:
    assert LINES[title].endswith(".")
    for light in ("light", "dark"):
        path = DOCS / "screens" / pictured(title, light)
        assert path.exists(), AGAIN
        assert path.stat().st_size < 120_000


def test_all_pictures_together_are_small_and_none_is_left_over() -> None:
    there = list((DOCS / "screens").iterdir())
    assert sum(path.stat().st_size for path in there) < 2_000_000
    assert {path.name for path in there} == {pictured(tab.TITLE, light) for tab in TABS for light in ("light", "dark")}
