"""How forecasts compare with what then happened, on logs the real loop made.

    python -m benchmarks.quality_forecasts [--sets trashnet fashion] [--noise 0 0.1] [--seeds 6]
    python -m benchmarks.quality_forecasts --table

From the state after 50 and after 100 screens the next ones are foretold, to 200 in all, and compared with the pair F1
that the very log reached (`quality_logs`). Appended to benchmarks/results/quality_forecasts.jsonl; what is there is not
measured again.
"""

import json
import time
from collections import defaultdict
from typing import Any

import numpy as np

from benchmarks._report import RESULTS
from benchmarks.label_efficiency import sets
from benchmarks.quality_intervals import SLACK, arguments, kept, logs
from benchmarks.quality_logs import Log, log
from oracle.forecast import Plan, forecast
from oracle.measuring import beginning

FILE = RESULTS / "quality_forecasts.jsonl"
BEGUN, LAST, AHEAD, TARGET = (50, 100), 200, (0, 50, 100, 150), 0.9


def foretold(one: Log, screens: int) -> dict[str, Any]:
    """Forecast and reality at every distance; screens to the target, foretold and real."""
    said, began = one.until(screens), time.process_time()
    start = beginning(one.snapshot, said)
    plan = Plan(screens=LAST - screens, error=min(start.error.mean, 0.49), target=TARGET)
    found = forecast(one.snapshot, said, plan, f1=start.f1, graph=start.build)
    at = [point.screens for point in found.points]
    ahead = {}
    for more in AHEAD:
        if screens + more <= LAST:
            low, f1, high = (float(np.interp(more, at, [getattr(p, name) for p in found.points]))
                             for name in ("low", "f1", "high"))  # fmt: skip
            ahead[str(more)] = {"low": low, "f1": f1, "high": high, "real": _real(one, screens + more)}
    need = {"screens": found.need.screens, "low": found.need.low, "high": found.need.high}
    return {"ahead": ahead, "need": need, "reached": _reached(one, screens), "cpu_s": time.process_time() - began}


def _real(one: Log, screens: int) -> float:
    """The F1 then; a log that ended earlier stays where it ended."""
    return one.track[max(at for at in one.track if at <= screens)]["f1"]


def _reached(one: Log, screens: int) -> int | None:
    """After how many more screens the F1 was at the target for good, to ten screens."""
    below = [at for at, found in one.track.items() if found["f1"] < TARGET]
    after = [at for at in sorted(one.track) if at > max(below, default=-1)]
    return max(after[0] - screens, 0) if after else None


def table(rows: list[dict[str, Any]]) -> str:
    """Bands and their middle against reality, by distance, as Markdown."""
    groups: dict[tuple[str, float, int], list[dict[str, float]]] = defaultdict(list)
    for row in rows:
        for more, found in row["ahead"].items():
            for name in ("all", row["set"]):
                groups[name, row["noise"], int(more)].append(found)
    lines = [
        "| set | wrong | screens ahead | forecasts | F1 then | within 80 % band | width | off by | forecast - F1 |"
    ]
    lines.append("|---" * 9 + "|")
    for (name, noise, more), found in sorted(groups.items()):
        low, f1, high, real = (np.array([one[key] for one in found]) for key in ("low", "f1", "high", "real"))
        held = np.mean((low - SLACK <= real) & (real <= high + SLACK))
        numbers = [real.mean(), held, (high - low).mean(), np.abs(f1 - real).mean(), (f1 - real).mean()]
        cells = " | ".join(f"{one:.3f}" for one in numbers)
        lines.append(f"| {name} | {100 * noise:.0f} % | {more} | {len(found)} | {cells} |")
    return "\n".join(lines)


def main() -> None:
    parser = arguments(__doc__)
    parser.set_defaults(sets=["trashnet", "fashion"], seeds=6)
    given, rows = parser.parse_args(), kept(FILE)
    if given.table:
        print(table(rows))
        return
    done, data = {(row["set"], row["noise"], row["seed"], row["screens"]) for row in rows}, {}
    for name, noise, seed in logs(given):
        for screens in BEGUN:
            if (name, noise, seed, screens) in done:
                continue
            if name not in data:
                data[name] = sets.load(name, sets.Folders(features=given.features))
            one = log(data[name], noise, seed, LAST, given.items, given.logs)
            row = {"set": name, "noise": noise, "seed": seed, "screens": screens, **foretold(one, screens)}
            print(row, flush=True)
            with FILE.open("a", encoding="utf-8") as out:
                out.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
