"""What follows from a graph is worked out once per state of it: whoever looks next gets the very same object.

A graph is known by identity and revision and is held weakly, so that what is remembered goes with it.
"""

from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar
from weakref import ref

from oracle.constraints import ConstraintGraph

Found = TypeVar("Found")
GRAPHS = 4  # remembered at once, the newest


class Memory(Generic[Found]):
    """The newest result of each of the last few graphs."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[ref[ConstraintGraph], int, Any, Hashable, Found]] = {}

    def get(self, graph: ConstraintGraph, about: object, how: Hashable, make: Callable[[], Found]) -> Found:
        """What `make` returned in this state of the graph; made now if that is news. about: compared by identity."""
        known = self._kept.get(id(graph))
        if known is not None:
            held, revision, subject, way, found = known
            if held() is graph and revision == graph.revision and subject is about and way == how:
                return found
        revision = graph.revision
        made = make()
        name = id(graph)
        self._kept.pop(name, None)
        self._kept[name] = (ref(graph, lambda gone: self._forget(name, gone)), revision, about, how, made)
        for old in list(self._kept)[:-GRAPHS]:
            self._kept.pop(old, None)
        return made

    def _forget(self, name: int, gone: "ref[ConstraintGraph]") -> None:
        known = self._kept.get(name)
        if known is not None and known[0] is gone:
            del self._kept[name]
