"""What pictures of a collection can be paired by, from the kinds of its columns and what import understood."""

from datetime import datetime

import pytest

from app.relating import kind_of, relatable
from db import catalog
from tests.app.conftest import World


def test_columns_are_of_the_kind_their_values_are() -> None:
    assert kind_of(["3", " 4.5", None, ""]) == "number"
    assert kind_of(["2026-01-01", "2026-01-01T08:00:00+08:00"]) == "time"
    assert kind_of(["3", "a"]) == "equal" and kind_of([None, " "]) is None


@pytest.mark.anyio
async def test_time_and_place_are_there_where_import_understood_them(world: World) -> None:
    given = {"angle": "3", "camera": "a", "two words": "x", "empty": ""}
    with world.database.write() as s:
        collection = catalog.add_collection(s, "cams")
        plain = catalog.NewItem("0" * 64, 8, 8, "media/0.png", attributes=given)
        full = catalog.NewItem(
            "1" * 64, 8, 8, "media/1.png", taken_at=datetime(2026, 1, 1), latitude=1.0, longitude=2.0
        )
        catalog.add_items(s, collection, [plain])
    assert relatable(world.database, collection) == {"angle": "number", "camera": "equal"}
    with world.database.write() as s:
        catalog.add_items(s, collection, [full])
    found = relatable(world.database, collection)
    assert found == {"angle": "number", "camera": "equal", "place": "place", "time": "time"}
