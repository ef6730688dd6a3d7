"""Pictures and words read together: losses against the library's own and plain loops, and what is hidden."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torch.nn.functional import cross_entropy

from db.errors import BadInput, NotFound
from tests.patterns import patterns
from trainer.attributes import Attributes
from trainer.backbones import load_backbone
from trainer.fusion import nets
from trainer.fusion.bert import Flava, Lxmert, VisualBert, boxes
from trainer.fusion.captioners import Flamingo, Mapl
from trainer.fusion.codes import Codes, patches
from trainer.fusion.looking import Fusion, SeenTogether, hidden_words, mismatched, net_of
from trainer.fusion.multiway import Multiway
from trainer.fusion.nets import ANSWERS, CODEBOOK, HIDDEN_PLACE, HIDDEN_WORD, NEXT_WORD, PAIR, VOCABULARY, Net, Shape
from trainer.fusion.telling import places_of, text_log_probs, tokens_of, word_log_probs
from trainer.fusion.vocabulary import END, MASK, PAD, SPECIAL, START, UNKNOWN, Vocabulary
from trainer.labelled import Labelled
from trainer.modalities import BOTH_WAYS
from trainer.negatives.uniform import NegativePolicy as Uniform
from trainer.network import Network
from trainer.objectives.contrast import Objective
from trainer.pair_scores import beside_others, pair_scores
from trainer.pool import Pool, obey
from trainer.positives.own_view import PositiveSource as OwnView
from trainer.recipe import Recipe, Term, build
from trainer.training import Training, TrainSettings

KINDS = ("stripes", "dots", "wall", "moss", "night", "sand")
SHAPE = Shape(words=12, longest=6, places=4, layers=1, codes=5, dropout=0.0)
ROWS, WIDTH = 7, 16


def built(net: Any) -> Net:
    torch.manual_seed(0)
    made = net(WIDTH, SHAPE).double().eval()
    for weight in made.parameters():  # away from zeros and from each other, so that nothing agrees by chance
        weight.data += 0.1 * torch.randn_like(weight)
    made.begin(1.0)
    return made  # type: ignore[no-any-return]


def inputs() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """places, tokens without padding, hidden words and covered places."""
    random = torch.Generator().manual_seed(1)
    places = torch.randn(ROWS, SHAPE.places, WIDTH, generator=random, dtype=torch.float64)
    tokens = torch.randint(len(SPECIAL), SHAPE.words, (ROWS, SHAPE.longest), generator=random)
    hidden = hidden_words(tokens, 0.3, random)
    return places, tokens, hidden, torch.rand(ROWS, SHAPE.places, generator=random) < 0.4


def ours(net: Net, match: tuple[int, int], rows: Tensor, right: Tensor, more: dict[int, Any] | None = None) -> Tensor:
    """The loss of one term, the way the trainer takes it."""
    texts, nothing = torch.arange(ROWS), torch.zeros(ROWS, ROWS)
    told = {match[0]: (rows, right), **(more or {})}
    seen = SeenTogether(told, net, SHAPE.words, texts, (nothing, nothing.to(torch.int8)), 0.5, rows)
    term = Term(Objective(1.0, denominator="self"), matches=(match,))
    [pool] = seen.pools(term, None, None)  # type: ignore[arg-type]
    return term.objective(obey(Uniform()(OwnView()(pool))))


def only(labels: Tensor, where: Tensor) -> Tensor:
    return torch.where(where, labels, -100)


def same(one: Tensor, other: Tensor, net: Net) -> bool:
    """Values and gradients, to 1e-9."""
    weights = [weight for weight in net.parameters() if weight.requires_grad]
    slopes = [torch.autograd.grad(value, weights, allow_unused=True, retain_graph=True) for value in (one, other)]
    close = all(
        (a is None and b is None) or torch.allclose(a, b, rtol=0, atol=1e-9) for a, b in zip(*slopes, strict=True)
    )
    return close and one.item() == pytest.approx(other.item(), abs=1e-9)


def test_visualbert_is_the_librarys_loss() -> None:
    net, (places, tokens, hidden, _) = built(VisualBert), inputs()
    read, right = tokens.masked_fill(hidden, MASK), torch.arange(ROWS) % 2
    told = net(places, read)
    found = ours(net, (HIDDEN_WORD, VOCABULARY), told.words[hidden], tokens[hidden])
    found = found + ours(net, (PAIR, ANSWERS), told.pair, right)  # type: ignore[arg-type]
    seen, none = places + net.where, torch.zeros(ROWS, SHAPE.places, dtype=torch.bool)  # type: ignore[operator]
    wanted = net.model(  # type: ignore[operator]
        tokens.masked_fill(hidden, MASK), attention_mask=torch.ones_like(tokens), visual_embeds=seen,
        visual_attention_mask=torch.ones(ROWS, SHAPE.places), sentence_image_labels=right,
        labels=torch.cat([only(tokens, hidden), only(torch.zeros_like(none).long(), none)], 1),
    ).loss  # fmt: skip
    assert same(found, wanted, net)


@pytest.fixture
def double() -> Iterator[None]:
    """The library sums some losses up in the default type."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("double")
