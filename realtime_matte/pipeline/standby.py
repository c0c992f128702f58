"""Standby card: the image that is sent instead of a composite, drawn or the user's own file.

Without a composite, only this card is sent.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from realtime_matte.errors import SpecError
from realtime_matte.frame import Pixels, Size
from realtime_matte.media.fit import fit_image, resize, scaled_size
from realtime_matte.media.image import LoadedImage, load
from realtime_matte.paths import named
from realtime_matte.pipeline import text as text_drawing
from realtime_matte.pipeline.outputs import Outputs

# Texts on the card.
STARTING: Final = "One moment, starting"
CAMERA_NOT_AVAILABLE: Final = "The camera is not available"
NO_MATTE: Final = "One moment, please"
SWITCHING: Final = "One moment, changing the camera"
STANDBY: Final = "Back in a moment"
STOPPED: Final = "The camera is off"

# Messages to the user.
STANDBY_ON: Final = "standby: the camera is off"
STANDBY_OFF: Final = "standby is over"

STANDBY_EVERY_S: Final = 0.1
"""Seconds between two cards while on standby with the camera off; commands are read as often."""

CARD_EVERY_S: Final = 0.5
"""Seconds between two cards while there is nothing else to send: readers take a longer silence for a fault."""

LARGEST: Final = (3840, 2160)
"""A larger image of the user is kept in this size: a photograph of 50 megapixels takes 150 MB."""

EDGE_COLOR: Final = (24, 19, 15)  # BGR, chosen by eye: dark, so that the card does not light up a dim room
CENTER_COLOR: Final = (62, 50, 41)
DISC_COLOR: Final = (84, 69, 58)
FIGURE_COLOR: Final = (122, 104, 90)
TEXT_COLOR: Final = (224, 216, 208)

FIGURE_Y: Final = 0.42  # centre of the figure, as a part of the height
TEXT_Y: Final = 0.71  # base line of the text, as a part of the height
TEXT_WIDTH: Final = 0.84  # widest line, as a part of the width
TEXT_SIZE: Final = 0.065  # height of letters, as a part of the height, or of the width of an upright card
COARSE_PX: Final = 90  # height at which the background is painted before it is enlarged
NOISE_PX: Final = 64


class StandbyCard:
    """Sends the card to ``outputs``; draws it when its text changes.

    Args:
        outputs: Where the card is sent.
        size: (width, height) of the card.
        alpha: The outputs keep alpha: the card is opaque BGRA.
        image: An image file that is shown instead of the drawn card, without text.
        text: The user's text, shown instead of every reason.

    Raises:
        MissingFile, BadFile: of the image.
    """

    def __init__(self, outputs: Outputs, *, size: Size, alpha: bool, image: str | None, text: str | None) -> None:
        self.notices: Sequence[str] = _text_notices(text) if text and image is None else ()
        self._outputs = outputs
        self._size = size
        self._alpha = alpha
        self._text = text
        self._image: Pixels | None = None  # of any size
        self._fixed: Pixels | None = None  # of ``size``
        self.set_image(load(named(image)) if image is not None else None)
        self._blank: Pixels | None = None  # the drawn card without its text, which is all that changes between two
        self._drawn: tuple[str, Pixels] | None = None
        self._shown: Pixels | None = None
        self._ended = False

    def set_image(self, image: LoadedImage | None) -> None:
        """Show this image from the next card on; None: the drawn card."""
        if image is not None:
            self.notices = image.notices
        elif self._image is not None:
            self.notices = _text_notices(self._text) if self._text else ()
        self._image = _at_most(image.pixels, LARGEST) if image else None
        self._fixed = None if self._image is None else self._fitted(self._image)

    def set_size(self, size: Size) -> None:
        """Send cards of this size from the next one on."""
        self._size = size
        self._blank = self._drawn = None
        self._fixed = None if self._image is None else self._fitted(self._image)

    def set_text(self, text: str | None) -> None:
        """Show this text from the next card on; None: the reason.

        Raises:
            SpecError: The card is an image, which has no text.
        """
        if self._fixed is not None:
            raise SpecError("the card is an image, which has no text", hint="leave out --card")
        self._text = text
        self.notices = _text_notices(text) if text else ()

    def show(self, reason: str, time: float) -> None:
        """Send the card to every output. Raises SinkError when the last output fails."""
        self._shown = self.pixels(reason)
        self._outputs.send_card(self._shown, time)

    def show_live(self, reason: str, time: float) -> None:
        """Send the card to live outputs, not to recordings: before the first frame and after the last."""
        self._shown = self.pixels(reason)
        self._outputs.send_live(self._shown, time)

    def repeat(self, time: float) -> None:
        """Send the card that was shown last to live outputs again."""
        if self._shown is not None:
            self._outputs.send_live(self._shown, time)

    def end(self, time: float) -> None:
        """Send the last card to live outputs. Idempotent."""
        if not self._ended:
            self._ended = True
            self.show_live(STOPPED, time)

    def set_timeout_image(self, reason: str) -> None:
        """Make the card the image that devices show if this program is killed."""
        self._outputs.set_timeout_image(self.pixels(reason))

    def pixels(self, reason: str) -> Pixels:
        """The card with this reason."""
        if self._fixed is not None:
            return self._fixed
        text = self._text or reason
        if self._drawn is None or self._drawn[0] != text:
            self._drawn = text, self._with_alpha(self._drawn_with(text))
        return self._drawn[1]

    def _drawn_with(self, text: str) -> Pixels:
        if self._blank is None:
            self._blank = draw_blank_card(self._size)
        pixels = self._blank.copy()
        _write(pixels, text)
        return pixels

    def _fitted(self, image: Pixels) -> Pixels:
        return self._with_alpha(fit_image(image, self._size, "cover"))

    def _with_alpha(self, pixels: Pixels) -> Pixels:
        return np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)]) if self._alpha else pixels


def draw_card(size: Size, *, text: str = STANDBY, image: str | Path | None = None) -> Pixels:
    """The card as (H, W, 3) uint8 BGR.

    Args:
        size: (width, height).
        text: Written in one line, smaller if it is long.
        image: An image file that covers the whole card; the text is left out.

    Raises:
        MissingFile, BadFile: of the image.
    """
    if image is not None:
        return fit_image(load(named(str(image))).pixels, size, "cover")
    pixels = draw_blank_card(size)
    _write(pixels, text)
    return pixels


def draw_blank_card(size: Size) -> Pixels:
    """The card without a text, as (H, W, 3) uint8 BGR."""
    pixels = _background(size)
    _draw_figure(pixels)
    return pixels


def _write(pixels: Pixels, text: str) -> None:
    height, width = pixels.shape[:2]
    text_drawing.draw(
        pixels,
        " ".join(text.split()),
        base=int(TEXT_Y * height),
        height_px=TEXT_SIZE * min(height, 0.8 * width),
        max_width=TEXT_WIDTH * width,
        color=TEXT_COLOR,
    )


def _background(size: Size) -> Pixels:
    """A dark background, a little lighter around the figure."""
    y, x = np.ogrid[:COARSE_PX, : 2 * COARSE_PX]
    distance = np.hypot((x + 0.5) / x.size - 0.5, (y + 0.5) / COARSE_PX - FIGURE_Y)
    share = np.exp(-((distance / 0.36) ** 2))[..., None]
    coarse = EDGE_COLOR + (np.array(CENTER_COLOR) - EDGE_COLOR) * share
    smooth = cv2.resize(coarse.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    noise = np.random.default_rng(1).random((NOISE_PX, NOISE_PX, 1), np.float32)
    noise = np.tile(noise, (1, -(-size[0] // NOISE_PX), 1))[:, : size[0]]
    pixels = np.empty((size[1], size[0], 3), np.uint8)
    for top in range(0, size[1], NOISE_PX):  # in parts that stay in the cache: the start waits for the first card
        part = pixels[top : top + NOISE_PX]
        part[:] = smooth[top : top + NOISE_PX] + noise[: len(part)]  # dithering: no visible bands after rounding
    return pixels


def _draw_figure(pixels: Pixels) -> None:
    """Draw head and shoulders in a disc."""
    height, width = pixels.shape[:2]
    radius = int(0.15 * min(height, width))
    top, left = int(FIGURE_Y * height) - radius, width // 2 - radius
    part = pixels[top : top + 2 * radius, left : left + 2 * radius]
    y, x = (np.mgrid[: 2 * radius, : 2 * radius] + 0.5) / max(radius, 1) - 1
    disc, head, shoulders = (
        np.clip((reach - np.hypot(x, y - down)) * radius + 0.5, 0, 1)[..., None]
        for reach, down in ((1, 0), (0.34, -0.20), (0.64, 0.90))
    )
    inside = DISC_COLOR + (np.array(FIGURE_COLOR) - DISC_COLOR) * np.maximum(head, shoulders)
    part[:] = part + (inside - part) * disc


def _at_most(image: Pixels, size: Size) -> Pixels:
    """The image, scaled down if it is larger in both directions."""
    width, height = scaled_size((image.shape[1], image.shape[0]), size, "cover")
    return image if width >= image.shape[1] else resize(image, (width, height))


def _text_notices(text: str) -> tuple[str, ...]:
    missing = text_drawing.missing_letters(text)
    if not missing:
        return ()
    return (f"the card shows ? for {missing}, which OpenCV has no letters for; use --card IMAGE instead",)
