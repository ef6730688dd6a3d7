"""The states of the groups that were looked at last, kept in memory.

Small groups of now are worked out on the spot (`INLINE`). Those of more pictures or answers come from the job
"map_groups" (`app.maps`), which the Groups and the Map screen share: until it is done the groups it made before are
shown, or those by looks alone, and said to be so.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from app import maps, numbers
from app.homes import Seen, seen
from app.partition import BEFORE, Key, Partition, lay_out
from db.artifacts import ArtifactStore
from db.nouns import Snapshot, Statement
from oracle.constraints import ConstraintGraph
from oracle.holdout import weighed
from oracle.weighing import weighed_graph

INLINE = 500_000  # items times verdicts up to which it takes about half a second
KEPT = 6
Said = Callable[[], Sequence[Statement]]


@dataclass(frozen=True, eq=False)
class Told:
    """What the log says of a partition. said: standing verdicts; rows: (N,) bool, rows that an answer joins to another
    of their group; groups: (G,) how many of them each group holds."""

    said: Sequence[Statement]
    rows: np.ndarray
    groups: np.ndarray

    @cached_property
    def graph(self) -> ConstraintGraph:
        """What follows from these answers."""
        return weighed_graph(self.said)


class Partitions:
    """The groups of every criterion that was looked at, the newest few kept."""

    def __init__(self, store: ArtifactStore, inline: int = INLINE) -> None:
        self.store, self.inline = store, inline
        self._kept: OrderedDict[Key, Partition] = OrderedDict()
        self._told: OrderedDict[tuple[Key, str], Told] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key, snapshot: Snapshot, said: Said) -> Partition:
        """The groups of this state, or the newest there are. said: reads the answers, if they are needed."""
        with self._lock:
            there = self._kept.get(key)
            if there is not None:
                return there
            answers = said()
            if len(snapshot.ids) * (1 + len(answers)) <= self.inline:
                return self._keep(key, snapshot, seen(weighed(snapshot, answers)[1]))
            return self._made_before(key, snapshot)

    def _made_before(self, key: Key, snapshot: Snapshot) -> Partition:
        """What knows most answers of what is kept; the groups by looks alone where that is nothing."""
        chart = maps.kept(self.store, key.criterion, key.version, "groups")
        event = BEFORE if chart is None else int(chart.arrays["event"][0])
        last = max((one for one in self._kept if one.criterion == key.criterion), key=_known, default=None)
        if last is not None and last.event >= event:
            return self._kept[last]
        if chart is None or not np.array_equal(chart.ids, snapshot.ids):
            looks = Seen(snapshot.start, np.zeros(len(snapshot.ids), np.float32))
            return self._keep(key._replace(event=BEFORE), snapshot, looks)
        return self._keep(key._replace(event=event), snapshot, Seen(chart.arrays["labels"], chart.arrays["sure"]))

    def named(self, criterion: int, stand: str) -> Partition | None:
        """A state that is still kept."""
        with self._lock:
            mine = (one for key, one in self._kept.items() if key.criterion == criterion and key.stand == stand)
            return next(mine, None)

    def told(self, key: Key, partition: Partition, said: Said) -> Told:
        """What the answers say of a partition. key: of the answers' state."""
        at = (key, partition.stand)
        with self._lock:
            there = self._told.get(at)
            if there is None:
                answers = said()
                rows = partition.confirmed(answers)
                there = self._told[at] = Told(answers, rows, partition.per_group(rows))
                _trim(self._told)
            return there

    def _keep(self, key: Key, snapshot: Snapshot, found: Seen) -> Partition:
        last = numbers.kept(self.store, key.criterion)
        named = numbers.matched(snapshot.ids, found.labels, last)
        if not named.same(last):  # of several web processes the first keeps them
            numbers.keep(self.store, key.criterion, named)
        laid = self._kept[key] = lay_out(key.stand, snapshot, found, named.of)
        _trim(self._kept)
        return laid


def _known(key: Key) -> tuple[int, int]:
    return key.event, key.version


def _trim(kept: OrderedDict[Any, Any]) -> None:
    while len(kept) > KEPT:
        kept.popitem(last=False)
