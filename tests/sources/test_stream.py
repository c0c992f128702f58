"""A camera by URL, read from servers on this machine that break off, fall silent or refuse."""

import base64
import gc
import re
import socket
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import av
import numpy as np
import pytest
from fakes.rtsp_server import serving_rtsp
from fakes.scripted import wait_until
from fakes.stream_server import Request, send_forever, serving

from realtime_matte import plugins
from realtime_matte.capture.worker import CaptureWorker
from realtime_matte.errors import SourceError, SourceLost, SpecError
from realtime_matte.frame import Pixels
from realtime_matte.sources import stream

SECRET = "s3cret"  # noqa: S105 - of a server that the test starts


def buffer(size: tuple[int, int] = (64, 48)) -> Pixels:
    return np.empty((size[1], size[0], 3), np.uint8)


def opened(url: str) -> stream.Stream:
    return stream.open(url, size=None, fps=None)


def read_frames(source: stream.Stream, count: int) -> None:
    for _ in range(count):
        source.read(buffer())


def send_all(request: Request, *greys: int) -> None:
    """Send these frames, then end the connection."""
    request.start()
    all(request.send_frame(grey) for grey in greys)


def send_and_wait(request: Request, *greys: int) -> None:
    """Send these frames, then nothing more."""
    send_all(request, *greys)
    request.server.ends.wait(30)


def refused(url: str) -> str:
    with pytest.raises(SourceError) as caught:
        opened(url).close()
    return str(caught.value)


@pytest.mark.parametrize("scheme", ["http", "HTTP", "https", "rtsp", "rtsps", "udp", "rtp", "tcp", "rtmp", "srt"])
def test_urls_are_cameras(scheme: str) -> None:
    plugin = plugins.source(f"{scheme}://phone:8080/video")
    assert (plugin.name, plugin.rest) == ("stream", f"{scheme}://phone:8080/video")


@pytest.mark.parametrize("spec", ["clip.mp4", "C:/Users/me/clip.mp4", "file:///etc/passwd", "concat:a", "httpd", "0"])
def test_what_is_no_url_of_a_camera_is_not_claimed(spec: str) -> None:
    assert not stream.claims(spec)
    with pytest.raises(SpecError, match="is not the URL of a camera; begin with http://, "):
        opened(spec)


def test_frames_arrive_in_order_and_are_live() -> None:
    with serving(partial(send_and_wait_each, greys=(40, 80, 120, 160))) as server:
        source = opened(server.url())
        assert (source.size, source.live, source.frames) == ((64, 48), True, None)
        assert source.notices == (f"the camera {server.url()}: 64x48 mjpeg",)
        pixels, greys = buffer(), []
        for index in range(3):
            frame = source.read(pixels)
            assert (frame.index, frame.pixels) == (index, pixels)
            greys.append(int(pixels[20, 20, 0]))
        source.close()
        source.close()
    assert greys == sorted(greys)
    assert all(min(abs(grey - sent) for sent in (40, 80, 120, 160)) < 4 for grey in greys)


def send_and_wait_each(request: Request, greys: tuple[int, ...]) -> None:
    """The frames one by one, the last one until the end: FFmpeg looks at a few to know the format."""
    request.start()
    for grey in greys:
        request.send_frame(grey)
    while request.send_frame(greys[-1]) and not request.server.ends.wait(0.01):
        pass


def test_a_stream_that_ends_is_lost() -> None:
    with serving(partial(send_all_greys, count=5)) as server:
        source = opened(server.url())
        with pytest.raises(SourceLost, match=r"the camera http://.* (broke off: Input/output error|ended the stream)"):
            read_frames(source, 6)
        source.close()


def send_all_greys(request: Request, count: int) -> None:
    send_all(request, *range(40, 40 + count))


def test_a_silent_stream_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "SILENCE_S", 0.2)
    with serving(partial(send_and_wait_greys, count=4)) as server:
        source = opened(server.url())
        with pytest.raises(SourceLost, match=r"broke off: it does not answer in time; check that the camera sends"):
            read_frames(source, 5)
        source.close()


def send_and_wait_greys(request: Request, count: int) -> None:
    send_and_wait(request, *range(40, 40 + count))


