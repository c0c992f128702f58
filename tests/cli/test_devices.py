"""``rtmatte devices`` for cameras with few and with very many modes."""

import pytest

from realtime_matte.cli.main import main
from realtime_matte.sources.camera import CameraInfo, Mode

SIZES = ((320, 180), (640, 360), (640, 480), (1280, 720), (1920, 1080), (3840, 2160))


def printed(modes: list[Mode], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines of a camera."""
    listed = [CameraInfo("vivid", "/dev/video0", tuple(modes))]
    monkeypatch.setattr("realtime_matte.sources.camera.list_cameras", lambda: listed)
    assert main(["devices"]) == 0
    lines = capsys.readouterr().out.splitlines()
    return lines[2 : next(number for number, line in enumerate(lines) if line.startswith("virtual"))]


def test_formats_of_the_same_sizes_share_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    modes = [Mode(name, size, (30.0, 5.0)) for name in ("YUYV", "NV12") for size in SIZES[:2]]
    modes += [Mode("MJPG", SIZES[3], (60.0,))]
    assert printed(modes, monkeypatch, capsys) == [
        "      YUYV, NV12  320x180 at 30, 640x360 at 30",
        "      MJPG  1280x720 at 60",
    ]


def test_a_camera_of_hundreds_of_modes_takes_a_few_short_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    modes = [Mode(f"F{number:03}", size, (60.0, 30.0)) for number in range(120) for size in SIZES]
    modes += [Mode("YUYV", size, (60.0, 30.0)) for size in SIZES]
    lines = printed(modes, monkeypatch, capsys)
    assert lines == [
        "      YUYV, F000, F001, F002, F003, F004 and 115 more  320x180 at 60, 640x360 at 60, 640x480 at 60,",
        "            1280x720 at 60, 1920x1080 at 60, 3840x2160 at 60",
    ]
    assert max(map(len, lines)) <= 100


def test_a_size_that_a_driver_lists_twice_is_printed_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert printed([Mode("YUYV", SIZES[0], ())] * 2, monkeypatch, capsys) == ["      YUYV  320x180"]
