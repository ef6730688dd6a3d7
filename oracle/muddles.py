"""Components in doubt, cut into the parts that may be trusted, and the negative answers that stand between them.

Most components are plain: one part each. Only the others are laid out here, once per state of the graph.
"""

from collections.abc import Callable, Iterable

from oracle.components import Components
from oracle.doubts import View
from oracle.evidence import Pair, pair_of

Part = tuple[int, int]  # component number, place of the part in it; 0 in a plain one


class Muddles:
    """Trusted parts of the components in doubt. numbers: components that may be in doubt."""

    def __init__(self, components: Components, view: Callable[[int], View], numbers: Iterable[int]) -> None:
        self._components = components
        self._part: dict[int, Part] = {}
        self._items: dict[Part, list[int]] = {}
        self._walls: dict[Part, dict[Part, set[Pair]]] = {}
        self.views = {number: found for number in numbers if (found := view(number)).part_of is not None}
        for number, found in self.views.items():
            for item, place in (found.part_of or {}).items():
                self._part[item] = (number, place)
                self._items.setdefault((number, place), []).append(item)
        for found in self.views.values():
            self._raise_walls(found)

    def part(self, item: int) -> Part:
        """The trusted part an item belongs to."""
        return self._part.get(item) or (self._components.label[item], 0)

    def items(self, part: Part) -> list[int]:
        """Members of a part."""
        return self._items[part] if part in self._items else self._components.members[part[0]]

    def walls(self, one: Part, other: Part) -> set[Pair]:
        """Trusted negative pairs between two parts."""
        if one[0] in self.views or other[0] in self.views:
            return self._walls.get(one, {}).get(other, set())
        return self._components.apart[one[0]].get(other[0], set())

    def apart(self, part: Part) -> list[Part]:
        """Parts known to differ from this one."""
        if part[0] in self.views:
            return list(self._walls.get(part, {}))
        plain = [(number, 0) for number in self._components.apart[part[0]] if number not in self.views]
        return plain + list(self._walls.get(part, {}))

    def _raise_walls(self, view: View) -> None:
        label, negative, doubted = self._components.label, self._components.negative, view.doubted
        for item in view.members:
            here = self.part(item)
            for other in negative[item]:
                there = self._part.get(other)
                if there is not None and other < item:  # seen from the other side
                    continue
                there, pair = there or (label[other], 0), pair_of(item, other)
                if here != there and pair not in doubted:
                    self._walls.setdefault(here, {}).setdefault(there, set()).add(pair)
                    self._walls.setdefault(there, {}).setdefault(here, set()).add(pair)
