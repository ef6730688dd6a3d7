"""What `pairwright doctor` looks at; each check is one short function that returns words or raises."""

import os
import platform
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version

import psutil

from app.settings import Settings
from db.errors import Broken

LAG_S = 900.0  # answers are learnt within seconds; a quarter of an hour is a fault


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `ok`, or what is wrong and what to do, in `words`."""

    name: str
    ok: bool
    words: str


def examine(settings: Settings) -> list[Finding]:
    """Run every check; a failing one never hides the next."""
    checks: dict[str, Callable[[Settings], str]] = {
        "machine": machine,
        "libraries": libraries,
        "settings": environment,
        "workspace": workspace,
        "disk": disk,
        "database": database,
        "artifacts": artifacts,
        "packs": packs,
        "trainer": trainer,
        "jobs": work,
        "backups": backups,
        "encoder": encoder,
    }
    return [_look(name, check, settings) for name, check in checks.items()]


def _look(name: str, check: Callable[[Settings], str], settings: Settings) -> Finding:
    try:
        return Finding(name, True, check(settings))
    except Exception as error:
        return Finding(name, False, str(error).splitlines()[0] if str(error) else type(error).__name__)


def machine(_: Settings) -> str:
    memory = psutil.virtual_memory().total / 2**30
    return f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores, {memory:.0f} GiB"


def libraries(_: Settings) -> str:
    names = ("torch", "torchvision", "timm", "faiss-cpu", "gradio", "sqlalchemy")
    return ", ".join(f"{name} {version(name)}" for name in names)


def environment(_: Settings) -> str:
    """Variables that are read late are checked now."""
    from app.importers import addresses
    from db import logs

    fetched = "fetched" if addresses.allowed() else "not fetched"
    return f"log as {logs.style()}, pictures behind addresses are {fetched}"


def workspace(settings: Settings) -> str:
    """It can be written, and nobody else on this machine looks into it."""
    settings.make_workspace()
    if not os.access(settings.folder, os.W_OK):
        raise Broken(f"{settings.folder} cannot be written. Change its permissions or give another --workspace.")
    if os.name == "posix" and settings.folder.stat().st_mode & 0o077:
        raise Broken(f"others on this machine can look into {settings.folder}. Close it: chmod 700 {settings.folder}")
    return f"{settings.folder} can be written, by nobody else"


def disk(settings: Settings) -> str:
    free = shutil.disk_usage(settings.folder).free / 2**30
    if free < 1:
        raise Broken(f"only {free:.2f} GiB are free under {settings.folder}; at least 1 is needed. Free some space.")
    return f"{free:.0f} GiB free"


def database(settings: Settings) -> str:
    from db import catalog

    with closing(settings.open()) as opened, opened.read() as s:
        collections = catalog.collections(s)
        criteria = catalog.criteria(s)
    items = sum(c.items for c in collections)
    return f"{opened.dialect}, {len(collections)} collections, {items} items, {len(criteria)} criteria"


def artifacts(settings: Settings) -> str:
    """Verify the checksums of every served model version, and of its embeddings."""
    from db import catalog, versions

    store = settings.store()
    with closing(settings.open()) as opened, opened.read() as s:
        current = [versions.current(s, c.id) for c in catalog.criteria(s)]
        served = [v for v in current if v is not None]
        kept = [found for v in served if (found := versions.snapshot(s, v.id)) is not None]
    for name in [*(v.artifact for v in served), *(found.artifact for found in kept)]:
        store.open(name)
    return f"{len(served)} served model versions, all checksums right"


def packs(settings: Settings) -> str:
    """No import left a pack behind that nobody takes away."""
    from trainer.packs import LEFT_S, leftovers

    left = list(leftovers(settings.folder))
    old = [one for one in left if one.age_s > 2 * LEFT_S]
    if old:
        size = sum(one.bytes for one in old) / 2**20
        raise Broken(
            f"killed imports left {len(old)} files of {size:.0f} MiB in {settings.folder / 'packs'}. Start `pairwright "
            "serve` or `pairwright trainer`, or import with --packed: each takes them away."
        )
    return f"{len(left)} under way or just left" if left else "no import left one half-done"


def trainer(settings: Settings) -> str:
    """Answers are being learnt."""
    from db import catalog, vitals

    with closing(settings.open()) as opened, opened.read() as s:
        behind = {one.name: vitals.vitals(s, one.id) for one in catalog.criteria(s)}
    name = max(behind, key=lambda name: behind[name].behind_s, default=None)
    if name is not None and behind[name].behind_s > LAG_S:
        waiting = behind[name]
        raise Broken(
            f"{waiting.behind} answers about '{name}' have waited {waiting.behind_s / 60:.0f} minutes to be learnt. "
            "Start `pairwright serve` or `pairwright trainer`; if one runs, its log says why."
        )
    return f"{sum(one.behind for one in behind.values())} answers wait to be learnt"


def work(settings: Settings) -> str:
    """The newest job of every kind did not fail."""
    from db import vitals

    with closing(settings.open()) as opened, opened.read() as s:
        newest, states = vitals.newest_jobs(s), vitals.jobs_by_state(s)
    failed = [f"the last {one.kind} failed: {one.error}" for one in newest if one.state == "failed"]
    if failed:
        raise Broken(" ".join(failed))
    under_way = sum(count for (_, state), count in states.items() if state in ("queued", "running"))
    return f"{under_way} under way, {sum(states.values()) - under_way} done"


def backups(settings: Settings) -> str:
    """The newest backup has its manifest; whether it is whole, `pairwright backup verify` says."""
    from app import backup

    kept = backup.backups(settings.backups)
    if not kept:
        return "none yet; make one with: pairwright backup create"
    return f"{len(kept)}, the newest of {kept[0].made_at:%Y-%m-%d %H:%M} UTC"


def encoder(_: Settings) -> str:
    import numpy as np

    from trainer.encoders import load_encoder

    loaded = load_encoder("lite0")
    vector = loaded.encode([np.full((64, 64, 3), 127, np.uint8)])
    if vector.shape != (1, loaded.dim) or not np.isfinite(vector).all():
        raise Broken(
            f"the encoder gave {vector.shape}, expected (1, {loaded.dim}) finite numbers. Reinstall Pairwright."
        )
    return f"lite0 gives {loaded.dim} finite numbers"
