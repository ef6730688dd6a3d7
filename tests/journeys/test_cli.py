"""A whole session from the command line: import, criterion, embed, simulate, evaluate, export; it ends better."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import orjson
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageDraw
from safetensors.numpy import load_file

from app.cli.main import run
from app.curve import COLUMNS
from app.features import ensure_features
from app.settings import Settings
from db import catalog, versions
from db.artifacts import ArtifactStore
from trainer import snapshot as snapshots
from trainer.learner import Learner

SHAPES, COLOURS = ("disc", "square", "cross"), {"red": (214, 60, 50), "green": (40, 160, 80), "blue": (50, 90, 210)}
Shell = Callable[..., object]


def drawn(shape: str, colour: str, rng: np.random.Generator) -> Image.Image:
    """A shape on a noisy ground, somewhere, of some size."""
    ground = rng.integers(175, 255, (96, 96, 3), dtype=np.uint8)
    image = Image.fromarray(ground)
    pen, half = ImageDraw.Draw(image), int(rng.integers(18, 30))
    x, y = (int(v) for v in rng.integers(36, 60, 2))
    box = (x - half, y - half, x + half, y + half)
    if shape == "disc":
        pen.ellipse(box, fill=COLOURS[colour])
    elif shape == "square":
        pen.rectangle(box, fill=COLOURS[colour])
    else:
        pen.line((box[0], y, box[2], y), fill=COLOURS[colour], width=10)
        pen.line((x, box[1], x, box[3]), fill=COLOURS[colour], width=10)
    return image


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """180 pictures with a table: shape, colour, and a name that a spreadsheet would run."""
    folder, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(5)
    rows = []
    for number in range(180):
        shape, colour = SHAPES[number % 3], list(COLOURS)[number // 3 % 3]
        drawn(shape, colour, rng).save(folder / f"{number:03}.png")
        rows.append({"id": f"={number:03}", "path": f"{number:03}.png", "shape": shape, "colour": colour})
    (folder / "broken.png").write_bytes(b"not a picture")
    rows.append({"id": "broken", "path": "broken.png", "shape": "disc", "colour": "red"})
    with (folder / "metadata.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return folder


@pytest.fixture(scope="module")
def workspace(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Imported and embedded, with two criteria."""
    place = tmp_path_factory.mktemp("workspace")
    where = ["--workspace", str(place)]
    assert run(["import", str(folder), "--collection", "shapes", "--metadata", "metadata.csv", *where]) == 0
    for name in ("shape", "colour"):
        assert run(["criterion", "add", name, "--collection", "shapes", "--prompt", f"Same {name}?", *where]) == 0
    assert run(["embed", "--collection", "shapes", *where]) == 0
    return place


