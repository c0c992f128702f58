"""Makes rtmatte.app of a macOS bundle: `python packaging/macos_app.py dist/rtmatte-0.1.0-macos-arm64`.

The app opens the control panel. macOS asks for the camera once, in the name of the app, with the text below. It is not
signed. Not run on macOS yet: see docs/install/bundle.md.
"""

import plistlib
import shutil
import sys
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parent))

import bundle as bundles  # beside this file

START: Final = """\
#!/bin/sh
exec "$(dirname "$0")/../Resources/rtmatte/rtmatte" panel --app
"""


def main() -> int:
    """Make the app beside the bundle."""
    source = Path(sys.argv[1])
    print(f"wrote {make_app(source, source.parent / 'rtmatte.app')}")
    return 0


def make_app(source: Path, app: Path) -> Path:
    """The app of the bundle in ``source``, an older one replaced."""
    shutil.rmtree(app, ignore_errors=True)
    contents = app / "Contents"
    shutil.copytree(source, contents / "Resources/rtmatte", symlinks=True)
    start = contents / "MacOS/rtmatte"
    start.parent.mkdir()
    start.write_text(START, "utf-8")
    start.chmod(0o755)
    information = {
        "CFBundleName": "rtmatte",
        "CFBundleDisplayName": "rtmatte",
        "CFBundleIdentifier": "io.github.realtime-matte",
        "CFBundleExecutable": "rtmatte",
        "CFBundlePackageType": "APPL",
        "CFBundleShortVersionString": bundles.version(),
        "CFBundleVersion": bundles.version(),
        "LSMinimumSystemVersion": "13.0",
        "NSCameraUsageDescription": "rtmatte replaces the background of your camera. Nothing leaves this Mac.",
    }
    (contents / "Info.plist").write_bytes(plistlib.dumps(information))
    return app


if __name__ == "__main__":
    sys.exit(main())
