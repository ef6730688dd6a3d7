"""Pictures of every screen, light and dark, of a small demo with pictures of our own drawing: docs/screens.md."""

import random
import shutil
import tempfile
import uuid
from contextlib import ExitStack, closing
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from app.pages import TABS
from app.settings import Settings
from benchmarks.ui.newcomer import alike, demo, first_session
from db import catalog, feedback, queue, users
from db.nouns import Answer, Item, Kind, PairVerdict, Question, Verdict

SIZE = (1280, 720)
QUALITY = 84
ANSWERS, AUDITS = 40, 30
OURS = """
import app.demo
from app.drawn import shapes
app.demo.find_spec = lambda name: None
app.demo.shapes = lambda: shapes(copies=2)
"""
LINES = {
    "Label": "One question at a time, answered by a key; whether it is saved stands below.",
    "Groups": "What belongs together so far, to look through, approve, split, merge and name.",
    "Map": "Every picture a point, coloured by group; choose with a lasso and say what belongs together.",
    "Search": "What looks like a picture; `+` and `-` steer it and can become answers.",
    "Conflicts": "Answers that cannot all be true, with who said what, to be answered again.",
    "Training": "Versions with what they learnt from, what pushes and pulls, roll back, deep refresh.",
    "Compare": "Which pairs each method would create, graded by your answers, before anything is trained.",
    "Quality": "How good the groups are, from audit answers with intervals, and how much is left to do.",
    "Data": "Collections, import with progress, and what *same* means.",
    "Admin": "People, roles and tokens, backups, and who did what.",
}
HEAD = """# Every screen

Made by `python -m benchmarks.ui screens` from a demo of drawn shapes, after {answers} answers. Every screen works by
keyboard, in light and dark, on a tablet, and without the internet.
"""
# The screen in view has not changed for a second and its pictures are decoded.
SETTLED = """async () => {
    const screens = [...document.querySelectorAll('.pw-screen')];
    const look = () => screens.filter((one) => one.offsetParent).map((one) => one.innerHTML).join();
    for (let before = look(), tries = 0; tries < 15; tries += 1) {
        await new Promise((done) => setTimeout(done, 1000));
        const loading = [...document.images].some((one) => one.offsetParent && !one.complete && one.loading !== 'lazy');
        const now = look();
        if (now === before && !loading) return;
        before = now;
    }
}"""
# Nothing is under way any more: no job, no newer version for eight seconds.
QUIET = """async () => {
    const get = async (path) => (await fetch(`/api/v1/${path}`)).json();
    for (let before = '', quiet = 0, tries = 0; quiet < 8 && tries < 180; tries += 1) {
        await new Promise((done) => setTimeout(done, 1000));
        const { jobs } = await get('jobs');
        const now = JSON.stringify([(await get('versions?criterion=kind&limit=1')).versions.map((one) => one.id),
            jobs.map((one) => one.id + one.status)]);
        const busy = jobs.some((one) => ['queued', 'running'].includes(one.status));
        quiet = now === before && !busy ? quiet + 1 : 0;
        before = now;
    }
}"""
POST = """([path, body]) => fetch(`/api/v1/${path}`,
    { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })"""


def pictured(title: str, light: str) -> str:
    """Name of a screen's file."""
    return f"{title.lower()}-{light}.webp"


def page() -> str:
    """docs/screens.md: every tab there is, in its order."""
    parts = [HEAD.format(answers=ANSWERS)]
    for tab in TABS:
        shots = " ".join(
            f"![{tab.TITLE}, {light}](screens/{pictured(tab.TITLE, light)})" for light in ("light", "dark")
        )
        parts.append(f"## {tab.TITLE}\n\n{LINES[tab.TITLE]}\n\n{shots}\n")
    return "\n".join(parts)


