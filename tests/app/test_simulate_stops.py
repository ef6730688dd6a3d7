"""Ctrl-C ends a simulation, also where the exception it raises is swallowed."""

import os
import signal
from types import SimpleNamespace
from typing import Any

import pytest

from app.simulate import Plan, _run


class Endless:
    """A course that never runs out; `press` is called at the third question."""

    def __init__(self, press: Any) -> None:
        self.effort = SimpleNamespace(screens=0, verdicts=0, seconds=0.0)
        self.press, self.learnt = press, 0

    def ask(self) -> bool:
        self.effort.screens += 1
        if self.effort.screens == 3:
            self.press()
        assert self.effort.screens < 100, "it was asked to stop long ago"
        return True

    def learn(self) -> None:
        self.learnt += 1

    def row(self) -> dict[str, int]:
        return {"screens": self.effort.screens}


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def press_where_it_is_swallowed() -> None:
    """As in a destructor, whose exceptions Python drops."""
    try:
        press()
        for _ in range(1000):
            pass
    except KeyboardInterrupt:
        pass


@pytest.mark.parametrize("pressed", [press, press_where_it_is_swallowed])
def test_ctrl_c_ends_the_run_and_gives_the_signal_back(pressed: Any) -> None:
    rows: list[Any] = []
    before = signal.getsignal(signal.SIGINT)
    plan = Plan(collection="c", criterion="k", oracle="labels:k", budget=1e9)
    curve = SimpleNamespace(add=rows.append, rows=rows)
    assert _run(Endless(pressed), plan, curve, lambda *_: None)  # type: ignore[arg-type]
    assert len(rows) == 1 and signal.getsignal(signal.SIGINT) is before
