"""Pictures as pixels: upright, opaque, and cut to the square a network looks at. Light to import."""

from io import BytesIO

import numpy as np
from PIL import Image, ImageOps

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM")  # nothing that starts another program


def upright(image: Image.Image) -> Image.Image:
    """The picture as RGB, turned as its EXIF says; transparent parts become white."""
    turned = ImageOps.exif_transpose(image)
    if turned.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in turned.info:
        rgba = turned.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    if turned.mode.startswith(("I", "F")):  # 16 bits and more: stretch to what is there
        return Image.fromarray(_stretched(np.asarray(turned, np.float32))).convert("RGB")
    return turned.convert("RGB")


def decode_square(encoded: bytes, side: int, resample: Image.Resampling) -> np.ndarray:
    """(side, side, 3) uint8 of the middle square. A JPEG is decoded at the smallest sufficient scale (draft mode)."""
    with Image.open(BytesIO(encoded), formats=FORMATS) as image:
        image.draft("RGB", (2 * side, 2 * side))  # keeps twice the needed size: the features stay the same
        return _square(upright(image), side, resample)


def array_square(pixels: np.ndarray, side: int, resample: Image.Resampling) -> np.ndarray:
    """The same for pixels already decoded, (H, W, 3) uint8."""
    return _square(Image.fromarray(pixels), side, resample)


def _square(image: Image.Image, side: int, resample: Image.Resampling) -> np.ndarray:
    width, height = image.size
    cut = min(width, height)
    left, top = (width - cut) / 2, (height - cut) / 2
    return np.asarray(image.resize((side, side), resample, box=(left, top, left + cut, top + cut)))


def _stretched(values: np.ndarray) -> np.ndarray:
    low, high = float(values.min()), float(values.max())
    return ((values - low) * (255 / (high - low)) if high > low else values * 0).astype(np.uint8)
