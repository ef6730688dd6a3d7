"""Teach a generator a collection's pictures, keep it, and let it make candidates of anchors.

pictures (N, S, S, 3) -> steps, stored so that a stopped run goes on bit-equal -> weights -> candidates (C, S, S, 3)
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load, save
from torch import Tensor

from db.artifacts import ArtifactStore
from db.errors import BadInput, Broken
from trainer import chance, training_state
from trainer.attributes import Attributes
from trainer.generators._maker import Maker

FAMILY = "trainer.generators"
FOLDER, WEIGHTS, ABOUT = "generators", "generator.safetensors", "generator.json"
SAVE_S = 60.0  # what a kill may cost
Told = Callable[[int, int, Mapping[str, float]], None]  # steps done, of, what to report


def maker_of(generator: Any, seed: int, attributes: Callable[[], Attributes]) -> Maker:
    """The maker before its first step. attributes: asked for where the generator says that it knows metadata."""
    made: Maker = generator.maker(seed, attributes()) if getattr(generator, "knows", False) else generator.maker(seed)
    return made


def learn(
    maker: Maker, pictures: np.ndarray, steps: int, batch: int, *, state: Path, about: Mapping[str, str], told: Told,
    cancelled: Callable[[], bool],
) -> bool:  # fmt: skip
    """Take the steps that are left; False if cancelled, and the state is kept. The stored state of the same `about` is
    gone on from. Raises: BadInput where the loss is not finite or there are too few pictures."""
    if len(pictures) < 2:
        raise BadInput(f"a generator learns from 2 pictures or more, got {len(pictures)}. Import some.")
    if (stored := training_state.read(state, about)) is not None:
        maker.load_state(stored)
    saved_at = time.monotonic()
    while maker.done < steps and not cancelled():
        report = maker.step(*_drawn(maker, pictures, batch))
        if not np.isfinite(list(report.values())).all():
            raise BadInput(f"the loss of step {maker.done} is not finite. Lower the rate: --set rate=1e-4.")
        told(maker.done, steps, report)
        if time.monotonic() - saved_at >= SAVE_S:
            keep(state, maker, about)
            saved_at = time.monotonic()
    keep(state, maker, about)
    return maker.done >= steps


def keep(path: Path, maker: Maker, about: Mapping[str, str]) -> None:
    """Store what going on needs."""
    training_state.write_tensors(path, maker.state(), about)


def store(artifacts: ArtifactStore, name: str, maker: Maker, about: Mapping[str, Any]) -> str:
    """Keep a generator that has learnt; returns its identity, the checksum of its weights."""
    words = json.dumps(dict(about), sort_keys=True).encode()
    artifacts.save(f"{FOLDER}/{name}", {WEIGHTS: save(maker.weights()), ABOUT: words})
    return identity(artifacts, name)


def identity(artifacts: ArtifactStore, name: str) -> str:
    """SHA-256 of a generator's weights."""
    return artifacts.manifest(f"{FOLDER}/{name}").files[WEIGHTS][0]


def known(artifacts: ArtifactStore, name: str) -> bool:
    """Whether a generator of this name was kept."""
    return artifacts.exists(f"{FOLDER}/{name}")


def taught(artifacts: ArtifactStore, name: str, maker: Maker) -> Maker:
    """The maker with the kept weights. Raises: Broken where they are damaged."""
    folder = artifacts.open(f"{FOLDER}/{name}")
    try:
        maker.load_weights(load((folder / WEIGHTS).read_bytes()))
    except (OSError, ValueError) as error:
        raise Broken(f"the generator '{name}' cannot be read ({error}). Remove it and make it again.") from error
    return maker


def name_of(method: str, words: Mapping[str, Any]) -> str:
    """The name a generator is kept by: the same words, the same generator."""
    said = json.dumps(dict(words), sort_keys=True)
    return f"{method}-{hashlib.sha256(said.encode()).hexdigest()[:12]}"


def candidates(maker: Maker, anchor: np.ndarray, item: int, count: int) -> np.ndarray:
    """(C, S, S, 3) uint8 made of one (S, S, 3) uint8 anchor, the item with this id."""
    made = maker.candidates(_signed(anchor[None])[0], item, count)
    return ((made + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).contiguous().numpy()


def _drawn(maker: Maker, pictures: np.ndarray, batch: int) -> tuple[Tensor, np.ndarray]:
    """A batch of distinct pictures, half of them seen in a mirror unless it matters, and which they are."""
    random = np.random.default_rng((maker.seed, chance.ORDER, maker.done))
    among = np.arange(len(pictures)) if maker.rows is None else maker.rows
    rows = np.sort(random.choice(among, min(batch, len(among)), replace=False))
    pixels = _signed(np.asarray(pictures[rows]))
    turned = torch.from_numpy(random.random(len(rows)) < 0.5 * maker.mirrors)
    return torch.where(turned[:, None, None, None], pixels.flip(3), pixels), rows


def _signed(pictures: np.ndarray) -> Tensor:
    """(B, S, S, 3) uint8 -> (B, 3, S, S) float in [-1, 1]."""
    return torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float().contiguous() / 127.5 - 1
