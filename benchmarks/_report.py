"""Print what a benchmark measured and keep it, with the machine and the date, under benchmarks/results/."""

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def machine() -> dict[str, Any]:
    """What the numbers depend on. load: runnable processes before the run, over one minute."""
    return {
        "processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "processor": _processor(),
        "load": round(os.getloadavg()[0], 2),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
    }


def keep(name: str, settings: dict[str, Any], measured: dict[str, Any], before: dict[str, Any]) -> Path:
    """Write `benchmarks/results/NAME.json` and print the numbers. before: `machine()` from before the run."""
    date = datetime.now(UTC).strftime("%Y-%m-%d")
    report = {"benchmark": name, "date": date, "settings": settings, "measured": measured, "machine": before}
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=2))
    return path


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
