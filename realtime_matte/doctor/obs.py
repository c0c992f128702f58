"""OBS's virtual camera, which macOS and Windows borrow."""

import sys
from collections.abc import Callable
from typing import Final

from realtime_matte.doctor.finding import Finding, good
from realtime_matte.doctor.host import Host

PART: Final = "obs"
WHY: Final = "this system has no virtual camera of its own; the one of OBS is used"
EXTENSION: Final = "com.obsproject.obs-studio.mac-camera-extension"
CAMERAS: Final = {
    "OBS Virtual Camera": "{A3FCE0F5-3493-419F-958A-ABA1250EC20B}",
    "Unity Video Capture": "{5C2CD55C-92AD-4999-8666-912BD3E70010}",
}
"""The cameras pyvirtualcam knows on Windows, by the class they are registered under."""


def on_macos(host: Host) -> Finding:
    """OBS, and its camera extension, which the user has to allow."""
    if not (host.root / "Applications/OBS.app").is_dir():
        return Finding(PART, "warning", "OBS is not in /Applications", "brew install --cask obs", WHY)
    answer = host.ask(["systemextensionsctl", "list"])
    lines = [line for line in answer.text.splitlines() if EXTENSION in line] if answer else []
    if any("[activated enabled]" in line for line in lines):
        return good(PART, "its camera extension is active")
    if any("waiting for user" in line for line in lines):
        mend = "allow it in System Settings, General, Login Items & Extensions, Camera Extensions"
        return Finding(PART, "warning", "its camera extension waits to be allowed", mend, WHY)
    mend = "start OBS, press Start Virtual Camera, allow its extension, press Stop, and quit OBS"
    return Finding(PART, "warning", "its camera extension is not active", mend, WHY)


def on_windows(*, registered: Callable[[str], bool]) -> Finding:
    """``registered``: whether a class of that number is known to Windows."""
    found = [name for name, number in CAMERAS.items() if registered(number)]
    if found:
        return good(PART, f"{' and '.join(found)}: registered")
    return Finding(PART, "warning", "no virtual camera is registered", "winget install OBSProject.OBSStudio", WHY)


def registered(number: str) -> bool:
    """By Windows' registry."""
    if sys.platform != "win32":
        return False
    import winreg

    try:
        winreg.CloseKey(winreg.OpenKey(winreg.HKEY_CLASSES_ROOT, rf"CLSID\{number}"))
    except OSError:
        return False
    return True
