"""What became of the groups between two partitions: merged, split, moved.

A cell (old group, new group) is explained if most of the old group went there, or most of the new group came from
there. Two old groups whose most went into one new group were merged; an old group that is the chief source of two new
ones was split; items in cells that nothing explains have moved.
"""

import csv
from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path

from db.errors import BadInput, NotFound

Partition = Mapping[str, Hashable]  # group by item
GROUPS = "groups.csv"
SHOWN = 5


@dataclass(frozen=True)
class Change:
    """One merge (several `before`, one `after`) or split (one, several); items: how many are in each of the several."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    items: tuple[int, ...]


@dataclass(frozen=True)
class Difference:
    """items: in both. moved: names of items. only_before, only_after: items of one of the two."""

    items: int
    groups_before: int
    groups_after: int
    merged: tuple[Change, ...]
    split: tuple[Change, ...]
    moved: tuple[str, ...]
    only_before: int
    only_after: int

    def words(self) -> str:
        """A few sentences."""
        lines = [f"{self.items} items in both: {self.groups_before} groups before, {self.groups_after} after."]
        lines += [_some(self.merged, "merged", lambda c: f"{_sized(c.before, c.items)} became {c.after[0]}")]
        lines += [_some(self.split, "split", lambda c: f"{c.before[0]} became {_sized(c.after, c.items)}")]
        named = ", ".join(self.moved[:SHOWN]) + (", ..." if len(self.moved) > SHOWN else "")
        lines += [f"{len(self.moved)} items moved between groups" + (f": {named}." if self.moved else ".")]
        if self.only_before or self.only_after:
            lines += [f"{self.only_before} items are only in the first, {self.only_after} only in the second."]
        return "\n".join(lines)


def difference(before: Partition, after: Partition) -> Difference:
    """Compare two partitions over the items they share. Names of groups mean nothing. Raises BadInput without any."""
    common = sorted(before.keys() & after.keys())
    if not common:
        raise BadInput("the two share no item, so their groups cannot be compared. Name two of one collection.")
    cells = Counter((before[item], after[item]) for item in common)
    goes, comes = _chief(cells, 0), _chief(cells, 1)
    moved = [item for item in common if goes[before[item]] != after[item] and comes[after[item]] != before[item]]
    return Difference(
        items=len(common),
        groups_before=len(goes),
        groups_after=len(comes),
        merged=tuple(
            Change(tuple(map(str, olds)), (str(new),), tuple(cells[old, new] for old in olds))
            for new, olds in _gathered(goes)
        ),
        split=tuple(
            Change((str(old),), tuple(map(str, news)), tuple(cells[old, new] for new in news))
            for old, news in _gathered(comes)
        ),
        moved=tuple(moved),
        only_before=len(before) - len(common),
        only_after=len(after) - len(common),
    )


def _chief(cells: Mapping[tuple[Hashable, Hashable], int], side: int) -> dict[Hashable, Hashable]:
    """For each group of one side the group of the other that shares most with it; of equals the first by name."""
    found: dict[Hashable, Hashable] = {}
    for cell in sorted(cells, key=lambda cell: (-cells[cell], str(cell[1 - side]))):
        found.setdefault(cell[side], cell[1 - side])
    return found


def _gathered(chief: Mapping[Hashable, Hashable]) -> list[tuple[Hashable, list[Hashable]]]:
    """Groups of one side that are the chief of several of the other, with these, by name."""
    several: dict[Hashable, list[Hashable]] = {}
    for one, other in chief.items():
        several.setdefault(other, []).append(one)
    return sorted(((k, sorted(v, key=str)) for k, v in several.items() if len(v) > 1), key=lambda pair: str(pair[0]))


def _some(changes: tuple[Change, ...], what: str, tell: object) -> str:
    told = "; ".join(tell(change) for change in changes[:SHOWN])  # type: ignore[operator]
    more = "; ..." if len(changes) > SHOWN else ""
    return f"{len(changes)} {what}" + (f": {told}{more}." if changes else ".")


def _sized(names: tuple[str, ...], sizes: tuple[int, ...]) -> str:
    return " + ".join(f"{name} ({size})" for name, size in zip(names, sizes, strict=True))


def of_run(folder: Path) -> dict[str, str]:
    """Group by content hash at the end of a run. Raises NotFound, BadInput."""
    path = folder / GROUPS
    if not path.is_file():
        raise NotFound(f"no {GROUPS} in '{folder}'. Name the folder a simulation reported into (--report).")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if any(not row.get("sha256") or not row.get("group") for row in rows):
        raise BadInput(f"'{path}' must have the columns sha256 and group, filled in. Run the simulation again.")
    return {row["sha256"]: row["group"] for row in rows}
