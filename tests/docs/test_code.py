"""Runs every Python example: code blocks of the documents, and doctests of the package."""

import doctest
import re
import shutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import cv2
import pytest

from realtime_matte.media import image as images
from realtime_matte.pipeline.pipeline import Pipeline

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "realtime_matte"
PORTRAIT = PACKAGE / "_assets" / "eileen_collins.jpg"
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"(?P<not_run><!-- not run: .+ -->\n)?```python\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks() -> Iterator[object]:
    """Each Python block, padded so that an error has the document's line number."""
    for path in DOCUMENTS:
        text = path.read_text("utf-8")
        for found in BLOCK.finditer(text):
            line = text.count("\n", 0, found.start("code"))
            name = f"{path.relative_to(ROOT).as_posix()}:{line + 1}"
            yield pytest.param("\n" * line + found["code"], path, found["not_run"] is not None, id=name)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that examples name: me.jpg, beach.jpg of the same size, clip.mp4."""
    folder = tmp_path_factory.mktemp("examples")
    shutil.copy(PORTRAIT, folder / "me.jpg")
    cv2.imwrite(str(folder / "beach.jpg"), images.read(PORTRAIT)[::-1])
    with Pipeline.open("demo?frames=3", "green", outputs=[str(folder / "clip.mp4")], size=(320, 180)) as pipeline:
        pipeline.run()
    return folder


@pytest.mark.parametrize(("code", "path", "not_run"), [*blocks()])
def test_examples_of_documents_run(
    code: str, path: Path, *, not_run: bool, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(files, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    program = compile(code, path, "exec")
    if not not_run:
        exec(program, {"__name__": "__main__"})  # noqa: S102  # our own documents


def test_every_page_of_the_documentation_is_in_its_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text("utf-8")
    pages = [path.relative_to(ROOT / "docs").as_posix() for path in DOCUMENTS[1:]]
    assert [page for page in pages if f": {page}\n" not in navigation] == []


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(PACKAGE.rglob("*.py")) if ">>>" in path.read_text("utf-8")],
    ids=lambda path: path.relative_to(PACKAGE).as_posix(),
)
def test_doctests_of_the_package_pass(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    monkeypatch.chdir(tmp_path)
    found = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert found.attempted
    assert not found.failed
