"""CaptureState, the state of a source, and Capture, the interface from which the pipeline takes frames."""

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from realtime_matte.frame import Frame, Size

Phase: TypeAlias = Literal["running", "lost", "paused", "starting", "ended"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureState:
    """The state of a source at one moment. Its owner replaces it whole; every other thread only reads it.

    Attributes:
        phase: ``running``: frames arrive, or the first one is awaited. ``lost``: the source went away or is silent,
            and will be opened again. ``paused``: closed until it is resumed. ``starting``: opened again after a pause,
            before its first frame. ``ended``: the last frame was taken.
        reason: Why the source is lost, for the user; empty unless it is.
        since: Time of the newest frame, or of the start while there is none, in seconds of the capture's clock.
        size: (width, height) of the frames.
        fps: Frames per second that the source delivers; nominal for a file.
        notices: What the user should know of the source; grows when it comes back in another mode.
        dropped: Frames replaced unread since the first one was taken.
        damaged: Frames that could not be decoded, and were left out.
        shot_start: Index of the first frame after the source was opened last. A reader starts a new shot at the first
            frame with this index or a higher one. (A count of shots would not do: it may change between taking a frame
            and reading the state.)
    """

    size: Size
    fps: float
    notices: tuple[str, ...]
    phase: Phase = "running"
    reason: str = ""
    since: float = 0.0
    dropped: int = 0
    damaged: int = 0
    shot_start: int = 0


class Capture(Protocol):
    """Where the pipeline takes its frames from: a CaptureWorker (live) or a Playback (every frame of a file)."""

    @property
    def state(self) -> CaptureState:
        """The state now."""

    def take(self, timeout_s: float) -> Frame | None:
        """The next frame, valid until the next call; None if there is none now, for which ``state`` has the reason."""

    def close(self) -> None:
        """Close the source. Idempotent."""
