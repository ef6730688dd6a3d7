"""Chances that words belong: out of fold, calibrated, better with answers; a head for sentences; the desk."""

from pathlib import Path
from threading import Event

import numpy as np
import pytest

from db import catalog, feedback, queue, versions
from db.artifacts import ArtifactStore
from db.errors import BadInput, Broken
from db.nouns import Answer, PairVerdict, Verdict
from oracle.ledger import Fits, Ledger
from tests.small_world import World, make_world
from trainer.caption_desk import CaptionDesk
from trainer.captions import fits, pairs_of
from trainer.desk import Room
from trainer.doubted import doubted, keep_doubts
from trainer.embedding import Embedder
from trainer.fits import as_it_stands, stored_fits, to_bytes
from trainer.words import WordsHead

NOUNS = ("boat", "horse", "apple", "tower", "engine", "flower")
N, D = 240, 24


def pictures(seed: int = 0) -> tuple[np.ndarray, dict[int, str], set[int]]:
    """Features, captions by id, and the ids of a fifth whose captions went round."""
    rng = np.random.default_rng(seed)
    kind = np.arange(N) % len(NOUNS)
    features = (rng.normal(size=(len(NOUNS), D))[kind] + 0.7 * rng.normal(size=(N, D))).astype(np.float32)
    texts = [f"a {NOUNS[one]} in {rng.choice(['spring', 'winter', 'town'])}" for one in kind]
    some = rng.permutation(N)[: N // 5]
    shown = list(texts)
    for at, other in zip(some, np.roll(some, 1), strict=True):
        shown[at] = texts[other]
    bad = {10 + int(at) for at in some if shown[at].split()[1] != texts[at].split()[1]}
    return features, {10 + at: text for at, text in enumerate(shown)}, bad


def scored(trust: dict[int, float] | None = None) -> tuple[np.ndarray, np.ndarray]:
    features, texts, bad = pictures()
    pairs = pairs_of(features, np.arange(10, 10 + N), texts, ["ngrams"])
    said = np.array([(trust or {}).get(int(item), np.nan) for item in pairs.ids])
    return fits(pairs, said), np.array([int(item) in bad for item in pairs.ids])


def test_words_that_went_astray_are_found_before_any_answer():
    chance, bad = scored()
    worst = np.argsort(chance)[: bad.sum()]
    assert bad[worst].mean() > 0.8
    assert abs((1 - chance).sum() - bad.sum()) < 0.4 * bad.sum()  # how many there are is about known
    assert np.array_equal(chance, scored()[0])


def test_no_head_ever_saw_the_pair_it_judges():
    """A head that learnt from a pair would find it more fitting than the same words by a head that did not."""
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(N, D)).astype(np.float32)  # nothing to learn but by heart
    texts = {at: f"{rng.integers(1e9):x} {rng.integers(1e9):x}" for at in range(N)}
    chance = fits(pairs_of(noise, np.arange(N), texts, ["ngrams"]))
    assert chance.max() < 0.95


def test_answers_teach_the_head_and_are_not_echoed():
    _, texts, bad = pictures()
    lied = scored({item: 0.0 for item in texts if item % 2 and item not in bad} | dict.fromkeys(bad, 1.0))[0]
    told = scored({item: 0.0 if item in bad else 1.0 for item in texts})[0]
    wrong = scored()[1]
    gap = lambda chance: chance[~wrong].mean() - chance[wrong].mean()  # noqa: E731
    assert gap(told) > gap(lied) + 0.1
    assert ((told > 0.02) & (told < 0.98)).any()  # an answer about an item is not heard in its own chance


def test_too_few_words_are_refused_in_a_sentence():
    with pytest.raises(BadInput, match="at least 10 pictures with words of at least two kinds"):
        pairs_of(np.eye(12, dtype=np.float32), np.arange(12), dict.fromkeys(range(12), "the same"), ["ngrams"])


def test_a_sentence_lands_among_the_pictures_it_describes():
    features, texts, bad = pictures()
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    belief = np.array([0.0 if item in bad else 1.0 for item in texts])
    head = WordsHead.of(unit, list(texts.values()), belief)
    nearest = np.argsort(-unit @ head("horses"))[:10]
    assert (nearest % len(NOUNS) == 1).mean() > 0.7
    assert np.linalg.norm(head("an apple")) == pytest.approx(1, abs=1e-5)
    with pytest.raises(BadInput, match="nothing in this sentence"):
        head("   ")


@pytest.fixture
def desk(tmp_path: Path):
    """A caption desk over sixty items in three groups, a few of whose words are wrong."""
    world = make_world(tmp_path)
    with world.database.write() as s:
        items = catalog.items(s, world.collection)
        rows = [
            catalog.NewItem(one.sha256, 1, 1, one.path, attributes={"words": words_of(world, one.id)}) for one in items
        ]
        catalog.add_items(s, world.collection, rows)
        number = catalog.add_criterion(s, "fit", world.collection, "Fits?", "words")
        about = catalog.criterion(s, number)
    embedder = Embedder(world.database, tmp_path, "me", Event())
    embedder.settled[world.collection, "lite0"] = len(items)
    room = Room(world.database, tmp_path, ArtifactStore(str(tmp_path / "artifacts")), "me", Event(), embedder)
    yield world, CaptionDesk(room, about)
    world.database.close()


