"""How far a number of answers would get: play them through, with what is believed now as the hidden truth.

    belief -> several drawn truths -> for each: ask (default rule) -> answer (scripted, wrong now and then) -> F1 by n

The truths are as far from the current groups as the audits say (`oracle.truths`); where labels are known they are the
truth. The embedding stays as it is, so what learning would add comes on top.

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
LEVEL = 0.8  # of the draws within the band


@dataclass(frozen=True)
class Plan:
    """screens: how many to play. draws: truths. batch: screens proposed at once. most_items: more are subsampled.

    target: pair F1 to reach. error: share of wrong answers, in [0, 0.5). pace: real seconds by modelled seconds.
    """

    screens: int = 200
    draws: int = 5
    batch: int = 10
    most_items: int = 1500
    target: float = 0.95
    error: float = 0.05
    pace: float = 1.0
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
    """After `screens` more answers, taking `seconds`: the median pair F1 over the draws, and the band they lie in."""

    screens: int
    seconds: float
    f1: float
    low: float
    high: float


@dataclass(frozen=True)
class Need:
    """Screens and seconds to the target: median and band over the draws that reach it; None where they do not."""

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
    return _summary(runs, plan, len(small.ids), len(snapshot.ids), stopped=len(runs) < plan.draws)


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


def _summary(runs: Sequence[_Run], plan: Plan, items: int, of_items: int, *, stopped: bool) -> Forecast:
    steps = sorted({at for run in runs for at, _, _ in run.track})
    tracks = [np.array(run.track) for run in runs]  # (checkpoints, 3) each
    table = np.array([np.interp(steps, track[:, 0], track[:, 2]) for track in tracks])  # (draws, steps) F1
    times = np.array([np.interp(steps, track[:, 0], track[:, 1]) for track in tracks]).mean(0)  # (steps,)
    bands = [_band(column) for column in table.T]
    middle = np.median(table, axis=0)
    points = tuple(
        Point(int(at), round(float(time), 1), float(f1), *band)
        for at, time, f1, band in zip(steps, times, middle, bands, strict=True)
    )
    need = _need(runs, plan)
    words = in_words(need, plan, len(runs), points[-1])
    return Forecast(points, need, plan.target, plan.error, items, of_items, len(runs), stopped, words)


def _band(values: np.ndarray) -> tuple[float, float]:
    """The middle LEVEL of what the draws reach; draw k of n stands for the share (k - 1/2) / n."""
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], method="hazen")
    return float(low), float(high)


def _need(runs: Sequence[_Run], plan: Plan) -> Need:
    """When each draw reaches the target for good, as far as it was played."""
    found = [hit for run in runs if (hit := _reach(run, plan.target)) is not None]
    if len(found) * 2 <= len(runs):  # less than half: the median is beyond what was played
        low = min((screens for screens, _ in found), default=None)
        return Need(None, low, None, None, len(found))
    screens = np.sort([screens for screens, _ in found] + [np.inf] * (len(runs) - len(found)))
    seconds = np.sort([seconds for _, seconds in found])
    middle = (len(runs) - 1) // 2
    high = None if len(found) < len(runs) else float(screens[-1])
    return Need(float(screens[middle]), float(screens[0]), high, float(seconds[middle]), len(found))


def _reach(run: _Run, target: float) -> tuple[float, float] | None:
    """(screens, seconds) after which the F1 stays at the target, between checkpoints by a straight line."""
    below = [place for place, (_, _, f1) in enumerate(run.track) if f1 < target]
    if not below:
        return 0.0, 0.0
    if below[-1] + 1 >= len(run.track):
        return None
    (x0, s0, f0), (x1, s1, f1) = run.track[below[-1]], run.track[below[-1] + 1]
    part = (target - f0) / (f1 - f0) if f1 > f0 else 1.0
    return x0 + part * (x1 - x0), s0 + part * (s1 - s0)


def in_words(need: Need, plan: Plan, runs: int, last: Point) -> str:
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
    return f"To reach {goal} you need about {need.screens:.0f} more screens ({need.low:.0f} {to}), {person}."


def _percent(share: float) -> str:
    text = f"{100 * share:.1f}".removesuffix(".0") if share > 0.985 else f"{100 * share:.0f}"
    return f"{text} %"
