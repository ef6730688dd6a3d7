"""A person's session in a real browser: answer by keyboard, undo, survive a restart of the server, see a model learn.

The server is the real one, with its trainer process; the pictures are painted here; Chromium runs without a window.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from app.settings import Settings
from db import catalog, feedback, jobs, queue, runs, versions
from db.nouns import Answer, Item, Kind, PairVerdict, Question, Verdict
from tests.app.conftest import ask, fill

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
ROOT = Path(__file__).resolve().parents[2]
COLOURS = ["#c0392b", "#2980b9", "#27ae60", "#f39c12"]
# Right after the next key press was handled, note which question is on screen, if all its pictures are decoded.
LOOK = """() => addEventListener('keydown', () => setTimeout(() => {
    const pictures = [...document.querySelectorAll('.pw-question:not(.waiting) img')];
    const decoded = pictures.length === 2 && pictures.every((one) => one.complete && one.naturalWidth > 0);
    window.shown = decoded ? document.querySelector('.pw-label').dataset.question : null;
}), { once: true, capture: true })"""
READY = """() => {
    const pictures = [...document.querySelectorAll('.pw-question img')];
    return pictures.length >= 4 && pictures.every((one) => one.complete && one.naturalWidth > 0);
}"""
SERVE = """
import sys
from pathlib import Path
from app.server import serve
from app.settings import Settings
serve(Settings(Path(sys.argv[1]), trainer=sys.argv[3] == "trainer"), port=int(sys.argv[2]), auto_login=True)
"""


def paint(folder: Path, count: int) -> None:
    """Discs and squares in four colours, each a little different."""
    folder.mkdir()
    for number in range(count):
        image = Image.new("RGB", (128, 128), "white")
        edge = 12 + number % 17
        box = (edge, edge, 116 - number // 17, 116 - number // 17)
        draw = ImageDraw.Draw(image)
        (draw.ellipse if number % 2 else draw.rectangle)(
            box, fill=COLOURS[number % 4 if number % 3 else number // 3 % 4]
        )
        image.save(folder / f"{'disc' if number % 2 else 'square'}-{number:03}.png")


@contextmanager
def server(workspace: Path, port: int = 0, *, trainer: bool = True) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The real server; yields the process and its address, and stops it as Ctrl-C would."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-c", SERVE, str(workspace), str(port), "trainer" if trainer else "alone"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = next((found[0] for line in process.stdout if (found := re.findall(r"http://[\w.:]+", line))), "")
        assert address, "the server did not start"
        try:
            yield process, address
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


@pytest.fixture(scope="module")
def page() -> Iterator["playwright.Page"]:
    """One browser page; any error in its console fails the test that caused it."""
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        made = browser.new_page(viewport={"width": 1280, "height": 720})
        made.set_default_timeout(60_000)
        made.add_init_script("localStorage.setItem('pairwright/tour', 'seen')")  # has a test of its own
        yield made
        browser.close()


def current(page: "playwright.Page") -> str:
    """Id of the question on screen, once there is one."""
    page.wait_for_function("document.querySelector('.pw-label')?.dataset.question")
    return str(page.eval_on_selector(".pw-label", "screen => screen.dataset.question"))


def kind(page: "playwright.Page") -> str:
    return str(page.eval_on_selector(".pw-label", "screen => screen.dataset.kind"))


def answer(page: "playwright.Page") -> None:
    """Answer truthfully by keyboard: the same shape belongs together. Names of the pictures say what is what."""
    before = current(page)
    card = ".pw-question:not(.waiting)"
    names = page.eval_on_selector_all(f"{card} img", "all => all.map((one) => one.alt)")
    shapes = [name.split(": ")[1].split("-")[0] for name in names]
    anchor, others = shapes[0], shapes[1:]
    if kind(page) == "pair":
        page.keyboard.press("s" if others[0] == anchor else "d")
    else:
        odd = kind(page) == "odd_ones_out"
        for key, shape in zip("1234567890-=", others, strict=False):
            if (shape == anchor) is not odd:
                page.keyboard.press(key)
        page.keyboard.press("Enter")
    page.wait_for_function("was => document.querySelector('.pw-label').dataset.question !== was", arg=before)


def saved(page: "playwright.Page") -> None:
    """Wait until every answer is acknowledged."""
    page.wait_for_function("document.querySelector('.pw-saved').textContent === 'saved'")


def answers(page: "playwright.Page") -> list[int]:
    """Ids of the standing answers, newest first, as the server has them."""
    log = page.evaluate("fetch('/api/v1/answers?criterion=shape&limit=200').then((reply) => reply.json())")
    return [int(one["id"]) for one in log["answers"]]


def waiting(page: "playwright.Page") -> int:
    """Answers that wait in the browser's store."""
    return int(
        page.evaluate("Object.keys(localStorage).filter((name) => name.startsWith('pairwright/outbox/')).length")
    )


