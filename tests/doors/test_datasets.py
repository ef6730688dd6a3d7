"""Data sets leave in the formats of other tools and come back as they were; those that other tools wrote are read."""

import json
import tarfile
import zipfile
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.exporters import datasets
from app.exporters.datasets import Group, Record, export_dataset
from app.importers.columns import Columns
from app.importers.sources import Source, open_source
from app.importers.stores import EntryFault
from db import catalog
from db.errors import BadInput, NotFound
from db.nouns import Item
from oracle import plugins
from tests.doors.conftest import Place
from tests.importers.conftest import Desk, desk, paint

__all__ = ["desk"]
FORMATS = plugins.names(datasets.FAMILY)
SOUND = b"RIFF not really"


def furnished_records(place: Place) -> list[Record]:
    """All fields in use: names with formulas and slashes, nested attributes, a recording, time, place, group keys."""
    (place.workspace / "media" / "aa").mkdir(parents=True, exist_ok=True)
    (place.workspace / "media" / "aa" / "sound.wav").write_bytes(SOUND)
    rich: dict[str, Any] = {
        "name": "=1+1/../ä b.png",
        "caption": "a 'red' <b>thing</b>\nin two lines",
        "taken_at": datetime(2026, 1, 31, 12, 0, 0, 123456),
        "latitude": -12.5,
        "longitude": 170.25,
        "audio": "media/aa/sound.wav",
        "attributes": {"kind": "cat", "number": 3, "list": [1, "two", None], "none": None, "deep": {"x": 1.5}},
        "groups": {"shot": "a#1"},
    }
    items = sorted(place.items(), key=lambda item: item.id)[:5]
    with place.database.write() as s:
        first = items[0]
        new = catalog.NewItem(first.sha256, first.width, first.height, first.path, **rich)
        catalog.add_items(s, first.collection, [new])
    groups = [Group(n % 2, f"group {n % 2}", 0.5 + n / 100, n == 1) for n in range(4)]
    shown = sorted(place.items(), key=lambda item: item.id)[:5]
    return [Record(item, place.workspace, group) for item, group in zip(shown, [*groups, None], strict=True)]


def known(item: Item) -> tuple[object, ...]:
    """What must survive."""
    return (item.sha256, item.width, item.height, item.name, item.caption, item.taken_at, item.latitude, item.longitude,
            item.attributes, item.groups, item.audio is not None)  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_a_data_set_comes_back_as_it_was(here: Place, desk: Desk, tmp_path: Path, name: str) -> None:
    records = furnished_records(here)
    assert export_dataset("things", records, tmp_path / "out", name) == 5
    report = desk.run(tmp_path / "out")
    assert (report.added, report.skipped) == (5, [])
    assert sorted(map(known, desk.items()), key=str) == sorted((known(one.item) for one in records), key=str)
    (with_sound,) = [item for item in desk.items() if item.audio]
    assert (desk.workspace / str(with_sound.audio)).read_bytes() == SOUND


