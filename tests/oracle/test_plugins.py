"""Loading a part by its file name."""

import sys
from pathlib import Path

import pytest

from db.errors import BadInput, NotFound
from oracle import plugins


def test_the_folder_is_the_registry() -> None:
    assert {"random", "mixed", "boundary"} <= set(plugins.names("oracle.acquisition"))
    assert not [name for name in plugins.names("oracle.answerers") if name.startswith("_")]


def test_a_plugin_is_built_with_its_settings() -> None:
    assert plugins.load("oracle.acquisition", "random", seed=4).seed == 4


def test_dashes_and_underscores_are_the_same() -> None:
    assert plugins.find("oracle.answerers", "positive-only") is plugins.find("oracle.answerers", "positive_only")


def test_a_misspelt_name_gets_the_nearest_spelling_and_the_way_to_add_one() -> None:
    with pytest.raises(NotFound, match=r"Did you mean 'boundary'.*create oracle/acquisition/bondary.py"):
        plugins.load("oracle.acquisition", "bondary")


def test_a_misspelt_setting_gets_the_nearest_spelling() -> None:
    with pytest.raises(NotFound, match=r"no setting of oracle.acquisition random named 'sed'. Did you mean 'seed'"):
        plugins.load("oracle.acquisition", "random", sed=3)


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(BadInput, match="needs items, column"):
        plugins.load("oracle.answerers", "labels")


def test_numbers_may_come_as_text() -> None:
    assert plugins.load("oracle.acquisition", "mixed", audit="0.25", seed="3").audit == 0.25
    with pytest.raises(BadInput, match=r"audit of oracle.acquisition mixed = float expected, got 'much'"):
        plugins.load("oracle.acquisition", "mixed", audit="much")


def test_settings_are_listed_with_their_defaults() -> None:
    assert plugins.settings_of("oracle.acquisition", "random") == {"seed": 0, "screen": 12}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of somebody else's plugins."""
    folder = tmp_path / "their_parts"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [name for name in sys.modules if name.startswith("their_parts")]:
        del sys.modules[name]


def test_one_new_file_is_one_new_plugin(package: Path) -> None:
    (package / "mine.py").write_text("class Plugin:\n    pass\n")
    assert plugins.names("their_parts") == ["mine"]
    assert plugins.load("their_parts", "mine").__class__.__name__ == "Plugin"


def test_a_file_without_the_familys_class_is_explained(package: Path) -> None:
    (package / "empty.py").write_text("")
    with pytest.raises(BadInput, match=r"their_parts.empty must define a class named Plugin"):
        plugins.load("their_parts", "empty")
