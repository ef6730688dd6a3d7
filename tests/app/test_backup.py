"""Backups: whole or not there, made while people answer, checked byte by byte, put back only where nothing is."""

import json
import os
import shutil
import threading
import uuid
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app import backup, backup_job, doctor, quality_job
from app.children import Keeper
from app.settings import Settings
from db import feedback, jobs, queue
from db.engine import Database
from db.errors import Broken, NotFound, Refused
from db.nouns import Answer, Kind, PairVerdict, Question, Verdict
from tests.app.conftest import World
from tests.journeys.furnished import furnish
from tests.measured import tell, times

HOME = "/api/v1/backups"


def say(database: Database, criterion: int, items: list[int], number: int) -> int:
    """One acknowledged answer, about a pair of its own."""
    one, other = items[number % len(items)], items[(number + 1 + number // len(items)) % len(items)]
    with database.write() as s:
        asked = queue.about_pair(s, Question(criterion, Kind.PAIR, one, (other,), "test"))
        verdict = PairVerdict(one, other, Verdict.DIFFERENT)
        return feedback.record(s, Answer(asked, (verdict,), "ada", uuid.uuid4().hex)).id


def answers(settings: Settings, criterion: int) -> set[int]:
    with closing(settings.open()) as database, database.read() as s:
        return {one.id for one in feedback.log(s, criterion, 10_000, None)}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("drill", range(times(1, 20)))
def test_a_backup_made_under_load_holds_every_answer_acknowledged_before_it(
    world: World, tmp_path: Path, drill: int
) -> None:
    """Answers flow all the while; what is restored is whole, and goes on as a workspace of its own."""
    acknowledged, stop = [], threading.Event()
    enough = threading.Event()

    def flow() -> None:
        while not stop.is_set():
            acknowledged.append(say(world.database, world.criterion, world.items, len(acknowledged)))
            if len(acknowledged) == 30:
                enough.set()

    person = threading.Thread(target=flow)
    person.start()
    enough.wait(60)
    before = set(acknowledged)
    made = backup.create(world.settings, world.database)
    stop.set()
    person.join()
    there = backup.located(world.settings, made.name)
    assert backup.verify(there) == made and made.answers >= len(before) >= 30
    restored = Settings(tmp_path / "restored", None, trainer=False)
    backup.restore(there, restored)
    assert before <= answers(restored, world.criterion) <= set(acknowledged)
    with closing(restored.open()) as database:
        new = say(database, world.criterion, world.items, 700)
    assert new in answers(restored, world.criterion) and new not in before
    tell(8, acknowledged_before=len(before), missing_after_restore=0)


def test_models_and_pictures_come_back_byte_by_byte_and_the_doctor_is_content(tmp_path: Path) -> None:
    settings = furnish(tmp_path / "workspace")
    with closing(settings.open()) as database:
        (settings.folder / "artifacts" / ".unfinished-x").mkdir()
        (settings.folder / "artifacts" / ".unfinished-x" / "half").write_bytes(b"x")
        (settings.folder / "thumbs").mkdir(exist_ok=True)
        made = backup.create(settings, database)
    restored = Settings(tmp_path / "restored", None)
    backup.restore(settings.backups / made.name, restored)
    for part in backup.PARTS:
        files = sorted(one for one in (settings.folder / part).rglob("*") if one.is_file())
        kept = [one for one in files if ".unfinished-x" not in one.parts]
        assert all(
            (restored.folder / one.relative_to(settings.folder)).read_bytes() == one.read_bytes() for one in kept
        )
    assert not (restored.folder / "artifacts" / ".unfinished-x").exists()
    checks = {"workspace": doctor.workspace, "database": doctor.database, "artifacts": doctor.artifacts}
    assert all(doctor._look(name, check, restored).ok for name, check in checks.items())
    assert "1 served model versions" in doctor.artifacts(restored)


@pytest.mark.parametrize("part", ["database.sqlite", "media", "manifest.json", "missing"])
def test_any_damage_is_found_and_a_damaged_backup_is_not_restored(world: World, tmp_path: Path, part: str) -> None:
    made = backup.create(world.settings, world.database)
    there = world.settings.backups / made.name
    path = next(one for one in sorted(there.rglob("*")) if one.is_file() and part in (*one.parts, "missing"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.unlink() if part == "missing" else path.write_bytes(bytes(data))
    with pytest.raises(Broken, match="damaged"):
        backup.verify(there)
    restored = Settings(tmp_path / "restored", None)
    with pytest.raises(Broken):
        backup.restore(there, restored)
    assert not restored.folder.exists()


def test_nothing_is_restored_over_anything(world: World, tmp_path: Path) -> None:
    there = world.settings.backups / backup.create(world.settings, world.database).name
    before = answers(world.settings, world.criterion)
    with pytest.raises(Refused, match="not empty"):
        backup.restore(there, world.settings)
    elsewhere = Settings(tmp_path / "new", world.settings.url)
    with pytest.raises(Refused, match="a database already"):
        backup.restore(there, elsewhere)
    assert answers(world.settings, world.criterion) == before and not elsewhere.folder.exists()


def test_a_manifest_cannot_lead_out_of_its_backup(world: World, tmp_path: Path) -> None:
    there = world.settings.backups / backup.create(world.settings, world.database).name
    (world.settings.backups / "secret").write_text("x")
    manifest = json.loads((there / backup.MANIFEST).read_bytes())
    manifest["files"]["../secret"] = {"sha256": "0", "size": 1}
    (there / backup.MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(Broken, match="outside"):
        backup.restore(there, Settings(tmp_path / "new", None))


def test_what_breaks_or_is_stopped_half_way_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused, match="stopped"):
        backup.create(world.settings, world.database, stopped=lambda: True)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "_copied", full)
    with pytest.raises(Broken, match="No space left"):
        backup.create(world.settings, world.database)
    assert list(world.settings.backups.iterdir()) == []


def test_only_the_newest_are_kept_and_what_a_kill_left_is_swept(world: World) -> None:
    left = world.settings.backups / ".unfinished-old"
    left.mkdir(parents=True)
    os.utime(left, (0, 0))
    names = [backup.create(world.settings, world.database, keep=2).name for _ in range(3)]
    assert [one.name for one in backup.backups(world.settings.backups)] == sorted(names, reverse=True)[:2]
    assert not left.exists()


def test_the_keeper_makes_one_when_the_newest_is_old_enough(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not Keeper(world.settings, world.database).due()  # 0 hours: never by itself
    keeper = Keeper(replace(world.settings, backup_every=24), world.database)
    assert keeper.due() and keeper._waiting() and not keeper.due()
    done = _work(world)
    assert done.state == "done" and done.payload["keep"] == 7
    again = Keeper(replace(world.settings, backup_every=24), world.database)
    assert not again.due()
    monkeypatch.setattr("app.children.time.time", lambda: backup.datetime.now().timestamp() + 25 * 3600)
    assert again.due()


def _work(world: World) -> jobs.Job:
    """Do the job that waits, as its process would."""
    job = quality_job._next(world.database, "test", [backup.KIND, backup.VERIFY])
    assert job is not None
    quality_job.run(world.settings, world.database, job, work=backup_job.work)
    with world.database.read() as s:
        return jobs.job(s, job.id)


@pytest.mark.anyio
async def test_an_admin_makes_and_checks_one_over_rest(world: World) -> None:
    async with world.as_role("admin") as admin:
        assert (await admin.get(HOME)).json()["backups"] == []
        first, again = (await admin.post(HOME)).json(), (await admin.post(HOME)).json()
        assert first["id"] == again["id"] and (await admin.get(HOME)).json()["job"]["status"] == "queued"
        assert _work(world).state == "done"
        (one,) = (await admin.get(HOME)).json()["backups"]
        assert one["checked"] is None and one["files"] > 20
        assert (await admin.post(f"{HOME}/{one['name']}/verify")).status_code == 202
        assert _work(world).state == "done"
        assert (await admin.get(HOME)).json()["backups"][0]["checked"] == "ok"
        shutil.rmtree(world.settings.backups / one["name"] / "media")
        await admin.post(f"{HOME}/{one['name']}/verify")
        assert "damaged" in str(_work(world).error)
        assert (await admin.get(HOME)).json()["backups"][0]["checked"] == "damaged"
        for wrong in ("999", "..", "20261123T000000Z"):
            assert (await admin.post(f"{HOME}/{wrong}/verify")).status_code == 404
        acts = (await admin.get("/api/v1/audit")).json()["entries"]
        assert [one["detail"]["what"] for one in acts if one["action"] == "backup"] == ["check", "check", "make"]


def test_a_name_that_is_none_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        backup.named(world.settings, "../x")
