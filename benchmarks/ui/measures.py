"""What is measured: a key press, an answer under load, the first page, a very large collection."""

import json
import statistics
import threading
import time
import uuid
from collections.abc import Sequence
from typing import Any

import httpx

LABEL = ".pw-label"
READY = """() => {
    const pictures = [...document.querySelectorAll('.pw-question:not(.waiting) img')];
    return document.querySelector('.pw-label')?.dataset.question
        && pictures.length >= 2 && pictures.every((one) => one.complete && one.naturalWidth > 0);
}"""
NEXT = "before => document.querySelector('.pw-label').dataset.question !== before"
FRAMES = """async (steps) => {
    const sheet = document.querySelector('.pw-window'), times = [];
    for (let step = 0; step < steps; step += 1) {
        const began = performance.now();
        sheet.scrollTop += sheet.clientHeight;
        await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        times.push(performance.now() - began);
    }
    return times;
}"""


SCROLL = """async (seconds) => {
    const sheet = document.querySelector('.pw-group-open .pw-window'), frames = [];
    const next = () => new Promise((done) => requestAnimationFrame(done));
    let before = await next();
    const step = async () => { const now = await next(); frames.push(now - before); before = now; };
    const end = before + 1000 * seconds, whole = sheet.scrollHeight - sheet.clientHeight;
    while (before < end) { sheet.scrollTop += 120; await step(); }
    for (let jump = 1; jump <= 20; jump += 1) {
        sheet.scrollTop = whole * ((jump * 0.37) % 1);
        for (let wait = 0; wait < 12; wait += 1) await step();
    }
    return frames;
}"""  # as fast as a wheel turns, then twenty jumps of the scroll bar


def quantiles(times: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile, in what they came in."""
    ordered = sorted(times)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return {"median": round(statistics.median(ordered), 2), "p95": round(p95, 2), "count": len(ordered)}


def first_page(browser: Any, address: str, rounds: int = 5) -> dict[str, float]:
    """Milliseconds from asking for the page to a question with its pictures, with an empty cache."""
    times = []
    for _ in range(rounds):
        page = visitor(browser)
        began = time.perf_counter()
        page.goto(address)
        page.wait_for_function(READY, timeout=120_000)
        times.append(1000 * (time.perf_counter() - began))
        page.context.close()
    return quantiles(times)


def visitor(browser: Any) -> Any:
    """A page that has seen the tour."""
    page = browser.new_context(viewport={"width": 1280, "height": 720}).new_page()
    page.set_default_timeout(120_000)
    page.add_init_script("localStorage.setItem('pairwright/tour', 'seen')")
    return page


def key_presses(browser: Any, address: str, presses: int) -> dict[str, Any]:
    """Milliseconds from the key press to the next question in the page, decoded, and to its paint. One press a second,
    as a quick annotator does, so that the next questions can arrive."""
    page = visitor(browser)
    page.goto(address)
    page.wait_for_function(READY)
    for _ in range(presses):
        before = page.eval_on_selector(LABEL, "one => one.dataset.question")
        kind = page.eval_on_selector(LABEL, "one => one.dataset.kind")
        page.keyboard.press("d" if kind in ("pair", "merge") else "Enter")
        page.wait_for_function(NEXT, arg=before)
        page.wait_for_function(READY)
        page.wait_for_timeout(1000)
    page.wait_for_function("document.querySelector('.pw-saved').dataset.waiting === '0'")
    kept = page.evaluate("window.pairwright.paints")
    page.context.close()
    return {name: quantiles([one[name] for one in kept]) for name in ("swapped", "paint")}


def acknowledged(address: str, tokens: dict[str, str], seconds: float) -> dict[str, float]:
    """Milliseconds until an answer is in the database, with all annotators answering at once, two a second each."""
    times: list[float] = []
    threads = [threading.Thread(target=_annotate, args=(address, token, seconds, times)) for token in tokens.values()]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return quantiles(times)


def _annotate(address: str, token: str, seconds: float, times: list[float]) -> None:
    headers = {"authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"{address}/api/v1", headers=headers, timeout=30) as client:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            asked = client.post("questions/claim", json={"criterion": "kind", "count": 1}).json().get("questions", [])
            time.sleep(0.5)
            for one in asked:
                shown = one["candidates"][:1] if one["kind"] == "merge" else one["candidates"]
                said = [{"a": one["anchor"]["id"], "b": other["id"], "verdict": _truth(one, other)} for other in shown]
                body = {"question": one["id"], "verdicts": said, "lease": one["token"], "seconds": 0.5}
                began = time.perf_counter()
                reply = client.post("answers", json=body, headers={"idempotency-key": uuid.uuid4().hex})
                reply.raise_for_status()
                times.append(1000 * (time.perf_counter() - began))


def _truth(one: dict[str, Any], other: dict[str, Any]) -> str:
    same = one["anchor"]["name"].rsplit("-", 1)[0] == other["name"].rsplit("-", 1)[0]
    return "same" if same else "different"


def very_many(browser: Any, address: str, rounds: int = 3) -> dict[str, Any]:
    """Milliseconds until the grid of a very large collection shows pictures, and of a page of scrolling in it."""
    opened, frames = [], []
    for _ in range(rounds):
        page = visitor(browser)
        page.goto(address)
        page.wait_for_function("document.querySelector('.pw-label')")  # a question may not be there: nobody asks
        began = time.perf_counter()
        page.get_by_role("tab", name="Data").click()
        page.get_by_role("button", name="very many").click()
        page.wait_for_function("[...document.querySelectorAll('.pw-cell img')].some((one) => one.naturalWidth > 0)")
        opened.append(1000 * (time.perf_counter() - began))
        frames += page.evaluate(FRAMES, 40)
        page.context.close()
    return {"open": quantiles(opened), "scroll": quantiles(frames)}


def gallery(browser: Any, address: str, seconds: float = 15) -> dict[str, Any]:
    """A group of nine in ten of the very large collection, scrolled through: milliseconds between two frames, and the
    longest task of the page's main thread, by the clock and in processor time (which a busy machine does not stretch).
    """
    page = visitor(browser)
    page.add_init_script("localStorage.setItem('pairwright/criterion', '2')")
    page.goto(address)
    page.get_by_role("tab", name="Groups").click()
    page.locator(".pw-group-face").first.click()
    page.wait_for_function("[...document.querySelectorAll('.pw-member img')].some((one) => one.naturalWidth > 0)")
    browser.start_tracing(page=page, categories=["devtools.timeline", "toplevel"])
    frames = page.evaluate(SCROLL, seconds)
    tasks = main_tasks(json.loads(browser.stop_tracing()))
    page.context.close()
    return {"frame": quantiles(frames) | {"longest": max(frames)}, "task": {"longest": max(one[0] for one in tasks)},
            "task_cpu": {"longest": max(one[1] for one in tasks)}}  # fmt: skip


def main_tasks(trace: dict[str, Any]) -> list[tuple[float, float]]:
    """(by the clock, in processor time) of every task of a page's main thread, in milliseconds."""
    events = trace["traceEvents"]
    named = [one for one in events if one["name"] == "thread_name" and one["args"].get("name") == "CrRendererMain"]
    threads = {(one["pid"], one["tid"]) for one in named}
    tasks = (one for one in events if one.get("ph") == "X" and one["name"].endswith("RunTask"))
    return [
        (one["dur"] / 1000, one.get("tdur", 0) / 1000) for one in tasks if (one["pid"], one["tid"]) in threads
    ]  # fmt: skip
