"""Every block of Python in the documentation runs: here, or in the test of the page that needs a served app."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torchvision import datasets

from app.cli import python_page
from tests.docs.blocks import PAGES, ROOT, python
from trainer.pool import Pool

ELSEWHERE = {
    "elsewhere.md": "tests/doors/test_models.py",
    "program.md": "tests/app/test_client.py",
    "robot.md": "tests/app/test_robot_page.py",
    "simulate.md": "tests/app/test_pytest_plugin.py",
}


class Tiny(datasets.FakeData):
    """Takes the place of a data set that would be downloaded."""

    classes = ("shirt", "shoe", "bag")

    def __init__(self, root: str, download: bool) -> None:
        super().__init__(size=5, image_size=(3, 28, 28), num_classes=3)


def ran(page: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> dict[str, Any]:
    """What the names of a page's blocks are after all of them ran, in order."""
    monkeypatch.chdir(folder)
    known: dict[str, Any] = {"__name__": page}
    for block in python(ROOT / "docs" / page):
        if not block.reason:
            exec(block.text, known)  # noqa: S102 - our own page
    return known


@pytest.mark.parametrize("path", [one for one in PAGES if python(one)], ids=lambda path: path.stem)
def test_the_python_of_every_page_runs_somewhere(path: Path) -> None:
    if path.name in ELSEWHERE:
        assert f'"{path.name}"' in (ROOT / ELSEWHERE[path.name]).read_text(encoding="utf-8")
    else:
        assert f'ran("{path.name}"' in Path(__file__).read_text(encoding="utf-8"), f"nothing runs {path.name}"


def test_a_data_set_of_torchvision_comes_in_as_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(datasets, "FashionMNIST", Tiny)
    ran("bring.md", monkeypatch, tmp_path)
    assert capsys.readouterr().out == "5 added\n"


def test_the_plugin_that_is_shown_is_an_objective(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    objective = ran("plugins.md", monkeypatch, tmp_path)["Objective"]()
    rows = torch.nn.functional.normalize(torch.randn(4, 3, generator=torch.Generator().manual_seed(0)), dim=1)
    rows.requires_grad_()
    ids, nothing = torch.arange(4), torch.zeros(4, 4)
    loss = objective(Pool.of(rows, rows, ids, ids, nothing, nothing.to(torch.int8)))
    loss.backward()
    assert torch.isfinite(loss) and rows.grad is not None and torch.isfinite(rows.grad).all()


def test_the_page_of_the_reference_is_what_the_code_says() -> None:
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    assert page == python_page.page(), "run make docs"
    assert "### trainer.taught.load" in page
