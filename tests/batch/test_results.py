"""What is in the files: alpha and colours read back from each format, times, tags, sound, cuts and ranges."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from fakes.batch import SIZE, Inline, shade, write_clip
from numpy.typing import NDArray

from realtime_matte import BackgroundRemover
from realtime_matte.batch.formats import FORMATS
from realtime_matte.batch.matte_clips import ClipResult, matte_clips
from realtime_matte.batch.settings import BatchSettings
from realtime_matte.frame import Matte
from realtime_matte.media.clip import Clip
from realtime_matte.portrait import sample_portrait

Make = Callable[..., BatchSettings]

COUNT = 4


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "in/clip.mp4", [shade(index) for index in range(COUNT)])


@pytest.fixture
def run(tmp_path: Path, inline: Inline, settings: Make) -> Callable[..., list[ClipResult]]:
    def matte(name: Path, **values: Any) -> list[ClipResult]:  # noqa: ANN401
        results = matte_clips([str(name)], tmp_path / "out", settings(**values), executor=inline)
        assert [one.reason for one in results] == [""] * len(results)
        return results

    return matte


Run = Callable[..., list[ClipResult]]


def expected(path: Path, spec: str) -> list[Matte]:
    """The mattes of the library, of the frames as they are decoded."""
    with av.open(str(path)) as container, BackgroundRemover(spec, provider="cpu") as remover:
        frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
        return [remover.process(frame, index / 25) for index, frame in enumerate(frames)]


def read(path: Path) -> NDArray[Any]:
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    return pixels


def decoded(path: Path, layout: str) -> list[NDArray[Any]]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        decoder = stream.codec_context
        if layout == "bgra" and decoder.name == "vp9":
            decoder = av.CodecContext.create("libvpx-vp9", "r")
        frames = [
            frame for packet in container.demux(stream) for frame in decoder.decode(packet if packet.size else None)
        ]
        return [frame.to_ndarray(format=layout) for frame in frames]


def test_alpha_of_16_bits_is_that_of_the_library(clip: Path, run: Run, tmp_path: Path, tiny: str) -> None:
    run(clip, write="alpha")
    for index, matte in enumerate(expected(clip, tiny)):
        written = read(tmp_path / f"out/clip/{index:06}.png")
        assert written.dtype == np.uint16
        np.testing.assert_allclose(
            written / 65535, matte.alpha, atol=0.02
        )  # the reader converts colours a little differently


@pytest.mark.parametrize(("name", "tolerance"), [("prores", 0.01), ("webm", 0.03), ("mp4", 0.03)])
def test_alpha_in_a_video_is_the_same(clip: Path, run: Run, tmp_path: Path, name: str, tolerance: float) -> None:
    run(clip, write="alpha", format="png16")
    run(clip, write="alpha", format=name)
    exact = [read(path) / 65535 for path in sorted((tmp_path / "out/clip").iterdir())]
    bits, kind = (4, np.uint16) if name == "prores" else (1, np.uint8)
    with av.open(str(tmp_path / f"out/clip{FORMATS[name].suffix}")) as container:
        for image, frame in zip(exact, container.decode(video=0), strict=True):
            luma = np.frombuffer(bytes(frame.planes[0]), kind).reshape(frame.height, -1)[:, : frame.width]
            assert np.abs((luma / bits - 16) / 219 - image).mean() < tolerance


def test_images_of_every_format_hold_the_same_values(tmp_path: Path, run: Run) -> None:
    still = tmp_path / "grey.png"
    cv2.imwrite(str(still), shade(0))
    run(still, write="foreground", format="png16")
    straight = read(tmp_path / "out/grey.png").astype(float)
    run(still, write="foreground", format="png8")
    assert np.abs(read(tmp_path / "out/grey.png") - straight / 257).max() <= 0.51
    run(still, write="foreground", format="exr")
    with av.open(str(tmp_path / "out/grey.exr")) as container:
        frame = next(container.decode(video=0))
    assert frame.format.name == "gbrapf16le"
    green, blue, red, alpha = (
        np.frombuffer(bytes(plane), np.float16).reshape(48, -1)[:, :64] for plane in frame.planes
    )
    np.testing.assert_allclose(alpha, straight[..., 3] / 65535, atol=1e-3)
    value = straight[..., :3] / 65535
    light = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    np.testing.assert_allclose(np.dstack([blue, green, red]), light * alpha[..., None], atol=1e-3)


def test_png_of_a_foreground_has_straight_colours(clip: Path, run: Run, tmp_path: Path) -> None:
    run(clip, write="foreground", format="png16")
    written = read(tmp_path / "out/clip/000002.png")
    assert written.shape == (48, 64, 4)
    disc = written[24, 34]
    assert disc[3] > 0.85 * 65535
    assert disc[:3] / 257 == pytest.approx([230, 210, 220], abs=12)
    assert (written[written[..., 3] == 0] == 0).all()


@pytest.mark.parametrize("name", ["prores", "webm"])
def test_videos_of_a_foreground_have_alpha(clip: Path, run: Run, tmp_path: Path, name: str) -> None:
    run(clip, write="foreground", format=name)
    frames = decoded(tmp_path / f"out/clip{FORMATS[name].suffix}", "bgra")
    assert len(frames) == COUNT
    assert frames[1][24, 33, 3] > 200
    assert frames[1][2, 2, 3] < 60


def test_a_composite_is_over_the_background(clip: Path, run: Run, tmp_path: Path) -> None:
    run(clip, write="composite", background="color:#00ff00")
    frame = decoded(tmp_path / "out/clip.mp4", "bgr24")[1]
    assert frame[24, 33, 2] > 150
    assert frame[2, 2, 1] > frame[2, 2, 2] + 100


def test_times_of_a_variable_rate_are_kept_frame_by_frame(tmp_path: Path, run: Run) -> None:
    times = [0, 40, 50, 130, 131, 400]
    clip = write_clip(tmp_path / "in/clip.mkv", [shade(index) for index in range(6)], times=times)
    for write, name in (("composite", "mp4"), ("foreground", "prores"), ("alpha", "webm")):
        run(clip, write=write, format=name)
        with av.open(str(tmp_path / f"out/clip{FORMATS[name].suffix}")) as container:
            assert [round(frame.time * 1000) for frame in container.decode(video=0)] == times, name


def test_images_of_a_variable_rate_have_their_times_beside_them(tmp_path: Path, run: Run) -> None:
    times = [0, 40, 80, 150, 190, 230]
    variable = write_clip(tmp_path / "in/variable.mkv", [shade(index) for index in range(6)], times=times)
    fixed = write_clip(tmp_path / "in/fixed.mkv", [shade(index) for index in range(6)], fps=30)
    for result in run(tmp_path / "in", write="alpha"):
        assert result.notices == (), "a variable rate is no damage"
    lines = (tmp_path / f"out/{variable.stem}/timestamps.txt").read_text("ascii").splitlines()
    assert [round(float(line)) for line in lines[1:]] == times
    assert not (tmp_path / f"out/{fixed.stem}/timestamps.txt").exists()
    fixed.replace(variable)
    run(tmp_path / "in", write="alpha")
    assert not (tmp_path / f"out/{variable.stem}/timestamps.txt").exists(), "they were those of the earlier clip"


@pytest.mark.parametrize("values", [{}, {"first": 2}, {"first": 1, "last": 12}])
def test_a_clip_of_a_variable_rate_is_not_taken_as_cut_short(tmp_path: Path, run: Run, values: dict[str, int]) -> None:
    """As Android and screen recorders write: the rate that the header states is that of the fastest part."""
    times = [*range(0, 1000, 200), *range(1000, 1200, 33)]
    clip = write_clip(tmp_path / "in/clip.mkv", [shade(index) for index in range(len(times))], times=times, fps=30)
    with closing(Clip(clip)) as opened:
        assert (opened.frames or 0) > 2 * len(times)
    (result,) = run(clip, write="alpha", **values)
    assert result.notices == ()


def test_threads_that_share_a_network_do_not_share_shots(tmp_path: Path, settings: Make, run: Run) -> None:
    for number in range(3):
        write_clip(tmp_path / f"in/{number}.mp4", [np.roll(shade(index), 9 * number) for index in range(12)])
    run(tmp_path / "in", write="alpha")
    with ThreadPoolExecutor(3) as executor:
        made = settings(write="alpha")
        results = matte_clips([str(tmp_path / "in")], tmp_path / "threads", made, executor=executor)
    assert [one.state for one in results] == ["done"] * 3
    for path in (tmp_path / "out").glob("*/*.png"):
        assert path.read_bytes() == (tmp_path / "threads" / path.relative_to(tmp_path / "out")).read_bytes()


def test_rate_length_and_ntsc_times_are_exact(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "in/ntsc.mp4"
    write_clip(path, [shade(index) for index in range(7)], fps=30)
    run(path, write="composite")
    with av.open(str(path)) as before, av.open(str(tmp_path / "out/ntsc.mp4")) as after:
        ours, theirs = after.streams.video[0], before.streams.video[0]
        assert (ours.frames, ours.average_rate) == (theirs.frames, theirs.average_rate)
        assert [p.pts * p.time_base for p in after.demux(ours) if p.size] == [
            p.pts * p.time_base for p in before.demux(theirs) if p.size
        ]


@pytest.mark.parametrize(
    "tags", [(1, 1, 1, 1), (6, 6, 6, 1), (1, 1, 1, 2), (5, 6, 5, 1), (9, 1, 9, 1), (2, 2, 2, 1)], ids=str
)
def test_colour_tags_are_kept_with_the_colours(tmp_path: Path, run: Run, tags: tuple[int, int, int, int]) -> None:
    image = np.full((48, 64, 3), (200, 230, 250), np.uint8)
    clip = write_clip(tmp_path / "in/clip.mp4", [image] * 3, tags=tags)
    run(clip, write="composite", background="color:#000000")
    with av.open(str(clip)) as before, av.open(str(tmp_path / "out/clip.mp4")) as after:
        theirs, ours = next(before.decode(video=0)), next(after.decode(video=0))
    stated = [ours.color_primaries, ours.color_trc, ours.colorspace, ours.color_range]
    assert [a for a, b in zip(stated, tags, strict=True) if b != 2] == [b for b in tags if b != 2]
    planes = [[np.frombuffer(bytes(plane), np.uint8)[1000 // 4] for plane in frame.planes] for frame in (theirs, ours)]
    difference = np.abs(np.subtract(*np.asarray(planes, int)))
    assert difference[1:].max() <= 8, "opaque white shows the clip's own colour"


@pytest.mark.parametrize(
    ("name", "sound", "rate", "kept"),
    [
        ("mp4", "aac", 48_000, "aac"),
        ("mp4", "libopus", 48_000, "opus"),
        ("mp4", "pcm_f32le", 48_000, "aac"),
        ("mp4", "", 48_000, ""),
        ("webm", "aac", 48_000, "opus"),
        ("webm", "libopus", 48_000, "opus"),
        ("prores", "libopus", 48_000, "aac"),  # of a browser's recording
        ("mp4", "pcm_s16le", 192_000, "aac"),
        ("prores", "pcm_s24le", 48_000, "pcm_s24le"),
    ],
)
def test_sound_is_kept_when_composited(  # noqa: PLR0917 - fixtures
    tmp_path: Path, run: Run, name: str, sound: str, rate: int, kept: str
) -> None:
    images = [shade(index) for index in range(12)]
    clip = write_clip(tmp_path / "in/clip.mkv", images, sound=sound, sound_rate=rate)
    (result,) = run(clip, write="composite", format=name)
    assert not result.reason
    with av.open(result.result) as container:
        streams = container.streams.audio
        assert [stream.codec_context.name.removeprefix("lib") for stream in streams] == [kept] * bool(kept)
        if not kept:
            return
        heard = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(streams[0])])
        rate = streams[0].codec_context.sample_rate
    assert heard.size / rate == pytest.approx(12 / 25, abs=0.06)
    spectrum = np.abs(np.fft.rfft(heard[rate // 10 : rate // 10 + rate // 4].astype(float)))
    assert spectrum.argmax() * 4 == pytest.approx(440, abs=8)


def test_a_range_has_the_sound_of_its_frames(tmp_path: Path, run: Run) -> None:
    clip = write_clip(tmp_path / "in/clip.mp4", [shade(index) for index in range(25)], sound="aac")
    run(clip, write="composite", first=10, last=19)
    with av.open(str(tmp_path / "out/clip.10-19.mp4")) as container:
        assert container.streams.video[0].frames == 10
        duration = container.streams.audio[0].duration * container.streams.audio[0].time_base
    assert float(duration) == pytest.approx(10 / 25, abs=0.1)


def test_sound_with_a_coarse_clock_is_kept(tmp_path: Path, run: Run) -> None:
    """AVI counts the packets of WMA, not samples."""
    clip = write_clip(
        tmp_path / "in/clip.avi", [shade(index % 5) for index in range(50)], sound="wmav2", sound_rate=44_100
    )
    for values, start, count in (({}, 0, 50), ({"first": 25, "last": 49}, 25, 25)):
        (result,) = run(clip, write="composite", format="mp4", **values)
        assert not result.reason
        with av.open(result.result) as container:
            times = [(frame.time or 0.0, frame.samples) for frame in container.decode(audio=0)]
        assert sum(samples for _, samples in times) / 44_100 == pytest.approx(count / 25, abs=0.15), start
        assert times[0][0] == pytest.approx(0.0, abs=0.15)


def test_sound_of_a_range_that_is_encoded_again_ends_with_its_frames(tmp_path: Path, run: Run) -> None:
    clip = write_clip(tmp_path / "in/clip.mp4", [shade(index % 5) for index in range(50)], sound="aac")
    run(clip, write="composite", format="webm", first=40, last=44)
    with av.open(str(tmp_path / "out/clip.40-44.webm")) as container:
        times = [float(packet.pts * packet.time_base) for packet in container.demux(audio=0) if packet.pts is not None]
    assert len(times) > 9
    assert max(times) < 5 / 25 + 0.1


def test_a_cut_starts_again(tmp_path: Path, run: Run) -> None:
    """The tiny network's alpha grows by 0.01 with each frame of a shot."""
    portrait = cv2.resize(sample_portrait(), SIZE)
    clip = write_clip(tmp_path / "in/clip.mp4", [*[portrait] * 8, *[cv2.flip(portrait, 0)] * 8])
    (result,) = run(clip, write="alpha")
    assert result.cuts == (8,)
    alone = write_clip(tmp_path / "alone/alone.mp4", [cv2.flip(portrait, 0)] * 8)
    run(alone, write="alpha")
    for index in (0, 7):
        after, first = (
            read(tmp_path / f"out/{name}/{number:06}.png").astype(float)
            for name, number in (("clip", 8 + index), ("alone", index))
        )
        assert np.abs(after - first).mean() < 0.01 * 65535, "as if the clip began there"
    run(clip, write="alpha", cuts=False)
    unbroken = read(tmp_path / "out/clip/000008.png").astype(float)
    assert np.abs(unbroken - first).mean() > 0.02 * 65535


