"""Sort things into bins from placements alone, one thing at a time: which bin, how sure, and whether to ask.

Three experts look at every view of a thing: kernel ridge over all placed views (`oracle.steady`), the nearest class
mean, and the nearest neighbours. Their scores are stacked by held-out likelihood (`oracle.stacking`), held out by
thing, so that two views of one thing never testify for each other; what belongs to no bin yet is told by
`oracle.belonging`, and while there is one bin alone by `oracle.picking`. Nothing is ever a negative because nobody
placed it. A placement costs O(N D + N^2) for N placed views, never a fit
from scratch. The order of what was said about different things leaves no trace but rounding.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from oracle.belonging import Novelty, novelty
from oracle.bins import Bins, Thing, unit
from oracle.picking import Picking, picking
from oracle.stacking import fitted, probabilities
from oracle.steady import Steady

Action = Literal["sort", "ask", "new"]
VIEWS = 12  # of one thing that are compared: the newest
MOST = 1500  # placed views that are remembered; beyond, the fullest bin forgets its oldest thing
NEAR = 7  # neighbours that vote
RECENT = 30  # placements over which new bins are counted
UNPLACED = 200  # things nobody placed that are looked at for how common the bins are
PRIOR = np.array([12.0, 1.0, 0.2])  # weights of ridge, class mean and neighbours before anything is known
FEW = 3  # things in a bin from which on it can tell who belongs
AGAIN = 0.05  # share of placements after which the weights are fitted anew


@dataclass(frozen=True)
class Costs:
    """Seconds of a person's time. ask: to say where one thing goes. wrong: to find it in the wrong bin and move it."""

    ask_s: float = 4.0
    wrong_s: float = 20.0

    @property
    def enough(self) -> float:
        """The confidence from which on a question costs more than it saves."""
        return max(0.0, 1 - self.ask_s / self.wrong_s)


@dataclass(frozen=True)
class Sorted:
    """What to do with a thing. bin: the likeliest, None while there is none.

    confidence: chance that `bin` is right. new: chance that it belongs to no bin yet. ranking: (bin, chance), likeliest
    first. known: somebody said where it goes.
    """

    action: Action
    bin: str | None
    confidence: float
    new: float
    ranking: tuple[tuple[str, float], ...] = ()
    known: bool = False


@dataclass
class _Fit:
    """What holds until enough was placed since. at: changes when it was made.

    picking: while there is one bin alone, what tells who belongs in it.
    """

    weights: np.ndarray
    novelty: Novelty
    at: int
    picking: Picking | None = None


