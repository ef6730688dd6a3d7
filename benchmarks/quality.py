"""How far the figures of the Quality screen can be trusted: intervals, error rates, answers still needed, forecasts.

    python -m benchmarks.quality [--sets digits trashnet fashion] [--noise 0 0.1 0.02+0.1+0.2] [--seeds 20 24]
    python -m benchmarks.quality --report

Plays logs, measures what was not measured yet (`quality_intervals`, `quality_forecasts`; rows are appended under
benchmarks/results/) and writes docs/benchmarks/quality.md. `--report` only writes the page.
"""

import argparse
from pathlib import Path
from typing import Any

from benchmarks import quality_forecasts, quality_intervals
from benchmarks.label_efficiency import sets
from benchmarks.quality_intervals import NEAR, NOISES, SEEDS, kept
from oracle.forecast import BETTER, FAR, WORSE

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks" / "quality.md"


def arguments() -> argparse.ArgumentParser:
    """What both parts are told."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=["digits", "trashnet", "fashion"])
    parser.add_argument("--noise", nargs="+", default=NOISES, help="share of wrong answers; of several people A+B+C")
    parser.add_argument("--seeds", type=int, nargs=2, default=SEEDS, help="the first, and the one after the last")
    parser.add_argument("--items", type=int, default=700, help="items of a set that one seed sees")
    parser.add_argument("--logs", type=Path, default=sets.CACHE / "quality", help="where played logs are kept")
    parser.add_argument("--features", type=Path, help="folder with NAME.npz features of photographs")
    parser.add_argument("--report", action="store_true", help="write the page again, measure nothing")
    return parser


def page(intervals: list[dict[str, Any]], forecasts: list[dict[str, Any]]) -> str:
    """The report as docs/benchmarks/quality.md."""
    rows = [*intervals, *forecasts]
    fresh = [row for row in intervals if row["seed"] >= SEEDS[0]]
    judged = [row for row in forecasts if row["seed"] not in quality_forecasts.CHOSEN]
    chosen = [row for row in forecasts if row["seed"] in quality_forecasts.CHOSEN]
    days = sorted({row["date"] for row in rows})
    several = len({row["seed"] for row in fresh}) > 1
    return TEXT.format(
        how=f"{', '.join(sorted({row['machine'] for row in rows}))}; {' to '.join(dict.fromkeys((days[0], days[-1])))}",
        seeds=_listed(fresh), count=len(fresh), fresh=quality_intervals.table(fresh, apart=several),
        people=quality_intervals.people_table(fresh),
        usual=quality_intervals.table([row for row in intervals if row["seed"] < SEEDS[0]]),
        worse=WORSE, better=BETTER, far=f"{FAR:.0f}", near=NEAR, chosen=_listed(chosen), judged=_listed(judged),
        best="{:g} and {:g}".format(*quality_forecasts.best_factors(chosen)),
        plans="; ".join(f"{row[0]}: {row[1]}" for row in _plans(forecasts)),
        bands=quality_forecasts.table(judged), before=quality_forecasts.table(chosen, apart=False),
        target=f"{100 * quality_forecasts.TARGET:.0f} %",
        needs=quality_forecasts.need_table([row for row in judged if "points" in row]),
    )  # fmt: skip


def _listed(rows: list[dict[str, Any]]) -> str:
    return ", ".join(map(str, sorted({row["seed"] for row in rows})))


def _plans(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Seeds by the plan they were played with."""
    plans = sorted({row["plan"] for row in rows})
    return [(f"seed {_listed([row for row in rows if row['plan'] == plan])}", plan) for plan in plans]


TEXT = """# How far the Quality screen can be trusted

    python -m benchmarks.quality

The default rule asks, scripted oracles answer, wrong now and then, five screens at a time as in the program; every seed
sees its own 700 items of a set. The truth of the partition is then compared with what the screen says of it
({how}).

## Pair precision, recall and F1

Seed {seeds}, on which no constant was chosen: {count} estimates, after 50, 100 and 200 screens of each log; those of
one log are not independent. *Held of 90 %*: share of the 90 % intervals that hold the truth. *Width*: of the 90 %
intervals. *Wrong*: share of wrong answers; three figures are three people who answer in turn.

{fresh}

The same on seeds 0 to 19, where the constants of the estimators were chosen (measured before unasked items leant to the
groups of their start clusters):

{usual}

## How often everybody is wrong

Estimate and 90 % interval by person, after 50, 100 and 200 screens of seed {seeds}; within {near} of the interval
counts as held.

{people}

## Forecasts

Foretold after 50 and after 100 screens, and compared with what the very log then did. The *draws* are what the played
truths do, from the worst to the best. They share one belief and one error rate, and are wrong together, so the band
shown is wider: 1 - F1 at its lower end times {worse}, at its upper end times {better}, both growing over the first
{far} screens. This form was found while looking at seeds 0 to 5; the factors have the best interval score (of those
tried: {best}) on seeds {chosen}; here are seeds
{judged}. Played with: {plans}.

{bands}

On the seeds they were chosen on:

{before}

## Answers still needed

Screens to a pair F1 of {target}, by the forecast and by the pace of the last answers (shown while there is no fresh
forecast), against what the log did up to its 200th screen. *A number*: it said one. *Interval holds*: what happened
lies in it, or what did not happen lies beyond what was played. Only few forecasts were kept in full so far.

{needs}
"""


def main() -> None:
    given = arguments().parse_args()
    if not given.report:
        quality_intervals.measure(given)
        quality_forecasts.measure(given)
    PAGE.write_text(page(kept(quality_intervals.FILE), kept(quality_forecasts.FILE)), encoding="utf-8")


if __name__ == "__main__":
    main()
