"""How far a number of answers would get: play them through, with what is believed now as the hidden truth.

    belief -> several drawn truths -> for each: ask (default rule) -> answer (scripted, wrong now and then) -> F1 by n

The truths are as far from the current groups as the audits say (`oracle.truths`); where labels are known they are the
truth. Draws alone are much too sure of themselves: the band is theirs, widened by what forecasts were found to be off
(`widened`, docs/benchmarks/quality.md). The embedding stays as it is, so what learning would add comes on top.

At scale a subsample plays: the items asked about first, then others by chance; the result says so.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from db.errors import BadInput
from db.nouns import Answer, PairVerdict, Question, Snapshot, Statement, Verdict
from oracle import plugins, timing
from oracle.belief import Belief, infer
from oracle.constraints import ConstraintGraph
from oracle.holdout import adopt, grown
from oracle.quality import Estimate
from oracle.truths import draw, known, pair_f1, subsample

SOURCE = "forecast"
LEVEL = 0.8  # of what may come within the band
WORSE, BETTER, FAR = 1.35, 0.35, 50.0  # factors of 1 - F1 at the band's ends, in full from so many screens on
NEARLY = 0.99  # a band that ends above reaches 1


@dataclass(frozen=True)
class Plan:
    """screens: how many to play. draws: truths. batch: screens proposed at once. most_items: more are subsampled.

    target: pair F1 to reach. error: share of wrong answers, in [0, 0.5). pace: real seconds by modelled seconds.
    wider: the band holds what forecasts were found to be off, too; else the draws alone.
    """

    screens: int = 200
    draws: int = 5
    batch: int = 10
    most_items: int = 1500
    target: float = 0.95
    error: float = 0.05
    pace: float = 1.0
    wider: bool = True
    acquisition: str = "mixed"
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("screens", "draws", "batch"):
            if getattr(self, name) < 1:
                raise BadInput(f"{name} = a number above 0 expected, got {getattr(self, name)}. Try the default.")
        if not 0 < self.target < 1:
            raise BadInput(f"target = a pair F1 between 0 and 1 expected, got {self.target}. Try 0.95.")
        if not 0 <= self.error < 0.5:
            raise BadInput(f"error = a share from 0 to below 0.5 expected, got {self.error}. Try 0.05.")


@dataclass(frozen=True)
class Point:
    """After `screens` more answers, taking `seconds`: the median pair F1 over the draws, and its 80 % band."""

    screens: int
    seconds: float
    f1: float
    low: float
    high: float


@dataclass(frozen=True)
class Need:
    """Screens and seconds to the target: where the middle and the ends of the band reach it; None where they do not.

    reached: draws that end there.
    """

    screens: float | None
    low: float | None
    high: float | None
    seconds: float | None
    reached: int


@dataclass(frozen=True)
class Forecast:
    """items: how many played, of how many. draws: truths played to the end. stopped: ended early. words: in short."""

    points: tuple[Point, ...]
    need: Need
    target: float
    error: float
    items: int
    of_items: int
    draws: int
    stopped: bool
    words: str


@dataclass
class _Run:
    """One truth being played: (screens, seconds, F1) at every checkpoint."""

    track: list[tuple[int, float, float]]


def forecast(
    snapshot: Snapshot,
    said: Sequence[Statement],
    plan: Plan | None = None,
    *,
    labels: Mapping[int, Any] | None = None,
    f1: Estimate | None = None,
    told: Callable[[int, int], object] = lambda *_: None,
    stopped: Callable[[], bool] = lambda: False,
    graph: Callable[[Sequence[Statement]], ConstraintGraph] = ConstraintGraph.build,
) -> Forecast:
    """Play the plan. told: called with (screens played, of how many).

    labels: true group by item id, where known. f1: what the audits say of the current partition; the drawn truths are
    that far from it, each somewhere in the interval; unknown: anywhere the belief allows.

    Raises: BadInput where fewer than three items are there, or the plan was stopped before one draw was through.
    """
    plan = plan or Plan()
    if len(snapshot.ids) < 3:
        raise BadInput(f"a forecast needs at least 3 items, got {len(snapshot.ids)}. Import more pictures.")
    small = subsample(snapshot, said, plan.most_items, plan.seed)
    kept = [one for one in said if one.a in small.position and one.b in small.position]
    ledger = graph([])
    belief = grown(small, kept, ledger)
    rule = plugins.load("oracle.acquisition", plan.acquisition, seed=plan.seed)
    runs: list[_Run] = []
    for number in range(plan.draws):
        drawn = _drawn(belief, ledger, f1, (number + 0.5) / plan.draws, [plan.seed, number])
        truth = known(small, drawn, labels or {})
        share = partial(_told, told, number * plan.screens, plan.draws * plan.screens)
        again, seeded = _again(graph(kept), belief), replace(plan, seed=plan.seed + number)
        run = _play(small, again, rule, truth, seeded, share, stopped)
        if run is None:
            break
        runs.append(run)
    if not runs:
        raise BadInput("the forecast was stopped before it had played one draw through. Ask for fewer screens.")
    plan = replace(plan, wider=plan.wider and not labels)  # where the truth is known, nothing is drawn
    return _summary(runs, plan, len(small.ids), len(snapshot.ids))


def _again(graph: ConstraintGraph, belief: Belief) -> ConstraintGraph:
    """A new graph of the same log, to play on from what is believed now."""
    adopt(graph, belief)
    return graph


def _told(told: Callable[[int, int], object], base: int, total: int, done: int) -> None:
    told(base + done, total)


def _drawn(belief: Belief, graph: ConstraintGraph, f1: Estimate | None, level: float, seed: list[int]) -> np.ndarray:
    """(N,) a truth as far from the current groups as the audits say; where they say nothing, anywhere between the
    groups themselves and what the belief fears. level: in [0, 1], how near this draw is."""
    goal = _start(f1, level)
    if goal is None:
        feared = pair_f1(draw(belief, graph, np.random.default_rng(seed)), belief.labels)
        goal = feared + (1 - feared) * level
    return draw(belief, graph, np.random.default_rng(seed), goal)


def _start(f1: Estimate | None, level: float) -> float | None:
    """The F1 a draw starts from: its interval's ends and middle, joined by straight lines. level: in [0, 1]."""
    if f1 is None or f1.value is None or f1.low is None or f1.high is None:
        return None
    return float(np.interp(level, [0.05, 0.5, 0.95], [f1.low, f1.value, f1.high]))


