"""Quality over REST: what a measurement found, whether it is still of today, one job at a time, never computed here."""

from collections.abc import Sequence

import numpy as np
import pytest

from app import quality_job
from app.children import Importer, Measurer
from app.view import view
from db import feedback, jobs, queue, versions
from db.nouns import Answer, Kind, PairVerdict, Question, Snapshot, Statement, Verdict
from oracle.belief import Belief
from oracle.constraints import ConstraintGraph
from oracle.holdout import weighed
from tests.app.conftest import World
from tests.app.test_versions import keep_snapshot

pytestmark = pytest.mark.anyio
ASK = {"criterion": "shape"}


def answer(world: World, count: int, *, audit: bool = True, source: str = "ada", start: int = 0) -> None:
    """Truthful screens of five: an item's place is even or odd."""
    rng = np.random.default_rng(start)
    for number in range(start, start + count):
        one, *others = (int(i) for i in rng.choice(len(world.items), 6, replace=False))
        asked = Question(world.criterion, Kind.TICK, world.items[one], tuple(world.items[o] for o in others), "test",
                         audit=audit)  # fmt: skip
        with world.database.write() as s:
            (made,) = queue.put(s, world.criterion, [asked], retire=False)
            said = tuple(
                PairVerdict(world.items[one], world.items[o], Verdict.SAME if (one - o) % 2 == 0 else Verdict.DIFFERENT)
                for o in others
            )
            feedback.record(s, Answer(made, said, source, f"k{number}", 4.0))


def work(world: World) -> None:
    """Do every waiting job, as the measuring process would."""
    while job := quality_job._next(world.database, "test"):
        quality_job.run(world.settings, world.database, job)


async def look(world: World) -> dict:
    async with world.as_role("viewer") as viewer:
        reply = await viewer.get("/api/v1/quality", params=ASK)
    assert reply.status_code == 200, reply.text
    return reply.json()


async def ask(world: World, what: str, **more: object) -> dict:
    async with world.as_role("annotator") as annotator:
        reply = await annotator.post(f"/api/v1/quality/{what}", json={**ASK, **more})
    assert reply.status_code == 202, reply.text
    return reply.json()


async def test_before_any_measurement_it_says_what_is_missing(world: World) -> None:
    found = await look(world)
    assert (found["ready"], found["measured"], found["forecast"], found["job"]) == (False, None, None, None)
    keep_snapshot(world, world.settings.folder)
    answer(world, 3)
    found = await look(world)
    assert (found["ready"], found["answers"], found["audits"]) == (True, 3, 3)


async def test_a_measurement_says_how_good_the_groups_are_and_what_that_rests_on(world: World) -> None:
    keep_snapshot(world, world.settings.folder)
    answer(world, 20)
    await ask(world, "measure")
    work(world)
    measured = (await look(world))["measured"]
    assert measured["stale"] is False
    assert measured["answers"] == 20
    f1 = measured["audit"]["f1"]
    assert f1["low"] <= f1["value"] <= f1["high"]
    assert (f1["answers"], f1["pairs"]) == (20, 100)
    assert [one["source"] for one in measured["annotators"]] == ["ada"]
    assert measured["coverage"]["items"] == len(world.items)
    assert len(measured["changes"]) == 20
    assert [step["answers"] for step in measured["curve"]] == sorted(step["answers"] for step in measured["curve"])
    assert measured["advice"]["words"]


async def test_an_answer_or_an_undo_or_another_version_makes_it_stale(world: World) -> None:
    version = keep_snapshot(world, world.settings.folder)
    answer(world, 12)
    await ask(world, "measure")
    work(world)
    assert (await look(world))["measured"]["stale"] is False
    answer(world, 1, start=50)
    assert (await look(world))["measured"]["stale"] is True
    await ask(world, "measure")
    work(world)
    assert (await look(world))["measured"]["stale"] is False
    with world.database.write() as s:
        newer = versions.add(
            s, world.criterion, parent=version, artifact="first", last_event=5, metrics={"heldout_f1_after": 0.7},
            encoder="lite0",
        )  # fmt: skip
        versions.promote(s, newer)
    found = await look(world)
    assert found["measured"]["stale"] is True
    assert found["versions"] == [{"version": newer, "answers": 5, "f1": 0.7}]


