"""Drawn pictures for the demo: their main colour and style judged from pixels, and plain shapes that need no wheel."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw

SIDE, FINE = 224, 3  # pixels of a picture; how much larger shapes are drawn
# Upper hue bounds, degrees; orange that is dark is brown, red that is pale is pink.
HUES = ((14, "red"), (42, "orange"), (68, "yellow"), (165, "green"), (258, "blue"), (305, "purple"), (345, "pink"))
SHAPES = {"circle": 0, "triangle": 3, "square": 4, "pentagon": 5, "hexagon": 6, "star": -5, "spark": -4, "sun": -8}
PAINTS = {
    "red": "#d22f27", "orange": "#e27022", "yellow": "#fcea2b", "green": "#5c9e31", "blue": "#1e50a0",
    "purple": "#8967aa", "pink": "#ffa7c0", "brown": "#6a462f", "grey": "#9b9b9a",
}  # fmt: skip


@dataclass(frozen=True)
class Drawn:
    """One demo picture and what is known about it. png: encoded, SIDE x SIDE, on white."""

    name: str
    kind: str
    colour: str
    style: str
    png: bytes


def draw_emoji(emoji: tuple[str, str, str]) -> Drawn:
    """One picture from its SVG. emoji: (name, kind, path)."""
    import resvg_py

    name, kind, path = emoji
    drawing = resvg_py.svg_to_bytes(svg_path=path, width=SIDE, height=SIDE, skip_system_fonts=True)
    with Image.open(BytesIO(bytes(drawing))) as picture:
        return judged(name, kind, picture)


def judged(name: str, kind: str, picture: Image.Image) -> Drawn:
    """The picture (RGBA, transparent around the drawing) with its colour and style judged."""
    pixels = np.asarray(picture.convert("RGBA"))[::3, ::3]  # every third row and column says as much
    colour, share = main_colour(pixels)
    covered = float((pixels[..., 3] > 128).mean())
    style = "outline" if covered < 0.15 or (share < 0.25 and colour == "white") else "filled"
    out = BytesIO()
    white = Image.new("RGBA", picture.size, "white")
    Image.alpha_composite(white, picture.convert("RGBA")).convert("RGB").save(out, "PNG", compress_level=3)
    return Drawn(name, kind, colour, style, out.getvalue())


def main_colour(pixels: np.ndarray) -> tuple[str, float]:
    """(name of the commonest colour, share of the drawing that is painted rather than white or line).

    pixels: (H, W, 4) uint8. Black lines count only where there is no colour to speak of.
    """
    seen = pixels[pixels[..., 3] > 128][:, :3].astype(np.float32) / 255  # (n, 3)
    names, counts = np.unique(colour_names(seen), return_counts=True)
    amount = dict(zip(names.tolist(), counts.tolist(), strict=True))
    paint = {name: count for name, count in amount.items() if name not in ("black", "white")}
    if sum(paint.values()) >= 0.15 * max(len(seen), 1):
        return max(paint, key=lambda name: paint[name]), sum(paint.values()) / len(seen)
    rest = {name: amount.get(name, 0) for name in ("white", "black")}
    return ("white" if rest["white"] > rest["black"] else "black"), sum(paint.values()) / max(len(seen), 1)


def colour_names(colours: np.ndarray) -> np.ndarray:
    """The everyday name of each colour. colours: (n, 3) float in [0, 1]. Returns (n,) str."""
    high, low = colours.max(1), colours.min(1)
    chroma = high - low
    hue = _hue(colours, high, chroma)
    bounds = np.array([bound for bound, _ in HUES])
    words = np.array([*(word for _, word in HUES), "red"])
    named = words[np.searchsorted(bounds, hue, side="right")]
    named = np.where((named == "red") & (high > 0.85) & (low > 0.5), "pink", named)
    dark = ((named == "orange") & (high < 0.72)) | ((named == "red") & (high < 0.45))
    named = np.where(dark, "brown", named)
    grey = np.where(high > 0.93, "white", np.where(high < 0.3, "black", "grey"))
    return np.where(chroma < 0.1, grey, np.where(high < 0.18, "black", named))


def _hue(colours: np.ndarray, high: np.ndarray, chroma: np.ndarray) -> np.ndarray:
    """Degrees in [0, 360); 0 where there is no colour."""
    red, green, blue = colours.T
    safe = np.maximum(chroma, 1e-6)
    sector = np.select(
        [high == red, high == green], [((green - blue) / safe) % 6, (blue - red) / safe + 2], (red - green) / safe + 4
    )
    return np.asarray(60 * sector % 360)


def shapes(copies: int = 4, seed: int = 0) -> Iterator[Drawn]:
    """Shapes in nine colours, filled and as outlines, turned and sized at random: a demo that needs no download."""
    rng = np.random.default_rng(seed)
    for shape, corners in SHAPES.items():
        for colour, paint in PAINTS.items():
            for style in ("filled", "outline"):
                for copy in range(copies):
                    png = _png(_shape(corners, paint, style == "filled", rng))
                    yield Drawn(f"{style} {colour} {shape} {copy + 1}", shape, colour, style, png)


def _shape(corners: int, paint: str, filled: bool, rng: np.random.Generator) -> Image.Image:
    """corners: of a regular polygon; below 0: tips of a star; 0: a circle."""
    size, turn = rng.uniform(0.28, 0.44) * SIDE, rng.uniform(0, 2 * math.pi)
    centre = SIDE / 2 + rng.uniform(-0.05, 0.05, 2) * SIDE
    tips = 2 * -corners if corners < 0 else corners or 90
    radii = [size * (0.5 if corners < 0 and tip % 2 else 1.0) for tip in range(tips)]
    angles = [turn + 2 * math.pi * tip / tips for tip in range(tips)]
    points = [
        (centre[0] + radius * math.cos(angle), centre[1] + radius * math.sin(angle))
        for radius, angle in zip(radii, angles, strict=True)
    ]
    fine = Image.new("RGB", (FINE * SIDE, FINE * SIDE), "white")  # drawn larger, for smooth edges
    large = [(FINE * x, FINE * y) for x, y in points]
    ImageDraw.Draw(fine).polygon(large, fill=paint if filled else None, outline=paint, width=7 * FINE)
    return fine.reduce(FINE)


def _png(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
