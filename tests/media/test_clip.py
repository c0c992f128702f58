"""The clip reader in both of its roles: times, colours, what closing frees, and files that cannot be decoded."""

import gc
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest

from realtime_matte.backgrounds import video as video_background
from realtime_matte.errors import BadFile
from realtime_matte.frame import Frame, Matte, Pixels, Size
from realtime_matte.media import clip
from realtime_matte.media.colors import FrameConverter
from realtime_matte.sinks import file
from realtime_matte.sources import video as video_source

SIZE = (64, 48)
MATTE = Matte(np.zeros((48, 64), np.float32))
TASKS = Path("/proc/self/task")
ORANGE = (40, 120, 230)

Role = Callable[[Path], None]


# Times


class Untimed:
    """A decoded frame of a file without times."""

    time = None
    duration = 0
    time_base = None


class Timed(Untimed):
    """A decoded frame with its time."""

    def __init__(self, time: float) -> None:
        self.time = time  # type: ignore[assignment]


class TenFps:
    """A video stream of ten frames a second."""

    average_rate = 10


def test_frames_without_times_follow_each_other() -> None:
    frames = clip.timed([Untimed(), Untimed(), Untimed()], TenFps())  # type: ignore[list-item, arg-type]
    assert [round(frame.time, 6) for frame in frames] == [0, 0.1, 0.2]


def test_times_that_start_again_within_a_file_continue() -> None:
    """As where two recordings were joined."""
    frames = clip.timed(map(Timed, [5, 5.1, 5.2, 1, 1.1, 1.05, 1.2]), TenFps())  # type: ignore[arg-type]
    assert [round(frame.time, 6) for frame in frames] == [0, 0.1, 0.2, 0.3, 0.4, 0.4, 0.5]


@pytest.mark.parametrize(("stored_s", "shown_s"), [(0.001, 0.1), (0.01, 0.1), (0.02, 0.02), (0.2, 0.2)])
def test_frames_of_an_animation_are_shown_as_long_as_in_browsers(stored_s: float, shown_s: float) -> None:
    """Of an APNG or GIF as a camera."""
    stored = [SimpleNamespace(time=number * stored_s, duration=stored_s, time_base=1) for number in range(4)]
    frames = clip.timed(stored, TenFps(), animation=True)  # type: ignore[arg-type]
    assert [frame.time for frame in frames] == pytest.approx([0, shown_s, 2 * shown_s, 3 * shown_s])


@pytest.mark.parametrize(("stated", "used"), [(None, 25), (29.97, 29.97), (240, 240), (1000, 25), (90_000, 25)])
def test_a_rate_that_is_the_tick_of_a_clock_is_not_used(stated: float | None, used: float) -> None:
    assert clip.average_fps(SimpleNamespace(average_rate=stated)) == pytest.approx(used)  # type: ignore[arg-type]


# Colours


@pytest.mark.parametrize(("matrix", "number"), [("ITU709", 1), ("ITU601", 5), ("ITU601", 6)])
def test_tagged_clips_keep_their_colors(matrix: str, number: int) -> None:
    image = np.full((48, 64, 3), ORANGE, np.uint8)
    frame = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format="yuv420p", dst_colorspace=matrix)
    frame.colorspace = number
    np.testing.assert_allclose(FrameConverter().bgr(frame, SIZE)[9, 9], ORANGE, atol=4)  # eight-bit YUV


# Size


def test_frames_of_another_size_within_a_file_keep_their_shape(tmp_path: Path) -> None:
    """As where a phone was turned while it recorded."""
    wide, high = (write(tmp_path / f"{size}.ts", 4, size=size) for size in ((64, 32), (32, 64)))
    path = tmp_path / "joined.ts"
    path.write_bytes(wide.read_bytes() + high.read_bytes())
    with closing(clip.LoopedClip(path)) as looped:
        sizes = []
        for _ in range(12):
            sizes.append(looped.size)
            looped.step(hurry=False)
    assert sizes == [*[(64, 32)] * 4, *[(32, 64)] * 4, *[(64, 32)] * 4]


# Closing