class Sorter:
    """Learns from `see` and `put`; `place` only looks."""

    def __init__(self, dim: int, penalty: float = 0.1) -> None:
        self.bins = Bins()
        self.dim = dim
        self._model = Steady(dim, penalty)
        self._owners: list[Hashable] = []
        self._changes = 0
        self._fit: _Fit | None = None
        self._solved: tuple[list[str], np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None = None

    def see(self, thing: Hashable, vector: np.ndarray) -> None:
        """A look at a thing. vector: (D,) raw features."""
        if vector.shape != (self.dim,) or not np.isfinite(vector).all():
            raise ValueError(f"vector must be {self.dim} finite numbers, got shape {vector.shape}.")
        found = self.bins.see(thing, unit(vector))
        if found.bin is not None:
            self._learn(thing, found, found.views[-1])
            while len(found.rows) > VIEWS:
                self._forget_row(found.rows[0])

    def put(self, thing: Hashable, bin: str | None) -> None:
        """Somebody put a thing into a bin; None: took back what was said. Raises KeyError for what was never seen."""
        before = self.bins.things[thing].bin
        found = self.bins.put(thing, bin)
        if bin is None:
            while found.rows:
                self._forget_row(found.rows[-1])
        elif not found.rows:
            for view in found.views[-VIEWS:]:
                self._learn(thing, found, view)
        self._solved = None
        self._changes += before != bin
        self._make_room()

    def place(self, thing: Hashable, costs: Costs | None = None, also: np.ndarray | None = None) -> Sorted:
        """Where a thing goes. also: (D,) raw features of one more look at it, not to be remembered.

        Raises: KeyError for a thing that was never seen and has no look now.
        """
        found = self.bins.things.get(thing) or Thing(0)
        if found.bin is not None:
            return Sorted("sort", found.bin, 1.0, 0.0, ((found.bin, 1.0),), known=True)
        views = [*found.views, *([] if also is None else [unit(also)])]
        if not views:
            raise KeyError(thing)
        return self.look(np.array(views[-VIEWS:]), costs or Costs())

    def look(self, views: np.ndarray, costs: Costs) -> Sorted:
        """Where a thing goes. views: (V, D) as `oracle.bins.unit` makes them."""
        names = self.bins.names()
        if not names:
            return Sorted("new", None, 0.0, 1.0)
        fit = self._fitted()
        products = self._model.rows @ views.T  # (N, V)
        chances = probabilities(self._scores(views, products)[:, None], fit.weights)[0]
        new = fit.novelty.chance(float(products.max(0).mean()))
        if fit.picking is not None and len(names) == 1:
            new = 1 - float(fit.picking.chances(views).mean())
        order = np.argsort(-chances, kind="stable")
        ranking = tuple((names[at], float(chances[at] * (1 - new))) for at in order)
        sure = ranking[0][1]
        action: Action = "new" if new > 0.5 else "sort" if sure >= costs.enough else "ask"
        return Sorted(action, ranking[0][0], sure, new, ranking)

    # What is learnt

    def _learn(self, thing: Hashable, found: Thing, view: np.ndarray) -> None:
        found.rows.append(self._model.add(view))
        self._owners.append(thing)
        self._solved = None

    def _forget_row(self, at: int) -> None:
        last = self._model.drop(at)
        self.bins.things[self._owners[at]].rows.remove(at)
        if at != last:
            moved = self.bins.things[self._owners[last]].rows
            moved[moved.index(last)] = at
        self._owners[at] = self._owners[last]
        self._owners.pop()
        self._solved = None

    def _make_room(self) -> None:
        """The fullest bin lets its oldest thing go from the model; it stays in the bin."""
        while self._model.size > MOST:
            rows: dict[str, list[Thing]] = {}
            for thing in {id(one): one for one in (self.bins.things[key] for key in self._owners)}.values():
                rows.setdefault(str(thing.bin), []).append(thing)
            fullest = max(rows.values(), key=lambda things: len(things))
            oldest = min(fullest, key=lambda one: one.serial)
            while oldest.rows:
                self._forget_row(oldest.rows[-1])

    # What is concluded

    def _labels(self) -> np.ndarray:
        """(N,) number of the bin of every row."""
        number = {name: at for at, name in enumerate(self.bins.names())}
        return np.array([number[str(self.bins.things[key].bin)] for key in self._owners], np.int64)

    def _solution(self) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Names, one-hot targets (N, K), ridge weights (N, K), its intercept (K,), sums of the bins' rows (K, D)."""
        if self._solved is None:
            names = self.bins.names()
            targets = np.eye(len(names))[self._labels()]
            self._solved = (names, targets, *self._model.fit(targets), targets.T.astype(np.float32) @ self._model.rows)
        return self._solved

    def _scores(self, views: np.ndarray, products: np.ndarray) -> np.ndarray:
        """(3, K) what the experts say about a thing that is not in the model. products: (N, V) of rows and views."""
        _, targets, weights, intercept, sums = self._solution()
        ridge = (products.T @ weights).mean(0) + intercept
        classes = sums / np.maximum(targets.sum(0), 1)[:, None]
        alike = _alike(views.mean(0)[None], classes, self._model.rows.mean(0))[0]
        return np.stack([ridge, alike, np.log(_votes(products.T, targets).mean(0))])

    def _fitted(self) -> _Fit:
        """The weights, fitted anew where enough has changed."""
        placed = sum(self.bins.counts.values())
        if self._fit is None or self._changes - self._fit.at >= max(1, AGAIN * placed):
            self._fit = self._fit_anew()
        return self._fit

    def _fit_anew(self) -> _Fit:
        names, targets, *_ = self._solution()
        things = list(dict.fromkeys(self._owners))
        number = {key: at for at, key in enumerate(things)}
        owner = np.array([number[key] for key in self._owners])
        bin_of = np.empty(len(things), np.int64)
        bin_of[owner] = targets.argmax(1)
        counts = np.bincount(bin_of, minlength=len(names)).astype(float)
        told = counts[bin_of] > 1  # the only thing of its bin cannot be held out
        weights, likeness = PRIOR, Novelty(rate=_rate(self.bins.founded))
        if told.any() and len(names) > 1:
            scores = self._held_out(owner, targets, bin_of)
            weights = fitted(scores[:, told], bin_of[told], PRIOR)
            likeness = novelty(*self._likeness(owner, targets, bin_of, told), np.array(self.bins.founded[-RECENT:]))
        fit = _Fit(weights, likeness, self._changes)
        if len(names) == 1:
            fit.picking = self._picking(owner)
        return fit

    def _picking(self, owner: np.ndarray) -> Picking | None:
        """Who belongs in the only bin, by what was put there and what nobody placed."""
        waiting = self._waiting()
        if owner.max() + 1 < FEW or not waiting:
            return None
        picked = _by_thing(self._model.rows, owner)[-2 * UNPLACED :]
        return picking(picked, np.array([np.mean(one.views[-VIEWS:], axis=0) for one in waiting]))

    def _waiting(self) -> list[Thing]:
        """The last things that nobody placed."""
        return [one for one in list(self.bins.things.values())[-4 * UNPLACED :] if one.bin is None][-UNPLACED:]

    def _held_out(self, owner: np.ndarray, targets: np.ndarray, bin_of: np.ndarray) -> np.ndarray:
        """(3, n, K) what the experts say about every placed thing without having seen it."""
        ridge = _by_thing(self._model.held_out(targets, owner), owner)
        sizes = np.bincount(owner).astype(float)
        means = _by_thing(self._model.rows, owner)
        sums, counts = self._solution()[4], targets.sum(0)
        centre = self._model.rows.mean(0)
        alike = _alike(means, sums / np.maximum(counts, 1)[:, None], centre)
        for at, own in enumerate(bin_of):
            rest = (sums[own] - sizes[at] * means[at]) / max(counts[own] - sizes[at], 1)
            alike[at, own] = _alike(means[at : at + 1], rest[None], centre)[0, 0]
        products = np.where(owner[:, None] == owner, -2.0, self._model.products)
        near = _by_thing(_votes(products, targets), owner)
        return np.stack([ridge, alike, np.log(near)])

    def _likeness(
        self, owner: np.ndarray, targets: np.ndarray, bin_of: np.ndarray, told: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """(m,) greatest product of things with others of their bin, (n,) with those of other bins."""
        bins = targets.argmax(1)
        mine = bins[:, None] == bins
        inside = np.where(mine & (owner[:, None] != owner), self._model.products, -1.0).max(1)
        outside = np.where(mine, -1.0, self._model.products).max(1)
        return _by_thing(inside[:, None], owner)[told, 0], _by_thing(outside[:, None], owner)[:, 0]


def _rate(founded: list[bool]) -> float:
    lately = founded[-RECENT:]
    return (sum(lately) + 1.0) / (len(lately) + 2.0)


def _by_thing(rows: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """(n, ...) means over the rows of each thing."""
    found = np.zeros((int(owner.max()) + 1, rows.shape[1]))
    np.add.at(found, owner, rows)
    return found / np.bincount(owner)[:, None]


def _alike(means: np.ndarray, classes: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """(n, K) cosines around the centre of all that was placed."""
    things, bins = means - centre, classes - centre
    lengths = np.linalg.norm(things, axis=1)[:, None] * np.linalg.norm(bins, axis=1)
    return np.asarray(things @ bins.T / np.maximum(lengths, 1e-9), np.float64)


def _votes(products: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """(V, K) share of the bins among each view's nearest rows, never 0. products: (V, N)."""
    bins = targets.shape[1]
    near = min(NEAR, products.shape[1])
    nearest = np.argpartition(-products, near - 1, axis=1)[:, :near]
    return np.asarray((targets[nearest].sum(1) + 1.0 / bins) / (near + 1.0))