def bring_in(page: "playwright.Page", pictures: Path) -> None:
    """Import through the page into few big files, as uploads cannot stay where they are, then say what same means."""
    page.get_by_role("tab", name="Data").click()
    page.get_by_placeholder("holiday photos").fill("shapes")
    page.get_by_text("There are very many of them").click()
    files = [str(one) for one in sorted(pictures.iterdir())]
    page.get_by_label("How to keep the pictures").select_option("in_place")
    page.set_input_files("#pw-files", files)
    page.get_by_text("Only pictures of a path on the server can stay where they are").wait_for()
    page.get_by_label("How to keep the pictures").select_option("packed")
    page.set_input_files("#pw-files", files)
    page.get_by_text("60 pictures added").wait_for()
    page.get_by_label("Short name").fill("shape")
    page.get_by_label("Question to ask").first.fill("Do these have the same shape?")
    page.get_by_role("button", name="Add", exact=True).click()
    page.locator(".pw-criterion", has_text="Do these have the same shape?").wait_for()


@needs_browser
@pytest.mark.timeout(420)
def test_a_session_survives_undo_and_restart_and_ends_with_a_better_model(
    page: "playwright.Page", tmp_path: Path
) -> None:
    paint(tmp_path / "pictures", 60)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    with server(tmp_path / "workspace") as (process, address):
        port = int(address.rsplit(":", 1)[1])
        page.goto(address)
        page.get_by_text("Nothing to ask yet").wait_for()
        bring_in(page, tmp_path / "pictures")
        assert len(list((tmp_path / "workspace" / "packs").iterdir())) == 1
        page.get_by_role("tab", name="Label").click()
        for _ in range(10):
            answer(page)
        saved(page)
        assert len(answers(page)) == 10

        page.keyboard.press("z")
        page.keyboard.press("z")
        page.wait_for_function("document.querySelector('.pw-saved').dataset.waiting === '0'")
        assert len(answers(page)) == 8
        for _ in range(2):
            answer(page)
        saved(page)
        assert len(answers(page)) == 10

        process.send_signal(signal.SIGINT)
        process.wait(60)
        current(page)
        page.keyboard.press("s" if kind(page) == "pair" else "Enter")
        page.get_by_text("not saved yet (1)").wait_for()
        assert waiting(page) == 1

    with server(tmp_path / "workspace", port):
        saved(page)
        assert waiting(page) == 0
        assert len(answers(page)) == 11
        for _ in range(9):
            answer(page)
        saved(page)
        assert len(answers(page)) == 20
        assert re.search(r"Your last \d+ answers settled [\d,]+ pairs", page.inner_text(".pw-status"))

        page.get_by_role("tab", name="Training").click()
        page.locator(".pw-version.promoted", has_not_text="nothing learnt yet").wait_for(timeout=120_000)
        assert page.locator(".pw-version").count() >= 2

        page.get_by_role("tab", name="Data").click()
        with page.expect_download() as taken:
            page.get_by_role("button", name="Download", exact=True).click()
        assert taken.value.suggested_filename == "shape groups.csv"
        assert len(taken.value.path().read_text().splitlines()) == 61
    assert faults == []


