"""Annotators in browsers of their own, who answer by themselves, and what their pages and the log say of it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.auth import COOKIE
from app.settings import Settings
from db.tables import AnswerRow
from tests.journeys.test_browser import CHROMIUM, playwright

# What the page keeps on disk at a key press, before anything is sent, and which question was on screen and when.
NOTES = """
localStorage.setItem('pairwright/tour', 'seen');
window.kept = []; window.shown = [];
const set = Storage.prototype.setItem;
Storage.prototype.setItem = function (name, text) {
    if (name.startsWith('pairwright/outbox/')) window.kept.push(JSON.parse(text));
    return set.call(this, name, text);
};
new MutationObserver(() => {
    const id = document.querySelector('.pw-label')?.dataset.question ?? '';
    const last = window.shown.at(-1);
    if (last?.id === id) return;
    if (last) last.until ??= Date.now();
    if (id) window.shown.push({ id, from: Date.now() });
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-question'] });
"""
# Press a key whenever a question is on screen, until there were so many; as fast as a quick person.
ANSWER = """(count) => {
    window.pressed = 0;
    const step = setInterval(() => {
        const label = document.querySelector('.pw-label');
        if (!label?.dataset.question) return;
        const key = ['pair', 'merge'].includes(label.dataset.kind) ? 'd' : 'Enter';
        document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
        window.pressed += 1;
        if (window.pressed >= count) clearInterval(step);
    }, 250);
}"""
WAITING = "Object.keys(localStorage).filter((name) => name.startsWith('pairwright/outbox/')).length"


@dataclass
class Visitor:
    """One annotator at a browser of their own."""

    name: str
    page: Any

    def answer(self, count: int) -> None:
        """Begin to answer so many questions; returns at once."""
        self.page.evaluate(ANSWER, count)

    def press(self) -> None:
        """Answer the question on screen by a real key, and see the next one."""
        label = "document.querySelector('.pw-label')"
        self.page.wait_for_function(f"{label}?.dataset.question")
        before, kind = self.page.evaluate(f"[{label}.dataset.question, {label}.dataset.kind]")
        self.page.keyboard.press("d" if kind in ("pair", "merge") else "Enter")
        self.page.wait_for_function(f"was => {label}.dataset.question !== was", arg=before)

    def has_pressed(self, count: int) -> None:
        self.page.wait_for_function("count => window.pressed >= count", arg=count)

    def says(self, words: str) -> None:
        """Wait until the indicator says so."""
        self.page.wait_for_function("words => document.querySelector('.pw-saved').textContent === words", arg=words)

    def waiting(self) -> int:
        """Answers in the browser's store that are not acknowledged yet."""
        return int(self.page.evaluate(WAITING))

    def kept(self) -> list[tuple[str, int]]:
        """(idempotency key, question) of every answer this page made."""
        entries = self.page.evaluate("window.kept.filter((one) => one.kind === 'answer')")
        return [(one["key"], int(one["body"]["question"])) for one in entries]

    def shown(self) -> list[tuple[int, float, float]]:
        """(question, from, until) in ms, of every question this page showed."""
        now = self.page.evaluate("Date.now()")
        return [(int(one["id"]), one["from"], one.get("until", now)) for one in self.page.evaluate("window.shown")]


@contextmanager
def visitors(address: str, tokens: dict[str, str]) -> Iterator[list[Visitor]]:
    """One browser context for each, signed in, with the labelling screen open."""
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        made = [_visitor(browser, address, name, token) for name, token in tokens.items()]
        for one in made:
            one.page.wait_for_function("document.querySelector('.pw-label')?.dataset.question")
        yield made
        browser.close()


def _visitor(browser: Any, address: str, name: str, token: str) -> Visitor:
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    context.add_cookies([{"name": COOKIE, "value": token, "url": address}])
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.add_init_script(NOTES)
    page.goto(address, wait_until="commit")
    return Visitor(name, page)


def logged(workspace: Path) -> Counter[tuple[str, str, int]]:
    """(who, idempotency key, question) of every answer in the log, with how often it is there."""
    with closing(Settings(workspace).open()) as database, database.read() as s:
        rows = s.execute(select(AnswerRow.source, AnswerRow.key, AnswerRow.question_id)).all()
    return Counter((source, key, question) for source, key, question in rows)


def clicked(all_: list[Visitor]) -> Counter[tuple[str, str, int]]:
    """The same, as the pages have it."""
    return Counter((one.name, key, question) for one in all_ for key, question in one.kept())
