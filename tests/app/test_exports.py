"""Tables over REST: the rows the command line writes, complete or refused in a sentence, and noted in the audit log."""

import json
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from pyarrow import parquet
from safetensors.numpy import load

from db import audit, catalog
from tests.app.conftest import World
from tests.app.test_versions import keep_snapshot

pytestmark = pytest.mark.anyio


async def ask(world: World, table: str, role: str = "curator", **query: object) -> httpx.Response:
    async with world.as_role(role) as person:
        return await person.get(f"/api/v1/exports/{table}", params={"criterion": "shape", **query})


async def answered(world: World) -> None:
    """One question of the world, answered."""
    async with world.as_role("annotator") as person:
        question = (await person.post("/api/v1/questions/claim", json={"criterion": "shape", "count": 1})).json()
        first = question["questions"][0]
        said = [{"a": first["anchor"]["id"], "b": one["id"], "verdict": "same"} for one in first["candidates"]]
        body = {"question": first["id"], "verdicts": said}
        assert (await person.post("/api/v1/answers", json=body, headers={"idempotency-key": "k"})).status_code == 201


async def test_groups_are_every_picture_in_each_format(world: World) -> None:
    keep_snapshot(world, world.settings.folder)
    csv, lines, table = [await ask(world, "groups", format=one) for one in ("csv", "jsonl", "parquet")]
    assert lines.status_code == 200, lines.text
    rows = [json.loads(line) for line in lines.text.splitlines()]
    assert len(rows) == len(world.items) == int(lines.headers["x-rows"])
    assert len(csv.text.splitlines()) == len(rows) + 1
    assert parquet.read_table(BytesIO(table.content)).to_pylist() == rows
    assert csv.headers["content-disposition"] == "attachment; filename*=UTF-8''shape%20groups.csv"


async def test_an_embedding_comes_with_its_ids(world: World) -> None:
    keep_snapshot(world, world.settings.folder)
    found = load((await ask(world, "embeddings", format="safetensors")).content)
    assert found["ids"].tolist() == world.items and found["vectors"].shape[0] == len(world.items)


async def test_pairs_and_answers_say_what_was_said(world: World) -> None:
    await answered(world)
    pairs = (await ask(world, "pairs", format="jsonl")).text.splitlines()
    assert pairs and all(json.loads(one)["verdict"] == "same" for one in pairs)
    assert len((await ask(world, "answers", format="jsonl")).text.splitlines()) == 1


async def test_what_cannot_be_taken_is_said_in_a_sentence(world: World) -> None:
    for table, query, status, said in (
        ("groups", {}, 404, "has no model version yet"),
        ("captions", {}, 422, "asks about pairs, not captions"),
        ("pairs", {"criterion": "weight"}, 404, "weight"),
        ("pairs", {"format": "safetensors"}, 404, "no export format named 'safetensors'"),
        ("secrets", {}, 422, "table"),
    ):
        reply = await ask(world, table, **query)
        assert reply.status_code == status and said in reply.json()["detail"], reply.text


async def test_no_file_stays_behind_and_the_log_says_who_took_what(world: World) -> None:
    await ask(world, "pairs")
    await ask(world, "captions")
    assert not list(Path(world.settings.folder).glob("export-*"))
    with world.database.read() as s:
        taken = [one for one in audit.history(s) if one.action == "export"]
    assert [(one.actor, one.target, one.detail["what"]) for one in taken] == [("curator", "shape", "shape pairs.csv")]


async def test_the_audit_log_is_for_admins(world: World) -> None:
    reply = await ask(world, "audit", role="admin", format="jsonl")
    assert reply.status_code == 200
    assert (await ask(world, "audit", role="curator")).status_code == 403


async def test_a_name_with_other_letters_reaches_the_file(world: World) -> None:
    with world.database.write() as s:
        catalog.add_criterion(s, 'Stoff "é"', catalog.collection_id(s, "shapes"), "Same?")
    reply = await ask(world, "pairs", criterion='Stoff "é"')
    assert reply.headers["content-disposition"].endswith("Stoff%20%22%C3%A9%22%20pairs.csv")
