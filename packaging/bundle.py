"""Makes a bundle, a folder that runs without an installed Python: `python packaging/bundle.py --python PREFIX`.

PREFIX: a Python that can be moved, with pip: of `packaging/old_python.sh` on Linux, of `uv python install` elsewhere.
It is copied, with rtmatte and its libraries, the CPU build of ONNX Runtime, the weights and a launcher. OpenCV is built
without Intel IPP: on Linux by `packaging/opencv.sh`, elsewhere by pip. See docs/install/bundle.md.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PACKAGING: Final = ROOT / "packaging"
sys.path.insert(0, str(PACKAGING))

import licences  # noqa: E402  # beside this file
import linux_libraries  # noqa: E402
import sources  # noqa: E402

UNUSED: Final = (
    "include",
    "share",
    "lib/*.a",
    "lib/pkgconfig",
    "lib/python3.*/config-3*",
    "lib/python3.*/ensurepip",
    "lib/python3.*/idlelib",
    "lib/python3.*/lib2to3",
    "lib/python3.*/pydoc_data",
    "lib/python3.*/test",
    "lib/python3.*/tkinter",
    "lib/python3.*/turtledemo",
    "{site}/cv2/data/*.xml",
    "{site}/llvmlite/tests",
    "{site}/numba/**/tests",
    "{site}/numba/cuda/**/*.bc",
    "{site}/numpy/**/tests",
    "{site}/numpy/_core/include",
    "{site}/numpy/_core/lib",
    "{site}/numpy/f2py",
    "{site}/onnxruntime/datasets",
    "{site}/onnxruntime/quantization",
    "{site}/onnxruntime/tools",
    "{site}/onnxruntime/transformers",
    "{site}/**/*.pyi",
    "{site}/**/*.pxd",
    "**/__pycache__",
)
"""Parts of the libraries that rtmatte never uses: below the folder of Python; ``{site}`` is its site-packages."""

XZ_PRESET: Final = "-3"
"""A third of the time of xz's own preset, for a few per cent of the size."""

LAUNCHER: Final = """\
#!/bin/sh
# rtmatte without an installed Python. This folder may be moved, and this file may be linked to from elsewhere.
here=$(readlink -f "$0")
unset PYTHONHOME PYTHONPATH
exec "${here%/*}/python/bin/python3" -P -m realtime_matte "$@"
"""

WINDOWS_LAUNCHER: Final = """\
@echo off
set PYTHONHOME=
set PYTHONPATH=
"%~dp0python\\python.exe" -P -m realtime_matte %*
"""

README: Final = """\
rtmatte {version}, bundle for {system}

    {start}            the command; "{start} panel" opens the control panel in your browser
    {start} doctor     what your system needs, and how to install it

Nothing has to be installed, and the folder can be moved. Remove it to remove rtmatte; what it keeps in your home folder
is listed in the documentation, under Install, Remove.

This bundle has the CPU build of ONNX Runtime: networks run on the processor, not on a graphics card. For an NVIDIA GPU
install rtmatte with pip.{other}

Licence: rtmatte itself is under the MIT licence. The bundle as a whole is under the GNU General Public License, version
3 or later, since it contains x264 and x265: see the folder LICENCES.
"""

OWN_USE: Final = """
This bundle is for the use of the person or organisation that made it. It may not be passed on, because licences of its
parts cannot be combined: the documentation, under Install, Licences, names them.
"""

OTHER_SYSTEMS: Final = """

The library pyvirtualcam, which sends to the virtual camera of OBS on this system, is under the GPL, version 2 only, and
may not be passed on together with OpenCV. Install it once, for yourself:

    {python} -m pip install pyvirtualcam"""


