"""Video files: each is read back and its pixels compared, also when its writer was killed."""

import errno
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import av
import numpy as np
import pytest
from fakes.other_writer import other_writer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from realtime_matte import plugins
from realtime_matte.errors import SinkError, SpecError
from realtime_matte.frame import Pixels
from realtime_matte.media import encoder
from realtime_matte.media.new_file import write_error
from realtime_matte.sinks import file

SIZE = (128, 96)
OPAQUE = [".mp4", ".m4v", ".mov", ".mkv", ".webm"]
WITH_ALPHA = [".mov", ".mkv", ".webm"]
COLORS = [(40, 200, 90), (230, 30, 60), (20, 20, 220), (255, 255, 255), (0, 0, 0), (128, 128, 128)]


def plain(color: Sequence[int], size: tuple[int, int] = SIZE) -> Pixels:
    image = np.empty((size[1], size[0], len(color)), np.uint8)
    image[:] = color
    return image


def opened(path: Path, *, size: tuple[int, int] = SIZE, fps: float = 30.0, alpha: bool = False) -> file.Recording:
    return file.open(str(path), size=size, fps=fps, alpha=alpha)


def decoded(path: Path) -> Iterator[av.VideoFrame]:
    """Every frame; VP9 with the only decoder that keeps alpha."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        if stream.codec_context.name != "vp9":
            yield from container.decode(stream)
            return
        decoder = av.CodecContext.create("libvpx-vp9", "r")
        for packet in container.demux(stream):
            yield from decoder.decode(packet if packet.size else None)


def bgr(frame: av.VideoFrame) -> Pixels:
    """As players show it, by BT.709."""
    return frame.to_ndarray(format="bgr24", src_colorspace="ITU709", dst_colorspace="ITU601")


def write(sink: file.Recording, images: Sequence[Pixels], times: Sequence[float] | None = None) -> None:
    for index, image in enumerate(images):
        sink.send(image, times[index] if times else 100 + index / 30)
    sink.close()


@contextmanager
def file_limit(size: int) -> Iterator[None]:
    """No file of this process may become larger, in bytes."""
    import resource  # noqa: PLC0415 - Windows has none

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("suffix", OPAQUE)
def test_colors_are_kept(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    write(opened(path), [plain(color) for color in COLORS])
    frames = list(decoded(path))
    assert len(frames) == len(COLORS)
    for frame, color in zip(frames, COLORS, strict=True):
        assert (frame.width, frame.height) == SIZE
        np.testing.assert_allclose(bgr(frame)[48, 64], color, atol=8)  # lossy, eight-bit YUV


@pytest.mark.parametrize("suffix", OPAQUE)
def test_files_are_tagged_with_their_color_space(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    write(opened(path), [plain(COLORS[0])] * 3)
    frame = next(decoded(path))
    assert frame.format.name == "yuv420p"
    assert (frame.colorspace, frame.color_range) == (1, 1)
    if suffix != ".webm":
        with av.open(str(path)) as container:
            context = container.streams.video[0].codec_context
            assert context.name == "h264"
            assert (context.color_primaries, context.color_trc) == (1, 1)


@pytest.mark.parametrize("suffix", WITH_ALPHA)
def test_alpha_and_straight_colors_are_kept(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    colors = [(40, 200, 90, 255), (40, 200, 90, 128), (40, 200, 90, 0), (230, 30, 60, 77)]
    sink = opened(path, alpha=True)
    assert sink.alpha
    write(sink, [plain(color) for color in colors])
    frames = list(decoded(path))
    assert len(frames) == len(colors)
    for frame, color in zip(frames, colors, strict=True):
        shown = frame.to_ndarray(format="bgra", src_colorspace="ITU709", dst_colorspace="ITU601")[48, 64]
        assert abs(int(shown[3]) - color[3]) <= 3
        np.testing.assert_allclose(shown[:3], color[:3], atol=8)


def test_the_shape_of_alpha_is_kept(tmp_path: Path) -> None:
    image = plain((60, 120, 180, 0))
    image[20:70, 30:90, 3] = 255
    write(opened(tmp_path / "out.webm", alpha=True), [image] * 5)
    *_, frame = decoded(tmp_path / "out.webm")
    alpha = frame.to_ndarray(format="bgra")[..., 3]
    wrong = np.abs(alpha.astype(int) - image[..., 3]) > 40
    assert wrong.mean() < 0.02  # lossy at the edge


@pytest.mark.parametrize(("suffix", "tolerance"), [(".mp4", 1e-4), (".mov", 1e-4), (".webm", 1e-3), (".mkv", 1e-3)])
def test_frames_keep_their_times(tmp_path: Path, suffix: str, tolerance: float) -> None:
    times = [5000.0, 5000.033, 5000.1, 5000.101, 5001.5, 5001.6]
    path = tmp_path / f"out{suffix}"
    write(opened(path), [plain(color) for color in COLORS], times)
    with av.open(str(path)) as container:
        shown = [frame.time for frame in container.decode(video=0)]
    np.testing.assert_allclose(np.array(shown) - shown[0], np.array(times) - 5000, atol=tolerance)
    assert shown[0] == pytest.approx(0, abs=tolerance)


def test_times_that_repeat_or_go_back_are_moved_forward(tmp_path: Path) -> None:
    write(opened(tmp_path / "out.mp4"), [plain(color) for color in COLORS[:4]], [7.0, 7.0, 6.5, 7.5])
    times = [frame.time for frame in decoded(tmp_path / "out.mp4")]
    assert len(times) == 4
    assert times == sorted(set(times))
    assert times[-1] == pytest.approx(0.5)


@pytest.mark.parametrize("suffix", OPAQUE)
@pytest.mark.parametrize("size", [(127, 95), (1, 1), (2, 300), (1280, 720)])
def test_odd_sizes_are_padded_with_their_edge(tmp_path: Path, suffix: str, size: tuple[int, int]) -> None:
    path = tmp_path / f"out{suffix}"
    sink = opened(path, size=size)
    write(sink, [plain((20, 20, 220), size)] * 2)
    even = size[0] + size[0] % 2, size[1] + size[1] % 2
    frame = next(decoded(path))
    assert (frame.width, frame.height) == even
    title = "VP9" if suffix == ".webm" else "H.264"
    reason = "" if even == size else f", as {title} needs even sides"
    assert sink.notices[0].endswith(f", {even[0]}x{even[1]}{reason}")
    assert np.abs(bgr(frame).astype(int) - (20, 20, 220)).max() <= 12


@pytest.mark.parametrize("suffix", WITH_ALPHA)
def test_odd_sizes_with_alpha_are_padded(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    write(opened(path, size=(127, 95), alpha=True), [plain((20, 20, 220, 100), (127, 95))] * 2)
    frame = next(decoded(path))
    assert (frame.width, frame.height) == (128, 96)
    assert np.abs(frame.to_ndarray(format="bgra")[..., 3].astype(int) - 100).max() <= 4


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(width=st.integers(1, 300), height=st.integers(1, 300), suffix=st.sampled_from([".mp4", ".webm"]))
def test_every_size_is_written(tmp_path: Path, width: int, height: int, suffix: str) -> None:
    path = tmp_path / f"{width}x{height}{suffix}"
    write(
        file.open(f"{path}?overwrite=yes", size=(width, height), fps=30.0, alpha=False),
        [plain((9, 99, 199), (width, height))],
    )
    assert len(list(decoded(path))) == 1


def test_frames_may_be_overwritten_and_read_only(tmp_path: Path) -> None:
    sink = opened(tmp_path / "out.mp4")
    buffer = plain((0, 0, 0))
    for index in range(5):
        buffer[:] = 40 * index
        buffer.flags.writeable = False
        sink.send(buffer, index / 30)
        buffer.flags.writeable = True
    sink.close()
    levels = [bgr(frame).mean() for frame in decoded(tmp_path / "out.mp4")]
    np.testing.assert_allclose(levels, [0, 40, 80, 120, 160], atol=6)


WRITER = """
import signal, sys
import numpy as np
from realtime_matte.sinks import file
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore Ctrl-C
path, alpha = sys.argv[1], sys.argv[2] == "alpha"
sink = file.open(path, size=(128, 96), fps=30.0, alpha=alpha)
image = np.full((96, 128, 4 if alpha else 3), 200, np.uint8)
index = 0
try:
    while True:
        image[..., 0] = index
        sink.send(image, index / int(sys.argv[3]))
        index += 1
        if index == int(sys.argv[4]):
            print("three seconds", flush=True)
            sys.stdin.readline()
