"""One stream of things: the sorter sees each, asks where it is unsure, and learns only from where things were put."""

import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from app import robots
from app.eye import Eye
from app.robots import Sight
from app.settings import Settings
from app.sorters import Sorters
from benchmarks.label_efficiency.sets import Folders
from benchmarks.robot.peers import PEERS
from benchmarks.robot.peers import unit as of_length_one
from benchmarks.robot.sets import Belt, belt
from db import catalog, placements
from db.catalog import NewItem
from oracle.bins import unit
from oracle.sorting import Costs, Sorter

PASSIVE = 0.5  # share of things that a person places without being asked
STOPS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)
JUDGED = 0.4  # of the stream


def sorting(name: str, seed: int, folders: Folders) -> dict[str, Any]:
    """A line of results: held-out accuracy by things seen, ours and the peers', and with full labels."""
    there = belt(name, seed, folders)
    random = np.random.default_rng(1000 + seed)
    sorter, asked, told, curve = Sorter(there.views[0].shape[1]), 0, [], []
    stops = {max(1, round(share * len(there.stream))): share for share in STOPS}
    for number, thing in enumerate(there.stream.tolist(), 1):
        _show(sorter, there, thing)
        asks = sorter.place(thing).action != "sort"
        asked += asks
        if asks or random.random() < PASSIVE:
            sorter.put(thing, str(there.bins[thing]))
            told.append(thing)
        if number in stops:
            point = {"share": stops[number], "seen": number, "asked": asked, "placed": len(told)}
            curve.append(point | _scores(sorter, there) | _peers(there, told))
    early = there.stream[: round(JUDGED * len(there.stream))]
    return {
        "what": "sorting", "set": name, "seed": seed, "things": len(there.stream), "held": len(there.held),
        "bins": len(np.unique(there.bins)), "curve": curve,
        "full": _scores(_taught(there, there.stream), there)["ours"],
        "full_same": _scores(_taught(there, early), there)["ours"],
    }  # fmt: skip


def _show(sorter: Sorter, there: Belt, thing: int) -> None:
    for view in there.views[thing]:
        sorter.see(thing, view)


def _taught(there: Belt, things: np.ndarray) -> Sorter:
    """The same model with a label on every thing."""
    sorter = Sorter(there.views[0].shape[1])
    for thing in things.tolist():
        _show(sorter, there, thing)
        sorter.put(thing, str(there.bins[thing]))
    return sorter


def _scores(sorter: Sorter, there: Belt) -> dict[str, float]:
    """Accuracy on held-out things, mean confidence, and the share and accuracy of what it would sort by itself."""
    costs = Costs()
    found = [sorter.look(np.array([unit(view) for view in there.views[thing]]), costs) for thing in there.held]
    right = np.array([one.bin == str(there.bins[thing]) for one, thing in zip(found, there.held, strict=True)])
    alone = np.array([one.action == "sort" for one in found])
    return {
        "ours": float(right.mean()), "confidence": float(np.mean([one.confidence for one in found])),
        "alone": float(alone.mean()), "alone_right": float(right[alone].mean()) if alone.any() else float("nan"),
    }  # fmt: skip


def _peers(there: Belt, told: Sequence[int]) -> dict[str, float]:
    """Held-out accuracy of the peers from the very same placements."""
    rows = np.concatenate([of_length_one(there.views[thing]) for thing in told])
    labels = np.concatenate([np.repeat(there.bins[thing], len(there.views[thing])) for thing in told])
    things = [of_length_one(there.views[thing]) for thing in there.held]
    truth = there.bins[there.held]
    return {name: float((peer(rows, labels, things) == truth).mean()) for name, peer in PEERS.items()}


def latency(name: str, seed: int, folders: Folders) -> dict[str, Any]:
    """Milliseconds from a look to its answer beyond the backbone: log, sorter and reply, as the server does it."""
    there = belt(name, seed, folders)
    with TemporaryDirectory() as folder:
        settings = Settings(workspace=Path(folder))
        with closing(settings.open()) as database:
            rows = [(thing, view) for thing in there.stream.tolist() for view in there.views[thing]]
            known = {f"{number:064x}": view for number, (_, view) in enumerate(rows)}
            with database.write() as s:
                collection = catalog.add_collection(s, name)
                catalog.add_items(s, collection, [NewItem(sha, 1, 1, f"media/{sha}") for sha in known])
                criterion = catalog.add_criterion(s, "bin", collection, "The same bin?")
                items = {item.sha256: item.id for item in catalog.items(s, collection)}
                session, _ = robots.begin(s, criterion, "robot", Costs(), ("benchmark", "session"))
            sorters = Sorters(settings, database, Eye(settings), known)
            looks, puts = _Clock(), _Clock()
            for number, (thing, _) in enumerate(rows):
                with looks:
                    sight = Sight(item=items[f"{number:064x}"], object=str(thing))
                    seen, _ = robots.observe(sorters, session.id, sight, ("benchmark", f"see {number}"))
                if number + 1 == len(rows) or rows[number + 1][0] != thing:
                    with puts, database.write() as s:
                        where = str(there.bins[thing])
                        placements.add(s, seen, placements.PLACEMENT, where, "benchmark", f"put {number}")
    return {
        "what": "latency", "set": name, "seed": seed, "looks": len(looks.wall_s), "puts": len(puts.wall_s),
        **_percentiles("look", looks.wall_s), **_percentiles("look_cpu", looks.cpu_s),
        **_percentiles("put", puts.wall_s), **_percentiles("put_cpu", puts.cpu_s),
    }  # fmt: skip


class _Clock:
    """Seconds by the clock and of processor time, of every `with`."""

    def __init__(self) -> None:
        self.wall_s: list[float] = []
        self.cpu_s: list[float] = []

    def __enter__(self) -> None:
        self._began = time.perf_counter(), time.process_time()

    def __exit__(self, *_: object) -> None:
        self.wall_s.append(time.perf_counter() - self._began[0])
        self.cpu_s.append(time.process_time() - self._began[1])


def _percentiles(what: str, seconds: Sequence[float]) -> dict[str, float]:
    return {f"{what}_p{at}_ms": float(1000 * np.percentile(seconds, at)) for at in (50, 95, 99)}
