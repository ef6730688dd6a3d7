"""One run: what its choice was worth, what it chose, and how well it tells wrong captions from right ones."""

import time
from typing import Any

import torch
from sklearn.metrics import roc_auc_score

from benchmarks.curation.sets import WORDS, Digits, load
from benchmarks.negatives.trial import recipe_of
from trainer.choosing import Chooser
from trainer.suspects import ranked
from trainer.training import Training, TrainSettings

EPOCHS, BATCH, FIRST = 15, 64, 100


def measure(system: str, noise: str, seed: int) -> dict[str, Any]:
    """A line of results. system: NAME or NAME:KEY=VALUE,..."""
    data = load(noise, seed)
    plan = TrainSettings(size=data.pixels.shape[1], epochs=EPOCHS, batch=BATCH, rate=1e-3, seed=seed)
    run = Training(recipe_of(system, seed), data.pixels, data.attributes.ids, plan, attributes=data.attributes)
    began, taught = time.process_time(), 0.0
    if run.chooser is not None and "reference" in run.chooser.selector.reads:
        run.chooser.reference  # noqa: B018  taught here, to be timed by itself
        taught = time.process_time() - began
    while run.done < run.steps:
        run.step()
    spent = time.process_time() - began
    return {
        "system": system, "noise": noise, "seed": seed, "steps": run.steps, "batch": BATCH,
        "zero_shot": zero_shot(run, data),
        "train_s": spent, "reference_s": taught, **(told(run.chooser, data) if run.chooser else {}),
    }  # fmt: skip


def zero_shot(run: Training, data: Digits) -> float:
    """Share of the asked digits whose nearest of ten words is the right one."""
    words: Any = run.recipe.look
    with torch.no_grad():
        texts = words.shown(run.encoders, torch.from_numpy(words.read(list(WORDS))))
    seen = torch.from_numpy(run.encoders.embed(data.asked, projected=True))
    return float(((seen @ texts.T).argmax(1).numpy() == data.truth).mean())


def told(chooser: Chooser, data: Digits) -> dict[str, float]:
    """Share of wrong captions among what was chosen; of open pairs: AUC of the doubt, and wrong ones of the first
    hundred suspects."""
    looks = chooser.looks
    found = {"wrong_chosen": float(looks.chosen[data.wrong].sum() / looks.chosen.sum())}
    doubted = ranked(data.attributes.ids, looks)
    open_ = [number for number in doubted if data.attributes.values["confirmed"][number] is None]
    if open_:
        wrong = data.wrong[open_]
        found["auc"] = float(roc_auc_score(wrong, [doubted[number] for number in open_]))
        found["first"] = float(wrong[:FIRST].mean())
    return found
