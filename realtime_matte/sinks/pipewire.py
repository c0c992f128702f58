"""A PipeWire camera, experimental: ``pipewire``, or ``pipewire:Name to show``. Linux without a kernel module.

Only programs that use cameras through PipeWire list it. It needs GStreamer with its PipeWire plug-in, and PyGObject.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final, TypeAlias

import cv2
import numpy as np

from realtime_matte.config.specs import parse
from realtime_matte.errors import MissingDependency, SinkError, SpecError
from realtime_matte.frame import Pixels, Size

Gst: TypeAlias = Any
"""The module ``gi.repository.Gst``, which has no types."""

NAME: Final = "Virtual Camera"
MAX_NAME_LENGTH: Final = 60
PACKAGES: Final = (
    "Debian and Ubuntu: sudo apt install gstreamer1.0-pipewire gstreamer1.0-plugins-base; Fedora: "
    "sudo dnf install pipewire-gstreamer gstreamer1-plugins-base"
)
PIPELINE: Final = (
    "appsrc name=frames is-live=true do-timestamp=true format=time block=false max-buffers=1 leaky-type=downstream"
    " ! videoconvert"  # converts nothing; without it PipeWire 0.3.65 crashes when a program reads
    " ! queue max-size-buffers=1 leaky=downstream ! pipewiresink name=camera sync=false"
)


def open(rest: str, /, *, size: Size, fps: float, alpha: bool) -> "PipeWire":
    """Start a camera called ``rest``, or NAME."""
    if alpha:
        raise SpecError(
            "a PipeWire camera cannot carry alpha (background 'none')",
            hint="choose a background, or another output such as out.webm, out.mov or frames:folder",
        )
    even = size[0] & ~1, size[1] & ~1  # two pixels share their colour
    if not all(even):
        raise SpecError(
            f"a PipeWire camera cannot be {size[0]}x{size[1]}", hint="use at least 2x2, as in --size 1280x720"
        )
    name = _checked_name(parse(rest, {})[0] or NAME)
    return PipeWire(_gstreamer(), name, size=size, even=even, fps=fps)


class PipeWire:
    """Hands each output frame to GStreamer, whose threads deliver it; a frame that was not read yet is replaced.

    ``size``: of the output frames; ``even``: of the camera, the upper left part of them.
    """

    alpha: Final = False
    live: Final = True

    def __init__(self, gst: Gst, name: str, *, size: Size, even: Size, fps: float) -> None:
        self._gst = gst
        self._cut = slice(even[1]), slice(even[0])
        self._yuv = np.empty((even[1], even[0], 2), np.uint8)
        cut = "" if size == even else f" (such cameras have even sizes, {size[0]}x{size[1]} is cut)"
        self._notices = [f"PipeWire camera {name} (experimental), {even[0]}x{even[1]}{cut}"]
        self._pipeline = _pipeline(gst)
        self._appsrc = self._pipeline.get_by_name("frames")
        self._appsrc.set_property("caps", gst.Caps.from_string(_caps(even, fps)))
        properties, _ = gst.Structure.from_string(_properties(name))
        self._pipeline.get_by_name("camera").set_property("stream-properties", properties)
        self._start()

    @property
    def notices(self) -> Sequence[str]:
        """Its name and size."""
        return self._notices

    def send(self, image: Pixels, time: float) -> None:  # noqa: ARG002 - it is shown at once
        """Show the output frame to the readers. GStreamer gets a copy."""
        cv2.cvtColor(image[self._cut], cv2.COLOR_BGR2YUV_YUY2, dst=self._yuv)
        flow = self._appsrc.emit("push-buffer", self._gst.Buffer.new_wrapped(self._yuv.tobytes()))
        error = self._pop_error()
        if error or flow != self._gst.FlowReturn.OK:
            raise SinkError(
                f"the PipeWire camera accepts no more frames: {error or flow.value_nick}", hint="open it again"
            )

    def close(self) -> None:
        """Remove the camera."""
        self._pipeline.set_state(self._gst.State.NULL)

    def _start(self) -> None:
        if self._pipeline.set_state(self._gst.State.PLAYING) == self._gst.StateChangeReturn.FAILURE:
            error = self._pop_error() or "it gives no reason"
            self.close()
            hint = "systemctl --user start pipewire wireplumber, or use --output virtualcam"
            raise SinkError(f"PipeWire does not accept a camera: {error}", hint=hint)

    def _pop_error(self) -> str:
        """GStreamer's error since the last call; empty if there was none."""
        message = self._pipeline.get_bus().pop_filtered(self._gst.MessageType.ERROR)
        return str(message.parse_error()[0].message) if message else ""


def _gstreamer() -> Gst:
    try:
        import gi  # noqa: PLC0415 - an extra

        gi.require_version("Gst", "1.0")
        from gi.repository import Gst as gst  # noqa: N813, PLC0415 - a module
    except (ImportError, ValueError) as error:
        hint = "pip install '.[pipewire]' in rtmatte's folder, or use the system's python3-gi; see docs/linux.md"
        raise MissingDependency(f"a PipeWire camera needs PyGObject and GStreamer ({error})", hint=hint) from error
    gst.init(None)
    return gst


def _pipeline(gst: Gst) -> Any:  # noqa: ANN401 - a Gst.Pipeline
    try:
        return gst.parse_launch(PIPELINE)
    except RuntimeError as error:  # GLib.Error, which is one
        raise MissingDependency(f"a part of GStreamer is missing ({error})", hint=PACKAGES) from error


def _checked_name(name: str) -> str:
    if len(name) > MAX_NAME_LENGTH or not name.isprintable() or set(name) & set('"\\'):
        raise SpecError(
            f"no PipeWire camera can be called {name[:MAX_NAME_LENGTH]!r}", hint="use a shorter name without quotes"
        )
    return name


def _caps(size: Size, fps: float) -> str:
    rate = Fraction(fps).limit_denominator(1001)
    shape = f"width={size[0]},height={size[1]},framerate={rate.numerator}/{rate.denominator}"
    return f"video/x-raw,format=YUY2,{shape}"  # the format that every program accepts


def _properties(name: str) -> str:
    kind = 'media.class=(string)"Video/Source",media.role=(string)Camera'
    return f'properties,{kind},node.name=(string)rtmatte,node.description=(string)"{name}"'
