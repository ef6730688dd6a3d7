"""The label-efficiency benchmark: fair oracle, sound arithmetic, one small run from end to end."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.label_efficiency import sets
from benchmarks.label_efficiency.__main__ import main
from benchmarks.label_efficiency.acceptance import best_at, judge, largest_drop, reaches, worst_deficit
from benchmarks.label_efficiency.oracle import Oracle, OutOfTime
from benchmarks.label_efficiency.prototype import section
from benchmarks.label_efficiency.report import page
from benchmarks.label_efficiency.results import gather
from benchmarks.label_efficiency.runner import lines
from benchmarks.label_efficiency.scores import Track, scores
from benchmarks.label_efficiency.systems import is_ours
from benchmarks.label_efficiency.trial import BudgetSpent, Trial

TRUTH = np.repeat(np.arange(4), 25)


def blobs(seed: int = 0) -> sets.LabelledSet:
    """Four groups that hardly overlap."""
    random = np.random.default_rng(seed)
    return sets.labelled("blobs", 4 * np.eye(8)[TRUTH] + random.standard_normal((100, 8)), TRUTH)


def trial_of(data: sets.LabelledSet, budget: int, noise: float = 0.0) -> Trial:
    points = (10, budget)
    return Trial(data, Oracle(data.truth, noise, 0), 0, Track(data.truth, points), Track(data.truth, points))


def test_a_pair_is_answered_the_same_however_often_and_in_whatever_order() -> None:
    one, other = Oracle(TRUTH, 0.5, 3), Oracle(TRUTH, 0.5, 3)
    pairs = [(i, j) for i in range(20) for j in range(i)]
    said = {pair: one.same(*pair) for pair in pairs}
    assert all(other.same(j, i) == said[i, j] for i, j in reversed(pairs))
    assert all(one.same(*pair) == said[pair] for pair in pairs)


def test_lies_come_at_the_stated_rate_and_few_lies_are_among_the_many() -> None:
    pairs = [(i, j) for i in range(100) for j in range(i)]
    few, many = ({pair for pair in pairs if Oracle(TRUTH, rate, 1).lies(*pair)} for rate in (0.05, 0.2))
    assert few < many
    assert len(few) / len(pairs) == pytest.approx(0.05, abs=0.015)
    assert len(many) / len(pairs) == pytest.approx(0.2, abs=0.03)


def test_an_oracle_without_error_never_lies_and_one_without_time_never_answers() -> None:
    assert Oracle(TRUTH, 0.0, 0).same(0, 1)
    with pytest.raises(OutOfTime):
        Oracle(TRUTH, 0.0, 0, cap_s=-1.0).same(0, 1)


def test_a_screen_answered_at_once_is_right_or_names_one_at_random_or_none() -> None:
    sure, unsure = Oracle(TRUTH, 0.0, 0), Oracle(TRUTH, 0.5, 4)
    screens = [[(i, j) for j in (0, 25, 50, 75, 1) if j != i] for i in range(2, 100)]
    truth = [[bool(TRUTH[i] == TRUTH[j]) for i, j in pairs] for pairs in screens]
    assert [sure.picked(pairs) for pairs in screens] == truth and sure.wrong == 0
    said = [unsure.picked(pairs) for pairs in screens]
    assert said == [Oracle(TRUTH, 0.5, 4).picked(pairs) for pairs in screens]
    other = [mine for mine, right in zip(said, truth, strict=True) if mine != right]
    assert all(sum(mine) <= 1 for mine in other) and 0.3 < len(other) / len(screens) < 0.6
    assert unsure.verdicts == sum(map(len, screens))
    assert unsure.wrong == sum(
        one != is_ for mine, right in zip(said, truth, strict=True) for one, is_ in zip(mine, right, strict=True)
    )


def test_the_prototype_stands_beside_ours_and_what_is_lower_is_marked() -> None:
    at = {"50": 0.484, "100": 0.85, "200": 0.964, "300": 0.976, "500": 1.0}
    about = {"noise": 0.0, "label": "pairs", "screens": {}, "trace": [], "budget": 500}
    line = about | {"set": "digits", "seed": 0, "verdicts": {point: {"ari": ari} for point, ari in at.items()}}
    text = section(gather([line]))
    assert "3 of 5 numbers are met" in text
    assert "0.484 ± 0.000 / 0.49 ✗" in text and "0.964 ± 0.000 / 0.97 ✗" in text and "0.976 ± 0.000 / 0.98 ✓" in text
    assert section(gather([line | {"set": "alphabet"}])) == ""


def test_a_checkpoint_holds_the_last_partition_that_cost_no_more_than_it() -> None:
    trial = trial_of(blobs(), 20)
    asked: list[int] = []

    def labels() -> np.ndarray:
        asked.append(trial.oracle.verdicts)
        return TRUTH if trial.oracle.verdicts else np.zeros_like(TRUTH)

    trial.screen([(0, 1)] * 8, labels)
    trial.screen([(0, 1)] * 8, labels)  # goes past 10 verdicts: the partition after 8 counts
    assert asked == [8]
    assert trial.verdicts.at["10"]["ari"] == 1.0
    assert not trial.screens.at


def test_a_screen_that_ends_exactly_on_a_checkpoint_counts_for_it() -> None:
    trial, asked = trial_of(blobs(), 20), []
    for _ in range(3):
        trial.screen([(0, 1)] * 5, lambda: asked.append(trial.oracle.verdicts) or TRUTH)
    assert asked == [10]


def test_a_trial_ends_after_its_last_checkpoint_and_scores_it() -> None:
    trial = trial_of(blobs(), 12)
    with pytest.raises(BudgetSpent):
        for _ in range(20):
            trial.ask(0, 1, lambda: TRUTH)
    assert trial.oracle.verdicts == trial.oracle.screens == 12
    assert set(trial.verdicts.at) == set(trial.screens.at) == {"10", "12"}


def test_pair_f1_counts_pairs() -> None:
    truth, labels = np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 1])
    pairs = [(i, j) for i in range(5) for j in range(i)]
    together = [(truth[i] == truth[j], labels[i] == labels[j]) for i, j in pairs]
    right = sum(a and b for a, b in together)
    expected = 2 * right / (sum(a for a, _ in together) + sum(b for _, b in together))
    assert scores(truth, labels)["f1"] == pytest.approx(expected, abs=1e-5)


def test_the_effort_to_reach_a_level_lies_on_the_line_between_two_points() -> None:
    curve = {100: 0.4, 200: 0.6, 500: 0.9}
    assert reaches(curve, 0.5) == 150.0
    assert reaches(curve, 0.75) == 350.0
    assert reaches(curve, 0.3) == 100.0
    assert reaches(curve, 0.95) == math.inf


def test_a_curve_that_falls_again_has_reached_the_level_where_it_first_did() -> None:
    assert reaches({100: 0.2, 200: 0.8, 500: 0.5}, 0.5) == 150.0


def test_goals_compare_with_the_peer_that_is_best_at_the_end() -> None:
    peers = {"slow": {150: 0.2, 500: 0.8}, "quick": {150: 0.7, 500: 0.75}}
    assert best_at(peers, 500) == "slow"
    found = judge({150: 0.5, 250: 0.8, 500: 0.9}, {50: 0.7, 100: 0.9, 500: 1.0}, peers, [0.01, 0.03], 500)
    assert found is not None
    assert found.peer == "slow"
    assert found.verdicts == 0.5
    assert found.few_verdicts
    assert found.screens == pytest.approx(0.15)
    assert found.few_screens
    assert found.deficit == pytest.approx(0.2)  # quick at 150
    assert found.deficit_at == 150
    assert found.never_behind is False
    assert found.drop == 0.03
    assert found.never_back is False


def test_what_was_not_run_is_neither_met_nor_missed() -> None:
    found = judge({}, {}, {"peer": {500: 0.5}}, [], 500)
    assert found is not None
    assert {found.few_verdicts, found.few_screens, found.never_behind, found.never_back} == {None}
    assert judge({500: 1.0}, {}, {}, [], 500) is None


def test_a_deficit_counts_above_a_hundred_only() -> None:
    assert worst_deficit({100: 0.1, 150: 0.5}, {"peer": {100: 0.9, 150: 0.4}}) == (pytest.approx(-0.1), 150)
    assert worst_deficit({500: 0.1}, {"peer": {100: 0.9}}) == (None, None)


def test_the_largest_drop_is_from_the_highest_point_before() -> None:
    assert largest_drop([0.1, 0.5, 0.45, 0.48, 0.41, 0.9]) == pytest.approx(0.09)
    assert largest_drop([0.1, 0.2, 0.3]) == 0.0
    assert largest_drop([]) == 0.0


def test_features_are_unit_rows_and_a_seed_has_its_own_part() -> None:
    data = sets.load("parity", sets.Folders())
    assert data.features.dtype == np.float32
    assert np.allclose(np.linalg.norm(data.features, axis=1), 1, atol=1e-5)
    assert data.groups == 2
    first, again, other = data.part(0), data.part(0), data.part(1)
    assert len(first.truth) == int(0.9 * 1797)
    assert np.array_equal(first.features, again.features)
    assert not np.array_equal(first.features, other.features)


def test_stored_features_of_an_archive_become_a_set(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    material = np.array(["glass", "metal", ""])[np.arange(60) % 3]
    np.savez(tmp_path / "trashnet.npz", X=random.standard_normal((60, 10)).astype(np.float32), material=material)
    data = sets.load("trashnet", sets.Folders(cache=tmp_path, features=tmp_path))
    assert data.features.shape == (40, 10)  # without a label: left out
    assert data.groups == 2


def test_one_command_runs_resumes_and_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = tmp_path / "results.jsonl"
    command = ["--sets", "digits", "--noise", "0", "--systems", "kmeans", "pairs", "--seeds", "0", "--budget", "30",
               "--share", ".1", "--results", str(results)]  # fmt: skip
    main(command)
    main(command)
    found = list(lines(results))
    assert [line["label"] for line in found] == ["kmeans", "pairs"]
    ours = found[1]
    assert ours["asked"] == {"screens": 30, "verdicts": 30, "wrong": 0}
    assert set(ours["verdicts"]) == set(ours["screens"]) == {"25", "30"}
    assert [point[0] for point in ours["trace"]] == [10, 20, 30]
    assert {"machine", "date", "versions", "seconds"} <= set(ours)
    text = page(found)
    assert "## digits" in text
    assert "| **pairs** | 1 |" in text


def test_settings_of_the_acquisition_make_a_system_of_their_own(tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    main(["--sets", "digits", "--noise", ".1", "--systems", "screens", "--seeds", "0", "--budget", "5", "--share", ".1",
          "--set", "screen=4", "--results", str(results)])  # fmt: skip
    (line,) = lines(results)
    assert line["label"] == "screens[screen=4]"
    assert is_ours(line["label"])
    assert line["asked"]["screens"] == 5
    assert line["asked"]["verdicts"] <= 20


def test_a_set_that_is_not_there_is_skipped_with_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = tmp_path / "results.jsonl"
    main(["--sets", "trashnet", "--noise", "0", "--systems", "kmeans", "--seeds", "0", "--results", str(results),
          "--archives", str(tmp_path), "--cache", str(tmp_path)])  # fmt: skip
    assert "skipped: no " in capsys.readouterr().out.replace("\n", " ")
    assert not results.exists()


def peer_line(label: str, seed: int, height: float) -> dict[str, object]:
    at = {str(point): {"ari": height, "nmi": 0, "f1": 0} for point in (150, 500)}
    return json.loads(json.dumps({
        "set": "digits", "noise": 0.0, "label": label, "seed": seed, "budget": 500, "items": 100, "groups": 10,
        "verdicts": at, "screens": at, "trace": [[10, 10, 0.5], [20, 20, 0.4]], "note": "", "seconds": 1.0,
        "date": "2026-01-01", "machine": {"processors": 2, "processor": "x"},
    }))  # fmt: skip


def test_the_page_holds_mean_spread_and_verdict() -> None:
    text = page([peer_line("cobras", 0, 0.4), peer_line("cobras", 1, 0.6), peer_line("pairs", 0, 0.7)])
    assert "| cobras | 2 | - | - | - | - | 0.500 ± 0.100 |" in text
    assert "| digits | 0% | cobras | 0.500 | 30% ✓ | - | -0.200 at 150 ✓ | 0.100 ✗ |" in text
    assert "few verdicts on 1 of 1" in text


def test_the_page_says_which_of_our_rows_are_by_the_newest_code() -> None:
    old, new = peer_line("pairs", 0, 0.7), peer_line("pairs", 0, 0.8) | {"set": "parity", "date": "2026-02-03"}
    text = page([peer_line("cobras", 0, 0.4) | {"date": "2026-03-04"}, old, new])
    said = "2026-02-03, with the code of that day: `pairs` on parity 0%. All other rows of ours: code of 2026-01-01."
    assert said in " ".join(text.split())
    text = page([peer_line("cobras", 0, 0.4), old, new, new | {"set": "wear"}])
    said = "Code of 2026-01-01: `pairs` on digits 0%. All other rows of ours: 2026-02-03, with the code of that day."
    assert said in " ".join(text.split())
    assert "Which code" not in page([old, peer_line("screens", 0, 0.7)])
