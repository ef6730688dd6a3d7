"""Workers of Ray import, train and embed as the command alone does, on PostgreSQL; a killed one costs nothing."""

import csv
import json
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from itertools import count
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from app.cli.main import run
from app.cluster.start import Reach, running
from app.cluster.workers import Workers
from app.importers import import_path
from app.settings import Settings
from db import catalog, feedback, queue, runs, versions
from db.engine import Database, open_database
from db.nouns import Answer, Kind, PairVerdict, Question, Verdict
from tests.clustered import killed_once, waiting
from tests.patterns import Coarse, patterns
from trainer.features import feature_store
from trainer.originals import original

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.timeout(900)]  # nine processes import torch
COUNT = 40
SHORT = ("--set", "size=16", "--set", "batch=20", "--epochs", "6")


@pytest.fixture(scope="module")
def ray_of_two() -> Iterator[Reach]:
    """One Ray for all: commands join it where it runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        with running(Reach(2)):
            yield Reach(2)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Forty pictures of six kinds; another one is torn, one there twice, one no picture."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    pixels, kinds = patterns(COUNT)
    rows = [[f"{number:02}", f"{number:02}.png", f"kind {kinds[number]}"] for number in range(COUNT)]
    for number in range(COUNT):
        Image.fromarray(pixels[number]).save(folder / f"{number:02}.png")
    shutil.copy(folder / "03.png", folder / "again.png")
    (folder / "torn.png").write_bytes((folder / "05.png").read_bytes()[:200])
    (folder / "words.png").write_text("no picture")
    rows += [[name, f"{name}.png", "none"] for name in ("again", "torn", "words", "gone")]
    with (folder / "metadata.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["id", "path", "kind"], *rows])
    return folder


def answer(settings: Settings) -> None:
    """Neighbours in the list are the same or not, as their kinds are; every second answer is an audit."""
    with closing(settings.open()) as database, database.write() as s:
        about = catalog.criterion(s, "kind")
        items = catalog.items(s, about.collection)
        feature_store(settings.folder, about.collection, "lite0").extend(Coarse(), items, settings.folder)
        for number, (a, b) in enumerate(zip(items, [*items[6:], *items[:6]], strict=True)):
            (put,) = queue.put(
                s, about.id, [Question(about.id, Kind.PAIR, a.id, (b.id,), "test", audit=number % 2 == 0)], retire=False
            )
            verdict = Verdict.SAME if a.attributes["kind"] == b.attributes["kind"] else Verdict.DIFFERENT
            feedback.record(s, Answer(put, (PairVerdict(a.id, b.id, verdict),), "ann", f"k{number}"))


def weights(workspace: Path, encoder: str) -> dict[str, torch.Tensor]:
    (file,) = (workspace / "artifacts" / "encoders" / encoder).rglob("*.safetensors")
    return load_file(file)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_a_killed_worker_changes_nothing_from_import_to_a_version(
    pictures: Path, tmp_path: Path, postgres_url: str, ray_of_two: Reach, capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    place = tmp_path / "workspace"
    settings = Settings(place, postgres_url)

    def call(*words: object, where: tuple[str, ...] = ()) -> dict:
        where = where or ("--workspace", str(place), "--database-url", postgres_url)
        code = run([*map(str, words), *where, "--json"])
        out, err = capfd.readouterr()
        assert code == 0 and not err.strip(), err
        return json.loads(out)

    # import: the same items in the same order, the same refusals
    bring = ("import", pictures, "--collection", "tiles", "--metadata", "metadata.csv")
    alone = call(*bring, where=("--workspace", str(tmp_path / "alone")))
    ray = call(*bring, "--ray", 2)
    by_name = {one["name"]: one["reason"] for one in alone.pop("skipped")}
    assert len(by_name) == 4 and {one["name"]: one["reason"] for one in ray.pop("skipped")} == by_name
    assert ray == alone == {"collection": "tiles", "added": COUNT, "known": 0}
    listed = []
    for each in (settings, Settings(tmp_path / "alone")):
        with closing(each.open()) as database, database.read() as s:
            items = catalog.items(s, catalog.collection_id(s, "tiles"))
            listed.append([(one.name, one.sha256, one.path, one.attributes["kind"]) for one in items])
            assert all((each.folder / one.path).is_file() for one in items)
    assert listed[0] == listed[1]

    # training: a worker is killed, the run goes on from its last state and ends as the one that was left alone
    call("criterion", "add", "kind", "--collection", "tiles", "--prompt", "Same kind?")
    answer(settings)
    lesson = ("train", "moco", "--collection", "tiles", "--criterion", "kind", *SHORT)
    unkilled = call(*lesson, "--processes", 2)
    monkeypatch.setattr("app.cli.training._distant", killed_once)
    killed = call(*lesson, "--ray", 2)
    lives: dict[str, list[int]] = {}
    for pid, step in (line.split() for line in (place / "told.txt").read_text().splitlines()):
        lives.setdefault(pid, []).append(int(step))
    first, second = lives.values()
    assert 2 < max(first) < 12 and second == [0, *range(max(first) + 1, 13)]  # from the last kept state on
    assert (killed["finished"], killed["steps"]) == (True, 12) and killed["report"] == unkilled["report"]
    one, other = weights(place, unkilled["encoder"]), weights(place, killed["encoder"])
    assert one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
    with closing(settings.open()) as database, database.read() as s:
        made = [versions.version(s, learnt["version"]) for learnt in (unkilled, killed)]
        assert [version.status for version in made] == ["kept", "kept"]
        assert made[0].last_event == made[1].last_event
        statuses = [one.status for one in runs.recent(s, made[0].criterion)]
        assert statuses[0] == statuses[-1] == "done" and "running" not in statuses  # between them the first life's
    assert not list((place / "training").iterdir())

    # embedding: the same bytes, nothing twice
    store = feature_store(place, 1, killed["encoder"]).folder
    before = contents(store)
    shutil.rmtree(store)
    embed = ("embed", "--collection", "tiles", "--encoder", killed["encoder"], "--ray", 2)
    assert [call(*embed)["computed"], call(*embed)["computed"]] == [COUNT, 0]
    assert contents(store) == before


def shards(pictures: Path, folder: Path) -> Path:
    """The same as three tar files."""
    folder.mkdir()
    for number in range(3):
        with tarfile.open(folder / f"{number}.tar", "w") as tar:
            for path in sorted(pictures.glob("*.png"))[number::3]:
                tar.add(path, path.name)
                tar.addfile(tarfile.TarInfo(f"{path.stem}.txt"))
    return folder


def kept(database: Database, workspace: Path) -> list[tuple[str, str, str, str]]:
    """Of every item its name, hash, what its path says after the name of the big file, and the hash of its bytes."""
    with database.read() as s:
        items = catalog.items(s, catalog.collection_id(s, "tiles"))
    bytes_of = {one.id: original(workspace, one.path, one.sha256) for one in items}
    return [(one.name, one.sha256, one.path.partition("@")[2], sha256(bytes_of[one.id]).hexdigest()) for one in items]


@pytest.mark.parametrize("how", ["packed", "in_place"])
def test_packs_and_links_are_the_same_by_workers(
    how: str, pictures: Path, tmp_path: Path, ray_of_two: Reach, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.cluster.decoding.AT_ONCE", 8)  # both workers have work
    source = pictures if how == "packed" else shards(pictures, tmp_path / "shards")
    seen = []
    for by in (None, ray_of_two):
        workspace = tmp_path / f"workspace {by}"
        workspace.mkdir()
        with closing(open_database(f"sqlite:///{workspace / 'pairwright.sqlite'}")) as database:
            report = import_path(database, workspace, source, "tiles", workers=1, ray=by, **{how: True})
            seen.append((report.added, sorted(report.skipped), kept(database, workspace)))
        big = sorted((workspace / ("packs" if how == "packed" else "linked")).iterdir())
        seen[-1] += ([file.read_bytes() for file in big],)
        assert not (workspace / "media").exists() and not (workspace / "thumbs").exists()
    assert seen[0] == seen[1]
    assert seen[0][0] == COUNT and len(seen[0][3]) == (1 if how == "packed" else 3)


def test_workers_stop_when_they_are_asked_to(ray_of_two: Reach, tmp_path: Path) -> None:
    looks, heard = count(), []
    said = Workers(Reach(1), tmp_path / "scratch").do(
        waiting, lambda *words: heard.append(words), lambda: ("waiting", 1, 2) in heard and next(looks) > 0
    )
    assert (said.code, said.out) == (130, "stopped as it was asked to\n") and not (tmp_path / "scratch").exists()
