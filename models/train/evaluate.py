"""Figures on held-out episodes: the loss, and whether the policy's modes cover the experts."""

import numpy as np
import torch

from model import draw, flow_loss

# Same frames, noises and times at every call, so that figures can be compared.
SEED = 1234
LOSS_FRAMES = 1024
MODE_FRAMES = 128
SAMPLES = 32
STEPS = 10
BATCH = 64


@torch.no_grad()
def keypoints(vision: torch.nn.Module, features, rows: np.ndarray | None = None) -> torch.Tensor:
    """The frozen head's output for the given rows, or all."""
    rows = np.arange(len(features.frames)) if rows is None else rows
    parts = [
        vision(features.batch(rows[start : start + BATCH]), features.scales)
        for start in range(0, len(rows), BATCH)
    ]
    return torch.cat(parts)


def figures(policy: torch.nn.Module, data) -> dict[str, float]:
    """Validation loss, and in millimetres over the chunk's path:

    - `nearest_mm`: from the expert's chunk to the nearest of 32 samples (coverage of the modes);
    - `mean_mm`: from the expert's chunk to a sample, on average;
    - `spread_mm`: between the ends of the samples of one observation (variety).
    """
    generator = torch.Generator().manual_seed(SEED)
    choose = np.random.default_rng(SEED)
    rows = np.sort(choose.permutation(data.validation)[:LOSS_FRAMES])
    with torch.inference_mode():
        seen = keypoints(policy.vision, data.features, rows)
        condition = policy.fusion(seen, data.state[rows])
        loss = flow_loss(policy.denoiser, condition, data.chunk[rows], 4, generator).item()

    some = np.sort(choose.permutation(len(rows))[:MODE_FRAMES])
    samples = draw(
        policy.denoiser, condition[some].repeat_interleave(SAMPLES, dim=0), STEPS, generator
    )
    samples = samples.view(len(some), SAMPLES, *samples.shape[1:])
    scale = torch.from_numpy(data.max[:3]) * 1000.0
    path = (samples[..., :3] * scale).cumsum(dim=2)
    expert = (data.chunk[rows[some]][:, None, :, :3] * scale).cumsum(dim=2)
    distance = (path - expert).norm(dim=-1).mean(dim=-1)
    ends = path[:, :, -1]
    spread = (ends - ends.mean(dim=1, keepdim=True)).norm(dim=-1).mean()
    grip = (samples[..., 3].sign() == data.chunk[rows[some]][:, None, :, 3].sign()).float().mean()
    return {
        "loss": loss,
        "nearest_mm": distance.min(dim=1).values.mean().item(),
        "mean_mm": distance.mean().item(),
        "spread_mm": spread.item(),
        "gripper_agrees": grip.item(),
    }
