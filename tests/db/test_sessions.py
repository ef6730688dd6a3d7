"""Sessions, what they saw and what was put where: added once, superseded and never changed, links mended."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from db import feedback, observations, placements, sessions
from db.errors import BadInput, Conflict, NotFound
from db.observations import Look


def begun(world, key="begin", name="arm"):
    with world.database.write() as s:
        return sessions.begin(s, world.criterion, name, {"encoder": "lite0"}, "robot", key)


def saw(world, session, item, key, object=""):
    with world.database.write() as s:
        look = Look(item, object, datetime(2026, 2, 3, tzinfo=UTC), "belt")
        return observations.add(s, session, look, {"action": "new"}, "robot", key)


def put(world, seen, bin, key, kind="placement"):
    with world.database.write() as s:
        return placements.add(s, seen, kind, bin, "robot", key)


def links(world):
    with world.database.read() as s:
        return {frozenset((one.a, one.b)) for one in feedback.statements(s, world.criterion)}


def chain(*items):
    return {frozenset(pair) for pair in pairwise(items)}


def test_a_session_is_opened_once_per_key_and_moves_only_forward_to_its_end(world):
    (made, before), (again, after) = begun(world), begun(world)
    assert (made, before, after) == (again, False, True)
    with pytest.raises(BadInput, match="used for something else"):
        begun(world, name="other")
    with world.database.write() as s:
        assert sessions.move(s, made.id, "pause", "ann").state == "paused"
        with pytest.raises(Conflict, match="is paused"):
            sessions.working(s, made.id)
        assert sessions.move(s, made.id, "resume", "ann").state == "open"
        assert (
            sessions.move(s, made.id, "close", "ann").state
            == sessions.move(s, made.id, "close", "ann").state
            == "closed"
        )
        with pytest.raises(Conflict, match="is closed"):
            sessions.move(s, made.id, "resume", "ann")
        with pytest.raises(NotFound):
            sessions.session(s, 999)


def test_observations_and_statements_are_read_as_written_and_in_order(world):
    session = begun(world)[0].id
    looks = [saw(world, session, item, f"k{item}", f"t{item}")[0] for item in world.items[:5]]
    assert saw(world, session, world.items[0], f"k{world.items[0]}", f"t{world.items[0]}") == (looks[0], True)
    said = [put(world, look, "red", f"p{look.id}")[0] for look in looks]
    with world.database.read() as s:
        assert observations.since(s, world.criterion, 0) == looks and placements.since(s, world.criterion, 0) == said
        assert observations.since(s, world.criterion, looks[2].id) == looks[3:]
        assert [one.id for one in observations.page(s, session, looks[3].id, 2)] == [looks[2].id, looks[1].id]
        assert placements.bins(s, world.criterion) == {"red": 5}
        assert sessions.tally(s, session) == sessions.Tally(5, 5)
    assert looks[0].seen_at == datetime(2026, 2, 3, tzinfo=UTC) and looks[0].place == "belt"


def test_placements_chain_the_things_of_a_bin_and_a_correction_mends_the_chain(world):
    session, items = begun(world)[0].id, world.items
    looks = [saw(world, session, item, f"k{item}")[0] for item in items[:4]]
    for look in looks:
        put(world, look, "red", f"p{look.id}")
    assert links(world) == chain(*items[:4])
    moved, _ = put(world, looks[1], "blue", "move", "correction")
    assert links(world) == chain(items[0], items[2], items[3])
    assert put(world, looks[1], "blue", "move", "correction") == (moved, True)
    put(world, looks[0], None, "take back", "abstention")
    assert links(world) == chain(items[2], items[3])
    put(world, looks[1], "red", "back", "correction")
    assert links(world) == chain(items[2], items[3], items[1])
    with world.database.read() as s:
        assert placements.bins(s, world.criterion) == {"red": 3}


def test_two_views_of_one_thing_are_placed_as_one(world):
    session = begun(world)[0].id
    first, second = (saw(world, session, item, f"k{item}", "mug")[0] for item in world.items[:2])
    put(world, first, "red", "a")
    again, _ = put(world, second, "red", "b")
    assert again.supersedes is not None and links(world) == set()
    with world.database.read() as s:
        assert placements.bins(s, world.criterion) == {"red": 1} and placements.standing(s, first) == again


def test_what_does_not_fit_is_refused_and_leaves_nothing(world):
    session = begun(world)[0].id
    look = saw(world, session, world.items[0], "k")[0]
    for where, kind, error in (
        (None, "placement", BadInput), ("red", "abstention", BadInput), ("red", "thrown", BadInput),
        ("x" * 81, "placement", BadInput), ("red", "correction", Conflict),
    ):  # fmt: skip
        with pytest.raises(error):
            put(world, look, where, f"{where}{kind}"[:50], kind)
    with pytest.raises(NotFound):
        saw(world, session, 999_999, "gone")
    with pytest.raises(BadInput, match="used for something else"):
        saw(world, session, world.items[1], "k")
    with world.database.read() as s:
        assert placements.page(s, session, None, 9) == []
        with pytest.raises(NotFound, match="has seen no object"):
            observations.newest_of(s, session, "ghost")
