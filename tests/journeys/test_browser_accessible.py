"""Every screen, full and empty, light and dark, on a desk and on a tablet, looked at by axe-core: nothing serious."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.pages import TABS
from app.settings import Settings
from tests.journeys.furnished import furnish
from tests.journeys.test_browser import needs_browser, page, playwright, server

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="the test needs axe-core")
pytestmark = pytest.mark.browser
__all__ = ["page"]
SIZES = {"desk": (1280, 720), "tablet": (834, 1112)}
ZOOMED = (640, 360)  # the desk at 200 %
BAD = {"serious", "critical"}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
ALL = {"resultTypes": ["violations"], "runOnly": TAGS}
COLOURS = {
    "resultTypes": ["violations"],
    "runOnly": ["color-contrast", "link-in-text-block"],
}  # all that the dark changes
STILL = "*, *::before, *::after { transition: none !important; animation: none !important; }"
PAINT = "dark => { for (const one of [document.body, document.documentElement]) one.classList.toggle('dark', dark); }"
# The screen in view has something in it and has not changed for 300 ms.
SETTLED = """async () => {
    const screens = [...document.querySelectorAll('.pw-screen')];
    const look = () => screens.filter((one) => one.offsetParent).map((one) => one.innerHTML).join();
    for (let before = look(), tries = 0; tries < 40; tries += 1) {
        await new Promise((done) => setTimeout(done, 300));
        const now = look();
        if (now === before && now.length > 200) return;
        before = now;
    }
}"""
# Tabs whose middle is what a finger there would touch; 0 where a dialog covers them or there are none.
REACHED = """async () => {
    await new Promise((done) => setTimeout(done, 120));
    return [...document.querySelectorAll('#pw-tabs > .tab-wrapper [role=tab]')].filter((one) => {
        const box = one.getBoundingClientRect();
        return one.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2));
    }).length;
}"""
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


class Auditor:
    """axe-core on one page, in every light and size; gathers what is serious.  seen: where it looked."""

    def __init__(self, page: "playwright.Page") -> None:
        self.page, self.found, self.seen = page, [], []
        self.script = axe.Axe().axe_script

    def begin(self, address: str) -> None:
        self.page.goto(address)
        self.page.evaluate(self.script)
        self.page.add_style_tag(content=STILL)

    def look(self, where: str) -> None:
        """In all four forms."""
        for size, (width, height) in SIZES.items():
            self.page.set_viewport_size({"width": width, "height": height})
            for light, rules in (("light", ALL), ("dark", COLOURS)):
                self.page.evaluate(PAINT, light == "dark")
                self._run(f"{where}, {size}, {light}", rules)
            if (over := self.page.evaluate(WIDE)) > 0:
                self.found.append(f"{where}, {size}: {over} px wider than the window")

        self.page.set_viewport_size({"width": ZOOMED[0], "height": ZOOMED[1]})
        if (over := self.page.evaluate(WIDE)) > 0:
            self.found.append(f"{where}, at 200 %: {over} px wider than the window")
        there = self.page.evaluate(REACHED)
        if there not in (0, len(TABS)):
            self.found.append(f"{where}, at 200 %: only {there} tabs are in the window")

    def _run(self, where: str, rules: dict[str, list[str]]) -> None:
        self.seen.append(where)
        found = self.page.evaluate("async (how) => (await axe.run(document, how)).violations", rules)
        for one in found:
            if one["impact"] in BAD:
                nodes = [f"{node['target']}: {node['failureSummary']}" for node in one["nodes"][:3]]
                self.found.append(
                    f"{where}: {one['id']} ({one['impact']}), {len(one['nodes'])} x\n  " + "\n  ".join(nodes)
                )


def screens(page: "playwright.Page") -> Iterator[str]:
    """Every tab, one after the other, settled."""
    for tab in TABS:
        page.set_viewport_size({"width": 1280, "height": 720})
        page.get_by_role("tab", name=tab.TITLE, exact=True).click()
        page.evaluate(SETTLED)
        yield tab.TITLE


@needs_browser
@pytest.mark.timeout(240)
def test_axe_finds_nothing_serious_on_any_screen(page: "playwright.Page", tmp_path: Path) -> None:
    """The empty installation, then one with everything in it, with its dialogs, then the way in."""
    auditor, settings = Auditor(page), Settings(tmp_path / "workspace")
    with server(settings.folder, trainer=False) as (_, address):
        for words in ("empty", "full"):
            auditor.begin(address)
            for title in screens(page):
                auditor.look(f"{title} ({words})")
            if words == "empty":
                furnish(settings.folder)
        page.get_by_role("tab", name="Label", exact=True).click()
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("?")
        page.get_by_role("dialog", name="Keys").wait_for()
        auditor.look("Keys")
        page.keyboard.press("Escape")
        auditor.begin(f"{address}/login")
        auditor.look("Sign in")
    assert len(auditor.seen) == 4 * (2 * len(TABS) + 2)
    assert not auditor.found, "\n".join(auditor.found)
