"""How well the words beside each picture fit it, by heads that never saw the two together.

    A, B    directions in which pictures and words go together on the other folds (canonical correlation with a ridge)
    fit_i   z-score of cos(A x_i, B t_i) among other texts for the picture, plus that among other pictures for the text
    p_i     chance that the words belong, (1 - pi) f1 / (pi f0 + (1 - pi) f1): f0 measured on the texts of strangers, f1
            and the share pi by expectation and maximisation

A head as CLIP's, in closed form: seconds for thousands of pictures, the same result for the same seed. Words that do
not belong can neither be memorised (the folds) nor teach much (each pair weighs as much as it is believed): a second
round weighs by the first one's chances, and answers weigh more than either.
Source: Hotelling 1936, "Relations between two sets of variates"; Vinod 1976, "Canonical ridge and econometrics of joint
production"; the folds and the pruning as in Northcutt, Jiang, Chuang 2021, "Confident learning", arXiv 1911.00068; f0
as in Efron 2004, "Large-scale simultaneous hypothesis testing: the choice of a null hypothesis".
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from db.errors import BadInput
from trainer import towers
from trainer.head import Head

FOLDS, ROUNDS = 5, 2
WIDTH, SIZE, RIDGE = 256, 128, 3.0
OTHERS = 512  # texts, or pictures, that one's own is compared with
SAMPLE = 20_000  # pairs that teach a head
LEAST = 10  # pairs with words, below which nothing can be told
START = 0.1  # share of words that do not belong, before anything is known
STEPS = 40


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pictures and their words. ids: (N,); pictures: (N, W), words: one (N, V) per tower, all centred; codes: (N,),
    equal for equal texts; reduced: the projection that made `pictures`."""

    ids: np.ndarray
    pictures: np.ndarray
    words: tuple[np.ndarray, ...]
    codes: np.ndarray
    reduced: "Reduced"


