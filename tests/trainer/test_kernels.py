"""Rules over metadata: laws of each condition, draws against all pairs, and bad texts told in one sentence."""

import math
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.errors import BadInput, NotFound
from db.nouns import Item
from trainer.attributes import Attributes
from trainer.kernels import RADIUS_KM, balanced, chord_of, on_sphere, rule
from trainer.partners import AT_ONCE, partners

RULES = ("camera", "!date", "place~300km", "place~30000km", "time~20min", "time~20min@day", "time~13h@day",
         "camera+track~30min", "camera+place~2000km+!date+time~5h@day", "angle~15", "camera+time~5d@year")  # fmt: skip
degrees = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


def column(values: list[object]) -> np.ndarray:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def world(count: int = 200, seed: int = 0) -> Attributes:
    """Pictures around the poles, the antimeridian and one meridian, some of them without a value."""
    random = np.random.default_rng(seed)
    longitude = random.choice([-179.9, 179.9, 0.0], count) + 3 * random.normal(size=count)
    where = np.stack([random.choice([-89.0, 0.5, 60.0], count) + random.uniform(0, 1, count), longitude], 1)
    taken = 1.7e9 + random.uniform(0, 3 * 86400, count)
    taken[::17], where[::13] = np.nan, np.nan
    camera = ["" if n % 11 == 0 else str(random.integers(5)) for n in range(count)]
    return Attributes(
        7 + 3 * np.arange(count),
        {"camera": column(list(camera)), "date": column([str(n) for n in random.integers(0, 4, count)]),
         "angle": column([None if n % 9 == 0 else float(random.uniform(0, 360)) for n in range(count)])},
        taken, where,
    )  # fmt: skip


