"""Ray, started for one command on this machine and stopped after it, or joined where it already runs.

Quiet: no dashboard, no lines on the screen, nothing told to its makers.
"""

import logging
import os
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory, gettempdir
from typing import Any

from db.errors import BadInput, Broken

SHELF_BYTES = 100 * 1024 * 1024  # shared memory of a Ray of our own: pictures and figures only pass through
LONGEST = 45  # letters of a temporary folder; Ray's sockets in it must stay below the system's limit
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is told to anybody
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",  # a machine that goes away is a worker that is lost
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",  # workers stay where they are: a path means the same in all of them
    "RAY_TRAIN_METRICS_ENABLED": "0",
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.5",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
}


@dataclass(frozen=True)
class Reach:
    """So many workers of Ray. address: HOST:PORT of a cluster that runs already, None for one of this machine's own."""

    count: int
    address: str | None = None


@contextmanager
def running(reach: Reach) -> Iterator[Mapping[str, float]]:
    """Ray with room for the workers. Yields what it has: "CPU", "GPU" and others.

    Raises: BadInput where Ray is not installed, the address is none, or the cluster is too small; Broken where Ray
    cannot start.
    """
    ray = _library(own=not reach.address)
    with hushed(), _folder() as folder:
        if ray.is_initialized():
            yield _roomy(ray, reach.count)
            return
        try:
            _begin(ray, reach.count, reach.address, folder)
            yield _roomy(ray, reach.count)
        finally:
            ray.shutdown()


def _library(own: bool) -> Any:
    """Ray, imported after the settings that it reads only then."""
    if own and "ray" not in sys.modules and "RAY_AUTH_MODE" not in os.environ:
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token_hex(32)}  # nobody else may join ours
    os.environ.update({name: value for name, value in QUIET.items() if name not in os.environ})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import ray
    except ImportError as error:
        raise BadInput("Ray is not installed. Install it: pip install 'pairwright[cluster]'.") from error
    return ray


def _begin(ray: Any, workers: int, address: str | None, folder: str | None) -> None:
    """Join the cluster, or start one."""
    if address and not re.fullmatch(r"auto|[^/]+:\d+", address):
        raise BadInput(
            f"the address of a cluster as HOST:PORT, or auto, expected, got '{address}'. Run the command on one of "
            "its machines."
        )
    own: dict[str, Any] = {} if address else {
        "num_cpus": workers, "include_dashboard": False, "object_store_memory": SHELF_BYTES, "_temp_dir": folder,
        "_node_ip_address": "127.0.0.1",
    }  # fmt: skip
    try:
        with warnings.catch_warnings(), _ours_first(), _mute():
            warnings.simplefilter("ignore")
            ray.init(address or "local", log_to_driver=False, configure_logging=False, logging_level="ERROR", **own)
    except (ConnectionError, RuntimeError, ValueError, OSError, TimeoutError) as error:
        words = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        if address:
            raise BadInput(f"no Ray cluster answers at '{address}' ({words}). Start it: ray start --head.") from error
        raise Broken(f"Ray cannot start on this machine ({words}). Train with --processes instead.") from error


def _roomy(ray: Any, workers: int) -> Mapping[str, float]:
    """Whether so many workers fit, one a GPU where there are any, else one a processor."""
    has: Mapping[str, float] = ray.cluster_resources()
    for name in ("GPU", "CPU"):
        room = int(has.get(name, 0))
        if room and workers > room:
            raise BadInput(f"ray = at most {room}, one a {name} of the cluster, expected, got {workers}.")
    return has


@contextmanager
def _ours_first() -> Iterator[None]:
    """Processes that start meanwhile import this very installation."""
    before = os.environ.get("PYTHONPATH")
    root = str(Path(__file__).resolve().parents[2])
    os.environ["PYTHONPATH"] = root if not before else os.pathsep.join([root, before])
    try:
        yield
    finally:
        del os.environ["PYTHONPATH"]
        if before is not None:
            os.environ["PYTHONPATH"] = before


@contextmanager
def _mute() -> Iterator[None]:
    """What is written to the error stream of this process meanwhile, below Python, too, is not seen."""
    sys.stderr.flush()
    try:
        kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    except OSError:  # there is no such stream
        yield
        return
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


@contextmanager
def hushed() -> Iterator[None]:
    """Ray's loggers are held back, and given back."""
    loggers = [logging.getLogger(name) for name in ("ray", "ray.data", "ray.train", "ray.tune")]
    levels = [one.level for one in loggers]
    for one in loggers:
        one.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for one, level in zip(loggers, levels, strict=True):
            one.setLevel(level)


@contextmanager
def _folder() -> Iterator[str | None]:
    """For Ray's sockets and logs, gone afterwards; None where the path would be too long."""
    if sys.platform == "darwin" or len(gettempdir()) > LONGEST:
        yield None
        return
    with (
        TemporaryDirectory(prefix="pairwright-ray-", ignore_cleanup_errors=True) as folder,
        suppress(FileNotFoundError),
    ):
        yield folder
