"""Several processes train like one: real processes on this machine, against the same run in this one."""

import os
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.functional import batch_norm

from db.errors import LostPeer
from oracle import plugins
from tests.ranked import gone_on, gradients, steps, together, training
from trainer import ranks
from trainer.recipe import build

METHODS = ("simclr", "moco", "fnc_attraction")
ROOT = Path(__file__).parents[2]
OBJECTIVES = plugins.names("trainer.objectives")
ONLINE = {"keep"}  # teaches heads only, which one process does


def taught_by(objective: str) -> tuple[str, dict[str, str]]:
    """A system of pictures alone whose file imports it, else SimCLR with it in place of its own."""
    for file in sorted((ROOT / "trainer" / "methods").glob("*.py")):
        if f"trainer.objectives.{objective} import" in file.read_text(encoding="utf-8"):
            recipe = build(file.stem)
            if not recipe.look and recipe.generated is None:
                return file.stem, {}
    return "simclr", {"objective": objective}


@cache
def losses() -> dict[str, tuple[str, dict[str, str]]]:
    """By objective: how to train with it. Patches of pictures, which enter the network another way, join as well."""
    return {one: taught_by(one) for one in OBJECTIVES if one not in ONLINE} | {"patches": ("cpc", {})}


def slopes() -> dict[str, Tensor]:
    """Gradients of a first step under every loss."""
    found: dict[str, Tensor] = {}
    for objective, how in losses().items():
        found |= prefixed(f"loss {objective}", gradients(training(*how)))
    return found


def prefixed(name: str, found: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"{name}/{key}": tensor for key, tensor in found.items()}


def everything(folder: Path) -> dict[str, Tensor]:
    """What each rank does."""
    found: dict[str, Tensor] = {}
    for name in METHODS:
        found |= prefixed(name, steps(name, folder))
        found |= prefixed(f"resumed {name}", gone_on(name, folder / f"alone/{name}.state"))
    return found | slopes() | normalised() | drawn()


def normalised() -> dict[str, Tensor]:
    """Batch normalisation of maps in slices of 4 and 3 rows, its gradient and its running figures."""
    x = torch.randn(7, 5, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    mean, variance = torch.zeros(5, dtype=torch.float64), torch.ones(5, dtype=torch.float64)
    weight, bias = torch.arange(1.0, 6, dtype=torch.float64), torch.arange(5.0, dtype=torch.float64)
    y = ranks.shared(lambda rows: batch_norm(rows, mean, variance, weight, bias, training=True).flatten(1), x)
    ((y.cumsum(1) ** 2).sum() / ranks.count()).backward()
    assert x.grad is not None
    return {"bn/y": y.detach(), "bn/slope": ranks.total(x.grad), "bn/mean": mean, "bn/variance": variance}


def drawn() -> dict[str, Tensor]:
    """Dropout of a batch of 7, and a draw after it."""
    torch.manual_seed(1)
    dropped = ranks.shared(lambda rows: torch.nn.functional.dropout(rows, 0.5), torch.ones(7, 64))
    return {"draw/dropped": dropped, "draw/after": torch.rand(3)}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Tensor], list[dict[str, Tensor]]]:
    """The folder of the states; what one process finds; what each of two finds."""
    folder = tmp_path_factory.mktemp("ranks")
    alone: dict[str, Tensor] = normalised() | slopes()
    for name in METHODS:
        alone |= prefixed(name, steps(name, folder / "alone"))
    return folder, alone, together(everything, folder)  # type: ignore[return-value]


@pytest.mark.parametrize("name", METHODS)
def test_two_processes_give_the_gradients_of_one(name: str, runs: tuple) -> None:
    _, alone, both = runs
    keys = [key for key in alone if key.startswith(f"{name}/gradient/")]
    assert len(keys) > 10 and max(float(alone[key].abs().max()) for key in keys) > 0.1
    for key in keys:
        torch.testing.assert_close(both[0][key], alone[key], atol=1e-6, rtol=0)


@pytest.mark.parametrize("objective", [*(one for one in OBJECTIVES if one not in ONLINE), "patches"])
def test_two_processes_give_the_gradients_of_one_under_every_loss(objective: str, runs: tuple) -> None:
    _, alone, both = runs
    keys = [key for key in alone if key.startswith(f"loss {objective}/gradient/")]
    assert len(keys) > 10 and max(float(alone[key].abs().max()) for key in keys) > 1e-4
    for key in keys:
        torch.testing.assert_close(both[0][key], alone[key], atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", METHODS)
def test_after_three_steps_weights_target_queue_and_moments_are_those_of_one_process(name: str, runs: tuple) -> None:
    _, alone, both = runs
    keys = [key for key in alone if key.startswith(f"{name}/state/")]
    assert any("running_var" in key for key in keys) and any("optimizer" in key for key in keys)
    for key in keys:
        torch.testing.assert_close(both[0][key], alone[key], atol=1e-5, rtol=0)


def test_every_rank_has_the_same_bits(runs: tuple) -> None:
    _, _, (one, other) = runs
    assert one.keys() == other.keys()
    assert all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("name", METHODS)
def test_a_checkpoint_of_two_processes_goes_on_in_one_and_the_other_way_round(name: str, runs: tuple) -> None:
    folder, alone, both = runs
    here = gone_on(name, folder / f"{name}.state")
    for key, tensor in here.items():
        torch.testing.assert_close(tensor, alone[f"{name}/{key}"], atol=1e-5, rtol=0)
        torch.testing.assert_close(both[0][f"resumed {name}/{key}"], alone[f"{name}/{key}"], atol=1e-5, rtol=0)


def test_batch_normalisation_in_slices_is_that_of_the_whole_batch(runs: tuple) -> None:
    _, alone, both = runs
    for key in ("bn/y", "bn/slope", "bn/mean", "bn/variance"):
        torch.testing.assert_close(both[0][key], alone[key], atol=1e-9, rtol=1e-9)


def test_dropout_differs_from_slice_to_slice_and_what_is_drawn_later_does_not(runs: tuple) -> None:
    _, _, (one, other) = runs
    dropped = one["draw/dropped"]
    assert not torch.equal(dropped[:3], dropped[4:]) and torch.equal(one["draw/after"], other["draw/after"])


def left_alone(folder: Path) -> dict[str, Tensor]:
    """The second process ends in the middle of the run."""
    run = training("moco")
    run.step()
    if ranks.rank() == 1:
        os._exit(7)
    with pytest.raises(LostPeer) as told:
        run.step()
    return {"told": torch.tensor(list(str(told.value).encode()))}


def agreeing(folder: Path) -> dict[str, Tensor]:
    """What ranks decide together."""
    mine = ranks.rank()
    asked = [ranks.anyone(mine == 1), ranks.anyone(False), ranks.agreed(2**62 + 1), ranks.agreed(2**62 + mine)]
    return {"asked": torch.tensor(asked)} | left_alone(folder)


def test_ranks_decide_together_and_the_death_of_one_ends_the_other_with_a_sentence(tmp_path: Path) -> None:
    survivor, dead = together(agreeing, tmp_path)
    assert dead == 7 and isinstance(survivor, dict)
    assert survivor["asked"].tolist() == [True, False, True, False]
    assert bytes(survivor["told"].tolist()).decode().startswith("another process of this training ended")


def test_one_process_alone_has_nobody_to_ask() -> None:
    with ranks.joined():
        assert (ranks.rank(), ranks.count()) == (0, 1)
        assert ranks.anyone(True) and not ranks.anyone(False) and ranks.agreed(3)
