"""The loss in blocks of rows is the loss, with little memory."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize
from torch.utils._python_dispatch import TorchDispatchMode

from db.errors import BadInput
from tests.trainer.pools import by_labels, gradients, make_pool, random_pool
from trainer.contrast_blocks import by_label, by_queue, in_blocks
from trainer.objectives.contrast import Objective
from trainer.pool import Pool

FORMS = {"all": ("all", "out"), "self": ("self", "out"), "none": ("none", "out"), "in": ("all", "in")}
EVERY_FORM = pytest.mark.parametrize("form", FORMS)


def dense(pool: Pool, part: slice) -> tuple[Tensor, Tensor]:
    return pool.pos[part], pool.neg[part] + pool.confirmed[part]


def agree(value: Tensor, exact: Tensor, pool: Pool) -> None:
    torch.testing.assert_close(value, exact, rtol=0, atol=1e-9)
    for mine, true in zip(gradients(value, pool), gradients(exact, pool), strict=True):
        torch.testing.assert_close(mine, true, rtol=0, atol=1e-9)


@EVERY_FORM
@pytest.mark.parametrize("elements", [1, 20, 10_000])
@pytest.mark.parametrize("temperature", [0.05, 0.5])
def test_blocks_of_any_size_give_the_value_and_slopes_of_the_whole(
    form: str, elements: int, temperature: float
) -> None:
    denominator, aggregate = FORMS[form]
    for seed in range(3):
        pool = random_pool(seed)
        value = in_blocks(
            pool.anchors, pool.keys, lambda part, pool=pool: dense(pool, part), temperature=temperature,
            denominator=denominator, aggregate=aggregate, elements=elements,
        )  # fmt: skip
        agree(value, Objective(temperature, denominator, aggregate, blocks=False)(pool), pool)


@EVERY_FORM
def test_the_objective_takes_blocks_by_itself_and_agrees_with_the_whole(form: str) -> None:
    pool = random_pool(7, batch=30, keys=50, dim=8)
    ours = Objective(0.1, *FORMS[form], scale=2.5)
    value = ours(pool)
    assert "InBlocks" in str(value.grad_fn.next_functions)
    agree(value, replace(ours, blocks=False)(pool), pool)


@EVERY_FORM
def test_anchors_that_are_their_own_keys_hear_both_sides(form: str) -> None:
    rows = random_pool(1).keys.detach().requires_grad_()
    labels = torch.tensor([0, 1, 2, 0, 1, 2, 0, 5, 0])
    ours = Objective(0.2, *FORMS[form], blocks=False)
    lazily = in_blocks(
        rows, rows, by_label(labels, dtype=torch.float64), temperature=0.2,
        denominator=ours.denominator, aggregate=ours.aggregate, elements=20,
    )  # fmt: skip
    exact = ours(by_labels(rows, labels))
    torch.testing.assert_close(lazily, exact, rtol=0, atol=1e-9)
    one, other = (torch.autograd.grad(loss, rows)[0] for loss in (lazily, exact))
    torch.testing.assert_close(one, other, rtol=0, atol=1e-9)


def test_two_views_by_label_meet_every_key() -> None:
    pool = random_pool(1)
    labels, others = torch.arange(7) % 3, torch.arange(9) % 3
    equal = labels[:, None] == others[None]
    exact = make_pool(pool.anchors, pool.keys, equal, ~equal)
    rows = by_label(labels, others, dtype=torch.float64)
    value = in_blocks(pool.anchors, pool.keys, rows, temperature=0.2, elements=20)
    agree(value, Objective(0.2, blocks=False)(exact), pool)


def test_a_queue_by_ids_leaves_out_the_own_item() -> None:
    pool = random_pool(1, batch=4, keys=9)
    ids, queued = torch.tensor([7, 8, 9, 10]), torch.tensor([1, 8, 3, 9, 9])
    push = torch.cat([torch.zeros(4, 4), (ids[:, None] != queued[None]).float()], 1)
    exact = Objective(0.2, "self", blocks=False)(make_pool(pool.anchors, pool.keys, torch.eye(4, 9), push))
    rows = by_queue(ids, queued, dtype=torch.float64)
    value = in_blocks(pool.anchors, pool.keys, rows, temperature=0.2, denominator="self", elements=18)
    agree(value, exact, pool)


@EVERY_FORM
def test_the_closed_form_agrees_with_differences(form: str) -> None:
    pool = random_pool(1, batch=4, keys=5, dim=3)

    def mean(anchors: Tensor, keys: Tensor) -> Tensor:
        return Objective(0.5, *FORMS[form])(replace(pool, anchors=anchors, keys=keys))

    assert torch.autograd.gradcheck(mean, (pool.anchors, pool.keys))


def test_what_needs_no_gradient_gets_none() -> None:
    pool = random_pool(1)
    queue = replace(pool, keys=pool.keys.detach())
    (alone,) = torch.autograd.grad(Objective()(queue), pool.anchors)
    assert torch.equal(alone, gradients(Objective()(pool), pool)[0])
    with torch.no_grad():
        silent = Objective()(pool)
    assert torch.equal(silent, Objective()(pool)) and not silent.requires_grad


def test_a_second_derivative_is_refused_in_blocks_and_there_without() -> None:
    pool = random_pool(1)
    with pytest.raises(BadInput, match="blocks=False"):
        torch.autograd.grad(Objective()(pool), pool.anchors, create_graph=True)
    (slope,) = torch.autograd.grad(Objective(blocks=False)(pool), pool.anchors, create_graph=True)
    slope.sum().backward()
    assert pool.anchors.grad is not None and pool.anchors.grad.isfinite().all()


class Largest(TorchDispatchMode):
    """The most numbers any one result holds while this is on."""

    numbers = 0

    def __torch_dispatch__(self, call: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = call(*args, **(kwargs or {}))
        for one in made if isinstance(made, tuple | list) else [made]:
            if isinstance(one, Tensor):
                self.numbers = max(self.numbers, one.numel())
        return made


@EVERY_FORM
def test_no_intermediate_is_larger_than_a_block_or_the_rows(form: str) -> None:
    count, dim, elements = 600, 8, 6_000
    random = torch.Generator().manual_seed(0)
    rows = normalize(torch.randn(count, dim, generator=random), dim=1).requires_grad_()
    denominator, aggregate = FORMS[form]
    with Largest() as largest:
        in_blocks(
            rows, rows, by_label(torch.arange(count) % 9), temperature=0.1,
            denominator=denominator, aggregate=aggregate, elements=elements,
        ).backward()  # fmt: skip
    assert 0 < largest.numbers <= max(elements, count * dim)
