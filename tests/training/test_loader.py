"""Batches: their sizes, their parts, and the teacher's features."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install --group train")

from training import distillation, loader, pack  # noqa: E402 - only if PyTorch is installed


@pytest.mark.parametrize(("aspect", "size"), [((16, 9), (256, 144)), ((4, 3), (224, 160)), ((1, 1), (192, 192))])
def test_input_sizes_keep_the_aspect_ratio(aspect: tuple[int, int], size: tuple[int, int]) -> None:
    assert loader.input_size(256 * 144, *aspect) == size


def test_batches_have_few_sizes_from_the_smallest_to_the_largest() -> None:
    """The first batch of each size costs a GPU seconds."""
    drawn = loader.batch_sizes(loader.BatchPlan(shots=1, length=1, area=512 * 288, least=0.25), seed=0)
    sizes = {next(drawn) for _ in range(1000)}
    assert len(sizes) == loader.AREAS * len(loader.ASPECTS)
    assert {(512, 288), (256, 144)} <= sizes


def test_batch_of_several_workers_has_shots_with_teacher_features_first(data: pack.Pack, teacher_file: Path) -> None:
    plan = loader.BatchPlan(shots=5, length=2, area=48 * 64, least=0.3, taught=3)
    source = loader.batches(data, plan, seed=3, workers=2, teacher=teacher_file)
    teacher = distillation.Teacher(teacher_file)
    for _ in range(4):
        batch = next(source)
        assert batch.frames.shape[:2] == batch.alpha.shape[:2] == (5, 2)
        assert batch.frames.shape[2:4] == batch.alpha.shape[2:]
        assert batch.teacher_features is not None
        assert np.array_equal(batch.teacher_features.numpy(), teacher.features(batch.frames[:3, 0].numpy()))


def test_more_workers_than_shots_make_whole_batches(data: pack.Pack) -> None:
    batch = next(loader.batches(data, loader.BatchPlan(shots=1, length=1, area=48 * 64), seed=0, workers=2))
    assert len(batch.frames) == 1
    assert batch.teacher_features is None


def test_teacher_gets_frames_in_rgb(teacher_file: Path) -> None:
    frames = np.zeros((2, 32, 48, 3), np.uint8)
    frames[1, :16, :16] = (0, 0, 255)  # red, in BGR
    features = distillation.Teacher(teacher_file).features(frames)
    assert features.shape == (2, distillation.CHANNELS, 2, 3)
    assert features[1, :, 0, 0].tolist() == [1.0] * distillation.CHANNELS
    assert features.sum() == distillation.CHANNELS


def test_distillation_loss_is_the_unexplained_share_of_the_variance() -> None:
    loss = distillation.DistillationLoss(distillation.CHANNELS)
    torch.nn.init.dirac_(loss.translate.weight)
    torch.nn.init.zeros_(loss.translate.bias)
    features = torch.rand(3, distillation.CHANNELS, 4, 5)
    mean = features.mean((0, 2, 3), keepdim=True).expand_as(features)
    assert loss(features, features).item() == pytest.approx(0, abs=1e-6)
    assert loss(mean, features).item() == pytest.approx(1, abs=1e-5)
