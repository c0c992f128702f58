"""What every test may count on."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def _compiled() -> None:
    """The loops are on disk: what a line tells does not depend on whether it was the first one ever."""
    from realtime_matte.render.warm import warm_up  # noqa: PLC0415 - takes seconds the first time

    warm_up()


@pytest.fixture
def ours(tmp_path: Path) -> str:
    """The spec of a network of our family."""
    import tiny_networks  # noqa: PLC0415 - few tests need what it needs

    return str(tiny_networks.recurrent(tmp_path / "tiny.onnx"))
