"""The page of the refresh benchmark says what its lines say."""

from benchmarks.refresh.__main__ import key_of
from benchmarks.refresh.report import page

MACHINE = {"processors": 2, "processor": "Some"}
LINE = {
    "set": "trashnet", "seed": 0, "items": 600, "screen": 12, "method": "pairwright", "epochs": None, "answers": 500,
    "head": 0.5, "refreshed": 0.6, "served": True, "witnesses": 90, "judged_before": 0.7, "judged_after": 0.8,
    "sure": 0.9, "cpu_s": 80.0, "date": "2026-01-01", "machine": MACHINE,
}  # fmt: skip


def test_the_page_counts_seeds_that_were_better_and_decisions_that_were_right() -> None:
    worse = LINE | {"seed": 1, "refreshed": 0.4, "judged_before": None, "judged_after": None, "sure": None}
    said = page([LINE, worse])
    assert "Better on 1 of 2 seeds, by +0.0 points in the mean; the decision was right on 1." in said
    assert "| 0 | 50.0 | 60.0 | 70.0 to 80.0 (90%) | yes | 90 | 80 |" in said and "| too few | yes |" in said
    assert "Nothing measured" in page([]) and key_of(LINE) != key_of(worse)
