"""One trainer per criterion."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from db.errors import StaleLease
from tests.small_world import World, make_world
from trainer.leading import Lead


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = make_world(tmp_path, embedded=False, items=3)
    yield made
    made.database.close()


def test_the_second_waits_until_the_first_resigns(world: World) -> None:
    now = [0.0]
    first, second = (Lead(world.database, "trainer:1", name, clock=lambda: now[0]) for name in ("one", "two"))
    assert first.hold() and not second.hold()
    first.resign()
    now[0] += 5
    assert second.hold()


def test_a_paused_leader_is_refused_when_it_wakes_up(world: World) -> None:
    first = Lead(world.database, "trainer:1", "one", lease_s=0, clock=lambda: 0.0)
    assert first.hold()
    second = Lead(world.database, "trainer:1", "two")
    assert second.hold()
    with pytest.raises(StaleLease), world.database.write() as s:
        first.check(s)
    with world.database.write() as s:
        second.check(s)


def test_the_lease_is_renewed_in_time_but_not_all_the_time(world: World) -> None:
    now, asked = [0.0], []
    lead = Lead(world.database, "trainer:1", "one", lease_s=8, clock=lambda: now[0])
    write = world.database.write
    world.database.write = lambda: asked.append(now[0]) or write()  # type: ignore[method-assign,func-returns-value]
    for tick in range(60):
        now[0] = tick * 0.2
        assert lead.hold()
    assert len(asked) == 6 and max(b - a for a, b in pairwise(asked)) <= 8 / 2


def test_who_never_led_may_store_nothing(world: World) -> None:
    with pytest.raises(StaleLease, match="does not lead"), world.database.write() as s:
        Lead(world.database, "trainer:1", "one").check(s)
