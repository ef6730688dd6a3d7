"""WebDataset: tar files in which KEY.png, KEY.json, KEY.cls and a recording belong together.

Source: https://github.com/webdataset/webdataset#the-webdataset-format.
"""

import tarfile
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path, PurePosixPath

import orjson

from app.exporters.datasets import Record

SHARD_BYTES = 1024**3
CLOCK = 0  # of every file in the archive, so that the same data set is the same bytes


class DataSet:
    """`KEY.cls` is the group's number, `KEY.json` all about the picture."""

    def write(self, title: str, records: Sequence[Record], folder: Path) -> None:
        """data-NNNNNN.tar, about a gigabyte each."""
        queue, number = list(records), 0
        while queue or number == 0:
            with tarfile.open(folder / f"data-{number:06}.tar", "w") as tar:
                while queue and tar.offset < SHARD_BYTES:
                    for name, content in _files(queue.pop(0)):
                        info = tarfile.TarInfo(name)
                        info.size, info.mtime = len(content), CLOCK
                        tar.addfile(info, BytesIO(content))
            number += 1


def _files(one: Record) -> Iterator[tuple[str, bytes]]:
    path = PurePosixPath(one.file)
    audio = None if one.sound is None else f"{path.stem}{PurePosixPath(one.sound).suffix}"
    yield path.name, one.content()
    document = {"name": one.item.name, "pairwright": one.about(audio)}
    if one.group is not None:
        document["group"] = one.group.name
        yield f"{path.stem}.cls", str(one.group.number).encode()
    yield f"{path.stem}.json", orjson.dumps(document)
    if audio is not None:
        yield audio, one.sound_content()
