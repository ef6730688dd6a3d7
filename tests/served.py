"""The app as a process of its own, on the same port again after it was killed."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SERVE = """
import sys
from pathlib import Path
from app.server import serve
from app.settings import Settings
serve(Settings(Path(sys.argv[1]), sys.argv[3] or None, trainer=sys.argv[4] == "1"), port=int(sys.argv[2]))
"""


class Server:
    """database_url: None for SQLite in the workspace. trainer: with its child, which ends with it."""

    def __init__(self, workspace: Path, database_url: str | None = None, *, trainer: bool = False) -> None:
        self.workspace, self.url, self.trainer, self.port = workspace, database_url or "", trainer, 0
        self.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        words = [str(self.workspace), str(self.port), self.url, str(int(self.trainer))]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVE, *words], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        )
        try:
            self.port = self._heard()
        except BaseException:
            self.kill()
            raise

    def _heard(self) -> int:
        """The port, as it is told on the screen once requests are served."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
                return int(found[1])
        raise AssertionError("the server did not start")

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """As a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