def _play(
    snapshot: Snapshot,
    graph: ConstraintGraph,
    rule: Any,
    truth: np.ndarray,
    plan: Plan,
    told: Callable[[int], object],
    stopped: Callable[[], bool],
) -> _Run | None:
    """Ask and answer until the screens are used up or nothing is left to ask; None if stopped."""
    rng = np.random.default_rng([plan.seed, 7])
    event = max((one.answer for one in graph.statements), default=0)
    done, seconds = 0, 0.0
    run = _Run([(0, 0.0, pair_f1(truth, infer(snapshot, graph).labels))])
    while done < plan.screens:
        if stopped():
            return None
        asked = rule.propose(snapshot, graph, min(plan.batch, plan.screens - done))
        if not asked:
            break
        for one in asked:
            event, done = event + 1, done + 1
            said = _answer(one, snapshot, truth, plan.error, rng)
            seconds += plan.pace * timing.seconds(one, said)
            graph.update(_statements(one, said, event))
        run.track.append((done, seconds, pair_f1(truth, infer(snapshot, graph).labels)))
        told(done)
    return run


def _answer(asked: Question, snapshot: Snapshot, truth: np.ndarray, error: float, rng: np.random.Generator) -> Answer:
    """What somebody who knows this truth says, each verdict wrong by chance."""
    said = []
    for a, b in asked.pairs():
        same = bool(truth[snapshot.position[a]] == truth[snapshot.position[b]]) ^ bool(rng.random() < error)
        said.append(PairVerdict(a, b, Verdict.SAME if same else Verdict.DIFFERENT))
    return Answer(0, tuple(said), SOURCE, "")


def _statements(asked: Question, said: Answer, event: int) -> list[Statement]:
    return [
        Statement(event, one.a, one.b, one.verdict, SOURCE, audit=asked.audit, probability=asked.probability)
        for one in said.verdicts
    ]


