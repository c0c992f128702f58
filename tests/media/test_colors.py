"""Colours of decoded frames: every matrix, range and curve that a file can state."""

import av
import numpy as np
import pytest

from realtime_matte.frame import Pixels
from realtime_matte.media import tone_map
from realtime_matte.media.colors import FrameConverter

SIZE = (64, 48)
RGB = np.array((200, 60, 50))
WEIGHTS = {  # of red and blue in the luma: ITU-T H.273, table 4
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
    10: (0.2627, 0.0593),
}
YCGCO = 8


def yuv(rgb: np.ndarray, matrix: int, *, full: bool, bits: int = 8) -> list[int]:
    """The levels of one colour, by H.273, equations 20 to 49."""
    red, green, blue = rgb / 255
    if matrix == YCGCO:
        luma, first, second = green / 2 + (red + blue) / 4, green / 2 - (red + blue) / 4, (red - blue) / 2
    else:
        of_red, of_blue = WEIGHTS[matrix]
        luma = of_red * red + (1 - of_red - of_blue) * green + of_blue * blue
        first, second = (blue - luma) / (2 - 2 * of_blue), (red - luma) / (2 - 2 * of_red)
    scale = 2 ** (bits - 8)
    if full:
        top = 2**bits - 1
        return [round(top * luma), round(top * first) + 128 * scale, round(top * second) + 128 * scale]
    return [
        round((219 * luma + 16) * scale),
        round((224 * first + 128) * scale),
        round((224 * second + 128) * scale),
    ]


def frame(levels: list[int], pixel_format: str = "yuv444p", *, alpha: int | None = None) -> av.VideoFrame:
    values = levels if alpha is None else [*levels, alpha]
    made = av.VideoFrame(*SIZE, pixel_format)
    for plane, value in zip(made.planes, values, strict=False):
        wide = made.format.components[0].bits > 8
        plane.update(np.full(plane.buffer_size // (1 + wide), value, "<u2" if wide else "u1").tobytes())
    return made


def shown(made: av.VideoFrame) -> Pixels:
    return FrameConverter().bgr(made, SIZE)[24, 32, ::-1]


@pytest.mark.parametrize("matrix", [*WEIGHTS, YCGCO])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(("pixel_format", "bits"), [("yuv444p", 8), ("yuv420p", 8), ("yuv422p10le", 10)])
def test_a_stated_matrix_and_range_are_obeyed(matrix: int, *, full: bool, pixel_format: str, bits: int) -> None:
    made = frame(yuv(RGB, matrix, full=full, bits=bits), pixel_format)
    made.colorspace, made.color_range = matrix, 2 if full else 1
    np.testing.assert_allclose(shown(made), RGB, atol=3)


@pytest.mark.parametrize("matrix", WEIGHTS)
@pytest.mark.parametrize("full", [False, True])
def test_frames_with_alpha_obey_them_too(matrix: int, *, full: bool) -> None:
    made = frame(yuv(RGB, matrix, full=full), "yuva444p", alpha=255)
    made.colorspace, made.color_range = matrix, 2 if full else 1
    np.testing.assert_allclose(shown(made), RGB, atol=3)


@pytest.mark.parametrize("alpha", [None, 255])
@pytest.mark.parametrize(("height", "matrix"), [(576, 6), (720, 1), (1080, 1)])
def test_untagged_frames_are_taken_as_players_do(height: int, matrix: int, alpha: int | None) -> None:
    small = frame(yuv(RGB, matrix, full=False), "yuva444p" if alpha else "yuv444p", alpha=alpha)
    made = small.reformat(96, height)
    made.colorspace = made.color_range = 0
    made.colorspace = 2
    np.testing.assert_allclose(FrameConverter().bgr(made, SIZE)[24, 32, ::-1], RGB, atol=3)


@pytest.mark.parametrize(("primaries", "matrix"), [(1, 1), (6, 6), (9, 9)])
def test_a_matrix_derived_from_the_primaries_is_obeyed(primaries: int, matrix: int) -> None:
    made = frame(yuv(RGB, matrix, full=False))
    made.colorspace, made.color_primaries, made.color_range = 12, primaries, 1
    np.testing.assert_allclose(shown(made), RGB, atol=3)


@pytest.mark.parametrize("pixel_format", ["gbrp", "rgb24", "bgr0", "rgba", "gbrap"])
def test_rgb_is_kept(pixel_format: str) -> None:
    made = av.VideoFrame.from_ndarray(np.full((48, 64, 3), RGB, np.uint8), format="rgb24").reformat(format=pixel_format)
    made.colorspace = made.color_range = 0
    np.testing.assert_allclose(shown(made), RGB, atol=1)


@pytest.mark.parametrize("pixel_format", ["yuva420p", "yuva444p10le", "rgba", "ya8", "gbrap"])
def test_alpha_is_over_black(pixel_format: str) -> None:
    straight = np.full((48, 64, 4), (255, 255, 255, 128), np.uint8)
    made = av.VideoFrame.from_ndarray(straight, format="rgba").reformat(format=pixel_format)
    np.testing.assert_allclose(shown(made), [128] * 3, atol=2)


# High dynamic range

TO_BT2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])  # BT.2087
COLORS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "white": (255,) * 3, "grey": (128,) * 3}


def pq(light: np.ndarray) -> np.ndarray:
    """BT.2100, table 4. ``light``: in cd/m2."""
    power = (light / 10_000) ** (1305 / 8192)
    return ((107 / 128 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


def hlg(light: np.ndarray) -> np.ndarray:
    """BT.2100, table 5, from the light of a display of 1000 cd/m2."""
    luminance = light @ (0.2627, 0.6780, 0.0593)
    scene = light / 1000 * (luminance / 1000) ** (1 / 1.2 - 1)
    linear = np.sqrt(3 * scene)
    return np.where(scene <= 1 / 12, linear, 0.17883277 * np.log(np.maximum(12 * scene, 0.3) - 0.28466892) + 0.55991073)


@pytest.mark.parametrize("color", COLORS.values(), ids=COLORS.keys())
@pytest.mark.parametrize(("number", "curve"), [(tone_map.PQ, pq), (tone_map.HLG, hlg)])
def test_hdr_is_shown_as_its_sdr_colours(number: int, curve: object, color: tuple[int, int, int]) -> None:
    """White at 203 cd/m2. Grey is kept; what is near white makes room for highlights."""
    value = np.array(color) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    stored = curve(203 * TO_BT2020 @ linear)  # type: ignore[operator]
    made = frame(yuv(255 * stored, 9, full=False, bits=10), "yuv444p10le")
    made.colorspace, made.color_trc, made.color_primaries, made.color_range = 9, number, 9, 1
    np.testing.assert_allclose(shown(made), color, atol=4 if max(color) < 200 else 24)


@pytest.mark.parametrize("curve", sorted(tone_map.CURVES))
def test_brighter_light_is_never_darker(curve: int) -> None:
    ramp = np.repeat(np.arange(0, 65536, 16, np.uint16)[None, :, None], 3, 2)
    levels = tone_map.to_sdr(ramp, curve)[0, :, 0].astype(int)
    assert (np.diff(levels) >= 0).all()
    assert levels[0] == 0
    assert levels[-1] >= 250
