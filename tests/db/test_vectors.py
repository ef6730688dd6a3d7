"""Vectors in PostgreSQL: made whole, told apart, dropped, and none of the migrations' business."""

from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest

from db import migrate, vectors
from db.engine import Database, open_database

pytestmark = pytest.mark.postgres


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[Database]:
    with closing(open_database(postgres_url)) as database:
        yield database


def rows(count: int, seed: int = 0) -> np.ndarray:
    made = np.random.default_rng(seed).normal(size=(count, 8))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def test_a_version_has_one_table_of_the_vectors_that_were_stored_last(postgres: Database) -> None:
    assert vectors.possible(postgres)
    with postgres.read() as s:
        assert vectors.kept(s, 7) is None
    for made, about in ((rows(40), "first"), (rows(50, 1), "it's other")):
        with postgres.write() as s:
            vectors.store(s, 7, made, about)
        with postgres.read() as s:
            assert vectors.kept(s, 7) == about and vectors.kept(s, 8) is None
            near = vectors.nearest(s, 7, made[:3], 2)
            assert [found[0] for found in near] == [0, 1, 2]
            some = np.array([5, 9])
            assert [set(found) for found in vectors.nearest(s, 7, made[:2], 4, among=some)] == [{5, 9}] * 2
    assert vectors.drop(postgres, [7, 8]) == 1 and vectors.drop(postgres, [7]) == 0
    with postgres.read() as s:
        assert vectors.kept(s, 7) is None


def test_a_broken_build_leaves_what_was_there(postgres: Database) -> None:
    with postgres.write() as s:
        vectors.store(s, 7, rows(10), "whole")
    with pytest.raises(KeyboardInterrupt), postgres.write() as s:
        vectors.store(s, 7, rows(20), "half")
        raise KeyboardInterrupt
    with postgres.read() as s:
        assert vectors.kept(s, 7) == "whole" and len(vectors.nearest(s, 7, rows(1), 99)[0]) == 10


def test_migrations_see_no_difference_where_vectors_are_kept(postgres: Database) -> None:
    with postgres.write() as s:
        vectors.store(s, 7, rows(5), "some")
    assert migrate.differences(postgres.url) == []


def test_sqlite_has_none_and_forgets_none(tmp_path: object) -> None:
    with closing(open_database(f"sqlite:///{tmp_path}/a.sqlite")) as database:
        assert not vectors.possible(database) and vectors.drop(database, [1]) == 0
