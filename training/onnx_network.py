"""Runs ONNX files on one CPU thread: PyTorch uses the others."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from training.pack import Image

STATES = ("memory16", "memory8", "memory4")
"""Inputs of an exported network that hold recurrent state; the outputs are called the same with ``_out``."""

PLATE = {"plate": 3, "validity": 1}
"""Inputs of a network that sees the clean plate, besides the frame: uint8, with their channels."""

STRIDES = (16, 8, 4)
"""Input pixels per cell of each state."""


def open_session(network: Path) -> onnxruntime.InferenceSession:
    """A session on one thread of the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(network), options, providers=["CPUExecutionProvider"])


class ExportedNetwork:
    """A network of ours as an ONNX file, run frame by frame."""

    def __init__(self, path: Path) -> None:
        self._session = open_session(path)
        self._channels = {port.name: port.shape[1] for port in self._session.get_inputs() if port.name in STATES}
        self.sees_plate = any(port.name in PLATE for port in self._session.get_inputs())

    def run(
        self, frames: Image, plate: Image | None = None
    ) -> Iterator[tuple[dict[str, NDArray[np.generic]], NDArray[np.float32]]]:
        """For each frame of a shot (T, H, W, 3): all inputs, and the output alpha (1, 1, H, W).

        ``plate``: (H, W, 4), the clean plate and its validity, for a network that sees it; unknown without.
        """
        height, width = frames.shape[1:3]
        states = {
            name: np.zeros((1, self._channels[name], height // stride, width // stride), np.float32)
            for name, stride in zip(STATES, STRIDES, strict=True)
        }
        plates = self._plate_inputs(np.zeros((height, width, 4), np.uint8) if plate is None else plate)
        for frame in frames:
            inputs = {"frame": frame[None], **plates, **states}
            alpha, *after = self._session.run(None, inputs)
            states = dict(zip(STATES, after, strict=True))
            yield inputs, alpha

    def _plate_inputs(self, plate: Image) -> dict[str, Image]:
        if not self.sees_plate:
            return {}
        parts = np.split(plate[None], [PLATE["plate"]], axis=-1)
        return {name: np.ascontiguousarray(part) for name, part in zip(PLATE, parts, strict=True)}
