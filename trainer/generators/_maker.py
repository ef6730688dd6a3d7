"""What every generator is while it learns: networks and optimizers whose state can be stored, and a way to make."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from db.errors import BadInput

State = dict[str, Tensor]


class Maker(ABC):
    """networks: all that is learnt, by name. optimizers: by name. done: steps so far. Everything a step or a picture
    needs beyond them follows from seed, step and anchor, so a run that goes on ends bit-equal.

    mirrors: whether it may see pictures in a mirror. beside: a checksum of the metadata that it learns from."""

    mirrors: ClassVar[bool] = True
    beside: str = ""
    networks: nn.ModuleDict
    optimizers: dict[str, torch.optim.Optimizer]
    seed: int
    done: int = 0

    @property
    def rows(self) -> np.ndarray | None:
        """(R,) pictures that the next step draws from; None: all."""
        return None

    @property
    def anchors(self) -> np.ndarray | None:
        """(R,) pictures whose items it can make candidates of; None: all."""
        return None

    @abstractmethod
    def step(self, pictures: Tensor, rows: np.ndarray) -> dict[str, float]:
        """Learn from (B, 3, S, S) pictures in [-1, 1]; what to report. rows: (B,) which of all they are."""

    @abstractmethod
    def candidates(self, anchor: Tensor, item: int, count: int) -> Tensor:
        """(C, 3, S, S) in [-1, 1] made of one (3, S, S) anchor. item: its id, which the draws follow from."""

    def weights(self) -> State:
        """What making pictures needs."""
        return {name: value.detach().cpu().contiguous() for name, value in self.networks.state_dict().items()}

    def load_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Take over stored weights. Raises BadInput if they are of other networks."""
        try:
            self.networks.load_state_dict(dict(weights))
        except RuntimeError as error:
            raise BadInput(f"these weights are of another generator ({str(error)[:200]}). Make it again.") from error

    def state(self) -> State:
        """What going on with learning needs, too."""
        kept = {f"networks/{name}": value for name, value in self.weights().items()}
        for name, optimizer in self.optimizers.items():
            for number, moments in optimizer.state_dict()["state"].items():
                kept |= {f"{name}/{number}/{key}": value.cpu().contiguous() for key, value in moments.items()}
        return kept | {"done": torch.tensor(self.done)}

    def load_state(self, state: State) -> None:
        """Go on from a stored state."""
        parts: dict[str, dict[int, dict[str, Tensor]]] = {name: {} for name in self.optimizers}
        for path, value in state.items():
            name, _, rest = path.partition("/")
            if name in parts:
                number, _, key = rest.partition("/")
                parts[name].setdefault(int(number), {})[key] = value.clone()
        begin = len("networks/")
        self.load_weights({path[begin:]: value for path, value in state.items() if path.startswith("networks/")})
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict({**optimizer.state_dict(), "state": parts[name]})
        self.done = int(state["done"])
