"""A PipeWire camera, experimental: ``pipewire``, or ``pipewire:Name to show``. Linux without a kernel module.

Only programs that take cameras through PipeWire list it. It needs GStreamer with its PipeWire plug-in, and PyGObject.
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
LONGEST: Final = 60
PACKAGES: Final = (
    "Debian and Ubuntu: sudo apt install gstreamer1.0-pipewire gstreamer1.0-plugins-base; Fedora: "
    "sudo dnf install pipewire-gstreamer gstreamer1-plugins-base"
)
PIPELINE: Final = (
    "appsrc name=pictures is-live=true do-timestamp=true format=time block=false max-buffers=1 leaky-type=downstream"
    " ! videoconvert"  # has nothing to convert; without it PipeWire 0.3.65 crashes once somebody watches
    " ! queue max-size-buffers=1 leaky=downstream ! pipewiresink name=camera sync=false"
)


def open(rest: str, /, *, size: Size, fps: float, alpha: bool) -> "PipeWire":
    """Be a camera called ``rest``."""
    if alpha:
        raise SpecError(
            "a PipeWire camera cannot carry alpha (background 'none')",
            hint="choose a background, or another output such as out.webm, out.mov or frames:folder",
        )
    even = size[0] & ~1, size[1] & ~1  # two pixels share their colour
    if not all(even):
        raise SpecError(
            f"a PipeWire camera cannot be {size[0]}x{size[1]}", hint="take at least 2x2, as in --size 1280x720"
        )
    name = _named(parse(rest, {})[0] or NAME)
    return PipeWire(_gstreamer(), name, size=size, even=even, fps=fps)


class PipeWire:
    """Hands each picture to GStreamer, whose threads carry it on; one that nobody took yet is replaced."""

    alpha: Final = False
    live: Final = True

    def __init__(self, gst: Gst, name: str, *, size: Size, even: Size, fps: float) -> None:
        self._gst = gst
        self._cut = slice(even[1]), slice(even[0])
        self._yuv = np.empty((even[1], even[0], 2), np.uint8)
        cut = "" if size == even else f" (such cameras have even sizes, {size[0]}x{size[1]} is cut)"
        self._notes = [f"PipeWire camera {name} (experimental), {even[0]}x{even[1]}{cut}"]
        self._pipeline = _pipeline(gst)
        self._pictures = self._pipeline.get_by_name("pictures")
        self._pictures.set_property("caps", gst.Caps.from_string(_caps(even, fps)))
        properties, _ = gst.Structure.from_string(_properties(name))
        self._pipeline.get_by_name("camera").set_property("stream-properties", properties)
        self._start()

    @property
    def notices(self) -> Sequence[str]:
        """What it is called."""
        return self._notes

    def send(self, picture: Pixels, time: float) -> None:  # noqa: ARG002 - it is shown as soon as it is there
        """Show the picture to whoever watches. GStreamer keeps a copy."""
        cv2.cvtColor(picture[self._cut], cv2.COLOR_BGR2YUV_YUY2, dst=self._yuv)
        flow = self._pictures.emit("push-buffer", self._gst.Buffer.new_wrapped(self._yuv.tobytes()))
        said = self._said()
        if said or flow != self._gst.FlowReturn.OK:
            raise SinkError(
                f"the PipeWire camera takes no more pictures: {said or flow.value_nick}", hint="open it anew"
            )

    def close(self) -> None:
        """Be no camera any more."""
        self._pipeline.set_state(self._gst.State.NULL)

    def _start(self) -> None:
        if self._pipeline.set_state(self._gst.State.PLAYING) == self._gst.StateChangeReturn.FAILURE:
            said = self._said() or "it gives no reason"
            self.close()
            mend = "systemctl --user start pipewire wireplumber, or take --output virtualcam"
            raise SinkError(f"PipeWire does not take a camera: {said}", hint=f"{mend}")

    def _said(self) -> str:
        """What went wrong since it was last asked, if anything did."""
        message = self._pipeline.get_bus().pop_filtered(self._gst.MessageType.ERROR)
        return str(message.parse_error()[0].message) if message else ""


def _gstreamer() -> Gst:
    try:
        import gi  # noqa: PLC0415 - an extra

        gi.require_version("Gst", "1.0")
        from gi.repository import Gst as gst  # noqa: N813, PLC0415 - a module
    except (ImportError, ValueError) as error:
        mend = "pip install '.[pipewire]' in rtmatte's folder, or use the system's python3-gi; docs/linux.md tells more"
        raise MissingDependency(f"a PipeWire camera needs PyGObject and GStreamer ({error})", hint=f"{mend}") from error
    gst.init(None)
    return gst


def _pipeline(gst: Gst) -> Any:  # noqa: ANN401 - a Gst.Pipeline
    try:
        return gst.parse_launch(PIPELINE)
    except RuntimeError as error:  # GLib.Error, which is one
        raise MissingDependency(f"a part of GStreamer is missing ({error})", hint=f"{PACKAGES}") from error


def _named(name: str) -> str:
    if len(name) > LONGEST or not name.isprintable() or set(name) & set('"\\'):
        raise SpecError(
            f"no PipeWire camera can be called {name[:LONGEST]!r}", hint="take a shorter name without quotes"
        )
    return name


def _caps(size: Size, fps: float) -> str:
    rate = Fraction(fps).limit_denominator(1001)
    shape = f"width={size[0]},height={size[1]},framerate={rate.numerator}/{rate.denominator}"
    return f"video/x-raw,format=YUY2,{shape}"  # the format that every program takes


def _properties(name: str) -> str:
    kind = 'media.class=(string)"Video/Source",media.role=(string)Camera'
    return f'properties,{kind},node.name=(string)rtmatte,node.description=(string)"{name}"'
