"""One experiment: teach a generator and judge what it makes, or train with what was accepted."""

import time
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.negatives.pictures import PictureSet, load
from oracle import plugins
from trainer import chance
from trainer.encoding import Encoders
from trainer.generated import Generated
from trainer.generating import FAMILY, candidates, learn
from trainer.probe import knn_accuracy, voted
from trainer.recipe import build
from trainer.training import Training, TrainSettings

SET, SIDE, START = "fashion", 32, "start"
EPOCHS, BATCH, RATE = 6, 256, 1e-3
ANCHORS, EACH = 60, 2
GENERATORS: dict[str, dict[str, Any]] = {
    "clsp": {"steps": 250, "ddim": 20}, "clsp:w=1": {"steps": 250, "ddim": 20, "w": 1.0}, "wu": {"steps": 200},
}  # fmt: skip
SHOWN = 8  # anchors of the sheet that is kept


@cache
def pictures() -> PictureSet:
    """Fashion-MNIST, enlarged to the side that the generators have."""
    found = load(SET, Path())
    parts = [_enlarged(part) for part in (found.pixels, found.asked)]
    return PictureSet(SET, parts[0], found.labels, parts[1], found.truth)


def _enlarged(pixels: np.ndarray) -> np.ndarray:
    sides = (SIDE, SIDE)
    return np.stack([np.asarray(Image.fromarray(one).resize(sides, Image.Resampling.BICUBIC)) for one in pixels])


def ids() -> np.ndarray:
    """(N,) of the pictures."""
    return np.arange(len(pictures().pixels), dtype=np.int64)


def generate(name: str, seed: int, folder: Path) -> dict[str, Any]:
    """Teach a generator, make candidates, judge each by the real pictures nearest to it. name: of GENERATORS."""
    data, began = pictures(), time.process_time()
    settings = plugins.load(FAMILY, name.partition(":")[0], side=SIDE, candidates=EACH, **GENERATORS[name])
    maker, reports = settings.maker(seed), []
    same = {key: value for key, value in asdict(settings).items() if key != "w"}
    learn(
        maker, data.pixels, settings.steps, settings.batch, state=folder / f"{name.partition(':')[0]}-{seed}.state",
        about={"settings": str(same)}, told=lambda done, of, report: reports.append(report), cancelled=lambda: False,
    )  # fmt: skip
    learnt = time.process_time()
    anchors = np.sort(np.random.default_rng((seed, chance.MADE)).permutation(ids())[:ANCHORS])
    made = np.concatenate([candidates(maker, data.pixels[row], int(row), EACH) for row in anchors])
    finished = time.process_time()
    of, eye = anchors.repeat(EACH), _eye(seed)
    votes = voted(eye.embed(data.pixels), data.labels, eye.embed(made))
    right = votes == data.labels[of]
    np.savez_compressed(folder / f"{_file(name)}-{seed}.npz", pictures=made, anchors=of, accepted=right)
    _sheet(data.pixels[anchors[:SHOWN]], made[: SHOWN * EACH]).save(folder / f"{_file(name)}-{seed}.png")
    distance = np.abs(made[::EACH].astype(int) - made[1::EACH].astype(int)).mean() / 255
    return {
        "experiment": "generate", "system": name, "seed": seed, "pictures": len(made), "anchors": len(anchors),
        "steps": settings.steps, "accepted": float(right.mean()), "apart": float(distance),
        "learn_s": learnt - began, "make_s": finished - learnt,
        "first": reports[0] if reports else {}, "last": _mean(reports[-20:]), "early": _mean(reports[20:60]),
    }  # fmt: skip


def train(name: str, seed: int, folder: Path) -> dict[str, Any]:
    """kNN accuracy after training. name: METHOD, or METHOD:GENERATOR:USE with USE accepted, all or rejected;
    settings behind the METHOD as METHOD@KEY=VALUE."""
    method, _, rest = name.partition(":")
    data, given = pictures(), _given(rest, seed, folder) if rest else None
    began = time.process_time()
    run = _run("simclr" if method == START else method, seed, given)
    while method != START and run.done < run.steps:
        run.step()
    spent = time.process_time() - began
    knn = knn_accuracy(run.embed(), data.labels, run.encoders.embed(data.asked), data.truth)
    return {
        "experiment": "train", "system": name, "seed": seed, "knn": knn, "train_s": spent, "epochs": EPOCHS,
        "synthetic": 0 if given is None else len(given.pictures), "pictures": len(data.pixels),
    }  # fmt: skip


def plain_is_plain(seed: int) -> dict[str, Any]:
    """Bar f: with weight 1 the hook changes no bit of what diffusers' own loop makes."""
    settings = plugins.load(FAMILY, "clsp", side=SIDE, candidates=EACH, ddim=20, w=1.0)
    maker, anchor = settings.maker(seed), torch.from_numpy(pictures().pixels[:2].copy()).permute(0, 3, 1, 2) / 127.5 - 1
    made = [maker.candidates(one, 1, EACH) for one in anchor]
    net = maker.networks["average"].eval()
    random = chance.generator(seed, chance.MADE, 1)
    found = torch.randn((EACH, 3, SIDE, SIDE), generator=random)
    torch.randn((1, 3, SIDE, SIDE), generator=random)
    maker.noise.set_timesteps(settings.ddim)
    with torch.no_grad():
        for at in maker.noise.timesteps:
            fresh = torch.randn(found.shape, generator=random)
            step = maker.noise.step(net(found, at).sample, at, found, eta=settings.eta, variance_noise=fresh)
            found = step.prev_sample
    equal = all(torch.equal(one, found.clamp(-1, 1)) for one in made)
    return {"experiment": "plain", "system": "clsp:w=1", "seed": seed, "equal": equal}


def _run(method: str, seed: int, given: Generated | None) -> Training:
    plan = TrainSettings(size=SIDE, epochs=EPOCHS, batch=BATCH, seed=seed, rate=RATE)
    name, _, said = method.partition("@")
    settings = dict([said.split("=")]) if said else {}
    return Training(build(name, settings, seed=seed), pictures().pixels, ids(), plan, generated=given)


@cache
def _eye(seed: int) -> Encoders:
    """Whose features vote: SimCLR taught the same pictures, no label."""
    run = _run("simclr", seed + 100, None)
    while run.done < run.steps:
        run.step()
    return run.encoders


def _given(rest: str, seed: int, folder: Path) -> Generated:
    generator, _, use = rest.partition(":")
    with np.load(folder / f"{_file(generator)}-{seed}.npz") as kept:
        made, anchors, accepted = kept["pictures"], kept["anchors"], kept["accepted"]
    used = {"accepted": accepted, "rejected": ~accepted, "all": np.ones_like(accepted)}[use]
    return Generated(made[used], anchors[used])


def _file(name: str) -> str:
    return name.replace(":", "-").replace("=", "")


def _mean(reports: list[dict[str, float]]) -> dict[str, float]:
    return {key: float(np.mean([one[key] for one in reports])) for key in (reports[0] if reports else {})}


def _sheet(anchors: np.ndarray, made: np.ndarray) -> Image.Image:
    """Anchors in the first row, their candidates under them."""
    rows = [np.concatenate(list(anchors), 1), *(np.concatenate(list(made[k::EACH]), 1) for k in range(EACH))]
    sheet = Image.fromarray(np.concatenate(rows, 0))
    return sheet.resize((3 * sheet.width, 3 * sheet.height), Image.Resampling.NEAREST)
