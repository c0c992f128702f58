import pytest
from fakes.scripted import ScriptedNetwork, SolidBackground

from realtime_matte.pipeline.renderer_opening import RendererMaker
from realtime_matte.render import renderer
from realtime_matte.render.jit import COMPILED_NOTICE, COMPILING_NOTICE


@pytest.mark.parametrize("cached", [True, False])
def test_compiling_is_reported_before_it_begins(monkeypatch: pytest.MonkeyPatch, *, cached: bool) -> None:
    reported: list[str] = []

    def warm_up() -> str:
        assert reported == ([] if cached else [COMPILING_NOTICE])
        return "" if cached else COMPILED_NOTICE

    monkeypatch.setattr(renderer, "load_kernels", lambda: cached)
    monkeypatch.setattr(renderer, "warm_up", warm_up)
    RendererMaker((64, 36), lambda _stage: None, reported.append)(ScriptedNetwork(), SolidBackground()).close()
    assert reported == ([] if cached else [COMPILING_NOTICE, COMPILED_NOTICE])
