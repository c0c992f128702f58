"""Train a network: ``python -m training.train --pack FOLDER --run FOLDER [--shape small]``.

Starts again where the run's checkpoint left off. Prints and logs one line an interval; every checkpoint also holds the
moving average of the weights, which is what gets evaluated and exported.
"""

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from training import pack
from training.loader import Batch, batches
from training.net import SHAPES
from training.recipe import RECIPES, Stage, rate_at, stage_at
from training.run import Run, begin


def train(
    run: Run,
    data: pack.Pack,
    folder: Path,
    *,
    recipe: tuple[Stage, ...],
    workers: int,
    every: int,
    teacher: Path | None = None,
) -> None:
    """Go through the recipe from where the run stands; a log line and a checkpoint each ``every`` steps."""
    source: Iterator[Batch] | None = None
    current, steps, started, seen = -1, 0, time.monotonic(), run.frames
    while (place := stage_at(recipe, run.frames)) is not None:
        index, progress = place
        if index != current or source is None:
            plan, current = recipe[index].plan, index
            source = batches(data, plan, seed=run.before + run.frames, workers=workers, teacher=teacher)
        rate = rate_at(recipe[index], progress, warm=(steps + 1) / 200)
        run.step(next(source), rate, mirrored=recipe[index].plan.mirrored)
        steps += 1
        if steps % every == 0:
            speed = (run.frames - seen) / (time.monotonic() - started)
            report(run, folder, stage=index, rate=rate, speed=speed)
            run.save(folder / "checkpoint.pt")
            started, seen = time.monotonic(), run.frames
    run.save(folder / "checkpoint.pt")


def report(run: Run, folder: Path, *, stage: int, rate: float, speed: float) -> None:
    """One line to the terminal and to log.jsonl."""
    line = {"frames": run.frames, "stage": stage, "rate": round(rate, 7), "frames_per_s": round(speed, 1)}
    for name, values in (("loss", run.losses), ("lesson", run.lessons)):
        if values:
            line[name] = round(sum(values) / len(values), 5)
        values.clear()
    print(json.dumps(line), flush=True)
    with (folder / "log.jsonl").open("a") as log:
        log.write(json.dumps(line) + "\n")


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pack", type=Path, required=True, help="folder with pack.csv, clips.csv, nobody.csv")
    parser.add_argument("--run", type=Path, required=True, help="where checkpoint.pt and log.jsonl go")
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"), help="where decoded pictures are kept")
    parser.add_argument("--shape", choices=list(SHAPES), default="small")
    parser.add_argument("--recipe", choices=list(RECIPES), default="full")
    parser.add_argument("--start", type=Path, help="a checkpoint to begin a new run from, such as checkpoints/small.pt")
    parser.add_argument("--teacher", type=Path, help="rvm_mobilenetv3.onnx, whose features are to be learned as well")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2, help="processes that make the shots")
    parser.add_argument("--every", type=int, default=200, help="steps between log lines and checkpoints")
    chosen = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(chosen.threads)
    chosen.run.mkdir(parents=True, exist_ok=True)
    data = pack.read(chosen.pack, split="train", cache=chosen.cache)
    run = begin(chosen.shape, chosen.run / "checkpoint.pt", chosen.device, start=chosen.start)
    recipe, teacher = RECIPES[chosen.recipe], chosen.teacher
    train(run, data, chosen.run, recipe=recipe, workers=chosen.workers, every=chosen.every, teacher=teacher)


if __name__ == "__main__":
    main()