async def test_a_forecast_is_played_in_the_background_and_kept(world: World) -> None:
    keep_snapshot(world, world.settings.folder)
    answer(world, 12)
    await ask(world, "forecast", screens=10, target=0.9)
    assert (await look(world))["job"]["kind"] == "forecast"
    work(world)
    found = await look(world)
    assert found["job"] is None
    assert (found["forecast"]["answers"], found["forecast"]["target"]) == (12, 0.9)
    assert found["forecast"]["points"][0]["screens"] == 0
    assert found["forecast"]["words"].startswith(("To reach", "A pair F1"))


async def test_asking_twice_gives_the_job_that_waits_already(world: World) -> None:
    keep_snapshot(world, world.settings.folder)
    answer(world, 3)
    first, again = await ask(world, "measure"), await ask(world, "measure")
    assert first["id"] == again["id"]
    assert (await ask(world, "forecast"))["id"] != first["id"]


async def test_a_criterion_without_a_model_fails_with_a_sentence(world: World) -> None:
    job = await ask(world, "measure")
    work(world)
    async with world.as_role("viewer") as viewer:
        found = (await viewer.get(f"/api/v1/jobs/{job['id']}")).json()
    assert found["status"] == "failed"
    assert "no model version yet" in found["error"]


async def test_a_cancelled_measurement_leaves_the_last_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_snapshot(world, world.settings.folder)
    answer(world, 12)
    await ask(world, "measure")
    work(world)
    answer(world, 2, start=70)
    job = await ask(world, "measure")
    monkeypatch.setattr(quality_job, "BEAT_S", -1.0)
    leased = quality_job._next(world.database, "test")
    assert leased is not None
    async with world.as_role("curator") as curator:
        assert (await curator.post(f"/api/v1/jobs/{job['id']}/cancel")).status_code == 200
    quality_job.run(world.settings, world.database, leased)
    found = await look(world)
    assert found["job"] is None
    assert found["measured"]["answers"] == 12


async def test_what_an_older_release_kept_is_measured_anew_not_an_error(world: World) -> None:
    with world.database.write() as s:
        jobs.keep_result(s, "quality", {}, {"version": 1, "odd": "shape"}, criterion=world.criterion)
    assert (await look(world))["measured"] is None


async def test_only_the_newest_results_are_kept(world: World) -> None:
    with world.database.write() as s:
        for number in range(9):
            jobs.keep_result(s, "forecast", {}, {"number": number}, criterion=world.criterion, keep=3)
        left = [one.result["number"] for one in jobs.jobs(s) if one.kind == "forecast"]
    assert left == [8, 7, 6]


async def test_a_forecast_that_makes_no_sense_is_refused_at_the_door(world: World) -> None:
    async with world.as_role("annotator") as annotator:
        for wrong in ({"screens": 0}, {"target": 1.5}, {"screns": 5}):
            reply = await annotator.post("/api/v1/quality/forecast", json={**ASK, **wrong})
            assert reply.status_code == 422, wrong


async def test_importer_and_measurer_leave_each_others_jobs_alone(world: World) -> None:
    with world.database.write() as s:
        jobs.enqueue(s, "quality", {}, criterion=world.criterion)
    assert Measurer(world.settings, world.database)._waiting()
    assert not Importer(world.settings, world.database)._waiting()


async def test_seconds_of_people_set_the_pace_of_the_forecast(world: World) -> None:
    from app.measure import pace

    assert pace(world.database, world.criterion) == 1.0
    answer(world, 6)
    assert pace(world.database, world.criterion) > 0
    assert pace(world.database, world.criterion) != 1.0


async def test_groups_and_exports_show_the_partition_found_as_the_log_grew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_snapshot(world, world.settings.folder)
    answer(world, 4)
    made: list[Belief] = []

    def spy(snapshot: Snapshot, said: Sequence[Statement]) -> tuple[ConstraintGraph, Belief]:
        graph, belief = weighed(snapshot, said)
        made.append(belief)
        return graph, belief

    monkeypatch.setattr("oracle.holdout.weighed", spy)
    monkeypatch.setattr("app.partitions.weighed", spy)
    assert view(world.settings, world.database, world.criterion).belief is made[0]
    async with world.as_role("viewer") as viewer:
        shown = (await viewer.get("/api/v1/groups", params=ASK)).json()["groups"]
    assert len(made) == 2
    assert len(shown) == len(np.unique(made[1].labels))
