"""The interface of the page: what each endpoint does, and that the OpenAPI document describes it."""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fakes.host import FakeHost
from fakes.panel import Panel, folders_in, served
from fakes.pipelines import clip, open_pipeline
from fakes.privacy import marked
from fakes.scripted import Recorder, wait_until
from starlette.routing import Route

from realtime_matte.config import presets
from realtime_matte.config.config import Config, options
from realtime_matte.config.toml_file import load
from realtime_matte.errors import SourceError
from realtime_matte.panel import machine, page_values, schemas
from realtime_matte.panel.endpoints import Services
from realtime_matte.panel.gallery import Gallery
from realtime_matte.panel.guard import Access
from realtime_matte.panel.live import Live
from realtime_matte.panel.password import Login
from realtime_matte.panel.preview import Previews
from realtime_matte.panel.routes import all_endpoints, routes
from realtime_matte.panel.saved_endpoints import SavedEndpoints
from realtime_matte.panel.schemas import of_type
from realtime_matte.panel.state import PanelState
from realtime_matte.panel.supervisor import Supervisor

MANY = 1_000_000


def invalid(value: object, schema: dict[str, Any], where: str = "") -> list[str]:  # noqa: C901 - a case a keyword
    """Where a value does not fit a schema, of the keywords that our document uses."""
    if "anyOf" in schema:
        return (
            [] if any(not invalid(value, one) for one in schema["anyOf"]) else [f"{where}: none of {schema['anyOf']}"]
        )
    if "enum" in schema:
        return [] if value in schema["enum"] else [f"{where}: {value!r}"]
    kinds = {
        "string": str,
        "boolean": bool,
        "integer": int,
        "number": (int, float),
        "array": list,
        "object": dict,
        "null": type(None),
    }
    kind = schema.get("type")
    if kind and (not isinstance(value, kinds[kind]) or (isinstance(value, bool) and kind != "boolean")):
        return [f"{where}: {value!r} is no {kind}"]
    found: list[str] = []
    if isinstance(value, list) and "items" in schema:
        for number, one in enumerate(value):
            found += invalid(one, schema["items"], f"{where}[{number}]")
    if isinstance(value, dict):
        known, more = schema.get("properties", {}), schema.get("additionalProperties", True)
        found += [f"{where}.{name} is missing" for name in schema.get("required", []) if name not in value]
        for name, one in value.items():
            if name in known:
                found += invalid(one, known[name], f"{where}.{name}")
            elif more is False:
                found.append(f"{where}.{name} is not described")
            elif isinstance(more, dict):
                found += invalid(one, more, f"{where}.{name}")
    return found


def test_the_validator_finds_what_does_not_fit() -> None:
    schema = schemas.record(("b",), a=schemas.INTEGER, b=schemas.listed(schemas.TEXT))
    assert invalid({"a": 1}, schema) == []
    for wrong in ({}, {"a": "1"}, {"a": True}, {"a": 1, "c": 2}, {"a": 1, "b": [1]}, [], None):
        assert invalid(wrong, schema)
    assert invalid(None, schemas.nullable(schema)) == []
    assert invalid("d", {"enum": ["a"]})
    assert invalid({"x": "1"}, of_type(dict[str, int]))


@pytest.fixture
def described(panel: Panel) -> dict[str, Any]:
    status, document = panel.ask("GET", "/api/openapi.json")
    assert status == 200
    return dict(document)


