from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.panel import Panel, scripted_pipeline, served

from realtime_matte.config import presets, toml_file


@pytest.fixture(autouse=True)
def config_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's configuration folder: nothing of the machine's is read or written."""
    folder = tmp_path / "config"
    for module in (presets, toml_file):
        monkeypatch.setattr(module, "user_config_path", lambda *_names, **_more: folder)
    return folder


@pytest.fixture
def panel(tmp_path: Path) -> Iterator[Panel]:
    with served(scripted_pipeline, tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def shared_panel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    """One panel for tests that change nothing."""
    with served(scripted_pipeline, tmp_path_factory.mktemp("panel")) as opened:
        yield opened
