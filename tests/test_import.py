import gc
import importlib
import os
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import pytest
from fakes.scripted import Recorder, ScriptedNetwork, ScriptedSource, SolidBackground, opener
from fakes.threads import started_since

import realtime_matte
from realtime_matte.pipeline.pipeline import Pipeline

HEAVY = {"PIL", "av", "cv2", "numba", "numpy", "onnxruntime", "pyvirtualcam", "rich", "torch"}

DISABLE_TELEMETRY = {"ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS", "CI", "GITHUB_ACTIONS", "TF_BUILD"}
"""Variables at which ONNX Runtime sends no usage data."""


def loaded_by(statement: str) -> set[str]:
    """Top-level packages that are loaded in a new interpreter after a statement."""
    code = f"import sys; {statement}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())  # noqa: S603


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_by("import realtime_matte") & HEAVY == set()


def test_help_loads_nothing_heavy() -> None:
    run = "from realtime_matte.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass"
    assert loaded_by(f"exec({run!r})") & HEAVY == set()


PANEL: set[str] = {"starlette", "uvicorn", "websockets", "tomlkit", "h11", "asyncio"}


@pytest.mark.parametrize("words", [["--help"], ["panel", "--help"], ["--version"]])
def test_help_loads_nothing_of_the_panel(words: list[str]) -> None:
    run = f"from realtime_matte.cli.main import main\ntry: main({words})\nexcept SystemExit: pass"
    assert loaded_by(f"exec({run!r})") & PANEL == set()


def test_a_run_without_a_panel_loads_nothing_of_it() -> None:
    words = ["--camera", "demo?frames=2", "--size", "160x90", "--bg", "green", "--output", "null", "--quiet"]
    run = f"from realtime_matte.cli.main import main; main({words})"
    loaded = loaded_by(run)
    assert "onnxruntime" in loaded, "it ran"
    assert loaded & (PANEL - {"asyncio"}) == set(), "the control socket has asyncio too"


def test_a_photograph_loads_only_what_pillow_needs_for_it() -> None:
    """The sample portrait, which every start reads: all of Pillow's formats take a tenth of a second."""
    read = "from realtime_matte.portrait import sample_portrait; sample_portrait(); import sys"
    loaded = loaded_by(f"{read}; print(*(name.replace('.', '_') for name in sys.modules if name.startswith('PIL.')))")
    assert "PIL_JpegImagePlugin" in loaded
    assert "PIL_PdfImagePlugin" not in loaded


def test_onnxruntime_sends_no_usage_data(tmp_path: Path) -> None:
    """Since 1.29 it writes an identifier of the machine, and events to send, to the user's cache folder."""
    environment = {
        name: value for name, value in os.environ.items() if name not in DISABLE_TELEMETRY and "XDG" not in name
    }
    run = "from realtime_matte import models; models.open('small', provider='cpu').close()"
    subprocess.run([sys.executable, "-c", run], env=environment | {"HOME": str(tmp_path)}, check=True)  # noqa: S603
    assert list(tmp_path.rglob("*onnxruntime*")) == []


def test_no_module_loads_torch() -> None:
    everything = "; ".join(
        f"import realtime_matte.{name}"
        for name in ("pipeline.pipeline", "remover", "cli.console", "cli.doctor", "cli.bench")
    )
    assert "torch" not in loaded_by(everything)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are counted through /proc")
def test_importing_opens_no_device_and_starts_no_thread() -> None:
    code = (
        "import os, threading; import realtime_matte.pipeline.pipeline, realtime_matte.sources.camera;"
        "print(threading.active_count(), [os.readlink(f'/proc/self/fd/{fd}') for fd in os.listdir('/proc/self/fd')"
        " if os.path.exists(f'/proc/self/fd/{fd}')])"
    )
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout  # noqa: S603
    assert printed.startswith("1 ")
    assert "/dev/video" not in printed


def test_every_public_name_can_be_imported() -> None:
    for name in realtime_matte.__all__:
        assert getattr(realtime_matte, name) is not None
    assert set(realtime_matte.__all__) <= set(dir(realtime_matte))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Pipelin'"):
        importlib.import_module("realtime_matte").Pipelin  # noqa: B018


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are counted through /proc")
def test_fifty_runs_leave_no_thread_and_no_open_file() -> None:
    def once() -> None:
        source, sink = opener(ScriptedSource(range(2), live=True)), Recorder(live=True)
        with Pipeline.open(
            source, SolidBackground(), outputs=[sink], model=ScriptedNetwork, notify=[].append
        ) as pipeline:
            pipeline.step()

    def open_files() -> int:
        gc.collect()
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208  # only counted

    once()
    threads, files = threading.enumerate(), open_files()
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        for _ in range(50):
            once()
    assert started_since(threads) == []
    assert open_files() <= files
