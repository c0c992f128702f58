"""Where the sources of a bundle's parts are, as a text in Markdown: what the GPL and the LGPL ask for.

The libraries inside wheels are asked for their exact versions. A library under one of these licences whose project is
not named here may not be shipped: `missing` reports it.
"""

import ctypes
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from licences import Part  # beside this file


@dataclass(frozen=True, slots=True)
class Project:
    """A project whose libraries are inside wheels.

    ``libraries``: the beginnings of their names, as in licences.LIBRARIES. ``ask``: the version that a library reports.
    ``listed``: the distribution's package in the wheel's list of what it took from there, for one that reports none.
    ``address``: of the source archive of that version, or of the project's sources.
    """

    name: str
    libraries: tuple[str, ...]
    address: str
    ask: Callable[[ctypes.CDLL], str] | None = None
    listed: str = ""


def _text(function: str, *values: object) -> Callable[[ctypes.CDLL], str]:
    def ask(library: ctypes.CDLL) -> str:
        call = library[function]
        call.restype = ctypes.c_char_p
        return str(call(*values).decode())

    return ask


def _variable(name: str) -> Callable[[ctypes.CDLL], str]:
    return lambda library: str((ctypes.c_char_p.in_dll(library, name).value or b"").decode())


def _nettle(library: ctypes.CDLL) -> str:
    return f"{library.nettle_version_major()}.{library.nettle_version_minor()}"


def _unistring(library: ctypes.CDLL) -> str:
    value = ctypes.c_int.in_dll(library, "_libunistring_version").value
    return f"{value >> 16}.{value >> 8 & 255}.{value & 255}"


def _glib(library: ctypes.CDLL) -> str:
    words = ("major", "minor", "micro")
    return ".".join(str(ctypes.c_uint.in_dll(library, f"glib_{word}_version").value) for word in words)


PROJECTS: Final = (
    Project(
        "FFmpeg",
        ("avutil", "avcodec", "avdevice", "avfilter", "avformat", "swresample", "swscale"),
        "https://ffmpeg.org/releases/ffmpeg-{version}.tar.xz",
        _text("av_version_info"),
    ),
    Project("x264", ("x264",), "https://code.videolan.org/videolan/x264"),
    Project("x265", ("x265",), "https://bitbucket.org/multicoreware/x265_git", _variable("x265_version_str")),
    Project("GMP", ("gmp",), "https://ftp.gnu.org/gnu/gmp/gmp-{version}.tar.xz", _variable("__gmp_version")),
    Project(
        "GnuTLS",
        ("gnutls",),
        "https://www.gnupg.org/ftp/gcrypt/gnutls/v3.8/gnutls-{version}.tar.xz",
        _text("gnutls_check_version", None),
    ),
    Project("Nettle", ("nettle", "hogweed"), "https://ftp.gnu.org/gnu/nettle/", _nettle),
    Project(
        "libunistring",
        ("unistring",),
        "https://ftp.gnu.org/gnu/libunistring/libunistring-{version}.tar.gz",
        _unistring,
    ),
    Project(
        "LAME",
        ("mp3lame",),
        "https://deb.debian.org/debian/pool/main/l/lame/lame_{version}.orig.tar.gz",
        _text("get_lame_version"),
    ),
    Project(
        "alsa-lib",
        ("asound",),
        "https://www.alsa-project.org/files/pub/lib/alsa-lib-{version}.tar.bz2",
        _text("snd_asoundlib_version"),
    ),
    Project(
        "Qt",
        ("Qt5", "qxcb"),
        "https://download.qt.io/archive/qt/5.15/{version}/single/qt-everywhere-opensource-src-{version}.tar.xz",
    ),
    Project("GLib", ("glib", "gthread"), "https://snapshot.debian.org/package/glib2.0/", _glib),
    Project(
        "GCC", ("quadmath",), "https://ftp.gnu.org/gnu/gcc/gcc-{version}/gcc-{version}.tar.xz", listed="libquadmath"
    ),
)

