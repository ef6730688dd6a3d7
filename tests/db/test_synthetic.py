"""Synthetic pictures: keyed to an anchor, judged in a log of their own, never an item."""

import hashlib

import pytest

from db import catalog, events, synthetic
from db.errors import BadInput, NotFound
from db.synthetic import NewPicture, State


def made(anchor, number=0, **more):
    """A picture made of an anchor; the number is its content."""
    sha = hashlib.sha256(f"made {anchor} {number}".encode()).hexdigest()
    given = {"method": "clsp", "maker": "ab" * 32, "seed": 3, "settings": {"w": 0.1}, **more}
    return NewPicture(anchor, sha, 32, 32, f"media/{sha[:2]}/{sha}.png", **given)


@pytest.fixture
def proposed(world):
    """Ids of three proposals of the first two items."""
    with world.database.write() as s:
        one, two = world.items[:2]
        assert synthetic.add(s, world.collection, [made(one), made(one, 1), made(two)]) == 3
        return [picture.id for picture in synthetic.pictures(s, world.collection)]


def say(world, picture, state, key, source="ann"):
    with world.database.write() as s:
        return synthetic.decide(s, picture, state, source, key)


def look(world, picture):
    with world.database.read() as s:
        return synthetic.one(s, picture)


def test_a_picture_knows_its_anchor_and_its_maker_and_is_only_proposed(world, proposed):
    found = look(world, proposed[0])
    assert (found.anchor, found.collection, found.state) == (world.items[0], world.collection, State.PROPOSED)
    assert (found.method, found.maker, found.seed, dict(found.settings)) == ("clsp", "ab" * 32, 3, {"w": 0.1})
    assert (found.source, found.decided_at) == ("", None)


def test_the_same_bytes_of_the_same_anchor_are_proposed_once(world, proposed):
    with world.database.write() as s:
        assert synthetic.add(s, world.collection, [made(world.items[0]), made(world.items[0], 2)]) == 1
        assert len(synthetic.pictures(s, world.collection)) == 4


def test_the_newest_verdict_is_the_state_and_every_verdict_stays_in_the_log(world, proposed):
    say(world, proposed[0], State.ACCEPTED, "a")
    say(world, proposed[0], State.REJECTED, "b", "ben")
    found = look(world, proposed[0])
    assert (found.state, found.source) == (State.REJECTED, "ben") and found.decided_at is not None
    say(world, proposed[0], State.PROPOSED, "c")
    assert (look(world, proposed[0]).state, look(world, proposed[0]).source) == (State.PROPOSED, "")
    with world.database.read() as s:
        told = [one.payload["state"] for one in events.since(s, 0) if one.kind == "synthetic"]
    assert told == ["proposed", "accepted", "rejected", "proposed"]


def test_a_verdict_that_is_sent_again_is_stored_once(world, proposed):
    first, again = (say(world, proposed[0], State.ACCEPTED, "a") for _ in range(2))
    assert (first.id, first.replayed, again.id, again.replayed) == (first.id, False, first.id, True)
    with pytest.raises(BadInput, match="used for another verdict"):
        say(world, proposed[1], State.ACCEPTED, "a")
    assert say(world, proposed[1], State.ACCEPTED, "a", "ben").replayed is False


def test_pictures_are_listed_and_counted_by_their_state(world, proposed):
    say(world, proposed[0], State.ACCEPTED, "a")
    say(world, proposed[1], State.REJECTED, "b")
    with world.database.read() as s:
        assert synthetic.counts(s, world.collection) == dict.fromkeys(State, 1)
        for state, wanted in zip((State.ACCEPTED, State.REJECTED, State.PROPOSED), proposed, strict=True):
            assert [one.id for one in synthetic.pictures(s, world.collection, [state])] == [wanted]
        assert [one.id for one in synthetic.pictures(s, world.collection, after=proposed[0], limit=1)] == [proposed[1]]
        assert synthetic.made_by(s, world.collection, "ab" * 32, 3) == set(world.items[:2])
        assert synthetic.made_by(s, world.collection, "ab" * 32, 4) == set()


def test_what_is_no_picture_of_this_collection_is_refused(world):
    for wrong, error in ((made(10**6), NotFound), (made(world.items[0], maker="x"), BadInput)):
        with pytest.raises(error), world.database.write() as s:
            synthetic.add(s, world.collection, [wrong])
    with pytest.raises(NotFound, match="no synthetic picture with id 99"):
        look(world, 99)
    with pytest.raises(BadInput, match="state must be one of"), world.database.write() as s:
        synthetic.add(s, world.collection, [made(world.items[0])])
        synthetic.decide(s, synthetic.pictures(s, world.collection)[0].id, "liked", "ann", "a")


def test_nothing_that_lists_items_meets_a_synthetic_picture(world, proposed):
    with world.database.read() as s:
        items = catalog.items(s, world.collection)
        assert [item.id for item in items] == list(world.items)
        assert [one.items for one in catalog.collections(s)] == [len(world.items)]
        shas = {one.sha256 for one in synthetic.pictures(s, world.collection)}
        assert shas and not any(catalog.item_by_sha(s, world.collection, sha) for sha in shas)