@dataclass(frozen=True, eq=False)
class Reduced:
    """(x - mean) @ components."""

    mean: np.ndarray
    components: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray, width: int) -> "Reduced":
        """The principal components of some rows, scaled so that a row has length about 1."""
        sample = np.asarray(rows[:: max(1, len(rows) // SAMPLE)], np.float64)
        mean = sample.mean(0)
        centred = sample - mean
        _, vectors = np.linalg.eigh(centred.T @ centred)
        found = vectors[:, ::-1][:, : min(width, len(sample))]
        length = np.linalg.norm(centred @ found, axis=1).mean()
        return cls(mean, found / max(length, 1e-9))

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        return np.asarray((rows - self.mean) @ self.components)


def read_by(tower: str, texts: Sequence[str]) -> np.ndarray:
    """(N, V) what a tower makes of texts. tower: a file of trainer/towers, or FILE:MODEL."""
    return np.asarray(towers.load(tower, towers.TEXTS)(texts))


def pairs_of(
    features: np.ndarray, ids: np.ndarray, texts: Mapping[int, str], names: Sequence[str],
    read: Callable[[str, Sequence[str]], np.ndarray] = read_by,
) -> Pairs:  # fmt: skip
    """The items that have words, ready to be scored. features: (N, D), names: files of trainer/towers, read: by whom.

    Raises: BadInput where fewer than ten items, or not even two different texts, are there.
    """
    known = np.flatnonzero([int(item) in texts for item in ids])
    said = [texts[int(item)] for item in ids[known]]
    distinct, codes = np.unique(np.array(said, dtype=object), return_inverse=True)
    if len(said) < LEAST or len(distinct) < 2:
        raise BadInput(
            f"at least {LEAST} pictures with words of at least two kinds expected, got {len(said)} with "
            f"{len(distinct)}. Import captions with --caption-column or --metadata."
        )
    rows = features[known].astype(np.float64)
    reduced = Reduced.of(rows, WIDTH)
    told = [np.asarray(read(name, distinct.tolist()), np.float64)[codes] for name in names]
    words = tuple(Reduced.of(one, WIDTH)(one) for one in told)
    return Pairs(ids[known], reduced(rows), words, codes, reduced)


def fits(pairs: Pairs, trust: np.ndarray | None = None, seed: int = 0) -> np.ndarray:
    """(N,) chance that the words of each item belong to it, before its own answers are heard.

    Args: trust: (N,) what answers say of each pair: 1 belongs, 0 does not, nan nothing.
    """
    said = np.full(len(pairs.ids), np.nan) if trust is None else trust
    weight = np.where(np.isnan(said), 1.0, said)
    chance = np.ones(len(said))
    for _ in range(ROUNDS):
        own, strangers = scores(pairs, weight, seed)
        chance = calibrated(own, strangers, said)
        weight = np.where(np.isnan(said), chance, said)
    return chance


def scores(pairs: Pairs, weight: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(N,) z-scores of every item's own words, and (N,) those of the words of a stranger, out of fold."""
    own, strange = np.zeros(len(weight)), np.zeros(len(weight))
    random = np.random.default_rng(seed)
    fold = random.permutation(len(weight)) % FOLDS
    for number in range(FOLDS):
        held, taught = np.flatnonzero(fold == number), random.permutation(np.flatnonzero(fold != number))[:SAMPLE]
        for words in pairs.words:
            found = _held_out(pairs, words, weight, held, taught, random)
            own[held] += found[0]
            strange[held] += found[1]
    return own, strange


def _held_out(
    pairs: Pairs, words: np.ndarray, weight: np.ndarray, held: np.ndarray, taught: np.ndarray,
    random: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """z-scores of the held out items with their own words, and with those of somebody else."""
    one, other = together(pairs.pictures[taught], words[taught], weight[taught])
    pictures, texts = _unit(pairs.pictures @ one), _unit(words @ other)
    some = random.permutation(len(weight))[:OTHERS]
    stranger = random.permutation(len(weight))[np.arange(len(held)) % len(weight)]
    same = pairs.codes[stranger] == pairs.codes[held]
    stranger[same] = random.permutation(len(weight))[np.arange(same.sum()) % len(weight)]
    among_texts = pictures[held] @ texts[some].T
    level, spread = among_texts.mean(1), among_texts.std(1) + 1e-9
    found = []
    for row in (held, stranger):
        cosine = (pictures[held] * texts[row]).sum(1)
        among_pictures = texts[row] @ pictures[some].T
        back = (cosine - among_pictures.mean(1)) / (among_pictures.std(1) + 1e-9)
        found.append((cosine - level) / spread + back)
    return found[0], found[1]


def together(pictures: np.ndarray, words: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(W, d), (V, d): directions in which pictures and words correlate, most first, scaled by how much."""
    share = weight / max(weight.sum(), 1e-12)
    a, b = (one - share @ one for one in (pictures, words))
    left, right = (_whitener((one * share[:, None]).T @ one) for one in (a, b))
    u, strength, v = np.linalg.svd(left.T @ ((a * share[:, None]).T @ b) @ right, full_matrices=False)
    size = min(SIZE, len(strength))
    scale = np.sqrt(strength[:size])
    return left @ u[:, :size] * scale, right @ v[:size].T * scale


def _whitener(covariance: np.ndarray) -> np.ndarray:
    ridge = RIDGE * np.trace(covariance) / len(covariance) + 1e-12
    return np.asarray(np.linalg.inv(np.linalg.cholesky(covariance + ridge * np.eye(len(covariance)))).T)


def calibrated(own: np.ndarray, strangers: np.ndarray, said: np.ndarray) -> np.ndarray:
    """(N,) chance of belonging from the score. said: as `trust` of `fits`."""
    share, chance = START, np.where(np.isnan(said), 1 - START, said)
    slope, level = 0.0, 0.0
    for _ in range(STEPS):
        slope, level = _logistic(own, strangers, chance, slope, level)
        odds = np.log((1 - share) / share) + level + slope * own  # belongs : does not
        guess = 1 / (1 + np.exp(-np.clip(odds, -30, 30)))
        chance = np.where(np.isnan(said), guess, said)
        share = float(np.clip(1 - chance.mean(), 0.005, 0.5))
    return np.clip(guess, 0.005, 0.995)


def _logistic(
    own: np.ndarray, strangers: np.ndarray, chance: np.ndarray, slope: float, level: float
) -> tuple[float, float]:
    """Two steps of Newton towards log f1 / f0 = level + slope * score: either kind weighs one half."""
    x = np.concatenate([own, strangers])
    y = np.concatenate([np.ones(len(own)), np.zeros(len(strangers))])
    weight = np.concatenate([chance / max(chance.sum(), 1e-9), np.full(len(strangers), 1 / len(strangers))])
    design = np.column_stack([x, np.ones(len(x))])
    at = np.array([slope, level])
    for _ in range(2):
        p = 1 / (1 + np.exp(-np.clip(design @ at, -30, 30)))
        gradient = design.T @ (weight * (y - p)) - np.array([1e-4, 0]) * at
        curve = (design * (weight * p * (1 - p))[:, None]).T @ design + 1e-6 * np.eye(2)
        at = at + np.clip(np.linalg.solve(curve, gradient), -2, 2)
    return max(float(at[0]), 0.0), float(at[1])


def head_of(pairs: Pairs, trust: np.ndarray) -> Head:
    """A head that sees pictures as their words describe them: the picture's side, taught on every trusted pair."""
    words = np.concatenate(pairs.words, axis=1)
    directions = together(pairs.pictures, words, trust)[0]
    return Head.linear(pairs.reduced.mean, pairs.reduced.components @ directions)


def _unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))
