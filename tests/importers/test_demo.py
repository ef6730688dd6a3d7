"""The demo collection: drawn, judged, imported once."""

from collections import Counter

import numpy as np
import pytest

from app import demo, drawn
from db import catalog
from tests.importers.conftest import Desk


def test_the_openmoji_list_is_large_varied_and_free_of_flags_and_skin_tones() -> None:
    emojis = demo.emoji_list()
    kinds = Counter(kind for _, kind, _ in emojis)
    assert 1_000 < len(emojis) < 1_600
    assert set(kinds) == {*demo.KINDS.values(), "plants"}
    assert min(kinds.values()) >= 20
    names = [name for name, _, _ in emojis]
    assert not [name for name in names if name.startswith("flag ") or "skin tone" in name]
    assert len({path for _, _, path in emojis}) == len(emojis)


@pytest.mark.parametrize(
    ("name", "kind", "colour"),
    [
        ("red circle", "symbols", "red"), ("large green square", "symbols", "green"), ("frog", "animals", "green"),
        ("purple heart", "symbols", "purple"), ("grinning", "faces", "yellow"), ("cactus", "plants", "green"),
        ("large orange diamond", "symbols", "orange"), ("black heart", "symbols", "black"),
        ("elephant", "animals", "grey"), ("white heart", "symbols", "white"), ("pig", "animals", "pink"),
    ],
)  # fmt: skip
def test_a_person_would_agree_with_kind_and_colour(name: str, kind: str, colour: str) -> None:
    emoji = next(emoji for emoji in demo.emoji_list() if emoji[0] == name)
    made = drawn.draw_emoji(emoji)
    assert (made.kind, made.colour) == (kind, colour)
    assert made.png.startswith(b"\x89PNG")


def test_the_colour_of_our_own_shapes_is_judged_as_painted() -> None:
    from PIL import ImageColor

    for colour, paint in drawn.PAINTS.items():
        patch = np.full((9, 9, 4), 255, np.uint8)
        patch[..., :3] = ImageColor.getrgb(paint)
        assert drawn.main_colour(patch)[0] == colour


def test_without_the_wheel_shapes_take_its_place_and_twice_is_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "find_spec", lambda name: None)
    monkeypatch.setattr(demo, "shapes", lambda: drawn.shapes(copies=1))
    ticks: list[tuple[int, int]] = []
    first = demo.prepare_demo(desk.database, desk.workspace, lambda done, total: ticks.append((done, total)))
    second = demo.prepare_demo(desk.database, desk.workspace)
    assert first == second == demo.Demo("shapes", 144, "")
    assert ticks[-1][0] == ticks[-1][1]
    with desk.database.read() as s:
        items = catalog.items(s, catalog.collection_id(s, "shapes"))
        assert {there.name for there in catalog.criteria(s)} == {"kind", "colour"}
    assert {key for item in items for key in item.attributes} == {"kind", "colour", "style"}
    assert not list(desk.workspace.glob(".demo-*"))


def test_a_criterion_of_somebody_else_keeps_its_name(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "find_spec", lambda name: None)
    monkeypatch.setattr(demo, "shapes", lambda: list(drawn.shapes(copies=1))[:3])
    with desk.database.write() as s:
        catalog.add_criterion(s, "kind", catalog.add_collection(s, "mine"), "My own question?")
    demo.prepare_demo(desk.database, desk.workspace)
    with desk.database.read() as s:
        assert {there.name for there in catalog.criteria(s)} == {"kind", "shapes kind", "colour"}
        assert catalog.criterion(s, "kind").prompt == "My own question?"


def test_the_credit_names_the_artists_and_the_licence() -> None:
    assert "OpenMoji" in demo.CREDIT and "CC BY-SA 4.0" in demo.CREDIT
