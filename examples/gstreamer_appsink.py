"""Mattes several GStreamer streams in one process, on one network: appsink in, appsrc out.

    python gstreamer_appsink.py                                     the sample portrait twice, each into a PNG
    python gstreamer_appsink.py "rtspsrc location=rtsp://... ! decodebin" "filesrc location=a.mp4 ! decodebin"

It needs GStreamer and PyGObject: apt install python3-gi gir1.2-gst-plugins-base-1.0 gstreamer1.0-plugins-good, or
pip install PyGObject. Each stream has a shot of its own; appsink keeps the newest frame and drops older ones.
"""

import sys
from pathlib import Path
from typing import Any

import gi
import numpy as np

import realtime_matte
from realtime_matte import BackgroundRemover
from realtime_matte.frame import Pixels

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
from gi.repository import Gst  # noqa: E402

BACKGROUND = (96, 160, 0)  # blue, green, red
PORTRAIT = Path(realtime_matte.__file__).parent / "_assets/eileen_collins.jpg"
STILL = f'filesrc location="{PORTRAIT}" ! decodebin ! imagefreeze num-buffers=40 is-live=true'
TESTS = f"{STILL} ! video/x-raw,framerate=20/1", f"{STILL} ! videoflip video-direction=horiz"
SINK = "appsink name=camera max-buffers=1 drop=true sync=false caps=video/x-raw,format=BGR"
OUT = "appsrc name=out is-live=true format=time ! videoconvert ! pngenc snapshot=false ! multifilesink location={name}"
TICK_NS = 10_000_000


class Stream:
    """One pipeline that delivers frames, one that takes composites, and the shot between them."""

    def __init__(self, description: str, remover: BackgroundRemover, name: str) -> None:
        self._input = Gst.parse_launch(f"{description} ! videoconvert ! {SINK}")
        self._output = Gst.parse_launch(OUT.format(name=name))
        self._camera, self._out = self._input.get_by_name("camera"), self._output.get_by_name("out")
        self._shot = remover.shot()
        self.name = name
        self.composites = 0
        for pipeline in (self._input, self._output):
            pipeline.set_state(Gst.State.PLAYING)

    def step(self) -> bool:
        """Composite the newest frame, if there is a new one. False after the last one."""
        sample = self._camera.emit("try-pull-sample", TICK_NS)
        if sample is None:
            return not self._camera.get_property("eos")
        buffer = sample.get_buffer()
        matte = self._shot.process(pixels(sample), time=buffer.pts / Gst.SECOND)
        if not self.composites:
            self._out.set_property("caps", sample.get_caps())
        composite = Gst.Buffer.new_wrapped(padded(matte.over(BACKGROUND)).tobytes())
        composite.pts, composite.duration = buffer.pts, buffer.duration
        self._out.emit("push-buffer", composite)
        self.composites += 1
        return True

    def close(self) -> None:
        """Write what is left, and stop both pipelines."""
        self._out.emit("end-of-stream")
        self._output.get_bus().timed_pop_filtered(5 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
        for pipeline in (self._input, self._output):
            pipeline.set_state(Gst.State.NULL)


def pixels(sample: Any) -> Pixels:  # noqa: ANN401 - GStreamer has no types
    """The frame, (H, W, 3) BGR. GStreamer begins each row at a multiple of four bytes."""
    shape = sample.get_caps().get_structure(0)
    width, height = shape.get_value("width"), shape.get_value("height")
    data = sample.get_buffer().extract_dup(0, sample.get_buffer().get_size())
    rows = np.frombuffer(data, np.uint8).reshape(height, -1)[:, : width * 3]
    return np.ascontiguousarray(rows).reshape(height, width, 3)


def padded(image: Pixels) -> Pixels:
    """The rows of an image, each at a multiple of four bytes."""
    rows = image.reshape(image.shape[0], -1)
    return np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4)))


def main() -> None:
    """Take each stream in turn until all have ended."""
    Gst.init(None)
    descriptions = sys.argv[1:] or TESTS
    with BackgroundRemover("small") as remover:
        streams = [Stream(text, remover, f"gstreamer-{index}.png") for index, text in enumerate(descriptions)]
        running = list(streams)
        while running:
            running = [stream for stream in running if stream.step()]
        for stream in streams:
            stream.close()
    print(*(f"{stream.name}: {stream.composites} composites" for stream in streams), sep="\n")


if __name__ == "__main__":
    main()