finally:
    sink.close()
"""


def writer(path: Path, *, alpha: bool, fps: int = 30, frames: int = 90) -> subprocess.Popen[bytes]:
    """Another program that has written three seconds and waits."""
    command = [sys.executable, "-c", WRITER, str(path), "alpha" if alpha else "opaque", str(fps), str(frames)]
    program = subprocess.Popen(  # noqa: S603 - our own
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert program.stdout is not None
    assert program.stdout.readline() == b"three seconds\n"
    return program


@pytest.mark.parametrize(
    ("suffix", "alpha"),
    [(".mp4", False), (".mov", False), (".mkv", False), (".webm", False), (".webm", True), (".mov", True)],
)
def test_a_file_whose_writer_was_killed_plays(tmp_path: Path, suffix: str, alpha: bool) -> None:  # noqa: FBT001
    path = tmp_path / f"out{suffix}"
    with writer(path, alpha=alpha) as program:
        program.kill()
        program.communicate()
    frames = list(decoded(path))
    assert len(frames) >= 30  # two of the three seconds may be in the encoder, or not yet written out
    for index, frame in enumerate(frames):
        shown = (
            bgr(frame)[48, 64]
            if not alpha
            else frame.to_ndarray(format="bgra", src_colorspace="ITU709", dst_colorspace="ITU601")[48, 64]
        )
        np.testing.assert_allclose(shown, [index, *[200] * (len(shown) - 1)], atol=10)


@pytest.mark.parametrize("suffix", OPAQUE)
def test_a_kill_loses_about_a_second_of_a_slow_recording(tmp_path: Path, suffix: str) -> None:
    """At 4 frames per second, an encoder that holds many frames holds seconds."""
    path = tmp_path / f"out{suffix}"
    with writer(path, alpha=False, fps=4, frames=12) as program:
        program.kill()
        program.communicate()
    assert len(list(decoded(path))) >= 12 - 5  # two in the encoder, and a fragment of up to a quarter of a second


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is not a signal there")
@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_ctrl_c_loses_no_frame(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    with writer(path, alpha=False) as program:
        program.send_signal(signal.SIGINT)
        program.communicate()
    assert len(list(decoded(path))) == 90


def test_a_closed_file_is_an_ordinary_mp4(tmp_path: Path) -> None:
    """Players and editors that do not support fragments open it too."""
    path = tmp_path / "out.mp4"
    write(opened(path), [plain(color) for color in COLORS] * 20)
    with av.open(str(path)) as container:
        assert container.duration / av.time_base == pytest.approx(4.0, abs=0.1)
        assert container.streams.video[0].frames == 120


def test_an_existing_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_text("a call worth keeping")
    with pytest.raises(SinkError, match=r"'.*out\.mp4' already exists; add \?overwrite=yes to replace it, or name"):
        opened(path)
    assert path.read_text() == "a call worth keeping"


def test_an_existing_file_is_replaced_when_requested(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_text("an old call")
    write(file.open(f"{path}?overwrite=yes", size=SIZE, fps=30.0, alpha=False), [plain(COLORS[0])])
    assert len(list(decoded(path))) == 1


def test_the_replaced_file_is_kept_until_the_new_one_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_text("a call worth keeping")
    (tmp_path / "out.mp4.before").write_text("of the user")
    sink = file.open(f"{path}?overwrite=yes", size=SIZE, fps=30.0, alpha=False)
    sink.send(plain(COLORS[0]), 0.0)
    assert (tmp_path / "out.mp4.before2").read_text() == "a call worth keeping"
    sink.close()
    assert len(list(decoded(path))) == 1
    assert sorted(one.name for one in tmp_path.iterdir()) == ["out.mp4", "out.mp4.before"]
    assert (tmp_path / "out.mp4.before").read_text() == "of the user"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
def test_the_replaced_file_is_kept_when_the_new_one_fails(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_text("a call worth keeping")
    sink = file.open(f"{path}?overwrite=yes", size=SIZE, fps=30.0, alpha=False)
    noise = np.random.default_rng(1).integers(0, 256, (30, SIZE[1], SIZE[0], 3), np.uint8)
    kept = r"the file that was there before is kept as '.*out\.mp4\.before'; that disk takes"
    with file_limit(20_000), pytest.raises(SinkError, match=kept):
        write(sink, list(noise))
    sink.close()
    assert (tmp_path / "out.mp4.before").read_text() == "a call worth keeping"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
def test_the_replaced_file_is_restored_when_nothing_of_the_new_one_plays(tmp_path: Path) -> None:
    limits = {tmp_path / f"{limit}{suffix}": limit for suffix in OPAQUE for limit in (0, 1, 900)}
    for path in limits:
        path.write_text("a call worth keeping")
    assert fill_up({path.with_name(f"{path.name}?overwrite=yes"): limit for path, limit in limits.items()}) == [
        f"cannot write '{path}': File too large; nothing of the new file plays, so the file that was there before was"
        " restored; that disk takes no larger file; choose another one"
        for path in limits
    ]
    assert {path.read_text() for path in limits} == {"a call worth keeping"}
    assert {*tmp_path.iterdir()} == {*limits}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
def test_both_files_are_kept_when_something_of_the_new_one_plays(tmp_path: Path) -> None:
    paths = [tmp_path / f"out{suffix}" for suffix in OPAQUE]
    for path in paths:
        path.write_text("a call worth keeping")
    messages = fill_up({path.with_name(f"{path.name}?overwrite=yes"): 40_000 for path in paths})
    for path, message in zip(paths, messages, strict=True):
        backup = path.with_name(f"{path.name}.before")
        assert f"; the file that was there before is kept as '{backup}'; that disk" in message
        assert backup.read_text() == "a call worth keeping"
        assert next(decoded(path))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
def test_both_files_are_kept_when_it_is_not_known_whether_the_new_one_plays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.mkv"
    path.write_text("a call worth keeping")
    sink = file.open(f"{path}?overwrite=yes", size=SIZE, fps=30.0, alpha=False)

    def refuse(*_: object, **_options: object) -> None:
        raise av.error.MemoryError(errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setattr(av, "open", refuse)
    with file_limit(0), pytest.raises(SinkError, match="the file that was there before is kept as"):
        write(sink, [plain(COLORS[0])])
    assert (tmp_path / "out.mkv.before").read_text() == "a call worth keeping"
    assert path.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits whole paths")
def test_a_file_whose_name_leaves_no_space_for_a_backup_is_kept(tmp_path: Path) -> None:
    path = tmp_path / f"{246 * 'x'}.mp4"
    path.write_text("a call worth keeping")
    with pytest.raises(SinkError, match="cannot write"):
        file.open(f"{path}?overwrite=yes", size=SIZE, fps=30.0, alpha=False)
    assert path.read_text() == "a call worth keeping"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("made", [Path.mkdir, lambda path: path.symlink_to("nowhere")])
def test_what_is_not_a_file_is_not_replaced(tmp_path: Path, made: Callable[[Path], None]) -> None:
    path = tmp_path / "out.mp4"
    made(path)
    with pytest.raises(SinkError, match="already exists; it is not a file; name another one"):
        file.open(f"{path}?overwrite=yes", size=SIZE, fps=30.0, alpha=False)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_link_to_pipe(path: Path) -> None:
    make_pipe(path.with_name("pipe"))
    path.symlink_to("pipe")


def make_link_to_device(path: Path) -> None:
    path.symlink_to("/dev/null")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has none of them in its file system")
@pytest.mark.parametrize("name", [*(f"out{suffix}" for suffix in OPAQUE), "out.mkv?overwrite=yes"])
@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (make_pipe, "a named pipe"),
        (make_link_to_pipe, "a named pipe"),
        (make_socket, "a socket"),
        (make_link_to_device, "a device"),
    ],
)
def test_a_pipe_a_socket_or_a_device_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, make: Callable[[Path], None], kind: str
) -> None:
    """Opening a named pipe waits for a reader, and what reads it gets an end of file from the test of its name."""
    monkeypatch.chdir(tmp_path)  # the name of a socket has at most 107 bytes
    path = Path(name.partition("?")[0])
    make(path)
    before = path.lstat()
    with pytest.raises(SinkError, match=rf"cannot write '{path}': it is {kind}, not a file; name a file that is not"):
        file.open(name, size=SIZE, fps=30.0, alpha=False)
    assert path.lstat() == before


def test_a_run_without_frames_replaces_nothing(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_text("a call worth keeping")
    for size in (SIZE, (99_998, 2)):  # the second is refused by the encoder
        with suppress(SinkError):
            file.open(f"{path}?overwrite=yes", size=size, fps=30.0, alpha=False).close()
        assert [one.name for one in tmp_path.iterdir()] == ["out.mp4"]
        assert path.read_text() == "a call worth keeping"


def test_a_recording_without_frames_yet_is_not_replaced_by_another(tmp_path: Path) -> None:
    first = opened(tmp_path / "out.mp4")
    with pytest.raises(SinkError, match="already exists"):
        opened(tmp_path / "out.mp4")
    write(first, [plain(COLORS[0])])
    assert len(list(decoded(tmp_path / "out.mp4"))) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not move open files")
@pytest.mark.parametrize("before", [True, False])
def test_a_file_that_is_being_written_is_not_replaced(tmp_path: Path, *, before: bool) -> None:
    """Of another program, or of another output of this one; until it is complete, or that program is killed."""
    path = tmp_path / "out.mp4"
    if before:
        path.write_text("an old call")
    first = file.open(f"{path}?overwrite=yes", size=SIZE, fps=30.0, alpha=False)
    first.send(plain(COLORS[0]), 0.0)
    names = sorted(one.name for one in tmp_path.iterdir())
    busy = r"cannot write '.*out\.mp4': another program is writing it; end that program, or name another file"
    with pytest.raises(SinkError, match=busy):
        file.open(f"{path}?overwrite=yes", size=SIZE, fps=30.0, alpha=False)
    assert sorted(one.name for one in tmp_path.iterdir()) == names
    first.send(plain(COLORS[1]), 0.1)
    first.close()
    assert len(list(decoded(path))) == 2
    write(file.open(f"{path}?overwrite=yes", size=SIZE, fps=30.0, alpha=False), [plain(COLORS[0])])
    assert len(list(decoded(path))) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_the_file_of_a_program_that_was_killed_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    with other_writer("file", path), pytest.raises(SinkError, match="another program is writing it"):
        file.open(f"{path}?overwrite=yes", size=SIZE, fps=30.0, alpha=False)
    write(file.open(f"{path}?overwrite=yes", size=SIZE, fps=30.0, alpha=False), [plain(COLORS[0])])
    assert len(list(decoded(path))) == 1


@pytest.mark.parametrize("suffix", OPAQUE)
def test_without_frames_no_file_is_left(tmp_path: Path, suffix: str) -> None:
    opened(tmp_path / f"out{suffix}").close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not move open files")
def test_closing_without_frames_after_the_folder_went_away_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    sink = opened(tmp_path / "disk" / "out.mp4")
    (tmp_path / "disk").rename(tmp_path / "gone")
    (tmp_path / "disk").touch()
    sink.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_a_name_that_looks_like_a_protocol_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(file.open("12:30.mp4", size=(64, 48), fps=30.0, alpha=False), [plain(COLORS[0])])
    assert len(list(decoded(tmp_path / "12:30.mp4"))) == 1


def test_close_is_idempotent(tmp_path: Path) -> None:
    sink = opened(tmp_path / "out.mp4")
    sink.send(plain(COLORS[0]), 0.0)
    sink.close()
    sink.close()
    assert len(list(decoded(tmp_path / "out.mp4"))) == 1


@pytest.mark.parametrize("suffix", [".mp4", ".m4v"])
def test_formats_without_alpha_are_refused_with_those_that_have_it(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(
        SpecError, match=rf"\{suffix} files carry no alpha \(background 'none'\); use one of \.mov, \.mkv"
    ):
        opened(tmp_path / f"out{suffix}", alpha=True)


def test_an_unknown_suffix_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(
        SpecError, match=r"video format \.mpx is not supported; use \.mp4, \.m4v, \.mov, \.mkv or \.webm"
    ):
        opened(tmp_path / "out.mpx")


def test_a_file_has_to_be_named() -> None:
    with pytest.raises(SpecError, match=r"'file:' needs a file name; such as file:out\.mp4"):
        file.open("", size=SIZE, fps=30.0, alpha=False)


def test_an_unknown_option_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"no option 'quality' in .*; there are: overwrite"):
        file.open(f"{tmp_path}/out.mp4?quality=9", size=SIZE, fps=30.0, alpha=False)


def test_a_missing_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(
        SinkError, match=r"cannot write '.*out\.mp4': No such file or directory; create that folder first"
    ):
        opened(tmp_path / "away/out.mp4")


def test_a_file_in_place_of_the_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "away").touch()
    with pytest.raises(SinkError, match=r"cannot write '.*out\.mp4': Not a directory; create that folder first"):
        opened(tmp_path / "away/out.mp4")


def test_a_folder_in_place_of_the_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "out.mp4").mkdir()
    with pytest.raises(SinkError, match=r"cannot write '.*out\.mp4': Is a directory; name a file in"):
        opened(tmp_path / "out.mp4")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_reported(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(SinkError, match=r"Permission denied; choose a folder that you may write to"):
        opened(tmp_path / "out.mp4")


def test_a_missing_encoder_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(av, "codecs_available", set())
    with pytest.raises(SinkError, match=r"no encoder libx264 or libopenh264 for \.mp4 files; pip install --force"):
        opened(tmp_path / "out.mp4")


@pytest.mark.parametrize(("suffix", "alpha"), [(".mp4", False), (".webm", False), (".mov", True)])
def test_a_size_that_the_encoder_refuses_names_the_size(tmp_path: Path, suffix: str, *, alpha: bool) -> None:
    """Such as of a panorama: the place of the file is not at fault."""
    message = r"cannot write '.*': .* reports .* \(70000x2\); choose a smaller --size, or another file format"
    with pytest.raises(SinkError, match=message):
        file.open(str(tmp_path / f"a{suffix}"), size=(70_000, 2), fps=30, alpha=alpha)
    assert list(tmp_path.iterdir()) == []


def test_without_the_best_encoder_the_second_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(av, "codecs_available", {"libopenh264"})
    assert encoder.choose(".mp4", alpha=False)[1].name == "libopenh264"


FULL = """
import resource, signal, sys
import numpy as np
from realtime_matte.errors import SinkError
from realtime_matte.sinks import file
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
noise = np.random.default_rng(0)
for word in sys.argv[1:]:
    path, _, limit = word.rpartition("=")
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), -1))
    sink = file.open(path, size=(128, 96), fps=30.0, alpha=False)
    try:
        for index in range(600):
            sink.send(noise.integers(0, 256, (96, 128, 3), np.uint8), index / 30)
    except SinkError as error:
        resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
        print(error)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), -1))
    sink.close()
    sink.close()
