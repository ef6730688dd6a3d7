"""Which items accepted answers join, and which joined sets stand apart, kept up to date edge by edge.

Joining relabels the smaller side, so n answers cost O(n log n). Taking an edge away only marks its component; the
component alone is searched again at the next look.
"""

from collections.abc import Iterable
from itertools import count

from oracle.evidence import Pair, pair_of


class Components:
    """Connected components over positive edges, with the negative edges inside and between them.

    Component numbers are internal and depend on history; nothing derived from their order may leave the package.
    """

    def __init__(self) -> None:
        self.label: dict[int, int] = {}
        self.members: dict[int, list[int]] = {}
        self.positive: dict[int, set[int]] = {}
        self.negative: dict[int, set[int]] = {}
        self.inside: dict[int, set[Pair]] = {}  # negative pairs within one component: contradictions
        self.apart: dict[int, dict[int, set[Pair]]] = {}  # negative pairs between two components
        self.stamp: dict[int, int] = {}  # when the component last changed: caches compare it
        self._clock = count(1)
        self._numbers = count()
        self._dirty: set[int] = set()

    def change(self, pair: Pair, old: int, new: int) -> None:
        """Turn the pair's edge from sign `old` to sign `new` (0: no edge)."""
        for item in pair:
            self._ensure(item)
        if old > 0:
            self._cut(pair)
        elif old < 0:
            self._forget_negative(pair)
        if new > 0:
            self._join(pair)
        elif new < 0:
            self._note_negative(pair)
        for item in pair:
            self.stamp[self.label[item]] = next(self._clock)

    def settle(self) -> None:
        """Search the marked components again. Call before reading."""
        while self._dirty:
            self._split(self._dirty.pop())

    def of(self, item: int) -> int | None:
        """Number of the item's component; None if nothing was said about it."""
        return self.label.get(item)

    def _ensure(self, item: int) -> None:
        if item not in self.label:
            self._found([item])
            self.positive[item], self.negative[item] = set(), set()

    def _found(self, items: list[int]) -> int:
        number = next(self._numbers)
        self.members[number], self.inside[number], self.apart[number] = items, set(), {}
        self.stamp[number] = next(self._clock)
        for item in items:
            self.label[item] = number
        return number

    def _cut(self, pair: Pair) -> None:
        a, b = pair
        self.positive[a].discard(b)
        self.positive[b].discard(a)
        self._dirty.add(self.label[a])

    def _join(self, pair: Pair) -> None:
        a, b = pair
        self.positive[a].add(b)
        self.positive[b].add(a)
        small, large = sorted((self.label[a], self.label[b]), key=self._bulk)
        if small != large:
            self._absorb(small, large)

    def _bulk(self, number: int) -> int:
        return len(self.members[number]) + len(self.apart[number])

    def _absorb(self, small: int, large: int) -> None:
        """Everything of `small` becomes `large`'s."""
        for item in self.members[small]:
            self.label[item] = large
        self.members[large].extend(self.members.pop(small))
        self.inside[large] |= self.inside.pop(small)
        for other, pairs in self.apart.pop(small).items():
            del self.apart[other][small]
            if other == large:
                self.inside[large] |= pairs
            else:
                self._between(large, other).update(pairs)
        del self.stamp[small]
        if small in self._dirty:
            self._dirty.remove(small)
            self._dirty.add(large)

    def _between(self, one: int, other: int) -> set[Pair]:
        """The set of negative pairs between two components, shared by both."""
        pairs = self.apart[one].setdefault(other, set())
        self.apart[other][one] = pairs
        return pairs

    def _note_negative(self, pair: Pair) -> None:
        a, b = pair
        self.negative[a].add(b)
        self.negative[b].add(a)
        one, other = self.label[a], self.label[b]
        (self.inside[one] if one == other else self._between(one, other)).add(pair)

    def _forget_negative(self, pair: Pair) -> None:
        a, b = pair
        self.negative[a].discard(b)
        self.negative[b].discard(a)
        one, other = self.label[a], self.label[b]
        if one == other:
            self.inside[one].discard(pair)
            return
        pairs = self._between(one, other)
        pairs.discard(pair)
        if not pairs:
            del self.apart[one][other], self.apart[other][one]

    def _split(self, number: int) -> None:
        items = self.members.pop(number)
        for other in self.apart.pop(number):
            del self.apart[other][number]
        del self.inside[number], self.stamp[number]
        for part in parts(items, self.positive):
            self._found(part)
        for a in items:
            for b in self.negative[a]:
                one, other = self.label[a], self.label[b]
                (self.inside[one] if one == other else self._between(one, other)).add(pair_of(a, b))


def parts(
    items: Iterable[int], neighbours: dict[int, set[int]], without: frozenset[Pair] | set[Pair] = frozenset()
) -> list[list[int]]:
    """Connected parts of `items` over `neighbours`, ignoring the pairs in `without`; each sorted, in order."""
    barred: dict[int, set[int]] = {}
    for a, b in without:
        barred.setdefault(a, set()).add(b)
        barred.setdefault(b, set()).add(a)
    seen: set[int] = set()
    found = []
    for item in sorted(items):
        if item not in seen:
            found.append(sorted(_reach(item, neighbours, barred)))
            seen.update(found[-1])
    return found


def _reach(start: int, neighbours: dict[int, set[int]], barred: dict[int, set[int]]) -> set[int]:
    seen, stack = {start}, [start]
    while stack:
        here = stack.pop()
        new = neighbours[here] - seen
        if here in barred:
            new -= barred[here]
        seen |= new
        stack.extend(new)
    return seen
