"""Collections, items and criteria."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from db import catalog
from db.errors import BadInput, Conflict, NotFound
from tests.db.factories import make_world, new_item


def test_adding_a_collection_twice_is_the_same_collection(database):
    with database.write() as s:
        assert catalog.add_collection(s, " pets ") == catalog.add_collection(s, "pets")
        assert [(one.name, one.items) for one in catalog.collections(s)] == [("pets", 0)]


def test_pictures_are_credited_to_whom_their_metadata_names(database):
    with database.write() as s:
        credited, plain = catalog.add_collection(s, "credited"), catalog.add_collection(s, "plain")
        catalog.add_items(s, credited, [new_item(1, attributes={"credit": "Pictures: Ada, CC BY 4.0"})])
        catalog.add_items(s, plain, [new_item(2)])
        assert catalog.credit(s, credited) == "Pictures: Ada, CC BY 4.0"
        assert catalog.credit(s, plain) == catalog.credit(s, catalog.add_collection(s, "empty")) == ""


def test_a_misspelt_name_is_answered_with_the_nearest(database):
    make_world(database)
    with database.read() as s:
        with pytest.raises(NotFound, match=r"no collection named 'thinks'\. Did you mean 'things'\?"):
            catalog.collection_id(s, "thinks")
        with pytest.raises(NotFound, match=r"no criterion named 'kinds'\. Did you mean 'kind'\?"):
            catalog.criterion(s, "kinds")
        with pytest.raises(NotFound, match="no criterion named '99'"):
            catalog.criterion(s, 99)
        with pytest.raises(NotFound, match="no item with id 99999"):
            catalog.item(s, 99_999)
        with pytest.raises(NotFound, match="no collection with id 99999"):
            catalog.items(s, 99_999)


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "a\nb", "tab\t", "\x00", None, 7])
def test_names_are_short_and_visible(database, name):
    with pytest.raises(BadInput, match="a collection's name must"), database.write() as s:
        catalog.add_collection(s, name)


@pytest.mark.parametrize("name", ["猫と犬", "🐈", "O'Brien; DROP TABLE items", "a/b", "<b>"])
def test_any_visible_name_is_kept_as_it_is(database, name):
    with database.write() as s:
        catalog.add_collection(s, name)
        assert [one.name for one in catalog.collections(s)] == [name]


def test_an_item_comes_back_as_it_was_given(database):
    given = new_item(
        1,
        caption="a cat",
        taken_at=datetime(2024, 5, 1, 12, 30),
        latitude=48.1,
        longitude=11.5,
        audio="meow.wav",
        attributes={"kind": "cat", "age": 3, "tags": ["x", "y"], "none": None},
        groups={"camera": "A"},
    )
    with database.write() as s:
        collection = catalog.add_collection(s, "pets")
        assert catalog.add_items(s, collection, [given]) == (1, 0)
        [item] = catalog.items(s, collection)
        assert catalog.item(s, item.id) == item
        assert catalog.items_by_id(s, [item.id, item.id + 1]) == {item.id: item}
    for field in given.__dataclass_fields__:
        assert getattr(item, field) == getattr(given, field)


def test_the_same_bytes_again_are_known_and_gain_new_metadata(database):
    with database.write() as s:
        collection = catalog.add_collection(s, "pets")
        first = new_item(1, caption="old", attributes={"kind": "cat", "age": 3}, groups={"g": "1"})
        assert catalog.add_items(s, collection, [first, new_item(2)]) == (2, 0)
    with database.write() as s:
        again = [new_item(1, latitude=1.0, attributes={"age": 4}), new_item(2), new_item(3), new_item(3)]
        assert catalog.add_items(s, collection, again) == (1, 3)
        one, two, three = catalog.items(s, collection)
    assert (one.caption, one.latitude, one.attributes, one.groups) == (
        "old",
        1.0,
        {"kind": "cat", "age": 4},
        {"g": "1"},
    )
    assert (two.name, three.name) == ("2.png", "3.png")


def test_the_same_bytes_may_be_in_two_collections(database):
    with database.write() as s:
        for name in ("one", "two"):
            assert catalog.add_items(s, catalog.add_collection(s, name), [new_item(1)]) == (1, 0)


def test_what_no_database_can_hold_is_made_plain(database):
    odd = {
        "nan": float("nan"),
        "numpy": np.float32(0.5),
        "whole": np.int64(7),
        "array": np.array([1, 2]),
        "nul": "a\x00b",
        "surrogate": "caf\udce9",
        "when": datetime(2024, 1, 2, tzinfo=UTC),
    }
    with database.write() as s:
        collection = catalog.add_collection(s, "odd")
        zone = timezone(timedelta(hours=2))
        catalog.add_items(s, collection, [new_item(1, attributes=odd, taken_at=datetime(2024, 1, 1, 1, tzinfo=zone))])
        [item] = catalog.items(s, collection)
    assert item.taken_at == datetime(2023, 12, 31, 23)
    assert item.attributes == {
        "nan": None,
        "numpy": 0.5,
        "whole": 7,
        "array": [1, 2],
        "nul": "a?b",
        "surrogate": "caf?",
        "when": "2024-01-02T00:00:00+00:00",
    }


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"sha256": "abc"}, "sha256 must be 64"),
        ({"width": 0}, "width must be a number in"),
        ({"latitude": 91.0}, "latitude must be a number in"),
        ({"longitude": float("nan")}, "longitude must be"),
        ({"path": "../../etc/passwd"}, "a path inside the workspace"),
        ({"path": "/etc/passwd"}, "a path inside the workspace"),
        ({"path": ""}, "a path inside the workspace"),
    ],
)
def test_an_item_that_makes_no_sense_is_refused_and_nothing_is_half_imported(database, change, sentence):
    bad = new_item(2).__dict__ | change
    with pytest.raises(BadInput, match=sentence), database.write() as s:
        catalog.add_items(s, catalog.add_collection(s, "pets"), [new_item(1), catalog.NewItem(**bad)])
    with database.read() as s:
        assert catalog.collections(s) == []


def test_pages_of_items_cover_them_once(database):
    world = make_world(database, items=25)
    with database.read() as s:
        seen: list[int] = []
        while page := catalog.page_items(s, world.collection, after=seen[-1] if seen else 0, limit=10):
            seen += [item.id for item in page]
    assert seen == list(world.items)


def test_a_criterion_again_is_no_change_but_another_meaning_is_a_conflict(database):
    world = make_world(database)
    with database.write() as s:
        assert catalog.add_criterion(s, "kind", world.collection, "same kind of thing?") == world.criterion
        colour = catalog.add_criterion(s, "colour", world.collection, "same colour?")
        assert [one.id for one in catalog.criteria(s)] == [world.criterion, colour]
        assert [one.id for one in catalog.criteria(s, world.collection + 1)] == []
        assert catalog.criterion(s, "colour") == catalog.criterion(s, colour)
        with pytest.raises(Conflict, match="already asks"):
            catalog.add_criterion(s, "kind", world.collection, "same colour?")
        with pytest.raises(BadInput, match="prompt must be text of 1 to 500"):
            catalog.add_criterion(s, "empty", world.collection, "  ")
        with pytest.raises(NotFound, match="no collection with id"):
            catalog.add_criterion(s, "lost", 10**6, "same?")
