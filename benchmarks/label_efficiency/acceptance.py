"""The arithmetic of the goals, on curves of mean ARI by effort: how few answers reach a level, how far behind, how far
back.

A curve is a dict from effort (screens or verdicts) to mean ARI over the seeds.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Curve = Mapping[int, float]

HALF, FIFTH = 0.5, 0.2  # of a peer's verdicts, of its screens
BEHIND, ABOVE = 0.02, 100  # ARI the best peer may be ahead at any budget above
BACK = 0.02  # ARI that more truthful answers may cost


def reaches(curve: Curve, level: float) -> float:
    """The least effort at which a curve is at `level`, straight lines between its points; infinity where it never is.

    Where the first point is above the level already, its effort: what lies before is not known.
    """
    before: tuple[int, float] | None = None
    for effort, height in sorted(curve.items()):
        if height >= level:
            if before is None:
                return float(effort)
            return before[0] + (effort - before[0]) * (level - before[1]) / (height - before[1])
        before = (effort, height)
    return math.inf


def best_at(curves: Mapping[str, Curve], effort: int) -> str | None:
    """The highest system at this effort; None where none got there."""
    there = {name: curve[effort] for name, curve in curves.items() if effort in curve}
    return max(there, key=lambda name: there[name]) if there else None


def share_needed(ours: Curve, peer: Curve, end: int) -> float:
    """Our effort to reach the peer's ARI at `end`, as a share of `end`."""
    return reaches(ours, peer[end]) / end


def worst_deficit(ours: Curve, peers: Mapping[str, Curve], above: int = ABOVE) -> tuple[float, int] | tuple[None, None]:
    """How far the best peer is ahead at its furthest above this budget, and where; None where no budget is shared.

    Negative: the best peer is behind everywhere.
    """
    gaps = [
        (curve[effort] - ours[effort], effort) for curve in peers.values() for effort in curve
        if effort > above and effort in ours
    ]  # fmt: skip
    return max(gaps, key=lambda gap: gap[0], default=(None, None))


def largest_drop(heights: Sequence[float]) -> float:
    """The most a run falls below what it had before: 0 where it only rises."""
    top, drop = -math.inf, 0.0
    for height in heights:
        top = max(top, height)
        drop = max(drop, top - height)
    return drop


@dataclass(frozen=True)
class Verdict:
    """The goals on one set at one noise. Shares are of the best peer's effort at the end; None: not run.

    drop: of a run with truthful answers, the worst seed; None with lies.
    """

    peer: str
    level: float
    verdicts: float | None
    screens: float | None
    deficit: float | None
    deficit_at: int | None
    drop: float | None

    @property
    def few_verdicts(self) -> bool | None:
        """Half of the peer's verdicts are enough."""
        return None if self.verdicts is None else self.verdicts <= HALF

    @property
    def few_screens(self) -> bool | None:
        """A fifth of the peer's screens is enough."""
        return None if self.screens is None else self.screens <= FIFTH

    @property
    def never_behind(self) -> bool | None:
        """No peer is ahead by more than it may be."""
        return None if self.deficit is None else self.deficit <= BEHIND

    @property
    def never_back(self) -> bool | None:
        """More truthful answers do not cost more than they may."""
        return None if self.drop is None else self.drop <= BACK


def judge(
    pairs: Curve | None, screens: Curve | None, peers: Mapping[str, Curve], drops: Sequence[float], end: int
) -> Verdict | None:
    """pairs: ours by verdicts, one pair a question. screens: ours by screens, every kind of question. drops: largest
    drop of each of our noise-free runs. None where no peer got to `end`."""
    peer = best_at(peers, end)
    if peer is None:
        return None
    deficit, at = worst_deficit(pairs, peers) if pairs else (None, None)
    return Verdict(
        peer=peer,
        level=peers[peer][end],
        verdicts=share_needed(pairs, peers[peer], end) if pairs else None,
        screens=share_needed(screens, peers[peer], end) if screens else None,
        deficit=deficit,
        deficit_at=at,
        drop=max(drops, default=None),
    )