def main() -> int:
    """Make the folder and its archive, and print their sizes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--python", type=Path, required=True, metavar="PREFIX", help="a Python that can be moved")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", metavar="FOLDER", help="where the result goes")
    parser.add_argument("--opencv", type=Path, metavar="FILE", help="Linux: OpenCV's module of packaging/opencv.sh")
    parser.add_argument("--own-use", action="store_true", help="report parts that may not be passed on, and go on")
    parser.add_argument("--no-archive", action="store_true", help="the folder only")
    options = parser.parse_args()
    bundle = make_folder(options.python, options.out, opencv=options.opencv)
    if found := write_licences(bundle):
        print("this bundle may not be passed on:", *found, sep="\n", file=sys.stderr)
        if not options.own_use:
            return 1
        with (bundle / "README.txt").open("a", encoding="utf-8") as file:
            file.write(OWN_USE)
    print(f"{bundle}: {size_mb(bundle)} MB")
    if not options.no_archive:
        packed = make_archive(bundle)
        print(f"{packed}: {packed.stat().st_size / 1e6:.0f} MB")
    return 0


def make_folder(prefix: Path, out: Path, *, opencv: Path | None) -> Path:
    """The bundle as a folder in ``out``, an older one replaced; without its folder of licences."""
    bundle = out / f"rtmatte-{version()}-{system_name()}"
    shutil.rmtree(bundle, ignore_errors=True)
    python = bundle / "python"
    shutil.copytree(prefix, python, symlinks=True)
    for mark in python.rglob("EXTERNALLY-MANAGED"):  # of uv: nothing may be installed into it
        mark.unlink()
    install(interpreter(python))
    site = site_packages(python)
    if sys.platform == "linux":
        if opencv:
            linux_libraries.use_own_opencv(site, opencv)
            run(interpreter(python), PACKAGING / "opencv_names.py", site / "realtime_matte")
        else:
            linux_libraries.share_ffmpeg(site)
        linux_libraries.strip_modules(site)
        linux_libraries.move_glib(python, site / "opencv_python.libs")
        linux_libraries.add_empty_gl(site / "opencv_python.libs")
    keep_pip = sys.platform != "linux"  # for pyvirtualcam
    remove_unused(python, site, keep_pip=keep_pip)
    isolate(python)
    hint = "install rtmatte again: unpack the bundle again\n"
    (site / "realtime_matte/_reinstall.txt").write_text(hint, "utf-8")
    if platform.machine().lower() in {"x86_64", "amd64"}:
        run(interpreter(python), PACKAGING / "kernels.py", site / "realtime_matte/_kernels")
    run(interpreter(python), "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", python / "lib")
    write_launcher(bundle)
    return bundle


def version() -> str:
    """The version of rtmatte in this checkout."""
    text = (ROOT / "realtime_matte/__init__.py").read_text("utf-8")
    return text.partition('__version__ = "')[2].partition('"')[0]


def system_name() -> str:
    """Such as linux-x86_64."""
    names = {"linux": "linux", "darwin": "macos", "win32": "windows"}
    return f"{names[sys.platform]}-{platform.machine().lower()}"


def interpreter(python: Path) -> Path:
    """The interpreter of the Python in the folder ``python``."""
    return python / ("python.exe" if sys.platform == "win32" else "bin/python3")


def site_packages(python: Path) -> Path:
    """Its folder of packages."""
    return next(iter([*python.glob("Lib/site-packages"), *python.glob("lib/python3.*/site-packages")]))


def requirements() -> list[str]:
    """What rtmatte needs, with the CPU build of ONNX Runtime and without pyvirtualcam."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    names = [line.partition(";")[0].strip() for line in project["dependencies"]]
    return [name for name in names if not name.startswith(("pyvirtualcam", "onnxruntime-gpu"))]


def install(python: Path) -> None:
    """Install rtmatte and its libraries. Where OpenCV's wheel has Intel IPP, pip compiles it without (20 minutes)."""
    compiled = sys.platform != "linux" and platform.machine().lower() in {"x86_64", "amd64"}
    if compiled:
        os.environ["CMAKE_ARGS"] = "-DWITH_IPP=OFF"
    pip = (python, "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check")
    quiet = ("--root-user-action", "ignore", "--no-warn-script-location")
    own = ("--no-binary", "opencv-python") if compiled else ()
    run(*pip, *quiet, *own, "--constraint", PACKAGING / "constraints.txt", *requirements())
    run(*pip, *quiet, "--no-deps", ROOT)


