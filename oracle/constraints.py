"""What the answers imply about pairs nobody was asked about, and where they contradict each other.

    log -> statements -> evidence per pair -> accepted edges -> components -> implied relations, conflicts

Laws (tests/oracle/test_constraints.py): the order of answers is irrelevant; adding one by one equals rebuilding; undo
equals never having answered; nothing a truthful oracle implies is false; every contradiction is kept as a conflict.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import exp

import numpy as np

from db.nouns import Statement, Verdict
from oracle.chains import apart_chain, same_chain
from oracle.components import Components
from oracle.conflicts import Conflict, Cutter, LogOdds
from oracle.doubts import View, find_conflicts, plain_conflict
from oracle.evidence import Evidence, Pair, direction, pair_of
from oracle.muddles import Muddles

__all__ = ["Conflict", "ConstraintGraph", "Implied"]


@dataclass(frozen=True)
class Implied:
    """A relation that follows from answers.

    confidence: chance that every link of the chain is right, a lower bound when further chains agree.
    chain: ids of the answers, in walking order from the first item to the second. links: the pairs they are about.
    """

    verdict: Verdict
    confidence: float
    chain: tuple[int, ...]
    links: tuple[Pair, ...] = ()


class ConstraintGraph:
    """Statements of one criterion, added up.

    error_rate: how often an answer is wrong, in (0, 0.5); error_rates: the same by source where it is known.
    cap: two parts of at least this many items do not join on a single answer (see `unconfirmed`).
    """

    def __init__(
        self, error_rate: float = 0.05, *, error_rates: Mapping[str, float] | None = None, cap: int = 100
    ) -> None:
        self.error_rate, self.cap = error_rate, cap
        self.revision = 0  # grows with every change: caches compare it
        self._evidence = Evidence(error_rate, error_rates or {})
        self._components = Components()
        self._mixed: set[Pair] = set()
        self._filed: dict[Pair, Conflict] = {}
        self._cutters: dict[int, Cutter] = {}
        self._views: dict[int, tuple[int, View]] = {}
        self._laid_out: tuple[int, Muddles | None] = (-1, None)
        self._contested: tuple[int, dict[int, list[Pair]], list[Pair]] = (-1, {}, [])
        self._parted: tuple[int, dict[Pair, dict[tuple[int, int], float]]] = (-1, {})

    @classmethod
    def build(
        cls,
        statements: Iterable[Statement],
        error_rate: float = 0.05,
        *,
        error_rates: Mapping[str, float] | None = None,
        cap: int = 100,
    ) -> "ConstraintGraph":
        """The graph of a whole log."""
        graph = cls(error_rate, error_rates=error_rates, cap=cap)
        graph.update(statements)
        return graph

    def add(self, statement: Statement) -> None:
        """Take one statement in; one already there changes nothing."""
        pair = pair_of(statement.a, statement.b)
        before = self._evidence.accepted(pair)
        if self._evidence.add(statement):
            self._changed(pair, before)

    def update(self, statements: Iterable[Statement]) -> None:
        """Add many."""
        for statement in statements:
            self.add(statement)

    @property
    def error_rates(self) -> Mapping[str, float]:
        """How often each source is wrong, where it is known."""
        return dict(self._evidence.error_rates)

    def remove(self, answer: int) -> None:
        """Undo one answer: as if it had never been given. Unknown ids change nothing."""
        before = {pair: self._evidence.accepted(pair) for pair in self._evidence.pairs(answer)}
        self._evidence.remove(answer)
        for pair, sign in before.items():
            self._changed(pair, sign)

    def reweigh(self, error_rates: Mapping[str, float], error_rate: float | None = None) -> None:
        """Trust the sources as these rates say, as if the graph had been built with them. No rebuild."""
        for pair, before, after in self._evidence.reweigh(error_rate or self.error_rate, error_rates):
            self._components.change(pair, before, after)
        self.error_rate = self._evidence.error_rate
        self._mixed = {pair for pair in self._evidence.pairs_said() if self._evidence.mixed(pair)}
        self.revision += 1
        self._filed.clear()
        self._views.clear()  # evidence changed even where no sign did

    def _changed(self, pair: Pair, before: int) -> None:
        self.revision += 1
        self._filed.pop(pair, None)
        (self._mixed.add if self._evidence.mixed(pair) else self._mixed.discard)(pair)
        self._components.change(pair, before, self._evidence.accepted(pair))

    # what was said ------------------------------------------------------------------------------------------------
    @property
    def size(self) -> int:
        """Number of statements."""
        return self._evidence.size

    @property
    def statements(self) -> tuple[Statement, ...]:
        """Every statement, in log order."""
        return tuple(sorted(self._evidence.statements(), key=lambda said: (said.answer, pair_of(said.a, said.b))))

    def asked(self, a: int, b: int) -> bool:
        """True if anybody answered anything about this pair, "unsure" too."""
        return bool(self._evidence.said(pair_of(a, b)))

    def asked_with(self, item: int) -> set[int]:
        """Items that it was asked about with, "unsure" too."""
        return set(self._evidence.partners.get(item, ()))

    def items(self) -> set[int]:
        """Every item anybody answered anything about."""
        return {item for item, others in self._evidence.partners.items() if others}

    def times(self, a: int, b: int) -> int:
        """How many statements there are about this pair."""
        return len(self._evidence.said(pair_of(a, b)))

    def evidence(self, a: int, b: int) -> float:
        """Net direct evidence in nats: positive for same, negative for different."""
        return self._evidence.score(pair_of(a, b))

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Net direct evidence of every pair that has some, sorted by pair.

        Returns: a, b (M,) int64 item ids, a < b; sign (M,) int64 ±1; weight (M,) float64 > 0, in nats.
        """
        return self._evidence.arrays()

    # what follows -------------------------------------------------------------------------------------------------
    def components(self) -> list[list[int]]:
        """Sets of items that accepted answers join, two items or more each; sorted. Wide weak bridges do not join."""
        self._components.settle()
        found = [group for number in self._joined() for group in self._view(number).groups if len(group) > 1]
        return sorted(found)

    def trusted_components(self) -> list[list[int]]:
        """As `components`, without any pair that an open conflict throws doubt on."""
        self._components.settle()
        found: dict[tuple[int, int], list[int]] = {}
        for number in self._joined():
            view = self._view(number)
            for item in view.members:
                found.setdefault((number, view.part_of[item] if view.part_of else 0), []).append(item)
        return sorted(part for part in found.values() if len(part) > 1)

    def representative(self, item: int) -> int:
        """The smallest id of the item's component; the item itself if nothing joins it."""
        self._components.settle()
        number = self._components.of(item)
        if number is None:
            return item
        view = self._view(number)
        return view.groups[view.group_of[item]][0] if len(view.groups) > 1 else view.members[0]

    def relation(self, a: int, b: int) -> Verdict | None:
        """Same or different if the answers imply it, directly or by a chain; None if open or doubted. Fast."""
        self._components.settle()
        one, other = self._components.of(a), self._components.of(b)
        if one is None or other is None:
            return None
        if one == other:
            return self._relation_inside(a, b, self._view(one))
        if pair_of(a, b) in self._mixed and not self._evidence.accepted(pair_of(a, b)):
            return None
        return Verdict.DIFFERENT if self._walls(a, b) else None

    def closed(self, item: int) -> set[int]:
        """Items it needs no question about: asked with it already, or implied. Open conflicts are among the asked."""
        self._components.settle()
        if self._components.of(item) is None:
            return set()
        muddles = self._muddles()
        own = muddles.part(item)
        found = self._evidence.partners.get(item, set()).union(*map(muddles.items, [own, *muddles.apart(own)]))
        return found - {item}

    def implied(self, a: int, b: int) -> Implied | None:
        """The relation of two items with its confidence and its chain of answers; None if nothing follows."""
        verdict = self.relation(a, b)
        if verdict is None or a == b:
            return None
        links, without = self._components.positive, self._doubted(a) | self._doubted(b)
        if verdict is Verdict.SAME:
            edges = same_chain(a, b, links, without)
        else:
            edges = apart_chain(a, b, links, self._walls(a, b), without)
        confidence = float(np.prod([1 / (1 + exp(-abs(self._evidence.score(edge)))) for edge in edges]))
        return Implied(verdict, confidence, tuple(self._witness(edge) for edge in edges), tuple(edges))

    def settled(self, a: int, b: int) -> bool:
        """True if no single answer decides: joined by two independent chains, or kept apart by two answers' worth.

        Whichever answer of the log is turned round, the relation does not turn round with it.
        """
        self._components.settle()
        one, other = self._components.of(a), self._components.of(b)
        if one is None or other is None:
            return False
        if a == b:  # whatever contradictions there are: looking at them costs a cut each
            return True
        if one == other:  # negative answers inside are a contradiction: until it is mended nothing there is settled
            return self._solid(a) == self._solid(b) and self.relation(a, b) is Verdict.SAME
        walls = self._components.apart[one].get(other)
        if not walls or (pair_of(a, b) in self._mixed and not self._evidence.accepted(pair_of(a, b))):
            return False
        nats = self._between(one, other) if one < other else self._between(other, one)
        ends = (self._solid(a), self._solid(b)) if one < other else (self._solid(b), self._solid(a))
        return -nats.get(ends, 0.0) > 1.999 * self._evidence.heaviest

    def _solid(self, item: int) -> int:
        return self._view_of(item).solid_of[item]

    def _between(self, one: int, other: int) -> dict[tuple[int, int], float]:
        """Nats of the negative pairs between the solid parts of two components, one < other; once per revision."""
        if self._parted[0] != self.revision:
            self._parted = (self.revision, {})
        if (one, other) not in self._parted[1]:
            found: dict[tuple[int, int], float] = {}
            for a, b in self._components.apart[one][other]:
                ends = (a, b) if self._components.label[a] == one else (b, a)
                parts = (self._solid(ends[0]), self._solid(ends[1]))
                found[parts] = found.get(parts, 0.0) + self._evidence.score((a, b))
            self._parted[1][one, other] = found
        return self._parted[1][one, other]

    def unconfirmed(self) -> list[Pair]:
        """Single answers that would glue two large parts together: they wait for a second opinion."""
        self._components.settle()
        return sorted(pair for number in self._joined() for pair in self._view(number).held)

    def conflicts(self, *, settled: bool = False, log_odds: LogOdds | None = None) -> list[Conflict]:
        """Contradictions among the answers, by pair.

        settled: also those that later answers outvoted. log_odds: the model's own log-odds that two items are the
        same; it sharpens which pairs are suspected.
        """
        self._components.settle()
        inside, across = self._by_component()
        numbers = set(inside).union(*[[number] for number, pairs in self._components.inside.items() if pairs])
        found = [plain_conflict(self._evidence, pair) for pair in across]
        for number in numbers:
            view = self._view(number)
            found += find_conflicts(view, log_odds) if log_odds else view.conflicts
        return sorted((c for c in found if settled or not c.settled), key=lambda c: (c.a, c.b))

    def __eq__(self, other: object) -> bool:
        """Equal if they hold the same statements under the same settings."""
        if not isinstance(other, ConstraintGraph):
            return NotImplemented
        return self._content() == other._content()

    __hash__ = None  # type: ignore[assignment]  # it changes

    # inside -------------------------------------------------------------------------------------------------------
    def _content(self) -> tuple[object, ...]:
        said = Counter(
            (
                repr(one.answer),
                pair_of(one.a, one.b),
                one.verdict,
                one.source,
                one.confidence,
                one.background,
                one.audit,
                one.probability,
            )
            for one in self._evidence.statements()
        )
        return self.error_rate, self._evidence.error_rates, self.cap, said

    def _joined(self) -> list[int]:
        return [number for number, members in self._components.members.items() if len(members) > 1]

    def _view(self, number: int) -> View:
        """The component as it stands, computed once until it changes."""
        stamp = self._components.stamp[number]
        known = self._views.get(number)
        if known is None or known[0] != stamp:
            contested = tuple(sorted(self._by_component()[0].get(number, ())))
            kept = self._filed, self._cutters
            known = (stamp, View(number, self._evidence, self._components, contested, self.cap, *kept))
            self._views[number] = known
            if len(self._views) > 2 * len(self._components.members) + 64:  # forget components that are no more
                self._views = {n: view for n, view in self._views.items() if n in self._components.members}
                self._cutters = {n: one for n, one in self._cutters.items() if n in self._components.members}
        return known[1]

    def _view_of(self, item: int) -> View:
        return self._view(self._components.label[item])

    def _by_component(self) -> tuple[dict[int, list[Pair]], list[Pair]]:
        """Pairs about which answers disagree: inside a component, by component; and between two components."""
        if self._contested[0] != self.revision:
            inside: dict[int, list[Pair]] = {}
            across = []
            for a, b in self._mixed:
                one, other = self._components.label[a], self._components.label[b]
                inside.setdefault(one, []).append((a, b)) if one == other else across.append((a, b))
            self._contested = (self.revision, inside, across)
        return self._contested[1], self._contested[2]

    def _relation_inside(self, a: int, b: int, view: View) -> Verdict | None:
        pair = pair_of(a, b)
        if pair in view.doubted or pair in view.disputed:
            return None
        if view.part_of is None or view.part_of[a] == view.part_of[b]:
            return Verdict.SAME
        return Verdict.DIFFERENT if self._walls(a, b) else None

    def _doubted(self, item: int) -> set[Pair]:
        return self._view_of(item).doubted

    def _walls(self, a: int, b: int) -> set[Pair]:
        """Trusted negative pairs between the trusted parts of two items."""
        muddles = self._muddles()
        return muddles.walls(muddles.part(a), muddles.part(b))

    def _muddles(self) -> Muddles:
        """The components in doubt, laid out once per revision."""
        if self._laid_out[0] != self.revision or self._laid_out[1] is None:
            inside = self._components.inside
            numbers = {number for number, pairs in inside.items() if pairs}.union(self._by_component()[0])
            numbers |= {number for number, items in self._components.members.items() if len(items) >= 2 * self.cap}
            self._laid_out = (self.revision, Muddles(self._components, self._view, sorted(numbers)))
        return self._laid_out[1]  # type: ignore[return-value]

    def _witness(self, pair: Pair) -> int:
        """The earliest answer that says what was accepted about the pair."""
        sign = self._evidence.accepted(pair)
        return min(said.answer for said in self._evidence.said(pair) if direction(said) == sign)
