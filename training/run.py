"""A training under way: a step, a checkpoint, and how it begins."""

import copy
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from training.loader import Batch
from training.losses import disagreement, matting_loss
from training.net import SHAPES, MattingNet, to_alpha
from training.teacher import Lesson

GROWS = ("stem.", "to4.", "to8.", "to16.", "whole.")
"""Where a network may have more than the one that it grew from."""

ADDS = ("second.1.weight", "second.1.bias", "back.weight", "back.bias")
"""What scales and shifts all that a residual block, or the stage at 1/32, adds to what is there without it."""

SKIPPED = 20
"""So many batches in a row without a gradient that is a number, and there is no use in going on."""

MIRROR = 0.5
"""What the difference of alphas of a frame and of its mirror image counts beside the matting loss."""

LESSON = 0.15
"""What the teacher's lesson counts beside the matting loss."""


@dataclass(slots=True)
class Run:
    """A training under way: all that a checkpoint holds. ``before``: frames that it saw in the runs it began from.

    ``skipped``: batches in a row whose gradients were no numbers.
    """

    net: MattingNet
    average: MattingNet
    lesson: Lesson
    optimizer: torch.optim.Optimizer
    frames: int = 0
    before: int = 0
    losses: list[float] = field(default_factory=list)
    lessons: list[float] = field(default_factory=list)
    skipped: int = 0

    def step(self, batch: Batch, rate: float, *, mirrored: int = 0) -> None:
        """One step of the optimizer on one batch; none where a gradient overflows, which would spoil every weight.

        The first ``mirrored`` shots are also shown as their mirror image.

        Raises:
            FloatingPointError: it goes on like that, so the weights are spoilt already.
        """
        frames, truth, certainty = (
            torch.cat([part, part[:mirrored].flip(-1)]) if mirrored else part
            for part in prepared(batch, self.net.head.weight.device)
        )
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast(frames.device.type, torch.bfloat16):
            seen = self.net.encode(frames.flatten(0, 1))
            logits, coarse, _ = self.net.follow(seen, frames.shape[1])
        loss = matting_loss(logits.float(), coarse.float(), truth, certainty)
        if mirrored:
            loss = loss + MIRROR * disagreement(to_alpha(logits[:mirrored]), to_alpha(logits[-mirrored:]))
        if batch.taught is not None:
            first = seen[-1].unflatten(0, frames.shape[:2])[: len(batch.taught), 0]
            loss = loss + LESSON * self._taught(first, batch.taught)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_([*self.net.parameters(), *self.lesson.parameters()], 1.0)
        self.skipped = 0 if norm.isfinite() else self.skipped + 1
        if self.skipped > SKIPPED:
            raise FloatingPointError(f"no gradient of {self.skipped} batches in a row is a number")
        if not self.skipped:
            self.optimizer.step()
        self.frames += len(batch.frames) * frames.shape[1]
        self.losses.append(float(loss.detach()))
        self._follow(0.999 if self.before + self.frames > 50_000 else 0.99)

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
    optimizer = torch.optim.AdamW([*net.parameters(), *lesson.parameters()], lr=1e-3, weight_decay=1e-2, fused=True)
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
        run.net.load_state_dict(grown(state["average"], run.net.state_dict()))
        run.average.load_state_dict(run.net.state_dict())
        run.before = state["frames"] + state.get("before", 0)
    return run


def grown(weights: dict[str, Tensor], larger: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights of a smaller network with a ``larger`` one's where it has less, at rest: they change no alpha."""
    more = {name: value for name, value in larger.items() if name.startswith(GROWS)}
    resting = {name: torch.zeros_like(value) for name, value in more.items() if name.endswith(ADDS)}
    return more | resting | weights


def prepared(batch: Batch, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Frames (B, T, 3, H, W) in [-1, 1], truth and its certainty (B, T, 1, H, W) in [0, 1]."""
    frames = batch.frames.to(device, non_blocking=True)
    alpha, certainty = (
        part.to(device, non_blocking=True)[:, :, None].float() / 255 for part in (batch.alpha, batch.certainty)
    )
    return frames.permute(0, 1, 4, 2, 3).float() / 127.5 - 1, alpha, certainty
