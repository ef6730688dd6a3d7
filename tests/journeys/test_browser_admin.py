"""Administering in a real browser: people, roles and tokens, given and taken back; the log of it; a backup."""

from pathlib import Path

import pytest

from app.settings import Settings
from db import users
from tests.app.conftest import fill
from tests.journeys.test_browser import needs_browser, page, playwright, server

pytestmark = pytest.mark.browser
__all__ = ["page"]
EVIL = "<img src=x onerror=alert(1)>"


@needs_browser
@pytest.mark.timeout(240)
def test_a_person_is_added_promoted_given_a_token_and_all_of_it_is_in_the_log(
    page: "playwright.Page", tmp_path: Path
) -> None:
    settings = Settings(tmp_path / "workspace")
    database = settings.open()
    fill(database, settings.folder)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "dialog", lambda dialog: (faults.append(dialog.message) if dialog.message == "1" else None, dialog.accept())
    )
    with server(settings.folder) as (_, address):
        page.goto(address)
        page.get_by_role("tab", name="Admin").click()
        page.get_by_placeholder("ada").fill(EVIL)
        page.get_by_role("button", name="Add", exact=True).last.click()
        dialog = page.get_by_role("dialog")
        dialog.wait_for()
        password = dialog.get_by_label("Password").input_value()
        page.keyboard.press("Escape")
        dialog.wait_for(state="detached")
        row = page.locator("#pw-admin tr", has=page.get_by_role("button", name=EVIL))
        row.get_by_label(f"Role of {EVIL}").select_option("robot")
        page.locator("[data-action='change user']").first.wait_for()
        row.get_by_role("button", name=EVIL).click()
        page.get_by_placeholder("conveyor belt").fill("belt")
        page.get_by_role("button", name="Issue a token").click()
        token = dialog.get_by_label("Token").input_value()
        dialog.get_by_role("button", name="Done").click()
        with database.write() as s:
            assert users.login(s, EVIL, password)
            assert users.whoami(s, token).role == "robot"  # type: ignore[union-attr]
        page.get_by_role("button", name="Revoke: belt").click()
        page.locator("[data-action='revoke token']").wait_for()
        page.get_by_label("Role of admin").select_option("viewer")
        page.get_by_text("only active admin").wait_for()
        page.get_by_role("button", name="Dismiss").click()
        actions = page.locator("#pw-admin .pw-audit tbody tr").evaluate_all("rows => rows.map((r) => r.dataset.action)")
        assert actions == ["revoke token", "issue token", "change user", "add user"]
        with page.expect_download() as taken:
            page.get_by_role("button", name="Download all").click()
        assert "revoke token" in taken.value.path().read_text()
        assert page.get_by_label("Role of admin").input_value() == "admin"
        with database.read() as s:
            assert users.whoami(s, token) is None
        page.get_by_text("There is none yet").wait_for()
        page.get_by_role("button", name="Make one now").click()
        made = page.locator("#pw-admin tr[data-backup]")
        made.wait_for()
        made.get_by_role("button", name="Check the backup").click()
        made.get_by_text("whole").wait_for()
        assert "pairwright backup restore" in page.inner_text(".pw-backups")
    database.close()
    assert faults == []
