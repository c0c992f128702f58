"""A desktop session without a desktop: D-Bus, PipeWire, its session manager, and the portal that hands out cameras."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Final, Self

LIMIT_S: Final = 60.0
PORTAL_FOLDERS: Final = ("/usr/libexec", "/usr/lib", "/usr/lib/xdg-desktop-portal")
DESKTOP: Final = "rtmatte-test"
BACKEND: Final = f"""[portal]
DBusName=org.freedesktop.impl.portal.desktop.{DESKTOP}
Interfaces=org.freedesktop.impl.portal.Access
UseIn={DESKTOP}
"""
"""The portal offers cameras only where a desktop can ask the user. Nothing answers under that name: see ``permit``."""

STORE: Final = "org.freedesktop.impl.portal.PermissionStore"
PORTAL: Final = "org.freedesktop.portal.Desktop"
SESSION_PROGRAMS: Final = ("dbus-daemon", "pipewire", "wireplumber", "pw-dump")
PORTAL_PROGRAMS: Final = (*SESSION_PROGRAMS, "gdbus", "xdg-desktop-portal")


def find(program: str) -> str | None:
    """Its path; also of programs that only D-Bus starts."""
    return shutil.which(program) or shutil.which(program, path=os.pathsep.join(PORTAL_FOLDERS))


def missing(*programs: str) -> str:
    """Which of these programs are not installed here; empty if all are."""
    absent = [program for program in programs if not find(program)]
    return f"not installed: {', '.join(absent)}" if absent else ""


class PipeWireSession:
    """Runs for the length of a ``with``. ``folder``: for its sockets, with a short path, and for the home folder.

    Attributes:
        environment: For programs of the session.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._pipewire: list[subprocess.Popen[bytes]] = []
        runtime = folder / "run"
        left_out = {"DISPLAY", "WAYLAND_DISPLAY", "PIPEWIRE_REMOTE", "PIPEWIRE_RUNTIME_DIR"}
        self.environment = {name: value for name, value in os.environ.items() if name not in left_out} | {
            "XDG_RUNTIME_DIR": str(runtime),
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={runtime}/bus",
            "HOME": str(folder / "home"),
            "XDG_CURRENT_DESKTOP": DESKTOP,
            "XDG_DESKTOP_PORTAL_DIR": str(folder / "portals"),
        }

    def __enter__(self) -> Self:
        for name in ("run", "home", "portals"):
            (self._folder / name).mkdir(mode=0o700)
        (self._folder / "portals/test.portal").write_text(BACKEND, "utf-8")
        bus = self.environment["DBUS_SESSION_BUS_ADDRESS"]
        self._start("dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address={bus}")
        wait_until((self._folder / "run/bus").exists, "D-Bus runs")
        try:
            self.start_pipewire()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def start_pipewire(self) -> None:
        """Start PipeWire, then its session manager, and wait until both are ready."""
        self._pipewire = [self._start("pipewire")]
        wait_until(lambda: self.objects() is not None, "PipeWire runs")
        self._pipewire.append(self._start("wireplumber"))
        wait_until(lambda: '"WirePlumber' in (self.objects() or ""), "the session manager runs")

    def stop_pipewire(self) -> None:
        """End both, as an update of the packages does."""
        for process in self._pipewire:
            end(process)

    def objects(self) -> str | None:
        """What PipeWire has, as JSON; None while it does not run."""
        done = self.run("pw-dump")
        return None if done.returncode else done.stdout

    def permit(self, answer: str) -> None:
        """Let programs without a sandbox use cameras or not, ``yes`` or ``no``, as after the first question."""
        arguments = ["devices", "true", "camera", "", f"['{answer}']"]
        self._call(STORE, f"/{STORE.replace('.', '/')}", f"{STORE}.SetPermission", *arguments)

    def start_portal(self) -> None:
        """Start the portal, and wait until it answers."""
        program = find("xdg-desktop-portal")
        assert program
        self._start(program)
        wait_until(lambda: "uint32" in self._portal_property("version"), "the portal offers cameras")

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run a program to its end."""
        return subprocess.run(
            words,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )

    def _portal_property(self, name: str) -> str:
        method = "org.freedesktop.DBus.Properties.Get"
        return self._call(PORTAL, "/org/freedesktop/portal/desktop", method, "org.freedesktop.portal.Camera", name)

    def _call(self, name: str, path: str, method: str, *arguments: str) -> str:
        words = ["gdbus", "call", "--session", "--dest", name, "--object-path", path, "--method", method, *arguments]
        return self.run(*words).stdout

    def _start(self, *words: str) -> "subprocess.Popen[bytes]":
        return self._stack.enter_context(running(*words, environment=self.environment))


@contextmanager
def running(
    *words: str, environment: Mapping[str, str], stderr: int | IO[bytes] = subprocess.DEVNULL
) -> Iterator["subprocess.Popen[bytes]"]:
    """A program and what it starts, until the end of the ``with``; or until this process was killed."""
    end_too = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
    process = subprocess.Popen(
        [*end_too, *words],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        end(process)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # what it started, in the group of its number


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a program, by force if it does not end itself."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Wait for what another program does."""
    ends_at = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < ends_at, f"never came: {what}"
        time.sleep(0.02)
