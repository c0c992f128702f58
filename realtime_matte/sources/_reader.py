"""The interface to one open camera, whichever library reads it; and the notice of its mode."""

from collections.abc import Sequence
from typing import Protocol

from realtime_matte.frame import PixelFormat, Pixels, Size
from realtime_matte.v4l2.cameras import CameraInfo
from realtime_matte.v4l2.capabilities import Mode


class CameraReader(Protocol):
    """Reads one camera. Used by one thread."""

    @property
    def pixel_formats(self) -> Sequence[PixelFormat]:
        """What ``retrieve`` can write."""

    @property
    def notices(self) -> Sequence[str]:
        """Messages to the user: why it is not the faster reader."""

    @property
    def is_open(self) -> bool:
        """True when the device could be opened."""

    def request_mode(self, size: Size, fps: float) -> None:
        """Request a mode; the driver takes the nearest one it has."""

    def is_ready(self, timeout_s: float) -> bool:
        """True when ``grab`` will not wait."""

    def grab(self) -> bool:
        """Take the next frame without decoding it."""

    def retrieve(self, pixels: Pixels | None) -> Pixels | None:
        """The grabbed frame, decoded into ``pixels`` if it is of its size, else into a new array; None if damaged."""

    def timestamp_ms(self) -> float:
        """The driver's time of the grabbed frame; 0 where there is none."""

    def actual_fps(self) -> float | None:
        """Frames a second, where the driver knows."""

    def fourcc(self) -> str:
        """The camera's pixel format, such as MJPG; empty where it is not known."""

    def release(self) -> None:
        """Close the device. Idempotent."""


def describe_mode(fourcc: str, camera: CameraInfo, *, requested: tuple[Size, float], actual: tuple[Size, float]) -> str:
    """The notice of the actual mode (size, fps), and if it is not the requested one, why."""
    mode = f"{camera.title}: {_text(*actual)} {fourcc}".rstrip()
    if requested[0] == actual[0] and abs(requested[1] - actual[1]) < 1:
        return mode
    return f"{mode}, not the requested {_text(*requested)}{_reason(camera.modes, *requested)}"


def _reason(modes: tuple[Mode, ...], size: Size, fps: float) -> str:
    if not modes:
        return ""
    rates = [rate for mode in modes if mode.size == size for rate in mode.fps]
    if not rates:
        largest = max((mode.size for mode in modes), key=lambda each: each[0] * each[1])
        return f": it has no such size (its largest is {largest[0]}x{largest[1]}); rtmatte devices lists its modes"
    if all(abs(rate - fps) >= 1 for rate in rates):
        return f": its rates at that size are {', '.join(f'{rate:g}' for rate in sorted(set(rates), reverse=True))}"
    return "; another program may have set its mode"


def _text(size: Size, fps: float) -> str:
    return f"{size[0]}x{size[1]} at {fps:g} fps"
