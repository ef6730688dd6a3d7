"""Settings of an update, as somebody types them."""

import pytest

from db.errors import BadInput, NotFound
from oracle.plugins import names
from trainer.choices import UpdateSettings, chosen


def test_nothing_said_changes_nothing() -> None:
    assert chosen([]) == UpdateSettings()


def test_parts_and_their_settings_are_set_in_any_order() -> None:
    texts = ["negatives.weight=0.5", "negatives=uniform", "objective.temperature=0.2", "steps=30", "calibrate=no"]
    for order in (texts, texts[::-1]):
        made = chosen(order)
        assert (made.negatives, made.negative_settings) == ("uniform", {"weight": 0.5})
        assert made.losses()[made.objective].temperature == 0.2
        assert (made.steps, made.calibrate) == (30, False)


def test_weights_add_and_drop_objectives_beside_the_first() -> None:
    made = chosen(["weights.cluster=0.3", "weights.keep=0"])
    assert made.objectives == {UpdateSettings().objective: 1.0, "pair": 0.5, "cluster": 0.3}


def test_another_negative_policy_forgets_the_settings_of_the_last() -> None:
    first = chosen(["negatives=soft_elimination", "negatives.sharpness=2"])
    assert chosen(["negatives=uniform"], first).negative_settings == {}
    assert chosen(["negatives.sharpness=3"], first).negative_settings == {"sharpness": 3.0}


@pytest.mark.parametrize("name", names("trainer.negatives"))
def test_every_negative_policy_can_be_chosen_by_its_name(name: str) -> None:
    assert type(chosen([f"negatives={name}"]).policy(3)).__module__ == f"trainer.negatives.{name}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("negatives=unifrom", "Did you mean 'uniform'"),
        ("negatives.sharpnes=1", "Did you mean 'sharpness'"),
        ("negatives.sharpness=much", "float expected, got 'much'"),
        ("objective=supcom", "Did you mean"),
        ("objective.tau=1", "no setting of"),
        ("weights.supcom=1", "Did you mean"),
        ("weights.pair=heavy", "a number expected"),
        ("weights=1", "cannot be set"),
        ("positives=own_vieww", "Did you mean 'own_view'"),
        ("stepz=3", "Did you mean 'steps'"),
        ("steps=0", "at least 1"),
        ("drop=1", "below 1"),
        ("uniform", "takes KEY=VALUE"),
        ("weights.supcon=-1", "at least 0"),
    ],
)
def test_a_wrong_setting_is_refused_in_one_sentence_that_teaches(text: str, says: str) -> None:
    with pytest.raises((BadInput, NotFound), match=says) as error:
        chosen([text])
    assert error.value.exit_code == 2 and "\n" not in str(error.value)


def test_a_document_holds_everything_in_plain_values() -> None:
    found = chosen(["negatives=uniform"]).document()
    assert found["negatives"] == "uniform" and found["positives"] == list(UpdateSettings().positives)
    assert set(found) == {"steps", "batch", "rate", "decay", "noise", "drop", "partners", "calibrate", "positives",
                          "negatives", "negative_settings", "objectives", "objective_settings"}  # fmt: skip
