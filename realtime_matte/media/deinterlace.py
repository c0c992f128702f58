"""Deinterlacing: frames of two fields, taken at two moments, become frames of one."""

from collections.abc import Iterable, Iterator
from typing import Final

import av
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

FILTER: Final = ("bwdif", "mode=send_frame:deint=interlaced")
"""FFmpeg's filter, after the BBC's w3fdif. The number of frames stays; frames that are not interlaced are unchanged."""


def deinterlaced(frames: Iterable[VideoFrame], stream: VideoStream) -> Iterator[VideoFrame]:
    """The frames, with one field of each that is interlaced and the other interpolated from its neighbours.

    Frames are passed on as they are until the first interlaced one; from there on each comes one frame later.
    """
    graph: Graph | None = None
    shape = None
    for frame in frames:
        if graph and shape != _shape(frame):
            yield from _rest(graph)
            graph = None
        if not graph and frame.interlaced_frame:
            graph, shape = _graph(frame, stream), _shape(frame)
        if not graph:
            yield frame
            continue
        graph.vpush(frame)
        yield from _ready(graph)
    if graph:
        yield from _rest(graph)


def _shape(frame: VideoFrame) -> tuple[int, int, str]:
    return frame.width, frame.height, frame.format.name


def _graph(frame: VideoFrame, stream: VideoStream) -> Graph:
    graph = Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or stream.time_base
    )
    graph.link_nodes(source, graph.add(*FILTER), graph.add("buffersink")).configure()
    return graph


def _ready(graph: Graph) -> Iterator[VideoFrame]:
    while True:
        try:
            yield graph.vpull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return


def _rest(graph: Graph) -> Iterator[VideoFrame]:
    graph.vpush(None)
    yield from _ready(graph)
