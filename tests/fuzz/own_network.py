"""A run of the pipeline with a caller's network, which returns what its arguments describe; ``mattes`` draws those."""

import json
import random
import sys
from functools import cache
from typing import Any

import numpy as np
from fuzz.outcome import REFUSED
from numpy.typing import NDArray

from realtime_matte import Pipeline
from realtime_matte.errors import MatteError, SourceError
from realtime_matte.frame import Frame, Matte

SIZE = 320, 180
GRID = 45, 80
"""Height and width of a right alpha."""

DTYPES = ("float32", "float32", "float32", "float64", "float16", "uint8", "bool", "int64", "complex64", "object", "U1")
VALUES = (0.0, 0.5, 1.0, 1.0005, -0.0005, 2.0, -1.0, 255.0, 1e30, float("nan"), float("inf"))
SHAPES = (
    *((45, 80), (45, 80), (45, 80), (80, 45), (90, 160), (1, 1), (0, 0), (45, 0), (8, 8), (7, 9), (45, 40), (180, 320)),
    *((45, 80, 1), (1, 45, 80), (45, 80, 3), (45,), (), (2048, 2049), (4000, 6000), (1, 4000), (4000, 1)),
)
FORMS = (*["pair"] * 20, "matte", "single", "triple", "none", "swapped", "list")
ERRORS = {error.__name__: error for error in (SourceError, KeyError, MemoryError, RuntimeError, ValueError)}

Description = dict[str, Any]


def draw(rng: random.Random) -> Description:
    """A result of a network, or the error that it raises."""
    if rng.random() < 0.1:
        return {"error": rng.choice(list(ERRORS))}
    alpha = _draw_array(rng, GRID, [])
    rights = {"guide": GRID, "foreground": SIZE[::-1]}
    colors = {name: _draw_array(rng, right, [3]) for name, right in rights.items() if rng.random() < 0.4}
    return {"alpha": alpha, "form": rng.choice(FORMS), **colors}


def _draw_array(rng: random.Random, right_shape: tuple[int, int], channels: list[int]) -> Description | None:
    if rng.random() < 0.05:
        return None
    right = rng.random() < 0.6
    return {
        "shape": [*(right_shape if right else rng.choice(SHAPES)), *channels],
        "dtype": ("uint8" if channels else "float32") if right else rng.choice(DTYPES),
        "value": rng.choice(VALUES[:3] if right else VALUES),
        "strided": rng.random() < 0.2,
        "as_list": rng.random() < 0.05,
    }


def main() -> int:
    """Process three frames."""
    description = json.loads(sys.argv[1])
    options = {"outputs": ["null"], "size": SIZE, "model": lambda: OwnNetwork(description), "notify": report}
    try:
        with Pipeline.open("demo?frames=3", "green", **options) as pipeline:
            pipeline.run()
    except (MatteError, *ERRORS.values()) as error:
        if not isinstance(error, MatteError) and type(error).__name__ != description.get("error"):
            raise  # one of ours, not that of the network
        report(str(error))
        return REFUSED
    return 0


def report(line: str) -> None:
    """Print as the command line does."""
    print(f"rtmatte: {line}", file=sys.stderr)  # noqa: T201


class OwnNetwork:
    """Returns what ``description`` says for every frame."""

    name, provider, notices = "own", "cpu", ()

    def __init__(self, description: Description) -> None:
        self._description = description

    def process(self, frame: Frame, state: object) -> Any:  # noqa: ANN401, ARG002 -- wrong on purpose
        """A result that may be wrong in any way."""
        if name := self._description.get("error"):
            raise ERRORS[name]("own")
        arrays = {name: _array(self._description.get(name)) for name in ("alpha", "guide", "foreground")}
        matte = Matte(**arrays)
        forms = {"pair": (matte, 0), "matte": matte, "single": (matte,), "triple": (matte, 0, 0), "none": None}
        return (forms | {"swapped": (0, matte), "list": [matte, 0]})[self._description["form"]]

    def close(self) -> None:
        """Nothing is open."""


def _array(description: Description | None) -> Any:  # noqa: ANN401 -- wrong on purpose
    return None if description is None else _made(json.dumps(description))


@cache
def _made(text: str) -> Any:  # noqa: ANN401 -- wrong on purpose
    """The array that is described; made once, as 24 million texts take seconds, which is not the program's time."""
    description = json.loads(text)
    with np.errstate(all="ignore"):
        array: NDArray[Any] = np.full(description["shape"], description["value"]).astype(description["dtype"])
    if description["strided"] and array.ndim > 1:
        array = np.repeat(array, 2, axis=1)[:, ::2]
    return array.tolist() if description["as_list"] and array.size < 1e5 else array
