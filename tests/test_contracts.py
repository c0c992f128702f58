"""Every plug-in there is keeps the promises of stages.py; a new one is tested the day it lands.

What needs a device (a camera, a virtual camera, a window) may refuse to open here, with an error that users can read.
"""

import inspect
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_matte import plugins
from realtime_matte.errors import (
    BadFile,
    MatteError,
    MissingDependency,
    MissingFile,
    SinkError,
    SourceError,
    SpecError,
)
from realtime_matte.frame import Frame, Matte, Pixels
from realtime_matte.interfaces import Background, Fit, Sink, Source
from realtime_matte.plugins import Kind

SIZE = (64, 48)
KINDS: tuple[Kind, ...] = get_args(Kind)
ALL = [(kind, name) for kind in KINDS for name in plugins.names(kind)]
KEYWORDS = {"sources": ["size", "fps"], "backgrounds": ["size", "fit"], "sinks": ["size", "fps", "alpha"]}
MEMBERS = {
    "sources": {"size", "fps", "live", "frames", "notices", "read", "close"},
    "backgrounds": {"image", "close"},
    "sinks": {"alpha", "live", "notices", "send", "close"},
}
TAKEN: dict[str, dict[str, Any]] = {  # what each kind is opened with
    "sources": {"size": SIZE, "fps": 30.0},
    "backgrounds": {"size": SIZE, "fit": "cover"},
    "sinks": {"size": SIZE, "fps": 30.0, "alpha": False},
}
ERRORS: dict[str, tuple[type[MatteError], ...]] = {
    "sources": (SpecError, MissingFile, BadFile, SourceError, MissingDependency),
    "backgrounds": (SpecError, MissingFile, BadFile, MissingDependency),
    "sinks": (SpecError, SinkError, MissingDependency),
}
DEVICES = {"camera", "pipewire", "virtualcam", "window"}
RESTS = {  # what to open each plug-in with; those that are not here are opened by their bare word
    ("sources", "demo"): "?frames=3",
    ("sources", "image"): "{folder}/still.png?frames=3",
    ("sources", "video"): "{folder}/clip.mp4",
    ("backgrounds", "color"): "teal",
    ("backgrounds", "folder"): "{folder}",
    ("backgrounds", "image"): "{folder}/still.png",
    ("backgrounds", "video"): "{folder}/clip.mp4",
    ("sinks", "file"): "{folder}/out.mp4?overwrite=yes",
    ("sinks", "frames"): "{folder}/out?overwrite=yes",
}
WITHOUT_ALPHA = {"pipewire", "virtualcam", "file"}  # an MP4; see below for the others
ANY_NAME = {("sinks", "frames"), ("sinks", "pipewire")}  # a new folder or a camera may be called nearly anything
ODD = ["?nonsense=1", "no such thing", "/no/such/place", "x" * 5000, "-1", "99"]
IMPOSSIBLE = ["~nobody-of-that-name/x", "a\0b", "é\ud800"]  # no file of any system has such a name