def test_lxmert_is_the_librarys_loss() -> None:
    net, (places, tokens, hidden, covered) = built(Lxmert), inputs()
    right, codes = torch.arange(ROWS) % 2, torch.arange(ROWS * SHAPE.places).view(ROWS, -1) % SHAPE.codes
    told = net(places, tokens.masked_fill(hidden, MASK), covered)
    assert told.places is not None and told.pair is not None
    normal = net.model.visual_loss_normalizer * covered.double().mean()  # type: ignore[union-attr, operator]
    found = ours(net, (HIDDEN_WORD, VOCABULARY), told.words[hidden], tokens[hidden])
    found = found + ours(net, (PAIR, ANSWERS), told.pair, right)
    found = found + normal * ours(net, (HIDDEN_PLACE, CODEBOOK), told.places[covered], codes[covered])
    wanted = net.model(  # type: ignore[operator]
        tokens.masked_fill(hidden, MASK), visual_feats=places.masked_fill(covered[..., None], 0.0),
        visual_pos=boxes(2).double().expand(ROWS, -1, -1), attention_mask=torch.ones_like(tokens).double(),
        labels=only(tokens, hidden), matched_label=right, obj_labels={"obj": (codes, covered.double())},
    ).loss  # fmt: skip
    assert same(found, wanted, net)


def test_flava_is_the_librarys_losses() -> None:
    net, (places, tokens, hidden, covered) = built(Flava), inputs()
    codes = torch.arange(ROWS * SHAPE.places).view(ROWS, -1) % SHAPE.codes
    told = net(places, tokens.masked_fill(hidden, MASK), covered)
    assert told.places is not None and told.pair is not None
    found = {
        "mmm_text": ours(net, (HIDDEN_WORD, VOCABULARY), told.words[hidden], tokens[hidden]),
        "mmm_image": ours(net, (HIDDEN_PLACE, CODEBOOK), told.places[covered], codes[covered]),
        "itm": ours(net, (PAIR, ANSWERS), told.pair, torch.ones(ROWS, dtype=torch.int64)),
    }
    z, t = net.alone(places, tokens)  # type: ignore[operator]
    both = {one: (rows, torch.arange(ROWS)) for one, rows in zip(BOTH_WAYS[0], (z, t), strict=True)}
    ways = [ours(net, match, *both[match[0]], both) for match in BOTH_WAYS]
    found["global_contrastive"] = torch.stack(ways).mean()
    wanted = net.model(  # type: ignore[operator]
        input_ids=tokens, input_ids_masked=tokens.masked_fill(hidden, MASK), bool_masked_pos=covered,
        pixel_values=places.transpose(1, 2).unflatten(2, (2, 2)), attention_mask=torch.ones_like(tokens),
        mlm_labels=only(tokens, hidden), mim_labels=codes.clone(), return_loss=True,
        itm_labels=torch.ones(ROWS, dtype=torch.int64),
    ).loss_info  # fmt: skip
    for name, value in found.items():
        assert same(value, wanted[name], net), name


