"""Train a network: ``python -m training.train --pack FOLDER --run FOLDER [--shape small]``.

Starts again where the run's checkpoint left off. Prints and logs one line an interval; every checkpoint also holds the
moving average of the weights, which is what gets evaluated and exported.
"""

import argparse
import copy
import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor

from training import pack
from training.loader import Batch, Plan, batches
from training.losses import matting_loss
from training.net import SHAPES, MattingNet
from training.teacher import Lesson

FULL = 256 * 144
WIDE = 384 * 216

GROWS = ("stem.", "to4.", "to8.", "to16.", "whole.")
"""Where a network may have more than the one that it grew from."""

LESSON = 0.15
"""What the teacher's lesson counts beside the matting loss."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the training: frames to see, the batches they come in, the learning rate from start to end."""

    frames: int
    plan: Plan
    rate: tuple[float, float]


RECIPES = {
    "full": (
        # What people look like: small pictures, four times as many in the same time.
        Stage(frames=400_000, plan=Plan(shots=32, length=1, area=FULL // 4), rate=(2e-3, 1e-3)),
        # Their edges: full size.
        Stage(frames=125_000, plan=Plan(shots=16, length=1, area=FULL), rate=(1.2e-3, 6e-4)),
        # How they move: the memory.
        Stage(frames=122_000, plan=Plan(shots=4, length=5, area=FULL), rate=(7e-4, 1e-5)),
    ),
    # Once more from the averaged network of an earlier run, with a teacher, on every grid that is offered.
    "again": (
        Stage(frames=300_000, plan=Plan(shots=24, length=1, area=FULL, least=0.35, taught=12), rate=(1.2e-3, 1e-3)),
        Stage(frames=75_000, plan=Plan(shots=10, length=1, area=WIDE, least=0.25, taught=5), rate=(1e-3, 8e-4)),
        Stage(frames=120_000, plan=Plan(shots=3, length=5, area=WIDE, least=0.25, taught=3), rate=(7e-4, 1e-5)),
    ),
    # A camera of one's own, from a network that knows people already.
    "fine-tune": (Stage(frames=60_000, plan=Plan(shots=4, length=5, area=FULL), rate=(2e-4, 1e-5)),),
}


@dataclass(slots=True)
class Run:
    """A training under way: all that a checkpoint holds. ``before``: frames that it saw in the runs it began from."""

    net: MattingNet
    average: MattingNet
    lesson: Lesson
    optimizer: torch.optim.Optimizer
    frames: int = 0
    before: int = 0
    losses: list[float] = field(default_factory=list)
    lessons: list[float] = field(default_factory=list)

    def step(self, batch: Batch, rate: float) -> None:
        """One step of the optimizer on one batch."""
        frames, truth = prepared(batch, self.net.head.weight.device)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast(frames.device.type, torch.bfloat16):
            seen = self.net.encode(frames.flatten(0, 1))
            logits, coarse, _ = self.net.follow(seen, frames.shape[1])
        loss = matting_loss(logits.float(), coarse.float(), truth)
        if batch.taught is not None:
            first = seen[-1].unflatten(0, frames.shape[:2])[: len(batch.taught), 0]
            loss = loss + LESSON * self._taught(first, batch.taught)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([*self.net.parameters(), *self.lesson.parameters()], 1.0)
        self.optimizer.step()
        self.frames += frames.shape[0] * frames.shape[1]
        self.losses.append(float(loss.detach()))
        self._follow(0.999 if self.frames > 50_000 else 0.99)

    def _taught(self, seen: Tensor, taught: Tensor) -> Tensor:
        lesson: Tensor = self.lesson(seen.float(), taught.to(seen.device).float())
        self.lessons.append(float(lesson.detach()))
        return lesson

    def _follow(self, inertia: float) -> None:
        with torch.no_grad():
            for mean, value in zip(self.average.state_dict().values(), self.net.state_dict().values(), strict=True):
                if mean.is_floating_point():
                    mean.lerp_(value, 1 - inertia)

    def save(self, path: Path) -> None:
        """Write the checkpoint, whole or not at all."""
        part = path.with_suffix(".part")
        state = {"net": self.net.state_dict(), "average": self.average.state_dict(), "frames": self.frames}
        more = {"before": self.before, "shape": asdict(self.net.shape), "lesson": self.lesson.state_dict()}
        torch.save(state | more | {"optimizer": self.optimizer.state_dict()}, part)
        part.replace(path)


def begin(shape: str, checkpoint: Path, device: str, *, start: Path | None = None) -> Run:
    """The run that the checkpoint holds; else a new one, from the average of the checkpoint ``start`` if given."""
    net = MattingNet(SHAPES[shape]).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    lesson = Lesson(SHAPES[shape].channels[3]).to(device)
    optimizer = torch.optim.AdamW([*net.parameters(), *lesson.parameters()], lr=1e-3, weight_decay=1e-2)
    run = Run(net, copy.deepcopy(net), lesson, optimizer)
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        run.net.load_state_dict(state["net"])
        run.average.load_state_dict(state["average"])
        run.lesson.load_state_dict(state["lesson"])
        run.optimizer.load_state_dict(state["optimizer"])
        run.frames, run.before = state["frames"], state.get("before", 0)
    elif start:
        state = torch.load(start, map_location=device, weights_only=True)
        run.net.load_state_dict(grown(state["average"], run.net))
        run.average.load_state_dict(run.net.state_dict())
        run.before = state["frames"] + state.get("before", 0)
    return run


def grown(weights: dict[str, Tensor], net: MattingNet) -> dict[str, Tensor]:
    """Weights of a smaller network with ``net``'s own where it has more; they change no alpha yet."""
    new = {name: value for name, value in net.state_dict().items() if name.startswith(GROWS)}
    return new | weights


def prepared(batch: Batch, device: torch.device) -> tuple[Tensor, Tensor]:
    """Frames (B, T, 3, H, W) in [-1, 1] and truth (B, T, 1, H, W) in [0, 1]."""
    frames, alpha = (part.to(device, non_blocking=True) for part in (batch.frames, batch.alpha))
    return frames.permute(0, 1, 4, 2, 3).float() / 127.5 - 1, alpha[:, :, None].float() / 255


def stage_at(recipe: tuple[Stage, ...], frames: int) -> tuple[int, float] | None:
    """Which stage a number of seen frames falls into, and how far through it; None after the last."""
    begins = [sum(stage.frames for stage in recipe[:index]) for index in range(len(recipe) + 1)]
    for index, (first, last) in enumerate(pairwise(begins)):
        if frames < last:
            return index, (frames - first) / (last - first)
    return None


def rate_at(stage: Stage, progress: float, *, warm: float) -> float:
    """Half a cosine from the stage's first rate to its last, after a linear warm-up."""
    first, last = stage.rate
    return min(1.0, warm) * (last + (first - last) * (1 + math.cos(math.pi * progress)) / 2)


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
            source = batches(data, plan, seed=run.frames, workers=workers, teacher=teacher)
        rate = rate_at(recipe[index], progress, warm=(steps + 1) / 200)
        run.step(next(source), rate)
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
    parser.add_argument("--workers", type=int, default=1)
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
