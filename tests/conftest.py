"""What every test may count on."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def _compiled() -> None:
    """The loops are on disk: what a line tells does not depend on whether it was the first one ever."""
    from realtime_matte.render.warm import warm_up  # noqa: PLC0415 - takes seconds the first time

    warm_up()