def answer_schema(document: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    content = document["paths"][path][method]["responses"]["200"]["content"]
    return dict(content["application/json"]["schema"])


def services_of(supervisor: Supervisor, folder: Path) -> Services:
    folders = folders_in(folder)
    return Services(PanelState(supervisor), Gallery(folders), folders)


def test_every_route_is_described_and_every_described_route_exists(described: dict[str, Any], tmp_path: Path) -> None:
    supervisor = Supervisor(Config(), notify=[].append)
    services = services_of(supervisor, tmp_path)
    access = Access("http", frozenset(), "", lambda: None)
    live = Live(services.state, Previews(supervisor), access)
    found = {
        (method.lower(), route.path.replace(":path", ""))
        for route in routes(all_endpoints(services, Login(None, access)), services, live)
        if isinstance(route, Route) and route.path.startswith("/api/")
        for method in (route.methods or set()) - {"HEAD"}
    }
    named = {(method, path) for path, methods in described["paths"].items() for method in methods}
    assert found == named
    services.workers.shutdown()


def test_answers_are_as_described(panel: Panel, described: dict[str, Any]) -> None:
    asked: set[tuple[str, str]] = set()
    for path, methods in described["paths"].items():
        if "get" in methods and "{" not in path:
            status, answer = panel.ask("GET", path)
            assert status == 200, path
            assert invalid(answer, answer_schema(described, "get", path)) == [], path
            asked.add(("get", path))
    for method, path, body in (
        ("POST", "/api/commands", {"key": "mirror", "value": True}),
        ("POST", "/api/background", {"id": "beach"}),
        ("PUT", "/api/presets/One", None),
        ("POST", "/api/presets/One/apply", None),
        ("DELETE", "/api/presets/One", None),
        ("POST", "/api/save-default", None),
    ):
        status, answer = panel.ask(method, path, body)
        assert status == 200, (path, answer)
        template = path.replace("One", "{name}")
        assert invalid(answer, answer_schema(described, method.lower(), template)) == [], path
    assert len(asked) >= 9


def test_errors_are_as_described(panel: Panel, described: dict[str, Any]) -> None:
    error = described["components"]["schemas"]["Error"]
    for method, path, body, expected in (
        ("GET", "/api/nothing", None, 404),
        ("DELETE", "/api/status", None, 405),
        ("POST", "/api/commands", {"key": "mirror", "value": 7}, 400),
        ("POST", "/api/commands", {"value": 7}, 400),
        ("POST", "/api/background", {"id": "nothing"}, 404),
        ("POST", "/api/background", {"id": 1}, 400),
        ("POST", "/api/background", {"id": "blur", "options": {"strength": 9}}, 400),
        ("POST", "/api/presets/nothing/apply", None, 404),
        ("DELETE", "/api/presets/nothing", None, 404),
        ("PUT", "/api/presets/%2e%2e", None, 400),
        ("PUT", "/api/presets/..%2Fevil", None, 400),
        ("GET", "/api/backgrounds/nothing/thumbnail", None, 404),
        ("POST", "/api/autostart", {"enabled": "yes"}, 400),
        ("POST", "/api/login", {"password": "anything"}, 403),
    ):
        status, answer = panel.ask(method, path, body)
        assert status == expected, (path, answer)
        assert invalid(answer, error) == []


def test_a_wrong_value_names_its_field(panel: Panel) -> None:
    for key, field in (("threads", "threads"), ("card-text", "card_text"), ("zoom", "zoom")):
        status, answer = panel.command(key, [1])
        assert (status, answer["error"]["field"]) == (400, field)


def test_a_bug_is_an_answer_without_its_inside(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> list[object]:
        raise ZeroDivisionError("/home/me/secret")

    monkeypatch.setattr(machine, "models", broken)
    assert panel.ask("GET", "/api/models") == (
        500,
        {"error": {"message": "the panel failed: ZeroDivisionError", "hint": ""}},
    )


def test_a_command_is_answered_with_the_state_after_it(panel: Panel) -> None:
    answer = panel.command("mirror", value=True)[1]
    assert answer["status"]["options"]["mirror"] is True
    assert panel.command("standby", value=True)[1]["status"]["state"] == "standby"
    assert panel.command("standby", value=False)[1]["status"]["state"] != "standby"


def test_a_snapshot_is_a_composite(panel: Panel) -> None:
    wait_until(lambda: panel.pipeline.stats.composites > 0)
    response = panel.raw("POST", "/api/snapshot")
    assert response.getheader("Content-Type") == "image/png"
    image = cv2.imdecode(np.frombuffer(response.content, np.uint8), cv2.IMREAD_COLOR)  # type: ignore[attr-defined]
    assert image is not None
    assert marked(np.asarray(image, np.uint8)) == 0


def test_without_a_camera_the_page_learns_why_and_may_try_again(tmp_path: Path) -> None:
    errors = [SourceError("no camera", hint="plug one in"), SourceError("no camera", hint="plug one in")]

    def opened(**_options: object) -> Any:  # noqa: ANN401
        if errors:
            raise errors.pop()
        return open_pipeline(clip(MANY), Recorder(live=True))

    with served(opened, tmp_path) as panel:
        fault = {"message": "no camera", "hint": "plug one in"}
        status, answer = panel.ask("GET", "/api/status")
        assert (status, answer["status"], answer["fault"]) == (200, None, fault)
        assert panel.ask("POST", "/api/snapshot")[0] == 409
        assert panel.ask("GET", "/api/backgrounds")[0] == 200
        panel.command("restart")
        panel.command("restart")
        wait_until(lambda: panel.supervisor.current.pipeline is not None)


# nothing that a page sends is used as a path


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("camera", "/etc/passwd"),
        ("camera", "~/clip.mp4"),
        ("camera", "video:/tmp/clip.mp4"),
        ("camera", "file:///etc/passwd"),
        ("camera", "concat:a|b"),
        ("camera", "http://\r\nevil"),
        ("bg", "/etc/passwd"),
        ("bg", "beach.jpg"),
        ("card", "/etc/passwd"),
        ("model", "/home/me/evil.onnx"),
        ("model", "small?quality=../../x"),
        ("output", ["/home/me/.bashrc.mp4"]),
        ("output", "frames:/tmp"),
        ("output", ["virtualcam:/dev/sda"]),
        ("overlay", ["/etc/passwd"]),
        ("overlay", ["text:x?font=/etc/passwd"]),
        ("overlay", ["clock?plate=no&font=/etc/passwd"]),
        ("overlay", ["clock.png"]),
        ("overlay", ["clock/../x.png"]),
        ("overlay", ["clock?/../x.png"]),
        ("overlay", ["clockwork"]),
        ("overlay", [["text:a"]]),
        ("overlay", {"a": 1}),
        ("overlay", ["text:\ud800"]),
        ("overlay", ["clock?format=\0"]),
        ("card_text", "\ud800"),
        ("camera", ["demo"]),
        ("camera", {}),
        ("output", [[]]),
        ("output", 5),
        ("\ud800", 1),
        ("record_start", "/home/me/x.mp4"),
        ("record-start", "x.mp4"),
        ("panel_key", "/etc/passwd"),
        ("panel-port", 1),
        ("control", False),
    ],
)
def test_the_page_names_no_file(shared_panel: Panel, key: str, value: object) -> None:
    config = shared_panel.supervisor.config
    status, answer = shared_panel.command(key, value)
    assert status == 400, answer
    assert shared_panel.supervisor.config == config


