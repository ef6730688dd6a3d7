"""What reaches an item by the walk, read as chances of groups: how far it is believed, and how much stays open.

    share_ig = (1 - open_i) s_ig + open_i toward_ig,    s_ig ~ (flow_ig / total_g^BETA)^temperature
    open_i   = max(unsure, SHRINK / (SHRINK + held), near / (near + flow_i))
    new_i    = rate x 2 / (1 + (flow_i / typical)^.7)

temperature and unsure are those under which the flow best predicts what answers say of items: where the embedding knows
nothing of a notion, unsure goes to one.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from oracle.rows import BLOCK, TINY, row_sums, softmax

BETA = 0.5  # how much large groups are held back
FLOOR, SHRINK = 0.03, 5.0  # share spread evenly: FLOOR, more while fewer than about SHRINK items are held
UNSURE = (FLOOR, 0.06, 0.12, 0.25, 0.5, 0.8, 0.95)  # shares that the kernel may leave open
TEMPERATURES = (0.4, 0.6, 0.8, 1.0, 1.3, 1.7, 2.2, 3.0, 4.0)
JUDGED = 500  # items that judge the temperature, at most
ENOUGH = 12  # items below which nothing is fitted
FLOAT = np.float32


@dataclass(frozen=True, eq=False)
class Shape:
    """total: (G,) float32 what of each group reaches the asked items. typical: what reaches one of them. held: items
    that answers place. near: what reaches a close neighbour."""

    total: np.ndarray
    typical: float
    held: int
    near: float
    temperature: float = 1.0
    unsure: float = FLOOR

    @classmethod
    def of(cls, flow: np.ndarray, held: int, near: float) -> "Shape":
        """From what reaches the asked items: (A, G) float32."""
        return cls(flow.sum(0) + FLOAT(TINY), float(np.median(flow.sum(1))) + TINY, held, near)

    def shares(self, flow: np.ndarray, toward: np.ndarray | None = None) -> np.ndarray:
        """(N, G) chance of each group for items in some group, from the mass that reaches them. flow: (N, G) float32.

        toward: (N, G) where the share goes that the kernel does not decide, rows sum to 1; else evenly.
        """
        shares, even = np.empty_like(flow), FLOAT(1 / flow.shape[1])
        for at in range(0, len(flow), BLOCK):
            block = slice(at, at + BLOCK)
            shares[block] = self._sharp(np.log(flow[block] + FLOAT(TINY)), self.temperature)
            open_ = self._open(flow[block], self.unsure)[:, None]
            shares[block] *= 1 - open_
            shares[block] += open_ * (even if toward is None else toward[block])
        return shares

    def newness(self, reached: np.ndarray, rate: float | np.ndarray) -> np.ndarray:
        """(N,) chance of a group not seen yet, before any answer about the item. reached: (N,) mass. rate: of new
        items."""
        thin = 2 / (1 + (reached / FLOAT(self.typical)) ** FLOAT(0.7))  # about 1 where as much arrives as usual
        return np.clip(rate * thin, 0.002, 0.95)

    def fitted(self, flow: np.ndarray, rows: np.ndarray, said: Callable[[np.ndarray], np.ndarray]) -> "Shape":
        """The same with the temperature, and the share left open, under which the flow predicts answers best.

        flow: (A, G). rows: of it that answers place. said: rows -> (R, G) what answers say of them.
        """
        groups = flow.shape[1]
        if len(rows) < ENOUGH or groups < 2:
            return self
        rows = rows[:: 1 + len(rows) // JUDGED]
        told, flow = said(rows), flow[rows]
        log_flow = np.log(flow + FLOAT(TINY))
        right = np.stack([(self._sharp(log_flow, one) * told).sum(1) for one in TEMPERATURES])  # (T, R)
        open_ = np.stack([self._open(flow, one) for one in UNSURE])  # (U, R)
        odd = 0.02 * np.abs(np.log(TEMPERATURES))

        def scores(right: np.ndarray, open_: np.ndarray) -> np.ndarray:
            return np.asarray(np.log((1 - open_) * right + open_ / groups + TINY).mean(-1), dtype=np.float64)

        first = int((scores(right, open_[0]) - odd).argmax())  # at the least share left open
        both = [first, TEMPERATURES.index(1.0)]
        worth = scores(right[both, None], open_) - odd[both, None]  # (2, U)
        temperature, unsure = divmod(int(worth.argmax()), len(UNSURE))
        return replace(self, temperature=TEMPERATURES[both[temperature]], unsure=UNSURE[unsure])

    def _sharp(self, log_flow: np.ndarray, temperature: float) -> np.ndarray:
        """(N, G) shares if the kernel decided all."""
        held_back = (temperature * BETA * np.log(self.total)).astype(FLOAT)
        scores = log_flow * FLOAT(temperature)
        scores -= held_back
        return softmax(scores)

    def _open(self, flow: np.ndarray, unsure: float) -> np.ndarray:
        """(N,) the share that the kernel does not decide."""
        least, near = FLOAT(max(unsure, SHRINK / (SHRINK + self.held))), FLOAT(self.near)
        return np.asarray(np.maximum(least, near / (near + row_sums(flow))))
