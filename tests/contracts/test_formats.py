"""What every format of import and export promises. A file in app/importers/formats or app/exporters/datasets is tested
by being there; that data sets come back whole is in tests/doors."""

import hashlib
from pathlib import Path

import pytest

from app.exporters import datasets
from app.exporters.datasets import Record, export_dataset
from app.importers import formats
from app.importers.stores import FolderStore, open_store
from db.errors import BadInput
from db.nouns import Item
from oracle import plugins
from tests.importers.conftest import paint

READERS = plugins.names(formats.FAMILY)
WRITERS = plugins.names(datasets.FAMILY)


def records(workspace: Path, count: int) -> list[Record]:
    """Pictures of a workspace that holds nothing else."""
    found = []
    (workspace / "media").mkdir()
    for number in range(count):
        content = paint(number)
        sha = hashlib.sha256(content).hexdigest()
        (workspace / "media" / f"{sha}.png").write_bytes(content)
        found.append(Record(Item(number + 1, 1, sha, 40, 30, f"media/{sha}.png", "same name"), workspace))
    return found


@pytest.mark.parametrize("name", READERS)
def test_plain_pictures_and_nothing_at_all_are_of_no_format(name: str, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    (tmp_path / "some").mkdir()
    for file, content in {"a.png": paint(), "notes.txt": b"x", "list.csv": b"id,path\na,a.png\n"}.items():
        (tmp_path / "some" / file).write_bytes(content)
    reader = plugins.load(formats.FAMILY, name)
    assert not reader.recognises(FolderStore(tmp_path / "none"), None)
    assert not reader.recognises(FolderStore(tmp_path / "some"), None)
    assert not reader.recognises(FolderStore(tmp_path / "some"), "list.csv")


@pytest.mark.parametrize("name", WRITERS)
def test_a_data_set_is_recognised_by_one_format_alone(name: str, tmp_path: Path) -> None:
    export_dataset("things", records(tmp_path, 3), tmp_path / "out", name)
    store = open_store(tmp_path / "out")
    assert len([one for one in READERS if plugins.load(formats.FAMILY, one).recognises(store, None)]) == 1
    found = formats.describe(store, None, None)
    assert found is not None and [line.name for line in found.lines] == ["same name"] * 3
    assert {found.store.read(line.file, 10**6) for line in found.lines} == {paint(number) for number in range(3)}
    found.store.close()


@pytest.mark.parametrize("name", WRITERS)
def test_no_pictures_are_an_empty_data_set(name: str, tmp_path: Path) -> None:
    assert export_dataset("things", [], tmp_path / "out", name) == 0
    assert any((tmp_path / "out").iterdir())


@pytest.mark.parametrize("name", WRITERS)
def test_nothing_is_left_of_a_data_set_that_fails_half_way(name: str, tmp_path: Path) -> None:
    made = records(tmp_path, 2)
    (tmp_path / made[1].item.path).unlink()
    with pytest.raises(Exception, match=r"is gone|cannot be written"):
        export_dataset("things", made, tmp_path / "out", name)
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("words", ["video:fps=3", "coco:deep=1", "coco:x"])
def test_a_setting_that_a_format_lacks_is_told(words: str, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(paint())
    with pytest.raises(BadInput, match=r"no setting of|KEY=VALUE"):
        formats.describe(FolderStore(tmp_path), None, words)
