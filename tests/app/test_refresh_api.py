"""Deep refresh over REST: asked for once, told how far it is, stopped, handed on, and refused in one sentence."""

from typing import Any

import pytest

from app import quality_job, refresh_job
from app.api.refresh import RefreshIn
from app.children import Measurer, Refresher, command
from app.refresh_wish import Refreshed, Wish
from app.refreshing import KIND, TRAINING
from app.settings import Settings
from db import jobs
from tests.app.conftest import World
from trainer.training import TrainSettings

pytestmark = pytest.mark.anyio
ASK = {"criterion": "shape"}


async def post(world: World, body: dict[str, Any], what: str = "", role: str = "curator") -> Any:
    async with world.as_role(role) as person:
        return await person.post(f"/api/v1/refresh{what}", json=body)


async def look(world: World) -> dict[str, Any]:
    async with world.as_role("viewer") as person:
        found: dict[str, Any] = (await person.get("/api/v1/refresh", params=ASK)).json()
    return found


def lease(world: World) -> jobs.Job:
    leased = quality_job._next(world.database, "test", [KIND])
    assert leased is not None
    return leased


async def test_before_any_it_names_the_methods_and_the_default(world: World) -> None:
    found = await look(world)
    assert (found["job"], found["last"], found["run"], found["every"]) == (None, None, None, 0)
    assert found["default"] in {one["name"] for one in found["methods"]} and all(
        one["idea"] for one in found["methods"]
    )


async def test_curators_start_one_and_asking_again_gives_the_same(world: World) -> None:
    assert (await post(world, ASK, role="annotator")).status_code == 403
    first, again = await post(world, ASK), await post(world, {**ASK, "method": "simclr"})
    assert first.status_code == 202 and first.json()["id"] == again.json()["id"] == (await look(world))["job"]["id"]
    assert (await post(world, ASK, "/cancel")).json()["status"] == "cancelled"
    assert (await post(world, ASK, "/cancel")).status_code == 404
    assert (await look(world))["last"]["status"] == "cancelled"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"method": "simclrr"}, "Did you mean 'simclr'"),
        ({"options": {"temprature": "1"}}, "Did you mean 'temperature'"),
        ({"options": {"view.flip": "1"}}, "Did you mean 'views'"),
        ({"share": 0}, "share"),
        ({"epochs": 0}, "epochs"),
    ],
)
async def test_what_cannot_be_refreshed_is_refused_at_the_door(world: World, wrong: dict[str, Any], said: str) -> None:
    reply = await post(world, {**ASK, **wrong})
    assert reply.status_code in (404, 422) and said in reply.text


async def test_a_job_tells_its_stages_as_one_bar_and_keeps_what_came_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh_job, "BEAT_S", -1.0)
    seen: list[tuple[float, str]] = []

    def refreshed(settings: Settings, wish: Wish, told: Any, stopped: Any) -> Refreshed:
        assert (wish.criterion, wish.method) == ("shape", "simclr")
        for what in ("reading pictures", "training simclr, loss 1.000", "embedding", "comparing on held-out answers"):
            told(what, 1, 2)
            with world.database.read() as s:
                now = jobs.newest(s, [KIND], world.criterion, ["running"])
            assert now is not None
            seen.append((now.progress, now.note))
        return Refreshed(True, 4, 4, 7, "simclr-1", True, f"{wish.method} was better", run=3)

    monkeypatch.setattr(refresh_job, "refresh", refreshed)
    monkeypatch.setattr(refresh_job, "be_modest", lambda threads: None)
    await post(world, {**ASK, "method": "simclr"})
    quality_job.run(world.settings, world.database, lease(world), work=refresh_job.work)
    assert [share for share, _ in seen] == sorted({share for share, _ in seen})
    assert seen[1][1] == "training simclr, loss 1.000: 1 of 2"
    last = (await look(world))["last"]
    assert last["status"] == "done" and last["result"]["reason"] == "simclr was better" and last["result"]["served"]


async def test_a_stop_by_a_person_ends_it_and_one_by_the_server_hands_it_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh_job, "be_modest", lambda threads: None)
    monkeypatch.setattr(refresh_job, "refresh", lambda *given: Refreshed(False, 2, 9))
    await post(world, ASK)
    quality_job.run(world.settings, world.database, lease(world), work=refresh_job.work)
    assert (await look(world))["job"]["status"] == "queued", "its process was told to end: the next one takes it"

    def stopped(settings: Settings, wish: Wish, told: Any, asked: Any) -> Refreshed:
        with world.database.write() as s:
            jobs.cancel(s, jobs.newest(s, [KIND], world.criterion, ["running"]).id)  # type: ignore[union-attr]
        told("training", 9, 9)
        assert asked()
        return Refreshed(False, 2, 9)

    monkeypatch.setattr(refresh_job, "refresh", stopped)
    quality_job.run(world.settings, world.database, lease(world), work=refresh_job.work)
    found = await look(world)
    assert found["job"] is None and found["last"]["status"] == "cancelled"


async def test_it_has_a_process_of_its_own_which_learns_heads_as_the_trainer_does(world: World) -> None:
    await post(world, ASK)
    assert Refresher(world.settings, world.database)._waiting()
    assert not Measurer(world.settings, world.database)._waiting()
    told = Settings(world.settings.folder, training=("steps=9",), refresh_every=500)
    assert command("app.refresh_job", told)[-2:] == ["--set", "steps=9"]
    assert command("trainer.worker", told)[-2:] == ["--refresh-every", "500"]
    assert "--set" not in command("app.compare_job", told)


def test_the_door_knows_every_setting_of_training() -> None:
    assert set(TRAINING) == set(TrainSettings.__dataclass_fields__) - {"seed"}
    assert set(RefreshIn.model_fields) - {"criterion"} <= set(Wish.__dataclass_fields__)
