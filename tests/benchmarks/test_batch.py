"""The benchmarks of batches and streams: the seam shrinks with the warm-up, streams share one thread fairly."""

from pathlib import Path

import numpy as np
import pytest
import seam
import streams
from clips import file_clip
from fakes.batch import shade, write_clip

from realtime_matte import BackgroundRemover


def test_the_seam_is_the_difference_from_the_run_in_one_piece(
    tmp_path: Path, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seam, "AT", 100)
    frames = [np.roll(shade(index % 7), index % 5) for index in range(101)]
    clip = file_clip(write_clip(tmp_path / "a.mp4", frames), write_clip(tmp_path / "a_alpha.mp4", frames))
    with BackgroundRemover(tiny, provider="cpu") as remover:
        found = seam.measure(remover, clip)
    assert [one.warmup_s for one in found] == list(seam.WARMUPS_S)
    assert found[-1].difference == 0, "4 s before frame 100 is the start"
    assert found[0].difference > 0
    assert len({one.whole_error for one in found}) == 1
    assert len(seam.table(found)) == 1 + len(seam.WARMUPS_S)


def test_streams_share_the_thread_and_drop_what_is_too_much(tiny: str) -> None:
    frames = streams.moving((64, 36))
    with BackgroundRemover(tiny, provider="cpu") as remover:
        few, many = (streams.measure(remover, frames, count, 0.2, real=False) for count in (1, 100))
    assert few.fps == pytest.approx(30, abs=4)
    assert many.dropped > few.dropped
    assert many.fps < 30
