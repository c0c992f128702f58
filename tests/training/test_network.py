"""The network and its loss: recurrent state, alpha's range, what the loss prefers."""

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install --group train")

from training import blocks, losses, network  # noqa: E402 - only if PyTorch is installed


def test_alpha_reaches_both_ends() -> None:
    assert network.to_alpha(torch.tensor([-9.0, 0.0, 9.0])).tolist() == [0.0, 0.5, 1.0]


def test_plate_is_seen_as_clipped_differences_where_it_is_valid() -> None:
    frames = torch.tensor([-1.0, 0.0, 1.0]).reshape(1, 3, 1, 1).expand(-1, -1, 1, 3)
    plate = torch.tensor([-1.0, 0.25, -1.0]).reshape(1, 3, 1, 1).expand(-1, -1, 1, 3)
    validity = torch.tensor([0.0, 0.5, 1.0]).reshape(1, 1, 1, 3)
    seen = network.with_plate(frames, torch.cat([plate, validity], 1))
    assert torch.equal(seen[:, :3], frames)
    assert seen[0, 3:6, 0].tolist() == [[0, 0, 0], [0, 0.25, 0.5], [0, 0.5, 1]]
    assert torch.equal(seen[:, 6:], validity)


def test_state_makes_frames_depend_on_earlier_ones() -> None:
    net = network.MattingNet(network.ARCHITECTURES["tiny"]).eval()
    clip = torch.rand(1, 2, 3, 32, 48)
    with torch.no_grad():
        together = net(clip)[0][:, 1]
        alone = net(clip[:, 1:])[0][:, 0]
        first = net(clip[:, :1])
        stepwise = net(clip[:, 1:], first[2])[0][:, 0]
    assert torch.allclose(together, stepwise, atol=1e-5)
    assert not torch.allclose(together, alone, atol=1e-5)


def test_state_decays() -> None:
    gru = blocks.ConvGRU(4, 2)
    gru.gates.bias.data[2:] = -1e3  # closed update gates
    state = torch.ones(1, 2, 8, 8)
    with torch.no_grad():
        for _ in range(30):
            _, state = gru(torch.rand(1, 4, 8, 8), state)
    assert torch.allclose(state, torch.full_like(state, blocks.STATE_DECAY**30))
    assert blocks.STATE_DECAY**30 < 0.25  # after one second


def test_perfect_alpha_has_the_least_loss() -> None:
    truth = torch.zeros(2, 3, 1, 32, 48)
    truth[..., 8:24, 12:36] = 1
    logits, coarse, certainty = (truth - 0.5) * 30, torch.zeros(2, 3, 1, 4, 6), torch.ones_like(truth)
    perfect = losses.matting_loss(logits, coarse, truth, certainty)
    assert perfect < losses.matting_loss(logits.roll(2, -1), coarse, truth, certainty)
    assert perfect < losses.matting_loss(-logits, coarse, truth, certainty)


def test_flicker_costs_more_than_the_same_constant_error() -> None:
    truth = torch.full((1, 4, 1, 32, 32), 0.5)
    error = torch.full((1, 4, 1, 32, 32), 0.4)
    sign = torch.tensor([1.0, -1.0, 1.0, -1.0]).view(1, 4, 1, 1, 1)
    coarse, certainty = torch.zeros(1, 4, 1, 4, 4), torch.ones_like(truth)
    flickering = losses.matting_loss(error * sign, coarse, truth, certainty)
    assert flickering > losses.matting_loss(error, coarse, truth, certainty)


def test_mirror_disagreement_is_the_mean_difference() -> None:
    alpha = torch.rand(2, 1, 1, 8, 12)
    assert losses.mirror_disagreement(alpha, alpha.flip(-1)).item() == 0
    opposite = losses.mirror_disagreement(alpha, 1 - alpha.flip(-1))
    assert opposite.item() == pytest.approx((2 * alpha - 1).abs().mean().item())


def test_nothing_is_learned_where_the_truth_is_unknown() -> None:
    truth = (torch.rand(2, 3, 1, 32, 48) > 0.5).float()
    logits, coarse = torch.randn(2, 3, 1, 32, 48, requires_grad=True), torch.zeros(2, 3, 1, 4, 6)
    certainty = torch.zeros_like(truth)
    certainty[..., :16, :] = 1
    losses.matting_loss(logits, coarse, truth, certainty).backward()
    assert logits.grad is not None
    assert (logits.grad[..., 16:, :] == 0).all()
    assert (logits.grad[..., :16, :] != 0).float().mean() > 0.9