@needs_browser
@pytest.mark.timeout(240)
def test_a_key_press_shows_a_decoded_question_at_once_and_none_is_lost_on_reload(
    page: "playwright.Page", tmp_path: Path
) -> None:
    """No wall clock is asserted: only that the next question was there, decoded, within the key's own handler."""
    settings = Settings(tmp_path / "workspace")
    database = settings.open()
    items = fill(database, settings.folder)
    with database.write() as s:
        criterion = catalog.add_criterion(s, "shape", catalog.collection_id(s, "shapes"), "Same shape?")
    ask(database, criterion, items, [Kind.PAIR] * 20)
    database.close()
    with server(settings.folder) as (_, address):
        page.goto(address)
        first = current(page)
        page.wait_for_function(READY)
        page.route("**/api/v1/answers", lambda route: route.abort())
        page.evaluate(LOOK)
        page.keyboard.press("s")
        page.wait_for_function("window.shown !== undefined")
        shown = page.evaluate("window.shown")
        assert shown
        assert shown != first
        page.get_by_text("not saved yet (1)").wait_for()
        page.reload()
        page.get_by_text("not saved yet (1)").wait_for()
        page.unroute("**/api/v1/answers")
        saved(page)
        assert len(answers(page)) == 1
        current(page)
        page.keyboard.press("z")  # the answer from before the reload comes back from the log
        page.wait_for_function("id => document.querySelector('.pw-label').dataset.question === id", arg=first)
        page.wait_for_function("document.querySelector('.pw-saved').dataset.waiting === '0'")
        assert answers(page) == []


PAYLOADS = (
    "<img src=x onerror=window.ran=1>",
    '"><script>window.ran=1</script>',
    "<svg onload=window.ran=1>",
    "${window.ran=1}{{window.ran=1}}",
    "javascript:window.ran=1//",
)


@needs_browser
@pytest.mark.timeout(240)
def test_nothing_a_user_wrote_runs_on_any_screen(page: "playwright.Page", tmp_path: Path) -> None:
    """Names, captions, attributes, prompts, reasons, notes of jobs and metrics, on every tab and in the detail view."""
    settings = Settings(tmp_path / "workspace")
    database = settings.open()
    items = fill(database, settings.folder, len(PAYLOADS) + 12)
    with database.write() as s:
        collection = catalog.add_collection(s, PAYLOADS[0])
        wicked = [
            replace(new_item(catalog.item(s, item)), name=text, caption=text, attributes={text: text})
            for item, text in zip(items, PAYLOADS, strict=False)
        ]
        catalog.add_items(s, catalog.item(s, items[0]).collection, wicked)
        criterion = catalog.add_criterion(
            s, PAYLOADS[1], catalog.item(s, items[0]).collection, PAYLOADS[0] + PAYLOADS[3]
        )
        asked = [Question(criterion, Kind.PAIR, items[0], (items[1],), PAYLOADS[0], reason=PAYLOADS[2])]
        asked += [Question(criterion, Kind.TICK, items[2], tuple(items[3:9]), "x", reason=PAYLOADS[0])]
        queue.put(s, criterion, asked)
        jobs.enqueue(s, "import", {"source": PAYLOADS[0], "collection": "x"}, collection=collection)
        run = runs.start(s, criterion, PAYLOADS[0], {})
        runs.end(s, run, "failed", None, PAYLOADS[2])
        metrics = {PAYLOADS[0]: 1.5, "reason": PAYLOADS[2]}
        made = versions.add(s, criterion, parent=None, artifact="none", last_event=0, metrics=metrics, encoder="lite0")
        versions.promote(s, made)
        jobs.keep_result(s, "quality", {}, measured(made, PAYLOADS[0]), criterion=criterion)
        jobs.keep_result(s, "compare", {}, drawn(items, PAYLOADS[0]), criterion=criterion)
        refreshed = {"served": False, "version": made, "reason": PAYLOADS[0] + PAYLOADS[2]}
        jobs.keep_result(s, "refresh", {}, refreshed, criterion=criterion)
    database.close()
    with server(settings.folder) as (_, address):
        page.goto(address)
        current(page)
        page.keyboard.press("k")
        signs = {"Label": ".pw-prompt", "Training": ".pw-refresh .pw-reason", "Compare": ".pw-pair"}
        signs |= {"Quality": ".pw-people", "Data": ".pw-cell"}
        for tab, sign in signs.items():
            page.get_by_role("tab", name=tab).click()
            page.locator(sign).first.wait_for(state="attached")
        page.locator(".pw-cell").first.click()
        page.locator(".pw-facts dd", has_text=PAYLOADS[0]).first.wait_for()
        page.get_by_role("button", name="Close").click()
        page.wait_for_timeout(500)
        assert page.evaluate("window.ran") is None


