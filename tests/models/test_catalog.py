import hashlib
from pathlib import Path

import pytest
from fakes import networks as tiny

from realtime_matte import models
from realtime_matte.errors import BadFile
from realtime_matte.models import catalog


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of weights with one network in it."""
    tiny.recurrent(tmp_path / "small.onnx")
    return tmp_path


def test_shipped_networks_are_described_by_their_metadata(folder: Path) -> None:
    [found] = models.list_models(folder)
    assert (found.name, found.family, found.licence, found.commit) == ("small", "recurrent", "MIT", "abc123")
    assert (found.version, found.created, found.path) == ("1", "2026-01-02", folder / "small.onnx")
    assert found.size_bytes == found.path.stat().st_size
    assert found.intact is None


def test_changed_file_is_not_intact(folder: Path) -> None:
    path = folder / "small.onnx"
    (folder / "SHA256SUMS").write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  small.onnx\n")
    assert models.list_models(folder)[0].intact is True
    tiny.recurrent(path, gain=2)
    assert models.list_models(folder)[0].intact is False


def test_invalid_list_of_hashes_is_reported(folder: Path) -> None:
    (folder / "SHA256SUMS").write_text("what is this\n")
    with pytest.raises(BadFile, match=r"SHA256SUMS is not in the format of sha256sum"):
        models.list_models(folder)


def test_weights_of_this_checkout_are_as_published() -> None:
    assert all(info.intact for info in models.list_models())


def test_weights_are_in_the_package_or_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "realtime_matte"
    package.mkdir()
    monkeypatch.setattr(catalog, "__file__", str(package / "models" / "catalog.py"))
    assert catalog.weights_folder() == tmp_path / "weights"
    (package / "weights").mkdir()
    assert catalog.weights_folder() == package / "weights"