def test_a_range_after_a_warm_up_from_the_start_is_the_same_bit_by_bit(tmp_path: Path, run: Run) -> None:
    clip = write_clip(tmp_path / "in/clip.mp4", [shade(index % 5) for index in range(20)])
    run(clip, write="alpha", format="png16")
    whole = {path.name: path.read_bytes() for path in (tmp_path / "out/clip").iterdir()}
    assert len(whole) == 20
    for path in (tmp_path / "out/clip").iterdir():
        path.unlink()
    run(clip, write="alpha", first=12, last=14, warmup_s=12 / 25)
    part = {path.name: path.read_bytes() for path in (tmp_path / "out/clip").iterdir()}
    assert part == {name: whole[name] for name in ("000012.png", "000013.png", "000014.png")}
    run(clip, write="alpha", first=12, last=14, warmup_s=0)
    cold = (tmp_path / "out/clip/000012.png").read_bytes()
    assert cold != whole["000012.png"]


def test_a_sequence_keeps_its_numbers(tmp_path: Path, run: Run) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in (1001, 1002, 1004):
        cv2.imwrite(str(folder / f"shot.{number}.png"), shade(number - 1000))
    run(folder, write="foreground", format="png8")
    assert sorted(path.name for path in (tmp_path / "out").glob("*.png")) == [
        f"shot.{number}.png" for number in (1001, 1002, 1004)
    ]
    run(folder, write="composite", fps=10)
    with av.open(str(tmp_path / "out/shot.mp4")) as container:
        assert [round(frame.time, 3) for frame in container.decode(video=0)] == [0, 0.1, 0.3]


def test_odd_sizes_are_padded_only_where_the_encoder_needs_it(tmp_path: Path, run: Run) -> None:
    still = tmp_path / "odd.png"
    cv2.imwrite(str(still), shade(0, (63, 47)))
    run(still, write="foreground")
    assert read(tmp_path / "out/odd.png").shape == (47, 63, 4)
    for number in (1, 2):
        cv2.imwrite(str(tmp_path / f"seq{number}.png"), shade(0, (63, 47)))
    (result,) = run(tmp_path / "seq%d.png", write="composite")
    assert any("padded to 64x48" in notice for notice in result.notices)
