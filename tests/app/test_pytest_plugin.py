"""The fixture works in somebody else's tests, as the page shows it, and costs their start nothing."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
THEIRS = """
import numpy as np, pytest
from db.errors import BadInput, Refused

def test_what_cannot_be_answered_is_refused(simulated_session):
    session = simulated_session(np.eye(6), [0, 0, 1, 1, 2, None], budget=2)
    with pytest.raises(Refused, match="ask"):
        session.answer()
    question = session.ask()
    assert session.ask() == question, "the same until it is answered"
    with pytest.raises(BadInput, match="True, False, same"):
        session.answer([True] * 99)
    session.answer(["unsure"] * len(question.pairs()))
    assert session.spent == 1
    with pytest.raises(BadInput, match="one label for each row"):
        simulated_session(np.eye(3), [0, 1])

def test_the_same_seed_gives_the_same_session(simulated_session):
    rows = np.random.default_rng(1).normal(size=(20, 4))
    one, other = (simulated_session(rows, [n % 2 for n in range(20)], noise=.2, budget=6, seed=4) for _ in "ab")
    assert one.run(9) == other.run(9) == 6
    assert str(one.curve.rows) == str(other.curve.rows) and (one.partition == other.partition).all()
"""


def test_the_fixture_works_elsewhere_and_as_documented(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "simulate.md").read_text(encoding="utf-8")
    (tmp_path / "test_page.py").write_text("\n".join(re.findall(r"```python\n(.*?)```", page, re.S)))
    (tmp_path / "test_theirs.py").write_text(THEIRS)
    words = [sys.executable, "-m", "pytest", "-q", "--rootdir", str(tmp_path), str(tmp_path)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0 and "3 passed" in done.stdout, done.stdout + done.stderr


def test_the_plugin_imports_nothing_heavy() -> None:
    heavy = ("torch", "numpy", "sqlalchemy", "gradio")
    code = f"import app.pytest_plugin, sys; print([m for m in {heavy} if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
