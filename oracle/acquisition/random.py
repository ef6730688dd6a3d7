"""Ask anything: an anchor and its candidates drawn uniformly. The fair baseline, on the same screen as the default.

Source: random pairs, the baseline of Basu, Banerjee and Mooney 2004 (see explore_consolidate).
"""

from dataclasses import dataclass

from db.nouns import Kind, Question, Snapshot
from oracle.acquisition._screens import Desk, chance_same, generator, question, uniform_screen
from oracle.belief import infer
from oracle.bounds import Count, Whole
from oracle.constraints import ConstraintGraph

REASON = "Drawn by chance, to see how things are on the whole."


@dataclass(frozen=True)
class Acquisition:
    """seed: of the draw. screen: most candidates on one screen."""

    seed: Whole = 0
    screen: Count = 12

    def propose(self, snapshot: Snapshot, graph: ConstraintGraph, n: int, *, criterion: int = 0) -> list[Question]:
        """Up to n screens with the probability of each draw; fewer when hardly a pair is open."""
        return uniform_questions(snapshot, graph, n, criterion, self.seed, self.screen, "random")


def uniform_questions(
    snapshot: Snapshot,
    graph: ConstraintGraph,
    n: int,
    criterion: int,
    seed: int,
    screen: int,
    proposer: str,
    *,
    audit: bool = False,
    share: float = 1.0,
    salt: int = 0,
) -> list[Question]:
    """Uniform screens. share: chance that such a screen is drawn at all; part of the stored probability."""
    desk, rng, belief = Desk(snapshot, graph), generator(seed, graph, salt), infer(snapshot, graph)
    found = []
    for _ in range(n):
        drawn = uniform_screen(desk, rng, screen)
        if drawn is None:
            break
        anchor, rows, probability = drawn
        desk.take(anchor, rows)
        found.append(
            question(
                snapshot,
                Kind.TICK,
                anchor,
                rows,
                criterion=criterion,
                proposer=proposer,
                reason=REASON,
                expected=chance_same(belief, anchor, rows),
                probability=max(probability * share, 1e-300),
                audit=audit,
            )
        )
    return found
