"""The state of a training: one optimizer step, checkpoints, and how a run starts."""

import copy
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from training.distillation import DistillationLoss
from training.loader import Batch
from training.losses import matting_loss, mirror_disagreement
from training.network import ARCHITECTURES, MattingNet, plate_values, to_alpha, with_plate

GROWING = ("stem.", "to4.", "to8.", "to16.", "whole.")
"""Prefixes of the weights that a network may have and the smaller one it grew from has not."""

ADDED = ("second.1.weight", "second.1.bias", "back.weight", "back.bias")
"""Suffixes of the weights that scale and shift what a residual block, or the stage at 1/32, adds to its input."""

STEM = "stem.0.0.weight"
"""The weights that read the network's input."""

MAX_SKIPPED = 20
"""Batches in a row with a gradient that is not finite, after which training stops: the weights are spoilt."""

MIRROR_WEIGHT = 0.5
"""Weight of the mirror disagreement beside the matting loss."""

DISTILLATION_WEIGHT = 0.15
"""Weight of the distillation loss beside the matting loss."""


def bfloat16_is_fast(device: torch.device) -> bool:
    """Whether convolutions in bfloat16 are as fast as in float32; a CPU without AVX-512 takes nine times as long."""
    return device.type != "cpu" or "AVX512" in torch.backends.cpu.get_cpu_capability()