def test_mapl_is_the_language_models_own_loss_behind_the_mapped_picture() -> None:
    net, (places, tokens, _, _) = built(Mapl), inputs()
    net.language.requires_grad_(True)  # type: ignore[union-attr]
    tokens[0, 3:] = PAD
    rows, follows = net(places, tokens).words[:, :-1], tokens[:, 1:]
    found = ours(net, (NEXT_WORD, VOCABULARY), rows[follows != PAD], follows[follows != PAD])
    x = torch.cat([net.down(places) + net.where, net.asking.expand(ROWS, -1, -1)], 1)  # type: ignore[operator, union-attr]
    before = net.up(net.mapper(x)[:, -Mapl.latents :])  # type: ignore[operator]
    words = net.language.transformer.wte(tokens)  # type: ignore[union-attr, operator]
    silent = torch.full((ROWS, Mapl.latents + 1), -100)
    labels = torch.cat([silent, only(follows, follows != PAD)], 1)
    told = net.language(  # type: ignore[operator]
        inputs_embeds=torch.cat([before, words], 1), labels=labels,
        attention_mask=torch.cat([torch.ones(ROWS, Mapl.latents), tokens != PAD], 1).long(),
    )  # fmt: skip
    assert told.loss.item() == pytest.approx(found.item(), abs=1e-6), "the library rounds to float32 before its loss"
    assert same(found, cross_entropy(told.logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten()), net)


def test_flamingos_closed_gates_leave_the_language_model_as_it_was() -> None:
    net, (places, tokens, _, _) = built(Flamingo), inputs()
    opened = net(places, tokens).words
    for gate in net.gates:  # type: ignore[union-attr]
        torch.nn.init.zeros_(gate.open)  # type: ignore[union-attr]
    plain = net.language.transformer(tokens).last_hidden_state  # type: ignore[union-attr, operator]
    assert torch.equal(net(places, tokens).words, plain) and not torch.allclose(opened, plain)


@pytest.mark.parametrize("net", [VisualBert, Lxmert, Flava, Multiway, Mapl, Flamingo])
def test_padding_says_nothing_and_only_the_causal_ones_never_look_ahead(net: Any) -> None:
    made, (places, tokens, _, _) = built(net), inputs()
    short = tokens[:, :4]
    padded = torch.cat([short, torch.full((ROWS, 2), PAD)], 1)
    torch.testing.assert_close(made(places, padded).words[:, :4], made(places, short).words, rtol=0, atol=1e-9)
    other = tokens.clone()
    other[:, -1] = 5 + (other[:, -1] - 4) % 7
    ahead = not torch.allclose(made(places, other).words[:, :-1], made(places, tokens).words[:, :-1])
    assert ahead != made.causal
    moved = made(places.flip(1), tokens).words
    assert not torch.allclose(moved, made(places, tokens).words), "it does not know where a place is"


def test_words_and_places_have_experts_of_their_own_below_the_last_layer() -> None:
    torch.manual_seed(0)
    net, (places, tokens, _, _) = Multiway(WIDTH, replace(SHAPE, layers=2)).double().eval(), inputs()
    assert [len(layer.experts) for layer in net.layers] == [2, 1]  # type: ignore[arg-type]
    loss = net.layers[0](torch.randn(2, 5, WIDTH).double(), torch.zeros(2, 5, dtype=torch.bool), 2)[:, :2].sum()
    loss.backward()
    words, seen = net.layers[0].experts  # type: ignore[misc]
    assert all(one.grad is not None for one in words.parameters())
    assert all(one.grad is None or not one.grad.any() for one in seen.parameters())
    covered = torch.ones(ROWS, SHAPE.places, dtype=torch.bool)
    assert torch.equal(net(places, tokens, covered).words, net(0 * places, tokens, covered).words)