def test_every_option_with_a_text_is_decided() -> None:
    """A new option that may be a path must not be open to pages by accident."""
    texts = {option.name for option in options() if option.kind in {"text", "list"} and option.applies != "start"}
    assert texts == page_values.PLAIN_TEXTS | {"bg", "camera", "card", "model", "output", "overlay"}


def test_what_is_set_already_may_stay() -> None:
    config = Config(camera="rtsp://me:secret@cam/live", output=("call.mp4", "virtualcam"), card="away.png")
    kept = page_values.page_command("camera", "rtsp://me:***@cam/live", config)
    assert kept.value == "rtsp://me:secret@cam/live"
    assert page_values.page_command("output", ["call.mp4"], config).value == ("call.mp4",)
    assert page_values.page_command("card", "away.png", config).value == "away.png"
    for key, value in (
        ("camera", "demo"),
        ("camera", "/dev/video3"),
        ("camera", "http://phone:8080/video"),
        ("output", ("window", "virtualcam:/dev/video3")),
        ("overlay", ("clock", "text:Name?at=top-left")),
        ("model", "small?quality=high"),
        ("card_text", "Lunch / back at 3"),
        ("card", None),
    ):
        given = list(value) if isinstance(value, tuple) else value
        assert page_values.page_command(key, given, config, devices=["/dev/video3"]).value == value


# backgrounds


def jpeg(color: tuple[int, int, int] = (10, 200, 30)) -> bytes:
    pixels = np.empty((90, 160, 3), np.uint8)
    pixels[:] = color
    return cv2.imencode(".jpg", pixels)[1].tobytes()


