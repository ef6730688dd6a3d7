"""What a program holds comes in like files: torchvision's data sets, arrays, pictures with attributes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.importers.samples import import_samples
from tests.importers.conftest import Desk


def pixels(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (12, 10, 3), np.uint8)


def test_a_torchvision_data_set_comes_in_with_its_classes(desk: Desk, tmp_path: Path) -> None:
    library = pytest.importorskip("torchvision.datasets")
    for number, kind in enumerate(("cat", "dog", "cat")):
        (tmp_path / "tree" / kind).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels(number)).save(tmp_path / "tree" / kind / f"{number}.png")
    tree = library.ImageFolder(str(tmp_path / "tree"))
    report = import_samples(desk.database, desk.workspace, tree, "pictures", classes=tree.classes, workers=1)
    assert (report.added, report.skipped) == (3, [])
    assert sorted(item.attributes["label"] for item in desk.items()) == ["cat", "cat", "dog"]
    again = import_samples(desk.database, desk.workspace, tree, "pictures", classes=tree.classes, workers=1)
    assert (again.added, again.known) == (0, 3)


def test_arrays_attributes_and_broken_samples(desk: Desk) -> None:
    samples = [
        (pixels(1), {"kind": "cat", "n": 3}), pixels(2)[..., 0], (Image.fromarray(pixels(3)), np.int64(4)),
        (pixels(4), 1.5), ("no picture", 1), (pixels(1), 2),
    ]  # fmt: skip
    report = import_samples(desk.database, desk.workspace, samples, "pictures", workers=1, name="shot")
    known = {item.name: item.attributes for item in desk.items()}
    assert known == {"shot-000000": {"kind": "cat", "n": 3}, "shot-000001": {}, "shot-000002": {"label": 4},
                     "shot-000003": {"label": 1.5}}  # fmt: skip
    assert [name for name, _ in report.skipped] == ["shot-000004", "shot-000005"]
    assert "cannot be read" in report.skipped[0][1] and "same bytes" in report.skipped[1][1]
