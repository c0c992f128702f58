"""The live socket and previews: what arrives, and when."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes.panel import LONG_S, MANY, Panel, frames_go_on, next_preview, next_status, served
from fakes.pipelines import clip, open_pipeline, scripted_camera
from fakes.privacy import is_card, marked
from fakes.scripted import (
    NEW_BACKGROUND,
    Recorder,
    ScriptedCapture,
    ScriptedNetwork,
    SolidBackground,
    fails,
    wait_until,
)

from realtime_matte.frame import Pixels
from realtime_matte.panel import preview
from realtime_matte.panel.preview import encode, fitting_width, over_checks
from realtime_matte.pipeline.pipeline import Pipeline


def decoded(jpeg: bytes) -> Pixels:
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image, np.uint8)


def test_each_request_gets_one_newer_preview(panel: Panel) -> None:
    with panel.live() as socket:
        first, second = next_preview(socket), next_preview(socket)
    for jpeg in (first, second):
        image = decoded(jpeg)
        assert image.shape == (64, 96, 3), "as small as the output is"
        assert marked(image) == 0
        assert np.abs(image[:8].astype(int) - NEW_BACKGROUND).max() < 12, "JPEG's error"


def test_a_preview_without_a_newer_frame_waits(tmp_path: Path) -> None:
    with served(
        lambda **_: open_pipeline(clip(3), Recorder(live=True), background=SolidBackground()), tmp_path
    ) as panel:
        wait_until(lambda: panel.supervisor.current.fault is not None)  # the clip has ended
        with panel.live() as socket:
            socket.send('{"type": "next"}')
            assert next_status(socket)["fault"]["message"] == "the source has ended"
            assert next_status(socket)["status"] is None


def test_the_status_is_pushed_at_once_and_after_a_change(panel: Panel) -> None:
    with panel.live() as socket:
        first = next_status(socket)
        assert (first["type"], first["fault"]) == ("status", None)
        while next_status(socket)["status"]["state"] != "running":
            pass
        assert panel.command("standby", value=True)[0] == 200
        while next_status(socket)["status"]["state"] != "standby":
            pass


def test_two_pages_see_the_same_changes(panel: Panel) -> None:
    with panel.live() as one, panel.live() as other:
        panel.command("mirror", value=True)
        for socket in (one, other):
            while not next_status(socket)["status"]["options"]["mirror"]:
                pass
            assert next_preview(socket)


@pytest.mark.parametrize("message", ["", "x", "[]", '{"type": "quit"}', '{"type": "next", "width": "x"}', "[" * 3000])
def test_a_message_that_means_nothing_changes_nothing(panel: Panel, message: str) -> None:
    with panel.live() as socket:
        socket.send(message)
        socket.send(message.encode())
        assert next_preview(socket)
    frames_go_on(panel)


def test_a_width_is_one_of_a_few() -> None:
    assert [fitting_width(width) for width in (-5, 0, 320, 321, 640, 1000, 10**9)] == [
        320,
        320,
        320,
        480,
        640,
        1280,
        1280,
    ]


# privacy: a preview is a composite or the card, whatever goes wrong


@pytest.fixture
def faulty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Panel]:
    """A camera that is lost every few frames, and a network that fails at others."""
    script = [None if index % 7 == 3 else index for index in range(5000)]
    network = ScriptedNetwork(dict.fromkeys(range(0, 5000, 5), fails))

    def opened(**_options: object) -> Pipeline:
        camera = scripted_camera(monkeypatch, ScriptedCapture(script))
        return open_pipeline(camera, Recorder(live=True), background=SolidBackground(), network=network)

    with served(opened, tmp_path) as panel:
        yield panel


def test_no_image_that_is_served_shows_the_camera(faulty: Panel) -> None:
    with faulty.live() as socket:
        images = [decoded(next_preview(socket)) for _ in range(8)]
        faulty.command("standby", value=True)
        images += [decoded(next_preview(socket)) for _ in range(2)]
        assert np.abs(images[-1].astype(int).mean(axis=(0, 1)) - NEW_BACKGROUND).max() > 3, "the card"
        faulty.command("standby", value=False)
        images += [decoded(next_preview(socket)) for _ in range(4)]
    snapshot = faulty.ask("POST", "/api/snapshot")[1]
    images.append(decoded(snapshot))
    for entry in faulty.ask("GET", "/api/backgrounds")[1]:
        images.append(decoded(faulty.ask("GET", f"/api/backgrounds/{entry['id']}/thumbnail")[1]))
    assert len(images) >= 20
    for image in images:
        assert marked(image) == 0


def test_a_preview_of_the_card_is_the_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Encoded without loss, to compare it."""
    monkeypatch.setattr(preview, "encode", lambda pixels: cv2.imencode(".png", pixels)[1].tobytes())
    with served(lambda **_: open_pipeline(clip(MANY), Recorder(live=True)), tmp_path) as panel:
        panel.command("standby", value=True)
        with panel.live() as socket:
            assert is_card(decoded(next_preview(socket)))


def test_transparent_parts_are_shown_over_a_checkerboard() -> None:
    clear = np.zeros((40, 40, 4), np.uint8)
    clear[..., :3] = 255, 0, 255  # colour behind alpha 0, which no output frame has
    assert set(np.unique(over_checks(clear))) == set(preview.CHECKS)
    opaque = clear.copy()
    opaque[..., 3] = 255
    assert np.array_equal(over_checks(opaque), opaque[..., :3])
    assert decoded(encode(clear)).shape == (40, 40, 3)


def test_a_watched_preview_counts_until_nobody_asks(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[bool] = []
    monkeypatch.setattr(preview, "LOOKING_S", LONG_S)
    monkeypatch.setattr(panel.supervisor, "set_watched", lambda *, watched: calls.append(watched))
    with panel.live() as socket:
        next_preview(socket)
        next_preview(socket)
        assert calls == [True]
        monkeypatch.setattr(preview, "LOOKING_S", 0.0)  # that time has passed
        wait_until(lambda: calls == [True, False])  # a hidden page keeps its socket, and asks for none
        monkeypatch.setattr(preview, "LOOKING_S", LONG_S)
        next_preview(socket)
        assert calls == [True, False, True]
        monkeypatch.setattr(preview, "LOOKING_S", 0.0)
    wait_until(lambda: calls == [True, False, True, False])


def test_nothing_is_encoded_while_nobody_asks(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[int] = []
    monkeypatch.setattr(preview, "encode", lambda pixels: encoded.append(1) or encode(pixels))
    with panel.live() as socket:
        next_status(socket)
        next_status(socket)
        assert encoded == []
        next_preview(socket)
    assert encoded == [1]
