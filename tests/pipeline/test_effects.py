"""Effects in a whole pipeline: each can be switched while it runs, and nothing of the camera gets out by one.

What the camera sees is painted in a marker colour, as in ``test_privacy``. Each effect is on while each part fails.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import product

import cv2
import numpy as np
import pytest
from fakes.gated import Gate, GatedCamera, Script, run
from fakes.pipelines import clip, open_pipeline
from fakes.privacy import is_card, marked
from fakes.scripted import (
    FPS,
    MARKER,
    NEW_BACKGROUND,
    SIZE,
    START,
    Recorder,
    ScriptedNetwork,
    ScriptedSource,
    SolidBackground,
    fails,
    filled,
    in_i420,
    opener,
)

from realtime_matte import models
from realtime_matte.config.config import options
from realtime_matte.effects import overlay
from realtime_matte.effects.chain import option_names
from realtime_matte.errors import MatteError, MissingFile, SourceError, SpecError
from realtime_matte.frame import Frame, Matte, Pixels
from realtime_matte.interfaces import Network, RecurrentState
from realtime_matte.pipeline.commands import Command
from realtime_matte.pipeline.pipeline import Pipeline

EFFECTS: Mapping[str, Mapping[str, object]] = {
    "rotate_90": {"rotate": "90"},
    "rotate_180": {"rotate": "180"},
    "rotate_270_contain": {"rotate": "270", "camera_fit": "contain"},
    "zoom": {"zoom": 1.7, "center": (0.3, 0.6)},
    "overlays": {"overlay": ("text:Name?size=0.2", "clock?at=top-right&size=0.1")},
    "auto_frame": {"auto_frame": True, "auto_frame_size": 0.9, "auto_frame_place": (0.4, 0.2)},
    "low_light": {"low_light": 0.7},
    "low_light_auto": {"low_light": "auto"},
    "white_balance": {"white_balance": "auto"},
    "harmonize": {"harmonize": 1.0},
    "all": {
        "low_light": "auto",
        "white_balance": "auto",
        "harmonize": 0.5,
        "auto_frame": True,
        "rotate": "90",
        "zoom": 1.2,
        "center": (0.4, 0.6),
        "camera_fit": "contain",
        "mirror": True,
        "overlay": ("text:Name?size=0.2",),
    },
}
"""Options of Config for each effect that changes what is shown of the camera, or the composite."""


class ExactNetwork(ScriptedNetwork):
    """The exact matte of what it is given, by its colours: everything that is not the marker's is the person."""

    def process(self, frame: Frame, state: RecurrentState | None) -> tuple[Matte, RecurrentState]:
        matte, after = super().process(frame, state)  # the faults, if there are any
        if not (matte.alpha.max() <= 1 and 0 < matte.alpha.mean() < 1):
            return matte, after
        colors = frame.pixels.astype(np.int16)
        is_person = ((colors[..., 1] > 100) & (colors[..., 0] < 60)).astype(np.uint8)
        return Matte(cv2.erode(is_person, np.ones((3, 3), np.uint8)).astype(np.float32)), after


def judge(sink: Recorder, faulty: Sequence[int] = ()) -> list[int | None]:
    """No pixel of the marker's colour; the frames that were shown, None for a card."""
    for image, time in zip(sink.images, sink.times, strict=True):
        assert marked(image) == 0, f"the camera's background was sent at {time}"
    shown = [
        None if is_card(image) else round((time - START) * FPS)
        for image, time in zip(sink.images, sink.times, strict=True)
    ]
    assert not set(faulty) & set(shown)
    return shown


@pytest.fixture(params=EFFECTS)
def effect(request: pytest.FixtureRequest) -> Mapping[str, object]:
    """The options of one effect, or of all."""
    return EFFECTS[request.param]


