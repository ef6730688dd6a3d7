"""Forty scripts as names, captions, prompts, labels and notes, on every screen: the browser runs none of them."""

from pathlib import Path

import pytest
from sqlalchemy import String, Text, select

from app.pages import TABS
from app.settings import Settings
from db.tables import Base, ItemRow
from tests.journeys.furnished import furnish
from tests.journeys.test_browser import needs_browser, page, playwright, server
from tests.measured import tell

pytestmark = pytest.mark.browser
__all__ = ["page"]
HIT = "hit()"
SCRIPTS = [
    f"<script>{HIT}</script>", f"<ScRiPt>{HIT}</sCrIpT>", f"<img src=x onerror={HIT}>", f"<img/src/onerror={HIT}>",
    f'"><img src=x onerror={HIT}>', f"'><img src=x onerror={HIT}>", f"</title><script>{HIT}</script>",
    f"</textarea><script>{HIT}</script>", f"</option></select><img src=x onerror={HIT}>", f"<svg onload={HIT}>",
    f"<svg/onload={HIT}>", f"<svg><script>{HIT}</script></svg>", f"<svg><animate onbegin={HIT} attributeName=x dur=1s>",
    f"<body onload={HIT}>", f"<iframe srcdoc='<script>parent.{HIT}</script>'></iframe>",
    f"<iframe src=javascript:parent.{HIT}>", f"<details open ontoggle={HIT}>x</details>",
    f"<input autofocus onfocus={HIT}>", f"<video><source onerror={HIT}></video>", f"<audio src=x onerror={HIT}>",
    f"<marquee onstart={HIT}>x</marquee>", f"<a href=javascript:{HIT}>x</a>", f"javascript:{HIT}",
    f"[x](javascript:{HIT})", f"![x](x onerror={HIT})", f"<math><mi xlink:href='javascript:{HIT}'>x</mi></math>",
    f"<object data=javascript:{HIT}>", f"<embed src=javascript:{HIT}>", f"<form><button formaction=javascript:{HIT}>x",
    f"<style onload={HIT}></style>", f"<link rel=stylesheet href=x onerror={HIT}>", f"<template><script>{HIT}</script>",
    f"<noscript><p title='</noscript><img src=x onerror={HIT}>'>", f'" onmouseover="{HIT}',
    f"' onfocus='{HIT}' autofocus='",
    f"{{{{constructor.constructor('{HIT}')()}}}}", f"${{{HIT}}}", f"{{#if {HIT}}}x{{/if}}",
    f"\\u003cscript\\u003e{HIT}",
    f"&lt;img src=x onerror={HIT}&gt;", f"<<script>{HIT}//<</script>", f"<!--><script>{HIT}</script>-->",
]  # fmt: skip
KEPT = {  # what the program reads, and not only shows
    "sha256", "path", "state", "status", "kind", "role", "verdict", "key", "body", "hash", "password", "token",
    "checksum", "artifact", "encoder", "action", "audio",
}  # fmt: skip


def poison(settings: Settings) -> int:
    """Scripts in every text that is shown: where a text is short, one; else, every other time, all of them.
    Returns how many."""
    database, cells = settings.open(), 0
    with database.write() as s:
        for table in Base.metadata.sorted_tables:
            if "id" not in table.c:
                continue
            wanted = [
                column for column in table.c
                if isinstance(column.type, (String, Text)) and column.name not in KEPT and not column.foreign_keys
            ]  # fmt: skip
            for (row,) in s.execute(select(table.c.id)).all():
                values = {}
                for column in wanted:
                    length, unique = getattr(column.type, "length", None), f" {cells}"
                    chosen = SCRIPTS if not length and cells % 2 else [SCRIPTS[cells % len(SCRIPTS)]]
                    values[column.name] = " ".join(chosen)[: (length or 9999) - len(unique)] + unique
                    cells += len(chosen)
                if values and not (table.name == "users" and row == admin(s)):
                    s.execute(table.update().where(table.c.id == row).values(values))
        for number, item in enumerate(s.scalars(select(ItemRow))):
            script = SCRIPTS[number % len(SCRIPTS)]
            item.attributes = {script: SCRIPTS[(number + 1) % len(SCRIPTS)], "shape": script}
            cells += 3
    database.close()
    return cells


def admin(s: object) -> int:
    """The row of the one who looks."""
    from db.tables import UserRow

    found: int = s.scalar(select(UserRow.id).where(UserRow.name == "admin"))  # type: ignore[attr-defined]
    return found


@needs_browser
@pytest.mark.timeout(240)
def test_no_script_in_any_text_runs_on_any_screen(page: "playwright.Page", tmp_path: Path) -> None:
    settings = furnish(tmp_path / "workspace")
    poisoned = poison(settings)
    assert len(set(SCRIPTS)) >= 40 and poisoned > 2000
    asked: list[str] = []
    page.context.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: (asked.append("dialog"), dialog.dismiss()))
    page.add_init_script("window.hits = 0; window.hit = () => { window.hits += 1; };")
    with server(settings.folder, trainer=False) as (_, address):
        page.goto(address)
        page.evaluate(HIT)
        assert page.evaluate("window.hits") == 1  # the trap works
        shown = ""
        for tab in TABS:
            page.get_by_role("tab", name=tab.TITLE, exact=True).click()
            page.wait_for_timeout(1500)
            shown += page.inner_text("body")
            for one in page.locator(".pw-screen button:visible, .pw-screen summary:visible").all()[:6]:
                if one.is_visible():
                    one.hover(timeout=2000, force=True)
            assert page.evaluate("window.hits") == 1, tab.TITLE
        assert sum(script[:20] in shown for script in SCRIPTS) > 10  # they are on the screens, as text
    assert not [url for url in asked if not url.startswith((address, "data:", "blob:"))]
    tell(14, scripts=len(set(SCRIPTS)), put_into_texts=poisoned, screens=len(TABS), ran=0)