def test_data_without_frames_is_silence() -> None:
    times = iter(range(1000))
    with serving(send_forever) as server:
        source = stream.Stream(server.url(), clock=lambda: float(next(times)))
        source._packets = iter([Empty()] * 100)  # type: ignore[list-item]
        source._decoded.clear()
        with pytest.raises(SourceLost, match="gave no frame for 2 s"):
            source.read(buffer())
        source.close()


class Empty:
    """A packet without a frame, such as one that needs a key frame."""

    def decode(self) -> list[object]:
        raise av.error.InvalidDataError(1, "damaged")


def test_another_size_is_a_loss() -> None:
    def turn(request: Request) -> None:
        request.start()
        for index in range(200):
            request.send_frame(90, (64, 48) if index < 6 else (48, 64))

    with serving(turn) as server:
        source = opened(server.url())
        with pytest.raises(SourceLost, match="now sends frames of 48x64; it has to be opened again"):
            read_frames(source, 20)
        source.close()


def test_a_stream_cut_in_mid_run_is_connected_again() -> None:
    """The capture worker opens it again, as a camera: three connections of 8 frames each, then one that lasts."""

    def cut(request: Request) -> None:
        if request.number < 3:
            send_all_greys(request, 8)
        else:
            send_forever(request)

    with serving(cut) as server:
        worker = CaptureWorker(partial(opened, server.url()), retry_s=(0.01,), stall_s=30.0)
        phases, shots = set(), set()
        while server.connections < 4 or worker.state.phase != "running" or worker.state.shot_start not in shots:
            if worker.take(0.05):
                shots.add(worker.state.shot_start)
            phases.add(worker.state.phase)
        wait_until(lambda: worker.take(0.05) is not None)
        worker.close()
        assert worker.state.phase == "ended"
        assert worker.state.notices == (f"the camera {server.url()}: 64x48 mjpeg",)
    assert len(shots) > 1


def test_a_pause_disconnects_and_resuming_connects_again() -> None:
    with serving(send_forever) as server:
        worker = CaptureWorker(partial(opened, server.url()), stall_s=30.0)
        wait_until(lambda: worker.take(0.05) is not None)
        worker.pause("test")
        wait_until(lambda: worker.state.phase == "paused")
        assert server.connections == 1
        worker.resume("test")
        wait_until(lambda: worker.take(0.05) is not None)
        assert server.connections == 2
        worker.close()


def test_closed_streams_leave_no_thread_and_no_connection() -> None:
    gc.disable()
    try:
        with serving(send_forever) as server:
            opened(server.url()).close()
            wait_until(lambda: server_threads() == 0)
            before = threads_of_process()
            for _ in range(5):
                source = opened(server.url())
                source.read(buffer())
                source.close()
            wait_until(lambda: server_threads() == 0)
            wait_until(lambda: threads_of_process() <= before)  # the system lists one for a moment after its end
    finally:
        gc.enable()


def server_threads() -> int:
    return sum("process_request" in thread.name for thread in threading.enumerate())


def threads_of_process() -> int:
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.exists() else threading.active_count()


def answer(status: int, content_type: str = "text/html", body: bytes = b"") -> Callable[[Request], None]:
    def serve(request: Request) -> None:
        request.start(content_type, status)
        request.wfile.write(body)

    return serve


@pytest.mark.parametrize(
    ("serve", "message"),
    [
        (answer(401), "Server returned 401 Unauthorized .*; give user and password, as in rtsp://user:password@host"),
        (answer(403), "Server returned 403 Forbidden .*; give user and password"),
        (answer(404), "Server returned 404 Not Found; check the path after the host"),
        (answer(500), "Server returned 5XX Server Error reply; check that the camera sends"),
        (answer(200, body=b"<html>log in first</html>" * 50), ".*; check that the camera sends"),
        (answer(200, "multipart/x-mixed-replace; boundary=next"), ".*; check that the camera sends"),
        (answer(200, "image/jpeg", b"\xff\xd8\xff\xe0" + bytes(500)), ".*; .*"),
    ],
)
def test_a_server_without_video_is_refused_in_one_line(serve: Callable[[Request], None], message: str) -> None:
    with serving(serve) as server:
        text = refused(server.url("/video?pwd=" + SECRET, user=f"me:{SECRET}@"))
    shown = server.url("/video?pwd=***", user="me:***@")
    assert text.startswith((f"cannot connect to the camera {shown}: ", f"the camera {shown} "))
    assert SECRET not in text
    assert "\n" not in text
    assert re.search(message, text), text


