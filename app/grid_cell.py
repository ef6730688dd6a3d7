"""One run of a grid, in a process of its own: python -m app.grid_cell --plan JSON --report DIR --workspace DIR ...

It ends when the process that started it is gone.
"""

import argparse
import os
import signal
import sys
import threading
import time
from pathlib import Path

import orjson


def main() -> int:
    """Run it; returns the exit code, with one sentence on stderr where it is not 0."""
    from app.cli.failing import guarded

    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--plan", "--report", "--workspace", "--database-url"):
        parser.add_argument(name, required=True)
    given = parser.parse_args()
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()
    return guarded(lambda: _run(given))


def _run(given: argparse.Namespace) -> None:
    from app.replay import plan_of
    from app.settings import Settings
    from app.simulate import simulate

    sys.path.insert(0, "")  # rule:MODULE:NAME may lie in the current folder
    settings = Settings(workspace=Path(given.workspace), database_url=given.database_url)
    simulate(settings, plan_of(orjson.loads(given.plan)), Path(given.report), drawn=False)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.3)
    os.kill(os.getpid(), signal.SIGKILL)  # what is half done is begun anew, so nothing needs tidying


if __name__ == "__main__":
    sys.exit(main())
