"""A small installation for the tests of the web app: painted pictures, one criterion, some questions, every role."""

import hashlib
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import Image, ImageDraw

from app.server import create_app
from app.settings import Settings
from db import catalog, queue, synthetic, users
from db.engine import Database
from db.nouns import Kind, Question

COLOURS = ["#c0392b", "#2980b9", "#27ae60", "#f39c12", "#8e44ad", "#16a085"]
ROLES = ("viewer", "annotator", "robot", "curator", "admin")


def paint(number: int, side: int = 96) -> bytes:
    """A PNG: shape by parity, colour by remainder."""
    image = Image.new("RGB", (side, side), "white")
    draw = ImageDraw.Draw(image)
    box = (side // 8, side // 8, side - side // 8 - number % 7, side - side // 8)
    (draw.ellipse if number % 2 else draw.rectangle)(box, fill=COLOURS[number % len(COLOURS)])
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def fill(database: Database, workspace: Path, count: int = 24, name: str = "shapes") -> list[int]:
    """A collection of painted pictures; returns the ids of its items."""
    new = []
    for number in range(count):
        picture = paint(number)
        sha = hashlib.sha256(picture).hexdigest()
        path = Path("media") / sha[:2] / f"{sha}.png"
        (workspace / path).parent.mkdir(parents=True, exist_ok=True)
        (workspace / path).write_bytes(picture)
        attributes = {"shape": "round" if number % 2 else "square"}
        new.append(catalog.NewItem(sha, 96, 96, path.as_posix(), name=f"shape-{number:03}.png", attributes=attributes))
    with database.write() as s:
        collection = catalog.add_collection(s, name)
        catalog.add_items(s, collection, new)
        return [item.id for item in catalog.items(s, collection)]


def propose(database: Database, workspace: Path, anchors: list[int], name: str = "shapes") -> list[int]:
    """One synthetic picture of each anchor, painted; returns their ids."""
    new = []
    for number, anchor in enumerate(anchors):
        picture = paint(number + 3, 32)
        sha = hashlib.sha256(picture).hexdigest()
        path = Path("media") / sha[:2] / f"{sha}.png"
        (workspace / path).parent.mkdir(parents=True, exist_ok=True)
        (workspace / path).write_bytes(picture)
        new.append(synthetic.NewPicture(anchor, sha, 32, 32, path.as_posix(), "clsp", "ab" * 32, 0))
    with database.write() as s:
        collection = catalog.collection_id(s, name)
        synthetic.add(s, collection, new)
        return [one.id for one in synthetic.pictures(s, collection)]


def ask(database: Database, criterion: int, ids: list[int], kinds: list[Kind]) -> list[int]:
    """Queue one question of each kind, over sliding windows of the items; returns their ids."""
    questions = []
    for place, kind in enumerate(kinds):
        size = 1 if kind is Kind.PAIR else 12
        turned = [ids[(place + step) % len(ids)] for step in range(size + 1)]
        expected = tuple(0.9 if step % 3 else 0.2 for step in range(size))
        question = Question(criterion, kind, turned[0], tuple(turned[1:]), "test", expected=expected)
        questions.append(question)
    with database.write() as s:
        return queue.put(s, criterion, questions, retire=False)


@dataclass
class World:
    """What a test needs at hand: the app, its database, ids, and a bearer token of every role."""

    settings: Settings
    database: Database
    app: object
    items: list[int]
    criterion: int
    questions: list[int]
    tokens: dict[str, str]

    def as_role(self, role: str | None) -> httpx.AsyncClient:
        """A program with the token of this role, or a stranger."""
        headers = {"authorization": f"Bearer {self.tokens[role]}"} if role else {}
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)  # type: ignore[arg-type]
        return httpx.AsyncClient(transport=transport, base_url="http://pairwright.test", headers=headers)


@pytest.fixture
def anyio_backend() -> str:
    """The event loop uvicorn uses by default."""
    return "asyncio"


@dataclass(frozen=True)
class Template:
    """An installation made once and copied for every test."""

    folder: Path
    items: list[int]
    criterion: int
    questions: list[int]
    tokens: dict[str, str]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Pictures, one criterion, six questions, a user and a token of every role."""
    folder = tmp_path_factory.mktemp("template") / "workspace"
    database = Settings(folder).open()
    items = fill(database, folder)
    with database.write() as s:
        criterion = catalog.add_criterion(
            s, "shape", catalog.collection_id(s, "shapes"), "Do these have the same shape?"
        )
        for role in ROLES:
            users.add(s, role, role, "correct horse")
        tokens = {role: users.issue_token(s, role, "test") for role in ROLES}
    kinds = [Kind.PAIR, Kind.TICK, Kind.ODD, Kind.PAIR, Kind.PAIR, Kind.MERGE]
    questions = ask(database, criterion, items, kinds)
    database.close()
    return Template(folder, items, criterion, questions, tokens)


@pytest.fixture
def world(template: Template, tmp_path: Path) -> Iterator[World]:
    """A fresh copy of that installation, with its app."""
    shutil.copytree(template.folder, tmp_path / "workspace")
    settings = Settings(tmp_path / "workspace", None, trainer=False)
    database = settings.open()
    app = create_app(settings, database=database)
    yield World(settings, database, app, template.items, template.criterion, template.questions, template.tokens)
    database.close()


@pytest.fixture
async def annotator(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """A program that may answer."""
    async with world.as_role("annotator") as client:
        yield client