@pytest.mark.parametrize("name", FORMATS)
def test_a_folder_that_holds_something_is_left_alone(here: Place, tmp_path: Path, name: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(BadInput, match="not empty"):
        export_dataset("things", furnished_records(here), tmp_path / "out", name)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_the_shell_exports_a_collection_and_misspelt_formats_are_named(here: Place, tmp_path: Path) -> None:
    assert here.say("export", "dataset", tmp_path / "a", "--collection", "things", "--format", "folder") == 0
    assert len((tmp_path / "a" / "metadata.jsonl").read_text().splitlines()) == 16
    assert here.say("export", "dataset", tmp_path / "b", "--collection", "things", "--format", "cocoo") == 2
    assert not (tmp_path / "b").exists() and not (tmp_path / ".b.partial").exists()


def lines(source: Source) -> dict[str, dict[str, Any]]:
    return {entry.name: dict(entry.row) for entry in source.entries}


def test_coco_of_another_tool_gives_categories_and_captions(tmp_path: Path) -> None:
    (tmp_path / "val2017").mkdir()
    (tmp_path / "annotations").mkdir()
    for name in ("a.png", "b.png"):
        (tmp_path / "val2017" / name).write_bytes(paint())
    document = {
        "images": [{"id": 1, "file_name": "a.png", "width": 1, "height": 1, "license": 3},
                   {"id": 2, "file_name": "b.png"}, {"id": 3, "file_name": "../../etc/passwd"}],
        "annotations": [{"image_id": 1, "category_id": 7, "bbox": [0, 0, 1, 1]}, {"image_id": 2, "category_id": 7},
                        {"image_id": 2, "category_id": 8}, {"image_id": 2, "caption": "two things"}],
        "categories": [{"id": 7, "name": "cat"}, {"id": 8, "name": "dog"}],
    }  # fmt: skip
    (tmp_path / "annotations" / "val.json").write_text(json.dumps(document))
    with open_source(tmp_path, "val.json", Columns()) as source:
        found = lines(source)
        assert found["a.png"] == {"license": 3, "category": "cat"}
        assert found["b.png"] == {"categories": ["cat", "dog"], "caption": "two things"}
        assert [name for name, _ in source.faults] == ["../../etc/passwd"]


def test_label_studio_tasks_give_choices_and_uploads_are_found_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(paint())
    (tmp_path / "b.png").write_bytes(paint(1))
    choice = {"from_name": "kind", "type": "choices", "value": {"choices": ["cat"]}}
    tasks = [
        {"id": 1, "data": {"image": "/data/upload/1/0a1b2c3d-a.png", "site": "x"}, "annotations": [
            {"result": [choice]}]},
        {"id": 2, "data": {"image": "/data/local-files/?d=b.png"}, "annotations": [
            {"was_cancelled": True, "result": [choice]}]},
        {"id": 3, "data": {"text": "no picture"}},
    ]  # fmt: skip
    (tmp_path / "project.json").write_text(json.dumps(tasks))
    with open_source(tmp_path / "project.json", None, Columns()) as source:
        assert [(entry.file, dict(entry.row)) for entry in source.entries] == [
            ("a.png", {"site": "x", "kind": "cat"}),
            ("b.png", {}),
        ]
        assert source.faults == [("task 3", "it has no image")]


def test_fiftyone_samples_give_labels_tags_and_fields(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.png").write_bytes(paint())
    sample = {"_id": {"$oid": "1"}, "filepath": "data/a.png", "tags": ["train"], "weather": "rain", "boxes":
              {"_cls": "Detections", "detections": []}, "kind": {"_cls": "Classification", "label": "cat"}}  # fmt: skip
    (tmp_path / "samples.json").write_text(json.dumps({"samples": [sample]}))
    with open_source(tmp_path, None, Columns()) as source:
        assert lines(source) == {"data/a.png": {"tags": ["train"], "weather": "rain", "kind": "cat"}}


def test_a_hugging_face_folder_and_a_saved_one_are_read_with_class_names(tmp_path: Path) -> None:
    library = pytest.importorskip("datasets")
    features = library.Features({"image": library.Image(), "label": library.ClassLabel(names=["cat", "dog"])})
    rows = {"image": [{"bytes": paint(n), "path": f"p{n}.png"} for n in range(3)], "label": [0, 1, 1]}
    made = library.Dataset.from_dict(rows, features=features)
    made.to_parquet(tmp_path / "one.parquet")
    library.DatasetDict({"train": made}).save_to_disk(tmp_path / "saved")
    for place in (tmp_path / "one.parquet", tmp_path / "saved"):
        with open_source(place, None, Columns()) as source:
            assert [(entry.name, entry.row["label"]) for entry in source.entries] == [
                ("p0.png", "cat"), ("p1.png", "dog"), ("p2.png", "dog")]  # fmt: skip
            assert [source.read(entry.file, 10**6) for entry in source.entries] == [paint(n) for n in range(3)]


def test_hugging_face_s_own_library_opens_what_we_wrote(here: Place, tmp_path: Path) -> None:
    library = pytest.importorskip("datasets")
    records = furnished_records(here)
    for name in ("huggingface", "folder"):
        export_dataset("things", records, tmp_path / name, name)
    sizes = [(one.item.width, one.item.height) for one in records]
    for name in ("huggingface", "folder"):
        cells = library.load_dataset(str(tmp_path / name), cache_dir=str(tmp_path / "cache"), split="train")
        assert [one["image"].size for one in cells] == sizes, name
        assert cells["name"][0] == "=1+1/../ä b.png"
    cells = library.load_dataset(str(tmp_path / "huggingface"), cache_dir=str(tmp_path / "cache"), split="train")
    assert cells.features["group"].names == ["group 0", "group 1"] and cells["group"][:] == [0, 1, 0, 1, None]


def test_a_web_dataset_of_another_tool_gives_json_class_and_text(tmp_path: Path) -> None:
    (tmp_path / "shards").mkdir()
    for shard in range(2):
        with tarfile.open(tmp_path / "shards" / f"{shard}.tar", "w") as tar:
            for ending, content in (
                ("png", paint(shard)),
                ("json", b'{"site": "x"}'),
                ("cls", b"4"),
                ("txt", b"a cat"),
            ):
                info = tarfile.TarInfo(f"000{shard}.{ending}")
                info.size = len(content)
                tar.addfile(info, BytesIO(content))
    wanted = {"site": "x", "cls": "4", "caption": "a cat"}
    with open_source(tmp_path / "shards", None, Columns()) as source:
        assert lines(source) == {"0.tar/0000": wanted, "1.tar/0001": wanted}
        assert [source.read(entry.file, 10**6) for entry in source.entries] == [paint(0), paint(1)]
    with open_source(tmp_path / "shards" / "0.tar", None, Columns()) as source:
        assert lines(source) == {"0000": wanted}
    with open_source(tmp_path / "shards" / "0.tar", None, Columns(), format="folder") as source:
        assert len(source.entries) == 4


def test_a_table_that_names_files_stays_inside_and_a_lie_about_its_size_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blob = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    (tmp_path / "in.png").write_bytes(paint())
    cells = [{"bytes": None, "path": path} for path in ("in.png", "../out.png", "/etc/passwd", None)]
    pq.write_table(pa.table({"image": pa.array(cells, blob)}), tmp_path / "t.parquet")
    with open_source(tmp_path / "t.parquet", None, Columns()) as source:
        assert source.read(source.entries[0].file, 10**6) == paint()
        for entry in source.entries[1:]:
            with pytest.raises(EntryFault):
                source.read(entry.file, 10**6)
    from app.importers import tables

    monkeypatch.setattr(tables, "FREE_BYTES", 1000)
    big = pa.array([{"bytes": bytes(500_000), "path": "x"}] * 40, blob)
    pq.write_table(pa.table({"image": big}), tmp_path / "bomb.parquet", compression="zstd", use_dictionary=False)
    with pytest.raises(BadInput, match="200 times its size"):
        open_source(tmp_path / "bomb.parquet", None, Columns(), format="huggingface").__enter__()


def test_an_archive_of_a_data_set_is_a_data_set(here: Place, desk: Desk, tmp_path: Path) -> None:
    export_dataset("things", furnished_records(here), tmp_path / "out", "folder")
    with zipfile.ZipFile(tmp_path / "out.zip", "w") as pack:
        for path in sorted((tmp_path / "out").rglob("*")):
            pack.write(path, path.relative_to(tmp_path))
    assert desk.run(tmp_path / "out.zip").added == 5
    assert {item.name for item in desk.items()} >= {"=1+1/../ä b.png"}
    again = desk.run(tmp_path / "out")
    assert (again.added, again.known) == (0, 5)


def test_an_unknown_format_and_the_wrong_one_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(paint())
    with pytest.raises(NotFound, match="Did you mean 'coco'"):
        open_source(tmp_path, None, Columns(), format="cocos").__enter__()
    with pytest.raises(BadInput, match="not of the format 'coco'"):
        open_source(tmp_path, None, Columns(), format="coco").__enter__()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["a.png", "image", "..", "", "2026-01-01"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["images", "annotations", "categories", "id", "file_name", "image_id", "samples", "filepath",
                         "data", "image", "result", "value", "choices", "pairwright", "attributes", "taken_at", "meta",
                         "groups", "_cls", "label"]), inner, max_size=5),
    max_leaves=12,
)  # fmt: skip