def test_every_effect_is_proved(effect: Mapping[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    sink = run(range(8), monkeypatch=monkeypatch, network=ExactNetwork(), options=effect)
    assert judge(sink) == [None, *range(8), None]
    assert any((image != NEW_BACKGROUND).any() for image in sink.images[1:-1]), "the person is shown"


def test_every_effect_is_proved_on_planes(effect: Mapping[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    """A camera that delivers I420: effects get its frames in BGR."""
    in_i420(monkeypatch)
    sink = run(range(4), monkeypatch=monkeypatch, network=ExactNetwork(), options=effect)
    for image in sink.images:
        assert marked(image) == 0
    assert any((image != sink.images[1]).any() for image in sink.images[2:-1]), "the person moves"
    assert len(sink.images) == 6


PERSON_EFFECTS = {
    "low_light": {"low_light": 1.0},
    "white_balance": {"white_balance": "auto"},
    "harmonize": {"harmonize": 1.0},
    "all": {"low_light": "auto", "white_balance": "auto", "harmonize": 1.0},
    "all and framing": {"low_light": 1.0, "harmonize": 1.0, "auto_frame": True, "auto_frame_size": 0.9},
}


def pattern(seed: int) -> Pixels:
    """A background without two equal pixels side by side, with little of the marker's colour."""
    image = np.random.default_rng(seed).integers(0, 200, (SIZE[1], SIZE[0], 3), np.uint8)
    image[..., 0] = 100
    return image


@pytest.mark.parametrize("options", PERSON_EFFECTS.values(), ids=PERSON_EFFECTS)
def test_the_background_stays_bit_by_bit_while_the_person_is_changed(
    options: Mapping[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Pattern(SolidBackground):
        def __init__(self, image: Pixels) -> None:
            super().__init__()
            self._pattern = image

        def image(self, frame: Frame, matte: object) -> Pixels:  # noqa: ARG002
            return self._pattern

    def images(background: Pixels, changed: Mapping[str, object]) -> list[Pixels]:
        sink = run(
            range(6),
            monkeypatch=monkeypatch,
            network=ExactNetwork(),
            background=[Pattern(background)],
            options={**framing, **changed},
        )
        return sink.images[1:-1]

    framing = {name: value for name, value in options.items() if name.startswith("auto_frame")}
    first, second = pattern(1), pattern(2)
    plain = zip(images(first, {}), images(second, {}), strict=True)
    outside = [((one == first) & (other == second)).all(axis=2) for one, other in plain]
    plain_again = images(first, {})
    for image, before, area in zip(images(first, options), plain_again, outside, strict=True):
        assert area.mean() > 0.3
        np.testing.assert_array_equal(image[area], first[area])
        assert (image != before)[~area].any() or options == PERSON_EFFECTS["white_balance"], "the person is changed"


def test_the_options_of_every_effect_are_proved() -> None:
    assert option_names() == {name for effect in EFFECTS.values() for name in effect}


@pytest.mark.parametrize("fault", [fails, filled(float("nan")), filled(7.0), filled(-7.0)])
def test_a_frame_without_a_matte_shows_the_card(
    effect: Mapping[str, object], fault: Callable[[Matte], Matte], monkeypatch: pytest.MonkeyPatch
) -> None:
    network = ExactNetwork({2: fault, 3: fault})
    sink = run(range(6), monkeypatch=monkeypatch, network=network, options=effect)
    assert judge(sink) == [None, 0, 1, None, None, 4, 5, None]


def test_a_lost_camera_shows_the_card(effect: Mapping[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    scripts: Sequence[Script | SourceError] = ([0, 1, "unplugged"], SourceError("busy"), [2, 3])
    sink = run(*scripts, monkeypatch=monkeypatch, network=ExactNetwork(), options=effect)
    shown = judge(sink)
    assert [index for index in shown if index is not None] == [0, 1, 2, 3]
    assert None in shown[3:-3]


def test_standby_shows_the_card(effect: Mapping[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    sink = Recorder(live=True, commands={2: "standby", 4: "standby"})
    run(range(6), [3, 4], monkeypatch=monkeypatch, network=ExactNetwork(), sinks=[sink], options=effect)
    assert [index for index in judge(sink) if index is not None] == [0, 1, 3, 4]


def test_a_background_that_fails_shows_the_card(effect: Mapping[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    backgrounds = [SolidBackground(fails_at=1)]
    sink = run(range(4), monkeypatch=monkeypatch, network=ExactNetwork(), background=backgrounds, options=effect)
    assert judge(sink) == [None, 0, None, 2, 3, None]


@pytest.mark.parametrize("refused", [False, True])
def test_a_model_switch_shows_every_frame(
    effect: Mapping[str, object], monkeypatch: pytest.MonkeyPatch, *, refused: bool
) -> None:
    def open_network() -> Network:
        if refused:
            raise MissingFile("no model file x.onnx")
        return ExactNetwork()

    def after(pipeline: Pipeline, step: int) -> None:
        if step == 1:
            pipeline.switch_model(open_network)

    sink = run(range(4), monkeypatch=monkeypatch, network=ExactNetwork(), after=after, options=effect)
    assert judge(sink) == [None, 0, 1, 2, 3, None]


def test_no_colour_is_kept_behind_zero_alpha(effect: Mapping[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    sink = Recorder(live=True, alpha=True)
    run(range(4), monkeypatch=monkeypatch, network=ExactNetwork(), sinks=[sink], background="none", options=effect)
    assert judge(sink) == [None, 0, 1, 2, 3, None]


@pytest.mark.parametrize(("name", "value"), [pair for effect in EFFECTS.values() for pair in effect.items()])
def test_each_is_switched_on_and_off_between_two_frames(
    name: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def after(pipeline: Pipeline, step: int) -> None:
        if step in {1, 3}:
            replies.append(pipeline.submit(Command(name, value if step == 1 else None)))
        if step == 2:
            seen.append(pipeline.options[name])

    seen: list[object] = []
    replies = []  # type: ignore[var-annotated]
    sink = run(range(6), monkeypatch=monkeypatch, network=ExactNetwork(), after=after)
    assert judge(sink) == [None, *range(6), None]
    assert seen == [value]
    assert [reply.result(0) for reply in replies] == [None, None]
    plain = run(range(6), monkeypatch=monkeypatch, network=ExactNetwork())
    for index in (1, 2, 5, 6):
        np.testing.assert_array_equal(sink.images[index], plain.images[index])


def test_beside_a_contained_image_nothing_of_the_camera_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if the network takes what lies there, the continued colours of the camera's edges, for the person."""
    everything = ScriptedNetwork(dict.fromkeys(range(4), filled(1.0)))
    sink = run(range(4), monkeypatch=monkeypatch, network=everything, options={"rotate": "90", "camera_fit": "contain"})
    left = (SIZE[0] - round(SIZE[1] * SIZE[1] / SIZE[0])) // 2
    for image in sink.images[1:-1]:
        assert (image[:, :left] == NEW_BACKGROUND).all()
        assert (image[:, -left:] == NEW_BACKGROUND).all()
        assert (image[:, left:-left] != NEW_BACKGROUND).any()


@pytest.mark.parametrize("background", ["room?blur=0&brightness=1&saturation=1", "room", "blur?lens"])
def test_a_room_that_is_shown_on_purpose_is_shown_with_a_matte_only(
    background: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[str] = []
    network = ExactNetwork({2: fails, 3: filled(float("nan"))})
    sink = run(
        *([0, 1, 2, 3, "unplugged"], SourceError("busy"), [4, 5]),
        monkeypatch=monkeypatch,
        network=network,
        background=background,
        reported=reported,
    )
    shown = [round((time - START) * FPS) for image, time in zip(sink.images, sink.times, strict=True) if marked(image)]
    assert set(shown) <= {0, 1, 4, 5}
    assert set(shown) or background != "room?blur=0&brightness=1&saturation=1", "it does show the room"
    cards = [is_card(image) for image in sink.images]
    assert [cards[0], *cards[3:5], cards[-1]] == [True] * 4
    assert all(marked(image) == 0 for image, card in zip(sink.images, cards, strict=True) if card)


class ScreenCamera(GatedCamera):
    """A person in front of the marker's colour, of which this share is covered by a green screen."""

    def __init__(self, frames: int, gate: Gate, share: float) -> None:
        super().__init__(range(frames), gate)
        self._share = share

    def read(self, pixels: Pixels) -> Frame | None:
        frame = super().read(pixels)
        if frame:
            pixels[:] = MARKER
            pixels[:, : round(self._share * SIZE[0])] = (64, 177, 0)
            pixels[20:, 30:60] = (110, 140, 200)
        return frame


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_a_keyer_without_a_screen_shows_only_the_card(share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, reported = Gate(), list[str]()
    sink = run(
        ScreenCamera(8, gate, share),
        monkeypatch=monkeypatch,
        gate=gate,
        network=lambda: models.open("chromakey"),
        reported=reported,
    )
    assert judge(sink) == [None] * 10
    assert reported[0].startswith(
        "no matte, so the standby card is shown and the model is tried again: there is no green"
    )


def test_a_keyer_with_a_screen_shows_the_person(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate()
    camera = ScreenCamera(4, gate, 1.0)
    sink = run(camera, monkeypatch=monkeypatch, gate=gate, network=lambda: models.open("chromakey"))
    assert judge(sink) == [None, 0, 1, 2, 3, None]
    np.testing.assert_allclose(sink.images[2][40, 45], (110, 140, 200), atol=4)
    np.testing.assert_array_equal(sink.images[2][5, 5], NEW_BACKGROUND)


def test_overlays_are_not_drawn_on_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    network = ExactNetwork({1: fails})
    sink = run(range(3), monkeypatch=monkeypatch, network=network, options=EFFECTS["overlays"])
    assert [is_card(image) for image in sink.images] == [True, False, True, False, True]


def test_overlays_are_never_mirrored(monkeypatch: pytest.MonkeyPatch) -> None:
    images: list[Pixels] = []
    for mirror in (False, True):
        empty = ScriptedNetwork(dict.fromkeys(range(3), filled(0.0)))
        sink = run([0], monkeypatch=monkeypatch, network=empty, mirror=mirror, options=EFFECTS["overlays"])
        images.append(sink.images[1])
    np.testing.assert_array_equal(images[0], images[1])


def test_an_overlay_that_cannot_be_opened_is_refused_and_the_old_one_stays() -> None:
    with open_pipeline(clip(3), Recorder(), overlay=("text:Name",)) as pipeline:
        reply = pipeline.submit(Command("overlay", ["gone.png"]))
        assert pipeline.step()
        assert isinstance(reply.exception(0), MissingFile)
        assert pipeline.options["overlay"] == ("text:Name",)


def test_an_overlay_that_fails_is_reported_and_the_frames_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise MatteError("there is no time")

    reported, sink = list[str](), Recorder(live=True)
    with open_pipeline(clip(10), sink, background=SolidBackground(), overlay=("clock",), reported=reported) as pipeline:
        monkeypatch.setattr(overlay.Overlay, "draw", fail)
        for _ in range(4):
            assert pipeline.step()
        assert pipeline.stats.composites >= 3
    assert [line for line in reported if "overlay" in line] == ["an overlay is switched off: there is no time"]


def test_effects_that_are_off_are_not_called_and_hold_no_buffer() -> None:
    with open_pipeline(clip(3), Recorder()) as pipeline:
        pipeline.step()
        renderer = pipeline._parts.renderer._renderer
        effects = pipeline._parts.effects
        assert (effects.view, list(effects.person), list(effects.outputs)) == (None, [], [])
        assert renderer._person_look is None  # type: ignore[union-attr]
        full_size = renderer._refiner._grid.upsampler._full_size  # type: ignore[union-attr]
        assert not {"alpha", "foreground"} & set(vars(full_size))


def test_a_wrong_value_is_refused_with_what_it_should_be() -> None:
    with open_pipeline(clip(1), Recorder()) as pipeline:
        for name, value in (("rotate", "45"), ("zoom", 5), ("center", "2,0"), ("camera_fit", "tile")):
            with pytest.raises(SpecError, match=f"{name.replace('_', '-')}: .* is not "):
                pipeline.submit(Command(name, value))


@pytest.mark.parametrize("contain", [False, True])
def test_a_background_stays_while_the_person_is_enlarged(*, contain: bool) -> None:
    """The person stands still for three seconds; then she is larger, and the background the same pixel for pixel."""

    class Still(ExactNetwork):
        """Frames are distinguished by their index alone, so each is that of the first."""

    frames = [0] * 100
    camera = ScriptedSource(frames)
    options = {"auto_frame": True, "auto_frame_size": 0.9, "camera_fit": "contain" if contain else "cover"}
    sink, random = Recorder(), np.random.default_rng(0)
    pattern = random.integers(0, 200, (SIZE[1], SIZE[0], 3), np.uint8)
    pattern[..., 0] = 100

    class Pattern(SolidBackground):
        def image(self, frame: Frame, matte: object) -> Pixels:  # noqa: ARG002
            return pattern

    class Times:
        live = False
        notices = ()
        fps = FPS
        size = SIZE
        frames = None

        def __init__(self) -> None:
            self.index = -1

        def read(self, pixels: Pixels) -> Frame | None:
            self.index += 1
            if self.index == len(frames):
                return None
            frame = ScriptedSource([0]).read(pixels)
            assert frame
            return Frame(pixels, START + self.index / FPS, self.index)

        def close(self) -> None:
            camera.close()

    with open_pipeline(opener(Times()), sink, background=Pattern(), network=Still(), **options) as pipeline:  # type: ignore[arg-type]
        pipeline.run()
    person = [(image != pattern).any(axis=2) for image in sink.images]
    assert person[-1].sum() > 1.3 * person[0].sum()
    outside = ~person[-1]
    np.testing.assert_array_equal(sink.images[-1][outside], pattern[outside])
    assert all(marked(image) == 0 for image in sink.images)


def test_the_marker_would_be_seen() -> None:
    """The judge can fail: the marker's colour, turned and zoomed, is found."""
    source = ScriptedSource([0])
    frame = source.read(np.empty((SIZE[1], SIZE[0], 3), np.uint8))
    assert frame
    assert marked(frame.pixels) > 0
    assert tuple(frame.pixels[0, 0]) == MARKER


def test_every_option_of_the_command_line_is_an_effect_or_known() -> None:
    framing = {option.name for option, group in product(options(), ("Framing", "Looks")) if option.group == group}
    assert framing <= option_names()
