"""Synthetic pictures over REST and from the shell: proposed, judged, learnt from, and never taken for items."""

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
from PIL import Image

from app import synthesis, training
from app.cli.main import run as shell
from app.importers import import_path
from app.synthesis import Made, Wish
from app.synthesis_judge import judge
from app.training import Lesson
from db import catalog, synthetic
from db.artifacts import ArtifactStore
from db.errors import BadInput, NotFound
from db.synthetic import State
from tests.app.conftest import World, paint
from trainer.backbones import load_backbone
from trainer.evaluate import label_codes
from trainer.generated import Generated
from trainer.trained import store_encoder

pytestmark = pytest.mark.anyio
PATH = "/api/v1/synthetic"
TINY = {"side": "16", "width": "8", "steps": "2", "batch": "8", "ddim": "2", "candidates": "2"}


def made(world: World, count: int = 4, stop_after: int | None = None, **options: str) -> Made:
    """Propose some; stop_after: so many looks at whether it is cancelled."""
    looks = iter(range(10**6))
    cancelled = lambda: stop_after is not None and next(looks) >= stop_after  # noqa: E731
    wish = Wish("clsp", "shapes", count, 0, {**TINY, **options})
    return synthesis.make(world.settings, wish, lambda what, done, of: None, cancelled)


def stored(world: World, *states: State) -> list[synthetic.SyntheticPicture]:
    with world.database.read() as s:
        return synthetic.pictures(s, catalog.collection_id(s, "shapes"), states or State)


def say(world: World, number: int, state: State) -> None:
    with world.database.write() as s:
        synthetic.decide(s, number, state, "test", f"{number}-{state}")


async def verdict(client: httpx.AsyncClient, number: int, state: str, key: str | None = "k") -> httpx.Response:
    return await client.post(
        f"{PATH}/{number}/verdict", json={"state": state}, headers={"idempotency-key": key} if key else {}
    )


@pytest.fixture
def proposed(world: World) -> Iterator[list[int]]:
    """Ids of four proposals."""
    assert made(world).finished
    yield [one.id for one in stored(world)]


def test_the_same_seed_proposes_the_same_pictures_once(world: World) -> None:
    first = made(world)
    assert (first.proposed, first.pictures, first.anchors, first.finished) == (4, 4, 2, True)
    shas = [(one.anchor, one.sha256) for one in stored(world)]
    again = made(world)
    assert (again.proposed, again.pictures, again.generator) == (0, 4, first.generator)
    more = made(world, 6)
    assert more.proposed == 2 and [(one.anchor, one.sha256) for one in stored(world)][:4] == shas
    for one in stored(world):
        encoded = (world.settings.folder / one.path).read_bytes()
        assert hashlib.sha256(encoded).hexdigest() == one.sha256 and one.method == "clsp" and len(one.maker) == 64
        assert one.settings["w"] == 0.1 and Image.open(io.BytesIO(encoded)).size == (16, 16)


def test_what_was_stopped_goes_on_to_the_pictures_of_one_that_was_not(world: World, tmp_path: Path) -> None:
    whole = made(world)
    shas = [one.sha256 for one in stored(world)]
    other = Wish("clsp", "shapes", 4, 1, TINY)
    told = lambda what, done, of: None  # noqa: E731
    for stop_at in ("teaching clsp, loss", "making pictures"):
        seen: list[str] = []
        heard = lambda what, done, of, seen=seen: seen.append(what)  # noqa: E731
        stops = lambda at=stop_at, seen=seen: sum(what.startswith(at) for what in seen) > 1  # noqa: E731
        half = synthesis.make(world.settings, other, heard, stops)
        assert not half.finished and half.pictures in (0, 2)
    done = synthesis.make(world.settings, other, told, lambda: False)
    assert done.finished and done.pictures == whole.pictures
    assert len({one.sha256 for one in stored(world)} - set(shas)) == 4, "another seed, other pictures"


def test_what_cannot_be_made_is_refused_in_a_sentence(world: World) -> None:
    told = lambda what, done, of: None  # noqa: E731
    for wish, error, words in (
        (Wish("clps", "shapes"), NotFound, "Did you mean 'clsp'"),
        (Wish("clsp", "shape"), NotFound, "shapes"),
        (Wish("clsp", "shapes", 0), BadInput, "count = 1 or more"),
        (Wish("clsp", "shapes", options={"wide": "3"}), NotFound, "width"),
    ):
        with pytest.raises(error, match=words):
            synthesis.make(world.settings, wish, told, lambda: False)


def voiced(world: World, name: str = "spoken") -> list[int]:
    """A collection of painted pictures, four of six with a tone beside them; returns the ids of those."""
    folder = world.settings.folder / "in"
    folder.mkdir()
    rows = ["path,recording,shape"]
    for number in range(6):
        (folder / f"{number}.png").write_bytes(paint(number + 40))
        heard = f"{number}.wav" if number < 4 else ""
        if heard:
            soundfile.write(folder / heard, np.sin(np.arange(4000) * (0.2 + number % 2)), 8000)
        rows.append(f"{number}.png,{heard},{('round', 'square')[number % 2] if number else ''}")
    (folder / "metadata.csv").write_text("\n".join(rows), encoding="utf-8")
    where = ["--collection", name, "--workspace", str(world.settings.folder)]
    assert shell(["import", str(folder / "metadata.csv"), *where, "--audio-column", "recording"]) == 0
    with world.database.read() as s:
        return [one.id for one in catalog.items(s, catalog.collection_id(s, name)) if one.audio is not None]


