"""Makes the Debian package of a bundle: `python packaging/deb.py --bundles dist`. See docs/install/debian.md.

The package has the bundle's folder in /usr/lib/rtmatte, so that one package fits every Debian from 11 on; beside it the
command, the man page, completions, the entry of the menu, the user unit, and options for the kernel module.
"""

import argparse
import gzip
import os
import shutil
import subprocess
import sys
import tempfile
import time
from email.utils import formatdate
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
DEBIAN: Final = ROOT / "packaging/debian"
sys.path.insert(0, str(ROOT / "packaging"))

import bundle as bundles  # noqa: E402  # beside this file

MAINTAINER: Final = "The realtime-matte authors <realtime-matte@users.noreply.github.com>"

COMPRESSION: Final = "-Zxz", "-z3"
QUICK: Final = "-Zgzip", "-z1"

CONTROL: Final = """\
Package: rtmatte
Version: {version}
Architecture: amd64
Maintainer: {maintainer}
Installed-Size: {size}
Depends: libc6 (>= 2.31), libgcc-s1, libstdc++6 (>= 9)
Recommends: v4l2loopback-dkms, libice6, libsm6, libx11-6, libxcb1, libxext6
Suggests: chromium | firefox-esr, libpipewire-0.3-0t64 | libpipewire-0.3-0
Section: video
Priority: optional
Homepage: https://github.com/realtime-matte/realtime-matte
Description: replace the background of a webcam, live
 rtmatte reads a webcam, separates the person from the background with a neural
 network of its own, puts a new background behind, and sends the result to a
 virtual camera that any video call can use. A control panel in the browser
 shows a live preview, backgrounds and settings.
 .
 Nothing leaves the machine. When there is no matte of the exact frame that
 would be shown, a standby card is shown instead.
 .
 This package brings its own Python and libraries, with the CPU build of ONNX
 Runtime.
"""

LAUNCHER: Final = """\
#!/bin/sh
unset PYTHONHOME PYTHONPATH
exec /usr/lib/rtmatte/python/bin/python3 -P -m realtime_matte "$@"
"""

OPTIONS: Final = """\
# Options of the virtual camera's kernel module, used when it is loaded. `rtmatte doctor --fix` makes the system load it
# at boot. video_nr=10: many programs use /dev/video0 as the webcam. exclusive_caps=1: Chrome and Zoom list the camera.
options v4l2loopback video_nr=10 exclusive_caps=1 card_label="Virtual Camera"
"""

COPYRIGHT: Final = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: realtime-matte
Source: https://github.com/realtime-matte/realtime-matte
Comment: The package as a whole is under the GNU General Public License,
 version 3 or later, since it contains x264 and x265. Every part with its
 licence is listed in /usr/share/doc/rtmatte/LICENCES/INVENTORY.md, whose
 folder has the texts, and the places of the sources in SOURCES.md.

Files: *
Copyright: the authors of the parts
License: GPL-3+
 On Debian systems, the text of the GNU General Public License, version 3, is
 in /usr/share/common-licenses/GPL-3.