def test_telling_is_cross_entropy_against_the_words_in_use() -> None:
    random = torch.Generator().manual_seed(3)
    rows, weight = (torch.randn(n, 4, generator=random, dtype=torch.float64) for n in (5, 9))
    bias, right = torch.randn(9, generator=random, dtype=torch.float64), torch.tensor([0, 3, 3, 7, 1])
    anchors, keys = nets.with_table(rows, (weight, bias), 8)
    pool = Pool.of(anchors, keys, right, torch.arange(8), torch.zeros(5, 8), torch.zeros(5, 8, dtype=torch.int8))
    found = Objective(1.0, denominator="self")(obey(Uniform()(OwnView()(pool))))
    total = 0.0
    for row, own in zip(rows, right.tolist(), strict=True):
        scores = [float(row @ weight[k] + bias[k]) for k in range(8)]
        total += math.log(sum(math.exp(one) for one in scores)) - scores[own]
    assert found.item() == pytest.approx(total / 5, abs=1e-9)
    assert found.item() == pytest.approx(cross_entropy(rows @ weight[:8].T + bias[:8], right).item(), abs=1e-9)


def test_a_word_of_every_text_is_hidden_and_never_what_holds_it_together() -> None:
    tokens = torch.tensor([[START, 7, END, PAD], [START, 7, 8, END], [PAD] * 4])
    for seed in range(20):
        hidden = hidden_words(tokens, 0.15, torch.Generator().manual_seed(seed))
        assert hidden[:2].any(1).all() and not hidden[2].any()
        assert not hidden[(tokens == START) | (tokens == END) | (tokens == PAD)].any()
    most = hidden_words(tokens, 1.0, torch.Generator().manual_seed(0))
    assert most.sum() == 3


def test_wrong_captions_are_of_other_words_and_answers_say_which_come_first() -> None:
    texts, said = torch.tensor([0, 0, 1, 2, 3]), torch.zeros(5, 5, dtype=torch.int8)
    said[2, 3] = said[3, 2] = 1
    said[4, 0] = said[0, 4] = -1
    wrong = np.zeros(5)
    for seed in range(60):
        other, own = mismatched(texts, said, torch.Generator().manual_seed(seed))
        assert torch.equal(other[own], torch.arange(5)[own]) and (texts[other] != texts)[~own].all()
        assert (said[torch.arange(5), other] <= 0)[~own].all()
        assert own[4] or other[4] == 0
        assert own[0] or other[0] == 4
        wrong += (~own).numpy()
    assert (wrong > 15).all() and (wrong < 45).all()
    same_words = mismatched(torch.zeros(3, dtype=torch.int64), torch.zeros(3, 3), torch.Generator())
    assert same_words[1].all()


def test_frequent_words_are_whole_and_rare_ones_are_spelt() -> None:
    texts = ["A grain elevator", "a grain field", "A field!"]
    words = Vocabulary.learnt(texts, 60)
    assert words == Vocabulary.learnt(reversed(texts), 60) and len(words) <= 60
    assert [words.pieces[one] for one in words.read("a grain")] == ["a", "grain"]
    assert [words.pieces[one] for one in words.read("elevator")] == [f"#{letter}" for letter in "elevator"]
    assert words.read("ZZ") == [UNKNOWN, UNKNOWN]
    row = words.tokens(["a grain field", None], 4)
    assert row[0].tolist() == [START, words.numbers["a"], words.numbers["grain"], END] and not row[1].any()
    assert len(Vocabulary.learnt(texts, 8)) <= 8


def test_visual_words_tell_kinds_of_places_apart() -> None:
    pictures, _ = patterns(40)
    codes = Codes.learnt(pictures, 2, 6)
    view = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
    assert codes(view).shape == (40, 4) and len(codes(view).unique()) == 6
    assert torch.equal(codes(view), Codes.learnt(pictures, 2, 6)(view))
    left = patches(view, 2).view(40, 2, 2, -1)[:, :, 0]
    cut = view.clone()
    cut[:, :, :, cut.shape[3] // 2 :] = 0
    assert torch.equal(patches(cut, 2).view(40, 2, 2, -1)[:, :, 0], left), "a place sees no other"


def told(words: list[str | None], column: str = "caption") -> Attributes:
    ids, unknown = 5 + 2 * np.arange(len(words)), np.full(len(words), np.nan)
    return Attributes(ids, {column: np.array(words, dtype=object)}, unknown, np.stack([unknown, unknown], 1))


def coloured(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(N, 16, 16, 3) uint8 of one colour each, with noise, and which of the six it is: quick to learn."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 6
    colours = 200 * np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 1, 1], [1, 0, 1]])
    return (colours[labels][:, None, None] + random.integers(0, 56, (count, 16, 16, 3))).astype(np.uint8), labels