@pytest.mark.skipif(os.name == "nt" or sys.platform == "darwin", reason="file names are UTF-8 or UTF-16 there")
def test_the_name_of_a_file_need_not_be_utf_8(panel: Panel, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir(exist_ok=True)
    (folder / os.fsdecode(b"beach-\xff.jpg")).write_bytes(jpeg())
    status, found = panel.ask("GET", "/api/backgrounds")
    assert status == 200
    [entry] = [one for one in found if one["name"].startswith("beach-")]
    assert panel.raw("GET", f"/api/backgrounds/{entry['id']}/thumbnail").status == 200
    assert panel.ask("POST", "/api/background", {"id": entry["id"]})[0] == 200
    assert panel.ask("GET", "/api/status")[0] == 200


def test_an_added_image_is_chosen_shown_and_deleted(panel: Panel, tmp_path: Path) -> None:
    response = panel.raw("POST", "/api/backgrounds?name=..%2F..%2Fmy%20beach.jpg", jpeg())
    added = json.loads(response.content)["id"]  # type: ignore[attr-defined]
    [file] = (tmp_path / "data/backgrounds").iterdir()
    assert re.fullmatch(r"[0-9a-f]{16}\.jpg", file.name), "a name of our own"
    [entry] = [one for one in panel.ask("GET", "/api/backgrounds")[1] if one["own"]]
    assert (entry["id"], entry["name"], entry["kind"]) == (added, "my beach", "image")
    assert panel.ask("POST", "/api/background", {"id": added})[0] == 200
    assert [one["id"] for one in panel.ask("GET", "/api/backgrounds")[1] if one["current"]] == [added]
    thumbnail = cv2.imdecode(
        np.frombuffer(panel.ask("GET", f"/api/backgrounds/{added}/thumbnail")[1], np.uint8), cv2.IMREAD_COLOR
    )
    assert thumbnail is not None
    assert thumbnail.shape == (135, 240, 3)
    assert np.abs(thumbnail.astype(int) - (10, 200, 30)).max() < 8
    assert panel.ask("DELETE", f"/api/backgrounds/{added}")[0] == 200
    assert not file.exists()
    assert panel.ask("POST", "/api/background", {"id": added})[0] == 404
    assert str(file) not in str(panel.supervisor.config.bg)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("text.jpg", b"hello, this is text", "'text.jpg' is a text or web page, not an image"),
        ("empty.png", b"", "'empty.png' is an empty file"),
        ("cut.jpg", jpeg()[:300], "is cut short or damaged"),
        ("program.exe", jpeg(), "'program.exe' is no image or video"),
        ("", jpeg(), "'' is no image or video"),
        ("noise.mp4", bytes(range(256)) * 4, "noise.mp4"),
        (".jpg", jpeg(), "'.jpg' is no image or video"),
        ("page.svg", b"<svg onload='alert(1)'/>", "is no image or video"),
    ],
)
def test_a_file_that_cannot_be_shown_is_refused_and_not_kept(
    shared_panel: Panel, name: str, data: bytes, message: str
) -> None:
    response = shared_panel.raw("POST", f"/api/backgrounds?name={name}", data)
    answer = json.loads(response.content)  # type: ignore[attr-defined]
    assert response.status == 400
    assert message in answer["error"]["message"]
    folders = shared_panel.ask("GET", "/api/backgrounds")[1]
    assert [one for one in folders if one["own"]] == []


