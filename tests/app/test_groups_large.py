"""Groups worked out beside the server, told of and stopped as a job; numbers that outlive a partition."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import map_job, maps, numbers, quality_job
from app.numbers import Numbers, matched
from db import feedback, queue
from db.nouns import Answer, Kind, PairVerdict, Question, Verdict
from tests.app.conftest import World
from tests.app.test_groups import ASK, say, see, shown

pytestmark = pytest.mark.anyio
__all__ = ["shown"]


async def test_while_a_large_collection_is_worked_out_earlier_groups_are_shown(shown: World) -> None:
    """The job is the map's: it is asked for, told of, cancelled and done as one."""
    large(shown)
    one, two = shown.items[0], shown.items[2]
    before = await see(shown)
    assert (before["stand"], before["fresh"], before["job"]) == ("1.-1", False, None) and before["total"] == 2
    await say(shown, "answer", {"anchor": one, "same": [two]})
    async with shown.as_role("annotator") as person:
        job = (await person.post("/api/v1/map", json={**ASK, "what": "groups"})).json()
        assert (await see(shown))["job"]["id"] == job["id"]
        await person.post("/api/v1/map/cancel", json={**ASK, "job": job["id"]})
        assert (await see(shown))["job"] is None
        await person.post("/api/v1/map", json={**ASK, "what": "groups"})
    work(shown)
    now = await see(shown)
    assert now["fresh"] is True and now["job"] is None
    assert (await see(shown, f"/of/{one}"))["group"]["confirmed"] == 2
    await say(shown, "answer", {"anchor": one, "same": [shown.items[4]]}, "later")
    later = await see(shown)
    assert (later["stand"], later["fresh"]) == (now["stand"], False) and later["total"] == now["total"]
    assert (await see(shown, f"/of/{one}"))["group"]["confirmed"] == 3  # what was said is known at once


def test_sorting_is_told_of_step_by_step_and_stops_between_two(shown: World) -> None:
    told: list[tuple[int, int]] = []

    def step(done: int, of: int) -> None:
        told.append((done, of))

    job = (shown.settings, shown.database, shown.criterion, 1, "groups", step)
    with shown.database.write() as s:
        for place in range(3):
            record(s, shown, shown.items[place], shown.items[place + 2], f"{place}")
    assert maps.made(*job)["items"] == len(shown.items)
    assert told[-1] == (3, 3) and [done for done, _ in told[-4:]] == [0, 1, 2, 3]
    store = maps.store_of(shown.settings)
    store.remove(maps.name(shown.criterion, 1, "groups"))
    assert maps.made(*job, lambda: told[-1][0] == 1) == {}
    assert maps.kept(store, shown.criterion, 1, "groups") is None


async def test_a_group_keeps_its_number_when_the_order_changes_and_over_a_restart(shown: World) -> None:
    evens, odds = shown.items[::2], shown.items[1::2]
    first = await see(shown, f"/of/{odds[0]}")
    await say(shown, "answer", {"anchor": odds[0], "same": odds[1:]}, "odds")
    await say(shown, "answer", {"anchor": evens[0], "same": evens[1:4], "different": evens[4:]}, "evens")
    shown.app.state.context.partitions._kept.clear()
    now = await see(shown, items=60)
    ids = {group["id"]: {item["id"] for item in group["items"]} for group in now["groups"]}
    assert ids[first["group"]["id"]] >= set(odds)
    assert len(ids) == now["total"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=30),
    st.lists(st.integers(0, 5), min_size=1, max_size=30),
    st.permutations(range(6)),
)
def test_numbers_are_each_used_once_and_outlive_a_partition(
    then: list[int], now: list[int], other: tuple[int, ...]
) -> None:
    old = matched(np.arange(len(then)), np.array(then), numbers.NONE)
    new = matched(np.arange(len(now)), np.array(now), old)
    assert len(set(zip(now, new.of.tolist(), strict=True))) == len(set(now)) == len(set(new.of.tolist()))
    assert new.free == old.free + len(set(new.of.tolist()) - set(old.of.tolist()))
    shared = min(len(then), len(now))
    best = max((sum(a == x and b == y for a, b in zip(old.of[:shared], new.of[:shared], strict=True))
                for x in set(old.of.tolist()) for y in set(new.of.tolist())), default=0)  # fmt: skip
    kept = [sum((old.of[:shared] == one) & (new.of[:shared] == one)) for one in set(old.of.tolist())]
    assert max(kept) == best  # the largest overlap always keeps its number
    again = matched(np.arange(len(now)), np.array([other[label] for label in now]), new)
    assert again.of.tolist() == new.of.tolist() and again.free == new.free


def test_numbers_that_are_lost_begin_anew(shown: World) -> None:
    store = maps.store_of(shown.settings)
    numbers.keep(store, 7, Numbers(np.array([3, 5]), np.array([2, 9]), 10))
    assert numbers.kept(store, 7).of.tolist() == [2, 9] and numbers.kept(store, 7).free == 10
    (store.open("groups/7") / numbers.FILE).write_bytes(b"")
    assert numbers.kept(store, 7) is numbers.NONE


def large(world: World) -> None:
    """From now on the collection is too large to be worked out on the spot."""
    world.app.state.context.partitions.inline = 0


def work(world: World) -> None:
    """Do what waits, as the process beside the server would."""
    while job := quality_job._next(world.database, "test", maps.JOBS):
        quality_job.run(world.settings, world.database, job, work=map_job.work)


def record(s: Any, world: World, a: int, b: int, key: str) -> None:
    asked = queue.about_pair(s, Question(world.criterion, Kind.PAIR, a, (b,), "test"))
    feedback.record(s, Answer(asked, (PairVerdict(a, b, Verdict.SAME),), "annotator", key))
