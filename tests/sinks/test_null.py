"""The output that discards everything."""

import numpy as np
import pytest

from realtime_matte.errors import SpecError
from realtime_matte.sinks import null


def test_null_accepts_everything() -> None:
    sink = null.open("", size=(16, 8), fps=30.0, alpha=True)
    sink.send(np.zeros((8, 16, 4), np.uint8), 0.0)
    sink.close()
    assert sink.alpha
    assert not sink.live
    assert sink.notices == ()


def test_null_takes_no_name() -> None:
    with pytest.raises(SpecError, match="the output 'null' takes nothing after it, not 'x'; write null"):
        null.open("x", size=(16, 8), fps=30.0, alpha=False)
