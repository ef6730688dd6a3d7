"""Answers leave and arrive: logs whole, pair lists with their source, labels as the pairs they state."""

import csv
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.exporters.formats import harmless, plain_cell
from app.importers.answers import import_answers, import_labels
from app.importers.answers.tables import read_table
from db import audit, catalog
from db.errors import BadInput, NotFound
from db.nouns import Verdict
from tests.doors.conftest import Place, logged, told

ENDINGS = ("csv", "jsonl", "parquet")


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_log_arrives_with_every_event_undo_time_and_chance(
    here: Place, there: Place, tmp_path: Path, ending: str
) -> None:
    file = tmp_path / f"log.{ending}"
    assert here.say("export", "answers", file, "--criterion", "kind") == 0
    report = import_answers(there.database, "kind", file)
    assert (report.added, report.known, report.skipped) == (7, 0, [])
    assert logged(there) == logged(here)
    assert told(there) == told(here)
    again = import_answers(there.database, "kind", file)
    assert (again.added, again.known) == (0, 7) and logged(there) == logged(here)
    home = import_answers(here.database, "kind", file)
    assert (home.added, home.known) == (0, 7)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_pair_list_arrives_with_sources_confidence_and_audit_chances(
    here: Place, there: Place, tmp_path: Path, ending: str
) -> None:
    file = tmp_path / f"pairs.{ending}"
    assert here.say("export", "pairs", file, "--criterion", "kind") == 0
    report = import_answers(there.database, "kind", file)
    assert (report.added, report.skipped) == (3, [])
    assert told(there) == told(here)
    for place in (there, here):
        again = import_answers(place.database, "kind", file)
        assert (again.added, again.known) == (0, 3)


@pytest.mark.parametrize("name", ["pairs.csv", "pairs.jsonl", "pairs.parquet", "pairs.safetensors"])
def test_pair_files_of_other_libraries_carry_same_and_different(
    here: Place, there: Place, tmp_path: Path, name: str
) -> None:
    style = "pml" if name.endswith("safetensors") else "sentence-transformers"
    assert here.say("export", "pairs", tmp_path / name, "--criterion", "kind", "--style", style) == 0
    report = import_answers(there.database, "kind", tmp_path / name, source="elsewhere")
    wanted = {(a, b, verdict) for _, a, b, verdict, *_ in told(here)}
    wanted = {one for one in wanted if one[2] in (Verdict.SAME, Verdict.DIFFERENT) and one[0] != "p04.png"}
    assert {(a, b, verdict) for _, a, b, verdict, *_ in told(there)} == wanted and report.skipped == []
    assert {source for _, _, _, _, source, *_ in told(there)} == {"elsewhere"}


def test_an_answer_taken_back_here_stays_taken_back(here: Place, there: Place, tmp_path: Path) -> None:
    from db import feedback

    here.say("export", "pairs", tmp_path / "pairs.csv", "--criterion", "kind")
    import_answers(there.database, "kind", tmp_path / "pairs.csv")
    with there.database.write() as s:
        feedback.undo(s, there.said()[0].answer, "mine", "ann")
    left = told(there)
    assert import_answers(there.database, "kind", tmp_path / "pairs.csv").added == 0
    assert told(there) == left


