"""From an encoded picture to the square of pixels a network looks at."""

from io import BytesIO

import numpy as np
from PIL import Image, ImageOps


def decode_square(encoded: bytes, side: int, resample: Image.Resampling) -> np.ndarray:
    """(side, side, 3) uint8 of the middle square. A JPEG is decoded at the smallest sufficient scale (draft mode)."""
    with Image.open(BytesIO(encoded)) as image:
        image.draft("RGB", (2 * side, 2 * side))  # keeps twice the needed size: the features stay the same
        return _square(upright(image), side, resample)


def array_square(pixels: np.ndarray, side: int, resample: Image.Resampling) -> np.ndarray:
    """The same for pixels already decoded, (H, W, 3) uint8."""
    return _square(Image.fromarray(pixels), side, resample)


def upright(image: Image.Image) -> Image.Image:
    """The picture as RGB, turned as its EXIF says; transparent parts become white."""
    turned = ImageOps.exif_transpose(image)
    if turned.mode in ("RGBA", "LA", "PA") or "transparency" in turned.info:
        rgba = turned.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return turned.convert("RGB")


def _square(image: Image.Image, side: int, resample: Image.Resampling) -> np.ndarray:
    width, height = image.size
    cut = min(width, height)
    left, top = (width - cut) / 2, (height - cut) / 2
    box = (left, top, left + cut, top + cut)
    return np.asarray(image.resize((side, side), resample, box=box))
