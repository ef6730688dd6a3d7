"""Where the command and its workers meet: what is going on, who has ended, and whether to stop."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LOOK_S = 0.3


@dataclass(frozen=True)
class Ended:
    """How one worker ended. out, err: what it would have printed."""

    code: int
    out: str = ""
    err: str = ""


@dataclass
class Desk:
    """A Ray actor beside the command. said: what is going on, done, of. starts: of each rank, how often it began."""

    said: tuple[str, int, int] | None = None
    ended: dict[int, Ended] = field(default_factory=dict)
    starts: dict[int, int] = field(default_factory=dict)
    stop: bool = False

    def begin(self, rank: int) -> None:
        """A worker is at work, perhaps in place of one that was lost."""
        self.ended.pop(rank, None)
        self.starts[rank] = self.starts.get(rank, 0) + 1

    def end(self, rank: int, how: Ended) -> None:
        self.ended[rank] = how

    def tell(self, said: tuple[str, int, int] | None) -> bool:
        """A worker says what is going on, and learns whether to stop."""
        self.said = said or self.said
        return self.stop

    def look(self, stop: bool) -> tuple[tuple[str, int, int] | None, Mapping[int, Ended], int]:
        """The command looks: what is going on, who has ended, how often workers were started anew."""
        self.stop = self.stop or stop
        return self.said, self.ended, max(self.starts.values(), default=1) - 1


class Line:
    """A worker's line to the desk; its calls are made by a thread, so that no step waits for them."""

    def __init__(self, desk: Any) -> None:
        self.desk, self.asked = desk, False
        self._said: tuple[str, int, int] | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._talk, name="desk", daemon=True)

    def told(self, what: str, done: int, of: int) -> None:
        self._said = (what, done, of)

    def stopped(self) -> bool:
        """Whether the command wants an end, or is gone."""
        return self.asked

    def __enter__(self) -> "Line":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _talk(self) -> None:
        import ray

        while not self._over.wait(LOOK_S) and not self.asked:
            try:
                self.asked = bool(ray.get(self.desk.tell.remote(self._said)))
            except ray.exceptions.RayError:
                self.asked = True
