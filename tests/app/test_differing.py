"""What became of the groups, on partitions whose story is known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.differing import difference
from db.errors import BadInput


def parts(**groups: str) -> dict[str, str]:
    return {item: name for name, items in groups.items() for item in items}


def test_a_merge_a_split_and_a_move_are_told_apart() -> None:
    before = parts(A="abcd", B="ef", C="ghijkl", D="mnop")
    after = parts(one="abcdef", two="ghij", three="kl", four="mno", five="") | {"p": "one"}
    found = difference(before, after)
    assert [(c.before, c.after, c.items) for c in found.merged] == [(("A", "B"), ("one",), (4, 2))]
    assert [(c.before, c.after, c.items) for c in found.split] == [(("C",), ("three", "two"), (2, 4))]
    assert found.moved == ("p",)
    assert (found.groups_before, found.groups_after) == (4, 4)
    words = found.words()
    assert "1 merged: A (4) + B (2) became one." in words and "1 split: C became three (2) + two (4)." in words
    assert "1 items moved between groups: p." in words


def test_items_of_one_side_only_are_counted_and_none_in_common_is_refused() -> None:
    found = difference(parts(A="abc"), parts(B="bcde"))
    assert (found.items, found.only_before, found.only_after, found.moved) == (2, 1, 2, ())
    with pytest.raises(BadInput, match="share no item"):
        difference(parts(A="a"), parts(A="b"))


labels = st.lists(st.integers(0, 4), min_size=1, max_size=30)


@given(labels, st.permutations(range(5)))
def test_other_names_for_the_same_groups_are_no_difference(found: list[int], names: list[int]) -> None:
    before = {str(i): label for i, label in enumerate(found)}
    told = difference(before, {item: names[label] for item, label in before.items()})
    assert not (told.merged or told.split or told.moved)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30))
def test_turned_round_merges_are_splits_and_the_same_items_moved(pairs: list[tuple[int, int]]) -> None:
    before, after = ({str(i): pair[side] for i, pair in enumerate(pairs)} for side in (0, 1))
    there, back = difference(before, after), difference(after, before)
    assert [(c.before, c.after) for c in there.merged] == [(c.after, c.before) for c in back.split]
    assert there.moved == back.moved
