"""A tiny network, and settings that use it."""

from collections.abc import Callable
from typing import Any

import pytest

from realtime_matte.batch.settings import BatchSettings


@pytest.fixture
def settings(tiny: str) -> Callable[..., BatchSettings]:
    def make(**values: Any) -> BatchSettings:  # noqa: ANN401
        return BatchSettings(**{"model": tiny, "provider": "cpu", **values})

    return make