def measured(version: int, text: str) -> dict[str, Any]:
    """A measurement that carries a user's words everywhere it has words."""
    unknown = {"value": None, "low": None, "high": None, "answers": 1, "pairs": 0, "reason": text}
    audit = {**dict.fromkeys(("precision", "recall", "f1", "positives"), unknown), "error": 0.0}
    counts = dict.fromkeys(
        ("items", "asked", "placed", "sure", "pending", "groups", "pairs", "implied", "unsettled"), 1
    )
    advice = {"stop": False, "mean": 0.5, "low": 0.1, "high": 0.9, "ahead": 1.0, "answers": 20, "words": text}
    person = {"source": text, "answers": 1, "error_rate": 0.1, "low": 0.0, "high": 0.3}
    found = {"version": version, "last_event": 0, "answers": 1, "target": 0.95, "level": 0.9, "audit": audit}
    parts = {"coverage": counts, "advice": advice, "needed": unknown, "annotators": [person]}
    return {**found, **parts, "changes": [], "curve": []}


def drawn(items: list[int], text: str) -> dict[str, Any]:
    """A comparison that carries a user's words everywhere it has words."""
    rows = {kind: [[items[0], items[1], 1, 0.5, 1]] for kind in ("positives", "negatives", "push", "detected")}
    method = {
        "name": text,
        "settings": {text: text},
        "needs": text,
        "refused": None,
        "terms": [text, text],
        "own": True,
    }
    method |= {"repels": True, "answered": 0, "synthetic": 0.0, "each": dict.fromkeys(rows, 1.0), "rows": rows}
    found = {"version": None, "learnt": 0, "embedding": "served", "batch": 2, "seed": 0, "options": {text: text}}
    return {**found, "methods": [method], "sights": []}


def new_item(item: Item) -> "catalog.NewItem":
    """An item as it was when it came in."""
    return catalog.NewItem(item.sha256, item.width, item.height, item.path)


@needs_browser
@pytest.mark.timeout(240)
def test_quality_is_measured_while_one_looks_and_a_forecast_on_demand(page: "playwright.Page", tmp_path: Path) -> None:
    """In a process of its own, with every number, its interval and its empty states."""
    settings = Settings(tmp_path / "workspace")
    database = settings.open()
    items = fill(database, settings.folder)
    with database.write() as s:
        criterion = catalog.add_criterion(s, "shape", catalog.collection_id(s, "shapes"), "Same shape?")
    database.close()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    with server(settings.folder) as (_, address):
        page.goto(address)
        page.get_by_role("tab", name="Quality").click()
        page.get_by_text("Answer some questions first").wait_for()
        say(settings, criterion, items, 24)
        page.locator("[data-figure=f1][data-known=yes]").wait_for(timeout=90_000)
        assert re.search(r"\d+ % [\d.]+ to [\d.]+ %", page.inner_text("[data-figure=f1]"))
        assert re.search(r"from \d+ audit answers, \d+ pairs", page.inner_text("[data-figure=f1]"))
        assert page.locator("[data-source=ada]").count() == 1
        assert "pair F1 is" in str(page.get_attribute(".pw-curve", "aria-label"))
        page.get_by_role("button", name="Forecast", exact=True).click()
        page.locator(".pw-curve .dot.ahead").first.wait_for(state="attached", timeout=120_000)
        assert "F1 of 95 %" in page.inner_text(".pw-foretold")
    assert faults == []


def say(settings: Settings, criterion: int, items: list[int], count: int) -> None:
    """Truthful audit screens, as if somebody else answered them meanwhile: the shape is the parity of the place."""
    database = settings.open()
    for number in range(count):
        places = [(number * 5 + step * 7) % len(items) for step in range(6)]
        asked = Question(criterion, Kind.TICK, items[places[0]], tuple(items[p] for p in places[1:]), "x", audit=True)
        with database.write() as s:
            (made,) = queue.put(s, criterion, [asked], retire=False)
            said = [
                PairVerdict(items[places[0]], items[p], Verdict.DIFFERENT if (p - places[0]) % 2 else Verdict.SAME)
                for p in places[1:]
            ]
            feedback.record(s, Answer(made, tuple(said), "ada", f"k{number}", 5.0))
    database.close()


