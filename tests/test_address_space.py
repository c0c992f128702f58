"""Limits of memory are reported in one line that names memory, not a package or a place."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from realtime_matte import address_space
from realtime_matte.address_space import available_bytes, check_output_memory
from realtime_matte.errors import SpecError, missing_dependency
from realtime_matte.media.new_file import write_error
from realtime_matte.pipeline.pipeline import Pipeline

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the limit is another, or none")

RUN = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({mb} << 20,) * 2)
from realtime_matte.__main__ import main
sys.argv[1:] = ["--camera", "demo?frames=1", "--size", "96x64", "--output", "null", "--quiet"]
sys.exit(main())
"""


@pytest.mark.parametrize("mb", [100, 200, 300, 400, 600, 800, 950])
def test_little_address_space_is_one_line_about_memory(mb: int) -> None:
    command = [sys.executable, "-c", RUN.format(mb=mb)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - our own
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert "memory" in line
    assert "install rtmatte again" not in line


@pytest.mark.parametrize(
    "reason",
    [
        "libavutil-5809ad29.so.60.26.102: failed to map segment from shared object",
        "libscipy_openblas64_.so: cannot map zero-fill pages: Cannot allocate memory",
        "libx264.so.164: cannot allocate memory in static TLS block",
    ],
)
def test_a_library_that_does_not_fit_is_not_said_to_be_missing(reason: str) -> None:
    error = missing_dependency(ImportError(reason))
    assert str(error) == f"not enough memory to load a package ({reason}); close other programs"


def test_an_encoder_without_memory_is_not_said_to_need_another_place() -> None:
    error = write_error(Path("out.mp4"), errno.ENOMEM, "libx264 reports Cannot allocate memory")
    assert "not enough memory: close other programs" in error.hint


def test_memory_that_is_available_is_what_the_container_leaves(tmp_path: Path) -> None:
    meminfo, limit = tmp_path / "meminfo", tmp_path / "memory.max"
    meminfo.write_text("MemTotal: 9 kB\nMemAvailable:    4000000 kB\n")
    limit.write_text("max\n")
    assert available_bytes(str(meminfo), [str(limit)]) == 4_096_000_000
    limit.write_text("2000000000\n")
    assert available_bytes(str(meminfo), [str(limit)]) == 2_000_000_000
    assert available_bytes(str(tmp_path / "none"), []) is None


def test_an_output_that_does_not_fit_into_memory_is_refused_before_anything_is_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(address_space, "available_bytes", lambda: 3 * 10**9)
    reason = (
        r"output frames of 8000x8000 need about 4\.5 GB, and 3\.0 GB are available; choose a smaller --size, such as"
    )
    with pytest.raises(SpecError, match=reason), Pipeline.open("demo", "studio", outputs=["null"], size=(8000, 8000)):
        pass
    check_output_memory((3840, 2160))
    monkeypatch.setattr(address_space, "available_bytes", lambda: None)
    check_output_memory((8192, 8192))