@given(JSON, st.sampled_from(["annotations.json", "tasks.json", "samples.json", "metadata.jsonl"]))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_in_the_place_of_annotations_gives_pictures_or_bad_input(
    tmp_path: Path, document: Any, name: str
) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    for old in tmp_path.glob("*.json*"):
        old.unlink()
    if name == "annotations.json" and isinstance(document, dict):
        document = {"images": [], "annotations": [], "categories": []} | document
    (tmp_path / name).write_text(json.dumps(document))
    try:
        with open_source(tmp_path, None, Columns()) as source:
            assert all(entry.file in source.store.names for entry in source.entries)
    except BadInput:
        pass


@given(st.binary(max_size=200), st.sampled_from(["parquet", "arrow", "tar"]), st.integers(0, 300))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_in_the_place_of_a_table_give_pictures_or_bad_input(
    tmp_path: Path, noise: bytes, ending: str, at: int
) -> None:
    blob = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table({"image": pa.array([{"bytes": b"x" * 50, "path": "p"}], blob)})
    out = BytesIO()
    if ending == "parquet":
        pq.write_table(table, out)
    else:
        with pa.ipc.new_stream(out, table.schema) as writer:
            writer.write_table(table)
    content = bytearray(out.getvalue())
    content[at : at + len(noise)] = noise
    (tmp_path / f"any.{ending}").write_bytes(content)
    try:
        with open_source(tmp_path / f"any.{ending}", None, Columns()) as source:
            for entry in source.entries:
                source.read(entry.file, 100)
    except (BadInput, EntryFault):
        pass
