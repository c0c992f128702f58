"""Frame and Matte, the data in the pipeline. Shapes, dtypes, ranges and colour order are defined here."""

from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from realtime_matte.errors import SourceError, SpecError

Pixels: TypeAlias = NDArray[np.uint8]
"""(H, W, 3) uint8, BGR, C-contiguous."""

Alpha: TypeAlias = NDArray[np.float32]
"""(h, w) float32 in [0, 1]: 0 is background, 1 is foreground. Straight, never premultiplied."""

Size: TypeAlias = tuple[int, int]
"""(width, height) in pixels."""

Color: TypeAlias = tuple[int, int, int]
"""(blue, green, red), each from 0 to 255."""

BAND_ROWS: Final = 32
"""Rows that are composited at a time: what that needs fits into the cache."""

PixelFormat: TypeAlias = Literal["bgr", "i420"]
"""``bgr``: (H, W, 3) uint8. ``i420``: (H * 3 / 2, W) uint8, the planes Y, U and V, as ``media.i420`` describes them."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One image of a source, with its time.

    Attributes:
        pixels: uint8, C-contiguous, in the shape of ``pixel_format``. Only the source writes into it, and it may reuse
            the memory after the next ``read``: copy what must live longer.
        time: When the frame was captured, in seconds of ``time.perf_counter()``, which is finer than
            ``time.monotonic()`` on Windows. For a file: start of the run plus the frame's time in the file.
        index: Counted by the source from 0. A gap means that frames were dropped.
        pixel_format: How ``pixels`` is laid out.

    Example:
        >>> Frame(np.zeros((720, 1280, 3), np.uint8), 0.0, 0).size
        (1280, 720)
    """

    pixels: Pixels
    time: float
    index: int
    pixel_format: PixelFormat = "bgr"

    @property
    def size(self) -> Size:
        """(width, height)."""
        rows, width = self.pixels.shape[:2]
        return width, rows * 2 // 3 if self.pixel_format == "i420" else rows


@dataclass(frozen=True, slots=True)
class Matte:
    """Opacity and foreground colours of one frame.

    Attributes:
        alpha: float32 in [0, 1]: (h, w) as the network gives it, (H, W) of the frame once refined.
        foreground: (H, W, 3) uint8 BGR, straight colours without the old background; None until refined.
        guide: (h, w, 3) uint8 BGR, the frame at the size of a coarse ``alpha``, where the network has made one.
        people: (h, w), the coarse alpha of all people, where ``alpha`` leaves some out; they are no background either.
    """

    alpha: Alpha
    foreground: Pixels | None = None
    guide: Pixels | None = None
    people: Alpha | None = None

    def over(self, background: Pixels | Color) -> Pixels:
        """The foreground over another background: alpha * F + (1 - alpha) * B, in a new array.

        Args:
            background: (H, W, 3) uint8 BGR of the matte's size, or one colour (blue, green, red).

        Returns:
            (H, W, 3) uint8 BGR. Exact where alpha is 0 or 1, elsewhere alpha is rounded to 1/256.

        Raises:
            SpecError: The matte has no foreground, or the background is not as described.

        Example:
            >>> matte = Matte(np.float32([[0, 0.5, 1]]), np.full((1, 3, 3), 200, np.uint8))
            >>> matte.over((100, 0, 0))[0, :, 0].tolist()
            [100, 150, 200]
        """
        foreground = self._colors()
        if isinstance(background, tuple):
            if len(background) != 3 or not all(value in range(256) for value in background):  # noqa: PLR2004
                raise SpecError(f"a colour must be (blue, green, red) from 0 to 255, not {background}")
            background = np.array(background, np.uint8)
        else:
            check_pixels(background)
            if background.shape != foreground.shape:
                raise SpecError(
                    f"background has shape {background.shape}, the matte {foreground.shape}",
                    hint="resize the background",
                )
        composite = np.empty_like(foreground)
        behind = np.broadcast_to(background, foreground.shape)
        for top in range(0, len(composite), BAND_ROWS):
            rows = slice(top, top + BAND_ROWS)
            _blend(foreground[rows], self.alpha[rows], behind[rows], composite[rows])
        return composite

    def bgra(self) -> Pixels:
        """(H, W, 4) uint8 with straight alpha in the order of OpenCV, blue first: for ``cv2.imwrite``.

        Black where alpha, rounded to 1/255, is 0.

        Raises:
            SpecError: The matte has no foreground.

        Example:
            >>> Matte(np.float32([[1]]), np.uint8([[[10, 20, 30]]])).bgra().tolist()
            [[[10, 20, 30, 255]]]
        """
        alpha = (self.alpha * np.float32(255) + np.float32(0.5)).astype(np.uint8)[..., None]
        return np.dstack([self._colors() * (alpha > 0), alpha])

    def rgba(self) -> Pixels:
        """(H, W, 4) uint8 with straight alpha, red first: for Pillow, Matplotlib and browsers.

        Raises:
            SpecError: The matte has no foreground.

        Example:
            >>> Matte(np.float32([[1]]), np.uint8([[[10, 20, 30]]])).rgba().tolist()
            [[[30, 20, 10, 255]]]
        """
        return np.ascontiguousarray(self.bgra()[..., [2, 1, 0, 3]])

    def _colors(self) -> Pixels:
        if self.foreground is None:
            raise SpecError("this matte has no foreground colours", hint="take one from BackgroundRemover.process")
        if self.foreground.shape != (*self.alpha.shape, 3):
            raise SpecError(
                f"alpha has shape {self.alpha.shape}, foreground {self.foreground.shape}",
                hint="take a refined matte, as from BackgroundRemover.process",
            )
        return self.foreground


