"""Names of groups: tied to an item, the newest counts, each naming stored once."""

import pytest

from db import catalog, events, group_names
from db.errors import BadInput, NotFound


def named(world, *given, source="ann"):
    """Give names, each (item, name, key); returns what counts afterwards, by item."""
    with world.database.write() as s:
        for item, name, key in given:
            group_names.give(s, world.criterion, item, name, source, key)
    with world.database.read() as s:
        return {item: one.name for item, one in group_names.names(s, world.criterion).items()}


def test_the_newest_name_of_an_item_counts_and_an_empty_one_takes_it_away(world):
    one, two = world.items[:2]
    assert named(world, (one, "cups", "a"), (two, "plates", "b"), (one, "mugs", "c")) == {two: "plates", one: "mugs"}
    assert list(named(world, (two, " ", "d"))) == [one]


def test_a_name_that_is_sent_again_is_stored_and_told_once(world):
    item = world.items[0]
    assert named(world, (item, "cups", "a"), (item, "mugs", "b"), (item, "cups", "a")) == {item: "mugs"}
    with world.database.read() as s:
        told = [one.payload["name"] for one in events.since(s, 0) if one.kind == "name"]
    assert told == ["cups", "mugs"]
    with pytest.raises(BadInput, match="used for another name"):
        named(world, (item, "bowls", "a"))
    assert named(world, (item, "bowls", "a"), source="ben") == {item: "bowls"}


def test_names_are_of_one_criterion_and_of_its_items(world):
    with world.database.write() as s:
        other = catalog.add_criterion(s, "colour", world.collection, "Same colour?")
    named(world, (world.items[0], "cups", "a"))
    with world.database.read() as s:
        assert group_names.names(s, other) == {}
    for wrong, error in (((10**6, "cups", "b"), NotFound), ((world.items[0], "x" * 81, "c"), BadInput)):
        with pytest.raises(error):
            named(world, wrong)
