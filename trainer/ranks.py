"""One run in several processes, each encoding its part of every batch, with the gradients of one process.

    views, answers, queue, loss   equal on every rank: they follow from the seed and the step
    z = sum_r pad(z_r)            rank r of R encodes its slice of the batch; sums go over the ranks, in backward too
    dL/dw = sum_r d(L / R)/dw     so it does not matter which weights see a slice and which see the whole batch

Batch normalisation inside a slice takes mean and variance of the whole batch. Nothing else of a step knows of ranks.
Source: Goyal et al. 2017, "Accurate, large minibatch SGD", arXiv 1706.02677, section 3 (sums, and what to divide by);
Ioffe and Szegedy 2015, "Batch normalization", arXiv 1502.03167, algorithm 1.
Differs from torch's SyncBatchNorm: runs on CPUs too, and leaves the modules of a network as they are.
"""

import os
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn.functional import batch_norm, pad
from torch.overrides import TorchFunctionMode

from db.errors import BadInput, LostPeer
from trainer import chance

MEETING = "PAIRWRIGHT_MEETING"  # address where the processes of one machine find each other; else torchrun's
PATIENCE = timedelta(hours=6)  # the first rank may be reading pictures; a process that ends is noticed at once


def rank() -> int:
    """Number of this process, from 0. Only 0 writes anything."""
    return dist.get_rank() if dist.is_initialized() else 0


def count() -> int:
    """How many processes share this run."""
    return dist.get_world_size() if dist.is_initialized() else 1


@contextmanager
def joined() -> Iterator[None]:
    """Be the process that RANK and WORLD_SIZE name, as torchrun and `train --processes` set them; alone without them.

    Where they have met already, as workers of Ray have, they stay together afterwards.
    Raises: BadInput where processes would have to share a GPU. LostPeer where another one ended.
    """
    wanted, met = int(os.environ.get("WORLD_SIZE", "1")), dist.is_initialized()
    if wanted == 1 and not met:
        yield
        return
    _settle(wanted)
    if not met:
        _meet(wanted)
    try:
        yield
    finally:
        if not met:
            dist.destroy_process_group()


def _settle(wanted: int) -> None:
    """A GPU of its own, or a fair share of the processors."""
    local = int(os.environ.get("LOCAL_RANK", os.environ["RANK"]))
    if torch.cuda.is_available():
        if local >= torch.cuda.device_count():
            raise BadInput(f"processes = at most {torch.cuda.device_count()}, one a GPU, expected, got {wanted}.")
        torch.cuda.set_device(local)
    elif "OMP_NUM_THREADS" not in os.environ:
        here = int(os.environ.get("LOCAL_WORLD_SIZE", wanted))
        torch.set_num_threads(max((os.cpu_count() or 1) // here, 1))


def shared(encode: Callable[[Tensor], Tensor], pixels: Tensor) -> Tensor:
    """encode(pixels), each rank encoding its slice of the rows: (B, ...) -> (B, ...) on every rank, with gradient."""
    if count() == 1 or len(pixels) < count():
        return encode(pixels)
    sizes = [len(part) for part in pixels.tensor_split(count())]
    before = sum(sizes[: rank()])
    with _WholeBatch(), _own_draws():
        z = encode(pixels[before : before + sizes[rank()]])
    return total(pad(z, [0, 0] * (z.dim() - 1) + [before, len(pixels) - before - len(z)]))


def total(part: Tensor) -> Tensor:
    """Sum over the ranks, the same on each; the gradient is the sum of their gradients."""
    if count() == 1:
        return part
    summed: Tensor = _Total.apply(part)  # type: ignore[no-untyped-call]
    return summed


def add_gradients(weights: Iterable[Tensor]) -> None:
    """After backward of loss / count() on every rank: put the whole gradient in place."""
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    if count() == 1 or not gradients:
        return
    flat = _summed(torch.cat([gradient.flatten() for gradient in gradients]))
    parts = flat.split([gradient.numel() for gradient in gradients])
    torch._foreach_copy_(gradients, [part.view(one.shape) for one, part in zip(gradients, parts, strict=True)])


def anyone(flag: bool) -> bool:
    """Whether it is so on any rank: all of them act alike."""
    return bool(_summed(torch.tensor(float(flag), device=_device()))) if count() > 1 else flag


def agreed(number: int) -> bool:
    """Whether every rank has this number, of at most 63 bits."""
    if count() == 1:
        return True
    parts = torch.tensor([number >> shift & 0xFFFF for shift in (0, 16, 32, 48)], device=_device())
    return not anyone(not torch.equal(_summed(parts.clone()), count() * parts))


class _Total(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, part: Tensor) -> Tensor:
        return _summed(part.clone(memory_format=torch.contiguous_format))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        return _summed(gradient.clone(memory_format=torch.contiguous_format))


def _summed(values: Tensor) -> Tensor:
    """In place."""
    try:
        dist.all_reduce(values)
    except RuntimeError as error:
        raise LostPeer(
            "another process of this training ended, so this one stops too. The same command goes on from the last "
            "state."
        ) from error
    return values


class _WholeBatch(TorchFunctionMode):
    """Inside, batch normalisation of a slice is that of the whole batch, in whatever module it happens."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return (_normalised if function is batch_norm else function)(*args, **(kwargs or {}))


def _normalised(
    x: Tensor, mean: Tensor | None, variance: Tensor | None, weight: Tensor | None = None, bias: Tensor | None = None,
    training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """What `torch.nn.functional.batch_norm` gives for the rows of all ranks: (b, C, ...) -> (b, C, ...)."""
    if not training:
        return batch_norm(x, mean, variance, weight, bias, training, momentum, eps)
    over, shape = [0, *range(2, x.dim())], [1, -1] + [1] * (x.dim() - 2)
    wide = x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
    places = total(torch.tensor(x.numel() / x.shape[1], dtype=wide.dtype, device=x.device))
    centre = total(wide.sum(over)) / places  # (C,)
    off = wide - centre.view(shape)
    square = total(off.square().sum(over)) / places
    if mean is not None and variance is not None:
        with torch.no_grad():
            mean.lerp_(centre.to(mean), momentum)
            variance.lerp_((square * places / (places - 1)).to(variance), momentum)
    scale = (square + eps).rsqrt() if weight is None else (square + eps).rsqrt() * weight
    out = off * scale.view(shape)
    return (out if bias is None else out + bias.view(shape)).to(x.dtype)


@contextmanager
def _own_draws() -> Iterator[None]:
    """Dropout differs from slice to slice; what is drawn after it is the same on every rank."""
    before = torch.get_rng_state()
    torch.manual_seed(chance.number(_number_of(before), rank()))
    start = torch.get_rng_state()
    try:
        yield
    finally:
        drawn = not torch.equal(start, torch.get_rng_state())
        torch.set_rng_state(before)
        if drawn:
            torch.rand(1)


def _number_of(state: Tensor) -> int:
    """What a draw from this state would give; the state stays."""
    return int(torch.randint(2**62, (), generator=torch.Generator().set_state(state)))


def _meet(wanted: int) -> None:
    local = [name for _, name in socket.if_nameindex() if name.startswith("lo")]
    if MEETING in os.environ and local:
        os.environ.setdefault("GLOO_SOCKET_IFNAME", local[0])  # one machine: nothing listens to the outside
    dist.init_process_group(
        "nccl" if torch.cuda.is_available() else "gloo", init_method=os.environ.get(MEETING, "env://"),
        rank=int(os.environ["RANK"]), world_size=wanted, timeout=PATIENCE,
    )  # fmt: skip


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
