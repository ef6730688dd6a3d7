"""Somebody else's package of parts: installed as pip installs it, listed, checked like ours, and used by its names."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cli.main import run
from db.errors import BadInput, NotFound
from db.nouns import Kind
from oracle import plugins
from oracle.constraints import ConstraintGraph
from tests.contracts.conftest import answered, blobs
from tests.contracts.test_acquisitions import LABELS, some_pairs
from tests.contracts.test_objectives import POOLS, slopes
from tests.labelled_world import labelled

EXAMPLE = Path(__file__).parents[2] / "examples" / "pairwright-plugin-example"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pip put the example."""
    import shutil

    root = tmp_path_factory.mktemp("plugin")
    shutil.copytree(EXAMPLE, root / "source", ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"))
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index",
               "--disable-pip-version-check", "--target", str(root / "site"), str(root / "source")]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return root / "site"


@pytest.fixture
def installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The example is installed."""
    monkeypatch.syspath_prepend(str(site))
    plugins._registered.cache_clear()
    yield site
    plugins._registered.cache_clear()


def registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: str, code: str = "") -> None:
    """A package that registers this."""
    (tmp_path / "theirs-2.0.dist-info").mkdir()
    (tmp_path / "theirs-2.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 2.0\n")
    (tmp_path / "theirs-2.0.dist-info" / "entry_points.txt").write_text(lines)
    (tmp_path / "theirs_parts.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "theirs_parts", raising=False)
    plugins._registered.cache_clear()


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    plugins._registered.cache_clear()


def test_what_a_package_registers_is_listed_with_its_version(
    installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["plugins", "--json"]) == 0
    found = {(one["family"], one["name"]): one["package"] for one in json.loads(capsys.readouterr().out)}
    assert found["oracle.acquisition", "near_cutoff"] == "pairwright-plugin-example 0.1.0"
    assert found["trainer.objectives", "logistic"] == "pairwright-plugin-example 0.1.0"
    assert found["oracle.acquisition", "random"] == "pairwright"
    assert {family for family, _ in found} == set(plugins.CLASSES)


def test_it_is_used_by_name_and_its_answers_are_learnt_from(installed: Path, tmp_path: Path) -> None:
    labelled(tmp_path)
    words = ["simulate", "--collection", "things", "--criterion", "kind", "--oracle", "labels:kind", "--budget", "10"]
    how = [
        "--acquisition",
        "near-cutoff",
        "--set",
        "objective=logistic",
        "--set",
        "objective.cutoff=0.4",
        "--set",
        "steps=5",
    ]
    where = [
        "--report",
        str(tmp_path / "run"),
        "--workspace",
        str(tmp_path),
        "--database-url",
        f"sqlite:///{tmp_path}/db.sqlite",
    ]
    assert run([*words, *how, *where]) == 0
    lines = [json.loads(line) for line in (tmp_path / "run" / "transcript.jsonl").read_text().splitlines()]
    asked = [one["question"] for one in lines if "question" in one]
    assert len(asked) == 10 and all(1 <= len(one["candidates"]) <= 6 for one in asked), "our own screens are wider"
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["arguments"]["training"][0] == "objective=logistic" and summary["final"]["model_version"] > 0


@pytest.mark.parametrize("kind", POOLS)
def test_the_example_objective_keeps_the_promises_of_ours(installed: Path, kind: str) -> None:
    pool = POOLS[kind]()
    value = plugins.load("trainer.objectives", "logistic")(pool)
    assert value.shape == () and value.isfinite() and all(one.isfinite().all() for one in slopes(value, pool))


def test_the_example_acquisition_keeps_the_promises_of_ours(installed: Path) -> None:
    snapshot = blobs(LABELS)
    rule = plugins.load("oracle.acquisition", "near_cutoff", screen=4)
    for graph in (ConstraintGraph(), answered(snapshot, LABELS, some_pairs(600, 60))):
        found = rule.propose(snapshot, graph, 5, criterion=4)
        assert found == rule.propose(snapshot, graph, 5, criterion=4) and len(found) == 5
        pairs = [frozenset(pair) for one in found for pair in one.pairs()]
        assert len(set(pairs)) == len(pairs) and all(graph.implied(*pair) is None for pair in pairs)
        assert all(one.kind is Kind.TICK and len(one.candidates) <= 4 and one.reason for one in found)


@pytest.mark.parametrize("family", plugins.CLASSES)
def test_every_family_takes_parts_of_other_packages(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = plugins.CLASSES[family]
    lines = f"[pairwright.{family}]\nof-theirs = theirs_parts:{wanted}\nby_module = theirs_parts\n"
    registered(tmp_path, monkeypatch, lines, f"class {wanted}:\n    mark = 7\n")
    assert {"of_theirs", "by_module"} <= set(plugins.names(family))
    for name in ("of_theirs", "of-theirs", "by_module"):
        assert plugins.find(family, name).mark == 7
    assert plugins.origins(family)["of_theirs"] == "theirs 2.0"


def test_a_name_of_ours_is_not_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registered(
        tmp_path, monkeypatch, "[pairwright.oracle.acquisition]\nrandom = theirs_parts:Acquisition\n_desk = x:y\n"
    )
    assert plugins.find("oracle.acquisition", "random").__module__ == "oracle.acquisition.random"
    assert plugins.origins("oracle.acquisition")["random"] == "" and "_desk" not in plugins.names("oracle.acquisition")


@pytest.mark.parametrize(
    ("value", "code", "words"),
    [
        ("theirs_parts:Acquisition", "import no_such_library", "cannot be loaded .ModuleNotFoundError"),
        ("theirs_parts:Acquisition", "1 / 0", "cannot be loaded .ZeroDivisionError"),
        ("theirs_parts", "", "must be a class named Acquisition"),
        ("theirs_parts:number", "number = 3", "must be a class"),
    ],
)
def test_a_package_that_is_broken_is_named_in_one_sentence(
    value: str, code: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(tmp_path, monkeypatch, f"[pairwright.oracle.acquisition]\nbroken = {value}\n", code)
    with pytest.raises(BadInput, match=f"the plugin 'broken' of theirs 2.0 .*{words}"):
        plugins.load("oracle.acquisition", "broken")
    assert plugins.load("oracle.acquisition", "random").screen == 12, "the others still work"


def test_an_unknown_family_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plugins", "oracle.aquisition"]) == 2
    assert "Did you mean 'oracle.acquisition'" in capsys.readouterr().err
    with pytest.raises(NotFound):
        plugins.find("oracle.acquisition", "near_cutoff_gone")
