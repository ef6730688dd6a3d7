"""Training by several workers of Ray: `app.together` on machines that Ray knows, and the same code inside.

Ray starts the workers, lets them meet as torchrun would, and starts them anew when one is lost; the run itself goes on
from the state that it keeps in the workspace, as it does after any stop.
"""

import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

from app.cluster.desk import LOOK_S, Desk, Ended, Line
from app.cluster.start import Reach, running
from app.together import LOST, STOPPED
from db.errors import Broken, LostPeer

LOSSES = 3  # workers that may be lost before the command gives up
GRACE_S = 30.0  # for the first rank to say why, once another one has failed
PATIENCE_S = 6 * 3600  # the first rank may be reading pictures
Told = Callable[[str, int, int], None]  # what is going on, done, of
Stopped = Callable[[], bool]
Work = Callable[[Told, Stopped], int]  # the exit code, having said why


@dataclass(frozen=True)
class Workers:
    """Workers of Ray that train together. scratch: a folder that all of them see, for Ray's own notes."""

    reach: Reach
    scratch: Path

    def do(self, work: Work, told: Told, stopped: Stopped) -> Ended:
        """Do the work in all of them; how the first one ended. Raises: Broken where too many workers were lost."""
        with running(self.reach) as has:
            try:
                return self._watched(work, bool(has.get("GPU")), told, stopped)
            finally:
                shutil.rmtree(self.scratch, ignore_errors=True)

    def _watched(self, work: Work, gpu: bool, told: Told, stopped: Stopped) -> Ended:
        """Pass on what the workers say, and the wish to stop, until they have ended."""
        import ray

        desk: Any = ray.remote(num_cpus=0)(Desk).remote()
        fit = _Fit(self._trainer(work, desk, gpu))
        told(f"waiting for {self.reach.count} workers of Ray", 0, 1)
        failed_at = None
        while True:
            over = not fit.is_alive()
            said, ended, _ = ray.get(desk.look.remote(stopped()))
            if said is not None:
                told(*said)
            failed = [how for how in ended.values() if how.code not in (0, STOPPED, LOST)]
            failed_at = (failed_at or time.monotonic()) if failed else None
            if failed and (0 in ended or time.monotonic() - (failed_at or 0) > GRACE_S):
                return failed[0] if ended.get(0, failed[0]).code == LOST else ended.get(0, failed[0])
            if over:
                return self._ending(fit, ended)
            fit.join(LOOK_S)

    def _ending(self, fit: "_Fit", ended: Mapping[int, Ended]) -> Ended:
        if fit.error is None and 0 in ended:
            return ended[0]
        raise Broken(
            f"workers of Ray were lost {LOSSES + 1} times or could not start ({_cause(fit.error)}). The same command "
            "goes on from the last state."
        ) from fit.error

    def _trainer(self, work: Work, desk: Any, gpu: bool) -> Any:
        from ray.train import FailureConfig, RunConfig, ScalingConfig
        from ray.train.torch import TorchConfig, TorchTrainer

        job = {"work": work, "desk": desk, "threads": os.environ.get("OMP_NUM_THREADS")}
        return TorchTrainer(
            worker,
            train_loop_config=job,
            torch_config=TorchConfig(backend="nccl" if gpu else "gloo", timeout_s=PATIENCE_S),
            scaling_config=ScalingConfig(num_workers=self.reach.count, use_gpu=gpu),
            run_config=RunConfig(
                name=uuid4().hex, storage_path=str(self.scratch), failure_config=FailureConfig(max_failures=LOSSES)
            ),
        )


class _Fit(threading.Thread):
    """Ray's own loop, beside ours. error: why it ended, or None."""

    def __init__(self, trainer: Any) -> None:
        super().__init__(name="ray-train", daemon=True)
        self.trainer = trainer
        self.error: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            self.trainer.fit()
        except Exception as error:
            self.error = error


def worker(job: Mapping[str, Any]) -> None:
    """What each worker of Ray runs. Raises: LostPeer where another one ended, so that Ray starts all of them anew."""
    import ray

    rank = int(os.environ["RANK"])
    if job["threads"] is None:
        os.environ.pop("OMP_NUM_THREADS", None)  # Ray's guess; `trainer.ranks` knows better
    logging.getLogger().setLevel(logging.WARNING)  # as in any process of ours
    ray.get(job["desk"].begin.remote(rank))
    out, err = StringIO(), StringIO()
    with Line(job["desk"]) as line, redirect_stdout(out), redirect_stderr(err):
        code = job["work"](line.told, line.stopped)
    ray.get(job["desk"].end.remote(rank, Ended(code, out.getvalue(), err.getvalue())))
    if code == LOST:
        raise LostPeer("another worker of Ray ended.")


def _cause(error: Exception | None) -> str:
    """The last words of a failure in one line."""
    within: Any = getattr(error, "worker_failures", None) or {0: error}
    lines = str(next(iter(within.values()))).strip().splitlines() or ["no further words"]
    return lines[-1].strip().rstrip(".")[:200]
