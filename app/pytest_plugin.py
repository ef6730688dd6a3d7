"""The pytest fixture `simulated_session`: test your code against a scripted oracle, without pictures or a server.

Everything heavy is imported when the fixture is called, so that having the plugin installed costs no start of pytest.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from app.scripted import Scripted


@pytest.fixture
def simulated_session(tmp_path: Path) -> Iterator[Callable[..., "Scripted"]]:
    """A function (features, labels, **settings) that opens a session; see `app.scripted.Scripted.open`."""
    from app.scripted import Scripted

    opened: list[Scripted] = []

    def build(features: Any, labels: Any, **settings: Any) -> Scripted:
        folder = tmp_path / f"simulated-{len(opened)}"
        folder.mkdir()
        opened.append(Scripted.open(folder, features, labels, **settings))
        return opened[-1]

    yield build
    for session in opened:
        session.close()
