"""Do pictures follow the sound? AudioToken on digits written and spoken, by the commands of a user.

1,000 pictures have their digit, 500 of them a recording, too. 500 more have a recording and no digit, so they teach
nothing: 300 of the speakers heard, 200 of two others. The reader of what is made knows the 797 pictures that taught
nothing.
"""

import csv
import shutil
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from app.cli.main import run as shell
from app.settings import Settings
from benchmarks.spoken.sets import SIDE, recordings, written
from db import catalog, synthetic
from db.errors import Broken
from trainer import chance
from trainer.pictures import decode_square
from trainer.probe import voted

NAME, COLUMN = "digits", "digit"
SIZES = {"taught": 500, "silent": 500, "unheard": 300, "strange": 200}  # silent: a digit and no recording
TAUGHT, LEFT = 1000, 797  # of 1,797 pictures
COUNT, SHOWN = 500, 10
SETTINGS = {"classes": COLUMN, "side": SIDE, "steps": 1500, "listening": 400, "ddim": 20, "candidates": 1}


def measure(seed: int, work: Path, archives: Path) -> dict[str, Any]:
    """A line of results: shares of pictures that are read as the digit that was said, and as that of another sound."""
    folder = work / f"audiotoken-{seed}"
    shutil.rmtree(folder, ignore_errors=True)
    order = np.random.default_rng((seed, chance.ORDER)).permutation(len(written()[0]))
    gather(folder / NAME, order, seed, archives)
    where = ["--collection", NAME, "--workspace", str(folder / "workspace")]
    _run("import", str(folder / NAME / "metadata.csv"), *where, "--audio-column", "recording")
    began = time.process_time()
    sets = [word for key, value in SETTINGS.items() for word in ("--set", f"{key}={value}")]
    _run("synthetic", "make", "audiotoken", *where, "--count", str(COUNT), "--seed", str(seed), *sets)
    spent = time.process_time() - began
    pictures, said, part = proposed(folder / "workspace")
    sheet(pictures, said, part).save(folder / "sheet.png")
    real, real_digits = written()[0][order[:TAUGHT]], written()[1][order[:TAUGHT]]
    return {
        "experiment": "heard", "system": "audiotoken", "seed": seed, "steps": SETTINGS["steps"], "make_s": spent,
        "reader": float((read(real, order) == real_digits).mean()), **figures(read(pictures, order), said, part, seed),
    }  # fmt: skip


def gather(folder: Path, order: np.ndarray, seed: int, archives: Path) -> None:
    """Pictures, recordings and metadata.csv as somebody would import them."""
    random, (pixels, digits) = np.random.default_rng((seed, chance.MATES)), written()
    heard, unheard, strange = recordings(archives)
    sounds = {"taught": heard, "unheard": unheard, "strange": strange}
    rows, parts = [], [name for name, count in SIZES.items() for _ in range(count)]
    folder.mkdir(parents=True)
    for row, part in zip(order, parts, strict=False):
        Image.fromarray(pixels[row]).save(folder / f"{row}.png")
        recording = "" if part == "silent" else f"{row}.wav"
        if recording:
            shutil.copyfile(sounds[part].drawn(digits[[row]], random)[0], folder / recording)
        known = str(digits[row]) if part in ("taught", "silent") else ""
        rows.append((f"{row}.png", recording, known, str(digits[row]), part))
    with (folder / "metadata.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("path", "recording", COLUMN, "said", "part"), *rows])


def proposed(workspace: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(M, S, S, 3) proposals, (M,) the digit said, and (M,) the part of their items."""
    with closing(Settings(workspace).open()) as database, database.read() as s:
        number = catalog.collection_id(s, NAME)
        items, found = {one.id: one for one in catalog.items(s, number)}, synthetic.pictures(s, number)
    about = [items[one.anchor].attributes for one in found]
    pixels = [decode_square((workspace / one.path).read_bytes(), SIDE, Image.Resampling.BICUBIC) for one in found]
    return np.stack(pixels), np.array([int(one["said"]) for one in about]), np.array([one["part"] for one in about])


def read(pictures: np.ndarray, order: np.ndarray) -> np.ndarray:
    """(M,) digits, by a vote of the nearest of the pictures that taught nothing."""
    flat, (pixels, digits) = pictures.reshape(len(pictures), -1).astype(float), written()
    known = order[TAUGHT:]
    return voted(pixels[known].reshape(len(known), -1).astype(float), digits[known], flat, voters=5)


def figures(found: np.ndarray, said: np.ndarray, part: np.ndarray, seed: int) -> dict[str, Any]:
    """Of each part: how many pictures, the share read as what was said, and as what was said in another recording."""
    random, told = np.random.default_rng((seed, chance.MADE)), {}
    for name in ("taught", "unheard", "strange"):
        mine, spoken = found[part == name], said[part == name]
        shuffled = [float((mine == random.permutation(spoken)).mean()) for _ in range(100)]
        told[name] = {"pictures": len(mine), "right": float((mine == spoken).mean()), "shuffled": np.mean(shuffled)}
    return told


def sheet(pictures: np.ndarray, said: np.ndarray, part: np.ndarray) -> Image.Image:
    """A row for each digit: what recordings made that taught nothing."""
    new, blank = part != "taught", np.zeros_like(pictures[:SHOWN])
    rows = [np.concatenate(list(np.concatenate([pictures[new & (said == digit)], blank])[:SHOWN]), 1)
            for digit in range(10)]  # fmt: skip
    found = Image.fromarray(np.concatenate(rows, 0))
    return found.resize((3 * found.width, 3 * found.height), Image.Resampling.NEAREST)


def _run(*words: str) -> None:
    if (code := shell(list(words))) != 0:
        raise Broken(f"pairwright {words[0]} ended with {code}, see above. Run it alone.")
