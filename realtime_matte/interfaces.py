"""What each stage promises: Source, Network, Background, Renderer, Sink.

A plug-in is a module of the stage's package (``sources/camera.py`` is the source ``camera``) with an ``open`` that
keeps the promise written at its ``Open...`` protocol here, and optionally ``claims(spec) -> bool``, which says that a
spec without the module's word (``beach.jpg``) is meant for it. Whoever opens, closes.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, Protocol, TypeAlias, runtime_checkable

from realtime_matte.frame import Frame, Matte, Pixels, RefinedMatte, Size

Fit: TypeAlias = Literal["cover", "contain", "stretch", "tile"]
"""How a picture of another shape fills the output."""

Command: TypeAlias = Literal["next_background", "standby", "quit"]
"""What a user can ask for while the program runs."""

KEYS: Final[Mapping[str, Command]] = {"b": "next_background", " ": "standby", "q": "quit"}
"""What asks for it, in a window as in a terminal."""

RecurrentState: TypeAlias = tuple[object, ...]
"""What a recurrent network remembers of earlier frames: opaque to all but the network that made it."""


class Source(Protocol):
    """Where frames come from. Used by one thread at a time."""

    @property
    def size(self) -> Size:
        """Size of the frames it really gives."""

    @property
    def fps(self) -> float:
        """Frames a second it really gives; nominal for a file."""

    @property
    def live(self) -> bool:
        """True when frames come at their own time and unread ones are lost (a camera)."""

    @property
    def frames(self) -> int | None:
        """How many frames there are in all, when known (a file)."""

    @property
    def notices(self) -> Sequence[str]:
        """What the user should know: the mode really granted, and why it is not the one asked for."""

    def read(self, pixels: Pixels) -> Frame | None:
        """The next frame; None at the end.

        ``pixels`` is a buffer of this source's ``size`` to write into, so that nothing is allocated; a source that
        holds its pictures may return its own array instead. Blocks at most about 2 s.

        Raises:
            SourceLost: the device went away or stalled; only ``close`` may be called after that.
        """

    def close(self) -> None:
        """Let go of the device or file. Idempotent, quick."""


class OpenSource(Protocol):
    """The ``open`` of a source's module."""

    def __call__(self, rest: str, /, *, size: Size | None, fps: float | None) -> Source:
        """Open what ``rest`` (the spec after its word) names; ``size`` and ``fps`` are wishes, None is "as it is".

        Raises:
            SpecError, MissingFile, BadFile, SourceError
        """


class Network(Protocol):
    """A matting network of some family: from one frame to its coarse alpha. Recurrent state is argument and result."""

    @property
    def name(self) -> str:
        """What the user calls it."""

    @property
    def provider(self) -> str:
        """The ONNX Runtime provider that really runs it."""

    @property
    def notices(self) -> Sequence[str]:
        """Every fall-back, with its reason and mend."""

    def process(self, frame: Frame, state: RecurrentState | None) -> tuple[Matte, RecurrentState]:
        """The coarse matte of exactly this frame. ``state`` is the result of the frame before; None starts a shot.

        The alpha may be overwritten by the next call.

        Raises:
            ModelError: no provider could run it; nothing may be sent for this frame.
        """

    def close(self) -> None:
        """Free the session. Idempotent."""


class Background(Protocol):
    """What is put behind the person."""

    def image(self, frame: Frame, matte: RefinedMatte) -> Pixels:
        """The background at ``frame.time``, of the output's size; the caller does not write into it.

        A still gives the same array each time; a clip goes by ``frame.time``; a blur needs the frame and its matte.
        May be overwritten by the next call.
        """

    def close(self) -> None:
        """Idempotent."""


@runtime_checkable
class ImageSeries(Protocol):
    """A background of more than one picture, such as a slideshow."""

    def next(self) -> None:
        """Show the next one from the next frame on."""


class OpenBackground(Protocol):
    """The ``open`` of a background's module."""

    def __call__(self, rest: str, /, *, size: Size, fit: Fit) -> Background | None:
        """Open what ``rest`` names, ready to give pictures of ``size``; None: no background, straight alpha instead.

        Called in a thread of its own when the line runs already; its pictures are asked for in the line's.

        Raises:
            SpecError, MissingFile, BadFile, MissingDependency
        """


class Renderer(Protocol):
    """From a frame to the picture that may be sent: matte, refine, background, composite."""

    background: Background | None
    """What is put behind the person; None: pictures carry straight alpha, (H, W, 4) BGRA.

    May be changed between frames; whoever opened the old one closes it.
    """

    @property
    def notices(self) -> Sequence[str]:
        """Every fall-back, with its reason and mend: the provider really used."""

    def render(self, frame: Frame) -> Pixels:
        """The frame's person on the background: (H, W, 3) uint8 BGR, or (H, W, 4) without a background.

        Overwritten by the next call.

        Raises:
            ModelError: there is no matte for this frame, so there is no picture.
        """

    def reset(self) -> None:
        """Drop every memory of earlier frames: the next frame starts a new shot."""

    def close(self) -> None:
        """Idempotent. Does not close the background."""


class Sink(Protocol):
    """Where pictures go. Used from the caller's thread only."""

    @property
    def alpha(self) -> bool:
        """True when it keeps the alpha of (H, W, 4) pictures."""

    @property
    def live(self) -> bool:
        """True when somebody watches as it goes (a virtual camera, a window), False for a recording.

        Live outputs are paced like a camera, and show the standby card at the start and at the end.
        """

    @property
    def notices(self) -> Sequence[str]:
        """What the user should know: the device really used, the codec really taken."""

    def send(self, picture: Pixels, time: float) -> None:
        """Hand on one picture, (H, W, 3) BGR or (H, W, 4) straight BGRA, of the size it was opened with.

        ``time``: of the frame it shows, seconds, never going back. Does not wait for the picture's turn: pacing is the
        source's matter. The picture may be overwritten once this returns.

        Raises:
            SinkError: the output went away.
        """

    def close(self) -> None:
        """Finish what was written so that it plays. Idempotent, never hides an error of the body."""


class OpenSink(Protocol):
    """The ``open`` of an output's module."""

    def __call__(self, rest: str, /, *, size: Size, fps: float, alpha: bool) -> Sink:
        """Open what ``rest`` names for pictures of ``size``, nominally ``fps`` a second, with alpha if ``alpha``.

        Raises:
            SpecError: also when ``alpha`` is asked of a sink that cannot keep it.
            SinkError, MissingDependency
        """


@runtime_checkable
class Interactive(Protocol):
    """A sink that users can press keys in."""

    def commands(self) -> Sequence[Command]:
        """What was asked for since the last call, oldest first."""


class Readers(Protocol):
    """Whether somebody looks at an output. Used from the caller's thread only."""

    @property
    def notices(self) -> Sequence[str]:
        """How it is found out, where that is not exact."""

    def wait_for_reader(self, timeout_s: float) -> bool:
        """Whether somebody looks now; waits for one so long."""

    def close(self) -> None:
        """Idempotent."""


@runtime_checkable
class HasReaders(Protocol):
    """A sink that can tell whether somebody looks at it."""

    def open_readers(self) -> Readers:
        """Begin to look; whoever calls this closes them. Raises SinkError."""


@runtime_checkable
class HasTimeoutImage(Protocol):
    """A sink whose device can show a picture when this program was killed."""

    def set_timeout_image(self, picture: Pixels) -> None:
        """Let it be ``picture``, (H, W, 3) BGR. Called once, after the first ``send``; a refusal becomes a note."""
