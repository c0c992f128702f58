"""What every test may count on."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fakes.batch import Inline


@pytest.fixture(scope="session", autouse=True)
def _compiled() -> None:
    """Every kernel is in the disk cache: notices do not depend on whether this is the first run."""
    from realtime_matte.render.renderer import warm_up  # noqa: PLC0415 - takes seconds the first time

    warm_up()


@pytest.fixture(scope="session", autouse=True)
def _signals_arrive() -> None:
    """A shell's background jobs have Ctrl-C off, nohup's the hangup; a run leaves both so, and would never end."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def _environment() -> Iterator[None]:
    """Variables that the program sets, as the camera does for OpenCV, are gone before the next test."""
    before = set(os.environ)
    yield
    for name in set(os.environ) - before:
        del os.environ[name]


PATIENCE_S = 30.0
"""Longer than a busy machine may keep a thread waiting."""


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits of time that a thread keeps unless the machine is busy; a test of such a limit sets its own."""
    from realtime_matte.backgrounds import _read_ahead  # noqa: PLC0415 - few tests need what these need
    from realtime_matte.capture import worker  # noqa: PLC0415
    from realtime_matte.control import server, status  # noqa: PLC0415
    from realtime_matte.pipeline import builder  # noqa: PLC0415

    monkeypatch.setattr(_read_ahead, "CLOSE_S", PATIENCE_S)
    monkeypatch.setattr(worker, "STALL_S", PATIENCE_S)
    monkeypatch.setattr(worker, "CLOSE_TIMEOUT_S", PATIENCE_S)
    monkeypatch.setattr(server, "GRACE_S", PATIENCE_S)
    monkeypatch.setattr(status, "ANSWER_S", PATIENCE_S)
    monkeypatch.setattr(builder, "CARD_EVERY_S", PATIENCE_S)


@pytest.fixture
def ours(tmp_path: Path) -> str:
    """The spec of a network of our family."""
    from fakes import networks as tiny_networks  # noqa: PLC0415 - few tests need what it needs

    return str(tiny_networks.recurrent(tmp_path / "tiny.onnx"))


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The spec of a network whose alpha is the brightness of a pixel, plus 0.01 for each frame of the shot."""
    from fakes import networks  # noqa: PLC0415 - few tests need what it needs

    return f"{networks.recurrent(tmp_path_factory.mktemp('network') / 'tiny.onnx')}?unverified&unlimited"


@pytest.fixture
def inline() -> Iterator["Inline"]:
    """An executor that runs tasks of a batch in the caller's thread."""
    from fakes.batch import Inline  # noqa: PLC0415 - few tests need what it needs

    from realtime_matte.batch import worker  # noqa: PLC0415

    yield Inline()
    worker.close()
