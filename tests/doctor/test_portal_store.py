"""The check of the portal against the real permission store of xdg-desktop-portal, on a private session bus."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from realtime_matte.doctor.desktop import BUSCTL, portal
from realtime_matte.doctor.host import Host

SERVICE = Path("/usr/share/dbus-1/services/org.freedesktop.impl.portal.PermissionStore.service")
LIMIT_S = 30.0


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A session bus of its own, which starts an empty permission store when it is first called."""
    daemon, busctl = shutil.which("dbus-daemon"), shutil.which("busctl")
    if not daemon or not busctl or not SERVICE.exists():
        pytest.skip("needs dbus-daemon, busctl and the permission store: apt-get install dbus xdg-desktop-portal")
    for name in ("XDG_DATA_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    words = [daemon, "--session", "--nofork", "--print-address"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as bus:
        assert bus.stdout
        try:
            monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus.stdout.readline().strip())
            yield
        finally:
            bus.terminate()  # the store ends with its bus


def answer(program: str, permission: str) -> None:
    """Store a user's answer to the portal's question, as the portal does."""
    words = (*BUSCTL, "SetPermission", "sbssas", "devices", "true", "camera", program, "1", permission)
    subprocess.run(words, check=True, capture_output=True, timeout=LIMIT_S)


@pytest.mark.usefixtures("store")
def test_a_denial_in_the_real_store_is_found_and_the_printed_commands_clear_it() -> None:
    assert list(portal(Host())) == []  # no program has asked yet: the store has no entry
    for program, permission in {"org.mozilla.firefox": "no", "": "no", "us.zoom.Zoom": "yes", "a b": "ask"}.items():
        answer(program, permission)
    findings = list(portal(Host()))
    assert sorted(finding.found for finding in findings) == [
        "denies cameras to org.mozilla.firefox",
        "denies cameras to programs without a sandbox",
    ]
    for finding in findings:
        (command,) = finding.commands
        subprocess.run(command.text, shell=True, check=True, capture_output=True, timeout=LIMIT_S)  # noqa: S602 - as printed
    assert list(portal(Host())) == []
    lookup = subprocess.run([*BUSCTL, "Lookup", "ss", "devices", "camera"], capture_output=True, text=True, check=True)
    assert '"us.zoom.Zoom":["yes"]' in lookup.stdout  # the other answers stay
