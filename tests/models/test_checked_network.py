"""Results of networks that reach a kernel: right ones pass, whatever else is a ModelError that names the network."""

from collections.abc import Callable

import numpy as np
import pytest
from fakes.scripted import Recorder, ScriptedSource, SolidBackground, opener

from realtime_matte.errors import (
    BadFile,
    MatteError,
    MissingDependency,
    ModelError,
    SinkError,
    SourceError,
    SourceLost,
    SpecError,
)
from realtime_matte.frame import Frame, Matte
from realtime_matte.interfaces import RecurrentState
from realtime_matte.models.checked_network import MAX_CELLS, MIN_SIDE, CheckedNetwork
from realtime_matte.pipeline.pipeline import Pipeline
from realtime_matte.remover import BackgroundRemover

SIZE = 160, 96
FRAME = Frame(np.zeros((96, 160, 3), np.uint8), 0.0, 0)
ALPHA = np.zeros((24, 40), np.float32)
GUIDE = np.zeros((24, 40, 3), np.uint8)


class OwnNetwork:
    """A caller's network, which returns, or raises, what it is made with."""

    name = "own"
    provider = "cpu"
    notices = ()

    def __init__(self, result: object) -> None:
        self._result = result

    def process(self, frame: Frame, state: RecurrentState | None) -> tuple[Matte, RecurrentState]:  # noqa: ARG002
        if isinstance(self._result, Exception):
            raise self._result
        return self._result  # type: ignore[return-value]  # that is what is tested

    def close(self) -> None:
        pass


def unaligned() -> np.ndarray:
    """An alpha whose numbers are not at multiples of 4 bytes."""
    return np.frombuffer(bytes(4 * ALPHA.size + 1), np.uint8)[1:].view(np.float32).reshape(ALPHA.shape)


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (None, "None instead of a matte and a state"),
        (Matte(ALPHA), "a value of type Matte instead of a matte and a state"),
        ((Matte(ALPHA),), "a value of type tuple instead of a matte and a state"),
        ([Matte(ALPHA), ()], "a value of type list instead of a matte and a state"),
        ((ALPHA, ()), "a value of type ndarray instead of a Matte"),
        ((Matte(None), ()), "None as alpha instead of an array"),  # type: ignore[arg-type]
        ((Matte(ALPHA.tolist()), ()), "a value of type list as alpha instead of an array"),  # type: ignore[arg-type]
        ((Matte(0.5), ()), "a value of type float as alpha instead of an array"),  # type: ignore[arg-type]
        ((Matte(ALPHA > 0), ()), r"an alpha of \(24, 40\) bool instead of \(h, w\) float32"),  # type: ignore[arg-type]
        ((Matte(ALPHA.astype(float)), ()), r"an alpha of \(24, 40\) float64 instead of"),  # type: ignore[arg-type]
        ((Matte(ALPHA.astype(np.float16)), ()), "float16"),  # type: ignore[arg-type]
        ((Matte(ALPHA.astype(">f4")), ()), ">f4|float32"),
        ((Matte(ALPHA.astype(np.uint8)), ()), "uint8"),  # type: ignore[arg-type]
        ((Matte(ALPHA.astype(complex)), ()), "complex128"),  # type: ignore[arg-type]
        ((Matte(ALPHA.astype(object)), ()), "object"),  # type: ignore[arg-type]
        ((Matte(ALPHA[..., None]), ()), r"\(24, 40, 1\)"),
        ((Matte(ALPHA.ravel()), ()), r"\(960,\)"),
        ((Matte(np.zeros((0, 0), np.float32)), ()), rf"\(0, 0\) float32, not {MIN_SIDE} or more a side"),
        ((Matte(np.zeros((1, 1), np.float32)), ()), r"\(1, 1\)"),
        ((Matte(np.zeros((2049, 2048), np.float32)), ()), f"and {MAX_CELLS} values at most"),
        ((Matte(np.zeros((4000, 6000), np.float32)), ()), r"\(4000, 6000\)"),
        ((Matte(ALPHA.T.copy()), ()), "an alpha of 24x40 for a frame of 160x96, which is of another aspect ratio"),
        ((Matte(ALPHA[:, :13].copy()), ()), "another aspect ratio"),
        ((Matte(np.full_like(ALPHA, np.nan)), ()), "alphas in nan .. nan"),
        ((Matte(np.full_like(ALPHA, np.inf)), ()), "alphas in inf .. inf instead of 0 .. 1"),
        ((Matte(np.full_like(ALPHA, -np.inf)), ()), "-inf"),
        ((Matte(np.full_like(ALPHA, 255)), ()), "alphas in 255 .. 255"),
        ((Matte(np.full_like(ALPHA, -1)), ()), "alphas in -1 .. -1"),
        ((Matte(ALPHA, guide=np.zeros((48, 80, 3), np.uint8)), ()), r"a guide of \(48, 80, 3\) uint8 instead of \(24"),
        ((Matte(ALPHA, guide=np.zeros((12, 20, 3), np.uint8)), ()), "a guide of"),
        ((Matte(ALPHA, guide=np.zeros((24, 40), np.uint8)), ()), "a guide of"),
        ((Matte(ALPHA, guide=np.zeros((24, 40, 4), np.uint8)), ()), "a guide of"),
        ((Matte(ALPHA, guide=np.zeros((40, 24, 3), np.uint8)), ()), "a guide of"),
        ((Matte(ALPHA, guide=GUIDE.astype(np.float32)), ()), "a guide of"),  # type: ignore[arg-type]
        ((Matte(ALPHA, guide=GUIDE.tolist()), ()), "a value of type list as guide"),  # type: ignore[arg-type]
        ((Matte(ALPHA, foreground=np.zeros((48, 80, 3), np.uint8)), ()), "a foreground of"),
        ((Matte(ALPHA, foreground=np.zeros((96, 160, 3), np.float32)), ()), "a foreground of"),  # type: ignore[arg-type]
        ((Matte(ALPHA, foreground=np.zeros((96, 160, 4), np.uint8)), ()), "a foreground of"),
    ],
)
def test_what_is_no_coarse_matte_is_refused_with_the_networks_name(result: object, message: str) -> None:
    with pytest.raises(ModelError, match=rf"model 'own' returned .*{message}"):
        CheckedNetwork(OwnNetwork(result)).process(FRAME, None)


