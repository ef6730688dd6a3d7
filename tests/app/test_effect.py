"""What answers settle, counted in pairs: the fast count equals the slow one."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from app.api.progress import settled_pairs
from db.nouns import Statement, Verdict

ITEMS = st.integers(1, 9)
SAID = st.lists(st.tuples(ITEMS, ITEMS, st.sampled_from(list(Verdict)), st.booleans()), max_size=14)


def slow(said: list[Statement]) -> int:
    """By hand: spread groups until nothing changes, then look at every pair."""
    group = {item: item for one in said if one.verdict in ("same", "different") for item in (one.a, one.b)}
    for _ in range(len(group)):
        for one in said:
            if one.verdict is Verdict.SAME and not one.background:
                group[one.a] = group[one.b] = min(group[one.a], group[one.b])
    apart = {frozenset((group[one.a], group[one.b])) for one in said if one.verdict is Verdict.DIFFERENT}
    return sum(
        group[a] == group[b] or frozenset((group[a], group[b])) in apart for a, b in combinations(sorted(group), 2)
    )


@given(SAID)
def test_the_fast_count_equals_the_slow_one(rows: list[tuple[int, int, Verdict, bool]]) -> None:
    said = [
        Statement(n, a, b, verdict, "me", background=flag) for n, (a, b, verdict, flag) in enumerate(rows) if a != b
    ]
    assert settled_pairs(said) == slow(said)