def test_sounds_make_pictures_of_the_items_that_have_one(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    ids = voiced(world)
    where = ["--collection", "spoken", "--workspace", str(world.settings.folder)]
    tiny = {"side": 8, "width": 8, "steps": 4, "listening": 2, "batch": 4, "ddim": 2, "candidates": 2}
    sets = [word for key, value in tiny.items() for word in ("--set", f"{key}={value}")]
    wanted = ["synthetic", "make", "audiotoken", *where, *sets]
    assert shell([*wanted, "--set", "classes=shape", "--count", "99"]) == 0
    assert "8 new pictures proposed, 8 of 4 items by audiotoken" in capsys.readouterr().out
    with world.database.read() as s:
        found = synthetic.pictures(s, catalog.collection_id(s, "spoken"))
    assert sorted({one.anchor for one in found}) == ids and {str(one.state) for one in found} == {"proposed"}
    assert shell([*wanted, "--set", "classes=shape", "--count", "99"]) == 0
    assert "0 new pictures proposed, 8 of 4 items" in capsys.readouterr().out
    without = ["synthetic", "make", "audiotoken", "--collection", "shapes", *where[2:], *sets]
    for command, words in (
        (wanted, "needs classes, which was not given"),
        ([*wanted, "--set", "classes=shap"], "Did you mean 'shape'"),
        ([*without, "--set", "classes=shape"], "no item has a recording that can be read. Import them"),
    ):
        assert shell(command) == 2
        assert words in " ".join(capsys.readouterr().err.split())


async def test_proposals_are_listed_beside_their_anchor_and_say_that_they_are_synthetic(
    world: World, proposed: list[int]
) -> None:
    async with world.as_role("viewer") as viewer:
        found = (await viewer.get(PATH, params={"collection": "shapes", "limit": 3})).json()
        rest = (await viewer.get(PATH, params={"collection": "shapes", "after": found["next"]})).json()
        one = (await viewer.get(f"{PATH}/{proposed[0]}")).json()
        picture = await viewer.get(one["media"], params={"size": 128})
    assert [each["id"] for each in found["pictures"] + rest["pictures"]] == proposed and rest["next"] is None
    assert found["counts"] == {"proposed": 4, "accepted": 0, "rejected": 0}
    assert one == found["pictures"][0] and one["synthetic"] is True and one["state"] == "proposed"
    assert one["anchor"]["media"] == f"/api/v1/media/{one['anchor']['id']}" and one["anchor"]["id"] in world.items
    assert picture.headers["content-type"] == "image/webp" and "path" not in one
    assert Image.open(io.BytesIO(picture.content)).size == (16, 16)


async def test_a_verdict_is_stored_once_by_its_key_and_can_be_taken_back(world: World, proposed: list[int]) -> None:
    async with world.as_role("annotator") as annotator, world.as_role("curator") as curator:
        first = await verdict(annotator, proposed[0], "accepted")
        again = await verdict(annotator, proposed[0], "accepted")
        assert first.status_code == 201 and first.json() == again.json()
        assert again.headers["idempotency-replayed"] == "true"
        assert (await verdict(annotator, proposed[0], "rejected")).status_code == 422, "another verdict, another key"
        assert (await verdict(annotator, proposed[0], "accepted", None)).status_code == 422
        assert (await verdict(annotator, proposed[0], "liked", "x")).status_code == 422
        assert (await verdict(annotator, 999, "accepted", "y")).status_code == 404
        one = (await annotator.get(f"{PATH}/{proposed[0]}")).json()
        assert (one["state"], one["source"]) == ("accepted", "annotator") and one["decided_at"]
        await verdict(curator, proposed[1], "rejected", "c")
        assert (await verdict(annotator, proposed[1], "proposed", "d")).status_code == 403
        assert (await verdict(curator, proposed[0], "proposed", "e")).status_code == 201
        found = (await annotator.get(PATH, params={"collection": "shapes", "state": "proposed"})).json()
    assert found["counts"] == {"proposed": 3, "accepted": 0, "rejected": 1}
    assert [one["id"] for one in found["pictures"]] == [proposed[0], *proposed[2:]]


async def test_no_list_count_search_or_export_holds_a_synthetic_picture(
    world: World, proposed: list[int], tmp_path: Path
) -> None:
    """Every way out of the installation, with all of them accepted."""
    for number in proposed:
        say(world, number, State.ACCEPTED)
    shas = {one.sha256 for one in stored(world)}
    async with world.as_role("viewer") as viewer:
        items = (await viewer.get("/api/v1/items", params={"collection": "shapes", "limit": 1000})).json()["items"]
        counted = (await viewer.get("/api/v1/collections")).json()["collections"]
    assert {item["id"] for item in items} == set(world.items) and not shas & {item["sha256"] for item in items}
    assert [one["items"] for one in counted] == [len(world.items)]
    for what in ("groups", "pairs", "embeddings"):
        out = tmp_path / f"{what}.csv"
        code = shell(
            ["export", what, "--criterion", "shape", "--output", str(out), "--workspace", str(world.settings.folder)]
        )
        if code == 0:
            text = out.read_text(encoding="utf-8")
            assert not any(sha in text or sha[:12] in text for sha in shas)
            assert len(list(csv.reader(io.StringIO(text)))) <= len(world.items) + 1


def test_a_synthetic_picture_is_not_imported_as_a_real_one(world: World, proposed: list[int], tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    one = stored(world)[0]
    (folder / "photo.png").write_bytes((world.settings.folder / one.path).read_bytes())
    report = import_path(world.database, world.settings.folder, folder, "other")
    assert report.added == 0 and "synthetic picture" in report.skipped[0][1]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Generated | None]:
    """What every training was given."""
    given: list[Generated | None] = []
    from app import training_start

    whole = training_start.Training

    def heard(*arguments: Any, **more: Any) -> Any:
        given.append(arguments[6] if len(arguments) > 6 else more.get("generated"))
        return whole(*arguments, **more)

    monkeypatch.setattr(training_start, "Training", heard)
    return given


def lesson(world: World, method: str = "clsp", **options: str) -> training.Learnt:
    given = Lesson(method, "shapes", options={"batch": "12", "size": "16", **options}, epochs=1)
    return training.train(world.settings, given, lambda what, done, of: None, lambda: False)


def test_training_sees_what_was_accepted_and_what_was_rejected_never(
    world: World, proposed: list[int], seen: list[Generated | None]
) -> None:
    for method in ("clsp", "wu"):
        with pytest.raises(
            BadInput, match=rf"no accepted synthetic picture\. Make some: pairwright synthetic make {method} "
        ):
            lesson(world, method)
    say(world, proposed[0], State.ACCEPTED)
    say(world, proposed[1], State.REJECTED)
    anchors = {one.id: one.anchor for one in stored(world)}
    assert lesson(world).finished
    assert seen[-1] is not None and seen[-1].anchors.tolist() == [anchors[proposed[0]]]
    assert lesson(world, "wu", use="proposed").finished
    wanted = sorted(anchors[number] for number in proposed if number != proposed[1])
    assert seen[-1] is not None and sorted(seen[-1].anchors.tolist()) == wanted
    assert lesson(world, "simclr").finished and seen[-1] is None, "others are given none"


@pytest.fixture
def eye(world: World) -> str:
    """A small encoder that knows nothing yet."""
    network = load_backbone("small", size=16)
    return store_encoder(ArtifactStore(str(world.settings.folder / "artifacts")), "test", "small", network, {})


def test_the_scripted_oracle_accepts_what_real_pictures_vote_into_the_anchors_class(
    world: World, proposed: list[int], eye: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = lambda what, done, of: None  # noqa: E731
    refused = (
        ("labels", BadInput, "labels:COLUMN"), ("human:x", NotFound, "labels"), ("labels:shap", NotFound, "shape"),
    )  # fmt: skip
    for spec, error, words in refused:
        with pytest.raises(error, match=words):
            judge(world.settings, "shapes", spec, eye, told, lambda: False)
    with world.database.read() as s:
        shape = {one.id: one.attributes["shape"] for one in catalog.items(s, catalog.collection_id(s, "shapes"))}
    round_ = lambda known, labels, asked: np.full(len(asked), labels.max())  # noqa: E731
    monkeypatch.setattr("trainer.probe.voted", round_)
    found = judge(world.settings, "shapes", "labels:shape", eye, told, lambda: False)
    codes = label_codes(list(shape.values()))
    last = list(shape.values())[int(codes.argmax())]
    for one in stored(world):
        assert one.state == (State.ACCEPTED if shape[one.anchor] == last else State.REJECTED)
        assert one.source == "labels:shape"
    assert found.accepted + found.rejected == 4 and found.open == 0
    assert judge(world.settings, "shapes", "labels:shape", eye, told, lambda: False).open == 0, "only proposals"


def test_the_shell_makes_lists_and_says_where_it_stopped(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--collection", "shapes", "--workspace", str(world.settings.folder)]
    sets = [word for key, value in TINY.items() for word in ("--set", f"{key}={value}")]
    assert shell(["synthetic", "make", "clsp", *where, "--count", "2", *sets]) == 0
    assert "2 new pictures proposed, 2 of 1 items" in capsys.readouterr().out
    assert shell(["synthetic", "list", *where, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["method"], row["state"], row["pictures"]) == ("clsp", "proposed", 2)
    assert shell(["synthetic", "make", "clps", *where]) == 2
    assert "Did you mean 'clsp'" in capsys.readouterr().err
