"""The set of effects: what is off is not called and holds no buffer; each is one module with its options."""

from pathlib import Path

import numpy as np
import pytest

from realtime_matte.config.config import Config, options
from realtime_matte.effects import chain
from realtime_matte.effects.chain import Effects
from realtime_matte.errors import MatteError, MissingFile

SIZE = (64, 48)
BY_NAME = {option.name: option for option in options()}


@pytest.mark.parametrize("module", chain.modules(), ids=lambda module: module.__name__.rpartition(".")[2])
def test_an_effect_is_off_by_default_and_live(module: object) -> None:
    opener = module.open  # type: ignore[attr-defined]
    assert not opener(Config(), size=SIZE)
    assert module.STAGE in {"view", "framing", "person", "output"}  # type: ignore[attr-defined]
    for name in module.OPTIONS:  # type: ignore[attr-defined]
        assert BY_NAME[name].applies == "live"


def test_all_effects_off_hold_nothing() -> None:
    effects = Effects(Config(), size=SIZE)
    assert (effects.view, effects.framing, effects.area) == (None, None, None)
    assert (list(effects.person), list(effects.outputs)) == ([], [])
    assert not effects.needs_bgr


def test_overlays_alone_are_drawn_on_planes() -> None:
    assert not Effects(Config(overlay=("clock",)), size=SIZE).needs_bgr
    assert Effects(Config(overlay=("clock",), low_light=1.0), size=SIZE).needs_bgr


def test_an_overlay_that_fails_is_switched_off_with_a_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    effects = Effects(Config(overlay=("clock", "text:me")), size=SIZE)
    clock, text = effects.outputs

    def fail(*_arguments: object) -> None:
        raise MatteError("there is no time")

    monkeypatch.setattr(clock, "draw", fail)
    image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    effects.draw(image, 0.0)
    assert image.any(), "the others are drawn"
    assert list(effects.outputs) == [text]
    assert list(effects.notices) == ["an overlay is switched off: there is no time"]
    effects.change("overlay", ("text:me",))
    assert not effects.notices


def test_an_effect_that_is_turned_off_is_dropped() -> None:
    effects = Effects(Config(), size=SIZE)
    assert effects.change("rotate", "90")
    assert effects.view
    assert not effects.change("overlay", ("clock",))
    assert effects.outputs
    effects.change("rotate", None)
    effects.change("overlay", None)
    assert (effects.view, list(effects.outputs)) == (None, [])


def test_a_change_that_is_refused_changes_nothing(tmp_path: Path) -> None:
    effects = Effects(Config(overlay=("clock",)), size=SIZE)
    before = effects.outputs
    with pytest.raises(MissingFile):
        effects.change("overlay", ("clock", str(tmp_path / "gone.png")))
    assert effects.outputs is before
    assert effects.values["overlay"] == ("clock",)
