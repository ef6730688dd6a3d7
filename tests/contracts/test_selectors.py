"""What every selector promises. A file in trainer/selectors is tested by being there."""

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from db.errors import BadInput
from oracle import plugins
from tests.contracts.test_methods import PLAN, told_of
from tests.patterns import patterns
from trainer.candidates import FAMILY, Candidates, Draw, Selector
from trainer.recipe import build
from trainer.training import Training
from trainer.training_state import read, restore, write

NAMES = plugins.names(FAMILY)
WIDE = ("learner", "reference")
COUNT = 8


def candidates(size: int = 40, texts: int = 30, sharp: float = 10.0, seed: int = 0) -> Candidates:
    """Random, some with equal words."""
    random = torch.Generator().manual_seed(seed)

    def unit(rows: int) -> Tensor:
        return normalize(torch.randn(rows, 6, generator=random, dtype=torch.float64), dim=1)

    codes = torch.randint(texts, (size,), generator=random)
    scores = [sharp * unit(size) @ unit(texts)[codes].T for _ in WIDE]
    return Candidates(codes, *scores, told=unit(texts)[codes] + 0.01 * unit(size), wanted=unit(4))


KINDS: dict[str, Callable[[], Candidates]] = {
    "usual": candidates,
    "equal words": lambda: candidates(texts=1),
    "sharp": lambda: candidates(sharp=3000.0),
    "as many as wanted": lambda: candidates(COUNT),
    "fewer than wanted": lambda: candidates(5),
    "two": lambda: candidates(2),
}


def draws(size: int, seed: int = 0, order: Tensor | None = None) -> Draw:
    """Uniform numbers; order: of candidates that were turned."""
    random = torch.Generator().manual_seed(seed)

    def draw() -> Tensor:
        numbers = torch.rand(size, generator=random, dtype=torch.float64)
        return numbers if order is None else numbers[order]

    return draw


def chosen(name: str, given: Candidates, seed: int = 0, order: Tensor | None = None) -> Tensor:
    found: Tensor = plugins.load(FAMILY, name)(given, COUNT, draws(len(given), seed, order))
    return found


def kept(given: Candidates) -> Iterator[tuple[str, Tensor]]:
    return ((one.name, getattr(given, one.name).clone()) for one in fields(given))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
class TestEverySelector:
    def test_it_chooses_different_candidates_and_not_too_many(self, name: str, kind: str) -> None:
        given = KINDS[kind]()
        places = chosen(name, given)
        assert places.dtype == torch.int64 and places.unique().numel() == len(places)
        assert 2 <= len(places) <= min(COUNT, len(given)) and places.min() >= 0 and places.max() < len(given)

    def test_the_same_draws_choose_the_same(self, name: str, kind: str) -> None:
        assert torch.equal(chosen(name, KINDS[kind](), 3), chosen(name, KINDS[kind](), 3))

    def test_it_does_not_matter_in_which_order_candidates_come(self, name: str, kind: str) -> None:
        given = KINDS[kind]()
        order = torch.randperm(len(given), generator=torch.Generator().manual_seed(1))
        scores = {key: getattr(given, key)[order][:, order] for key in WIDE}
        turned = replace(given, codes=given.codes[order], told=given.told[order], **scores)  # type: ignore[index]
        assert torch.equal(order[chosen(name, turned, order=order)], chosen(name, given))

    def test_what_it_was_given_stays_as_it_was(self, name: str, kind: str) -> None:
        given = KINDS[kind]()
        before = dict(kept(given))
        chosen(name, given)
        assert all(torch.equal(before[key], now) for key, now in kept(given))


@pytest.mark.parametrize("name", NAMES)
class TestEverySelectorOfARun:
    def training(self, name: str) -> Training:
        pictures, labels = patterns(64)
        brief = {"selector.steps": 10} if "steps" in plugins.settings_of(FAMILY, name) else {}
        ids = 11 + 3 * np.arange(64)
        recipe = build("clip", {"selector": name, "selector.filter": ".2", **brief})
        return Training(recipe, pictures, ids, replace(PLAN, batch=16), attributes=told_of(ids, labels))

    def test_it_joins_any_system_that_reads_words_and_a_stopped_run_goes_on_bit_equal(
        self, name: str, tmp_path: Path
    ) -> None:
        whole, first, second = (self.training(name) for _ in range(3))
        while whole.done < whole.steps:
            whole.step()
        for _ in range(5):
            first.step()
        write(tmp_path / "state.safetensors", first, {"run": "a"})
        stored = read(tmp_path / "state.safetensors", {"run": "a"})
        assert stored is not None
        restore(second, stored)
        while second.done < second.steps:
            second.step()
        for one, other in ((whole.encoders.network.state_dict(), second.encoders.network.state_dict()),
                           (whole.chooser.state(), second.chooser.state())):  # type: ignore[union-attr]  # fmt: skip
            assert all(torch.equal(value, other[key]) for key, value in one.items()) and len(one) == len(other)

    def test_who_has_no_words_is_never_chosen_and_a_pass_looks_at_everybody_once(self, name: str) -> None:
        run = self.training(name)
        assert run.chooser is not None
        seen = []
        for run.done in range(3):
            seen.append(run.chooser.rows())
        rows = np.concatenate(seen)
        assert len(rows) == len(np.unique(rows)) == 60 and 0 not in rows

    def test_it_is_built_from_texts_and_refuses_to_leave_out_everybody(self, name: str) -> None:
        made: Selector = plugins.load(FAMILY, name)
        spoken = {key: str(value) for key, value in plugins.settings_of(FAMILY, name).items()}
        assert plugins.load(FAMILY, name, **spoken) == made
        assert set(made.reads) <= {one.name for one in fields(Candidates)}
        with pytest.raises(BadInput, match="filter = at least 0 and below 1"):
            plugins.load(FAMILY, name, filter="1")

    def test_every_setting_is_explained(self, name: str) -> None:
        found = plugins.find(FAMILY, name)
        told = " ".join(one.__doc__ or "" for one in found.__mro__)
        assert all(setting in told for setting in plugins.settings_of(FAMILY, name))
