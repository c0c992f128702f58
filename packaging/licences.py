"""What a bundle contains, and under which licences: `python packaging/licences.py FOLDER [--write FOLDER/LICENCES]`.

FOLDER: a bundle, or the site-packages of an environment. Prints a table, and the licence of the whole. Ends with status
1 where a part's licence is unknown, or cannot be combined with the others: then nothing may be shipped.
"""

import argparse
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path
from typing import Final

WHOLE: Final = "GPL-3.0-or-later"
"""The licence under which a bundle is distributed as a whole: x264 and x265 are GPL-2.0-or-later, libavcodec is built
as LGPL-3.0-or-later and linked with them, and OpenCV's Apache-2.0 goes together with version 3 of the GPL only."""

INTEL: Final = "LicenseRef-Intel-Simplified"

NOT_TOGETHER: Final = {"GPL-2.0-only", "OpenSSL", INTEL}
"""Licences that cannot be combined with the others in one program: GPL-2.0-only with Apache-2.0 and LGPL-3.0-or-later;
those of OpenSSL before 3.0 and of Intel IPP, which forbids to modify it and to study how it works, with the GPL."""

PACKAGES: Final = {
    "colorama": "BSD-3-Clause",
    "flatbuffers": "Apache-2.0",
    "h11": "MIT",
    "markdown-it-py": "MIT",
    "mdurl": "MIT",
    "mpmath": "BSD-3-Clause",
    "numba": "BSD-2-Clause",
    "onnxruntime": "MIT",
    "onnxruntime-gpu": "MIT",
    "opencv-python": "Apache-2.0",
    "opencv-python-headless": "Apache-2.0",
    "pip": "MIT",
    "protobuf": "BSD-3-Clause",
    "pyvirtualcam": "GPL-2.0-only",
    "realtime-matte": "MIT",
    "rich": "MIT",
    "sympy": "BSD-3-Clause",
    "uvloop": "MIT OR Apache-2.0",
    "websockets": "BSD-3-Clause",
}
"""Packages whose metadata has no licence expression; read in their licence files."""

LIBRARIES: Final = {
    "GL": "MIT",  # packaging/no_gl.c
    "Qt5": "LGPL-3.0-only",
    "SvtAv1Enc": "BSD-3-Clause-Clear",
    "X11": "MIT",
    "Xau": "MIT",
    "Xdmcp": "MIT",
    "aom": "BSD-2-Clause",
    "asound": "LGPL-2.1-or-later",
    "avcodec": "LGPL-3.0-or-later",
    "avdevice": "LGPL-3.0-or-later",
    "avdevice-none": "MIT",  # packaging/no_avdevice.c
    "avfilter": "LGPL-3.0-or-later",
    "avformat": "LGPL-3.0-or-later",
    "avif": "BSD-2-Clause",
    "avutil": "LGPL-3.0-or-later",
    "brotli": "MIT",
    "bsd": "BSD-3-Clause",
    "bz2": "bzip2-1.0.6",
    "crypto": "OpenSSL",
    "dav1d": "BSD-2-Clause",
    "drm": "MIT",
    "ffi": "MIT",
    "freetype": "FTL",
    "gfortran": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "glib": "LGPL-2.1-or-later",
    "gmp": "LGPL-3.0-or-later",
    "gnutls": "LGPL-2.1-or-later",
    "gthread": "LGPL-2.1-or-later",
    "harfbuzz": "MIT-Modern-Variant",
    "hogweed": "LGPL-3.0-or-later",
    "jpeg": "IJG AND BSD-3-Clause",
    "lcms2": "MIT",
    "llvmlite": "BSD-2-Clause AND Apache-2.0 WITH LLVM-exception",
    "lzma": "0BSD",
    "mp3lame": "LGPL-2.0-or-later",
    "nettle": "LGPL-3.0-or-later",
    "onnxruntime": "MIT",
    "opencore": "Apache-2.0",
    "openblas": "BSD-3-Clause",
    "openjp2": "BSD-2-Clause",
    "opus": "BSD-3-Clause",
    "pcre": "BSD-3-Clause",
    "pcre2": "BSD-3-Clause",
    "png16": "libpng-2.0",
    "python": "Python-2.0",
    "qxcb": "LGPL-3.0-only",
    "quadmath": "LGPL-2.1-or-later",
    "scipy_openblas": "BSD-3-Clause",
    "sharpyuv": "BSD-3-Clause",
    "ssl": "OpenSSL",
    "swresample": "LGPL-3.0-or-later",
    "swscale": "LGPL-3.0-or-later",
    "tiff": "libtiff",
    "turbojpeg": "IJG AND BSD-3-Clause",
    "unistring": "LGPL-3.0-or-later",
    "uuid": "BSD-3-Clause",
    "vpl": "MIT",
    "vpx": "BSD-3-Clause",
    "webp": "BSD-3-Clause",
    "x264": "GPL-2.0-or-later",
    "x265": "GPL-2.0-or-later",
    "xcb": "MIT",
    "xkbcommon": "MIT",
    "z": "Zlib",
    "zstd": "BSD-3-Clause",
}
"""Shared libraries by the beginning of their name after ``lib``; the longest that fits counts."""

