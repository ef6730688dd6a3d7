"""Everything a stopped run needs to go on bit-equal, as named tensors in one safetensors file.

Written beside its place, fsynced, renamed, the folder fsynced: a kill leaves the state before or the state after.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from db.artifacts import sync
from db.errors import BadInput, Broken
from trainer.provenance import MADE_WITH, versions
from trainer.training import Training

State = dict[str, Tensor]


def state_of(training: Training) -> State:
    """Weights, the target's, the optimizer's moments, queue, table, what policies keep, and the number of the step."""
    encoders = training.encoders
    parts: dict[str, Mapping[str, Tensor]] = {"network": encoders.network.state_dict(), **_moments(training)}
    if encoders.average is not None:
        parts["average"] = encoders.average.network.state_dict()
    if training.queue is not None:
        parts["queue"] = training.queue.state()
    if training.table is not None:
        parts["table"] = training.table.state()
    parts |= {name: part.state() for name, part in _keeping(training).items()}
    flat = {f"{part}/{name}": tensor for part, tensors in parts.items() for name, tensor in tensors.items()}
    flat["step"] = torch.tensor(training.done)
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in flat.items()}


def restore(training: Training, state: State) -> None:
    """Put a stored state into a run built with the same recipe, items and settings. Raises BadInput if it is not."""
    try:
        training.encoders.network.load_state_dict(_part(state, "network"))
        if training.encoders.average is not None:
            training.encoders.average.network.load_state_dict(_part(state, "average"))
        if training.queue is not None:
            training.queue.load_state(_part(state, "queue"))
        if training.table is not None:
            training.table.load_state(_part(state, "table"))
        for name, part in _keeping(training).items():
            part.load_state(_part(state, name))
        _remember(training, state)
        training.done = int(state["step"])
    except (KeyError, RuntimeError, ValueError) as error:
        raise BadInput(f"this state is of another run ({error}). Train with the settings it was made with.") from error


def write(path: Path, training: Training, about: Mapping[str, str]) -> None:
    """Store the state of a run. about: short texts that say which run it is; versions are noted beside them."""
    write_tensors(path, state_of(training), about)


def write_tensors(path: Path, state: State, about: Mapping[str, str]) -> None:
    """The same for a state already put together. Raises: Broken where the disk fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    try:
        new.write_bytes(save(state, {**versions(), **about}))
        sync(new)
        new.replace(path)
        sync(path.parent)
    except OSError as error:
        raise Broken(
            f"cannot store the training in {path.parent} ({error.strerror}). Free some space; the run goes on from the "
            "last state."
        ) from error


def read(path: Path, about: Mapping[str, str]) -> State | None:
    """The stored state of this very run; None if there is none, it is damaged, or it is of another run."""
    try:
        with safe_open(os.fspath(path), "pt") as file:
            if {name: told for name, told in (file.metadata() or {}).items() if name not in MADE_WITH} != dict(about):
                return None
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a mapping
    except (OSError, SafetensorError):
        return None


def _keeping(training: Training) -> dict[str, Any]:
    """What keeps a state: parts of the terms, by a name that is their place, the way to look, and who chooses."""
    parts: dict[str, Any] = {
        f"term{n}.{k}": part for n, term in enumerate(training.terms) for k, part in enumerate(term.parts)
    }
    parts |= {"look": training.recipe.look, "choice": training.chooser}
    return {name: part for name, part in parts.items() if hasattr(part, "state")}


def _moments(training: Training) -> dict[str, Mapping[str, Tensor]]:
    state = training.optimizer.state_dict()["state"]
    return {f"optimizer{number}": moments for number, moments in state.items()}


def _remember(training: Training, state: State) -> None:
    """The optimizer's moments, in the memory layout of the weights they belong to."""
    learnt = [weight for group in training.optimizer.param_groups for weight in group["params"]]
    for number, weight in enumerate(learnt):
        stored = _part(state, f"optimizer{number}")
        training.optimizer.state[weight] = {
            name: value.clone() if name == "step" else torch.empty_like(weight).copy_(value)
            for name, value in stored.items()
        }


def _part(state: State, part: str) -> State:
    return {name.partition("/")[2]: tensor for name, tensor in state.items() if name.startswith(f"{part}/")}
