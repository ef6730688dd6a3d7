"""How forecasts compare with what then happened, on logs the real loop made. Run by `benchmarks.quality`.

From the state after 50 and after 100 screens the next ones are foretold, to 200 in all, and compared with the pair F1
that the very log reached (`quality_logs`). Kept is the band of the draws alone, so that what widens it
can be judged. Appended to benchmarks/results/quality_forecasts.jsonl; what is there is not measured again.
"""

import time
from collections import defaultdict
from typing import Any

import numpy as np

from benchmarks._report import RESULTS
from benchmarks.label_efficiency import sets
from benchmarks.quality_intervals import SLACK, in_words, keep, kept, logs
from benchmarks.quality_logs import EVERY, Log, log
from oracle.forecast import FAR, LEVEL, NEARLY, Plan, Point, forecast, needed, widened
from oracle.measuring import beginning
from oracle.measuring import measure as measured

FILE = RESULTS / "quality_forecasts.jsonl"
CHOSEN = (0, 2, 4)  # seeds on which the factors of the band were chosen
BEGUN, LAST, AHEAD, TARGET = (50, 100), 200, (0, 50, 100, 150), 0.9


def foretold(one: Log, screens: int) -> dict[str, Any]:
    """Forecast and reality at every distance; screens to the target, foretold and real."""
    said, began = one.until(screens), time.process_time()
    start = beginning(one.snapshot, said)
    plan = Plan(screens=LAST - screens, error=min(start.error.mean, 0.49), target=TARGET, wider=False)
    found = forecast(one.snapshot, said, plan, f1=start.f1, graph=start.build)
    at = [point.screens for point in found.points]
    ahead = {}
    for more in AHEAD:
        if screens + more <= LAST:
            low, f1, high = (float(np.interp(more, at, [getattr(p, name) for p in found.points]))
                             for name in ("low", "f1", "high"))  # fmt: skip
            ahead[str(more)] = {"low": low, "f1": f1, "high": high, "real": _real(one, screens + more)}
    need = {"screens": found.need.screens, "low": found.need.low, "high": found.need.high}
    points = [(p.screens, round(p.low, 5), round(p.f1, 5), round(p.high, 5)) for p in found.points]
    guess = measured(one.snapshot, said, target=TARGET).needed
    return {
        "plan": f"{plan.draws} draws, {plan.batch} at once",
        "ahead": ahead,
        "need": need,
        "pace": {"screens": guess.value, "low": guess.low, "high": guess.high},
        "points": points,
        "reached": _reached(one, screens),
        "cpu_s": time.process_time() - began,
    }


def _real(one: Log, screens: int) -> float:
    """The F1 then; a log that ended earlier stays where it ended."""
    return one.track[max(at for at in one.track if at <= screens)]["f1"]


def _reached(one: Log, screens: int) -> int | None:
    """After how many more screens the F1 was at the target for good, to ten screens."""
    below = [at for at, found in one.track.items() if found["f1"] < TARGET]
    after = [at for at in sorted(one.track) if at > max(below, default=-1)]
    return max(after[0] - screens, 0) if after else None


def table(rows: list[dict[str, Any]], *, apart: bool = True) -> str:
    """Bands and their middle against reality, by noise and distance, as Markdown. apart: by set, too."""
    groups: dict[tuple[str, int, str], list[dict[str, float]]] = defaultdict(list)
    for row in rows:
        for more, found in row["ahead"].items():
            for name in ("all", row["set"])[: 1 + apart]:
                groups[row["noise"], int(more), name].append(found)
    lines = ["| wrong | screens ahead | set | forecasts | F1 then | off by | forecast - F1 | held by the draws | "
             "held by the band of 80 % | its width |", "|---" * 10 + "|"]  # fmt: skip
    for (noise, more, name), found in sorted(groups.items()):
        low, f1, high, real = (np.array([one[key] for one in found]) for key in ("low", "f1", "high", "real"))
        wider = np.array([widened(one, other, more) for one, other in zip(low, high, strict=True)])
        held = [np.mean((a - SLACK <= real) & (real <= b + SLACK)) for a, b in ((low, high), wider.T)]
        gap = f1 - real
        numbers = [real.mean(), np.abs(gap).mean(), gap.mean(), *held, np.ptp(wider, axis=1).mean()]
        cells = " | ".join(f"{one:.2f}" for one in numbers)
        lines.append(f"| {in_words(noise)} | {more} | {name} | {len(found)} | {cells} |")
    return "\n".join(lines)


