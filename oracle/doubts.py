"""What may be trusted inside one component: its conflicts, the edges they throw doubt on, and the parts that remain."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from heapq import nsmallest

from oracle.bridges import bridges
from oracle.components import Components, parts
from oracle.conflicts import GRAIN, Conflict, Cut, Cutter, LogOdds, suspected
from oracle.evidence import Evidence, Pair, direction, pair_of

CUTS = 32  # contradictions of one component that get a minimum cut; further ones wait for these to be settled


@dataclass(frozen=True)
class View:
    """One component as it stands.

    contested: pairs with both ends in it about which answers disagree. filed: contradictions that need no second look
    before somebody speaks about their pair again. cutters: how each component was last cut, by number.
    """

    number: int
    evidence: Evidence
    components: Components
    contested: tuple[Pair, ...]
    cap: int
    filed: dict[Pair, Conflict]
    cutters: dict[int, Cutter]

    @cached_property
    def members(self) -> list[int]:
        """Items, sorted."""
        return sorted(self.components.members[self.number])

    @cached_property
    def conflicts(self) -> list[Conflict]:
        """Contradictions inside the component, settled ones too."""
        return find_conflicts(self)

    @cached_property
    def weak(self) -> dict[Pair, int]:
        """Bridges resting on less than two answers, with the size of their smaller side."""
        found = bridges(self.members, self.components.positive)
        return {pair: side for pair, side in found.items() if self.evidence.score(pair) < 2 * self.evidence.margin}

    @cached_property
    def held(self) -> set[Pair]:
        """Weak bridges between two parts of at least `cap` items: they do not join before a second answer."""
        if len(self.components.members[self.number]) < 2 * self.cap:
            return set()
        return {pair for pair, side in self.weak.items() if side >= self.cap}

    @cached_property
    def doubted(self) -> set[Pair]:
        """Pairs that imply nothing for now: suspected in an open conflict, held back, or alone in a muddle."""
        open_ones = [conflict for conflict in self.conflicts if not conflict.settled]
        suspects = self.held.union(*(conflict.suspects for conflict in open_ones))
        return suspects | self.unsupported if len(open_ones) > CUTS else suspects

    @cached_property
    def unsupported(self) -> set[Pair]:
        """Single answers that close no triangle of "same": not to be leant on where contradictions pile up."""
        links, alone = self.components.positive, set()
        for a, b in _edges(self):
            if self.evidence.score((a, b)) < 2 * self.evidence.margin and links[a].isdisjoint(links[b]):
                alone.add((a, b))
        return alone

    @cached_property
    def disputed(self) -> set[Pair]:
        """Pairs whose own answers are contradicted."""
        return {(conflict.a, conflict.b) for conflict in self.conflicts if not conflict.settled}

    @cached_property
    def groups(self) -> list[list[int]]:
        """Items joined by accepted answers, wide weak bridges left out."""
        return parts(self.members, self.components.positive, self.held) if self.held else [self.members]

    @cached_property
    def group_of(self) -> dict[int, int]:
        """Place in `groups` of every item."""
        return {item: place for place, group in enumerate(self.groups) for item in group}

    @cached_property
    def part_of(self) -> Mapping[int, int] | None:
        """Part of every item once doubted pairs are left out; None: all in one part."""
        if not self.doubted:
            return None
        trusted = parts(self.members, self.components.positive, self.doubted)
        return {item: place for place, part in enumerate(trusted) for item in part}

    @cached_property
    def solid_of(self) -> dict[int, int]:
        """Part of every item in which no single answer decides anything; each alone while contradictions are open.

        Left out: what waits for a second answer, pairs lighter than the heaviest answer, and then every bridge that
        falls with one answer.
        """
        if self.components.inside[self.number]:  # the same as disputed then, but found without any cut
            return {item: place for place, item in enumerate(self.members)}
        if self.disputed or any(self.evidence.score((one.a, one.b)) < 0 for one in self.conflicts):
            return {item: place for place, item in enumerate(self.members)}
        links = self.components.positive
        without = self.doubted | {pair for pair in _edges(self) if not self.evidence.solid(pair)}
        for part in parts(self.members, links, without):
            inside = {item: {other for other in links[item] if pair_of(item, other) not in without} for item in part}
            without |= {pair for pair in bridges(part, inside) if not self.evidence.firm(pair)}
        return {item: place for place, part in enumerate(parts(self.members, links, without)) for item in part}


def find_conflicts(view: View, log_odds: LogOdds | None = None) -> list[Conflict]:
    """Every contradiction of one component, by pair. log_odds: the model's opinion, added to each edge."""
    chained = [pair for pair in view.contested if view.evidence.accepted(pair) == 0]
    chained = sorted({*chained, *view.components.inside[view.number]})
    outvoted = [plain_conflict(view.evidence, pair) for pair in view.contested if view.evidence.accepted(pair) > 0]
    if not chained:
        return outvoted

    def weight(edge: Pair) -> float:
        return view.evidence.score(edge) + (log_odds(*edge) if log_odds else 0.0)

    direct = {pair: view.evidence.score(pair) for pair in chained}
    denied = {pair: -weight(pair) for pair in chained} if log_odds else {pair: -nats for pair, nats in direct.items()}
    cutter = Cutter(view.members, {edge: weight(edge) for edge in _edges(view)}, denied)
    if not log_odds:  # what only hangs on to the component since then changes no cut
        known = view.cutters.get(view.number)
        cutter = known if known is not None and known == cutter else cutter
        view.cutters[view.number] = cutter
    strongest = nsmallest(CUTS, chained, key=lambda pair: (direct[pair], pair))
    cuts = {pair: cutter.cut(*pair) for pair in strongest}
    found = [_chained(view, pair, cuts[pair], cutter, weight) for pair in strongest]
    waiting = [view.filed.get(pair) or _waiting(view, pair) for pair in chained if pair not in cuts]
    return sorted([*outvoted, *found, *waiting], key=lambda c: (c.a, c.b))


