"""Reviews of captions over REST and by command: asked, answered, undone, told how far, exported, simulated."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.cli.main import run
from app.settings import Settings
from db import catalog, queue
from db.nouns import Kind, Question
from tests.app.conftest import World
from tests.labelled_world import labelled

REVIEW = ("simulate", "--collection", "things", "--criterion", "words")
ATTACK = "=cmd|' /C calc'!A0 <img src=x onerror=alert(1)>"


@pytest.fixture
def asked(world: World) -> int:
    """A criterion on captions with three questions; its id."""
    with world.database.write() as s:
        collection = catalog.criterion(s, world.criterion).collection
        items = catalog.items(s, collection)
        words = [ATTACK, *(f"shape number {at}" for at in range(1, len(items)))]
        new = [
            catalog.NewItem(one.sha256, 96, 96, one.path, attributes={"words": text})
            for one, text in zip(items, words, strict=True)
        ]
        catalog.add_items(s, collection, new)
        about = catalog.add_criterion(s, "words", collection, catalog.CAPTION_PROMPT, "words")
        shown = [Question(about, Kind.CAPTION, items[at].id, (), "test", text=words[at]) for at in range(3)]
        queue.put(s, about, shown)
    return about


@pytest.mark.anyio
async def test_words_are_claimed_answered_and_undone_over_rest(world: World, asked: int) -> None:
    async with world.as_role("annotator") as ann:
        got = (await ann.post("/api/v1/questions/claim", json={"criterion": asked, "count": 9})).json()["questions"]
        assert [one["kind"] for one in got] == ["caption"] * 3 and got[0]["text"] == ATTACK
        item = got[0]["anchor"]["id"]
        said = {"a": item, "b": item, "verdict": "different"}
        body = {"question": got[0]["id"], "verdicts": [said], "lease": got[0]["token"]}
        first = await ann.post("/api/v1/answers", json=body, headers={"Idempotency-Key": "k"})
        again = await ann.post("/api/v1/answers", json=body, headers={"Idempotency-Key": "k"})
        assert (first.status_code, again.json()) == (201, first.json())
        told = (await ann.get("/api/v1/progress", params={"criterion": asked})).json()
        assert (told["answers"], told["review"]["found"], told["review"]["looked_at"]) == (1, 1, 1)
        assert told["settled"] == 0 and told["review"]["captions"] == 24
        assert (await ann.post(f"/api/v1/answers/{first.json()['id']}/undo")).status_code == 201
        told = (await ann.get("/api/v1/progress", params={"criterion": asked})).json()
        assert (told["answers"], told["review"]["found"]) == (0, 0)


@pytest.mark.anyio
async def test_a_criterion_on_captions_is_added_over_rest_and_knows_its_column(world: World, asked: int) -> None:
    async with world.as_role("curator") as curator:
        body: dict[str, Any] = {"name": "again", "collection": "shapes", "captions": "words"}
        made = await curator.post("/api/v1/criteria", json=body)
        assert made.status_code == 201 and made.json()["captions"] == "words"
        assert made.json()["prompt"] == catalog.CAPTION_PROMPT
        wrong = await curator.post("/api/v1/criteria", json=body | {"name": "other", "captions": "word"})
        assert wrong.status_code == 422 and "no item of this collection has words" in wrong.json()["detail"]
        empty = await curator.post("/api/v1/criteria", json={"name": "other", "collection": "shapes"})
        assert empty.status_code == 422
        pair = {"criterion": asked, "anchor": world.items[0], "items": [world.items[1]], "verdict": "same"}
        refused = await curator.post("/api/v1/chosen", json=pair, headers={"Idempotency-Key": "p"})
        assert refused.status_code in (404, 422)


def test_an_export_has_a_row_for_every_caption_and_no_formula(world: World, asked: int, tmp_path: Path) -> None:
    folder = str(world.settings.folder)
    assert run(["export", "captions", str(tmp_path / "c.csv"), "--criterion", "words", "--workspace", folder]) == 0
    with (tmp_path / "c.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 24 and rows[0]["caption"] == "'" + ATTACK and {one["verdict"] for one in rows} == {"open"}
    assert run(["export", "captions", str(tmp_path / "d.csv"), "--criterion", "shape", "--workspace", folder]) == 2


@pytest.fixture
def reviewed(tmp_path: Path) -> Settings:
    """Items whose captions name their kind; every seventh shows the caption of another kind."""
    settings = labelled(tmp_path / "w", 140)
    database = settings.open()
    with database.write() as s:
        number = catalog.collection_id(s, "things")
        new = []
        for at, one in enumerate(catalog.items(s, number)):
            right = f"{['boat', 'horse', 'apple'][int(one.attributes['kind'][1])]} of {['old', 'new'][at % 2]}"
            other = f"{['horse', 'apple', 'boat'][int(one.attributes['kind'][1])]} of {['old', 'new'][at % 2]}"
            words = {"shown": other if at % 7 == 0 else right, "truth": right}
            new.append(catalog.NewItem(one.sha256, 1, 1, one.path, attributes=words))
        catalog.add_items(s, number, new)
    database.close()
    return settings


def test_a_simulated_review_finds_wrong_captions_sooner_than_chance(reviewed: Settings, tmp_path: Path) -> None:
    where = ["--workspace", str(reviewed.folder), "--database-url", reviewed.url]
    assert run(["criterion", "add", "words", "--collection", "things", "--captions", "shown", *where]) == 0
    told = []
    for rule, seed in (("mixed", 0), ("mixed", 0), ("random", 0)):
        report = tmp_path / f"run{len(told)}"
        words = [*REVIEW, "--oracle", "captions:truth", "--budget", "40"]
        assert run([*words, "--acquisition", rule, "--seed", str(seed), "--report", str(report), *where]) == 0
        told.append((json.loads((report / "summary.json").read_bytes()), (report / "curve.csv").read_bytes()))
    (ours, curve), (_, again), (chance, _) = told
    assert curve == again and ours["wrong_captions"] == 20
    assert ours["final"]["recall"] > 2 * chance["final"]["recall"] > 0
    assert np.isclose(ours["by_chance"]["0.5"], 70)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--oracle", "labels:kind"], "captions:COLUMN expected"),
        (["--oracle", "captions:trut"], "Did you mean 'truth'"),
        (["--oracle", "captions:truth", "--acquisition", "suspicous"], "Did you mean 'suspicious'"),
    ],
)
def test_what_cannot_be_reviewed_is_told_in_a_sentence(
    reviewed: Settings, tmp_path: Path, words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--workspace", str(reviewed.folder), "--database-url", reviewed.url]
    assert run(["criterion", "add", "words", "--collection", "things", "--captions", "shown", *where]) == 0
    given = [*REVIEW, "--budget", "5", "--report", str(tmp_path / "r")]
    assert run([*given, *words, *where]) == 2
    assert says in " ".join(capsys.readouterr().err.split())


def test_a_criterion_needs_a_question_or_captions(reviewed: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--workspace", str(reviewed.folder), "--database-url", reviewed.url]
    assert run(["criterion", "add", "words", "--collection", "things", *where]) == 2
    assert "--captions COLUMN" in capsys.readouterr().err