@pytest.fixture
def said(workspace: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Run a command with --json; gives the one document it printed."""

    def call(*words: object) -> object:
        capsys.readouterr()
        code = run([*map(str, words), "--workspace", str(workspace), "--json"])
        out, err = capsys.readouterr()
        assert code == 0, err
        return json.loads(out)

    return call


@pytest.fixture
def refused(workspace: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Run a command that fails; gives its exit code and the one line it printed on stderr."""

    def call(*words: object) -> tuple[int, str]:
        capsys.readouterr()
        code = run([*map(str, words), "--workspace", str(workspace)])
        out, err = capsys.readouterr()
        assert out == "" and "Traceback" not in err and len(err.strip().splitlines()) == 1, err
        return code, err

    return call


SIMULATE = ("simulate", "--collection", "shapes", "--criterion", "colour", "--oracle", "labels:colour")


@pytest.fixture(scope="module")
def simulated(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    report = tmp_path_factory.mktemp("report")
    options = ["--budget", "20", "--report", str(report), "--workspace", str(workspace)]
    assert run([*SIMULATE, *options]) == 0
    return report


def rows_of(report: Path) -> list[dict[str, str]]:
    with (report / "curve.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_importing_again_adds_nothing_and_names_what_is_skipped(folder: Path, said: Shell) -> None:
    again = said("import", folder, "--collection", "shapes", "--metadata", "metadata.csv")
    assert (again["added"], again["known"]) == (0, 180)
    assert [entry["name"] for entry in again["skipped"]] == ["broken"]


def test_embedding_again_computes_nothing(said: Shell) -> None:
    again = said("embed", "--collection", "shapes")
    assert (again["items"], again["computed"]) == (180, 0)


def test_a_simulated_session_ends_better_than_it_began(simulated: Path) -> None:
    rows = rows_of(simulated)
    assert tuple(rows[0]) == COLUMNS
    assert [int(row["screens"]) for row in rows] == [0, 10, 20]
    assert float(rows[-1]["ari"]) > float(rows[0]["ari"]) + 0.1
    assert int(rows[-1]["wrong_answers"]) == 0 and int(rows[-1]["conflicts_open"]) == 0


def test_the_summary_holds_arguments_versions_and_areas(simulated: Path) -> None:
    summary, rows = orjson.loads((simulated / "summary.json").read_bytes()), rows_of(simulated)
    assert summary["arguments"]["oracle"] == "labels:colour" and summary["seed"] == 0 and not summary["stopped"]
    x, y = ([float(row[name]) for row in rows] for name in ("screens", "ari"))
    assert summary["areas"]["ari_by_screens_raw"] == pytest.approx(np.trapezoid(y, x), abs=1e-4)
    assert summary["areas"]["ari_by_screens"] == pytest.approx(np.trapezoid(y, x) / 20, abs=1e-4)
    assert summary["final"]["ari"] == pytest.approx(y[-1], abs=1e-5)


def test_another_negative_policy_is_a_word_away_and_in_the_summary(workspace: Path, tmp_path: Path) -> None:
    said = ["--set", "negatives=uniform", "--set", "steps=20", "--budget", "6", "--report", str(tmp_path)]
    assert run([*SIMULATE, *said, "--workspace", str(workspace)]) == 0
    summary = orjson.loads((tmp_path / "summary.json").read_bytes())
    assert summary["arguments"]["training"] == ["negatives=uniform", "steps=20"]
    assert summary["final"]["model_version"] > 0


def test_the_report_works_offline(simulated: Path) -> None:
    page = (simulated / "report.html").read_text(encoding="utf-8")
    assert "Plotly" in page and "<script src=" not in page and "<link" not in page


def test_the_same_seed_gives_the_same_curve_and_replaying_gives_it_again(
    simulated: Path, workspace: Path, tmp_path: Path
) -> None:
    tail = ["--budget", "10", "--workspace", str(workspace), "--report"]
    assert run([*SIMULATE, *tail, str(tmp_path / "again")]) == 0
    replay = [*SIMULATE[:-1], f"replay:{simulated / 'answers.jsonl'}", "--labels", "colour"]
    assert run([*replay, *tail, str(tmp_path / "replayed")]) == 0
    first = rows_of(simulated)[:2]
    assert rows_of(tmp_path / "again") == first, "a longer run begins as the shorter one does"
    assert rows_of(tmp_path / "replayed") == first


def test_a_lying_and_silent_oracle_is_counted_and_budgets_count_what_they_say(workspace: Path, tmp_path: Path) -> None:
    options = ["--noise", "0.3", "--abstain", "0.2", "--budget", "60", "--budget-unit", "verdicts", "--seed", "1"]
    where = ["--acquisition", "random", "--report", str(tmp_path), "--workspace", str(workspace)]
    assert run([*SIMULATE, *options, *where]) == 0
    last = rows_of(tmp_path)[-1]
    assert int(last["wrong_answers"]) > 0
    assert 60 <= int(last["pair_verdicts"]) < 60 + 12
    assert int(last["pair_verdicts"]) < 12 * int(last["screens"]), "unsure pairs are no verdicts"


def test_several_people_take_turns_and_the_liar_is_found_out(workspace: Path, tmp_path: Path) -> None:
    where = ["--budget", "40", "--report", str(tmp_path), "--workspace", str(workspace)]
    assert run([*SIMULATE, "--annotators", "ada:0,ben:0.4", *where]) == 0
    found = orjson.loads((tmp_path / "summary.json").read_bytes())["annotators"]
    assert set(found) == {"ada", "ben"}
    assert found["ada"]["error_rate"] + 0.05 < found["ben"]["error_rate"]
    assert found["ben"]["low"] < found["ben"]["error_rate"] < found["ben"]["high"]


def test_a_rule_of_ones_own_answers_and_nothing_is_scored_without_labels(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_rules.py").write_text(
        "def same(a, b):\n    return a.attributes['shape'] == b.attributes['shape']\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    words = [*SIMULATE[:-1], "rule:my_rules:same", "--budget", "3", "--report", "out", "--workspace", str(workspace)]
    assert run(words) == 0
    rows = rows_of(tmp_path / "out")
    assert {row["ari"] for row in rows} == {""} and int(rows[-1]["pair_verdicts"]) > 0
    assert orjson.loads((tmp_path / "out" / "summary.json").read_bytes())["areas"]["ari_by_screens"] is None


def test_ctrl_c_leaves_a_valid_partial_report(workspace: Path, tmp_path: Path) -> None:
    endless = ["--budget", "100000", "--noise", "0.2"]  # an oracle that errs leaves always something to ask
    words = [*SIMULATE, *endless, "--report", str(tmp_path), "--workspace", str(workspace), "--json"]
    child = subprocess.Popen([sys.executable, "-m", "app.cli", *words], stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not (tmp_path / "curve.csv").exists():
        time.sleep(0.1)
    while time.monotonic() < deadline and not rows_of(tmp_path):
        time.sleep(0.1)
    os.kill(child.pid, signal.SIGINT)
    out, _ = child.communicate(timeout=60)
    assert child.returncode == 130
    assert json.loads(out)["stopped"] and orjson.loads((tmp_path / "summary.json").read_bytes())["stopped"]
    assert len(rows_of(tmp_path)) >= 1 and (tmp_path / "report.html").stat().st_size > 1000


def test_evaluating_gives_figures_with_intervals(said: Shell) -> None:
    found = said("evaluate", "--collection", "shapes", "--criterion", "shape", "--labels", "shape")
    assert found["items"] == 180 and found["version"] is None
    low, high = found["intervals"]["ari"]
    assert low <= found["figures"]["ari"] <= high + 0.05 and -1 <= low <= high <= 1


def test_versions_are_listed_promoted_rolled_back_and_compared(said: Shell, workspace: Path) -> None:
    made = [stored_version(workspace, f"models/test-{seed}", seed) for seed in (1, 2)]
    for number in made:
        assert said("versions", "promote", number)["promoted"] == number
    assert {v["id"]: v["status"] for v in said("versions", "list", "--criterion", "shape")}[made[1]] == "promoted"
    assert said("versions", "rollback", "--criterion", "shape")["promoted"] == made[0]
    assert said("versions", "show", made[0])["metrics"] == {"seed": 1}
    same = said("versions", "diff", made[0], made[0])
    assert same["agreement_ari"] == 1.0 and same["before"]["id"] == made[0]
    assert said("versions", "diff", *made)["after"]["id"] == made[1]
    assert said("evaluate", "--collection", "shapes", "--criterion", "shape", "--labels", "shape")["version"] == made[0]


def stored_version(workspace: Path, name: str, seed: int) -> int:
    """A version of the criterion "shape", stored as the trainer stores one."""
    with closing(Settings(workspace=workspace).open()) as database:
        store, _ = ensure_features(database, workspace, "shapes")
        learner = Learner(store.vectors(), store.ids, seed=seed)
        snapshots.save(ArtifactStore(str(workspace / "artifacts")), name, learner.start(), learner.head.to_bytes())
        with database.write() as s:
            shape = catalog.criterion(s, "shape").id
            lineage = {"parent": None, "last_event": 0, "metrics": {"seed": seed}, "encoder": "lite0"}
            return versions.add(s, shape, artifact=name, **lineage)


def test_groups_leave_as_csv_without_formulas(said: Shell, tmp_path: Path) -> None:
    assert said("export", "groups", tmp_path / "groups.csv", "--criterion", "shape")["rows"] == 180
    with (tmp_path / "groups.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 180 and all(row["name"].startswith("'=") for row in rows)


def test_pairs_leave_as_parquet_with_their_columns_even_before_any_answer(said: Shell, tmp_path: Path) -> None:
    assert said("export", "pairs", tmp_path / "pairs.parquet", "--criterion", "shape")["rows"] == 0
    table = pq.read_table(tmp_path / "pairs.parquet")
    assert table.num_rows == 0 and {"a_sha256", "b_sha256", "verdict", "confidence", "source"} <= set(
        table.column_names
    )


def test_embeddings_are_the_same_numbers_in_every_format(said: Shell, tmp_path: Path) -> None:
    for ending in ("npy", "safetensors", "parquet", "jsonl", "csv"):
        assert said("export", "embeddings", tmp_path / f"e.{ending}", "--criterion", "shape")["rows"] == 180
    vectors, ids = np.load(tmp_path / "e.npy"), np.load(tmp_path / "e.ids.npy")
    whole, table = load_file(tmp_path / "e.safetensors"), pq.read_table(tmp_path / "e.parquet").to_pydict()
    lines = [orjson.loads(line) for line in (tmp_path / "e.jsonl").read_bytes().splitlines()]
    assert np.array_equal(whole["vectors"], vectors) and np.array_equal(whole["ids"], ids)
    assert np.array_equal(np.array(table["vector"], np.float32), vectors) and table["id"] == ids.tolist()
    assert np.allclose([line["vector"] for line in lines], vectors) and [line["id"] for line in lines] == ids.tolist()
    assert not list(tmp_path.glob(".*partial"))


def test_answers_typed_in_a_terminal_reach_the_log(said: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = iter(["nonsense", "all", "u", "q"])
    monkeypatch.setattr("typer.prompt", lambda *_, **__: next(lines))
    assert said("ask", "--criterion", "shape", "--count", "5")["answered"] == 2
    (shape,) = [c for c in said("criterion", "list") if c["name"] == "shape"]
    assert shape["statements"] > 0


def test_errors_are_one_sentence_with_the_right_code(refused: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    code, said = refused("embed", "--collection", "shape")
    assert code == 2 and "Did you mean 'shapes'?" in said
    code, said = refused("import", tmp_path / "nowhere", "--collection", "x")
    assert code == 2 and "nowhere" in said
    code, said = refused("evaluate", "--collection", "shapes", "--criterion", "shape", "--labels", "color")
    assert code == 2 and "Did you mean 'colour'?" in said
    tail = ("--criterion", "colour", "--budget", 5, "--report", tmp_path)
    code, said = refused("simulate", "--collection", "shapes", "--oracle", "label:colour", *tail)
    assert code == 2 and "labels" in said
    code, said = refused("simulate", "--collection", "shapes", "--oracle", "labels:colour", "--noise", 2, *tail)
    assert code == 2 and "noise" in said
    code, said = refused(*SIMULATE, "--budget", 5, "--report", tmp_path, "--set", "negatives=unifrom")
    assert code == 2 and "Did you mean 'uniform'?" in said
    for process in ("serve", "trainer"):
        code, said = refused(process, "--set", "negatives.sharpnes=2")
        assert code == 2 and "Did you mean 'sharpness'?" in said
    assert refused("criterion", "add", "shape", "--collection", "shapes", "--prompt", "Else?")[0] == 3
    assert refused("versions", "show", 99)[0] == 2
    assert refused("nonsense")[0] == 2
    assert refused("export", "groups", tmp_path / "x.doc", "--criterion", "shape")[0] == 2


def test_users_get_a_password_and_a_token_once(said: Shell) -> None:
    assert len(said("users", "add", "ada", "--role", "curator")["password"]) >= 12
    assert said("users", "token", "ada")["token"]
    assert [(user["name"], user["role"]) for user in said("users", "list")] == [("ada", "curator")]


def test_the_doctor_finds_nothing_wrong(said: Shell) -> None:
    assert said("doctor")["ok"]
