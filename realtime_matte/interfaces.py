"""Protocols of the parts of a pipeline: Source, Network, Background, effects, Renderer, Sink; and how they are opened.

A plug-in is a module in the package of its kind: ``sources/camera.py`` is the source ``camera``. It has a function
``open`` as its ``Open...`` protocol below says. It may also have:

- ``claims(spec) -> bool``: whether a spec without the module's word, such as ``beach.jpg``, is meant for it;
- ``OPTIONS``: the options after ``?`` in its spec, a mapping of ``config.specs.SpecOption``.

The caller of ``open`` calls ``close``.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, Protocol, TypeAlias, runtime_checkable

from realtime_matte.frame import Frame, Matte, PixelFormat, Pixels, PlateImage, RefinedMatte, Size
from realtime_matte.look import Look, Samples

Fit: TypeAlias = Literal["cover", "contain", "stretch", "tile"]
"""How an image of another aspect ratio fills the output."""

Action: TypeAlias = Literal["next_background", "standby", "quit"]
"""The user's actions while the program runs."""

KEYS: Final[Mapping[str, Action]] = {"b": "next_background", " ": "standby", "q": "quit"}
"""The key of each command, in a window and in the terminal."""

Area: TypeAlias = tuple[slice, slice]
"""Rows and columns of a part of an image."""

RecurrentState: TypeAlias = tuple[object, ...]
"""Hidden state of a recurrent network. Only the network that returned it can read it."""


class Source(Protocol):
    """Delivers frames. Used by one thread at a time."""

    @property
    def size(self) -> Size:
        """Actual size of the frames."""

    @property
    def fps(self) -> float:
        """Actual frame rate; nominal for a file."""

    @property
    def live(self) -> bool:
        """True if frames arrive at their own time and are lost when they are not read (a camera)."""

    @property
    def frames(self) -> int | None:
        """Total number of frames, if known (a file)."""

    @property
    def notices(self) -> Sequence[str]:
        """Messages to the user: the actual mode, and why it is not the requested one."""

    def read(self, pixels: Pixels) -> Frame | None:
        """The next frame; None at the end. Blocks for at most about 2 s.

        Args:
            pixels: A buffer of the source's ``size`` to write into, so that nothing is allocated. A source that already
                has the frame in memory may return its own array instead.

        Raises:
            SourceLost: The device was unplugged or stalled. Only ``close`` may be called after that.
        """

    def close(self) -> None:
        """Release the device or file, quickly. Idempotent."""


@runtime_checkable
class HasPixelFormats(Protocol):
    """A source that can write other pixel formats than BGR."""

    @property
    def pixel_formats(self) -> Sequence[PixelFormat]:
        """Those that ``read`` can write: it writes the one whose shape its buffer has."""


@runtime_checkable
class CountsDamagedFrames(Protocol):
    """A source that leaves out frames it cannot decode."""

    @property
    def damaged(self) -> int:
        """How many it left out since it was opened. With the first one, ``notices`` may grow."""


class OpenSource(Protocol):
    """The function ``open`` of a source's module."""

    def __call__(self, rest: str, /, *, size: Size | None, fps: float | None) -> Source:
        """Open a source.

        Args:
            rest: The spec after its word.
            size: Requested size; None accepts any.
            fps: Requested frame rate; None accepts any.

        Raises:
            SpecError, MissingFile, BadFile, SourceError
        """


class Network(Protocol):
    """Computes the coarse alpha of a frame. Its recurrent state is an argument and a result, so shots can be mixed."""

    @property
    def name(self) -> str:
        """Name for the user."""

    @property
    def provider(self) -> str:
        """The ONNX Runtime provider that runs it."""

    @property
    def notices(self) -> Sequence[str]:
        """Every fall-back, with its reason and hint."""

    def process(self, frame: Frame, state: RecurrentState | None) -> tuple[Matte, RecurrentState]:
        """The coarse matte of this frame, and the state after it.

        Args:
            frame: The frame.
            state: The state returned with the frame before; None starts a shot.

        Returns:
            A matte, whose arrays the next call may overwrite, and the state for the next frame.

        Raises:
            ModelError: No provider could run it. Nothing may be sent for this frame.
        """

    def close(self) -> None:
        """Free the session. Idempotent."""


@runtime_checkable
class PlateView(Protocol):
    """The clean plate of a shot, for networks that see it."""

    def fit(self, guide: Pixels, out: PlateImage) -> bool:
        """Write the plate for one frame, which the network is about to process.

        Args:
            guide: (h, w, 3) BGR, the frame on the network's input grid.
            out: Of the guide's size; only its arrays' values are written.

        Returns:
            Whether enough is known for networks; otherwise nothing was written.
        """


