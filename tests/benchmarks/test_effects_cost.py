"""The measurement of effects runs whole, and its columns are what they say."""

import effects_cost
import pytest

from realtime_matte.config.config import Config


@pytest.mark.parametrize("pair", effects_cost.EFFECTS.values(), ids=effects_cost.EFFECTS)
def test_the_options_exist(pair: tuple[effects_cost.Options, effects_cost.Options]) -> None:
    for options in pair:
        Config().replace(**options)


def test_every_effect_has_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = {name: effects_cost.EFFECTS[name] for name in ("the same twice", "--overlay logo")}
    monkeypatch.setattr(effects_cost, "EFFECTS", chosen)
    table = effects_cost.report([(160, 90)], rounds=3).splitlines()
    assert [line.partition("  ")[0] for line in table] == ["EFFECT", "the same twice", "--overlay logo"]


def test_the_difference_is_with_minus_without() -> None:
    assert effects_cost._row("x", (2, 1), [(1.0, 3.0)] * 4)[2:5] == ("1.00", "3.00", "+2.00")
