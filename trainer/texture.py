"""What the surface of a picture is like, wherever it is: small patches, summed up around words of their own.

    x_p: 5 x 5 grey values around place p, less their mean, turned into their principal components
    e_k = sum_p a_pk (x_p - c_k),   a_pk = softmax_k(-s |x_p - c_k|^2)         (K words c_k), then length 1

Source: Zhang, Xue, Dana 2017, "Deep TEN: Texture encoding network", arXiv 1612.02844, equations 1 and 2; the texture
half of Xue, Zhang, Dana 2018, "Deep texture manifold for ground terrain recognition" (DEP), arXiv 1803.10896.
Differs from the papers: patches of grey values in place of features of a ResNet, and words found by k-means in place of
gradients, so that it needs no labels.
"""

import faiss
import numpy as np

WIDTH, KEPT, PLACES = 5, 8, 64  # of a patch; components kept; patches of a picture
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
AT_ONCE = 1024  # pictures
SAMPLE = 20_000  # patches that components and words are found from


def textures(pictures: np.ndarray, words: int = 16, seed: int = 0) -> np.ndarray:
    """(N, words * KEPT) float32 unit rows of (N, S, S, 3) uint8, S >= 5; the same seed gives the same.

    A picture without any surface, of one colour, is a row of zeros.
    """
    random = np.random.default_rng(seed)
    side = pictures.shape[1] - WIDTH + 1
    places = random.integers(0, side, (2, PLACES))
    some = np.sort(random.permutation(len(pictures))[: max(SAMPLE // PLACES, 1)])
    seen = _patches(pictures[some], places).reshape(-1, WIDTH * WIDTH)
    values, vectors = np.linalg.eigh(seen.T @ seen / max(len(seen), 1))
    turn = (vectors[:, ::-1] / np.sqrt(values[::-1].clip(1e-3)))[:, :KEPT].astype(np.float32)
    found = faiss.Kmeans(KEPT, min(words, len(seen)), niter=20, seed=seed, min_points_per_centroid=1)
    found.train(np.ascontiguousarray(seen @ turn))
    centres = np.asarray(found.centroids)
    parts = [pictures[at : at + AT_ONCE] for at in range(0, len(pictures), AT_ONCE)]
    return np.concatenate([_encoded(_patches(part, places) @ turn, centres) for part in parts])


def _patches(pictures: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(N, P, 25) float32 around these places, each less its mean."""
    grey = pictures.astype(np.float32) / 255 @ LUMA
    windows = np.lib.stride_tricks.sliding_window_view(grey, (WIDTH, WIDTH), axis=(1, 2))
    found = windows[:, places[0], places[1]].reshape(len(pictures), PLACES, -1)
    return found - found.mean(2, keepdims=True)


def _encoded(patches: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """(N, K * KEPT) of (N, P, KEPT)."""
    away = patches[:, :, None] - centres  # (N, P, K, KEPT)
    near = -np.square(away).sum(3)
    share = np.exp(near - near.max(2, keepdims=True))
    share /= share.sum(2, keepdims=True)
    made = (share[..., None] * away).sum(1).reshape(len(patches), -1)
    flat = ~np.abs(patches).any((1, 2))
    made[flat] = 0.0
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True).clip(1e-12), np.float32)