def _blend(foreground: Pixels, alpha: Alpha, background: Pixels, out: Pixels) -> None:
    """``out`` = alpha x foreground + (1 - alpha) x background, all (h, W, 3), alpha (h, W), rounded to 1/256."""
    flat = len(out), -1  # each weight three times, beside each other: loops of length 3 cannot use vector instructions
    weight = np.repeat((alpha * np.float32(256) + np.float32(0.5)).astype(np.uint16), 3, axis=1)
    mixed = foreground.reshape(flat) * weight  # at most 255 * 256 + 128, which fits
    np.subtract(256, weight, out=weight)
    mixed += background.reshape(flat) * weight
    mixed += 128
    mixed >>= 8
    out[:] = mixed.reshape(out.shape)


@dataclass(frozen=True, slots=True)
class PlateImage:
    """The clean plate on the network's input grid, in the light and at the place of one frame.

    Attributes:
        colours: (h, w, 3) uint8 BGR; of any value where the validity is 0.
        validity: (h, w) uint8, how sure the colours are: 0 where the background was never seen, to 255.
    """

    colours: Pixels
    validity: NDArray[np.uint8]


class RefinedMatte(Protocol):
    """The matte of one frame at the frame's size, as a background gets it.

    Its parts are computed when they are first read, so an unused one costs nothing; the next frame overwrites them.
    """

    @property
    def alpha(self) -> Alpha:
        """(H, W), straight."""

    @property
    def foreground(self) -> Pixels:
        """(H, W, 3) straight colours without the old background; black where alpha is 0."""


@runtime_checkable
class MasksBackground(Protocol):
    """A refined matte that can find the background without computing every pixel's alpha."""

    def mask_background(self, most_alpha: float, out: NDArray[np.uint8]) -> None:
        """As the function ``mask_background``."""


def size_text(size: Size) -> str:
    """WxH, as ``--size`` takes it."""
    return f"{size[0]}x{size[1]}"


def half_size(size: Size) -> Size:
    """(width, height) of an image of half the size, without the last pixel of an odd side."""
    return max(1, size[0] // 2), max(1, size[1] // 2)


def mask_background(matte: RefinedMatte, most_alpha: float, out: NDArray[np.uint8]) -> None:
    """Find the background at half the frame's size: 255 where alpha of all four pixels is below ``most_alpha``, else 0.

    Args:
        matte: Of the frame.
        most_alpha: Above 0; an alpha of NaN is no background.
        out: Written to its upper left, of ``half_size``.
    """
    if isinstance(matte, MasksBackground):
        matte.mask_background(most_alpha, out)
        return
    below = matte.alpha < most_alpha
    width, height = half_size((below.shape[1], below.shape[0]))
    below = below[: 2 * height, : 2 * width]
    rows = below[0::2] & below[1::2] if len(below) > 1 else below
    mask = rows[:, 0::2] & rows[:, 1::2] if rows.shape[1] > 1 else rows
    np.multiply(mask, np.uint8(255), out=out[:height, :width])


def check_pixels(pixels: object) -> None:
    """Accept an image of the caller's. Raises SpecError unless it is (H, W, 3) uint8 with at least one pixel."""
    wanted = "(H, W, 3) uint8 in BGR"
    if not isinstance(pixels, np.ndarray):
        raise SpecError(f"an image must be an array, {wanted}, not {type(pixels).__name__}", hint="read it with OpenCV")
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:  # noqa: PLR2004
        raise SpecError(f"an image must be {wanted}, not {pixels.shape} {pixels.dtype}", hint="convert it")


def check_frame(frame: object) -> None:
    """Accept a frame of a source, which may be the caller's own code.

    Raises:
        SourceError: It is not a Frame, or its pixels are neither (H, W, 3) uint8 nor I420.
    """
    pixels = frame.pixels if isinstance(frame, Frame) else frame
    if isinstance(frame, Frame) and frame.pixel_format == "i420" and _is_i420(pixels):
        return
    try:
        check_pixels(pixels)
    except SpecError as error:
        raise SourceError(f"a frame of the source cannot be used: {error.message}") from error
    if not isinstance(frame, Frame):
        raise SourceError(f"the source returned {type(frame).__name__} instead of a Frame")


def _is_i420(pixels: object) -> bool:
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.ndim != 2 or not pixels.size:  # noqa: PLR2004
        return False
    return pixels.shape[0] % 3 == 0 and pixels.shape[1] % 2 == 0 and pixels.flags.c_contiguous