def run_of(name: str, count: int, plan: TrainSettings) -> Training:
    pictures, labels = coloured(count)
    attributes = told([KINDS[label] for label in labels])
    settings = {"grid": "1", "width": "32", "views.colour": "0", "views.grey": "0"}
    return Training(build(name, settings), pictures, attributes.ids, plan, attributes=attributes)


def looks(run: Training) -> Fusion:
    assert isinstance(run.recipe.look, Fusion)
    return run.recipe.look


@pytest.fixture(scope="module")
def taught() -> dict[str, Training]:
    """One that tells hidden words, one that tells the next, and one that tells pairs."""
    found = {}
    for name, epochs in (("beit3", 20), ("mapl", 30), ("visualbert", 50)):
        found[name] = run_of(name, 96, TrainSettings(size=16, batch=32, epochs=epochs, rate=3e-3))
        while found[name].done < found[name].steps:
            found[name].step()
    return found


@pytest.mark.parametrize("name", ["beit3", "mapl", "visualbert"])
def test_it_tells_the_word_from_the_picture_and_not_from_another(taught: dict[str, Training], name: str) -> None:
    run, (pictures, labels) = taught[name], coloured(96, seed=9)
    look, network = looks(run), run.encoders.network
    places = places_of(network, look, pictures)
    tokens = tokens_of(look, [KINDS[0]] * 96)
    right = torch.tensor([look.vocabulary.numbers[KINDS[label]] for label in labels])
    shares = [
        (word_log_probs(network, look, seen, tokens, 1).argmax(1) == right).float().mean().item()
        for seen in (places, places[torch.from_numpy(np.random.default_rng(0).permutation(96))])
    ]
    assert shares[0] > 0.6 and shares[1] < 0.4


@pytest.mark.parametrize("name", ["beit3", "mapl", "visualbert"])
def test_wrong_captions_get_the_lower_chances(taught: dict[str, Training], name: str) -> None:
    run, (pictures, labels) = taught[name], coloured(96, seed=9)
    wrong = np.arange(96) % 4 == 0
    said = [KINDS[(label + 3 * bad) % 6] for label, bad in zip(labels, wrong, strict=True)]
    chances = pair_scores(run.recipe, run.encoders.network, pictures, said)
    assert chances.shape == (96,) and (chances >= 0).all() and (chances <= 1).all()
    assert roc_auc_score(~wrong, chances) > 0.8
    again = pair_scores(run.recipe, run.encoders.network, pictures, said)
    assert np.array_equal(chances, again)


def test_a_text_is_as_likely_as_its_words_one_after_the_other(taught: dict[str, Training]) -> None:
    run, (pictures, _) = taught["mapl"], coloured(4, seed=9)
    look, network = looks(run), run.encoders.network
    places, tokens = places_of(network, look, pictures), tokens_of(look, ["moss wall"] * 4)
    parts = [word_log_probs(network, look, places, tokens, at)[:, tokens[0, at]] for at in (1, 2, 3)]
    torch.testing.assert_close(text_log_probs(network, look, places, tokens), sum(parts), rtol=0, atol=1e-4)


def test_beside_others_is_a_chance_against_one_picked_at_random() -> None:
    table = torch.randn(5, 5, generator=torch.Generator().manual_seed(0)).double()
    found = beside_others(lambda at: table[torch.arange(5), at], 5)
    for row in range(5):
        others = [math.exp(table[row, k]) for k in range(5) if k != row]
        own = math.exp(table[row, row])
        assert found[row].item() == pytest.approx(own / (own + sum(others) / 4), abs=1e-9)
    assert beside_others(lambda at: table[0, at], 1).tolist() == [0.5]


