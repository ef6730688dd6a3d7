"""How loud the bands of pitches are, every hundredth of a second.

    P[t, b] = sum_f W[b, f] |FFT(hann . frame_t)_f|^2

W: triangles between neighbours on the mel scale, each of area 1; mel is linear below 1 kHz and logarithmic above, 27
steps to a factor of 6.4 (Slaney 1998, "Auditory toolbox"), as librosa's default is.
"""

from functools import cache

import numpy as np

LINEAR_HZ, BREAK_HZ, FACTOR = 200 / 3, 1000.0, np.log(6.4) / 27


def in_bands(wave: np.ndarray, rate: int, window: int, hop: int, bands: int) -> np.ndarray:
    """(S,) -> (1 + S // hop, bands) float64. Frames are centred; zeros stand before and after."""
    padded = np.pad(np.asarray(wave, np.float64), window // 2)
    padded = np.pad(padded, (0, max(window - len(padded), 0)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]  # (T, window)
    spectrum = np.abs(np.fft.rfft(frames * _hann(window), axis=1)) ** 2
    found: np.ndarray = spectrum @ triangles(rate, window, bands).T
    return found


@cache
def triangles(rate: int, window: int, bands: int) -> np.ndarray:
    """(bands, window // 2 + 1) weight of each frequency in each band, from 0 to half the rate."""
    heard = np.linspace(0, rate / 2, window // 2 + 1)
    corners = _hertz(np.linspace(_mel(0.0), _mel(rate / 2), bands + 2))
    low, middle, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    rise, fall = (heard - low) / (middle - low), (high - heard) / (high - middle)
    found: np.ndarray = np.maximum(np.minimum(rise, fall), 0) * 2 / (high - low)
    return found


def _hann(window: int) -> np.ndarray:
    found: np.ndarray = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    return found


def _mel(hertz: float) -> float:
    if hertz < BREAK_HZ:
        return hertz / LINEAR_HZ
    return float(BREAK_HZ / LINEAR_HZ + np.log(hertz / BREAK_HZ) / FACTOR)


def _hertz(mel: np.ndarray) -> np.ndarray:
    edge = BREAK_HZ / LINEAR_HZ
    return np.where(mel < edge, mel * LINEAR_HZ, BREAK_HZ * np.exp(FACTOR * (mel - edge)))
