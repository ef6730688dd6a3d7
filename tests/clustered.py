"""What workers of Ray run in tests: the command's own work, in which one of them is killed half-way."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import trainer.run
from app.cli.run import Run
from app.cli.training import _distant
from app.cluster.workers import Told

KILLED_AT = 5  # looks at the wish to stop, one a step


def killed_once(run: Run, lesson: Any, told: Told, stopped: Callable[[], bool]) -> int:
    """Every step is kept; in the second worker's first life the step after some is its last."""
    trainer.run.SAVE_S = 0.0
    mark, looks = Path(run.settings.folder) / "killed", [0]

    def looking() -> bool:
        looks[0] += 1
        if os.environ["RANK"] == "1" and looks[0] == KILLED_AT and not mark.exists():
            mark.write_text(str(os.getpid()))
            os.kill(os.getpid(), signal.SIGKILL)
        return stopped()

    def telling(what: str, done: int, of: int) -> None:
        with (Path(run.settings.folder) / "told.txt").open("a") as file:
            file.write(f"{os.getpid()} {what.split(',')[0]} {done}\n")
        told(what, done, of)

    return _distant(run, lesson, telling, looking)


def waiting(told: Told, stopped: Callable[[], bool]) -> int:
    """Work until the command wants an end."""
    told("waiting", 1, 2)
    while not stopped():
        pass
    print("stopped as it was asked to")
    return 130
