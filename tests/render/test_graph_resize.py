"""Downscaling in the graph gives OpenCV's numbers."""

import cv2
import numpy as np
import onnxruntime
import pytest
from fakes.frame_graphs import noisy_image

from realtime_matte.frame import Size
from realtime_matte.models.onnx_tensors import Tensor
from realtime_matte.models.onnx_writer import GraphWriter
from realtime_matte.models.preprocess import Downscaler, resize_steps
from realtime_matte.render.graph_resize import Downscaling

SIZES: tuple[tuple[Size, Size], ...] = (
    ((1280, 720), (288, 160)),
    ((1366, 768), (288, 160)),
    ((960, 540), (288, 160)),
    ((640, 360), (512, 288)),
    ((333, 201), (160, 96)),
    ((320, 180), (288, 160)),
    ((200, 120), (272, 160)),
    ((96, 64), (96, 64)),
)
"""Frames and grids: by halves exactly and not, then cubic, bilinear, larger, or as it is."""


def test_these_sizes_need_every_interpolation() -> None:
    used = {interpolation for size, to in SIZES for _, interpolation in resize_steps(size, to)}
    assert used == {cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA}


@pytest.mark.parametrize(("size", "to"), SIZES)
def test_downscaling_is_that_of_opencv(size: Size, to: Size) -> None:
    """Only a value that is nearly in the middle between two whole numbers may be rounded to the other one.

    Before OpenCV 5 the weights of cubic interpolation are rounded.
    """
    writer, image = GraphWriter(), noisy_image(size)
    pixels = Tensor(writer, writer.input("pixels", np.float32, (1, 3, size[1], size[0])))
    writer.output("small", Downscaling(pixels, size).to(to).name, np.float32, (1, 3, to[1], to[0]))
    session = onnxruntime.InferenceSession(writer.model(), providers=["CPUExecutionProvider"])
    (small,) = session.run(None, {"pixels": image.transpose(2, 0, 1)[None].astype(np.float32)})
    difference = np.abs(small[0].transpose(1, 2, 0) - Downscaler(size, to)(image))
    assert difference.max() <= 1
    assert (difference > 0).mean() <= (0.002 if cv2.__version__ >= "5" else 0.06)
