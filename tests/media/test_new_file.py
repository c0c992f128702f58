"""A file written whole: it has its final name only when it is complete, and no link is followed."""

import os
import sys
from pathlib import Path

import pytest

from realtime_matte.errors import SinkError
from realtime_matte.media.new_file import write_whole


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "side-by-side.png"
    for data in (b"first", b"second", b""):
        write_whole(path, data)
        assert path.read_bytes() == data
    assert [file.name for file in tmp_path.iterdir()] == ["side-by-side.png"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
@pytest.mark.parametrize("name", ["rtmatte.service", "rtmatte.service.part"])
@pytest.mark.parametrize("target", ["precious", "nowhere", "/dev/null/nothing"])
def test_no_link_is_followed(tmp_path: Path, name: str, target: str) -> None:
    (tmp_path / "precious").write_text("worth keeping")
    (tmp_path / name).symlink_to(target)
    write_whole(tmp_path / "rtmatte.service", b"new")
    assert (tmp_path / "precious").read_text() == "worth keeping"
    assert (tmp_path / "rtmatte.service").read_bytes() == b"new"
    assert not (tmp_path / "rtmatte.service").is_symlink()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["precious", "rtmatte.service"]


def test_the_part_file_of_a_killed_run_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "out.png.part").write_text("half of it")
    write_whole(tmp_path / "out.png", b"new")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("out.png", b"new")]


@pytest.mark.skipif(sys.platform == "win32", reason="no such files there")
@pytest.mark.parametrize("kind", ["a named pipe", "a device"])
def test_pipes_and_devices_are_not_replaced(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "out.png"
    if kind == "a device":
        path.symlink_to("/dev/null")
    else:
        os.mkfifo(path)
    with pytest.raises(SinkError, match=f"it is {kind}, not a file; name a file that is not there"):
        write_whole(path, b"new")
    assert not path.is_file()


def test_a_missing_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"cannot write '.*out\.png': No such file or directory; create that folder"):
        write_whole(tmp_path / "away/out.png", b"new")
