import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from realtime_matte.config.config import options
from realtime_matte.config.option import Option

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "scripts/options_reference.py"))


@pytest.fixture(scope="module")
def readme_rows() -> dict[str, str]:
    """The default, by the first cell, of each row in the README's table of options."""
    readme = (ROOT / "README.md").read_text("utf-8")
    table = readme[readme.index("<!-- options:") : readme.index("<!-- options end")]
    rows = re.findall(r"^\| (`--.+?) \|.*\| (.+?) \|$", table, re.MULTILINE)
    return {usage: default.replace("`", "") for usage, default in rows}


@pytest.mark.parametrize("option", options(), ids=lambda option: option.name)
def test_the_readme_lists_each_option_with_its_default(
    option: Option, script: dict[str, Any], readme_rows: dict[str, str]
) -> None:
    assert readme_rows.get(script["usage"](option), "").startswith(option.default_text or "off")


def test_the_readme_lists_no_other_options(script: dict[str, Any], readme_rows: dict[str, str]) -> None:
    assert set(readme_rows) == {script["usage"](option) for option in options()} | {"`--config FILE`"}


def test_the_options_reference_is_up_to_date(script: dict[str, Any]) -> None:
    assert script["PAGE"].read_text("utf-8") == script["page"](), "run scripts/options_reference.py"