def test_a_bomb_and_a_file_that_is_too_long_are_refused(shared_panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    from realtime_matte.media import image  # noqa: PLC0415
    from realtime_matte.panel import background_endpoints  # noqa: PLC0415

    monkeypatch.setattr(image, "MAX_MEGAPIXELS", 0.001)
    response = shared_panel.raw("POST", "/api/backgrounds?name=bomb.jpg", jpeg())
    assert "megapixels" in json.loads(response.content)["error"]["message"]  # type: ignore[attr-defined]
    monkeypatch.setattr(background_endpoints, "MAX_FILE", 100)
    assert shared_panel.raw("POST", "/api/backgrounds?name=long.jpg", jpeg()).status == 413


def test_options_of_a_background_are_checked_and_shown(panel: Panel) -> None:
    for entry_id, given, spec in (
        ("blur", {"strength": 0.08}, "blur:0.08"),
        ("blur", {"strength": 0.1, "lens": True}, "blur:0.1?lens=yes"),
        ("color", {"color": "#AABBCC"}, "color:#aabbcc"),
        ("room", {"brightness": 0.5, "saturation": 0}, "room?brightness=0.5&saturation=0"),
    ):
        answer = panel.ask("POST", "/api/background", {"id": entry_id, "options": given})[1]
        assert answer["status"]["background"] == spec
        [shown] = [one for one in panel.ask("GET", "/api/backgrounds")[1] if one["current"]]
        assert shown["id"] == entry_id
        values = {option["name"]: option["value"] for option in shown["options"]}
        assert {name: values[name] for name in given} == {
            name: value.lower() if isinstance(value, str) else value for name, value in given.items()
        }
    for entry_id, wrong in (
        ("blur", {"strength": "0.1&x"}),
        ("blur", {"strength": True}),
        ("color", {"color": "#12345g"}),
        ("color", {"color": "image:/etc/passwd"}),
        ("room", {"brightness": 9}),
        ("room", {"brightness": "0.1&saturation=2"}),
        ("beach", {"path": "/etc/passwd"}),
    ):
        assert panel.ask("POST", "/api/background", {"id": entry_id, "options": wrong})[0] == 400, (entry_id, wrong)


# what is kept


def test_a_preset_keeps_the_state_and_brings_it_back(panel: Panel) -> None:
    panel.command("mirror", value=True)
    panel.command("card_text", "Lunch")
    assert panel.ask("PUT", "/api/presets/With%20%C3%BCmlaut")[0] == 200
    panel.command("mirror", value=False)
    panel.command("card_text", None)
    answer = panel.ask("POST", "/api/presets/With%20%C3%BCmlaut/apply")[1]
    assert answer["status"]["options"]["mirror"] is True
    assert answer["status"]["options"]["card_text"] == "Lunch"
    assert panel.ask("GET", "/api/presets")[1] == [{"name": "With ümlaut"}]
    assert panel.ask("DELETE", "/api/presets/With%20%C3%BCmlaut")[1] == []


def test_a_preset_of_another_camera_opens_it(panel: Panel, tmp_path: Path) -> None:
    image = str(tmp_path / "portrait.png")
    cv2.imwrite(image, np.zeros((64, 96, 3), np.uint8))
    presets.save("Still", {"camera": image, "bg": "green", "output": "null"})
    panel.ask("POST", "/api/presets/Still/apply")
    wait_until(lambda: panel.supervisor.config.camera == image and panel.supervisor.current.pipeline is not None)


def test_saving_as_default_writes_the_file_of_the_next_start(panel: Panel, config_folder: Path) -> None:
    panel.command("mirror", value=True)
    answer = panel.ask("POST", "/api/save-default")[1]
    assert answer == {"file": str(config_folder / "rtmatte.toml")}
    assert load(config_folder / "rtmatte.toml")["mirror"] is True


def test_start_at_login_is_that_of_install_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeHost(tmp_path)
    fake.folder("run/systemd/system")
    fake.answer("systemctl", "")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    supervisor = Supervisor(Config(), notify=[].append)
    monkeypatch.setattr("realtime_matte.cli.install_service.open_once", lambda _config: None)
    folders = folders_in(tmp_path)
    services = Services(PanelState(supervisor), Gallery(folders), folders, host=fake.host)
    saved = SavedEndpoints(services)
    assert saved._autostart() == {"enabled": False, "supported": True, "message": ""}
    assert "it starts at your next login" in " ".join(saved._install(enabled=True))
    assert saved._autostart()["enabled"] is True
    saved._install(enabled=False)
    assert saved._autostart()["enabled"] is False
    services.workers.shutdown()


def test_the_doctor_leaves_a_running_pipeline_alone(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(_config: Config) -> list[object]:
        raise AssertionError("a device was opened")

    monkeypatch.setattr(machine, "parts", opened)
    status, answer = panel.ask("GET", "/api/doctor")
    assert status == 200
    assert {
        "title": "running",
        "state": "ok",
        "message": "scripted camera",
        "why": "",
        "hint": "",
        "fixes": [],
    } in answer
