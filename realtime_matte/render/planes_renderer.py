"""The last steps of the renderer for I420 frames: the background as planes, and the composite."""

from collections.abc import Callable

from realtime_matte.frame import Frame, Pixels, Size
from realtime_matte.interfaces import Background, ShowsStill
from realtime_matte.media import i420
from realtime_matte.render.composite_i420 import I420Compositor
from realtime_matte.render.convert_i420 import to_i420
from realtime_matte.render.upsampled_matte import UpsampledMatte


class PlanesRenderer:
    """Composites I420 frames of ``size``. Buffers are allocated once; those of moving backgrounds on first use."""

    def __init__(self, size: Size) -> None:
        self._size = size
        self._out = i420.empty(size)
        self._background = i420.empty(size)
        self._converted: Pixels | None = None  # the still image that _background is
        self._in_bgr = i420.BgrFrames()
        self._compositor: I420Compositor | None = None

    def background(
        self, background: Background, frame: Frame, matte: UpsampledMatte, *, check: Callable[[object], Pixels]
    ) -> Pixels:
        """The background's image as I420. A still one is converted once; another one gets the frame in BGR.

        Raises:
            SpecError: of ``check``, which accepts an image.
        """
        if isinstance(background, ShowsStill) and background.still:
            image = background.image(frame, matte)
            if image is not self._converted:
                self.convert(check(image))
                self._converted = image
            return self._background
        self._converted = None
        in_bgr = self._in_bgr(frame)
        self.convert(check(background.image(in_bgr, matte.of(in_bgr))))
        return self._background

    def convert(self, image: Pixels) -> None:
        """Convert the background's image (H, W, 3) BGR."""
        to_i420(image, self._background)

    def composite(self, frame: Frame, matte: UpsampledMatte, background: Pixels) -> Pixels:
        """The foreground over the background, all I420; overwritten by the next call."""
        shape = matte.cells.shape
        if self._compositor is None or self._compositor.shape != shape:
            self._compositor = I420Compositor(shape, self._size)
        self._compositor.over(frame.pixels, matte.models, background, self._out)
        return self._out