@runtime_checkable
class PlateNetwork(Protocol):
    """A network that can be given the clean plate: what differs from it is likely the person."""

    @property
    def sees_plate(self) -> bool:
        """Whether it makes use of it."""

    def process(
        self, frame: Frame, state: RecurrentState | None, plate: PlateView | None = None
    ) -> tuple[Matte, RecurrentState]:
        """As ``Network.process``. ``plate``: its ``fit`` is called with this frame; None: nothing is known."""


class Background(Protocol):
    """Delivers what is shown behind the foreground."""

    def image(self, frame: Frame, matte: RefinedMatte) -> Pixels:
        """The background at ``frame.time``, of the output's size. The caller does not write into it.

        A still image returns the same array every time. The array may be overwritten by the next call.
        """

    def close(self) -> None:
        """Release files. Idempotent."""


@runtime_checkable
class ImageSeries(Protocol):
    """A background of several images, such as a slideshow."""

    def next(self) -> None:
        """Show the next image, from the next frame on."""


@runtime_checkable
class RealTimeBackground(Protocol):
    """A background that changes over time, and can leave out images rather than hold up a live output."""

    def set_real_time(self, *, real_time: bool) -> None:
        """Whether outputs are watched live. Called once, before the first frame; without it, the images are exact."""


@runtime_checkable
class FollowsCamera(Protocol):
    """A background made of the camera's own image, such as a blur: it moves when the view of the camera moves."""

    @property
    def follows_camera(self) -> bool:
        """True."""


@runtime_checkable
class ShowsStill(Protocol):
    """A background that may promise that an array it returns never changes, so that it is converted once."""

    @property
    def still(self) -> bool:
        """True if it does; its ``image`` must not read the frame or the matte then."""


@runtime_checkable
class HasNotices(Protocol):
    """A background that has something to report of its files."""

    @property
    def notices(self) -> Sequence[str]:
        """Messages to the user; more may be added while it is shown."""


class OpenBackground(Protocol):
    """The function ``open`` of a background's module."""

    def __call__(self, rest: str, /, *, size: Size, fit: Fit) -> Background | None:
        """Open a background. While the pipeline runs, this is called in another thread than ``image``.

        Args:
            rest: The spec after its word.
            size: Size of the output.
            fit: How images of another aspect ratio fill it.

        Returns:
            The background, ready for its first frame. None: there is none, and the output has straight alpha.

        Raises:
            SpecError, MissingFile, BadFile, MissingDependency
        """


class View(Protocol):
    """An effect before the network: turns a camera frame into the frame of the output's size that is matted."""

    @property
    def area(self) -> Area | None:
        """The part of its frames that shows the camera; None: all of it. Nothing else is ever shown as foreground."""

    def __call__(self, frame: Frame) -> Frame:
        """The frame that is matted; overwritten by the next call."""


class PersonEffect(Protocol):
    """An effect on the person's colours, applied while they are composited. The background stays as it is."""

    def apply(self, samples: Samples, look: Look) -> None:
        """Change ``look``, which has the changes of the effects before. ``samples``: of this frame, unchanged."""

    def reset(self) -> None:
        """Forget earlier frames: the next one starts a new shot."""


class OutputEffect(Protocol):
    """An effect after compositing, such as an overlay. It is not drawn on the standby card."""

    @property
    def notices(self) -> Sequence[str]:
        """Messages to the user, such as letters that no font has."""

    def draw(self, image: Pixels, time: float) -> None:
        """Draw on a composite in place: (H, W, 3) BGR, or (H, W, 4) straight BGRA. ``time``: of its frame."""


@runtime_checkable
class DrawsOnPlanes(Protocol):
    """An ``OutputEffect`` that draws on I420 images too: for others, frames are converted to BGR."""

    def draw_planes(self, image: Pixels, time: float) -> None:
        """As ``OutputEffect.draw``, on an I420 image."""


