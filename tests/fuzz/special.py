"""Configuration files, pipes, sockets, links and devices."""

import os
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path

from fuzz.drawing import GREEN, encoded, flat
from fuzz.networks import hole

Writer = Callable[[Path], None]


def content(path: Path, *, data: bytes) -> None:
    """A file."""
    path.write_bytes(data)


def pipe(path: Path) -> None:
    """A FIFO that nothing writes to."""
    os.mkfifo(path)


def unix_socket(path: Path) -> None:
    """A socket that nothing listens to."""
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


def link(path: Path, *, target: str) -> None:
    """A symbolic link."""
    path.symlink_to(target)


def folder(path: Path, *, first: Writer | None = None) -> None:
    """A folder: empty, or with ``first`` as a.jpg and a green image as b.png."""
    path.mkdir()
    if first:
        first(path / "a.jpg")
        content(path / "b.png", data=encoded(flat(GREEN), ".png"))


SETTINGS: dict[str, Writer] = {
    name: partial(content, data=data)
    for name, data in {
        "windows-users.toml": b'bg = "C:\\Users\\me\\beach.jpg"\n',
        "windows-new.toml": b'bg = "C:\\new\\beach.jpg"\n',
        "windows-good.toml": b"bg = 'C:\\new\\beach.jpg'\n",
        "relative.toml": b'bg = "beside.png"\n',
        "https-background.toml": b'bg = "https://127.0.0.1:9/beach.jpg"\n',
        "escape.toml": b'"\\u001b[31mbg" = "green"\n',
        "long.toml": b'bg = "' + b"x" * 20_000 + b'"\n',
        "deep.toml": b"bg = " + b"[" * 3000 + b"]" * 3000 + b"\n",
        "many-digits.toml": b"seconds = 1" + b"0" * 5000 + b"\n",
        "latin-1.toml": b'card-text = "caf\xe9"\n',
        "utf-16.toml": 'bg = "green"\n'.encode("utf-16"),
        "beside.png": encoded(flat(GREEN), ".png"),
        "\x1b[31mred.toml": b"nonsense = 1\n",
        "\x1b[31mred.onnx": bytes(100),
    }.items()
}
"""Writers by file name."""

SPECIAL: dict[str, Writer] = {
    **{f"fifo.{suffix}": pipe for suffix in ("jpg", "mp4", "gif", "webp", "onnx", "toml")},
    "socket.jpg": unix_socket,
    **{f"zero.{suffix}": partial(link, target="/dev/zero") for suffix in ("jpg", "mp4", "onnx", "toml")},
    "null.jpg": partial(link, target="/dev/null"),
    "loop.jpg": partial(link, target="loop.jpg"),
    "folder.jpg": folder,
    "fifo-inside": partial(folder, first=pipe),
    "links-to-devices": partial(folder, first=partial(link, target="/dev/zero")),
    "four-gigabytes-of-zeros.jpg": partial(hole, size=4 << 30),
}
"""Writers by file name."""
