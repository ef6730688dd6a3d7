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
        "workspace": workspace,
        "disk": disk,
        "database": database,
        "artifacts": artifacts,
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


def workspace(settings: Settings) -> str:
    settings.make_workspace()
    if not os.access(settings.folder, os.W_OK):
        raise Broken(f"{settings.folder} cannot be written. Change its permissions or give another --workspace.")
    return f"{settings.folder} can be written"


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
    """Verify the checksums of every served model version."""
    from db import catalog, versions
    from db.artifacts import ArtifactStore

    store = ArtifactStore(str(settings.folder / "artifacts"))
    with closing(settings.open()) as opened, opened.read() as s:
        current = [versions.current(s, c.id) for c in catalog.criteria(s)]
    served = [v for v in current if v is not None]
    for found in served:
        store.open(found.artifact)
    return f"{len(served)} served model versions, all checksums right"


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
