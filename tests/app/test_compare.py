"""Comparing methods over REST and by command: pairs are drawn in the background, answers judge them at once."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from app import compare_job, comparing, quality_job
from app.children import Comparer, Measurer
from app.cli.main import run
from db import feedback, jobs, queue
from tests.app.conftest import World
from tests.app.test_quality import answer
from tests.app.test_versions import keep_snapshot

pytestmark = pytest.mark.anyio
ASK = {"criterion": "shape"}
TWO = {**ASK, "methods": ["simclr", "fnc_attraction"], "batch": 12}
Shell = Callable[..., tuple[int, str, str]]


def work(world: World) -> None:
    """Do every waiting comparison, as the comparing process would."""
    while job := quality_job._next(world.database, "test", [comparing.KIND]):
        quality_job.run(world.settings, world.database, job, work=compare_job.work)


async def look(world: World, role: str = "annotator") -> dict[str, Any]:
    async with world.as_role(role) as person:
        reply = await person.get("/api/v1/compare", params=ASK)
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


async def post(world: World, what: str, body: dict[str, Any], role: str = "annotator", key: str = "") -> Any:
    """Each a request of its own, unless it comes with a key."""
    headers = {"idempotency-key": key or uuid.uuid4().hex}
    async with world.as_role(role) as person:
        return await person.post(f"/api/v1/compare{what}", json=body, headers=headers)


async def compare(world: World, **more: Any) -> dict[str, dict[str, Any]]:
    """Compare two methods and see what comes; each method by its name."""
    assert (await post(world, "", {**TWO, **more})).status_code == 202
    work(world)
    return {one["name"]: one for one in (await look(world))["compared"]["methods"]}


async def grade(world: World, pair: dict[str, Any], verdict: str, key: str) -> Any:
    return await post(world, "/grade", {**ASK, "a": pair["a"]["id"], "b": pair["b"]["id"], "verdict": verdict}, key=key)


async def test_before_any_comparison_it_lists_the_methods(world: World) -> None:
    found = await look(world, "viewer")
    assert (found["compared"], found["job"], found["items"]) == (None, None, len(world.items))
    (simclr,) = [one for one in found["methods"] if one["name"] == "simclr"]
    assert simclr["idea"].startswith("two views") and simclr["settings"] == {"temperature": "0.2"}


async def test_methods_are_compared_without_any_answer(world: World) -> None:
    keep_snapshot(world, world.settings.folder)
    found = await compare(world)
    assert list(found) == ["simclr", "fnc_attraction"]
    assert found["simclr"]["positives"] == [] and found["fnc_attraction"]["positives"]
    assert "Positives are two views of one picture." in found["simclr"]["notes"]
    assert found["simclr"]["each"]["negatives"] == 11
    assert found["fnc_attraction"]["precision"]["known"] == 0
    for pair in found["fnc_attraction"]["positives"] + found["simclr"]["push"]:
        assert pair["a"]["id"] != pair["b"]["id"] and pair["verdict"] is None
    (sight,) = (await look(world))["compared"]["sights"]
    assert sight["methods"] == ["simclr", "fnc_attraction"]
    assert all(view.startswith("data:image/webp;base64,") for one in sight["pictures"] for view in one["views"])


async def test_a_grade_is_an_ordinary_answer_and_changes_the_figures_at_once(world: World) -> None:
    keep_snapshot(world, world.settings.folder)
    pair = (await compare(world))["fnc_attraction"]["positives"][0]
    reply = await grade(world, pair, "same", "first")
    assert reply.status_code == 201, reply.text
    found = await look(world)
    (row,) = [one for one in found["compared"]["methods"] if one["name"] == "fnc_attraction"]
    assert (row["precision"]["value"], row["precision"]["known"]) == (1.0, 1)
    assert (row["positives"][0]["verdict"], row["positives"][0]["answer"]) == ("same", reply.json()["id"])
    assert row["positives"][0]["a"]["id"] == pair["a"]["id"], "pairs stay where they are"
    with world.database.read() as s:
        (said,) = feedback.statements(s, world.criterion)
        assert said.source == "annotator" and not said.audit
        assert queue.question(s, reply.json()["question"]).proposer == "compare"
    async with world.as_role("annotator") as person:
        assert (await person.post(f"/api/v1/answers/{reply.json()['id']}/undo")).status_code == 201
    row = (await look(world))["compared"]["methods"][1]
    assert row["precision"]["known"] == 0 and row["positives"][0]["answer"] is None


async def test_a_grade_sent_twice_is_stored_once_and_is_nobody_elses_to_take_back(world: World) -> None:
    keep_snapshot(world, world.settings.folder)
    pair = (await compare(world))["simclr"]["push"][0]
    first, again = await grade(world, pair, "different", "a"), await grade(world, pair, "different", "a")
    assert first.json() == again.json() and again.headers["idempotency-replayed"] == "true"
    assert (await grade(world, pair, "same", "a")).status_code == 422
    other = (await look(world, "curator"))["compared"]["methods"][0]["push"][0]
    assert (other["verdict"], other["answer"]) == ("different", None)
    async with world.as_role("robot") as robot:
        assert (await robot.post(f"/api/v1/answers/{first.json()['id']}/undo")).status_code == 403
        claimed = (await robot.post("/api/v1/questions/claim", json={**ASK, "count": 32})).json()["questions"]
    assert first.json()["question"] not in [one["id"] for one in claimed], "a graded pair waits for nobody"


async def test_a_grade_needs_a_key_and_a_pair_of_this_collection(world: World) -> None:
    one, other = world.items[:2]
    body = {**ASK, "a": one, "b": other, "verdict": "same"}
    async with world.as_role("annotator") as person:
        assert (await person.post("/api/v1/compare/grade", json=body)).status_code == 422
    for wrong in ({"b": one}, {"verdict": "skip"}, {"b": 2**40}, {"criterion": "shap"}):
        assert (await post(world, "/grade", {**body, **wrong})).status_code in (404, 422), wrong


async def test_answers_judge_only_pairs_they_had_not_told_the_batch(world: World) -> None:
    keep_snapshot(world, world.settings.folder)
    answer(world, 24, audit=False)
    found = await compare(world, batch=24)
    row = found["simclr"]["false_push"]
    assert row["known"] > 0 and row["low"] <= row["value"] <= row["high"]
    assert found["simclr"]["notes"][-1] == "Pairs that answers put together pull as well."


async def test_the_same_seed_draws_the_same_pairs_and_another_draws_others(world: World) -> None:
    keep_snapshot(world, world.settings.folder)
    first, again, other = [await compare(world, seed=seed) for seed in (1, 1, 2)]
    assert first == again
    assert first["simclr"]["push"] != other["simclr"]["push"]


async def test_settings_reach_the_methods_that_have_them(world: World) -> None:
    keep_snapshot(world, world.settings.folder)
    found = await compare(world, options={"cutoff": "1.0", "temperature": ".3"})
    assert found["simclr"]["settings"] == {"temperature": ".3"}
    assert found["fnc_attraction"]["settings"] == {"cutoff": "1.0", "temperature": ".3"}
    assert found["fnc_attraction"]["positives"] == []


async def test_a_method_that_cannot_says_so_and_the_others_go_on(world: World) -> None:
    keep_snapshot(world, world.settings.folder)
    found = await compare(world, options={"most": "0"})
    assert found["fnc_attraction"]["refused"] and "most = 1 or more expected" in found["fnc_attraction"]["notes"][0]
    assert found["simclr"]["push"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"methods": ["simclrr"]}, "Did you mean 'simclr'"),
        ({"options": {"temprature": "1"}}, "Did you mean 'temperature'"),
        ({"options": {"view.flip": "1"}}, "Did you mean 'views'"),
        ({"methods": []}, "methods"),
        ({"embedding": "best"}, "embedding"),
        ({"batch": 1}, "batch"),
    ],
)
async def test_what_cannot_be_compared_is_refused_at_the_door(world: World, wrong: dict[str, Any], said: str) -> None:
    reply = await post(world, "", {**TWO, **wrong})
    assert reply.status_code in (404, 422)
    assert said in reply.text


async def test_the_same_wish_waits_once_another_takes_its_place_and_it_can_be_cancelled(world: World) -> None:
    first, again = (await post(world, "", TWO)).json(), (await post(world, "", TWO)).json()
    assert first["id"] == again["id"] == (await look(world))["job"]["id"]
    other = (await post(world, "", {**TWO, "seed": 5})).json()
    assert other["id"] != first["id"] == (await look(world))["job"]["id"] - 1
    assert (await post(world, "/cancel", ASK)).json()["status"] == "cancelled"
    assert (await look(world))["job"] is None
    assert (await post(world, "/cancel", ASK)).status_code == 404


async def test_a_comparison_cancelled_on_its_way_leaves_the_last_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_snapshot(world, world.settings.folder)
    await compare(world)
    await post(world, "", {**TWO, "seed": 9})
    monkeypatch.setattr(quality_job, "BEAT_S", -1.0)
    leased = quality_job._next(world.database, "test", [comparing.KIND])
    assert leased is not None
    await post(world, "/cancel", ASK)
    quality_job.run(world.settings, world.database, leased, work=compare_job.work)
    found = await look(world)
    assert found["job"] is None and found["compared"]["seed"] == 0


async def test_comparisons_have_a_process_of_their_own(world: World) -> None:
    with world.database.write() as s:
        jobs.enqueue(s, "compare", {}, criterion=world.criterion)
    assert Comparer(world.settings, world.database)._waiting()
    assert not Measurer(world.settings, world.database)._waiting()


async def test_what_an_older_release_kept_is_compared_anew_not_an_error(world: World) -> None:
    with world.database.write() as s:
        jobs.keep_result(s, "compare", {}, {"methods": [{"name": "gone"}]}, criterion=world.criterion)
    assert (await look(world))["compared"] is None


async def test_another_version_makes_it_stale(world: World) -> None:
    keep_snapshot(world, world.settings.folder)
    await compare(world)
    assert (await look(world))["compared"]["stale"] is False
    keep_snapshot(world, world.settings.folder)
    assert (await look(world))["compared"]["stale"] is True


@pytest.fixture
def shell(world: World, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Run `compare` in the test's workspace; gives exit code, stdout, stderr."""

    def call(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(["compare", *words, "--workspace", str(world.settings.folder)])
        return code, *capsys.readouterr()

    return call


PLACE = ("--collection", "shapes", "--criterion", "shape")


def test_the_command_prints_an_aligned_table_and_keeps_it_for_the_screen(world: World, shell: Shell) -> None:
    keep_snapshot(world, world.settings.folder)
    answer(world, 24, audit=False)
    code, out, _ = shell("simclr", "fnc-attraction", *PLACE, "--batch", "24")
    lines = out.splitlines()
    assert code == 0 and lines[0].startswith("shape, 24 answers")
    assert [line.split()[0] for line in lines[1:4]] == ["method", "simclr", "fnc_attraction"]
    at = lines[1].index("by push")
    assert all(line[at - 1] == " " != line[at] for line in lines[2:4]), "columns are aligned"
    assert "simclr: Positives are two views of one picture." in out
    with world.database.read() as s:
        assert jobs.newest(s, ["compare"], world.criterion, ["done"]) is not None


def test_the_command_gives_one_document(world: World, shell: Shell) -> None:
    keep_snapshot(world, world.settings.folder)
    code, out, _ = shell("hcl", *PLACE, "--batch", "8", "--set", "beta=2", "--json")
    (found,) = json.loads(out)
    assert code == 0 and found["settings"] == {"beta": "2"}
    assert found["figures"]["precision"]["value"] is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("simclrr", *PLACE), "Did you mean 'simclr'"),
        (("simclr", *PLACE, "--set", "tau"), "KEY=VALUE"),
        (("simclr", *PLACE, "--set", "tau=1"), "no setting of simclr named 'tau'"),
        (("simclr", "--collection", "shape", "--criterion", "shape"), "collection"),
        (("simclr", *PLACE, "--embedding", "best"), "served or untaught expected"),
        (PLACE, "Missing argument"),
    ],
)
def test_the_command_refuses_in_one_sentence(world: World, shell: Shell, words: tuple[str, ...], said: str) -> None:
    keep_snapshot(world, world.settings.folder)
    code, out, err = shell(*words)
    assert (code, out) == (2, "")
    assert said in err and len(err.strip().splitlines()) == 1


async def test_pairs_by_metadata_are_drawn_and_what_pairs_pictures_is_listed(world: World) -> None:
    found = await look(world)
    assert found["related"] == {"shape": "equal"}
    by_shape = (await compare(world, methods=["attribute", "simclr"], options={"by": "shape"}))["attribute"]
    assert by_shape["settings"] == {"by": "shape"} and by_shape["positives"] and not by_shape["refused"]
    even = {item: at % 2 for at, item in enumerate(world.items)}
    assert all(even[one["a"]["id"]] == even[one["b"]["id"]] for one in by_shape["positives"])


async def test_a_rule_that_the_metadata_cannot_keep_is_refused_in_one_sentence(world: World) -> None:
    for options, words in (({"by": "shap"}, "Did you mean 'shape'"), ({}, "by = what relates two pictures expected"),
                           ({"by": "place~5km"}, "no latitude and longitude")):  # fmt: skip
        one = (await compare(world, methods=["attribute", "simclr"], options=options))["attribute"]
        assert one["refused"] and words in one["notes"][0]
