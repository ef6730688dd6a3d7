"""A taught embedding as ONNX, by torch.export and without TorchScript, checked against torch before it counts."""

import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from db.errors import BadInput, Broken
from trainer.taught import Whole

NEEDED = ("onnx", "onnxscript")
TOLERANCE = 1e-4  # greatest difference of any number of a unit row
OPSET = 18


def require() -> None:
    """Raises BadInput where the packages that write ONNX are missing."""
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise BadInput(f"ONNX needs {' and '.join(missing)}, not installed: pip install 'pairwright[onnx]'.")


def write_onnx(whole: Whole, side: int, out: Path) -> float:
    """Write one file, squares (N, S, S, 3) uint8 -> vectors (N, d) float32; returns its greatest difference from torch.

    Raises: BadInput without the extra `onnx`, Broken where the difference is over 1e-4.
    """
    require()
    example = torch.from_numpy(_squares(2, side))
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of the exporter, about operators it does not need here
        program = torch.onnx.export(
            whole, (example,), dynamo=True, opset_version=OPSET, input_names=["squares"], output_names=["vectors"],
            dynamic_shapes=({0: torch.export.Dim("pictures")},), verbose=False,
        )  # fmt: skip
    assert program is not None
    program.save(str(out), external_data=False)
    apart = difference(whole, side, out)
    if not apart <= TOLERANCE:
        out.unlink()
        raise Broken(f"the ONNX file differs from torch by {apart:.1g}, more than {TOLERANCE}. Use safetensors.")
    return apart


def difference(whole: Whole, side: int, file: Path, pictures: int = 5) -> float:
    """The greatest difference of any number between the file, run by OpenVINO, and torch, on random pictures."""
    import openvino as ov

    squares = _squares(pictures, side)
    with torch.no_grad():
        wanted = whole(torch.from_numpy(squares)).numpy()
    run = ov.Core().compile_model(ov.Core().read_model(str(file)), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return float(np.abs(run([squares])[0] - wanted).max())


def _squares(count: int, side: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)
