"""Composites of I420 planes: exact where alpha is certain, and at edges what the BGR renderer gives."""

from contextlib import closing

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from realtime_matte import models
from realtime_matte.backgrounds.image import StillBackground
from realtime_matte.benchmark.memory_source import demo_frames
from realtime_matte.errors import MissingDependency
from realtime_matte.frame import Frame, Matte, Pixels, RefinedMatte, Size
from realtime_matte.media import i420
from realtime_matte.media.turbojpeg import JpegDecoder
from realtime_matte.render.convert_i420 import to_i420
from realtime_matte.render.planes_renderer import PlanesRenderer
from realtime_matte.render.refine import Refiner
from realtime_matte.render.renderer import CpuRenderer

SIZES = [(320, 180), (642, 362), (96, 4), (34, 2), (1280, 720)]


def scene(size: Size, seed: int = 3) -> tuple[Pixels, NDArray[np.float32]]:
    """A frame of large patches of any colour, and a coarse alpha: a soft blob, partly certain, partly not."""
    random = np.random.default_rng(seed)
    patches = random.integers(0, 256, (9, 16, 3), np.uint8)
    blob = cv2.resize(random.random((5, 8), np.float32), (64, 36), interpolation=cv2.INTER_CUBIC) * 4 - 1.5
    return cv2.resize(patches, size, interpolation=cv2.INTER_CUBIC), np.clip(blob, 0, 1)


def smooth_background(size: Size) -> Pixels:
    """A background whose chroma changes slowly, in I420 exactly what it is in BGR but for rounding."""
    y, x = np.mgrid[: size[1], : size[0]].astype(np.float32)
    return np.dstack([60 + 120 * x / size[0], 180 - 100 * y / size[1], 90 + 60 * x / size[0]]).astype(np.uint8)


def composites(pixels: Pixels, coarse: NDArray[np.float32]) -> tuple[Pixels, Pixels, Pixels]:
    """The frame (I420), its composite by the planes, and its composite in BGR, converted."""
    size = pixels.shape[1], pixels.shape[0]
    planes = i420.from_bgr(pixels)
    behind = i420.from_bgr(smooth_background(size))
    in_bgr = i420.to_bgr(planes)
    matte = Refiner(size).refine(Frame(in_bgr, 0.0, 0), Matte(coarse))
    renderer = PlanesRenderer(size)
    by_planes = renderer.composite(Frame(planes, 0.0, 0, "i420"), matte, behind)
    by_bgr = np.empty_like(pixels)
    matte.over(i420.to_bgr(behind), by_bgr)
    expected = i420.empty(size)
    to_i420(by_bgr, expected)
    return planes, by_planes, expected


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_a_certain_alpha_copies_the_bytes(size: Size, alpha: float) -> None:
    pixels, _ = scene(size)
    planes, by_planes, _ = composites(pixels, np.full((36, 64), alpha, np.float32))
    np.testing.assert_array_equal(by_planes, planes if alpha else i420.from_bgr(smooth_background(size)))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("seed", [3, 4])
def test_edges_are_those_of_the_bgr_composite(size: Size, seed: int) -> None:
    pixels, coarse = scene(size, seed)
    _, by_planes, expected = composites(pixels, coarse)
    for plane, wanted in zip(i420.planes(by_planes), i420.planes(expected), strict=True):
        if plane.shape[0] < 10:  # chroma is averaged before it is blended: colours that change in each row differ
            continue
        assert np.percentile(difference(plane, wanted), 99.9) <= 2
        assert difference(plane, wanted).max() <= 4


@pytest.mark.slow
def test_a_clip_in_mjpeg_has_the_composites_of_bgr() -> None:
    """The demo as a webcam compresses it, with the network, whose small input is made of planes or of BGR."""
    try:
        decoder = JpegDecoder()
    except MissingDependency:
        pytest.skip("libturbojpeg is not installed")
    size, background = (640, 360), StillBackground(smooth_background((640, 360)))
    expected, factor = i420.empty(size), [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422]
    with closing(models.open("small", provider="cpu", threads=1)) as network:
        of_planes, of_bgr = (CpuRenderer(network, size=size, background=background) for _ in range(2))
        for index, pixels in enumerate(demo_frames(size)):
            planes = i420.empty(size)
            assert decoder.decode(cv2.imencode(".jpg", pixels, factor)[1], planes)
            by_planes = of_planes.render(Frame(planes, index / 30, index, "i420"))
            to_i420(of_bgr.render(Frame(i420.to_bgr(planes), index / 30, index)), expected)
            assert (difference(by_planes, expected) > 2).mean() < 0.005
            assert difference(by_planes, expected).max() <= 12
    decoder.close()


class MovingBackground:
    """A background that reads the frame and the matte, and changes with each frame."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []

    def image(self, frame: Frame, matte: RefinedMatte) -> Pixels:
        self.frames.append(Frame(frame.pixels.copy(), frame.time, frame.index, frame.pixel_format))
        return np.ascontiguousarray(np.repeat((matte.alpha * 100).astype(np.uint8)[..., None], 3, axis=2))

    def close(self) -> None:
        """Nothing is open."""


def test_a_moving_background_gets_the_frame_and_the_matte_in_bgr() -> None:
    size, background = (96, 64), MovingBackground()
    pixels, coarse = scene(size)
    planes = i420.from_bgr(pixels)
    matte = Refiner(size).refine(Frame(planes, 0.0, 0, "i420"), Matte(coarse))
    renderer = PlanesRenderer(size)
    behind = renderer.background(background, Frame(planes, 0.5, 7, "i420"), matte, check=lambda image: image)  # type: ignore[arg-type,return-value]
    [frame] = background.frames
    assert (frame.pixel_format, frame.time, frame.index) == ("bgr", 0.5, 7)
    np.testing.assert_array_equal(frame.pixels, i420.to_bgr(planes))
    assert {*i420.planes(behind)[0].ravel()} != {16}


def test_a_still_background_is_converted_once_and_another_one_again() -> None:
    size = (96, 64)
    first, second = (StillBackground(np.full((64, 96, 3), level, np.uint8)) for level in (40, 200))
    planes = i420.from_bgr(scene(size)[0])
    frame = Frame(planes, 0.0, 0, "i420")
    matte = Refiner(size).refine(frame, Matte(np.zeros((16, 24), np.float32)))
    renderer, checked = PlanesRenderer(size), []

    def shown(background: StillBackground | MovingBackground) -> int:
        behind = renderer.background(background, frame, matte, check=check)
        return int(renderer.composite(frame, matte, behind)[0, 0])

    def check(image: object) -> Pixels:
        checked.append(image)
        return image  # type: ignore[return-value]

    levels = [shown(background) for background in (first, first, second, MovingBackground(), second, first)]
    assert levels == [50, 50, 188, 16, 188, 50]
    assert len(checked) == 5


def test_bgr_is_converted_as_by_the_exact_matrix() -> None:
    pixels, _ = scene((320, 180))
    out = i420.empty((320, 180))
    to_i420(pixels, out)
    assert difference(out, i420.from_bgr(pixels)).max() <= 1


def difference(first: Pixels, second: Pixels) -> NDArray[np.int64]:
    return np.abs(first.astype(int) - second)