Files: usr/lib/rtmatte/python/lib/python3.13/site-packages/realtime_matte/*
Copyright: the realtime-matte authors
License: Expat
"""


def main() -> int:
    """Make the package, check it, and print its size."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--bundles", type=Path, default=ROOT / "dist", metavar="FOLDER", help="where `make bundle` wrote"
    )
    parser.add_argument(
        "--quick", action="store_true", help="pack by gzip, for a trial: larger, and ten times as quick"
    )
    options = parser.parse_args()
    source = options.bundles / f"rtmatte-{bundles.version()}-linux-x86_64"
    if not source.is_dir():
        sys.exit(f"there is no {source}: make bundle first")
    package = options.bundles / f"rtmatte_{bundles.version()}_amd64.deb"
    with tempfile.TemporaryDirectory(dir=options.bundles) as folder:
        tree = Path(folder)
        tree.chmod(0o755)
        fill(tree, source)
        build(tree, package, compression=QUICK if options.quick else COMPRESSION)
    print(f"{package}: {package.stat().st_size / 1e6:.0f} MB")
    if not shutil.which("lintian"):
        print("lintian is not installed: not checked")
        return 0
    return subprocess.run(["lintian", "--fail-on", "error", package], check=False).returncode


def fill(tree: Path, source: Path) -> None:
    """Every file of the package."""
    copy_bundle(tree / "usr/lib/rtmatte", source)
    write(tree / "usr/bin/rtmatte", LAUNCHER, mode=0o755)
    write(tree / "usr/lib/modprobe.d/rtmatte.conf", OPTIONS)
    copy(DEBIAN / "rtmatte.service", tree / "usr/lib/systemd/user/rtmatte.service")
    copy(DEBIAN / "rtmatte.desktop", tree / "usr/share/applications/rtmatte.desktop")
    copy(ROOT / "realtime_matte/panel/static/icon.svg", tree / "usr/share/icons/hicolor/scalable/apps/rtmatte.svg")
    add_manual(tree, source)
    documents = tree / "usr/share/doc/rtmatte"
    licence = (ROOT / "LICENSE").read_text("utf-8").partition("\n\n")[2]
    text = "\n".join(f" {line}" if line.strip() else " ." for line in licence.strip().splitlines())
    write(documents / "copyright", f"{COPYRIGHT}{text}\n")
    shutil.copytree(source / "LICENCES", documents / "LICENCES")
    write_packed(documents / "changelog.gz", changelog())
    copy(DEBIAN / "overrides", tree / "usr/share/lintian/overrides/rtmatte")


def copy_bundle(target: Path, source: Path) -> None:
    """The bundle's Python, with hints that fit a package."""
    shutil.copytree(source / "python", target / "python", symlinks=True)
    package = bundles.site_packages(target / "python") / "realtime_matte"
    write(package / "_reinstall.txt", "install rtmatte again: sudo apt reinstall rtmatte\n")


def add_manual(tree: Path, source: Path) -> None:
    """The man page and the completions, made by the Python of the bundle."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder)
        bundles.run(bundles.interpreter(source / "python"), "-B", ROOT / "packaging/manual.py", made)
        write_packed(tree / "usr/share/man/man1/rtmatte.1.gz", (made / "rtmatte.1").read_text("utf-8"))
        copy(made / "rtmatte.bash", tree / "usr/share/bash-completion/completions/rtmatte")
        copy(made / "_rtmatte", tree / "usr/share/zsh/vendor-completions/_rtmatte")
        copy(made / "rtmatte.fish", tree / "usr/share/fish/vendor_completions.d/rtmatte.fish")


def changelog() -> str:
    """Debian's changelog of one entry; the changes themselves are in CHANGELOG.md."""
    seconds = int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))
    return (
        f"rtmatte ({bundles.version()}) unstable; urgency=medium\n\n"
        "  * See https://github.com/realtime-matte/realtime-matte/blob/main/CHANGELOG.md\n\n"
        f" -- {MAINTAINER}  {formatdate(seconds)}\n"
    )


def build(tree: Path, package: Path, *, compression: tuple[str, str]) -> None:
    """Write the control files, set the modes, and make the package."""
    size = sum(path.lstat().st_size for path in tree.rglob("*") if not path.is_dir()) // 1024
    control = CONTROL.format(version=bundles.version(), maintainer=MAINTAINER, size=size)
    for path in tree.rglob("*"):
        if not path.is_symlink():
            executable = path.is_dir() or (path.stat().st_mode & 0o100 and ".so" not in path.name)
            path.chmod(0o755 if executable else 0o644)
    write(tree / "DEBIAN/control", control)
    copy(DEBIAN / "postrm", tree / "DEBIAN/postrm", mode=0o755)
    subprocess.run(["dpkg-deb", "--root-owner-group", *compression, "--build", tree, package], check=True)


def write(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write a text file with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    path.chmod(mode)


def write_packed(path: Path, text: str) -> None:
    """Write a text file packed by gzip, without a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def copy(source: Path, target: Path, *, mode: int = 0o644) -> None:
    """Copy a file with its folders."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(mode)


if __name__ == "__main__":
    sys.exit(main())
