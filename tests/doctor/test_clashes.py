"""Packages that overwrite each other's files, found by the names of their metadata; folders stand for site-packages."""

import sys
from contextlib import suppress
from pathlib import Path

import pytest

from realtime_matte.cli import main as command_line
from realtime_matte.doctor import clashes, installation
from realtime_matte.doctor.clashes import Clash, find_clashes

PIP = f"{sys.executable} -m pip"


@pytest.fixture(autouse=True)
def _environment_with_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the tests run in an environment of uv."""
    monkeypatch.setattr(clashes, "find_spec", lambda _: True)


def site(folder: Path, *packages: str, modules: tuple[str, ...] = ("cv2", "onnxruntime")) -> Path:
    for package in packages:
        (folder / f"{package.replace('-', '_')}.dist-info".replace("_1.", "-1.")).mkdir(parents=True)
    for module in modules:
        (folder / module).mkdir(parents=True)
        (folder / module / "__init__.py").touch()
    return folder


def test_one_package_of_each_is_no_clash(tmp_path: Path) -> None:
    folder = site(tmp_path, "opencv-python-1.2", "onnxruntime-gpu-1.3", "numpy-1.9")
    assert find_clashes([str(folder)]) == []


def test_no_package_is_no_clash(tmp_path: Path) -> None:
    assert find_clashes([str(tmp_path), str(tmp_path / "missing")]) == []


@pytest.mark.parametrize(
    ("packages", "message", "keep"),
    [
        (
            ("opencv-python-1.2", "opencv-python-headless-1.1"),
            "opencv-python 1.2 and opencv-python-headless 1.1 overwrite each other's files",
            "opencv-python==1.2",
        ),
        (
            ("opencv-python-1.2", "opencv-contrib-python-1.1"),
            "opencv-contrib-python 1.1 and opencv-python 1.2 overwrite each other's files",
            "opencv-contrib-python==1.1",
        ),
        (
            ("onnxruntime-gpu-1.3", "onnxruntime-1.4"),
            "onnxruntime 1.4 and onnxruntime-gpu 1.3 overwrite each other's files",
            "onnxruntime-gpu==1.3",
        ),
        (
            ("onnxruntime-gpu-1.3", "onnxruntime-directml-1.4"),
            "onnxruntime-directml 1.4 and onnxruntime-gpu 1.3 overwrite each other's files",
            "onnxruntime-directml==1.4",
        ),
    ],
)
def test_two_packages_clash_and_one_is_kept(tmp_path: Path, packages: tuple[str, ...], message: str, keep: str) -> None:
    (clash,) = find_clashes([str(site(tmp_path, *packages))])
    names = " ".join(name for name, _ in clash.packages)
    assert clash.message == message
    assert clash.fix == f"{PIP} uninstall --yes {names} && {PIP} install --force-reinstall --no-deps {keep}"


def test_an_environment_of_uv_has_no_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clashes, "find_spec", lambda _: None)
    (clash,) = find_clashes([str(site(tmp_path, "onnxruntime-gpu-1.3", "onnxruntime-1.4"))])
    python = f"--python {sys.executable}"
    assert clash.fix == (
        f"uv pip uninstall {python} onnxruntime onnxruntime-gpu && "
        f"uv pip install {python} --reinstall --no-deps onnxruntime-gpu==1.3"
    )


def test_packages_in_two_folders_clash_too(tmp_path: Path) -> None:
    folders = [site(tmp_path / "system", "opencv-python-1.2"), site(tmp_path / "user", "opencv-python-headless-1.1")]
    assert len(find_clashes([*map(str, folders)])) == 1


def test_a_package_whose_files_were_removed_with_another_is_incomplete(tmp_path: Path) -> None:
    folder = site(tmp_path, "onnxruntime-gpu-1.3", modules=())
    (folder / "onnxruntime/capi").mkdir(parents=True)  # what pip leaves
    (clash,) = find_clashes([str(folder)])
    assert clash.message == ("onnxruntime-gpu 1.3 is incomplete: another package that has the same files was removed")
    assert clash.fix == f"{PIP} install --force-reinstall --no-deps onnxruntime-gpu==1.3"


OPENCV = Clash("cv2", (("opencv-python", "1.2"), ("opencv-python-headless", "1.1")))


def test_the_doctor_reports_a_clash_with_its_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "find_clashes", lambda: [OPENCV])
    (finding,) = [finding for finding in installation.installation() if finding.part == "cv2"]
    assert (finding.state, finding.found) == ("warning", OPENCV.message)
    assert " && ".join(command.text for command in finding.commands) == OPENCV.fix
    assert not any(command.root for command in finding.commands)


def test_a_run_reports_a_clash_in_one_line_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(clashes, "find_clashes", lambda: [OPENCV])
    assert command_line.main(["run", "--camera", "/no/such.mp4", "--output", "null"]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first == f"rtmatte: {OPENCV.message}, which can fail at any time; {OPENCV.fix}"
    assert "/no/such.mp4" in second


def test_a_run_with_an_incomplete_package_ends_with_the_fix(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = Clash("onnxruntime", (("onnxruntime-gpu", "1.3"),), incomplete=True)
    monkeypatch.setattr(clashes, "find_clashes", lambda: [gone])
    assert command_line.main(["demo", "--seconds", "1"]) == 2
    assert capsys.readouterr().err == f"rtmatte: {gone.message}; {gone.fix}\n"


@pytest.mark.parametrize("words", [["models"], ["run", "--help"], ["--version"]])
def test_other_commands_do_not_look_for_clashes(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    def fail() -> list[Clash]:
        raise AssertionError("looked")

    monkeypatch.setattr(clashes, "find_clashes", fail)
    with suppress(SystemExit):
        command_line.main(words)
