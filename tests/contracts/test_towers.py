"""What every tower promises. A file in trainer/towers is tested by being there."""

import numpy as np
import pytest

from oracle import plugins
from trainer.towers import FAMILY, Tower

TEXTS = ["a red apple on a table", "A man repairs a tractor.", "ein Fluss", "42", "a red apple on the table"]


@pytest.fixture(params=plugins.names(FAMILY))
def tower(request: pytest.FixtureRequest) -> Tower:
    made: Tower = plugins.load(FAMILY, request.param)
    return made


def test_a_text_is_a_row_of_length_1(tower: Tower) -> None:
    rows = tower(TEXTS)
    assert rows.shape == (len(TEXTS), tower.dim) and rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)


def test_a_row_depends_on_its_text_alone(tower: Tower) -> None:
    rows, turned = tower(TEXTS), tower(TEXTS[::-1])
    assert turned[::-1] == pytest.approx(rows, abs=1e-5) and tower(TEXTS[1:2])[0] == pytest.approx(rows[1], abs=1e-5)


def test_what_is_said_alike_is_near(tower: Tower) -> None:
    cosines = (rows := tower(TEXTS)) @ rows.T
    assert cosines[0, 4] > 0.7 > max(cosines[0, 1], cosines[0, 2], cosines[0, 3])


def test_no_texts_and_empty_ones_are_no_error(tower: Tower) -> None:
    assert tower([]).shape == (0, tower.dim) and np.isfinite(tower([""])).all()
