"""Light and tint of the person before and after ``--low-light auto`` and ``--white-balance auto``, with exact truth.

    python benchmarks/looks.py ../shared/data
    python benchmarks/looks.py ../shared/data --sheet looks.jpg
    python benchmarks/looks.py ../shared/data --portraits train --people 374

The people of the simulated webcams (``webcams.py``): the dark one, the tinted one and the good one record the same
scenes, and the good one's colours are the truth. Complexions are ordered by the median L* of skin in the good image.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import webcams
from clips import Clip
from metrics import Alpha, Pixels
from numpy.typing import NDArray

from realtime_matte.config.config import Config
from realtime_matte.effects import low_light, white_balance
from realtime_matte.effects._samples import FrameSamples
from realtime_matte.effects.low_light import LowLight, exposure_table
from realtime_matte.interfaces import PersonEffect
from realtime_matte.look import Look
from realtime_matte.render.person_look import PersonLook
from realtime_matte.render.upsample import change_foreground

Values = NDArray[np.float64]
Light: Final = webcams.LINEAR

INSIDE: Final = 0.9
"""Alpha of a pixel that is the person's for certain."""

LEAST_SKIN: Final = 200
"""Pixels of skin below which a complexion is not known."""

ALLOWED: Final = 3
"""Of L*."""

RESAMPLES: Final = 4000

SHEET_ROWS: Final = 9
TILE: Final = (240, 180)


@dataclass(frozen=True, slots=True)
class Scene:
    """One person: the truth, and what a bad webcam made of it. ``complexion``: L* of the skin, NaN if unknown."""

    alpha: Alpha
    good: Pixels
    bad: Sequence[Pixels]
    complexion: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures, and draw the sheet."""
    parser = ArgumentParser(description=__doc__, usage="%(prog)s DATA")
    parser.add_argument("data", type=Path, help="the data pack")
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="draw a contact sheet: truth, before, after")
    parser.add_argument("--people", type=int, default=webcams.PEOPLE, metavar="N", help="how many (%(default)s)")
    parser.add_argument(
        "--portraits", choices=("train", "val"), help="light only, of portraits of a split, in own rooms"
    )
    options = parser.parse_args(arguments)
    if options.portraits:
        people = scenes(webcams.load_portraits(options.data, options.portraits, people=options.people), "dark")
        report_light(f"portraits ({options.portraits})", people, [light_error(scene) for scene in people])
        return 0
    clips = webcams.load(options.data, people=options.people)
    light = [light_error(scene) for scene in scenes(clips, "dark")]
    report_light("--low-light auto, dark webcam: L* of the person minus the truth", scenes(clips, "dark"), light)
    good = [light_error(scene) for scene in scenes(clips, "good")]
    report_light("the same, good webcam", scenes(clips, "good"), good)
    report_noise(scenes(clips, "dark"))
    for camera in ("tinted", "good"):
        people = scenes(clips, camera)
        report_tint(camera, people, [tint_error(scene) for scene in people])
    if options.sheet:
        cv2.imwrite(str(options.sheet), sheet(clips))
    return 0


def scenes(clips: Sequence[Clip], camera: str) -> list[Scene]:
    """The scenes of one webcam beside those of the good one."""
    truths = [clip for clip in clips if clip.kind == "good"]
    found = [clip for clip in clips if clip.kind == camera]
    return [_scene(truth, clip) for truth, clip in zip(truths, found, strict=True)]


def _scene(truth: Clip, clip: Clip) -> Scene:
    good, alpha = truth.frames[0], truth.alphas[0]
    return Scene(alpha, good, clip.frames, complexion(good, alpha))


def complexion(pixels: Pixels, alpha: Alpha) -> float:
    """Median L* of the skin in the upper half of a person; NaN if there is too little."""
    rows = np.flatnonzero((alpha > INSIDE).any(axis=1))
    skin = cv2.inRange(cv2.cvtColor(pixels, cv2.COLOR_BGR2YCrCb), (20, 135, 80), (255, 180, 132)) > 0
    skin &= alpha > INSIDE
    skin[(rows[0] + rows[-1]) // 2 :] = False
    return float(np.median(lab(pixels)[..., 0][skin])) if skin.sum() >= LEAST_SKIN else float("nan")


def lab(pixels: Pixels) -> NDArray[np.float32]:
    """CIE L*a*b*."""
    return np.asarray(cv2.cvtColor(Light[pixels], cv2.COLOR_LBGR2LAB), np.float32)


def applied(effect: PersonEffect, pixels: Pixels, alpha: Alpha) -> Pixels:
    """The colours of the person after the first frame of an effect."""
    look, foreground = Look(), pixels.copy()
    effect.apply(FrameSamples(0.0, pixels, alpha, None), look)
    everything = slice(None), slice(None)
    change_foreground(foreground, PersonLook((pixels.shape[1], pixels.shape[0])).tables(look, foreground, everything))
    return foreground


def opened(module: Callable[..., PersonEffect | None], pixels: Pixels, **options: object) -> PersonEffect:
    """An effect for images of this size."""
    effect = module(Config().replace(**options), size=(pixels.shape[1], pixels.shape[0]))
    assert effect is not None  # noqa: S101 - it is on
    return effect


def light_error(scene: Scene) -> tuple[float, float]:
    """Median L* of the person minus the truth's, before and after."""
    inside = scene.alpha > INSIDE
    pixels = scene.bad[0]
    after = applied(opened(low_light.open, pixels, low_light="auto"), pixels, scene.alpha)
    truth, *found = (float(np.median(lab(image)[..., 0][inside])) for image in (scene.good, pixels, after))
    return found[0] - truth, found[1] - truth


