"""`pairwright doctor` finds each kind of fault, and says what to do about it."""

import stat
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import update

from app import doctor
from app.settings import Settings
from db import jobs, versions
from db.artifacts import ArtifactStore
from db.nouns import Verdict
from db.tables import AnswerRow
from tests.app.conftest import World
from tests.app.test_watching import say

NEEDED = ("settings", "workspace", "disk", "database", "artifacts", "trainer", "jobs", "backups")


def found(settings: Settings) -> dict[str, doctor.Finding]:
    known = {finding.name: finding for finding in doctor.examine(settings)}
    assert set(NEEDED) < set(known)
    return known


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The encoder is another test's matter."""
    monkeypatch.setattr(doctor, "encoder", lambda _: "not looked at")


def ill(world: World) -> dict[str, str]:
    """What is wrong, in words, by name."""
    return {finding.name: finding.words for finding in found(world.settings).values() if not finding.ok}


def test_a_healthy_workspace_has_nothing_wrong(world: World) -> None:
    world.settings.folder.chmod(0o700)
    assert ill(world) == {}


def test_an_open_folder_and_a_full_disk(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.settings.folder.chmod(0o755)
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=2**20))
    wrong = ill(world)
    assert set(wrong) == {"workspace", "disk"}
    assert "chmod 700" in wrong["workspace"] and "Free some space" in wrong["disk"]


def test_a_database_that_is_none(tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    folder.mkdir(mode=0o700)
    (folder / "pairwright.sqlite").write_bytes(b"this is no database" * 100)
    known = found(Settings(folder))
    assert not known["database"].ok and known["workspace"].ok and known["disk"].ok


def test_answers_that_nobody_learns(world: World) -> None:
    world.settings.folder.chmod(0o700)
    say(world, *world.items[:2], Verdict.SAME, "k")
    assert ill(world) == {}
    with world.database.write() as s:
        s.execute(update(AnswerRow).values(created_at=1000.0))
    assert "1 answers about 'shape' have waited" in ill(world)["trainer"]


def test_a_job_that_failed_last(world: World) -> None:
    world.settings.folder.chmod(0o700)
    for outcome in ("bad", "good"):
        with world.database.write() as s:
            jobs.enqueue(s, "embed", {"outcome": outcome})
            job = jobs.lease(s, ["embed"], "me")
            assert job is not None
            if outcome == "bad":
                jobs.fail(s, job.id, job.token, "the disk is full. Free some space.")
            else:
                jobs.finish(s, job.id, job.token)
        assert ill(world) == (
            {"jobs": "the last embed failed: the disk is full. Free some space."} if outcome == "bad" else {}
        )


def test_a_damaged_model_version(world: World) -> None:
    world.settings.folder.chmod(0o700)
    store = ArtifactStore(str(world.settings.folder / "artifacts"))
    store.save("model", {"head.bin": bytes(1000)})
    with world.database.write() as s:
        made = versions.add(
            s, world.criterion, parent=None, artifact="model", last_event=0, metrics={}, encoder="lite0"
        )
        versions.promote(s, made)
    assert ill(world) == {}
    (path,) = (world.settings.folder / "artifacts").rglob("head.bin")
    path.write_bytes(bytes(999) + b"x")
    assert set(ill(world)) == {"artifacts"}


def test_a_variable_that_cannot_be_meant(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.settings.folder.chmod(0o700)
    monkeypatch.setenv("PAIRWRIGHT_LOG", "xml")
    assert ill(world) == {"settings": "PAIRWRIGHT_LOG = text or json expected, got 'xml'."}


def test_a_new_database_belongs_to_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    database = Settings(folder).open()
    with database.write() as s:
        jobs.enqueue(s, "embed", {})
    files = [path for path in folder.iterdir() if path.name.startswith("pairwright.sqlite")]
    assert files and all(stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 for path in files)
    database.close()
