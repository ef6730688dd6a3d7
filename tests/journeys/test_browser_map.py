"""The map in a real browser: choose with the lasso and by key, answer, undo, colour, compare two versions.

File names and values of the pictures are hostile; nothing of them runs. The versions are made here, without a trainer.
"""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save as to_bytes

from app.settings import Settings
from db import catalog, feedback, versions
from db.artifacts import ArtifactStore
from db.engine import Database
from db.nouns import Verdict
from tests.app.conftest import fill
from tests.journeys.test_browser import needs_browser, page, playwright, server
from trainer import snapshot

pytestmark = pytest.mark.browser
__all__ = ["page"]
HOSTILE = '<img src=x onerror="window.hacked=1">.png'
VALUE = "<script>window.hacked=1</script>"
CHOSEN = "Number(document.querySelector('.pw-chosen').dataset.chosen)"
READY = "document.querySelector('.pw-map')?.dataset.ready"
# Arithmetic of the pointer, tried where it runs: a lasso round a square, and the nearest point, against plain loops.
GEOMETRY = """async () => {
    const { Index, holds, places } = await import("/ui/js/map/geometry.js");
    const rows = [...Array(5000).keys()];
    const spread = (by) => Float32Array.from(rows, (i) => (i * by) % 1);
    const [x, y] = [spread(0.6180339887), spread(0.7548776662)];
    const index = new Index(x, y);
    const star = [[0.1, 0.1], [0.9, 0.3], [0.2, 0.8], [0.5, 0.05], [0.8, 0.9]];
    const slow = rows.filter((i) => holds(star, x[i], y[i]));
    const far = (i) => (x[i] - 0.4) ** 2 + (y[i] - 0.6) ** 2;
    const near = rows.reduce((best, i) => (far(i) < far(best) ? i : best), 0);
    const square = [[0, 0], [1, 0], [1, 1], [0, 1]];
    const fast = index.inside(star, () => true);
    return [slow.length > 100, JSON.stringify(fast) === JSON.stringify(slow),
        index.nearest(0.4, 0.6, 0.2, () => true) === near, holds(square, 0.5, 0.5) && !holds(square, 1.5, 0.5),
        JSON.stringify([...places([1, 3, 9], [1, 2, 9])]) === "[0,-1,2]"];
}"""


def workspace(folder: Path) -> tuple[Settings, Database, int, list[int]]:
    """Forty pictures with hostile names, and two versions; items of even and odd place lie apart."""
    settings = Settings(folder)
    database = settings.open()
    items = fill(database, folder, 40)
    with database.write() as s:
        collection = catalog.collection_id(s, "shapes")
        for item in catalog.items(s, collection)[:6]:
            known = {**item.attributes, "odd <b>column</b>": VALUE}
            new = catalog.NewItem(item.sha256, 96, 96, item.path, name=HOSTILE, attributes=known)
            catalog.add_items(s, collection, [new])
        criterion = catalog.add_criterion(s, "shape", collection, "Same shape?")
    store = ArtifactStore(str(folder / "artifacts"))
    for number, turn in enumerate((0.0, 0.9), start=1):
        angle = np.array([0.015 * at + (1.5 if at % 2 else 0.0) + turn * (at % 5 == 0) for at in range(40)])
        seen = snapshot.build(np.array(items), np.stack([np.cos(angle), np.sin(angle)], 1).astype(np.float32), number)
        snapshot.save(store, f"v{number}", seen, to_bytes({"weight": np.eye(2, dtype=np.float32)}))
        with database.write() as s:
            made = versions.add(
                s, criterion, parent=None, artifact=f"v{number}", last_event=0, metrics={}, encoder="lite0"
            )
            versions.promote(s, made)
    return settings, database, criterion, items


def verdicts(database: Database, criterion: int) -> list[Verdict]:
    with database.read() as s:
        return [one.verdict for one in feedback.statements(s, criterion)]


def draw_round(page: "playwright.Page", left: float, right: float) -> None:
    """A lasso, by the mouse with Shift held, round a part of the map's width."""
    box = page.locator(".pw-map-stage").bounding_box()
    assert box is not None
    xs, ys = (
        (box["x"] + box["width"] * left, box["x"] + box["width"] * right),
        (box["y"] + 6, box["y"] + box["height"] - 6),
    )
    page.keyboard.down("Shift")
    page.mouse.move(xs[0], ys[0])
    page.mouse.down()
    for x, y in ((xs[1], ys[0]), (xs[1], ys[1]), (xs[0], ys[1]), (xs[0], ys[0] + 4)):
        page.mouse.move(x, y, steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")


@needs_browser
@pytest.mark.timeout(300)
def test_pictures_are_chosen_on_the_map_answered_about_and_compared(page: "playwright.Page", tmp_path: Path) -> None:
    settings, database, criterion, items = workspace(tmp_path / "workspace")
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    foreign: list[str] = []
    page.on(
        "request", lambda one: foreign.append(one.url) if "127.0.0.1" not in one.url and one.url[:4] == "http" else 0
    )
    with server(settings.folder, trainer=False) as (_, address):
        page.goto(address)
        page.get_by_role("tab", name="Map").click()
        page.wait_for_function(READY)
        page.get_by_text("40 pictures").first.wait_for()
        assert page.evaluate(GEOMETRY) == [True] * 5

        draw_round(page, 0.01, 0.5)  # by the pointer: the lasso
        page.wait_for_function(f"{CHOSEN} > 5 && {CHOSEN} < 35")
        page.locator(".pw-chosen .pw-cell img").first.wait_for()

        page.get_by_label("Colour by").select_option("column:shape")
        page.get_by_role("button", name="Choose round", exact=True).press("Enter")  # by keys: an entry of the legend
        page.wait_for_function(f"{CHOSEN} === 20")
        page.get_by_role("button", name="These belong together").press("Enter")
        page.get_by_text("Saved: 19 pairs belong together.").wait_for()
        assert verdicts(database, criterion) == [Verdict.SAME] * 19
        page.locator(".pw-chosen").get_by_role("button", name="Undo").click()
        page.get_by_text("Taken back: 19 pairs.").wait_for()
        assert verdicts(database, criterion) == []

        page.locator(".pw-map-stage").focus()  # by keys alone: all in view, none, the one in the middle
        page.keyboard.press("a")
        page.wait_for_function(f"{CHOSEN} === 40")
        page.keyboard.press("Escape")
        page.wait_for_function(f"{CHOSEN} === 0")
        for name in ("+", "ArrowLeft", "-", "0"):
            page.keyboard.press(name)

        page.get_by_label("Colour by").select_option("column:odd <b>column</b>")
        page.get_by_text(VALUE).first.wait_for()
        page.get_by_role("button", name=f"Choose {VALUE}").click()
        page.wait_for_function(f"{CHOSEN} === 6")
        page.locator(f".pw-chosen .pw-cell[data-item='{items[0]}']").click()
        page.locator(".pw-detail").get_by_role("heading", name=HOSTILE).wait_for()
        page.keyboard.press("Escape")

        page.get_by_label("Compare with another version").select_option("1")
        page.get_by_role("button", name="Choose what moved most").wait_for()
        page.wait_for_function("document.querySelector('.pw-map').dataset.ready.endsWith(',1')")
        page.get_by_label("From before to after").press("Home")
        page.get_by_role("button", name="Choose what moved most").click()
        page.wait_for_function(f"{CHOSEN} > 0")
        page.get_by_role("button", name="Label these").click()
        page.get_by_text("You chose these on the map.").first.wait_for()
        assert page.evaluate("window.hacked") is None
    database.close()
    assert faults == [] and foreign == []
