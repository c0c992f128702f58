"""Every plug-in follows the protocols of interfaces.py. A new plug-in is tested without a change here.

One that needs a device (a camera, a virtual camera, a window) may fail to open here, with a readable error.
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
from fakes.stream_server import send_forever, serving
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_matte import plugins
from realtime_matte.config.specs import SpecOption
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
ARGUMENTS: dict[str, dict[str, Any]] = {
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
RESTS = {  # the spec after the word, where it must not be empty
    ("sources", "demo"): "?frames=3",
    ("sources", "image"): "{folder}/still.png?frames=3",
    ("sources", "stream"): "{url}",
    ("sources", "video"): "{folder}/clip.mp4",
    ("backgrounds", "color"): "teal",
    ("backgrounds", "folder"): "{folder}",
    ("backgrounds", "image"): "{folder}/still.png",
    ("backgrounds", "video"): "{folder}/clip.mp4",
    ("sinks", "file"): "{folder}/out.mp4?overwrite=yes",
    ("sinks", "frames"): "{folder}/out?overwrite=yes",
}
WITHOUT_ALPHA = {"pipewire", "virtualcam", "file"}  # file: MP4; WebM is tested below
ANY_NAME = {("sinks", "frames"), ("sinks", "pipewire")}  # a new folder or camera may have nearly any name
ODD = ["?nonsense=1", "no such thing", "/no/such/place", "x" * 5000, "-1", "99"]
IMPOSSIBLE = ["~no-such-user/x", "a\0b", "é\ud800"]  # no file can have such a name


def module(kind: Kind, name: str) -> ModuleType:
    return import_module(f"realtime_matte.{kind}.{name}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an image and a video."""
    media = tmp_path_factory.mktemp("media")
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    cv2.imwrite(str(media / "still.png"), image)
    with av.open(str(media / "clip.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.roll(image, index), format="bgr24")))
        container.mux(stream.encode())
    return media


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The URL of a camera in the network."""
    with serving(send_forever) as server:
        yield server.url()


@pytest.fixture
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working folder, and no display."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)


@pytest.fixture
def opened(folder: Path, url: str, isolated: None) -> Iterator[Callable[..., Any]]:  # noqa: ARG001 - it must come first
    """Opens a plug-in with the arguments of its kind; skips the test if its device is missing."""
    parts: list[Any] = []

    def open_one(kind: Kind, name: str, **overrides: object) -> Any:  # noqa: ANN401 - a part of any kind
        rest = RESTS.get((kind, name), "").format(folder=folder, url=url)
        try:
            part = module(kind, name).open(rest, **{**ARGUMENTS[kind], **overrides})
        except (SourceError, SinkError, MissingDependency, MissingFile) as error:
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
def test_open_has_the_signature_of_its_protocol(kind: Kind, name: str) -> None:
    first, *others = inspect.signature(module(kind, name).open).parameters.values()
    assert first.kind is inspect.Parameter.POSITIONAL_ONLY
    assert [(other.name, other.kind) for other in others] == [
        (word, inspect.Parameter.KEYWORD_ONLY) for word in KEYWORDS[kind]
    ]


@each(*KINDS)
def test_the_docstring_has_the_word(kind: Kind, name: str) -> None:
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
def test_claims_accepts_any_text(kind: Kind, name: str, spec: str) -> None:
    claims = getattr(module(kind, name), "claims", None)
    assert claims is None or claims(spec) in {True, False}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("spec", ["a.jpg", "a.mp4", "a.webm", "a.gif", "a.webp", "#fff", "green", "folder"])
def test_at_most_one_plug_in_claims_a_spec(kind: Kind, spec: str, folder: Path) -> None:
    text = str(folder) if spec == "folder" else spec
    claiming = [name for name in plugins.names(kind) if getattr(module(kind, name), "claims", lambda _: False)(text)]
    assert len(claiming) <= 1


@each(*KINDS)
@pytest.mark.usefixtures("isolated")
@pytest.mark.parametrize("rest", ODD + IMPOSSIBLE)
def test_odd_specs_are_readable_errors(kind: Kind, name: str, rest: str) -> None:
    message = error_of(kind, name, rest)
    assert len(message) > 20 or (kind, name) in ANY_NAME


def error_of(kind: Kind, name: str, rest: str) -> str:
    """The message of an error that the protocol allows; empty if it opens. Other errors are not caught."""
    try:
        part = module(kind, name).open(rest, **ARGUMENTS[kind])
    except ERRORS[kind] as error:
        return str(error)
    part.close()
    return ""


@each("sources", "sinks")
def test_unknown_options_are_refused(kind: Kind, name: str, folder: Path) -> None:
    rest = RESTS.get((kind, name), "").format(folder=folder, url="http://127.0.0.1:1/").partition("?")[0]
    with pytest.raises(MatteError) as caught:
        module(kind, name).open(f"{rest}?nonsense=1", **ARGUMENTS[kind])
    if caught.value.message.startswith("no option 'nonsense'"):
        assert caught.value.hint == f"there are: {', '.join(sorted(plugins.options(kind, name))) or 'none'}"


@each(*KINDS)
def test_options_are_declared_with_help(kind: Kind, name: str) -> None:
    for option in plugins.options(kind, name).values():
        assert isinstance(option, SpecOption)
        assert option.help


@each(*KINDS)
def test_every_member_of_the_protocol_exists(kind: Kind, name: str, opened: Callable[..., Any]) -> None:
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
def test_notices_are_single_lines(kind: Kind, name: str, opened: Callable[..., Any]) -> None:
    notices = list(opened(kind, name).notices)
    assert all(isinstance(notice, str) and notice and "\n" not in notice for notice in notices)


@each("sources")
def test_sources_deliver_frames_of_their_size(kind: Kind, name: str, opened: Callable[..., Any]) -> None:
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
def test_finite_sources_end_after_their_number_of_frames(kind: Kind, name: str, opened: Callable[..., Any]) -> None:
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


def frame_and_matte(size: tuple[int, int], time: float, index: int) -> tuple[Frame, Matte]:
    """A frame with a box as foreground, and its matte."""
    pixels = np.full((size[1], size[0], 3), 180, np.uint8)
    alpha = np.zeros((size[1], size[0]), np.float32)
    alpha[size[1] // 3 :, size[0] // 3 : -size[0] // 3 or None] = 1
    pixels[alpha == 1] = (30, 60, 200)
    return Frame(pixels, time, index), Matte(alpha)


def check_image(image: Pixels, size: tuple[int, int]) -> None:
    assert image.shape == (size[1], size[0], 3)
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous


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
        check_image(background.image(*frame_and_matte(size, time, index)), size)


@each("backgrounds")
@pytest.mark.parametrize("fit", get_args(Fit))
def test_backgrounds_accept_every_fit(kind: Kind, name: str, opened: Callable[..., Any], fit: Fit) -> None:
    background: Background | None = opened(kind, name, fit=fit)
    if background is not None:
        check_image(background.image(*frame_and_matte(SIZE, 0.0, 0)), SIZE)


@each("backgrounds")
def test_backgrounds_do_not_change_frame_or_matte(kind: Kind, name: str, opened: Callable[..., Any]) -> None:
    background: Background | None = opened(kind, name)
    frame, matte = frame_and_matte(SIZE, 0.0, 0)
    frame.pixels.flags.writeable = matte.alpha.flags.writeable = False
    if background is not None:
        check_image(background.image(frame, matte), SIZE)


@each("backgrounds")
def test_no_background_shows_the_frame_unchanged(kind: Kind, name: str, opened: Callable[..., Any]) -> None:
    background: Background | None = opened(kind, name)
    if background is None or name == "room":  # which shows the room on purpose, and says so
        return
    noise = np.random.default_rng(99).integers(0, 256, (48, 64, 3), np.uint8)
    image = background.image(Frame(noise, 0.0, 0), Matte(np.zeros((48, 64), np.float32))).astype(float)
    correlation = np.corrcoef(noise.ravel(), image.ravel() + np.arange(image.size) * 1e-6)[0, 1]
    assert abs(correlation) < 0.3


@each("sinks")
@pytest.mark.parametrize("size", [SIZE, (63, 47), (2, 2), (1280, 720), (96, 160)])
def test_sinks_accept_images(kind: Kind, name: str, opened: Callable[..., Any], size: tuple[int, int]) -> None:
    sink: Sink = opened(kind, name, size=size)
    assert isinstance(sink.live, bool)
    for index in range(3):
        image = np.full((size[1], size[0], 3), 40 * index, np.uint8)
        image.flags.writeable = False
        sink.send(image, 1000 + index / 30)
    sink.send(np.zeros((size[1], size[0], 3), np.uint8), 1000 + 2 / 30)


@each("sinks")
def test_sinks_keep_alpha_or_raise(kind: Kind, name: str, opened: Callable[..., Any]) -> None:
    if name in WITHOUT_ALPHA:
        with pytest.raises(SpecError, match="alpha"):
            opened(kind, name, alpha=True)
        return
    sink: Sink = opened(kind, name, alpha=True)
    assert sink.alpha
    sink.send(np.full((48, 64, 4), 128, np.uint8), 0.0)


def test_the_file_sink_keeps_alpha_in_webm(folder: Path) -> None:
    sink = plugins.sink(f"{folder}/out.webm?overwrite=yes")
    part = sink.open(sink.rest, size=SIZE, fps=30.0, alpha=True)
    assert part.alpha
    part.send(np.full((48, 64, 4), 128, np.uint8), 0.0)
    part.close()


@settings(max_examples=40, deadline=None)
@given(spec=st.text(max_size=30))
def test_any_background_spec_opens_or_is_a_readable_error(spec: str) -> None:
    try:
        plugin = plugins.background(spec)
        background = plugin.open(plugin.rest, size=SIZE, fit="cover")
    except ERRORS["backgrounds"] as error:
        message = str(error)
    else:
        message = "opened"
        if background is not None:
            background.close()
    assert message
