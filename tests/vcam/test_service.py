"""The service of ``rtmatte install-service`` under a real systemd; in the lab only."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from vcam_devices import LIMIT_S, Node, wait_until

from realtime_matte.cli.install_service import NAME, install, remove
from realtime_matte.doctor.host import Host

SYSTEMD = Path("/usr/lib/systemd/systemd")
CGROUP = Path("/sys/fs/cgroup")


@pytest.fixture
def home(lab: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:  # noqa: ARG001 - in the lab only
    """The home of a user whose systemd runs."""
    if not SYSTEMD.exists():
        pytest.skip(f"no {SYSTEMD} to run the service")
    for name, folder in {"HOME": tmp_path, "XDG_RUNTIME_DIR": tmp_path / "run"}.items():
        folder.mkdir(mode=0o700, exist_ok=True)
        monkeypatch.setenv(name, str(folder))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    Path("/run/systemd/system").mkdir(
        parents=True, exist_ok=True
    )  # otherwise systemd reports that it does not run this machine
    if not (CGROUP / "cgroup.procs").exists():
        subprocess.run(["/bin/mount", "-t", "cgroup2", "none", CGROUP], check=True, timeout=LIMIT_S)
    with subprocess.Popen([SYSTEMD, "--user", "--log-target=null"]) as manager:
        wait_until(lambda: "running" in systemctl("is-system-running"), "systemd starts")
        systemctl("set-environment", f"PYTHONPATH={os.environ.get('PYTHONPATH', '')}")
        yield tmp_path
        manager.terminate()


def systemctl(*words: str) -> str:
    command = ["systemctl", "--user", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT_S).stdout.strip()


def main_pid() -> str:
    """The pid of the service; 0 when it does not run."""
    return systemctl("show", "--property=MainPID", "--value", NAME)


def test_the_service_sends_restarts_after_a_kill_and_leaves_no_files(
    vcam: Node, marker_camera: str, home: Path
) -> None:
    config = home / "my settings.toml"
    config.write_text(
        f"camera = '{marker_camera}'\noutput = 'virtualcam:{vcam.path}'\nbg = 'green'\nsize = '320x180'\nfps = 15\n"
        "threads = 1\nprovider = 'cpu'\n"
    )
    host = Host(home=home)
    assert f"ran systemctl --user enable {NAME}" in list(install(host, str(config)))
    systemctl("start", NAME)
    wait_until(lambda: vcam.has_writer, "the service sends")
    first = main_pid()
    systemctl("kill", "--signal=KILL", NAME)
    wait_until(lambda: main_pid() not in {"0", first} and vcam.has_writer, "it starts again")
    assert list(remove(host))[-1] == "ran systemctl --user daemon-reload"
    assert not vcam.has_writer
    assert systemctl("is-enabled", NAME) in {"", "not-found"}
    assert [path for path in (home / ".config").rglob("*") if not path.is_dir()] == []
