import re
import subprocess
from pathlib import Path

import pytest

import realtime_matte

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\((?!https?://|#|<)([^)#\s]+)(?:#[^)]*)?\)")


def documents() -> list[Path]:
    """Markdown files of the repository outside docs/, whose links the site's strict build checks."""
    names = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=False).stdout  # noqa: S607
    return [ROOT / name for name in names.split() if not name.startswith("docs/")]


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_relative_links_lead_to_files(path: Path) -> None:
    links = LINK.findall(path.read_text("utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_links_to_the_repository_lead_to_files() -> None:
    pages = [*documents(), *(ROOT / "docs").rglob("*.md"), *(ROOT / ".github").rglob("*.yml")]
    url = re.compile(r"https://github\.com/realtime-matte/realtime-matte/blob/main/([^)#\s]+)")
    links = {link for page in pages for link in url.findall(page.read_text("utf-8"))}
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_api_reference_has_every_public_name() -> None:
    reference = (ROOT / "docs/reference/api.md").read_text("utf-8")
    shown = set(re.findall(r"^::: (\S+)$", reference, re.MULTILINE))
    homes = {name: getattr(realtime_matte, name).__module__ for name in realtime_matte.__all__}
    assert [name for name, home in homes.items() if not shown & {home, f"{home}.{name}"}] == []


def test_the_architecture_page_names_every_file_and_no_other() -> None:
    page = (ROOT / "docs/architecture.md").read_text("utf-8")
    page = page[page.index("## Packages") : page.index("Beside the package")]
    package = ROOT / "realtime_matte"
    files = {path.relative_to(package).as_posix() for path in package.rglob("*.py")}
    named: set[str] = set()
    for section in page.split("\n### ")[1:]:
        folders = re.findall(r"\w+", section.partition("\n")[0].partition(":")[0])
        for name in re.findall(r"`([\w/]+\.py)`", section):
            named |= {path for path in (name, *(f"{folder}/{name}" for folder in folders)) if path in files} or {name}
    empty = {path for path in files if path.endswith("/__init__.py")}
    assert named - files == set()
    assert files - named - empty == set()


def test_messages_quoted_in_troubleshooting_exist() -> None:
    rows = re.findall(r'^\|[^|\n]*"([^"\n]+)"', (ROOT / "docs/troubleshooting.md").read_text("utf-8"), re.MULTILINE)
    quoted = {re.split(r" (?:\.\.\.|\(|\d)", row)[0] for row in rows}
    code = "\n".join(path.read_text("utf-8") for path in (ROOT / "realtime_matte").rglob("*.py"))
    assert quoted
    assert [message for message in quoted if message not in code] == []


def test_the_training_page_names_the_tables_of_a_pack() -> None:
    page = (ROOT / "docs/how-to/training.md").read_text("utf-8")
    code = (ROOT / "training/pack.py").read_text("utf-8")
    assert [name for name in re.findall(r"^\| `(\w+\.csv)`", page, re.MULTILINE) if f'"{name}"' not in code] == []


@pytest.mark.parametrize("path", [*documents(), *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda path: path.name)
def test_files_of_the_repository_that_documents_name_exist(path: Path) -> None:
    named = re.findall(
        r"`((?:realtime_matte|training|benchmarks|tests|scripts|docs|weights)/[\w./-]*)`", path.read_text("utf-8")
    )
    made_up = {"realtime_matte/backgrounds/stripes.py"}  # the example of how to add a plug-in
    assert [name for name in named if not (ROOT / name).exists() and name not in made_up] == []