@pytest.mark.parametrize(("name", "size"), [("small", 32), ("lite0", 64), ("lite0_last", 7), ("resnet18", 64)])
def test_a_backbone_is_its_map_pooled_and_a_place_alone_has_features_too(name: str, size: int) -> None:
    backbone = load_backbone(name, size=size, pretrained=False).eval()
    view = torch.rand(2, 192 if name == "lite0_last" else 3, size, size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        found = backbone.places(view)  # type: ignore[operator]
        torch.testing.assert_close(backbone.pooled(found), backbone(view))  # type: ignore[operator]
        assert backbone.pooled(found[:, :, :1, :1]).shape == (2, backbone.dim)  # type: ignore[operator]
        assert Network(backbone, 8).eval().places(view, 3).shape == (2, 9, 8)


def test_a_backbone_without_a_map_is_refused() -> None:
    backbone = load_backbone("vit_tiny_patch16_224", pretrained=False)
    with pytest.raises(BadInput, match="map of places"), torch.no_grad():
        backbone.places(torch.rand(1, 3, 224, 224))  # type: ignore[operator]


def test_the_language_model_reads_first_and_stays_still_then() -> None:
    run = run_of("flamingo", 64, TrainSettings(size=16, batch=32, epochs=5))
    net, kept = net_of(run.encoders.network), []
    for _ in range(run.steps):
        run.step()
        kept.append(net.language.transformer.h[0].attn.c_attn.weight.detach().clone())  # type: ignore[union-attr, index]
    assert not torch.equal(kept[0], kept[1]) and torch.equal(kept[3], kept[-1])


def test_equal_seeds_give_equal_runs_and_who_has_no_words_sits_out() -> None:
    words: list[str | None] = [None if n % 4 == 0 else KINDS[n % 6] for n in range(32)]
    losses = []
    for _ in range(2):
        attributes = told(words)
        plan = TrainSettings(size=16, batch=8, epochs=1)
        run = Training(build("beit3", {"width": "16"}), patterns(32)[0], attributes.ids, plan, attributes=attributes)
        seen = run._look(run._rows())
        assert isinstance(seen, SeenTogether) and len(seen.texts) < 8 and (seen.texts >= 0).all()
        losses.append([run.step()["loss"] for _ in range(run.steps)])
    assert losses[0] == losses[1]


def test_answers_hold_captions_apart_and_pull_pictures_and_words_together() -> None:
    pictures, labels = coloured(12)
    attributes = told([f"{KINDS[label]} {row}" for row, label in enumerate(labels)])
    plan, overlay = TrainSettings(size=16, batch=12, epochs=1), Labelled(labels, torch.device("cpu"))
    run = Training(build("flava", {"width": "16"}), pictures, attributes.ids, plan, overlay, attributes)
    seen = run._look(run._rows())
    contrast, words = (seen.pools(term, run.recipe, run.encoders)[0] for term in run.terms[:2])
    assert (contrast.said > 0).sum() == 24 and (contrast.said < 0).any() and not words.said.any()
    assert run.step(lambda pool: {})["loss"] < math.inf


def test_what_cannot_be_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = TrainSettings(size=16, batch=2)
    pictures = patterns(3)[0]
    for words, error, message in (
        ({"caption": ["a", "b", "c"]}, NotFound, "Did you mean 'caption'"),
        ({"captoin": [None, " ", None]}, BadInput, "no item has words in the column 'captoin'"),
    ):
        [(column, values)] = words.items()
        with pytest.raises(error, match=message):
            attributes = told(values, column)  # type: ignore[arg-type]
            Training(build("beit3", {"text": "captoin"}), pictures, attributes.ids, plan, attributes=attributes)
    with pytest.raises(BadInput, match="only 1 of 3 pictures of a batch have words"):
        attributes = told(["a", None, None])
        Training(build("beit3"), pictures, attributes.ids, TrainSettings(size=16), attributes=attributes).step()
    with pytest.raises(BadInput, match="text=COLUMN"):
        Training(build("beit3"), pictures, np.arange(3), plan).step()
    with pytest.raises(BadInput, match="reads words"):
        pair_scores(
            build("simclr"), Training(build("simclr"), pictures, np.arange(3), plan).encoders.network, pictures, []
        )
    monkeypatch.setattr(nets, "find_spec", lambda name: None)
    for name in ("visualbert", "lxmert", "flava", "mapl", "flamingo"):
        with pytest.raises(BadInput, match=r"pip install 'pairwright\[methods\]'"):
            build(name)
    assert isinstance(build("beit3"), Recipe), "it needs no package"