def tint_error(scene: Scene) -> tuple[float, float]:
    """Distance of the person's median a*b* from the truth's, before and after."""
    inside = scene.alpha > INSIDE
    pixels = scene.bad[0]
    after = applied(opened(white_balance.open, pixels, white_balance="auto"), pixels, scene.alpha)
    truth, *found = (np.median(lab(image)[..., 1:][inside], axis=0) for image in (scene.good, pixels, after))
    return float(np.hypot(*(found[0] - truth))), float(np.hypot(*(found[1] - truth)))


def report_light(name: str, people: Sequence[Scene], errors: Sequence[tuple[float, float]]) -> None:
    """Medians of all people, and of the darkest and the lightest third of complexions."""
    found = np.array(errors)
    darkest, lightest = thirds(people)
    print(f"{name} ({len(people)} people)")
    for label, column in zip(("before", "after"), found.T, strict=True):
        print(f"  {label:7s} all              {_figures(column)}")
        print(f"          darkest third    {_figures(column[darkest])}")
        print(f"          lightest third   {_figures(column[lightest])}")
        low, high = interval(column[darkest], column[lightest])
        apart = np.median(column[darkest]) - np.median(column[lightest])
        print(f"          darkest less lightest: medians {apart:+6.2f}  95 % interval {low:+6.2f} to {high:+6.2f}")


def interval(one: Values, other: Values) -> tuple[float, float]:
    """The 95 % interval of the difference of two medians, by the bootstrap."""
    random = np.random.default_rng(0)
    drawn = (np.median(random.choice(column, (RESAMPLES, len(column))), axis=1) for column in (one, other))
    low, high = np.percentile(np.subtract(*drawn), (2.5, 97.5))
    return float(low), float(high)


def _figures(column: Values) -> str:
    size = np.abs(column)
    return (
        f"median {np.median(column):+6.2f}  mean {column.mean():+6.2f}  median of |error| {np.median(size):5.2f}"
        f"  within {ALLOWED}: {np.mean(size <= ALLOWED):4.0%}"
    )


def report_tint(camera: str, people: Sequence[Scene], errors: Sequence[tuple[float, float]]) -> None:
    """Medians, the worst tenth, and means of the darkest and the lightest third of complexions."""
    darkest, lightest = thirds(people)
    print(f"--white-balance auto, {camera} webcam: distance in a*b* from the truth")
    for label, column in zip(("before", "after"), np.array(errors).T, strict=True):
        print(
            f"  {label:7s} median {np.median(column):5.2f}  90th percentile {np.percentile(column, 90):5.2f}"
            f"  mean of the darkest third {column[darkest].mean():5.2f}  of the lightest {column[lightest].mean():5.2f}"
        )


def thirds(people: Sequence[Scene]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices of the darkest and of the lightest third of the known complexions."""
    tones = np.array([scene.complexion for scene in people])
    known = np.flatnonzero(~np.isnan(tones))
    order, third = known[np.argsort(tones[known])], len(known) // 3
    return order[:third], order[-third:]


def report_noise(people: Sequence[Scene]) -> None:
    """Noise of the lifted person: half the variance between two frames of the same still."""
    found = []
    for scene in people:
        pair = [_lifted(pixels, scene.alpha) for pixels in scene.bad[:2]]
        stops = pair[0][2]
        inside = scene.alpha > INSIDE
        if stops > low_light.NOISY[1] and len(scene.bad) > 1:
            (plain_first, filtered_first, _), (plain_second, filtered_second, _) = pair
            found.append([_noise(plain_first, plain_second, inside), _noise(filtered_first, filtered_second, inside)])
    plain, filtered = np.median(np.array(found), axis=0)
    print(f"noise where lifted by more than {low_light.NOISY[1]} stops ({len(found)} people), of 255:")
    print(f"  by the table alone {plain:.2f}  by the effect {filtered:.2f}")


def _lifted(pixels: Pixels, alpha: Alpha) -> tuple[Pixels, Pixels, float]:
    effect = LowLight()
    after = applied(effect, pixels, alpha)
    return np.asarray(cv2.LUT(pixels, exposure_table(effect.stops)), np.uint8), after, effect.stops


def _noise(first: Pixels, second: Pixels, inside: NDArray[np.bool_]) -> float:
    """Robust against what moved: by the median of absolute differences."""
    return float(1.4826 * np.median(np.abs(first[inside].astype(np.float32) - second[inside])) / np.sqrt(2))


def sheet(clips: Sequence[Clip]) -> Pixels:
    """Truth, dark, lifted; tinted, balanced: people from the darkest to the lightest complexion."""
    dark, tinted = scenes(clips, "dark"), scenes(clips, "tinted")
    tones = np.array([scene.complexion for scene in dark])
    chosen = np.argsort(tones)[np.linspace(0, np.sum(~np.isnan(tones)) - 1, SHEET_ROWS).round().astype(int)]
    rows = []
    for number in chosen:
        scene, other = dark[number], tinted[number]
        lifted = applied(opened(low_light.open, scene.bad[0], low_light="auto"), scene.bad[0], scene.alpha)
        balanced = applied(opened(white_balance.open, other.bad[0], white_balance="auto"), other.bad[0], scene.alpha)
        images = (scene.good, scene.bad[0], lifted, other.bad[0], balanced)
        rows.append(np.hstack([cv2.resize(_shown(image, scene.alpha), TILE) for image in images]))
    return np.asarray(np.vstack(rows), np.uint8)


def _shown(image: Pixels, alpha: Alpha) -> Pixels:
    opacity = alpha[..., None]
    return np.asarray(np.rint(image * opacity + 128 * (1 - opacity)), np.uint8)


if __name__ == "__main__":
    sys.exit(main())