HEAD: Final = """\
# Sources

## Parts under the GPL and the LGPL

The versions are those that the libraries themselves report, or that are in the lists *.cdx.json. The addresses are the
projects' own; they are not opened when this bundle is made. Who passes this bundle on keeps these sources available to
those who get it.

| project | version | files | source |
|---|---|---|---|
"""

BUILDS: Final = """
How they were built, with patches, and the exact archive of each (of x264 and of Nettle, too, which report no complete
version): FFmpeg and what it uses, the folder av.libs, by https://github.com/PyAV-Org/pyav-ffmpeg, in the release that
the file scripts/ffmpeg-8.1.json of PyAV's source archive names; Qt by the files docker/ in the source archive of
opencv-python. GLib is Debian 11's.

## Other parts

Python, OpenSSL and libjpeg-turbo (libturbojpeg): Debian 13's source packages python3.13, openssl and libjpeg-turbo;
libffi, liblzma, PCRE and the others beside Python: Debian 11's. All are kept at https://snapshot.debian.org.
packaging/old_python.sh of rtmatte builds them. OpenCV's module is built by packaging/opencv.sh from the source archive
of opencv-python, without Intel IPP.

The lists *.cdx.json in this folder name what a wheel took from a distribution. Of each package, the source archive of
its version is on the Python Package Index; if there is none, its page links to the project's.

"""


def text(parts: list[Part], folder: Path) -> str:
    """The text for a bundle in ``folder``, which consists of ``parts``."""
    rows = [row for project in PROJECTS if (row := _row(project, parts, folder))]
    packages = [f"- {part.name} {part.version}: {_page(part)}" for part in parts if not part.inside]
    return HEAD + "\n".join(rows) + "\n" + BUILDS + "\n".join(packages) + "\n"


def missing(parts: list[Part]) -> list[str]:
    """Libraries under the GPL or the LGPL of which no source is named."""
    return [
        f"{part.name} {part.version}: {part.licence}, and packaging/sources.py names no source of it"
        for part in parts
        if _copyleft(part) and not any(_belongs(part, project) for project in PROJECTS)
    ]


def _copyleft(part: Part) -> bool:
    return part.licence.startswith(("GPL", "LGPL")) and "exception" not in part.licence and bool(part.inside)


def _belongs(part: Part, project: Project) -> bool:
    return part.name.removeprefix("lib").startswith(project.libraries) and _copyleft(part)


def _row(project: Project, parts: list[Part], folder: Path) -> str:
    mine = [part for part in parts if _belongs(part, project)]
    if not mine:
        return ""
    names = ", ".join(sorted({part.name for part in mine}))
    version = _version(project, mine, folder)
    return f"| {project.name} | {version} | {names} | {project.address.format(version=version)} |"


def _version(project: Project, mine: list[Part], folder: Path) -> str:
    """What the library reports, or else the wheel's list says, or else the version in its file's name."""
    if project.listed and (found := _listed(project.listed, folder)):
        return found
    if not project.ask:
        return max(part.version for part in mine)
    path = next(iter(sorted(folder.rglob(f"lib{project.libraries[0]}[-.]*"))))
    return project.ask(ctypes.CDLL(str(path)))


def _listed(package: str, folder: Path) -> str:
    """The version of a distribution's package in the wheels' lists, without the distribution's own number."""
    texts = (path.read_text("utf-8") for path in sorted(folder.rglob("*.cdx.json")))
    found = next(filter(None, (re.search(rf"/{package}@([\d.]+)", text) for text in texts)), None)
    return found[1] if found else ""


def _page(part: Part) -> str:
    if part.name == "realtime-matte":
        return "https://github.com/realtime-matte/realtime-matte"
    return f"https://pypi.org/project/{part.name}/{part.version}/#files"
