"""The benchmark of methods: lightly's parts learn in our loop, one small run from end to end."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks._runs import lines
from benchmarks.methods import bars, pages, trial
from benchmarks.methods.__main__ import FILE, main
from benchmarks.methods.peers import PEERS
from benchmarks.methods.report import page
from benchmarks.methods.trial import LIGHTLY, ONLY, WHOLE, Budget, Theirs, answers, bar, measure, prepared
from benchmarks.negatives import answers as scripted
from benchmarks.negatives.__main__ import FILE as NEGATIVES
from benchmarks.negatives.pictures import PictureSet
from oracle import plugins
from tests.patterns import patterns
from trainer.labelled import Labelled
from trainer.recipe import FAMILY

DOCS = Path(__file__).parents[2] / "docs"
KNOWN = [name for name in PEERS if name in plugins.names(FAMILY)]


def some_pictures(name: str = "fashion", folder: Path = Path(), side: int = 16) -> PictureSet:
    return PictureSet(name, *patterns(96), *patterns(60, seed=1))


@pytest.fixture(autouse=True)
def small_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial.sets, "load", some_pictures)
    monkeypatch.setattr(scripted, "ANSWERS", 40)
    answers.cache_clear()
    trial._untaught.cache_clear()


def test_every_peer_is_the_peer_of_a_method_of_ours() -> None:
    assert set(KNOWN) == set(PEERS)


@pytest.mark.parametrize("name", KNOWN)
def test_a_peer_learns_backbone_and_head_from_the_same_start_as_ours(name: str) -> None:
    run, ours = (prepared(system, some_pictures(), 0, Budget(2, 32)) for system in (LIGHTLY + name, name))
    before = run.embed()
    np.testing.assert_array_equal(before, ours.embed())
    reports = [run.step() for _ in range(run.steps)]
    assert np.isfinite([report["loss"] for report in reports]).all()
    assert np.abs(run.embed() - before).max() > 1e-4


@pytest.mark.parametrize("name", KNOWN)
def test_a_peer_with_its_own_views_sees_as_many_as_large_as_ours(name: str) -> None:
    pictures = some_pictures()
    run = prepared(WHOLE + name, pictures, 0, Budget(2, 32))
    assert isinstance(run, Theirs)
    ours, theirs = run._our_views(pictures.pixels[:8]), run.shown(pictures.pixels[:8])
    assert [view.shape for view in ours] == [view.shape for view in theirs]
    assert all(view.min() >= 0 and view.max() <= 1 for view in theirs)
    assert np.isfinite(run.step()["loss"])


def test_what_answers_placed_is_all_that_the_narrow_run_sees() -> None:
    line = measure(ONLY, "fashion", 0, Budget(2, 32), Path(), answered=True)
    whole = measure("simclr", "fashion", 0, Budget(2, 32), Path(), answered=True)
    assert line["experiment"] == whole["experiment"] == "answers"
    assert abs(line["steps"] - whole["steps"]) <= 3
    run = prepared(ONLY, some_pictures(), 0, Budget(2, 32), answers("fashion", 0, Budget(2, 32), Path()))
    assert run.overlay is not None and len(run.ids) < 96


def test_a_run_appends_resumes_and_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "results.jsonl"
    small = ["--sets", "fashion", "--epochs", "1", "--batch", "32", "--seeds", "0", "--results", str(file)]
    main(["run", "--systems", "start", "simclr", "lightly:simclr", *small])
    monkeypatch.setattr(trial, "ROUNDS", 1)  # figures are the benchmark's, not this test's
    monkeypatch.setattr(trial, "AT_ONCE", 1)
    main(["pace", "--systems", "simclr", *small])
    main(["answers", "--systems", "simclr", *small])
    assert [line["system"] for line in lines(file)] == ["start", "simclr", "lightly:simclr", "simclr", "simclr"]
    monkeypatch.setattr(trial, "worth", None)  # nothing is run again
    main(["run", "--systems", "start", "simclr", *small])
    main(["report", "--results", str(file), "--docs", str(tmp_path)])
    text = (tmp_path / "benchmarks" / "methods.md").read_text(encoding="utf-8")
    assert "## fashion" in text and "| simclr | 1 |" in text and "## Beside lightly" in text
    assert "simclr, no answers" in text


def test_the_page_is_what_the_results_say() -> None:
    again = "run: python -m benchmarks.methods report"
    found = lines(FILE)
    for name, made in {"methods": page, "bars": bars.page}.items():
        assert (DOCS / "benchmarks" / f"{name}.md").read_text(encoding="utf-8") == made(found), again
    known = pages.pages(lines(NEGATIVES), found)
    assert {path.name for path in (DOCS / "methods").glob("*.md")} == set(known), again
    for name, text in known.items():
        assert (DOCS / "methods" / name).read_text(encoding="utf-8") == text, again


def test_the_bar_asks_for_a_rise_over_the_untrained_network() -> None:
    line = {"experiment": "bar", "seed": 0, "linear": 0.5, "nmi": 0.5, "rank": 20.0, "train_s": 1.0}
    found = [line | {"system": name, "knn": knn} for name, knn in (("start", 0.7), ("simclr", 0.72), ("byol", 0.72))]
    rows = [[cell.strip() for cell in row.split("|")] for row in bars.bars(found).splitlines()[2:]]
    assert {row[1]: row[6] for row in rows} == {"start": "-", "simclr": "missed", "byol": "met"}
    assert "byol" not in bars.bars(found, "simclr") and bars.bars(found, "simcse") == ""
    fitted = bars.bars([*found, line | {"system": bars.FITS[0], "knn": 0.75}], "simclr")
    assert "missed" in fitted and f"| {bars.FITS[0]} |" in fitted and "| met |" in fitted
    flat = [one | {"rank": 3.0} for one in found]
    assert "| met |" not in bars.bars(flat)


def test_a_bar_is_measured_with_labels_for_who_needs_them() -> None:
    assert bar("supcon", 0, Path())["knn"] > 0
    run = prepared("supcon", some_pictures(), 0, Budget(1, 32), labels=True)
    assert isinstance(run.overlay, Labelled)