def words_of(world: World, item: int) -> str:
    """A sixth of the items, in order, show the word of another group."""
    return f"{NOUNS[(world.truth[item] + (item % 6 == 0)) % 3]} {'old' if item % 2 else 'new'}"


def answer(world: World, desk: CaptionDesk, count: int) -> list[int]:
    """Answer what waits truthfully; the items asked about."""
    seen = []
    for _ in range(count):
        desk.ask()
        with world.database.write() as s:
            [leased] = queue.claim(s, desk.criterion.id, "tab", 1)
            item = leased.question.anchor
            verdict = Verdict.DIFFERENT if item % 6 == 0 else Verdict.SAME
            said = (PairVerdict(item, item, verdict),)
            feedback.record(s, Answer(leased.question.id or 0, said, "ann", f"k{leased.question.id}"))
        seen.append(item)
    return seen


def test_the_desk_serves_a_version_asks_by_it_and_scores_anew_as_answers_come(desk):
    world, desk = desk
    desk.ask()
    desk.learn()
    with world.database.read() as s:
        first = versions.current(s, desk.criterion.id)
    assert first is not None and first.metrics["captions"] == 60
    asked = answer(world, desk, 12)
    assert sum(item % 6 == 0 for item in asked) >= 6  # a tenth of what is asked is drawn by chance
    desk.ask()
    desk.learn()
    with world.database.read() as s:
        second = versions.current(s, desk.criterion.id)
        reader = as_it_stands(s, desk.room.store, desk.criterion)
    assert second.parent == first.id and second.metrics["answers"] == 12
    assert reader.graph.size == 12 and {item for item in reader.graph.nats if reader.graph.rejected(item)} == {
        item for item in asked if item % 6 == 0
    }
    desk.ask()
    desk.learn()
    with world.database.read() as s:
        assert versions.current(s, desk.criterion.id).id == second.id  # nothing new, no new version


def test_words_that_a_training_run_doubted_come_first_while_they_are_what_it_read(desk):
    world, desk = desk
    desk.ask()
    desk.learn()
    desk.ask()
    items = sorted(world.truth)
    texts = {item: words_of(world, item) for item in items}
    told = {items[5]: 9.0, items[3]: 8.0, items[8]: 7.0, items[1]: 0.1}
    store, collection = desk.room.store, world.collection
    assert keep_doubts(store, collection, "words", {items[0]: 1.0, items[1]: 5.0}, texts) == 1
    assert keep_doubts(store, collection, "words", told, {**texts, items[8]: "other words"}) == 3, "the mean is 6"
    assert keep_doubts(store, collection, "title", {items[2]: 2.0, items[4]: 1.0}, texts) == 1
    assert len(store.under(f"doubted/{collection}")) == 2, "the newest of each column"
    assert doubted(store, collection, "words", texts) == {items[5]: 9.0, items[3]: 8.0}
    desk.read_at = float("-inf")
    desk.ask()
    with world.database.write() as s:
        claimed = queue.claim(s, desk.criterion.id, "tab", 6)
        waiting = [leased.question for leased in claimed if not leased.question.audit]
        assert [(one.anchor, one.proposer) for one in waiting[:2]] == [
            (items[5], "doubted"), (items[3], "doubted")
        ]  # fmt: skip
        assert list(as_it_stands(s, store, desk.criterion).fits.suspects) == [items[5], items[3]]


def test_words_put_right_are_scored_anew_and_their_answers_count_no_more(desk):
    world, desk = desk
    desk.ask()
    desk.learn()
    asked = answer(world, desk, 3)
    with world.database.write() as s:
        one = catalog.item(s, asked[0])
        catalog.add_items(
            s, world.collection, [catalog.NewItem(one.sha256, 1, 1, one.path, attributes={"words": "put right"})]
        )
        before = versions.current(s, desk.criterion.id).id
    desk.read_at = float("-inf")
    desk.ask()
    desk.learn()
    with world.database.read() as s:
        assert versions.current(s, desk.criterion.id).id > before
        assert asked[0] not in as_it_stands(s, desk.room.store, desk.criterion).graph.votes


def test_chances_are_kept_beside_the_head_and_damage_is_told(desk):
    world, desk = desk
    desk.ask()
    desk.learn()
    with world.database.read() as s:
        served = versions.current(s, desk.criterion.id)
    kept = stored_fits(desk.room.store, served, {1: "a"})
    assert list(kept.chance) == [1] and kept.version == served.id
    assert Fits({7: 0.25}, {}).of(7) == 0.25 and Ledger().chance(7, 0.25) == pytest.approx(0.25)
    assert len(to_bytes({})) > 0
    file = next((desk.room.workspace / "artifacts").rglob("fits.safetensors"))
    file.chmod(0o600)
    file.write_bytes(b"no")
    with pytest.raises(Broken):
        stored_fits(desk.room.store, served, {1: "a"})
