"""The benchmark of networks that read pictures and words: what is told, and the page, on made-up lines."""

import torch

from benchmarks.fusion.report import page
from benchmarks.fusion.trial import ASKED, NAMES, SIDE, captions, digits, name_of, shuffled
from trainer.fusion.looking import Fusion
from trainer.fusion.nets import Shape
from trainer.fusion.vocabulary import Vocabulary


def line(system: str, seed: int, right: float) -> dict[str, object]:
    return {
        "system": system, "seed": seed, "epochs": 3, "taught": 1297, "asked": 500, "right": right, "shuffled": 0.1,
        "auroc": 0.9, "loss": 1.0, "train_s": 20.4, "steps": 60,
    }  # fmt: skip


def test_the_pictures_are_the_same_every_time_and_nobody_is_both_taught_and_asked() -> None:
    pictures, labels, asked, truth = digits()
    assert pictures.shape == (1797 - ASKED, SIDE, SIDE, 3) and len(truth) == ASKED and len(labels) == len(pictures)
    assert set(captions(truth.tolist())) == set(NAMES)
    taught = {one.tobytes() for one in pictures}
    assert sum(one.tobytes() in taught for one in asked) <= 1, "scikit-learn has next to no picture twice"


def test_only_the_likeliest_word_of_all_counts() -> None:
    look = Fusion(Shape(40, 4, 1, 1))
    look.vocabulary = Vocabulary.learnt([*NAMES, *NAMES, "tile tile"], 40)
    scores = torch.zeros(3, len(look.vocabulary))
    for row, word in enumerate(("seven", "tile", "zero")):
        scores[row, look.vocabulary.numbers[word]] = 1
    assert name_of(scores, look).tolist() == [7, -1, 0]
    places = torch.arange(200.0)[:, None]
    assert (shuffled(places) != places).float().mean() > 0.9 and torch.equal(shuffled(places).sort(0).values, places)


def test_the_page_has_a_row_for_each_system_measured() -> None:
    text = page([line("mapl", 0, 0.9), line("mapl", 1, 1.0), line("beit3", 0, 0.97)])
    assert "| `mapl` | 2 | 95.0 ± 5.0 | 10.0 ± 0.0 | 90.0 ± 0.0 | 20 s |" in text
    assert "| `beit3` | 1 | 97.0 | 10.0 | 90.0 | 20 s |" in text and "`flava`" not in text
    assert "taught 1297" in " ".join(text.split())
    assert "Nothing measured yet" in page([])