def test_any_list_of_names_and_ones_and_zeros_is_a_pair_list(there: Place, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(
        "image1,image2,label\np00.png,some/where/p01.png,1\np02.png,p03.png,0\np04.png,p04.png,1\ngone.png,p01.png,1\n"
    )
    report = import_answers(there.database, "kind", tmp_path / "mine.csv")
    assert report.added == 2 and [where for where, _ in report.skipped] == ["row 3", "row 4"]
    assert [one[1:5] for one in told(there)] == [
        ("p00.png", "p01.png", Verdict.SAME, "file:mine.csv"),
        ("p02.png", "p03.png", Verdict.DIFFERENT, "file:mine.csv"),
    ]


def test_triplets_are_two_pairs_each(there: Place, tmp_path: Path) -> None:
    line = {"anchor": "p00.png", "positive": "p01.png", "negative": "p02.png"}
    (tmp_path / "triplets.jsonl").write_text(json.dumps(line) + "\n")
    assert import_answers(there.database, "kind", tmp_path / "triplets.jsonl").added == 2
    assert [one[3] for one in told(there)] == [Verdict.SAME, Verdict.DIFFERENT]


def test_a_column_of_labels_becomes_as_few_pairs_as_say_it_all(there: Place) -> None:
    with there.database.write() as s:
        new = [
            catalog.NewItem(i.sha256, i.width, i.height, i.path, attributes={"half": "ab"[n % 2], "own": n})
            for n, i in enumerate(there.items())
        ]
        catalog.add_items(s, catalog.collection_id(s, "things"), new)
    report = import_labels(there.database, "kind", "half")
    assert report.added == 14 + 1
    assert {one.source for one in there.said()} == {"labels:half"}
    assert import_labels(there.database, "kind", "half").added == 0
    with pytest.raises(NotFound, match="half, own"):
        import_labels(there.database, "kind", "colour")


def test_the_audit_log_leaves_whole(here: Place, tmp_path: Path) -> None:
    with here.database.write() as s:
        audit.note(s, "=ann", "import", "things", uploaded=True)
        audit.note(s, "bo", "promote", "version 3")
    assert here.say("export", "audit", tmp_path / "audit.csv") == 0
    with (tmp_path / "audit.csv").open(newline="") as file:
        rows = [{key: plain_cell(value) for key, value in row.items()} for row in csv.DictReader(file)]
    with here.database.read() as s:
        kept = [(str(one.id), one.at.isoformat(), one.actor, one.action, one.target) for one in audit.history(s)]
    assert [(row["id"], row["at"], row["actor"], row["action"], row["target"]) for row in rows] == kept
    assert json.loads(rows[0]["detail"]) == {"uploaded": True}


def test_what_was_said_of_another_collection_is_skipped_and_named(here: Place, there: Place, tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    here.say("export", "answers", file, "--criterion", "kind")
    lines = file.read_text().splitlines()
    file.write_text(lines[0].replace(json.loads(lines[0])["anchor"], "0" * 64) + "\n" + "\n".join(lines[1:]) + "\n")
    report = import_answers(there.database, "kind", file)
    assert report.added == 6 and report.skipped == [("row 1", "the image 000000000000 is not in this collection.")]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "a,b\n1,2\n", "needs two columns of images"),
        ("a.csv", "a,b,verdict\n1,2,maybe\n", "a verdict of"),
        ("a.csv", "a,b,verdict,confidence\n1,2,same,much\n", "must be numbers"),
        ("a.jsonl", "{", "cannot read the metadata"),
        ("a.txt", "a", "expected a file ending in"),
        ("a.safetensors", "no", "holds no pair indices"),
    ],
)
def test_a_file_that_is_no_answers_is_bad_input(
    there: Place, tmp_path: Path, name: str, content: str, words: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(BadInput, match=words):
        import_answers(there.database, "kind", tmp_path / name)
    assert there.said() == []


@given(st.text(alphabet="'=+-@ab\t", max_size=6))
def test_a_harmless_cell_is_read_back_as_it_was(text: str) -> None:
    assert plain_cell(harmless(text)) == text
    assert not harmless(text).startswith(("=", "+", "-", "@", "\t", "\r"))


WORDS = st.sampled_from(["a", "b", "verdict", "same", "1", "p00.png", "p01.png", "label", "\x00", '"', "[]", "anchor"])


@given(st.lists(st.lists(WORDS, min_size=3, max_size=3), max_size=4), st.sampled_from(["csv", "jsonl", "safetensors"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_table_gives_rows_or_bad_input(tmp_path: Path, rows: list[list[str]], ending: str) -> None:
    file = tmp_path / f"any.{ending}"
    file.write_text("\n".join(",".join(row) for row in rows))
    try:
        columns, found = read_table(file)
    except BadInput:
        return
    assert all(set(row) == set(columns) for row in found)
