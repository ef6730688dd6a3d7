"""The process that looks at pictures somebody searches with. Talks through its pipes, see `app.eye`.

python -m app.eye_job --workspace DIR

A picture is decoded in a process with little memory and time, as at import, then encoded here. Nothing is written
but what is to be kept.
"""

import argparse
import logging
import os
import sys
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from app.eye import receive, send
from app.eye_words import told
from app.importers.decode import Refused
from app.importers.decoders import Decoders
from app.importers.glimpse import glimpse
from app.settings import Settings
from db.errors import PairwrightError

logger = logging.getLogger("pairwright.eye")


def main() -> None:
    """Answer until the input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", required=True, type=Path)
    workspace = parser.parse_args().workspace
    pipe = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever libraries print goes elsewhere
    with Decoders(workspace, workers=1, task=glimpse) as looking, Decoders(workspace, workers=1) as keeping:
        while True:
            try:
                header, encoded = receive(sys.stdin.buffer)
            except EOFError:
                return
            decoders = keeping if "keep" in header else looking
            send(pipe, *answer(workspace, decoders, header, encoded))


def answer(workspace: Path, decoders: Decoders, header: dict[str, Any], encoded: bytes) -> tuple[dict[str, Any], bytes]:
    """What to reply: the vector, or a sentence."""
    try:
        if "sentence" in header:
            return told(workspace, header, encoded)
        checked = decoders.result(decoders.submit(encoded, str(header.get("keep", ""))))
        if isinstance(checked, Refused):
            return {"refused": checked.reason}, b""
        if "head" in header:
            vector = seen(workspace, str(header["encoder"]), str(header["head"]), encoded)
        else:
            vector = features(workspace, str(header["encoder"]), encoded)
        return {"numbers": len(vector), **asdict(checked)}, np.ascontiguousarray(vector, np.float32).tobytes()
    except PairwrightError as error:
        return {"broken": str(error)}, b""
    except Exception as error:
        logger.exception("a picture")
        return {"broken": f"the picture could not be looked at ({type(error).__name__}). Try another one."}, b""


def features(workspace: Path, encoder: str, encoded: bytes) -> np.ndarray:
    """(D,) what the encoder alone sees."""
    eyes = _encoder(str(workspace), encoder)
    return np.asarray(eyes.encode_squares(eyes.square(encoded)[None])[0])


def seen(workspace: Path, encoder: str, head: str, encoded: bytes) -> np.ndarray:
    """(D,) float32, of unit length, as the version with this head sees it."""
    from trainer.head import Head
    from trainer.snapshot import head_bytes, unit

    store = Settings(workspace).store()
    return unit(Head.from_bytes(head_bytes(store, head)).embed(features(workspace, encoder, encoded)[None]))[0]


@lru_cache(maxsize=2)
def _encoder(workspace: str, name: str) -> Any:
    from trainer.trained import any_encoder

    return any_encoder(Settings(Path(workspace)).store(), name)


if __name__ == "__main__":
    main()
