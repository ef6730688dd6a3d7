"""The benchmark of named systems: sound counts, one small run from end to end; docs/methods is what docstrings say."""

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.negatives import __main__ as command
from benchmarks.negatives import answers, pictures
from benchmarks.negatives.__main__ import FILE, lines, main
from benchmarks.negatives.answers import asked
from benchmarks.negatives.pictures import PictureSet
from benchmarks.negatives.report import page
from benchmarks.negatives.trial import Budget, false_negatives, measure
from db.nouns import Verdict
from tests.patterns import patterns
from trainer.objectives.contrast import Objective
from trainer.pool import Pool
from trainer.snapshot import build

DOCS = Path(__file__).parents[2] / "docs"


def some_pictures(name: str = "fashion", folder: Path = Path()) -> PictureSet:
    known, asked_ = patterns(96), patterns(60, seed=1)
    return PictureSet(name, *known, *asked_)


def test_false_negatives_are_counted_by_weight_and_by_mass() -> None:
    anchors = torch.tensor([[1.0, 0.0]])
    keys = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    pool = Pool.of(anchors, keys, torch.tensor([0]), torch.tensor([1, 2, 3]), torch.zeros(1, 3), torch.zeros(1, 3))
    found = false_negatives(pool, torch.tensor([7, 7, 8, 8]), Objective(temperature=1.0))
    mass = np.exp([1.0, 0.0, -1.0])
    assert found["false"] == pytest.approx(1 / 3)
    assert found["false_mass"] == pytest.approx(mass[0] / mass.sum())
    cleaned = Pool(**{**vars(pool), "neg": torch.tensor([[0.0, 1.0, 1.0]])})
    assert set(false_negatives(cleaned, torch.tensor([7, 7, 8, 8]), Objective()).values()) == {0.0}


def test_answers_are_truthful_and_counted_by_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "ANSWERS", 40)
    pixels, labels = patterns(120)
    snapshot = build(np.arange(120), pixels.reshape(120, -1).astype(np.float32))
    for screen in (1, 12):
        graph = asked(snapshot, labels, 0, screen)
        given = {one.answer for one in graph.statements}
        assert len(given) <= 40 and (screen > 1 or len(graph.statements) == len(given))
        for one in graph.statements:
            assert (one.verdict is Verdict.SAME) == (labels[one.a] == labels[one.b])


def test_a_setting_can_be_measured_as_a_system_of_its_own() -> None:
    line = measure("simclr:temperature=0.5", some_pictures(), 0, Budget(1, 32))
    assert line["system"] == "simclr:temperature=0.5" and line["steps"] == 3
    assert 0 <= line["knn"] <= 1 and 0 <= line["linear"] <= 1 and 0 < line["false"] < 1


def test_a_run_appends_resumes_and_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "load", some_pictures)
    file = tmp_path / "results.jsonl"
    small = ["--sets", "fashion", "--epochs", "1", "--batch", "32", "--seeds", "0", "--results", str(file)]
    main(["run", "--systems", "start", "simclr", "moco", *small])
    assert [line["system"] for line in lines(file)] == ["start", "simclr", "moco"]
    with file.open("a") as torn:
        torn.write('{"system": "hc')
    monkeypatch.setattr(command, "measure", None)  # nothing is run again
    main(["run", "--systems", "start", "simclr", "moco", *small])
    main(["report", "--results", str(file), "--docs", str(tmp_path)])
    text = (tmp_path / "benchmarks" / "negatives.md").read_text()
    assert "## fashion" in text and "| **simclr** | 1 |" in text
    assert not (tmp_path / "methods").exists()  # `benchmarks.methods report` writes those


def test_a_set_that_is_not_there_is_skipped_and_a_failure_ends_badly(tmp_path: Path) -> None:
    where = ["--archives", str(tmp_path), "--results", str(tmp_path / "r.jsonl"), "--epochs", "1", "--seeds", "0"]
    main(["run", "--sets", "trashnet", "--systems", "simclr", *where])
    assert lines(tmp_path / "r.jsonl") == []
    with pytest.raises(SystemExit, match="1 of 1 runs failed"):
        bad = pytest.MonkeyPatch()
        with bad.context() as patched:
            patched.setattr(pictures, "load", lambda name, folder: None)
            main(["run", "--sets", "fashion", "--systems", "simclr", *where])


def test_the_page_is_what_the_results_say() -> None:
    found = lines(FILE)
    again = "run: python -m benchmarks.negatives report"
    assert (DOCS / "benchmarks" / "negatives.md").read_text(encoding="utf-8") == page(found), again
