"""Negatives dropped because of answers: counted as a plain loop over all pairs counts, shown nearest first."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.dropped import joined
from db import feedback, queue, versions
from db.nouns import Answer, Kind, PairVerdict, Question, Statement, Verdict
from oracle.constraints import ConstraintGraph
from tests.app.conftest import World
from tests.app.test_versions import keep_snapshot

ITEMS = st.integers(1, 8)
SAID = st.lists(
    st.tuples(ITEMS, ITEMS, st.sampled_from([Verdict.SAME, Verdict.DIFFERENT, Verdict.UNSURE])), max_size=12
)


@given(SAID, st.integers(0, 12))
def test_newly_joined_pairs_are_those_the_graph_joins_and_did_not_join(rows: list, kept: int) -> None:
    said = [Statement(n, a, b, verdict, "me") for n, (a, b, verdict) in enumerate(rows) if a != b]
    before, after = said[:kept], said

    def pairs(log: list[Statement]) -> set[tuple[int, int]]:
        groups = ConstraintGraph.build(log).trusted_components()
        return {pair for group in groups for pair in combinations(sorted(group), 2)}

    count, found = joined(before, after)
    fresh = pairs(after) - pairs(before)
    assert count == len(fresh)
    for a, b in combinations(sorted(found), 2):
        together = found[a][0] == found[b][0] and found[a][1] != found[b][1]
        assert together == ((a, b) in fresh)


def say(world: World, pairs: list[tuple[int, int]], source: str = "annotator") -> None:
    """Truthful "same" answers by somebody."""
    for number, (a, b) in enumerate(pairs):
        with world.database.write() as s:
            (made,) = queue.put(s, world.criterion, [Question(world.criterion, Kind.PAIR, a, (b,), "x")], retire=False)
            verdict = (PairVerdict(a, b, Verdict.SAME),)
            feedback.record(s, Answer(made, verdict, source, f"{source}-{number}-{a}-{b}"))


@pytest.mark.anyio
async def test_a_same_shows_which_look_alikes_it_dropped(world: World) -> None:
    keep_snapshot(world, world.settings.folder)
    items = world.items
    say(world, [(items[0], items[2])], "curator")
    say(world, [(items[2], items[4])])
    async with world.as_role("annotator") as client:
        found = (await client.get("/api/v1/dropped", params={"criterion": "shape"})).json()
    assert (found["answers"], found["implied"], found["implied_alike"]) == (1, 2, 2)
    shown = [(one["a"]["id"], one["b"]["id"]) for one in found["implied_pairs"]]
    assert shown == [(items[2], items[4]), (items[0], items[4])], "nearest first, and not what somebody else joined"
    assert {(one["before"], one["now"]) for one in found["implied_pairs"]} == {(1.0, 0.0)}
    assert (found["softened"], found["version"]) == (0, None)


@pytest.mark.anyio
async def test_the_newest_lesson_says_what_the_model_let_go_of(world: World) -> None:
    one, other = world.items[:2]
    rows = [[one, other, 0.9, 0.2, 0.7], [one, 10**9, 0.9, 0.1, 0.6]]
    terms = {"parent": None, "artifact": "x", "last_event": 0, "encoder": "lite0"}
    with world.database.write() as s:
        made = versions.add(s, world.criterion, metrics={"let_go": {"count": 31, "pairs": rows}}, **terms)
        versions.add(s, world.criterion, metrics={}, **terms)
    async with world.as_role("viewer") as client:
        found = (await client.get("/api/v1/dropped", params={"criterion": "shape"})).json()
    assert (found["softened"], found["version"], found["implied"]) == (31, made, 0)
    (pair,) = found["softened_pairs"]
    assert (pair["a"]["id"], pair["b"]["id"], pair["before"], pair["now"]) == (one, other, 0.9, 0.2)


@pytest.mark.anyio
async def test_a_stranger_and_an_unknown_criterion_are_refused(world: World) -> None:
    async with world.as_role(None) as nobody, world.as_role("viewer") as client:
        assert (await nobody.get("/api/v1/dropped", params={"criterion": "shape"})).status_code == 401
        assert (await client.get("/api/v1/dropped", params={"criterion": "shpe"})).status_code == 404
