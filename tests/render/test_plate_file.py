"""A plate in a file: the same after reading, for its user alone; what is damaged or foreign is refused in one line."""

import io
import json
import os
import random
import re
import stat
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from realtime_matte.errors import BadFile, MatteError, MissingFile, SinkError
from realtime_matte.render import plate_file
from realtime_matte.render.plate_file import KEY, check_plate_writable, read_plate, write_plate
from realtime_matte.render.stored_plate import PlateOrigin, StoredPlate

ORIGIN = PlateOrigin("Camera Ä", (1280, 720), "size 640x360, mirror on", 156)
posix = pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")


def plate() -> StoredPlate:
    numbers = np.random.default_rng(1)
    colours = numbers.integers(0, 256, (36, 64, 3), np.uint8)
    return StoredPlate(colours, numbers.integers(0, 256, (36, 64), np.uint8), ORIGIN)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "room.png"
    write_plate(path, plate())
    return path


def test_it_is_read_as_it_was_written(path: Path) -> None:
    """Colours also where the validity is 0."""
    read, written = read_plate(path), plate()
    assert np.array_equal(read.colours, written.colours)
    assert np.array_equal(read.validity, written.validity)
    assert read.origin == ORIGIN
    assert read.colours.flags.c_contiguous


@posix
@pytest.mark.parametrize("existing", [None, 0o644, 0o666])
def test_only_its_user_can_read_it_whatever_was_there(tmp_path: Path, existing: int | None) -> None:
    path = tmp_path / "room.png"
    if existing is not None:
        path.write_bytes(b"old")
        path.chmod(existing)
    mask = os.umask(0)
    try:
        write_plate(path, plate())
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["room.png"]


@posix
def test_a_link_is_replaced_and_what_it_leads_to_is_kept(tmp_path: Path) -> None:
    other, path = tmp_path / "other", tmp_path / "room.png"
    other.write_bytes(b"kept")
    path.symlink_to(other)
    write_plate(path, plate())
    assert other.read_bytes() == b"kept"
    assert not path.is_symlink()


def test_a_file_that_cannot_be_written_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="cannot write"):
        write_plate(tmp_path / "missing/room.png", plate())
    assert list(tmp_path.iterdir()) == []


def test_only_a_plate_or_an_empty_file_may_be_replaced(path: Path) -> None:
    """Also a plate of another version, or one that is damaged."""
    check_plate_writable(path)
    check_plate_writable(path.with_name("new.png"))
    path.write_bytes(png({**GOOD, "version": 2})[:-20])
    check_plate_writable(path)
    path.write_bytes(b"")
    check_plate_writable(path)
    for foreign in (png(None), b"text", KEY.encode()):
        path.write_bytes(foreign)
        with pytest.raises(SinkError, match="a file that is not a plate of an empty room has that name; name another"):
            check_plate_writable(path)


@posix
def test_a_file_that_cannot_be_read_is_not_replaced(path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read every file")
    path.chmod(0o200)
    with pytest.raises(SinkError, match="cannot write"):
        check_plate_writable(path)


def test_a_file_that_is_missing_or_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match=r"cannot read the plate '.*room\.png': No such file"):
        read_plate(tmp_path / "room.png")
    with pytest.raises(MatteError):
        read_plate(tmp_path)


def png(about: object, *, mode: str = "RGBA", size: tuple[int, int] = (64, 36)) -> bytes:
    info, data = PngInfo(), io.BytesIO()
    if about is not None:
        info.add_text(KEY, about if isinstance(about, str) else json.dumps(about))
    Image.new(mode, size).save(data, "PNG", pnginfo=info)
    return data.getvalue()


GOOD = {"version": 1, "camera": "c", "mode": [64, 36], "view": "v", "exposure": None}


def bomb() -> bytes:
    """A plate's header that says 40,000 x 40,000, and little behind it."""
    data = bytearray(png(GOOD))
    data[16:24] = (40_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")
    return bytes(data)


def test_the_good_one_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(png(GOOD))
    assert read_plate(path).origin.mode == (64, 36)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text",
        b"\x80\x04cos\nsystem\n",
        png(None),
        png("{"),
        png("[" * 100_000),
        png([]),
        png('"text"'),
        png("1"),
        png("null"),
        png({"version": 1}),
        png({**GOOD, "version": 2}),
        png({**GOOD, "more": 1}),
        png({**GOOD, "mode": [64]}),
        png({**GOOD, "mode": "64x36"}),
        png({**GOOD, "mode": [0, 36]}),
        png({**GOOD, "mode": [64, 10**3000]}),
        png({**GOOD, "camera": None}),
        png({**GOOD, "exposure": "1"}),
        png({**GOOD, "exposure": True}),
        png({**GOOD, "camera": "x" * 10_000}),
        png(GOOD, mode="RGB"),
        png(GOOD, size=(2000, 1500)),
        bomb(),
    ],
    ids=range(24),
)
def test_what_is_no_plate_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "room.png"
    path.write_bytes(data)
    with pytest.raises(BadFile, match=r"'.*room\.png' is not a plate of an empty room, or is damaged; make it"):
        read_plate(path)


def test_a_file_that_is_too_large_is_refused_before_it_is_decoded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plate_file, "MAX_BYTES", 2_000)
    monkeypatch.setattr(plate_file, "_decode", None)
    with pytest.raises(BadFile, match="is larger than"):
        read_plate(path)


def test_a_damaged_file_is_read_or_refused(path: Path) -> None:
    """400 of them: bytes changed, cut or added."""
    whole, draw = path.read_bytes(), random.Random(7)  # noqa: S311 -- the same on every run
    refused = 0
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(draw.choice((1, 3, 30))):
            data[draw.randrange(len(data) if draw.random() < 0.3 else 300)] = draw.randrange(256)
        path.write_bytes(data[: draw.choice((len(data), draw.randrange(len(data))))])
        try:
            read_plate(path)
        except BadFile:
            refused += 1
    assert refused > 200


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (ORIGIN, ""),
        (replace(ORIGIN, exposure=12), ""),
        (replace(ORIGIN, camera="other"), "it is of Camera Ä, and the camera is other"),
        (replace(ORIGIN, mode=(640, 480)), "it is of 1280x720, and the camera gives 640x480"),
        (replace(ORIGIN, view="size 640x360, mirror off"), "it was made with size .* on, and this run has size .* off"),
    ],
)
def test_what_a_plate_was_made_with_is_compared(now: PlateOrigin, reason: str) -> None:
    assert re.fullmatch(reason, ORIGIN.difference(now))


def test_another_grid_gets_the_same_plate() -> None:
    colours = np.full((36, 64, 3), (10, 20, 30), np.uint8)
    validity = np.zeros((36, 64), np.uint8)
    validity[:, 32:] = 255
    found = StoredPlate(colours, validity, ORIGIN).on_grid((18, 32))
    assert np.array_equal(found.colours, np.full((18, 32, 3), (10, 20, 30), np.uint8))
    assert found.validity[:, 16:].min() == 255
    assert found.validity[:, :16].max() == 0
