"""Training end to end on a synthetic pack: it learns, resumes, grows, and survives gradients that overflow."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install --group train")

from training import evaluate, export, loader, network, pack, train  # noqa: E402 - only if PyTorch is installed
from training.recipes import Stage  # noqa: E402 - as above
from training.trainer import MAX_SKIPPED, resume_or_start  # noqa: E402 - as above

ROOT = Path(__file__).resolve().parents[2]


def recipe(frames: int, length: int = 1) -> tuple[Stage, ...]:
    plan = loader.BatchPlan(shots=8, length=length, area=48 * 64)
    return (Stage(frames=frames, plan=plan, rate=(3e-3, 1e-3)),)


def test_training_learns_resumes_and_exports(data: pack.Pack, tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    checkpoint = tmp_path / "checkpoint.pt"
    trainer = resume_or_start("tiny", checkpoint, "cpu")
    train.train(trainer, data, tmp_path, recipe=recipe(400), workers=0, every=10)
    resumed = resume_or_start("tiny", checkpoint, "cpu")
    assert resumed.frames == 400
    train.train(resumed, data, tmp_path, recipe=recipe(480, length=2), workers=0, every=10)
    net, frames = export.load_checkpoints(checkpoint)
    assert frames == 480
    losses = [json.loads(line)["loss"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert losses[4] < 0.95 * losses[0]
    figures = evaluate.evaluate(net, evaluate.validation_shots(data, count=3, length=4, plates=False))
    assert 0 < figures.mad < 1000
    export.export(net, tmp_path / "tiny.onnx", name="tiny", area=48 * 64, frames=frames)
    export.write_checksums(tmp_path)
    assert "tiny.onnx" in (tmp_path / "SHA256SUMS").read_text()


def test_training_learns_the_teacher_s_features(data: pack.Pack, teacher_file: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    plan = loader.BatchPlan(shots=8, length=2, area=48 * 64, taught=4)
    stages = (Stage(frames=1600, plan=plan, rate=(3e-3, 1e-3)),)
    trainer = resume_or_start("tiny", tmp_path / "checkpoint.pt", "cpu")
    train.train(trainer, data, tmp_path, recipe=stages, workers=0, every=10, teacher=teacher_file)
    losses = [json.loads(line)["distillation"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert losses[-1] < 0.8 * losses[0]
    assert export.load_checkpoints(tmp_path / "checkpoint.pt")[1] == 1600


@pytest.mark.parametrize(("capability", "expected"), [("AVX512", torch.bfloat16), ("AVX2", torch.float32)])
def test_cpus_without_fast_bfloat16_train_in_float32(
    data: pack.Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capability: str, expected: torch.dtype
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    trainer = resume_or_start("tiny", tmp_path / "checkpoint.pt", "cpu")
    types = set()
    trainer.net.to16[0][0].register_forward_hook(lambda _, __, result: types.add(result.dtype))
    batch = next(loader.batches(data, loader.BatchPlan(shots=4, length=1, area=48 * 64), seed=0, workers=0))
    trainer.step(batch, 1e-3)
    assert types == {expected}
    assert all(values.isfinite().all() for values in trainer.average.state_dict().values())


def test_mirrored_shots_are_not_counted_twice(data: pack.Pack, tmp_path: Path) -> None:
    trainer = resume_or_start("tiny", tmp_path / "checkpoint.pt", "cpu")
    batch = next(loader.batches(data, loader.BatchPlan(shots=4, length=1, area=48 * 64), seed=0, workers=0))
    trainer.step(batch, 1e-3, mirrored=2)
    assert trainer.frames == 4


def test_gradient_that_overflows_changes_no_weight(tmp_path: Path) -> None:
    trainer = resume_or_start("tiny", tmp_path / "checkpoint.pt", "cpu")
    empty = torch.zeros(1, 1, 32, 48, dtype=torch.uint8)
    batch = loader.Batch(torch.zeros(1, 1, 32, 48, 3, dtype=torch.uint8), empty, empty + 255)
    trainer.net.head.bias.register_hook(lambda gradient: gradient * torch.inf)
    before = trainer.net.head.weight.detach().clone()
    trainer.step(batch, 1e-3)
    assert torch.equal(trainer.net.head.weight, before)
    assert all(values.isfinite().all() for values in trainer.average.state_dict().values())
    for _ in range(MAX_SKIPPED - 1):
        trainer.step(batch, 1e-3)
    with pytest.raises(FloatingPointError, match="gradients of 21 batches in a row are not finite"):
        trainer.step(batch, 1e-3)


def test_new_run_starts_from_a_checkpoint(tmp_path: Path) -> None:
    earlier = resume_or_start("tiny", tmp_path / "absent.pt", "cpu")
    earlier.frames = 77
    earlier.save(tmp_path / "earlier.pt")
    trainer = resume_or_start("tiny", tmp_path / "checkpoint.pt", "cpu", start=tmp_path / "earlier.pt")
    assert (trainer.frames, trainer.before) == (0, 77)
    trainer.save(tmp_path / "checkpoint.pt")
    assert export.load_checkpoints(tmp_path / "checkpoint.pt")[1] == 77
    pairs = zip(earlier.average.parameters(), trainer.net.parameters(), strict=True)
    assert all(torch.equal(old, new) for old, new in pairs)


def test_run_started_from_a_checkpoint_gets_other_shots_than_the_runs_before(
    data: pack.Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds: list[int] = []
    batches = loader.batches
    monkeypatch.setattr(
        train, "batches", lambda *given, seed, **more: seeds.append(seed) or batches(*given, seed=seed, **more)
    )
    first = resume_or_start("tiny", tmp_path / "first.pt", "cpu")
    train.train(first, data, tmp_path, recipe=recipe(16), workers=0, every=1)
    second = resume_or_start("tiny", tmp_path / "second.pt", "cpu", start=tmp_path / "checkpoint.pt")
    train.train(second, data, tmp_path, recipe=recipe(16), workers=0, every=1)
    assert seeds == [0, 16]


def remove_coarse_stage(checkpoint: Path) -> None:
    """As a checkpoint of a network without a stage at 1/32."""
    state = torch.load(checkpoint, weights_only=True)
    state["average"] = {name: value for name, value in state["average"].items() if not name.startswith("whole.")}
    torch.save(state, checkpoint)


def test_grown_network_has_the_output_of_the_smaller_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = resume_or_start("tiny", tmp_path / "absent.pt", "cpu")
    small.save(tmp_path / "small.pt")
    remove_coarse_stage(tmp_path / "small.pt")
    shape = network.ARCHITECTURES["tiny"]
    monkeypatch.setitem(network.ARCHITECTURES, "tiny", network.Architecture(shape.channels, (1, 1, 2, 4, 2)))
    large = resume_or_start("tiny", tmp_path / "checkpoint.pt", "cpu", start=tmp_path / "small.pt")
    clip = torch.rand(1, 2, 3, 32, 48)
    with torch.no_grad():
        assert torch.equal(large.net.eval()(clip)[0], small.average.eval()(clip)[0])
    assert sum(part.numel() for part in large.net.parameters()) > sum(part.numel() for part in small.net.parameters())


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a network as ``small``, without an input for the plate."""
    monkeypatch.setitem(network.ARCHITECTURES, "plain", replace(network.ARCHITECTURES["small"], inputs=3))
    return "plain"