def _summary(runs: Sequence[_Run], plan: Plan, items: int, of_items: int) -> Forecast:
    steps = sorted({at for run in runs for at, _, _ in run.track})
    tracks = [np.array(run.track) for run in runs]  # (checkpoints, 3) each
    table = np.array([np.interp(steps, track[:, 0], track[:, 2]) for track in tracks])  # (draws, steps) F1
    times = np.array([np.interp(steps, track[:, 0], track[:, 1]) for track in tracks]).mean(0)  # (steps,)
    points = tuple(
        _point(at, round(float(time), 1), column, wider=plan.wider)
        for at, time, column in zip(steps, times, table.T, strict=True)
    )
    need = needed(points, plan.target, int((table[:, -1] >= plan.target).sum()))
    words = in_words(need, plan, points[-1])
    return Forecast(points, need, plan.target, plan.error, items, of_items, len(runs), len(runs) < plan.draws, words)


def _point(screens: int, seconds: float, values: np.ndarray, *, wider: bool) -> Point:
    """Median and band of what the draws reach; draw k of n stands for the share (k - 1/2) / n."""
    low, f1, high = np.quantile(values, [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2], method="hazen").tolist()
    return Point(int(screens), seconds, f1, *(widened(low, high, screens) if wider else (low, high)))


def widened(low: float, high: float, screens: int) -> tuple[float, float]:
    """A band of draws so many screens ahead, with as much on either side as forecasts were found to be off.

        1 - low grows by WORSE**far, 1 - high shrinks by BETTER**far, far = min(screens / FAR, 1)

    Draws share one belief, one error rate and one rule of asking, and are wrong together: their own band held a third
    of what came. The factors were chosen on some seeds and judged on others (docs/benchmarks/quality.md).
    """
    far = min(screens / FAR, 1.0)
    low, high = 1 - (1 - low) * WORSE**far, 1 - (1 - high) * BETTER**far
    return max(low, 0.0), 1.0 if far and high > NEARLY else high


def needed(points: Sequence[Point], target: float, reached: int) -> Need:
    """Where the middle and the ends of the band reach the target for good, as far as it was played."""
    likely, best, worst = (_reach(points, [getattr(p, name) for p in points], target) for name in ("f1", "high", "low"))
    screens, seconds = likely or (None, None)
    return Need(screens, best and best[0], worst and worst[0], seconds, reached)


def _reach(points: Sequence[Point], f1: Sequence[float], target: float) -> tuple[float, float] | None:
    """(screens, seconds) after which the F1 stays at the target, between checkpoints by a straight line."""
    below = [place for place, one in enumerate(f1) if one < target]
    if not below:
        return 0.0, 0.0
    if below[-1] + 1 >= len(f1):
        return None
    one, other = points[below[-1]], points[below[-1] + 1]
    part = (target - f1[below[-1]]) / (f1[below[-1] + 1] - f1[below[-1]])
    return one.screens + part * (other.screens - one.screens), one.seconds + part * (other.seconds - one.seconds)


def in_words(need: Need, plan: Plan, last: Point) -> str:
    """The forecast in a sentence or two."""
    goal = f"a pair F1 of {_percent(plan.target)}"
    if need.screens is None:
        band = f"{100 * last.low:.0f} to {_percent(last.high)}"
        far = f"{last.screens} more screens would get to about {_percent(last.f1)} ({band})"
        return f"{goal[0].upper()}{goal[1:]} is further off: {far}."
    if need.screens < 0.5:
        return f"{goal[0].upper()}{goal[1:]} is probably reached already."
    to = f"to {need.high:.0f}" if need.high is not None else f"to more than {plan.screens}"
    minutes = max(1, round((need.seconds or 0.0) / 60))
    about = "minute" if minutes == 1 else "minutes"
    person = f"about {minutes} {about} of a person"
    return f"To reach {goal} you need about {need.screens:.0f} more screens ({need.low or 0:.0f} {to}), {person}."


def _percent(share: float) -> str:
    text = f"{100 * share:.1f}".removesuffix(".0") if share > 0.985 else f"{100 * share:.0f}"
    return f"{text} %"