def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.mark.parametrize("scheme", ["http", "rtsp", "tcp", "rtmp"])
def test_a_refused_connection_is_reported_without_the_password(scheme: str) -> None:
    port = closed_port()
    assert refused(f"{scheme}://me:{SECRET}@127.0.0.1:{port}/live").startswith(
        f"cannot connect to the camera {scheme}://me:***@127.0.0.1:{port}/live: Connection refused; start the camera's"
    )


@pytest.mark.parametrize("url", ["https://127.0.0.1:{}/", "http://[::1", "http://\0", "rtsp://host.invalid/x"])
def test_what_cannot_be_reached_is_reported(url: str) -> None:
    assert refused(url.format(closed_port())).startswith("cannot connect to the camera ")


def test_a_server_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "OPEN_S", 0.2)
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        for scheme in ("http", "rtsp"):
            url = f"{scheme}://127.0.0.1:{server.getsockname()[1]}/live"
            assert "it does not answer in time; check that the camera sends" in refused(url)
    assert "does not answer in time" in refused(f"udp://127.0.0.1:{closed_port()}")


def test_a_playlist_cannot_name_files_of_this_machine(tmp_path: Path) -> None:
    """What a server sends is not trusted: FFmpeg would read the file and show it in the call."""
    clip = tmp_path / "private.ts"
    with av.open(str(clip), "w", format="mpegts") as container:
        video = container.add_stream("mpeg2video", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        for _ in range(50):
            container.mux(video.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(video.encode(None))
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://{clip}\n#EXT-X-ENDLIST\n".encode()
    with serving(answer(200, "application/vnd.apple.mpegurl", playlist)) as server:
        assert "camera" in refused(server.url("/list.m3u8"))


def test_a_password_reaches_the_server_and_no_notice() -> None:
    seen: list[str | None] = []

    def locked(request: Request) -> None:
        seen.append(request.headers["Authorization"])
        if seen[-1] is None:
            request.send_response(401)
            request.send_header("WWW-Authenticate", 'Basic realm="phone"')
            request.end_headers()
        else:
            send_forever(request)

    with serving(locked) as server:
        source = opened(server.url(user=f"me:{SECRET}@"))
        source.read(buffer())
        source.close()
    assert base64.b64decode(str(seen[-1]).removeprefix("Basic ")).decode() == f"me:{SECRET}"
    assert SECRET not in source.notices[0]


# RTSP


def test_rtsp_frames_arrive() -> None:
    with serving_rtsp() as server:
        source = opened(server.url())
        assert source.notices == (f"the camera {server.url()}: 64x48 h264",)
        pixels = buffer()
        for index in range(5):
            assert source.read(pixels).index == index
        source.close()
    assert abs(int(pixels[20, 20, 0]) - 100) < 8


def test_rtsp_with_a_password() -> None:
    encoded = base64.b64encode(f"me:{SECRET}".encode()).decode()
    with serving_rtsp(password=encoded) as server:
        assert "401 Unauthorized" in refused(server.url())
        wrong = refused(server.url(f"me:not{SECRET}@"))
        assert "give user and password" in wrong
        assert SECRET not in wrong
        source = opened(server.url(f"me:{SECRET}@"))
        source.read(buffer())
        source.close()
    assert SECRET not in source.notices[0]


def test_an_rtsp_stream_cut_in_mid_run_is_connected_again() -> None:
    with serving_rtsp(90, 120) as server:  # FFmpeg looks at the first second
        worker = CaptureWorker(partial(opened, server.url()), retry_s=(0.01,), stall_s=30.0)
        wait_until(lambda: worker.take(0.05) is not None and server.plays == 3)
        assert worker.state.shot_start > 0
        worker.close()


# UDP


def test_udp_frames_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(stream.FFMPEG, "analyzeduration", "200000")
    port, ends = closed_port(), threading.Event()

    def send() -> None:
        with av.open(f"udp://127.0.0.1:{port}?pkt_size=1316", "w", format="mpegts") as container:
            video = container.add_stream("mpeg2video", rate=25)
            video.width, video.height, video.pix_fmt, video.gop_size = 64, 48, "yuv420p", 5
            while not ends.wait(0.005):
                container.mux(video.encode(av.VideoFrame(64, 48, "yuv420p")))

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    source = opened(f"udp://127.0.0.1:{port}")
    assert source.size == (64, 48)
    source.read(buffer())
    source.close()
    ends.set()
    sender.join(30)