def great_circle(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Kilometres by the haversine formula."""
    (p, u), (q, v) = (tuple(map(math.radians, where)) for where in (one, other))
    inner = math.sin((q - p) / 2) ** 2 + math.cos(p) * math.cos(q) * math.sin((v - u) / 2) ** 2
    return 2 * RADIUS_KM * math.asin(min(1.0, math.sqrt(inner)))


def at(*places: tuple[float, float]) -> Attributes:
    return Attributes(np.arange(len(places)), {}, np.full(len(places), np.nan), np.array(places))


def taken(*seconds: float) -> Attributes:
    return Attributes(np.arange(len(seconds)), {}, np.array(seconds), np.full((len(seconds), 2), np.nan))


@pytest.mark.parametrize("text", RULES)
class TestEveryRule:
    def test_it_is_symmetric_and_relates_nobody_to_itself_or_to_what_lacks_a_value(self, text: str) -> None:
        held = rule(text, world())
        every = held(np.arange(200)[:, None], np.arange(200)[None])
        assert (every == every.T).all() and not every.diagonal().any() and every.any()
        assert not every[~held.known].any()

    def test_partners_are_related_and_whoever_is_related_to_somebody_has_one(self, text: str) -> None:
        held = rule(text, world())
        every, itself = held(np.arange(200)[:, None], np.arange(200)[None]), np.arange(200)
        drawn = partners(held, np.random.default_rng(0))
        lonely = ~every.any(1)
        assert every[itself, drawn][~lonely].all() and (drawn[lonely] == itself[lonely]).all()

    def test_the_same_seed_draws_the_same(self, text: str) -> None:
        held = rule(text, world())
        one, two, other = (partners(held, np.random.default_rng(seed)) for seed in (0, 0, 1))
        assert (one == two).all()
        assert (one != other).any() or (held(np.arange(200)[:, None], np.arange(200)[None]).sum(1) < 4).all()


@pytest.mark.parametrize("text", ["camera", "place~2000km", "time~20min@day", "camera+time~12h"])
def test_every_related_item_is_drawn_as_often_as_it_weighs(text: str) -> None:
    known, times = world(60), 3000
    held = rule(text, known)
    weights = np.linspace(0.2, 3, 60)
    every = held(np.arange(60)[:, None], np.arange(60)[None])
    random, counts = np.random.default_rng(1), np.zeros((60, 60))
    for _ in range(times):
        counts[np.arange(60), partners(held, random, weights)] += 1
    met = every.any(1)
    wanted = every[met] * weights / (every[met] * weights).sum(1, keepdims=True)
    deviation = np.sqrt(wanted * (1 - wanted) / times)
    assert (np.abs(counts[met] / times - wanted) <= 5 * deviation + 1e-9).all()


def test_rows_whose_draws_all_fail_are_looked_through_part_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """One other item among two thousand at the same place has another date."""
    count = 2000
    dates = column(["a"] * (count - 1) + ["b"])
    known = Attributes(np.arange(count), {"date": dates}, np.full(count, np.nan), np.full((count, 2), 10.0))
    monkeypatch.setattr("trainer.partners.AT_ONCE", 5000)
    assert AT_ONCE > 5000
    drawn = partners(rule("place~1m+!date", known), np.random.default_rng(0))
    assert (drawn[:-1] == count - 1).all() and drawn[-1] < count - 1


@settings(max_examples=200, deadline=None)
@given(degrees, degrees, st.floats(0.01, 20_000))
def test_a_radius_is_the_way_along_the_sphere(one: tuple[float, float], other: tuple[float, float], km: float) -> None:
    far = great_circle(one, other)
    if abs(far - km) < 1e-3 + 1e-6 * km:
        return  # too near to the edge for two formulas to agree
    assert bool(rule(f"place~{km:.6f}km", at(one, other))(np.array(0), np.array(1))) == (far <= km)


def test_a_radius_crosses_the_antimeridian_and_the_pole() -> None:
    held = rule("place~30km", at((0.0, 179.9), (0.0, -179.9), (89.95, 10.0), (89.95, -170.0), (0.0, 0.0)))
    every = held(np.arange(5)[:, None], np.arange(5)[None])
    assert set(zip(*np.nonzero(every), strict=True)) == {(0, 1), (1, 0), (2, 3), (3, 2)}
    assert partners(held, np.random.default_rng(0)).tolist() == [1, 0, 3, 2, 4]


@settings(max_examples=200, deadline=None)
@given(st.floats(0, 4e9), st.floats(0, 4e9), st.integers(1, 1440))
def test_a_window_of_the_day_is_the_nearer_way_around_the_clock(one: float, other: float, minutes: int) -> None:
    apart = abs(one - other) % 86400
    nearer = min(apart, 86400 - apart)
    if abs(nearer - 60 * minutes) < 1e-3:
        return
    held = rule(f"time~{minutes}min@day", taken(one, other))
    assert bool(held(np.array(0), np.array(1))) == (nearer <= 60 * minutes)


def test_a_window_crosses_midnight() -> None:
    late, early = (
        datetime(2026, 1, day, hour, 50 if hour else 10, tzinfo=UTC).timestamp() for day, hour in ((1, 23), (9, 0))
    )
    assert rule("time~30min@day", taken(late, early))(np.array(0), np.array(1))
    assert not rule("time~30min", taken(late, early))(np.array(0), np.array(1))
    assert rule("time~30min", taken(late, late + 1200))(np.array(0), np.array(1))
    assert partners(rule("time~30min@day", taken(late, early)), np.random.default_rng(0)).tolist() == [1, 0]


def test_a_track_ends_where_the_gap_is_too_long_and_where_the_camera_changes() -> None:
    seconds = np.array([0.0, 500, 1000, 5000, 5100, 600, np.nan])
    cameras = column(["a", "a", "a", "a", "a", "b", "a"])
    known = Attributes(np.arange(7), {"camera": cameras}, seconds, np.full((7, 2), np.nan))
    held = rule("camera+track~10min", known)
    pairs = {(i, j) for i in range(7) for j in range(i) if held(np.array(i), np.array(j))}
    assert pairs == {(1, 0), (2, 0), (2, 1), (4, 3)}
    assert rule("track~10min", known)(np.array(1), np.array(5))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-1, 6), min_size=1, max_size=60))
def test_balanced_values_weigh_the_same_in_sum(codes: list[int]) -> None:
    given_, weights = np.array(codes), balanced(np.array(codes))
    known = given_[given_ >= 0]
    for value in np.unique(known):
        assert weights[given_ == value].sum() == pytest.approx(len(known) / len(np.unique(known)))
    assert (weights[given_ < 0] == 1).all() and weights.sum() == pytest.approx(len(codes))


def test_a_chord_is_the_straight_way() -> None:
    one, other = on_sphere(np.array([[0.0, 0.0], [0.0, 90.0]]))
    assert np.linalg.norm(one - other) == pytest.approx(chord_of(RADIUS_KM * math.pi / 2))
    assert chord_of(1e9) == 2.0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "by = conditions such as"),
        ("camera~", "by = conditions such as"),
        ("!place~5km", "by = conditions such as"),
        ("camra", "no metadata column named 'camra'. Did you mean 'camera'"),
        ("place~5lightyears", "a number with one of the units"),
        ("camera~5km", "is no radius"),
        ("time~2h@week", "@day or @year expected"),
        ("angle~15@day", "needs a unit of time"),
        ("camera~2h", "no value of 'kind' is a time"),
        ("angle~1.2.3", "a number with one of the units"),
    ],
)
def test_what_is_no_rule_is_told_in_one_sentence(text: str, words: str) -> None:
    known = world()
    known = Attributes(known.ids, {**known.values, "kind": column(["x"] * 200)}, known.taken, known.degrees)
    text = text.replace("camera~2h", "kind~2h")
    with pytest.raises((BadInput, NotFound), match=r"^[^\n]+$") as told:
        rule(text, known)
    assert words in str(told.value)


def test_metadata_is_read_from_items_and_from_columns() -> None:
    zone = timezone(timedelta(hours=8))
    items = [
        Item(9, 1, "b", 1, 1, "b", taken_at=datetime(2026, 1, 1), latitude=1.0, longitude=2.0,
             attributes={"hour": "3", "when": "2026-01-01T08:00:00+08:00"}),
        Item(4, 1, "a", 1, 1, "a", attributes={"hour": "", "when": datetime(2026, 1, 1, 8, tzinfo=zone)}),
    ]  # fmt: skip
    found = Attributes.of(items)
    assert found.ids.tolist() == [4, 9] and found.names == ["hour", "place", "time", "when"]
    assert found.codes("hour").tolist() == [-1, 0]
    assert np.isnan(found.times("time")).tolist() == [True, False]
    assert found.times("when")[0] == found.times("when")[1] == found.times("time")[1]
    assert np.isnan(found.numbers("hour")).tolist() == [True, False]
    only = found.only(np.array([9]))
    assert only.ids.tolist() == [9] and only.codes("hour").tolist() == [0]
    with pytest.raises(BadInput, match="some items have none"):
        found.only(np.array([5]))


def test_columns_named_latitude_and_longitude_are_a_place() -> None:
    values = {"latitude": column(["1.5", "91", ""]), "longitude": column([2, 2, 2])}
    known = Attributes(np.arange(3), values, np.full(3, np.nan), np.full((3, 2), np.nan))
    assert known.places()[0].tolist() == [1.5, 2.0] and np.isnan(known.places()[1:]).all()
    assert "place" in known.names