class Renderer(Protocol):
    """Turns a frame into the output frame: matte, refine, background, composite."""

    background: Background | None
    """The current background; None: output frames are (H, W, 4) BGRA with straight alpha.

    May be replaced between two frames. The caller closes the old one.
    """

    @property
    def notices(self) -> Sequence[str]:
        """Every fall-back of the network, with its reason and hint."""

    @property
    def doubt(self) -> str:
        """Why the last output frame may show background as foreground; empty if nothing indicates that."""

    @property
    def grid(self) -> Size | None:
        """(width, height) of the network's alpha; None before the first frame, or if it is that of the frame."""

    @property
    def covered(self) -> float:
        """Mean of the alpha of the last frame: near 0 if no person was found."""

    def render(self, frame: Frame) -> Pixels:
        """The output frame: (H, W, 3) uint8 BGR, or (H, W, 4) without a background. Overwritten by the next call.

        Of an I420 frame it may be I420; there must be a background then.

        Raises:
            ModelError: There is no matte for this frame, so nothing may be sent for it.
        """

    def reset(self) -> None:
        """Forget earlier frames: the next one starts a new shot."""

    def continue_shot(self, previous: "Renderer") -> None:
        """Take over what ``previous``, which ran another network, knows of this shot; not its recurrent state."""

    def close(self) -> None:
        """Close the network, not the background. Idempotent."""


class Sink(Protocol):
    """Receives output frames. Used by one thread at a time: the caller's, or a recording's thread."""

    @property
    def alpha(self) -> bool:
        """True if it keeps the alpha of (H, W, 4) images."""

    @property
    def live(self) -> bool:
        """True if it is watched while it runs (a virtual camera, a window); False for a recording.

        Live outputs are paced like a camera, and show the standby card at the start and at the end.
        """

    @property
    def notices(self) -> Sequence[str]:
        """Messages to the user: the actual device, the actual codec."""

    def send(self, image: Pixels, time: float) -> None:
        """Deliver one output frame, without waiting for its time: the source sets the pace.

        Args:
            image: (H, W, 3) BGR or (H, W, 4) straight BGRA, of the size given to ``open``. It may be overwritten after
                this returns.
            time: Time of the frame it shows, in seconds; never decreases.

        Raises:
            SinkError: The output failed.
        """

    def close(self) -> None:
        """Complete what was written, so that it can be played. Idempotent."""


class OpenSink(Protocol):
    """The function ``open`` of an output's module."""

    def __call__(self, rest: str, /, *, size: Size, fps: float, alpha: bool) -> Sink:
        """Open an output.

        Args:
            rest: The spec after its word.
            size: Size of the output frames.
            fps: Nominal frame rate.
            alpha: Whether the output frames have alpha.

        Raises:
            SpecError: Malformed, or ``alpha`` is requested and the sink cannot keep it.
            SinkError, MissingDependency
        """


@runtime_checkable
class Interactive(Protocol):
    """A sink with keys, such as a window."""

    def commands(self) -> Sequence[Action]:
        """The commands since the last call, oldest first."""


@runtime_checkable
class AcceptsI420(Protocol):
    """A sink that carries I420 images, so that BGR ones have to be converted."""

    def send_i420(self, image: Pixels, time: float) -> None:
        """As ``Sink.send``, an image (H * 3 / 2, W) as ``media.i420`` describes it."""


@runtime_checkable
class ShowsCard(Protocol):
    """A sink that shows the standby card differently from output frames, such as a window that mirrors those alone."""

    def send_card(self, image: Pixels, time: float) -> None:
        """Send the card, as ``Sink.send`` sends an output frame."""


class Readers(Protocol):
    """Reports whether a program reads an output. Used from the caller's thread only."""

    @property
    def notices(self) -> Sequence[str]:
        """Messages to the user: how readers are detected, where that is not exact."""

    def wait_for_reader(self, timeout_s: float) -> bool:
        """Whether a program reads the output now; waits for one for up to ``timeout_s``."""

    def close(self) -> None:
        """Stop watching. Idempotent."""


@runtime_checkable
class HasReaders(Protocol):
    """A sink that can report its readers."""

    def open_readers(self) -> Readers:
        """Start watching for readers. The caller closes the result. Raises SinkError."""


@runtime_checkable
class HasDevice(Protocol):
    """A sink that other programs read through a device file."""

    @property
    def device(self) -> str:
        """Path of the device."""


@runtime_checkable
class Resizable(Protocol):
    """A sink that can show output frames of another size from one to the next, such as a window."""

    def set_size(self, size: Size) -> None:
        """The size of the output frames from now on."""


@runtime_checkable
class HasTimeoutImage(Protocol):
    """A sink whose device can show an image after this program was killed."""

    def set_timeout_image(self, image: Pixels) -> None:
        """Set that image, (H, W, 3) BGR. Called once, after the first ``send``; a failure becomes a notice."""
