"""HDR clips: PQ and HLG, BT.2020, 10 bits; the SDR colours of ``quarters`` with white at 203 cd/m2 (ITU-R BT.2408)."""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from fuzz.drawing import BLUE, GREEN, GREY, QUARTERS, RED, WHITE
from numpy.typing import NDArray

SIZE = 192, 128
WHITE_LEVEL = 203
"""Light of SDR white in cd/m2."""

BT709_TO_BT2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
"""RGB; ITU-R BT.2087."""

LUMA = np.array([0.2627, 0.6780, 0.0593])
"""Weights of RGB in BT.2020."""

COLORS = {**QUARTERS, (0.5, 0.5): GREY}

Values = NDArray[np.float64]


def pq(light: Values) -> Values:
    """SMPTE ST 2084: the signal of ``light`` in cd/m2."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = (light / 10_000) ** m1
    return np.asarray(((c1 + c2 * power) / (1 + c3 * power)) ** m2)


def hlg(light: Values) -> Values:
    """ARIB STD-B67: the signal for a display of 1000 cd/m2 with a system gamma of 1.2."""
    shown = light / 1000
    scene = shown * np.maximum(shown @ LUMA, 1e-6)[..., None] ** (1 / 1.2 - 1)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), a * np.log(np.maximum(12 * scene - b, 1e-6)) + c)


CURVES: dict[str, tuple[int, Callable[[Values], Values]]] = {"pq": (16, pq), "hlg": (18, hlg)}
"""H.273's number of the transfer characteristics, and the signal of linear light."""


def write(path: Path, *, curve: str) -> None:
    """Ten frames of COLORS."""
    number, signal = CURVES[curve]
    levels = _levels(signal)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx265", rate=25, options={"x265-params": "log-level=none:qp=4"})
        (stream.width, stream.height), stream.pix_fmt = SIZE, "yuv420p10le"
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace, context.color_range = 9, number, 9, 1
        for index in range(10):
            frame = _frame(levels)
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _levels(signal: Callable[[Values], Values]) -> NDArray[np.uint16]:
    """Y, Cb, Cr of 10 bits of red, green, blue, white and grey."""
    rgb = np.array([RED, GREEN, BLUE, WHITE, GREY], np.float64)[:, ::-1] / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    coded = signal(WHITE_LEVEL * linear @ BT709_TO_BT2020.T)
    luma = coded @ LUMA
    blue, red = (coded[:, 2] - luma) / 1.8814, (coded[:, 0] - luma) / 1.4746
    return np.stack([64 + 876 * luma, 512 + 896 * blue, 512 + 896 * red], 1).round().astype(np.uint16)


def _frame(levels: NDArray[np.uint16]) -> VideoFrame:
    frame = VideoFrame(*SIZE, "yuv420p10le")
    for index, plane in enumerate(frame.planes):
        rows = np.zeros((plane.height, plane.line_size // 2), np.uint16)
        y, x = plane.height // 2, plane.width // 2
        rows[:y, :x], rows[:y, x:], rows[y:, :x], rows[y:, x:] = levels[:4, index]
        rows[3 * y // 4 : 5 * y // 4, 3 * x // 4 : 5 * x // 4] = levels[4, index]
        plane.update(rows.tobytes())
    return frame
