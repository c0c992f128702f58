import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from realtime_matte.config.config import options

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


def test_the_readme_has_the_options_of_a_first_call(readme_rows: dict[str, str]) -> None:
    assert {usage.split()[0].strip("`,") for usage in readme_rows} >= {"--bg", "--camera", "--output", "--model"}


def test_the_readme_lists_options_that_exist_with_their_defaults(
    script: dict[str, Any], readme_rows: dict[str, str]
) -> None:
    known = {script["usage"](option): option for option in options()}
    for usage, default in readme_rows.items():
        if usage != "`--config FILE`":
            assert default.startswith(known[usage].default_text or "off"), usage


def test_the_options_reference_is_up_to_date(script: dict[str, Any]) -> None:
    assert script["PAGE"].read_text("utf-8") == script["page"](), "run scripts/options_reference.py"