@dataclass(slots=True)
class Trainer:
    """Everything that a checkpoint holds, and the losses since the last log line.

    ``average``: moving average of the weights, which is evaluated and exported. ``frames``: seen in this run;
    ``before``: seen in the runs that it started from. ``skipped``: batches in a row with a gradient that is not finite.
    """

    net: MattingNet
    average: MattingNet
    distillation: DistillationLoss
    optimizer: torch.optim.Optimizer
    frames: int = 0
    before: int = 0
    losses: list[float] = field(default_factory=list)
    distillation_losses: list[float] = field(default_factory=list)
    skipped: int = 0

    def step(self, batch: Batch, rate: float, *, mirrored: int = 0) -> None:
        """One optimizer step on one batch; skipped if a gradient overflowed, which would spoil every weight.

        Args:
            batch: The batch.
            rate: Learning rate.
            mirrored: The first so many shots are also shown mirrored.

        Raises:
            FloatingPointError: more than MAX_SKIPPED batches in a row were skipped.
        """
        frames, truth, certainty = (
            torch.cat([part, part[:mirrored].flip(-1)]) if mirrored else part
            for part in to_tensors(batch, self.net.head.weight.device)
        )
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        loss = self._loss(batch, frames, truth, certainty, mirrored)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_([*self.net.parameters(), *self.distillation.parameters()], 1.0)
        self.skipped = 0 if norm.isfinite() else self.skipped + 1
        if self.skipped > MAX_SKIPPED:
            raise FloatingPointError(f"gradients of {self.skipped} batches in a row are not finite")
        if not self.skipped:
            self.optimizer.step()
        self.frames += len(batch.frames) * frames.shape[1]
        self.losses.append(float(loss.detach()))
        self._update_average(0.999 if self.before + self.frames > 50_000 else 0.99)

    def _loss(self, batch: Batch, frames: Tensor, truth: Tensor, certainty: Tensor, mirrored: int) -> Tensor:
        with torch.autocast(frames.device.type, torch.bfloat16, enabled=bfloat16_is_fast(frames.device)):
            features = self.net.encode(frames.flatten(0, 1))
            logits, coarse, _ = self.net.decode_clips(features, frames.shape[1])
        loss = matting_loss(logits.float(), coarse.float(), truth, certainty)
        if mirrored:
            pair = to_alpha(logits[:mirrored]), to_alpha(logits[-mirrored:])
            loss = loss + MIRROR_WEIGHT * mirror_disagreement(*pair)
        if batch.teacher_features is not None:
            first = features[-1].unflatten(0, frames.shape[:2])[: len(batch.teacher_features), 0]
            loss = loss + DISTILLATION_WEIGHT * self._distillation_loss(first, batch.teacher_features)
        return loss

    def _distillation_loss(self, features: Tensor, teacher_features: Tensor) -> Tensor:
        loss: Tensor = self.distillation(features.float(), teacher_features.to(features.device).float())
        self.distillation_losses.append(float(loss.detach()))
        return loss

    def _update_average(self, inertia: float) -> None:
        with torch.no_grad():
            for mean, value in zip(self.average.state_dict().values(), self.net.state_dict().values(), strict=True):
                if mean.is_floating_point():
                    mean.lerp_(value, 1 - inertia)

    def save(self, path: Path) -> None:
        """Write the checkpoint, atomically."""
        part = path.with_suffix(".part")
        state = {
            "net": self.net.state_dict(),
            "average": self.average.state_dict(),
            "frames": self.frames,
            "before": self.before,
            "shape": asdict(self.net.architecture),
            "lesson": self.distillation.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        torch.save(state, part)
        part.replace(path)


def resume_or_start(architecture: str, checkpoint: Path, device: str, *, start: Path | None = None) -> Trainer:
    """Resume from ``checkpoint`` if it exists; otherwise start a new run, from the average of ``start`` if given.

    Raises:
        RuntimeError: the checkpoint is of another architecture.
    """
    shape = ARCHITECTURES[architecture]
    net = MattingNet(shape).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    distillation = DistillationLoss(shape.channels[3]).to(device)
    parameters = [*net.parameters(), *distillation.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=1e-3, weight_decay=1e-2, fused=True)
    trainer = Trainer(net, copy.deepcopy(net), distillation, optimizer)
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        trainer.net.load_state_dict(state["net"])
        trainer.average.load_state_dict(state["average"])
        trainer.distillation.load_state_dict(state["lesson"])
        trainer.optimizer.load_state_dict(state["optimizer"])
        trainer.frames, trainer.before = state["frames"], state.get("before", 0)
    elif start:
        state = torch.load(start, map_location=device, weights_only=True)
        trainer.net.load_state_dict(grow_weights(state["average"], trainer.net.state_dict()))
        trainer.average.load_state_dict(trainer.net.state_dict())
        trainer.before = state["frames"] + state.get("before", 0)
    return trainer


def grow_weights(weights: dict[str, Tensor], larger: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights of a smaller network, and those that only the ``larger`` one has, set so that alpha is unchanged.

    Input channels for a clean plate have weights of 0 if they are new. They are left out if the larger one has none:
    alpha is that for a plate that is valid nowhere then.
    """
    added = {name: value for name, value in larger.items() if name.startswith(GROWING)}
    zeroed = {name: torch.zeros_like(value) for name, value in added.items() if name.endswith(ADDED)}
    return added | zeroed | weights | {STEM: _with_inputs(weights[STEM], larger[STEM].shape[1])}


def _with_inputs(weights: Tensor, inputs: int) -> Tensor:
    """A convolution's weights (outputs, channels, 3, 3) for so many input channels; those of new ones are 0."""
    added = max(0, inputs - weights.shape[1])
    return torch.cat([weights[:, :inputs], weights.new_zeros(len(weights), added, *weights.shape[2:])], 1)


def to_tensors(batch: Batch, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """The network's input (B, T, 3 or 7, H, W) in [-1, 1], truth and its certainty (B, T, 1, H, W), on the device."""
    frames = batch.frames.to(device, non_blocking=True)
    alpha, certainty = (
        part.to(device, non_blocking=True)[:, :, None].float() / 255 for part in (batch.alpha, batch.certainty)
    )
    frames = frames.permute(0, 1, 4, 2, 3).float() / 127.5 - 1
    if batch.plate is not None:
        plate = batch.plate.to(device, non_blocking=True).permute(0, 1, 4, 2, 3).float()
        plate = plate.expand(-1, frames.shape[1], -1, -1, -1)
        values = plate_values(plate.flatten(0, 1))
        frames = with_plate(frames.flatten(0, 1), values).unflatten(0, frames.shape[:2])
    return frames, alpha, certainty