def test_network_that_sees_the_plate_starts_with_the_output_of_one_that_does_not(plain: str, tmp_path: Path) -> None:
    before = resume_or_start(plain, tmp_path / "none.pt", "cpu")
    before.save(tmp_path / "plain.pt")
    trainer = resume_or_start("small", tmp_path / "none.pt", "cpu", start=tmp_path / "plain.pt")
    frames = torch.rand(1, 2, 7, 64, 96) * 2 - 1
    with torch.no_grad():
        expected, seen = before.average.eval()(frames[:, :, :3])[0], trainer.average.eval()(frames)[0]
    assert torch.allclose(expected, seen, atol=1e-6)


def test_network_without_the_plate_starts_with_the_output_for_an_unknown_one(plain: str, tmp_path: Path) -> None:
    before = resume_or_start("small", tmp_path / "none.pt", "cpu")
    before.save(tmp_path / "small.pt")
    trainer = resume_or_start(plain, tmp_path / "none.pt", "cpu", start=tmp_path / "small.pt")
    frames = torch.rand(1, 2, 3, 64, 96) * 2 - 1
    unknown = torch.cat([frames, torch.zeros(1, 2, 4, 64, 96)], 2)
    with torch.no_grad():
        expected, seen = before.average.eval()(unknown)[0], trainer.average.eval()(frames)[0]
    assert torch.allclose(expected, seen, atol=1e-6)


def test_training_with_plates_learns_from_them(data: pack.Pack, plain: str, tmp_path: Path) -> None:
    """The weights that read the plate begin at 0 and move."""
    resume_or_start(plain, tmp_path / "none.pt", "cpu").save(tmp_path / "plain.pt")
    trainer = resume_or_start("small", tmp_path / "none.pt", "cpu", start=tmp_path / "plain.pt")
    assert not trainer.net.stem[0][0].weight[:, 3:].any()
    plan = loader.BatchPlan(shots=4, length=2, area=64 * 48, mirrored=1)
    stages = (Stage(frames=48, plan=plan, rate=(1e-3, 1e-3)),)
    train.train(trainer, data, tmp_path, recipe=stages, workers=0, every=10)
    assert trainer.net.stem[0][0].weight[:, 3:].any()
    shots = evaluate.validation_shots(data, count=2, length=4, plates=True)
    assert 0 < evaluate.evaluate(trainer.average, shots).mad < 1000


def test_checkpoint_of_another_architecture_is_refused(tmp_path: Path) -> None:
    resume_or_start("tiny", tmp_path / "absent.pt", "cpu").save(tmp_path / "tiny.pt")
    with pytest.raises(RuntimeError, match="size mismatch"):
        resume_or_start("small", tmp_path / "checkpoint.pt", "cpu", start=tmp_path / "tiny.pt")


def test_checkpoint_in_the_repository_starts_small_and_large(tmp_path: Path) -> None:
    """The keys of the checkpoint are the network's attribute names, which must not change."""
    kept = ROOT / "training/checkpoints/small.pt"
    for name in ("small", "large"):
        trainer = resume_or_start(name, tmp_path / "none.pt", "cpu", start=kept)
        assert trainer.before > 2_000_000
    assert export.load_checkpoints(kept)[0].architecture == network.ARCHITECTURES["small"]
