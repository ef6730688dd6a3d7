"""The documentation site: it builds strictly, holds every page, and asks no other host for anything."""

import logging
import re
import warnings
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.docs.blocks import ROOT
from tests.journeys.test_browser import needs_browser, page

__all__ = ["page"]
mkdocs = pytest.importorskip("mkdocs.commands.build", reason="the site needs pip install 'pairwright[docs]'")
FETCHED = {("a", "href"), ("area", "href")}  # followed by the reader alone
ADDRESS = re.compile(r"^(?:[a-z]+:)?//")
IN_STYLE = re.compile(r"""url\(\s*['"]?(?:https?:)?//|@import\s+(?:url\()?['"]?(?:https?:)?//""")


class Asked(HTMLParser):
    """Everything a page makes a browser fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("src", "href", "srcset", "poster", "data", "action") and (tag, name) not in FETCHED:
                self.addresses.append(value or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built strictly: a warning is an error."""
    from mkdocs.config import load_config

    place = tmp_path_factory.mktemp("site")
    heard: list[str] = []
    listener = logging.Handler(logging.WARNING)
    listener.emit = lambda record: heard.append(record.getMessage())  # type: ignore[method-assign]
    log = logging.getLogger("mkdocs")
    log.addHandler(listener)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the builder's own libraries
        config = load_config(str(ROOT / "mkdocs.yml"), site_dir=str(place))
        config.plugins.on_startup(command="build", dirty=False)
        mkdocs.build(config)
    log.removeHandler(listener)
    assert heard == [], heard
    return place


def pages(site: Path) -> dict[str, str]:
    return {path.relative_to(site).as_posix(): path.read_text(encoding="utf-8") for path in site.rglob("*.html")}


def test_every_page_of_docs_and_what_lies_beside_it_is_there(site: Path) -> None:
    there = set(pages(site))
    for path in (ROOT / "docs").rglob("*.md"):
        name = path.relative_to(ROOT / "docs").with_suffix(".html").as_posix().replace("README", "index")
        assert name in there, name
    assert {"readme.html", "CHANGELOG.html", "plugin-example.html"} <= there


def test_no_page_and_no_style_fetches_anything_from_elsewhere(site: Path) -> None:
    found = pages(site)
    assert len(found) > 80
    for name, text in found.items():
        outside = [one for one in Asked(text).addresses if ADDRESS.match(one.strip())]
        assert not outside, f"{name} fetches {outside}"
        assert not IN_STYLE.search(text), name
    for path in site.rglob("*.css"):
        assert not IN_STYLE.search(path.read_text(encoding="utf-8")), path.name


def test_what_would_be_fetched_is_noticed() -> None:
    wrong = '<link href="https://x.org/a.css"><script src="//x.org/a.js"></script><a href="https://x.org">x</a>'
    assert [one for one in Asked(wrong).addresses if ADDRESS.match(one)] == ["https://x.org/a.css", "//x.org/a.js"]
    assert IN_STYLE.search("@import url(https://fonts.example/x.css)")


def test_links_out_of_docs_lead_to_their_copies(site: Path) -> None:
    found = pages(site)
    assert 'href="plugin-example.html"' in found["plugins.html"]
    assert 'href="plugins.html"' in found["plugin-example.html"]
    assert 'href="tutorial.html"' in found["readme.html"] and 'src="images/label.png"' in found["readme.html"]


@pytest.mark.browser
@needs_browser
def test_opened_as_files_it_is_searched_without_any_request(site: Path, page: Any) -> None:
    outside: list[str] = []
    faults: list[str] = []
    page.on("request", lambda one: outside.append(one.url) if not one.url.startswith(("file:", "data:")) else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto((site / "why.html").as_uri())
    page.locator("input[name=query]").press_sequentially("postgresql")
    page.wait_for_selector(".md-search-result__item")
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        for name in ("index", "tutorial", "reference", "methods/index", "benchmarks/label_efficiency"):
            page.goto((site / f"{name}.html").as_uri())
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{name} is {wide} pixels too wide at {width}"
    assert outside == [] and faults == []