def write(
    path: Path,
    count: int = 12,
    *,
    size: Size = SIZE,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    options: dict[str, str] | None = None,
) -> Path:
    """A clip that FFmpeg decodes in several threads."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10, options=options or {})
        stream.width, stream.height = size
        stream.pix_fmt = pixel_format
        for number in range(count):
            image = np.full((size[1], size[0], 3), 20 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())
    return path


def black() -> Pixels:
    return np.zeros((48, 64, 3), np.uint8)


def as_source(path: Path, frames: int = 3, *, options: str = "", fps: float | None = None) -> None:
    with closing(video_source.open(f"{path}{options}", size=None, fps=fps)) as source:
        for _ in range(frames):
            source.read(black())


def as_source_to_its_end(path: Path) -> None:
    as_source(path, frames=20)


def as_looping_source(path: Path) -> None:
    as_source(path, frames=40, options="?loop", fps=1000.0)


def as_background(path: Path, frames: int = 3) -> None:
    with closing(video_background.open(str(path), size=SIZE, fit="cover")) as background:
        for number in range(frames):
            background.image(Frame(black(), number / 10, number), MATTE)


def as_looping_background(path: Path) -> None:
    as_background(path, frames=30)


def as_output(path: Path) -> None:
    with closing(file.open(f"{path}.mkv?overwrite=yes", size=SIZE, fps=10.0, alpha=False)) as sink:
        sink.send(black(), 0.0)


def as_closed_objects(path: Path) -> None:
    """Closed, and still referred to."""
    kept = (
        video_source.open(str(path), size=None, fps=None),
        video_background.open(str(path), size=SIZE, fit="cover"),
        file.open(f"{path}.mkv?overwrite=yes", size=SIZE, fps=10.0, alpha=False),
    )
    before = thread_count()
    for one in kept:
        one.close()
    assert thread_count() < before


@pytest.fixture
def no_garbage_collector() -> Iterator[None]:
    """What only Python's garbage collector would free is not freed."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def thread_count() -> int:
    """The threads of this process, native ones too."""
    return len(list(TASKS.iterdir()))


def assert_frees_threads(role: Role, path: Path) -> None:
    role(path)  # libraries start threads of their own the first time
    before = thread_count()
    for _ in range(20):
        role(path)
    assert thread_count() <= before


needs_tasks = pytest.mark.skipif(not TASKS.exists(), reason="this system does not list native threads")


@needs_tasks
@pytest.mark.usefixtures("no_garbage_collector")
@pytest.mark.parametrize(
    "role",
    [
        as_source,
        as_source_to_its_end,
        as_looping_source,
        as_background,
        as_looping_background,
        as_output,
        as_closed_objects,
    ],
)
def test_close_ends_the_codecs_threads_at_once(tmp_path: Path, role: Role) -> None:
    """A looping clip is opened again at its end."""
    assert_frees_threads(role, write(tmp_path / "a.mp4"))


@needs_tasks
@pytest.mark.usefixtures("no_garbage_collector")
@pytest.mark.parametrize("role", [as_source_to_its_end, as_looping_background, as_closed_objects])
@pytest.mark.parametrize(
    ("name", "codec", "pixel_format", "options"),
    [
        ("a.mp4", "libx264", "yuv420p", {"x264-params": "tff=1"}),
        ("a.webm", "libvpx-vp9", "yuva420p", {"deadline": "realtime", "cpu-used": "8"}),
    ],
    ids=["deinterlaced", "with alpha"],
)
def test_close_ends_the_threads_of_filters_and_other_decoders(  # noqa: PLR0917 - the values of one case
    tmp_path: Path, role: Role, name: str, codec: str, pixel_format: str, options: dict[str, str]
) -> None:
    assert_frees_threads(role, write(tmp_path / name, codec=codec, pixel_format=pixel_format, options=options))


def damage_frames(path: Path) -> None:
    """Keep the header, so that the decoder starts, and overwrite every packet."""
    data = bytearray(path.read_bytes())
    start, end = data.index(b"mdat") + 4, data.index(b"moov") - 4
    data[start:end] = b"\xff" * (end - start)
    path.write_bytes(data)


def rename_codec(path: Path) -> None:
    """Give the file a codec that FFmpeg does not know."""
    data = path.read_bytes()
    assert b"avc1" in data
    path.write_bytes(data.replace(b"avc1", b"zzz9"))


def cut_off_index(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-300])


@needs_tasks
@pytest.mark.usefixtures("no_garbage_collector")
@pytest.mark.parametrize("role", [as_source, as_background])
@pytest.mark.parametrize("damage", [damage_frames, rename_codec, cut_off_index])
def test_a_failed_open_ends_the_codecs_threads_at_once(
    tmp_path: Path, damage: Callable[[Path], None], role: Role
) -> None:
    def fail(path: Path) -> None:
        with suppress(BadFile):
            role(path)
            pytest.fail("it was opened")

    damage(write(tmp_path / "a.mp4"))
    assert_frees_threads(fail, tmp_path / "a.mp4")


# Files that cannot be decoded


@pytest.mark.parametrize("role", [as_source, as_background])
def test_a_codec_that_ffmpeg_does_not_know_is_a_bad_file(tmp_path: Path, role: Role) -> None:
    rename_codec(write(tmp_path / "a.mp4"))
    with pytest.raises(BadFile, match=r"FFmpeg does not know the codec of the video '.*a\.mp4'; save it as an H\.264"):
        role(tmp_path / "a.mp4")


@pytest.mark.parametrize("role", [as_source, as_background])
def test_a_video_without_a_frame_that_can_be_decoded_is_a_bad_file(tmp_path: Path, role: Role) -> None:
    damage_frames(write(tmp_path / "a.mp4"))
    with pytest.raises(BadFile, match=r"a\.mp4' (has no frame that can be decoded|breaks off: .*); make a new copy"):
        role(tmp_path / "a.mp4")
