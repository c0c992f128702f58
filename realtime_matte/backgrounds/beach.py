"""A beach, drawn by the program, a little out of focus (``beach``)."""

from typing import Final

import numpy as np

from realtime_matte.backgrounds._drawing import Canvas
from realtime_matte.backgrounds.image import StillBackground
from realtime_matte.errors import SpecError
from realtime_matte.frame import Pixels, Size
from realtime_matte.interfaces import Fit

HORIZON: Final = 0.50
SHORE: Final = 0.70
CLOUDS: Final = (  # x, y, half width, half height
    (-0.62, 0.17, 0.22, 0.030), (-0.45, 0.145, 0.13, 0.035), (-0.30, 0.18, 0.20, 0.022), (0.20, 0.30, 0.26, 0.016),
    (0.52, 0.12, 0.20, 0.028), (0.66, 0.10, 0.12, 0.030), (-0.10, 0.34, 0.30, 0.012),
)  # fmt: skip
WAVE_COLORS: Final = (0xE4F6F2, 0xE4F6F2, 0x1F6F92)


def open(rest: str, /, *, size: Size, fit: Fit) -> StillBackground:  # noqa: ARG001 - drawn at the size
    """The beach, drawn at ``size``."""
    if rest:
        raise SpecError(f"the background 'beach' takes no argument, not {rest!r}", hint="write beach")
    return StillBackground(draw(size))


def draw(size: Size) -> Pixels:
    """The pixels of the beach, (H, W, 3); it looks the same at every size."""
    canvas = Canvas(size)
    canvas.gradient([
        (0, 0x4F9BD3), (0.30, 0x9CCBE6), (HORIZON, 0xF3E6CF),
        (HORIZON + 0.002, 0x2F86A6), (0.60, 0x46A9B8), (SHORE, 0x9ED9CF),
        (SHORE + 0.012, 0xFBF6EA), (SHORE + 0.03, 0xC9A97C), (0.78, 0xDFC296), (1, 0xEBD3A8),
    ])  # fmt: skip
    _draw_clouds(canvas)
    _draw_waves(canvas)
    canvas.blur(0.008)
    canvas.glow((0.42, HORIZON - 0.06), (0.30, 0.20), 0xFFF1CF, 0.75)
    canvas.glow((0.42, HORIZON + 0.10), (0.10, 0.12), 0xFFF3D8, 0.40)
    return canvas.finish()


def _draw_clouds(canvas: Canvas) -> None:
    for x, y, half_width, half_height in CLOUDS:
        canvas.glow((x, y), (half_width / 1.5, half_height / 1.2), 0xFFFFFF, 0.75)


def _draw_waves(canvas: Canvas) -> None:
    random = np.random.default_rng(7)
    for _ in range(160):
        depth = random.uniform(0.02, 1)
        center = random.uniform(-1.1, 1.1), HORIZON + 0.19 * depth
        sigma = 0.02 + 0.07 * depth, 0.0015 + 0.004 * depth
        canvas.glow(center, sigma, random.choice(WAVE_COLORS), 0.35)