def module(kind: Kind, name: str) -> ModuleType:
    return import_module(f"realtime_matte.{kind}.{name}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A still and a clip."""
    made = tmp_path_factory.mktemp("media")
    picture = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    cv2.imwrite(str(made / "still.png"), picture)
    with av.open(str(made / "clip.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.roll(picture, index), format="bgr24")))
        container.mux(stream.encode())
    return made


@pytest.fixture
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder of its own, and without a screen."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)


@pytest.fixture
def opened(folder: Path, apart: None) -> Iterator[Callable[..., Any]]:  # noqa: ARG001 - it must come first
    """Opens a plug-in as its kind is opened; skips where its device is not there."""
    parts: list[Any] = []

    def open_one(kind: Kind, name: str, **changed: object) -> Any:  # noqa: ANN401 - whatever stands at that stage
        rest = RESTS.get((kind, name), "").format(folder=folder)
        try:
            part = module(kind, name).open(rest, **{**TAKEN[kind], **changed})
        except (SourceError, SinkError, MissingDependency) as error:
            if name not in DEVICES:
                raise
            pytest.skip(f"not on this machine: {error}")
        parts.append(part)
        return part

    yield open_one
    for part in filter(None, parts):
        part.close()


def each(*kinds: Kind) -> pytest.MarkDecorator:
    """Run a test for every plug-in of these kinds."""
    return pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, name in ALL if kind in kinds])


@each(*KINDS)
def test_open_has_the_promised_signature(kind: Kind, name: str) -> None:
    first, *others = inspect.signature(module(kind, name).open).parameters.values()
    assert first.kind is inspect.Parameter.POSITIONAL_ONLY
    assert [(other.name, other.kind) for other in others] == [
        (word, inspect.Parameter.KEYWORD_ONLY) for word in KEYWORDS[kind]
    ]


@each(*KINDS)
def test_modules_say_how_they_are_named(kind: Kind, name: str) -> None:
    assert f"``{name}" in (module(kind, name).__doc__ or "")


@each(*KINDS)
def test_the_word_finds_the_module(kind: Kind, name: str) -> None:
    find = {"sources": plugins.source, "backgrounds": plugins.background, "sinks": plugins.sink}[kind]
    for spec, rest in ((name, ""), (f"{name}:x", "x"), (f"{name}?a=b", "?a=b")):
        plugin = find(spec)
        assert (plugin.name, plugin.rest) == (name, rest)
        assert plugin.open is module(kind, name).open


@each(*KINDS)
@settings(max_examples=60, deadline=None)
@given(spec=st.text() | st.sampled_from(ODD + IMPOSSIBLE))
def test_claims_answers_for_any_text(kind: Kind, name: str, spec: str) -> None:
    claims = getattr(module(kind, name), "claims", None)
    assert claims is None or claims(spec) in {True, False}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("spec", ["a.jpg", "a.mp4", "a.webm", "a.gif", "a.webp", "#fff", "green", "folder"])
def test_a_spec_is_claimed_once(kind: Kind, spec: str, folder: Path) -> None:
    text = str(folder) if spec == "folder" else spec
    claiming = [name for name in plugins.names(kind) if getattr(module(kind, name), "claims", lambda _: False)(text)]
    assert len(claiming) <= 1


@each(*KINDS)
@pytest.mark.usefixtures("apart")
@pytest.mark.parametrize("rest", ODD + IMPOSSIBLE)
def test_odd_specs_are_errors_that_users_can_read(kind: Kind, name: str, rest: str) -> None:
    told = told_when_opened(kind, name, rest)
    assert len(told) > 20 or (kind, name) in ANY_NAME


def told_when_opened(kind: Kind, name: str, rest: str) -> str:
    """The error that the promise allows for; nothing when it opens. Others are not caught."""
    try:
        part = module(kind, name).open(rest, **TAKEN[kind])
    except ERRORS[kind] as error:
        return str(error)
    part.close()
    return ""


@each("sources", "sinks")
def test_unknown_options_are_refused(kind: Kind, name: str, folder: Path) -> None:
    rest = RESTS.get((kind, name), "").format(folder=folder).partition("?")[0]
    with pytest.raises(MatteError):
        module(kind, name).open(f"{rest}?nonsense=1", **TAKEN[kind])


@each(*KINDS)
def test_every_member_is_there(kind: Kind, name: str, opened: Callable[..., Any]) -> None:
    part = opened(kind, name)
    if part is not None:
        assert MEMBERS[kind] <= set(dir(part))


@each(*KINDS)
def test_close_may_be_called_twice(kind: Kind, name: str, opened: Callable[..., Any]) -> None:
    part = opened(kind, name)
    if part is not None:
        part.close()
        part.close()


@each("sources", "sinks")
def test_notes_are_lines_for_people(kind: Kind, name: str, opened: Callable[..., Any]) -> None:
    notices = list(opened(kind, name).notices)
    assert all(isinstance(note, str) and note and "\n" not in note for note in notices)


@each("sources")
def test_sources_give_frames_of_their_size(kind: Kind, name: str, opened: Callable[..., Any]) -> None:
    source: Source = opened(kind, name)
    width, height = source.size
    assert source.fps > 0
    assert isinstance(source.live, bool)
    last = -1
    time = float("-inf")
    for _ in range(3):
        frame = source.read(np.empty((height, width, 3), np.uint8))
        assert isinstance(frame, Frame)
        assert frame.pixels.shape == (height, width, 3)
        assert frame.pixels.dtype == np.uint8
        assert frame.pixels.flags.c_contiguous
        assert frame.index > last
        assert frame.time >= time
        last, time = frame.index, frame.time


@each("sources")
def test_finite_sources_end_and_know_how_long_they_are(kind: Kind, name: str, opened: Callable[..., Any]) -> None:
    source: Source = opened(kind, name)
    if source.live:
        assert source.frames is None
        return
    width, height = source.size
    count = 0
    while source.read(np.empty((height, width, 3), np.uint8)) is not None:
        count += 1
    assert source.frames in {None, count}
    assert source.read(np.empty((height, width, 3), np.uint8)) is None


def room(size: tuple[int, int], time: float, index: int) -> tuple[Frame, Matte]:
    """A frame of a person before a wall, and its matte."""
    pixels = np.full((size[1], size[0], 3), 180, np.uint8)
    alpha = np.zeros((size[1], size[0]), np.float32)
    alpha[size[1] // 3 :, size[0] // 3 : -size[0] // 3 or None] = 1
    pixels[alpha == 1] = (30, 60, 200)
    return Frame(pixels, time, index), Matte(alpha)


def judge(picture: Pixels, size: tuple[int, int]) -> None:
    assert picture.shape == (size[1], size[0], 3)
    assert picture.dtype == np.uint8
    assert picture.flags.c_contiguous


@each("backgrounds")
@pytest.mark.parametrize("size", [SIZE, (1, 1), (31, 77), (1280, 720), (720, 1280)])
def test_backgrounds_have_the_size_at_any_time(
    kind: Kind, name: str, opened: Callable[..., Any], size: tuple[int, int]
) -> None:
    background: Background | None = opened(kind, name, size=size)
    if background is None:
        assert name == "none"
        return
    for index, time in enumerate((50.0, 50.03, 50.03, 49.0, 90.0)):
        judge(background.image(*room(size, time, index)), size)


@each("backgrounds")
@pytest.mark.parametrize("fit", get_args(Fit))
def test_backgrounds_take_every_fit(kind: Kind, name: str, opened: Callable[..., Any], fit: Fit) -> None:
    background: Background | None = opened(kind, name, fit=fit)
    if background is not None:
        judge(background.image(*room(SIZE, 0.0, 0)), SIZE)


@each("backgrounds")
def test_backgrounds_leave_the_frame_and_the_matte_alone(kind: Kind, name: str, opened: Callable[..., Any]) -> None:
    background: Background | None = opened(kind, name)
    frame, matte = room(SIZE, 0.0, 0)
    frame.pixels.flags.writeable = matte.alpha.flags.writeable = False
    if background is not None:
        judge(background.image(frame, matte), SIZE)


@each("backgrounds")
def test_backgrounds_never_show_the_room_as_it_is(kind: Kind, name: str, opened: Callable[..., Any]) -> None:
    background: Background | None = opened(kind, name)
    if background is None:
        return
    noise = np.random.default_rng(99).integers(0, 256, (48, 64, 3), np.uint8)
    picture = background.image(Frame(noise, 0.0, 0), Matte(np.zeros((48, 64), np.float32))).astype(float)
    likeness = np.corrcoef(noise.ravel(), picture.ravel() + np.arange(picture.size) * 1e-6)[0, 1]
    assert abs(likeness) < 0.3


@each("sinks")
@pytest.mark.parametrize("size", [SIZE, (63, 47), (2, 2), (1280, 720), (96, 160)])
def test_sinks_take_pictures(kind: Kind, name: str, opened: Callable[..., Any], size: tuple[int, int]) -> None:
    sink: Sink = opened(kind, name, size=size)
    assert isinstance(sink.live, bool)
    for index in range(3):
        picture = np.full((size[1], size[0], 3), 40 * index, np.uint8)
        picture.flags.writeable = False
        sink.send(picture, 1000 + index / 30)
    sink.send(np.zeros((size[1], size[0], 3), np.uint8), 1000 + 2 / 30)


@each("sinks")
def test_sinks_keep_alpha_or_say_that_they_cannot(kind: Kind, name: str, opened: Callable[..., Any]) -> None:
    if name in WITHOUT_ALPHA:
        with pytest.raises(SpecError, match="alpha"):
            opened(kind, name, alpha=True)
        return
    sink: Sink = opened(kind, name, alpha=True)
    assert sink.alpha
    sink.send(np.full((48, 64, 4), 128, np.uint8), 0.0)


def test_the_file_sink_keeps_alpha_where_its_kind_does(folder: Path) -> None:
    sink = plugins.sink(f"{folder}/out.webm?overwrite=yes")
    part = sink.open(sink.rest, size=SIZE, fps=30.0, alpha=True)
    assert part.alpha
    part.send(np.full((48, 64, 4), 128, np.uint8), 0.0)
    part.close()


@settings(max_examples=40, deadline=None)
@given(spec=st.text(max_size=30))
def test_any_background_spec_opens_or_is_an_error_that_users_can_read(spec: str) -> None:
    try:
        plugin = plugins.background(spec)
        background = plugin.open(plugin.rest, size=SIZE, fit="cover")
    except ERRORS["backgrounds"] as error:
        told = str(error)
    else:
        told = "opened"
        if background is not None:
            background.close()
    assert told