def plain_conflict(evidence: Evidence, pair: Pair) -> Conflict:
    """Answers about one pair disagree, and no chain joins its ends."""
    agree, against = evidence.sides(pair)
    return Conflict(*pair, against, agree, (pair,), answers_about(evidence, [pair]), evidence.accepted(pair) != 0)


def _chained(view: View, pair: Pair, cut: Cut, cutter: Cutter, weight: Callable[[Pair], float]) -> Conflict:
    """The pair is contradicted by chains of "same" between its ends."""
    agree, against = view.evidence.sides(pair)
    support, against = agree + cut.support / GRAIN, max(against, cut.against / GRAIN)
    settled = view.evidence.accepted(pair) == 0 and support - against >= view.evidence.margin
    answers = answers_about(view.evidence, [pair, *cutter.chain(*pair)])
    return Conflict(*pair, against, support, tuple(suspected(pair, cut, weight)), answers, settled)


def _waiting(view: View, pair: Pair) -> Conflict:
    """One contradiction too many to look at its chains now. Kept until somebody speaks about the pair again."""
    agree, against = view.evidence.sides(pair)
    settled = view.evidence.accepted(pair) == 0 and agree - against >= view.evidence.margin
    found = Conflict(*pair, against, agree, (pair,), answers_about(view.evidence, [pair]), settled)
    return view.filed.setdefault(pair, found)


def answers_about(evidence: Evidence, pairs: list[Pair]) -> tuple[int, ...]:
    """Ids of the answers that weigh something about these pairs, in log order."""
    return tuple(sorted({said.answer for pair in pairs for said in evidence.said(pair) if direction(said)}))


def _edges(view: View) -> list[Pair]:
    return [(a, b) for a in view.members for b in view.components.positive[a] if a < b]
