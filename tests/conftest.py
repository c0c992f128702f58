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


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine: no camera is taken for stalled, and the card is not repeated while a part loads."""
    from realtime_matte.capture import worker  # noqa: PLC0415 - few tests need what it needs
    from realtime_matte.pipeline import builder  # noqa: PLC0415

    monkeypatch.setattr(worker, "STALL_S", 60.0)
    monkeypatch.setattr(builder, "CARD_EVERY_S", 60.0)


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