INSIDE: Final = {
    "CPython": "Python-2.0",
    "OpenSSL": "Apache-2.0",  # 3.x, linked into CPython's module _ssl
}
"""What a bundle has beside packages and files: linked statically into something else."""

IPP: Final = re.compile(rb"Intel IPP:\s+(\d[\d.]+)")
"""In the text about its build that OpenCV's module has, where Intel IPP is linked into it."""

LICENCE_FILE: Final = re.compile(r"(licen[cs]e|copying|notice|authors|thirdparty|third.party)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """A package or a shared library, what it came in, and its licence as an SPDX expression; empty if unknown."""

    name: str
    version: str
    inside: str
    licence: str


def packages(folder: Path) -> Iterator[Part]:
    """The Python packages below ``folder``."""
    for metadata in sorted(folder.rglob("*.dist-info/METADATA")):
        fields = HeaderParser().parsestr(metadata.read_text("utf-8"))
        name = fields["Name"]
        licence = fields["License-Expression"] or PACKAGES.get(name.lower().replace("_", "-"), "")
        yield Part(name, fields["Version"], "", licence)


def libraries(folder: Path) -> Iterator[Part]:
    """The shared libraries of Linux and macOS below ``folder`` that are no modules of Python."""
    for path in sorted([*folder.rglob("lib*.so*"), *folder.rglob("lib*.dylib")]):
        if path.is_symlink() or not path.is_file():
            continue
        name = re.sub(r"-[0-9a-f]{8}.*|\.so.*|(\.\d+)*\.dylib", "", path.name.removeprefix("lib")).rstrip("_-")
        found = re.search(r"\.so\.([\d.]+)|\.([\d.]+)\.dylib", path.name)
        version = (found[1] or found[2]).strip(".") if found else ""
        yield Part(f"lib{name}", version, path.parent.name, library_licence(name))


def inside_opencv(folder: Path) -> Iterator[Part]:
    """Intel IPP, where OpenCV's module below ``folder`` has it: OpenCV's own wheels for x86 do."""
    for path in sorted([*folder.rglob("cv2/cv2*.so"), *folder.rglob("cv2/cv2*.pyd")]):
        if found := IPP.search(path.read_bytes()):
            yield Part("Intel IPP", found[1].decode(), path.name, INTEL)


def library_licence(name: str) -> str:
    """The licence of a library by its name without ``lib``; empty if unknown."""
    fitting = [known for known in LIBRARIES if name.startswith(known)]
    if "z" in fitting and name != "z":
        fitting.remove("z")
    if "ssl" in fitting and len(fitting) == 1 and name != "ssl":
        return ""
    return LIBRARIES[max(fitting, key=len)] if fitting else ""


def inventory(folder: Path) -> list[Part]:
    """Every part."""
    inside = [Part(name, "", "python", licence) for name, licence in INSIDE.items()]
    return [*packages(folder), *libraries(folder), *inside_opencv(folder), *inside]


def problems(parts: list[Part]) -> list[str]:
    """Why these parts cannot be shipped together; empty if they can."""
    unknown = [f"{part.name} {part.version}: unknown licence" for part in parts if not part.licence]
    refused = [
        f"{part.name} {part.version}: {part.licence} cannot be combined with the other parts"
        for part in parts
        if part.licence in NOT_TOGETHER
    ]
    return unknown + refused


def table(parts: list[Part]) -> str:
    """The parts as a table in Markdown."""
    rows = sorted({(part.inside, part.name, part.version, part.licence or "UNKNOWN") for part in parts})
    lines = [f"| {name} | {version} | {inside or 'package'} | {licence} |" for inside, name, version, licence in rows]
    return "\n".join(["| part | version | in | licence |", "|---|---|---|---|", *lines])


def copy_texts(folder: Path, target: Path) -> None:
    """Copy every licence file, and every list of parts, of the packages below ``folder`` to ``target``/package/."""
    for info in sorted(folder.rglob("*.dist-info")):
        home = target / info.name.removesuffix(".dist-info")
        top = info.parent / info.name.partition("-")[0]
        candidates = [*info.rglob("*"), *(top.glob("*") if top.is_dir() else ())]
        for path in candidates:
            wanted = LICENCE_FILE.search(path.name) or path.name.endswith(".cdx.json")
            if path.is_file() and wanted and not path.name.endswith((".py", ".pyc")):
                home.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, home / path.name)


def main() -> int:
    """Print the table; write it with the texts of the licences."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="a bundle, or site-packages")
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="also write the table and the licences' texts")
    options = parser.parse_args()
    parts = inventory(options.folder)
    text = f"{table(parts)}\n\nThe whole: {WHOLE}"
    print(text)
    if options.write:
        options.write.mkdir(parents=True, exist_ok=True)
        (options.write / "INVENTORY.md").write_text(text + "\n", "utf-8")
        copy_texts(options.folder, options.write)
    for problem in (found := problems(parts)):
        print(f"cannot be shipped: {problem}", file=sys.stderr)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