def pushed(clamped: float, removed: float) -> dict[str, float]:
    """What the trainer reports of a step."""
    shares = {"confirmed": 0.1, "unlabelled": 0.9 - removed, "removed": removed, "synthetic": 0.0}
    found = {"detected": 12.3, "detected_precision": 0.75, "detected_asked": 8.0}
    return {**shares, **found, "clamped": clamped, "tau_plus": 0.14, "label_frequency": 0.06}


@needs_browser
@pytest.mark.timeout(240)
def test_training_shows_what_pushes_and_label_what_answers_dropped(page: "playwright.Page", tmp_path: Path) -> None:
    """Figures of a lesson as the trainer wrote them, a warning above the limit, look-alikes by twos."""
    settings = Settings(tmp_path / "workspace")
    database = settings.open()
    items = fill(database, settings.folder)
    terms: dict[str, Any] = {"artifact": "x", "last_event": 0, "encoder": "lite0"}
    with database.write() as s:
        criterion = catalog.add_criterion(s, "shape", catalog.collection_id(s, "shapes"), "Same shape?")
        run = runs.start(s, criterion, "answers", {})
        for step, clamped in ((10, 0.0), (20, 0.1), (30, 0.34)):
            look = {"rank": 16.5 - step / 2, "spread": 0.6} | ({"knn_accuracy": 0.5 + step / 100} if step > 10 else {})
            runs.step(s, run, step, {"loss": 3 - step / 20, "negatives": pushed(clamped, step / 100), **look})
        let_go = {"count": 31, "pairs": [[items[place], items[place + 2], 0.9, 0.2, 0.8] for place in range(5)]}
        metrics = {"negatives": pushed(0.1, 0.2), "settings": {"negatives": "soft_elimination"}, "let_go": let_go}
        first = versions.add(s, criterion, parent=None, metrics=metrics, **terms)
        made = versions.add(s, criterion, parent=first, metrics=metrics, **terms)
        runs.end(s, run, "done", made)
    ask(database, criterion, items, [Kind.PAIR] * 6)
    database.close()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    with server(settings.folder) as (_, address):
        page.goto(address)
        page.get_by_role("tab", name="Training").click()
        page.locator(".pw-push").wait_for()
        shares = {
            part: page.inner_text(f"[data-part={part}] dd.pw-num") for part in ("confirmed", "unlabelled", "removed")
        }
        assert shares == {"confirmed": "10 %", "unlabelled": "60 %", "removed": "30 %"}
        assert page.locator(".pw-stack .part").count() == 3 and page.locator("[data-part=synthetic]").count() == 0
        assert "taken out 30 %" in str(page.get_attribute(".pw-stack", "aria-label"))
        assert "soft elimination" in page.inner_text(".pw-push")
        assert "6 of 8 of them that audits asked about" in page.inner_text("[data-figure=detected]")
        assert page.inner_text("[data-figure=prior] .pw-big") == "14 %"
        assert page.get_attribute("[data-figure=clamped]", "data-tone") == "warn"
        assert "above 20 %" in page.inner_text("[data-figure=clamped]")
        assert page.inner_text("[data-figure=rank] .pw-big").split() == ["1.5", "collapsed"]
        assert "Lower the rate" in page.inner_text("[data-figure=rank]")
        assert page.get_attribute("[data-figure=spread]", "data-tone") == "plain"
        assert page.inner_text("[data-figure=knn_accuracy] .pw-big") == "80.0 %"
        assert "over 2 reports" in str(page.get_attribute("[data-figure=knn_accuracy] .pw-spark", "aria-label"))
        assert "over 2 versions" in str(page.get_attribute("[data-figure=prior] .pw-spark", "aria-label"))

        page.get_by_role("tab", name="Label").click()
        page.get_by_role("button", name="31 look-alikes no longer pushed away").click()
        sheet = page.get_by_role("dialog", name="Look-alikes that no longer push away")
        sheet.get_by_text("The model took the push from 31 pairs").wait_for()
        assert sheet.locator(".pw-two").count() == 5 and sheet.get_by_text("push 90 % \u2192 20 %").count() == 5
        page.keyboard.press("Escape")
        assert not sheet.is_visible()
        assert page.evaluate("document.activeElement.classList.contains('pw-let-go')")
    assert faults == []
