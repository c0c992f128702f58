import sys
import tempfile
from pathlib import Path

import pytest

from realtime_matte.control import sockets

collect_ignore_glob = ["*"] if sys.platform == "win32" else []


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The runtime folder of a user without instances: none of the machine's is found."""
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.setattr(sockets, "USERS", tmp_path / "users")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return folder