def best_factors(rows: list[dict[str, Any]]) -> tuple[float, float]:
    """The factors of `oracle.forecast.widened` whose bands have the best interval score, to a twentieth.

        score = width + 2 / (1 - LEVEL) x how far what came lies outside

    Source: Gneiting and Raftery 2007, "Strictly proper scoring rules, prediction, and estimation", equation 43.
    """
    found = [(one, int(more)) for row in rows for more, one in row["ahead"].items() if more != "0"]
    low, high, real = np.array([[one[key] for one, _ in found] for key in ("low", "high", "real")])
    far = np.minimum(np.array([more for _, more in found]) / FAR, 1.0)

    def score(factors: tuple[float, float]) -> float:
        least, most = np.maximum(1 - (1 - low) * factors[0] ** far, 0.0), 1 - (1 - high) * factors[1] ** far
        most = np.where(most > NEARLY, 1.0, most)
        outside = np.maximum(least - real, 0) + np.maximum(real - most, 0)
        return float((most - least + 2 / (1 - LEVEL) * outside).mean())

    tried = [(round(1 + 0.05 * a, 2), round(0.05 * b, 2)) for a in range(21) for b in range(2, 21)]
    return min(tried, key=score)


def need_table(rows: list[dict[str, Any]]) -> str:
    """Screens to the target against reality, by the forecast and by the pace of the last answers, as Markdown."""
    lines = ["| wrong | by | estimates | a number | it was reached | off by, screens | interval holds |"]
    lines.append("|---" * 7 + "|")
    for noise in sorted({row["noise"] for row in rows}):
        some = [row for row in rows if row["noise"] == noise]
        for name, of in (("forecast, band of 80 %", _foretold), ("pace of the last answers, 90 %", _paced)):
            found = [(*of(row), row["reached"], LAST - row["screens"]) for row in some]
            off = [abs(value - real) for value, _, _, real, _ in found if value is not None and real is not None]
            held = np.mean([_within(low, high, real, played) for _, low, high, real, played in found])
            known = sum(value is not None for value, *_ in found), sum(real is not None for *_, real, _ in found)
            middle = f"{np.median(off):.0f}" if off else ""
            lines.append(
                f"| {in_words(noise)} | {name} | {len(found)} | {known[0]} | {known[1]} | {middle} | {held:.2f} |"
            )
    return "\n".join(lines)


Bounds = tuple[float | None, float | None, float | None]  # value, low, high


def _foretold(row: dict[str, Any]) -> Bounds:
    """As the program would say it: by the widened band."""
    points = [Point(at, 0.0, f1, *widened(low, high, at)) for at, low, f1, high in row["points"]]
    found = needed(points, TARGET, 0)
    return found.screens, found.low, found.high


def _paced(row: dict[str, Any]) -> Bounds:
    return row["pace"]["screens"], row["pace"]["low"], row["pace"]["high"]


def _within(low: float | None, high: float | None, real: int | None, played: int) -> bool:
    """Whether an interval of screens holds what happened, to the ten screens a track knows. low None: not within what
    was played; high None: no end. real None: not reached in `played` screens."""
    least = played if low is None else low
    if real is None:
        return high is None or high >= played
    return least - EVERY <= real and (high is None or real <= high + EVERY)


def measure(given: Any) -> None:
    """Every log that was not measured yet; those of several people are left out."""
    done, data = {(row["set"], row["noise"], row["seed"], row["screens"]) for row in kept(FILE)}, {}
    for name, noise, seed in logs(given):
        for screens in BEGUN:
            if "+" in noise or (name, noise, seed, screens) in done:
                continue
            if name not in data:
                data[name] = sets.load(name, sets.Folders(features=given.features))
            one = log(data[name], noise, seed, LAST, given.items, given.logs)
            keep(FILE, {"set": name, "noise": noise, "seed": seed, "screens": screens, **foretold(one, screens)})
