"""Numbered PNGs in a folder."""

import errno
import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes.other_writer import other_writer

from realtime_matte.errors import SinkError, SpecError
from realtime_matte.frame import Pixels
from realtime_matte.sinks import frames

SIZE = (16, 8)
OPAQUE = np.random.default_rng(0).integers(0, 256, (8, 16, 3), np.uint8)
TRANSPARENT = np.random.default_rng(1).integers(0, 256, (8, 16, 4), np.uint8)


def folder(path: Path, *, alpha: bool = False, options: str = "") -> frames.Frames:
    return frames.open(f"{path}{options}", size=SIZE, fps=30.0, alpha=alpha)


@pytest.mark.parametrize("image", [OPAQUE, TRANSPARENT])
def test_frames_are_numbered_and_exact(tmp_path: Path, image: Pixels) -> None:
    sink = folder(tmp_path / "new/out", alpha=image is TRANSPARENT)
    for index in range(3):
        sink.send(np.roll(image, index, axis=0), index / 30)
    sink.close()
    assert sorted(path.name for path in (tmp_path / "new/out").iterdir()) == ["000000.png", "000001.png", "000002.png"]
    read = cv2.imread(str(tmp_path / "new/out/000002.png"), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(read, np.roll(image, 2, axis=0))
    assert sink.alpha == (image is TRANSPARENT)


def test_existing_images_are_kept(tmp_path: Path) -> None:
    (tmp_path / "000000.png").write_text("worth keeping")
    (tmp_path / "holiday.png").write_text("not numbered")
    with pytest.raises(SinkError, match=r"already has 1 numbered images; add \?overwrite=yes to replace them, or"):
        folder(tmp_path)
    assert (tmp_path / "000000.png").read_text() == "worth keeping"


def test_other_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "holiday.png").write_text("not numbered")
    folder(tmp_path).send(OPAQUE, 0.0)
    assert (tmp_path / "holiday.png").read_text() == "not numbered"


def test_frames_are_replaced_when_requested(tmp_path: Path) -> None:
    for name in ("000000.png", "000001.png", "000002.png", "holiday.png"):
        (tmp_path / name).write_text("of an earlier run")
    sink = folder(tmp_path, options="?overwrite=yes")
    sink.send(OPAQUE, 0.0)
    sink.close()
    assert np.array_equal(cv2.imread(str(tmp_path / "000000.png")), OPAQUE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000000.png", "holiday.png"]


def test_a_run_without_frames_replaces_nothing(tmp_path: Path) -> None:
    (tmp_path / "000000.png").write_text("of an earlier run")
    folder(tmp_path, options="?overwrite=yes").close()
    assert (tmp_path / "000000.png").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not lock folders")
@pytest.mark.parametrize("options", ["", "?overwrite=yes"])
def test_a_folder_that_is_being_written_is_refused(tmp_path: Path, options: str) -> None:
    """Also before its first image, until it is complete; of another program, or of another output of this one."""
    first = folder(tmp_path, options="?overwrite=yes")
    busy = "cannot write '.*': another program is writing it; end that program, or name another folder"
    for index in range(2):
        with pytest.raises(SinkError, match=busy):
            folder(tmp_path, options=options)
        first.send(OPAQUE, index / 30)
    first.close()
    first.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000000.png", "000001.png"]
    second = folder(tmp_path, options="?overwrite=yes")
    second.send(OPAQUE, 0.0)
    second.close()
    assert [path.name for path in tmp_path.iterdir()] == ["000000.png"]


def test_a_folder_that_was_refused_is_not_kept_locked(tmp_path: Path) -> None:
    (tmp_path / "000000.png").touch()
    with pytest.raises(SinkError, match="already has 1"):
        folder(tmp_path)
    folder(tmp_path, options="?overwrite=yes").close()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_the_folder_of_a_program_that_was_killed_is_written(tmp_path: Path) -> None:
    with other_writer("frames", tmp_path), pytest.raises(SinkError, match="another program is writing it"):
        folder(tmp_path)
    folder(tmp_path).send(OPAQUE, 0.0)
    assert (tmp_path / "000000.png").exists()


def test_a_file_in_place_of_the_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(SinkError, match=r"cannot write '.*out': File exists; a file has that name; choose another one"):
        folder(tmp_path / "out")


READ_ONLY = r"cannot write '.*out': Read-only file system; choose a folder that you may write to"


@pytest.mark.parametrize("options", ["", "?overwrite=yes"])
def test_a_folder_that_takes_no_files_is_refused_before_the_first_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: str
) -> None:
    """By trying: permissions do not show a read-only disk, and mean nothing to root."""
    (tmp_path / "out").mkdir()
    create = os.open

    def refuse(path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_CREAT:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        return create(path, flags, mode)

    with monkeypatch.context() as context:
        context.setattr(os, "open", refuse)
        with pytest.raises(SinkError, match=READ_ONLY):
            folder(tmp_path / "out", options=options)
    folder(tmp_path / "out", options=options).send(OPAQUE, 0.0)  # the folder is not locked any more
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["000000.png"]


def test_opening_leaves_nothing_in_the_folder(tmp_path: Path) -> None:
    folder(tmp_path).close()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_goes_away_is_reported(tmp_path: Path) -> None:
    sink = folder(tmp_path / "out")
    (tmp_path / "out").rmdir()
    with pytest.raises(
        SinkError, match=r"cannot write '.*000000\.png': No such file or directory; create that folder f"
    ):
        sink.send(OPAQUE, 0.0)
    sink.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has another message")
def test_a_folder_that_becomes_a_file_is_reported(tmp_path: Path) -> None:
    sink = folder(tmp_path / "out")
    (tmp_path / "out").rmdir()
    (tmp_path / "out").touch()
    with pytest.raises(SinkError, match=r"cannot write '.*000000\.png': Not a directory; create that folder first"):
        sink.send(OPAQUE, 0.0)


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
@pytest.mark.parametrize("name", ["000000.part", "000000.png.part", "000000.png", "000001.png.part"])
@pytest.mark.parametrize("target", ["precious", "nowhere"])
def test_no_link_is_followed(tmp_path: Path, name: str, target: str) -> None:
    """Every name is predictable: in a shared folder, another user may have made a link of that name."""
    (tmp_path / "precious").write_text("worth keeping")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).symlink_to(tmp_path / target)
    sink = folder(tmp_path / "out", options="?overwrite=yes")
    for time in (0.0, 1.0):
        sink.send(OPAQUE, time)
    sink.close()
    assert (tmp_path / "precious").read_text() == "worth keeping"
    assert not (tmp_path / "nowhere").exists()
    assert np.array_equal(cv2.imread(str(tmp_path / "out/000000.png")), OPAQUE)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in its file system")
@pytest.mark.parametrize("name", ["000000.part", "000000.png.part"])
def test_a_named_pipe_does_not_hold_it_up(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    folder(tmp_path).send(OPAQUE, 0.0)
    assert np.array_equal(cv2.imread(str(tmp_path / "000000.png")), OPAQUE)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in its file system")
def test_a_named_pipe_in_place_of_an_image_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "000000.png")
    with pytest.raises(SinkError, match=r"cannot write '.*000000\.png': it is a named pipe, not a file"):
        folder(tmp_path, options="?overwrite=yes").send(OPAQUE, 0.0)


def test_a_folder_has_to_be_named() -> None:
    with pytest.raises(SpecError, match="'frames:' needs a folder name; such as frames:out"):
        frames.open("", size=SIZE, fps=30.0, alpha=False)
