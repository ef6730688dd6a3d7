"""A network that drops, replies that get lost, a server killed and started again: the page says what is not saved."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.ui.workspace import made
from tests.journeys.crowd import clicked, logged, visitors
from tests.journeys.test_browser import needs_browser, server

pytestmark = pytest.mark.browser
ANSWERS = "**/api/v1/answers"


def commit_but_do_not_tell(route: Any) -> None:
    """The request reaches the server and is stored; the reply is lost on the way back."""
    route.fetch()
    route.abort("connectionreset")


@needs_browser
@pytest.mark.timeout(300)
def test_what_is_not_saved_is_said_and_is_saved_once_when_the_way_is_free_again(tmp_path: Path) -> None:
    """While the trainer learns; each answer ends up in the log exactly once, in all three troubles."""
    settings, database, tokens = made(tmp_path / "workspace", pictures=60, items=0)
    database.close()
    someone = dict(list(tokens.items())[:1])
    with server(settings.folder) as (process, address):
        port = int(address.rsplit(":", 1)[1])
        with visitors(address, someone) as (ada,):
            ada.press()
            ada.says("saved")

            ada.page.context.set_offline(True)
            ada.press()
            ada.press()
            ada.says("not saved yet (2)")
            assert ada.waiting() == 2 and logged(settings.folder).total() == 1
            ada.page.context.set_offline(False)
            ada.says("saved")
            assert ada.waiting() == 0 and logged(settings.folder).total() == 3

            ada.page.route(ANSWERS, commit_but_do_not_tell)
            ada.press()
            ada.says("not saved yet (1)")
            ada.page.wait_for_timeout(1500)  # it is sent again, stored no second time, and still not told
            assert ada.waiting() == 1 and logged(settings.folder).total() == 4
            ada.page.unroute_all(behavior="wait")
            ada.says("saved")

            process.kill()
            process.wait()
            ada.press()
            ada.press()
            ada.says("not saved yet (2)")
            with server(settings.folder, port):
                ada.says("saved")
                ada.press()
                ada.says("saved")
                assert ada.waiting() == 0
                clicks = clicked([ada])
    assert clicks.total() == 7 and set(clicks.values()) == {1}
    assert logged(settings.folder) == clicks
