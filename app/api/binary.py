"""Numbers for the browser without the price of JSON: a header in JSON, then plain little-endian arrays.

    4 bytes   length of the header, itself a multiple of 8 minus 4
    header    JSON, filled up with spaces: {..., "arrays": [[name, type, length], ...]}
    arrays    one after the other, each filled up to a multiple of 8 bytes

100,000 points are 800 kB this way. js/binary.js reads it.
"""

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from fastapi import Request, Response

TYPES = {"u1": np.uint8, "u2": np.uint16, "u4": np.uint32, "f4": np.float32, "f8": np.float64}
MIME = "application/octet-stream"
STEP = 8


def packed(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    """The bytes of a header and its arrays. Raises KeyError for a type that has no letter."""
    letters = {np.dtype(kind): letter for letter, kind in TYPES.items()}
    listed = [[name, letters[one.dtype], int(one.size)] for name, one in arrays.items()]
    text = json.dumps({**header, "arrays": listed}, ensure_ascii=False).encode()
    text += b" " * (-(len(text) + 4) % STEP)
    parts = [struct.pack("<I", len(text)), text]
    for one in arrays.values():
        parts += [one.astype(one.dtype.newbyteorder("<")).tobytes(), b"\0" * (-one.nbytes % STEP)]
    return b"".join(parts)


def numbered(ids: np.ndarray) -> np.ndarray:
    """Item ids as the smallest type that holds them all and that a browser can read."""
    return ids.astype(np.uint32 if len(ids) == 0 or int(ids.max()) < 2**32 else np.float64)


def unless_known(request: Request, tag: str) -> Response | None:
    """304 where the browser has it already."""
    known = request.headers.get("if-none-match") == f'"{tag}"'
    return Response(status_code=304, headers=headers(tag)) if known else None


def reply(tag: str, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Response:
    """A binary reply under its tag; the browser asks each time whether it still holds."""
    return Response(packed(header, arrays), media_type=MIME, headers=headers(tag))


def headers(tag: str) -> dict[str, str]:
    return {"etag": f'"{tag}"', "cache-control": "private, no-cache"}
