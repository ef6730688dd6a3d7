"""A stored run knows what it was made of; a probe and a diverged loss are told."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from db.errors import BadInput
from tests.patterns import patterns
from trainer import provenance
from trainer import run as runs
from trainer.probe import sampled
from trainer.provenance import checked, described, digest
from trainer.recipe import build
from trainer.training import Training, TrainSettings
from trainer.training_state import read, write

PLAN = TrainSettings(size=16, batch=16, epochs=3, projection=8)
IDS = 1 + np.arange(32)
ABOUT = {"method": "simclr", "settings": '{"batch": 16}', "seed": "0", "pictures": f"32 ({digest(IDS)})"}


def training(plan: TrainSettings = PLAN) -> Training:
    return Training(build("simclr"), patterns(32)[0], IDS, plan)


def test_a_state_says_what_made_it_and_other_pictures_or_settings_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "s", training(), ABOUT)
    assert described(tmp_path / "s") == {**ABOUT, **provenance.versions()}
    assert checked(tmp_path / "s", ABOUT) == [] and read(tmp_path / "s", ABOUT) is not None
    with pytest.raises(BadInput, match=r"had seed = 0, now 1\. Add --again to begin anew"):
        checked(tmp_path / "s", {**ABOUT, "seed": "1"})
    with pytest.raises(BadInput, match=r"had pictures = 32 \(\w+\), now 31 \(\w+\)"):
        checked(tmp_path / "s", {**ABOUT, "pictures": f"31 ({digest(IDS[1:])})"})


def test_another_version_goes_on_with_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "s", training(), ABOUT)
    before = provenance.versions()["torch"]
    monkeypatch.setattr(provenance, "versions", lambda: {**dict.fromkeys(provenance.MADE_WITH, "9.9")})
    (told,) = checked(tmp_path / "s", ABOUT)
    assert f"torch {before}, now 9.9" in told and "it goes on" in told
    assert read(tmp_path / "s", ABOUT) is not None


def test_a_damaged_state_is_told_and_none_is_no_news(tmp_path: Path) -> None:
    (tmp_path / "s").write_bytes(b"half")
    assert "begins anew" in checked(tmp_path / "s", ABOUT)[0]
    assert checked(tmp_path / "missing", ABOUT) == []


@pytest.mark.parametrize(("every", "steps"), [(1, [2, 4, 6]), (2, [4, 6]), (0, [])])
def test_the_probe_comes_every_so_many_epochs_and_at_the_end(every: int, steps: list[int]) -> None:
    run = training(replace(PLAN, probe=every))
    outcome = runs.run(run, probe=lambda: {"knn_accuracy": run.done / 10})
    told = {step: report.get("knn_accuracy") for step, report in outcome.reports.items()}
    assert {step for step, value in told.items() if value is not None} == set(steps)
    assert all(told[step] == step / 10 for step in steps) and {1, 6} <= set(told)


def test_a_probe_changes_nothing_that_is_learnt() -> None:
    with_probe, without = training(), training()
    runs.run(with_probe, probe=lambda: {"knn_accuracy": float(with_probe.embed().mean())})
    runs.run(without)
    np.testing.assert_array_equal(with_probe.embed(), without.embed())


def test_the_sample_of_a_probe_is_known_small_and_the_same_again() -> None:
    truth = np.where(np.arange(5000) % 2 == 0, 3, -1)
    rows = sampled(truth, seed=1)
    assert len(rows) == 2000 and (truth[rows] == 3).all() and (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(rows, sampled(truth, seed=1))
    np.testing.assert_array_equal(sampled(truth[:20], seed=1), np.arange(0, 20, 2))


def test_a_loss_that_is_no_number_ends_the_run_with_a_sentence() -> None:
    run = training()
    next(run.encoders.network.parameters()).data.fill_(float("nan"))
    with pytest.raises(BadInput, match=r"the loss of step 1 is nan\. Lower the rate"):
        run.step()