@pytest.mark.parametrize(
    "matte",
    [
        Matte(ALPHA),
        Matte(ALPHA, guide=GUIDE),
        Matte(ALPHA, foreground=np.zeros((96, 160, 3), np.uint8)),
        Matte(np.zeros((96, 160), np.float32)),
        Matte(np.zeros((64, 64), np.float32)),
        Matte(np.zeros((40, 24), np.float32), guide=np.zeros((40, 24, 3), np.uint8)),
        Matte(np.full_like(ALPHA, 1.0005)),
        Matte(np.repeat(ALPHA, 2, 1)[:, ::2], guide=np.repeat(GUIDE, 2, 1)[:, ::2]),
        Matte(np.asfortranarray(ALPHA)),
        Matte(ALPHA[::-1, ::-1]),
        Matte(np.ma.masked_array(ALPHA, ALPHA > 0)),
        Matte(unaligned()),
    ],
    ids=[
        "usual", "guide", "foreground", "full size", "square", "stretched with its guide", "rounding",
        "not contiguous", "by columns", "negative strides", "masked", "unaligned",
    ],
)  # fmt: skip
def test_a_coarse_matte_is_taken_with_arrays_that_a_kernel_can_read(matte: Matte) -> None:
    checked, after = CheckedNetwork(OwnNetwork((matte, ("state",)))).process(FRAME, None)
    assert after == ("state",)
    np.testing.assert_array_equal(np.asarray(checked.alpha), np.asarray(matte.alpha))
    for array in (checked.alpha, checked.guide):
        assert array is None or (type(array) is np.ndarray and array.flags.c_contiguous and array.flags.aligned)


def test_the_usual_matte_is_not_copied() -> None:
    matte = Matte(ALPHA, guide=GUIDE)
    assert CheckedNetwork(OwnNetwork((matte, ()))).process(FRAME, None)[0] is matte


KINDS: list[Callable[[str], MatteError]] = [SourceError, SourceLost, SinkError, BadFile, SpecError, MissingDependency]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_that_a_network_raises_names_the_network(kind: Callable[[str], MatteError]) -> None:
    with pytest.raises(ModelError, match="model 'own' failed: mine"):
        CheckedNetwork(OwnNetwork(kind("mine"))).process(FRAME, None)


def test_a_bug_in_a_network_keeps_its_traceback() -> None:
    with pytest.raises(KeyError, match="mine"):
        CheckedNetwork(OwnNetwork(KeyError("mine"))).process(FRAME, None)


def test_a_networks_name_is_printed_in_one_line() -> None:
    network = OwnNetwork(None)
    network.name = "\x1b[31m\u202e\n" + "x" * 1000
    with pytest.raises(ModelError) as caught:
        CheckedNetwork(network).process(FRAME, None)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


def test_wrong_mattes_show_the_card_and_the_background_is_not_blamed() -> None:
    sink, reported = Recorder(), list[str]()
    with Pipeline.open(
        opener(ScriptedSource(range(3), size=SIZE)),
        SolidBackground(),
        outputs=sink,
        model=lambda: OwnNetwork(SourceError("mine")),
        notify=reported.append,
    ) as pipeline:
        pipeline.run()
    assert (pipeline.stats.composites, pipeline.stats.standby_cards) == (0, 3)
    assert len(reported) == 1
    assert "model 'own' failed: mine" in reported[0]


def test_a_remover_checks_mattes_too() -> None:
    remover = BackgroundRemover(lambda: OwnNetwork((Matte(ALPHA.T.copy()), ())))
    with pytest.raises(ModelError, match="an alpha of"):
        remover.process(FRAME.pixels)