"""


def fill_up(limits: Mapping[Path, int]) -> list[str]:
    """The errors of a program that writes to each file until its size limit, in bytes."""
    words = [f"{path}={limit}" for path, limit in limits.items()]
    command = [sys.executable, "-c", FULL, *words]
    program = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    return program.stdout.splitlines()


def too_large(path: Path) -> str:
    return f"cannot write '{path}': File too large; that disk takes no larger file; choose another one"


@pytest.mark.skipif(os.name != "posix", reason="no such limits there")
def test_a_full_disk_is_reported_once_and_what_fitted_plays(tmp_path: Path) -> None:
    limits = {tmp_path / f"out{limit}{suffix}": limit for suffix in OPAQUE for limit in (200_000, 230_000)}
    assert fill_up(limits) == [too_large(path) for path in limits]
    for path in limits:
        assert len(list(decoded(path))) > 15, "and the last frame is whole"


@pytest.mark.skipif(os.name != "posix", reason="no such limits there")
def test_what_fitted_of_the_first_quarter_of_a_second_plays(tmp_path: Path) -> None:
    limits = {tmp_path / f"out{suffix}": 40_000 for suffix in OPAQUE}
    assert fill_up(limits) == [too_large(path) for path in limits]
    for path in limits:
        assert 1 <= len(list(decoded(path))) < 8


@pytest.mark.skipif(os.name != "posix", reason="no such limits there")
def test_a_file_on_a_disk_full_from_the_start_is_deleted_unless_something_of_it_plays(tmp_path: Path) -> None:
    limits = {tmp_path / f"{limit}{suffix}": limit for suffix in OPAQUE for limit in (0, 1, 100, 1000, 5000, 40_000)}
    deleted = "too large; nothing of the file plays, so it was deleted; "
    assert fill_up(limits) == [
        too_large(path) if path.exists() else too_large(path).replace("too large; ", deleted) for path in limits
    ]
    assert not [path for path, limit in limits.items() if limit <= 100 and path.exists()]
    kept = [path for path in limits if path.exists()]
    assert {path for path, limit in limits.items() if limit == 40_000} <= {*kept}
    assert all(len(list(decoded(path))) >= 1 for path in kept)


def test_a_full_disk_has_a_hint() -> None:
    error = write_error(Path("out.mp4"), errno.ENOSPC, "No space left on device")
    assert str(error) == "cannot write 'out.mp4': No space left on device; free some space on that disk"
    assert str(write_error(Path("x"), 12345, "Odd")) == "cannot write 'x': Odd; write to another place"


@pytest.mark.parametrize("spec", ["out.mp4", "C:\\calls\\out.MOV", "a/b.webm?overwrite=yes", "file:out.mkv"])
def test_specs_that_end_like_a_video_are_files(spec: str) -> None:
    assert plugins.sink(spec).name == "file"


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no /proc on this system")
def test_no_file_descriptor_is_left(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for index in range(20):
        write(opened(tmp_path / f"{index}.mp4"), [plain(COLORS[0])])
    assert len(list(Path("/proc/self/fd").iterdir())) == before
