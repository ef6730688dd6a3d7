"""Ways to run one network over a batch of squares: OpenVINO on a CPU, autocast on a GPU, plain torch anywhere.

Every engine takes (N, S, S, 3) uint8 and returns (N, D) float32; they differ in speed only (cosine >= .999).
"""

import warnings
from collections.abc import Callable
from importlib.util import find_spec
from threading import Lock

import numpy as np
import torch
from torch import nn

from db.errors import BadInput

Engine = Callable[[np.ndarray], np.ndarray]
CHUNK = 32  # pictures per torch forward


class Normalised(nn.Module):
    """The network behind its own preprocessing, so that an engine is fed raw uint8 pixels."""

    def __init__(self, network: nn.Module, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.network = network
        self.mean, self.std = (255 * torch.tensor(mean).view(1, 3, 1, 1), 255 * torch.tensor(std).view(1, 3, 1, 1))

    def forward(self, squares: torch.Tensor) -> torch.Tensor:
        """squares: (N, S, S, 3) uint8 -> (N, D) float32."""
        pixels = squares.permute(0, 3, 1, 2).float()  # (N, 3, S, S)
        return self.network((pixels - self.mean.to(pixels.device)) / self.std.to(pixels.device))  # type: ignore[no-any-return]


def choose(engine: str = "auto") -> str:
    """The fastest engine this machine has: a GPU, else OpenVINO, else plain torch."""
    if engine not in ("auto", "cuda", "openvino", "eager"):
        raise BadInput(f"engine: expected auto, cuda, openvino or eager, got '{engine}'.")
    if engine != "auto":
        return engine
    if torch.cuda.is_available():
        return "cuda"
    return "openvino" if find_spec("openvino") else "eager"


def build(network: Normalised, side: int, engine: str = "auto") -> Engine:
    """An engine for this network; falls back to plain torch if OpenVINO cannot take it."""
    chosen = choose(engine)
    if chosen == "cuda":
        return torch_engine(network, "cuda")
    if chosen == "eager":
        return torch_engine(network, "cpu")
    try:
        return openvino_engine(network, side)
    except Exception:  # an operator OpenVINO lacks, a broken install: slower is better than not at all
        if engine == "openvino":
            raise
        return torch_engine(network, "cpu")


def torch_engine(network: Normalised, device: str) -> Engine:
    """Plain torch, channels last (about twice as fast on a CPU); half precision where there is a GPU."""
    ready = network.eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.inference_mode()
    def run(squares: np.ndarray) -> np.ndarray:
        chunks = torch.from_numpy(np.ascontiguousarray(squares)).split(CHUNK)
        with torch.autocast(device, enabled=device == "cuda"):
            return torch.cat([ready(chunk.to(device)).float().cpu() for chunk in chunks]).numpy()

    return run


def openvino_engine(network: Normalised, side: int) -> Engine:
    """OpenVINO in float32: single pictures in parallel streams, which on few cores beats one big batch."""
    import openvino as ov

    example = torch.zeros(1, side, side, 3, dtype=torch.uint8)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # torch.jit deprecation notes from the converter
        traced = torch.jit.trace(network.eval(), example, check_trace=False)  # checking doubles the start-up time
        model = ov.convert_model(traced, example_input=example)
    model.reshape([1, side, side, 3])
    settings = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": "f32"}
    compiled = ov.Core().compile_model(model, "CPU", settings)

    # Requests in turn, no callbacks: a queue whose Python callback is still returning can wait for ever on its way out.
    requests = [
        compiled.create_infer_request() for _ in range(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
    ]
    width, turn = compiled.output(0).partial_shape.get_min_shape()[1:], Lock()

    def run(squares: np.ndarray) -> np.ndarray:
        out = np.empty((len(squares), *width), np.float32)
        with turn:
            for row in range(len(squares) + len(requests)):
                request, done = requests[row % len(requests)], row - len(requests)
                if 0 <= done < len(squares):
                    request.wait()
                    out[done] = request.get_output_tensor().data[0]
                if row < len(squares):
                    request.start_async({0: squares[row : row + 1]})
        return out

    return run