def shoot(docs: Path) -> None:
    """Make the workspace, answer some, and take every picture."""
    from playwright.sync_api import sync_playwright

    target = docs / "screens"
    target.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="screens-"))
        driver = stack.enter_context(sync_playwright())
        address = stack.enter_context(demo(Path(folder), before=OURS))
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        seen = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
        seen.set_default_timeout(120_000)
        _lived_in(seen, address, Settings(Path(folder)))
        seen.evaluate(QUIET)
        for tab in TABS:
            seen.get_by_role("tab", name=tab.TITLE, exact=True).click()
            _prepare(seen, tab.TITLE)
            for light in ("light", "dark"):
                if light == "dark":
                    seen.get_by_role("button", name="Switch to dark").click()
                seen.mouse.move(0, 719)
                seen.wait_for_timeout(400)
                (target / pictured(tab.TITLE, light)).write_bytes(_small(seen.screenshot()))
            seen.get_by_role("button", name="Switch to light").click()
        browser.close()
    (docs / "screens.md").write_text(page(), encoding="utf-8")


def _small(png: bytes) -> bytes:
    out = BytesIO()
    with Image.open(BytesIO(png)) as picture:
        picture.convert("RGB").save(out, "WEBP", quality=QUALITY, method=6)
    return out.getvalue()


def _lived_in(seen: Any, address: str, settings: Settings) -> None:
    """Answers, a contradiction, people, a comparison and a backup."""
    first_session(seen, address, alike(settings.folder, "kind"), think_s=0.2,
                  enough=lambda done: done.answers >= ANSWERS, by_question=True)  # fmt: skip
    seen.evaluate(POST, ["compare", {"criterion": "kind", "methods": ["simclr", "nnclr", "fnc_attraction"]}])
    seen.evaluate(POST, ["backups", {}])
    with closing(settings.open()) as database, database.write() as s:
        criterion = catalog.criterion(s, "kind")
        users.add(s, "ada", "annotator")
        users.add(s, "grace", "curator")
        users.issue_token(s, "ada", "conveyor belt")
        items = catalog.items(s, criterion.collection)
        _audited(s, criterion.id, items)
        a, b, c = (item.id for item in items[40:43])
        for source, one, other, verdict in (
            ("ada", a, b, Verdict.SAME), ("ada", b, c, Verdict.SAME), ("grace", a, c, Verdict.DIFFERENT),
        ):  # fmt: skip
            asked = queue.about_pair(s, Question(criterion.id, Kind.PAIR, one, (other,), "test"))
            feedback.record(s, Answer(asked, (PairVerdict(one, other, verdict),), source, uuid.uuid4().hex))


def _audited(s: Any, criterion: int, items: list[Item]) -> None:
    """Truthful answers to audits, pictures drawn by chance, so that the Quality screen has something to judge by."""
    rng = random.Random(0)
    for number in range(AUDITS):
        anchor, *others = rng.sample(items, 7)
        shown = tuple(one.id for one in others)
        question = Question(criterion, Kind.TICK, anchor.id, shown, "test", audit=True)
        (asked,) = queue.put(s, criterion, [question], retire=False)
        said = tuple(PairVerdict(anchor.id, one.id, _truth(anchor, one)) for one in others)
        feedback.record(s, Answer(asked, said, "ada", f"audit {number}", 4.0))


def _truth(one: Item, other: Item) -> Verdict:
    return Verdict.SAME if one.attributes["kind"] == other.attributes["kind"] else Verdict.DIFFERENT


def _prepare(seen: Any, title: str) -> None:
    """Wait until a screen has what it can show; Search is given a picture."""
    signs = {
        "Map": "document.querySelector('.pw-map')?.dataset.ready",
        "Compare": "document.querySelector('#pw-compare [data-figure=precision]')",
        "Quality": "document.querySelector('[data-figure=f1]')",
    }
    if title == "Search":
        seen.get_by_label("Find a picture by name").fill("star")
        seen.locator(".pw-hit").first.click()
    if title in signs:
        seen.wait_for_function(signs[title])
    seen.evaluate(SETTLED)
    if title == "Map":
        seen.evaluate(QUIET)
        seen.wait_for_function("!document.querySelector('.pw-map').innerText.includes('Sorting')")
    if title == "Compare":
        seen.evaluate("document.querySelector('[data-card] .pw-pair').closest('[data-card]').scrollIntoView()")
        seen.evaluate(SETTLED)
