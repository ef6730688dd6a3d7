"""`pairwright match`: from pictures with captions to the captions that do not fit."""

import csv
import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.cli.main import run
from app.matching import caption_chances
from app.settings import Settings
from db import catalog

COUNT, WRONG = 48, 5
COLOURS = {"red": (200, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 200)}
SHORT = (
    "--set",
    "size=16",
    "--set",
    "batch=24",
    "--set",
    "rate=3e-3",
    "--set",
    "views.colour=0",
    "--set",
    "views.grey=0",
)
Call = Callable[..., tuple[int, dict[str, object], str]]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 pictures of three colours; one caption names another colour, and one is missing."""
    folder, place = tmp_path_factory.mktemp("pictures"), tmp_path_factory.mktemp("workspace")
    random, names = np.random.default_rng(0), list(COLOURS)
    with (folder / "metadata.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "path", "caption", "note"])
        for number in range(COUNT):
            colour = names[number % 3]
            pixels = np.array(COLOURS[colour]) + random.integers(0, 50, (24, 24, 3))
            Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number:02}.png")
            said = "green" if number == WRONG else "" if number == 9 else colour
            writer.writerow([f"{number:02}", f"{number:02}.png", said, ""])
    where = ["--workspace", str(place)]
    assert run(["import", str(folder), "--collection", "tiles", "--metadata", "metadata.csv", *where]) == 0
    return place


@pytest.fixture
def call(workspace: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    def go(*words: object) -> tuple[int, dict[str, object], str]:
        capsys.readouterr()
        code = run([*map(str, words), "--workspace", str(workspace), "--json"])
        out, err = capsys.readouterr()
        return code, json.loads(out) if out else {}, err

    return go


def test_the_caption_that_does_not_fit_comes_first(call: Call, workspace: Path, tmp_path: Path) -> None:
    fused = ("--set", "grid=1", "--set", "width=32", "--epochs", "45")
    code, done, err = call("train", "beit3", "--collection", "tiles", *fused, *SHORT)
    assert code == 0 and done["reads"], err
    asked = ("match", "--collection", "tiles", "--encoder", done["encoder"])
    code, found, err = call(*asked)
    assert code == 0 and found["column"] == "caption" and len(found["rows"]) == 20, err  # type: ignore[arg-type]
    first, second = found["rows"][:2]  # type: ignore[index]
    assert first["caption"] == "green" and first["name"].startswith(f"{WRONG:02}")
    assert first["p"] < 0.3 < second["p"]
    code, written, err = call(*asked, "--out", tmp_path / "fit.csv")
    assert code == 0 and written["rows"] == COUNT - 1, err
    rows = list(csv.DictReader((tmp_path / "fit.csv").read_text(encoding="utf-8").splitlines()))
    assert [float(row["p"]) for row in rows] == sorted(float(row["p"]) for row in rows)
    settings = Settings(workspace=workspace)
    with closing(settings.open()) as database:
        chances = caption_chances(settings, database, "tiles", str(done["encoder"]))
        with database.read() as s:
            items = catalog.items(s, catalog.collection_id(s, "tiles"))
    silent = {item.id for item in items if not str(item.attributes.get("caption") or "")}
    assert set(chances) == {item.id for item in items} - silent and len(silent) == 1
    assert {row["item"]: pytest.approx(float(row["p"])) for row in rows} == {str(n): p for n, p in chances.items()}


def test_vectors_of_pictures_and_words_are_compared_too(call: Call) -> None:
    code, done, err = call("train", "clip", "--collection", "tiles", "--epochs", "20", *SHORT)
    assert code == 0 and done["reads"], err
    code, found, err = call("match", "--collection", "tiles", "--encoder", done["encoder"], "--limit", "0")
    assert code == 0 and len(found["rows"]) == COUNT - 1, err  # type: ignore[arg-type]
    assert found["rows"][0]["caption"] == "green"  # type: ignore[index]


def test_what_cannot_be_asked_is_said_in_a_sentence(call: Call) -> None:
    code, done, err = call("train", "simclr", "--collection", "tiles", "--epochs", "1", *SHORT)
    assert code == 0 and not done["reads"], err
    match = ("match", "--collection", "tiles")
    code, _, err = call(*match, "--encoder", done["encoder"])
    assert code == 2 and "reads no words beside pictures" in err
    code, _, err = call(*match, "--encoder", "../else")
    assert code == 2 and "reads no words" in err
    code, _, err = call(*match)
    assert code == 2 and "either --encoder or --version" in err
    code, done, err = call("train", "clip", "--collection", "tiles", "--epochs", "1", *SHORT)
    code, _, err = call(*match, "--encoder", done["encoder"], "--column", "captoin")
    assert code == 2 and "Did you mean 'caption'" in err
    code, _, err = call(*match, "--encoder", done["encoder"], "--column", "note")
    assert code == 2 and "no item has words in the column 'note'" in err
