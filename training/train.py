"""Train a network: ``python -m training.train --pack FOLDER --run FOLDER [--shape small]``.

Resumes from the run's checkpoint. Prints and logs one line every so many steps. Every checkpoint also holds the moving
average of the weights, which is evaluated and exported.
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch

from training import pack
from training.loader import Batch, batches
from training.network import ARCHITECTURES
from training.recipes import RECIPES, Stage, learning_rate, stage_at
from training.trainer import Trainer, resume_or_start

WARM_UP_STEPS = 100
"""Steps of a new run over which the learning rate rises: the optimizer has no estimates of variances yet."""


def train(
    trainer: Trainer,
    data: pack.Pack,
    folder: Path,
    *,
    recipe: tuple[Stage, ...],
    workers: int,
    every: int,
    teacher: Path | None = None,
) -> None:
    """Train to the end of the recipe; a log line and a checkpoint in ``folder`` every ``every`` steps."""
    source: Iterator[Batch] | None = None
    current, steps, started, logged_frames = -1, 0, time.monotonic(), trainer.frames
    warm_up_steps = 1 if trainer.frames else WARM_UP_STEPS  # a resumed run has the optimizer's moments
    while (place := stage_at(recipe, trainer.frames)) is not None:
        index, progress = place
        plan = recipe[index].plan
        if index != current or source is None:
            current = index
            plan = replace(plan, plates=trainer.net.architecture.sees_plate)
            source = batches(data, plan, seed=trainer.before + trainer.frames, workers=workers, teacher=teacher)
        rate = learning_rate(recipe[index], progress, warm_up=(steps + 1) / warm_up_steps)
        trainer.step(next(source), rate, mirrored=plan.mirrored)
        steps += 1
        if steps % every == 0:
            speed = (trainer.frames - logged_frames) / (time.monotonic() - started)
            log(trainer, folder, stage=index, rate=rate, speed=speed)
            trainer.save(folder / "checkpoint.pt")
            started, logged_frames = time.monotonic(), trainer.frames
    trainer.save(folder / "checkpoint.pt")


def log(trainer: Trainer, folder: Path, *, stage: int, rate: float, speed: float) -> None:
    """Print one line of JSON and append it to log.jsonl, with the mean losses since the last."""
    line = {"frames": trainer.frames, "stage": stage, "rate": round(rate, 7), "frames_per_s": round(speed, 1)}
    for name, values in (("loss", trainer.losses), ("distillation", trainer.distillation_losses)):
        if values:
            line[name] = round(sum(values) / len(values), 5)
        values.clear()
    print(json.dumps(line), flush=True)
    with (folder / "log.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pack", type=Path, required=True, help="folder with pack.csv, clips.csv, nobody.csv")
    parser.add_argument("--run", type=Path, required=True, help="folder of checkpoint.pt and log.jsonl")
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"), help="where decoded images are kept")
    parser.add_argument("--shape", choices=list(ARCHITECTURES), default="small", help="size of the network")
    parser.add_argument("--recipe", choices=list(RECIPES), default="full")
    parser.add_argument(
        "--start", type=Path, help="checkpoint that a new run starts from, such as checkpoints/small.pt"
    )
    parser.add_argument("--teacher", type=Path, help="rvm_mobilenetv3.onnx, for distillation")
    parser.add_argument("--open-data", action="store_true", help="only images that anybody may use for anything")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=2, help="of PyTorch")
    parser.add_argument("--workers", type=int, default=2, help="processes that make the shots")
    parser.add_argument("--every", type=int, default=200, help="steps between log lines and checkpoints")
    options = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(options.threads)
    options.run.mkdir(parents=True, exist_ok=True)
    data = pack.read(options.pack, split="train", cache=options.cache, open_only=options.open_data)
    trainer = resume_or_start(options.shape, options.run / "checkpoint.pt", options.device, start=options.start)
    recipe, teacher = RECIPES[options.recipe], options.teacher
    train(trainer, data, options.run, recipe=recipe, workers=options.workers, every=options.every, teacher=teacher)


if __name__ == "__main__":
    main()