def remove_unused(python: Path, site: Path, *, keep_pip: bool) -> None:
    """Remove what rtmatte never uses."""
    patterns = [pattern.replace("{site}", site.relative_to(python).as_posix()) for pattern in UNUSED]
    if not keep_pip:
        patterns += [f"{site.relative_to(python).as_posix()}/pip*"]
    for pattern in patterns:
        for path in sorted(python.glob(pattern), reverse=True):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    if sys.platform != "win32":  # scripts whose first line has the path of this machine
        kept = {"python3", os.path.basename(os.path.realpath(python / "bin/python3"))}  # noqa: PTH119
        for path in (python / "bin").iterdir():
            if path.name not in kept:
                path.unlink()


def isolate(python: Path) -> None:
    """Packages in the user's home folder belong to another Python: do not import them."""
    source = next(iter([*python.glob("Lib/site.py"), *python.glob("lib/python3.*/site.py")]))
    text = source.read_text("utf-8")
    assert "\nENABLE_USER_SITE = None\n" in text
    source.write_text(text.replace("\nENABLE_USER_SITE = None\n", "\nENABLE_USER_SITE = False\n"), "utf-8")


def write_launcher(bundle: Path) -> None:
    """The command, and a text that says what it is."""
    windows = sys.platform == "win32"
    launcher = bundle / ("rtmatte.cmd" if windows else "rtmatte")
    launcher.write_text(WINDOWS_LAUNCHER if windows else LAUNCHER, "utf-8")
    launcher.chmod(0o755)
    start = "rtmatte" if windows else "./rtmatte"
    python = interpreter(bundle / "python").relative_to(bundle)
    other = "" if sys.platform == "linux" else OTHER_SYSTEMS.format(python=python)
    text = README.format(version=version(), system=system_name(), start=start, other=other)
    (bundle / "README.txt").write_text(text, "utf-8")


def write_licences(bundle: Path) -> list[str]:
    """Write the inventory, the texts and the sources. Returns why the bundle may not be passed on; empty if it may."""
    parts = licences.inventory(bundle)
    target = bundle / "LICENCES"
    target.mkdir()
    (target / "INVENTORY.md").write_text(f"{licences.table(parts)}\n\nThe whole: {licences.WHOLE}\n", "utf-8")
    licences.copy_texts(bundle, target)
    shutil.copyfile(ROOT / "LICENSE", target / "rtmatte-MIT.txt")
    shutil.copyfile(PACKAGING / "GPL-3.txt", target / "GPL-3.txt")
    (target / "SOURCES.md").write_text(sources.text(parts, bundle), "utf-8")
    return licences.problems(parts) + sources.missing(parts)


def make_archive(bundle: Path) -> Path:
    """A .tar.xz of the folder, or a .zip on Windows. The program xz uses all processors, where there is one."""
    if sys.platform == "win32":
        packed = bundle.parent / f"{bundle.name}.zip"
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(bundle.rglob("*")):
                archive.write(path, path.relative_to(bundle.parent))
        return packed
    packed = bundle.parent / f"{bundle.name}.tar.xz"
    plain = bundle.parent / f"{bundle.name}.tar"
    with tarfile.open(plain, "w") as archive:
        archive.add(bundle, bundle.name, filter=_of_root)
    run("xz", "--force", "-T0", XZ_PRESET, plain)
    return packed


def _of_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member


def size_mb(folder: Path) -> int:
    """Size of the files of a folder, in MB."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir()) // 1_000_000


def run(*words: object) -> None:
    """Run a program without this shell's Python settings; its failure ends this one."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    subprocess.run([str(word) for word in words], check=True, env=environment)


if __name__ == "__main__":
    sys.exit(main())
