"""Forms of the page."""

from realtime_matte.config.config import Config
from realtime_matte.panel.forms import option_groups


def test_the_page_speaks_of_no_flags_and_commands() -> None:
    records = [option for group in option_groups(Config())["groups"] for option in group["options"]]
    assert len(records) > 20
    assert [record["name"] for record in records if "--" in record["help"] or "`" in record["help"]] == []
