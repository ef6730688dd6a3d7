import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from db.errors import BadInput
from trainer.queue import Queue


@given(size=st.integers(1, 9), batches=st.lists(st.integers(0, 12), max_size=6))
def test_the_last_pushed_stay_each_with_its_item(size: int, batches: list[int]) -> None:
    queue, pushed = Queue(size, 2), []
    for count in batches:
        ids = torch.arange(len(pushed), len(pushed) + count)
        queue.push(torch.stack([ids.float(), -ids.float()], 1), ids)
        pushed += ids.tolist()
    assert sorted(queue.ids.tolist()) == pushed[-size:]
    assert torch.equal(queue.keys[:, 0], queue.ids.float())


def test_a_checkpoint_goes_on_with_the_same_slots() -> None:
    one, other = Queue(5, 2), Queue(5, 2)
    one.push(torch.randn(3, 2), torch.arange(3))
    other.load_state(one.state())
    for queue in (one, other):
        queue.push(torch.ones(4, 2), torch.arange(10, 14))
    assert torch.equal(one.ids, other.ids) and torch.equal(one.keys, other.keys)


def test_nothing_pushes_back_into_what_was_queued() -> None:
    queue, keys = Queue(4, 2), torch.ones(2, 2, requires_grad=True)
    queue.push(keys, torch.arange(2))
    assert not queue.keys.requires_grad


def test_a_queue_of_another_size_is_refused() -> None:
    with pytest.raises(BadInput, match=r"a queue of \(5, 2\) expected, the checkpoint has \(4, 2\)"):
        Queue(5, 2).load_state(Queue(4, 2).state())
    with pytest.raises(BadInput, match="1 slot"):
        Queue(0, 2)
