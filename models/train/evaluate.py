"""Figures on held-out episodes: the loss, and whether the policy's modes cover the experts."""

import numpy as np
import torch

import methods

# Same frames, noises and times at every call, so that figures can be compared.
SEED = 1234
LOSS_FRAMES = 1024
MODE_FRAMES = 512
SAMPLES = 32
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


def figures(policy: torch.nn.Module, method: methods.Method, data) -> dict[str, float]:
    """Validation loss, and in millimetres over the chunk's path:

    - `nearest_mm`: from the expert's chunk to the nearest of 32 samples (coverage of the modes);
    - `mean_mm`: from the expert's chunk to a sample, on average;
    - `spread_mm`: between the ends of the samples of one observation (variety);
    - `energy_mm`: the energy score, `mean_mm` less half the mean distance between two samples. It is
      lowest for the experts' own distribution (Gneiting and Raftery 2007, equation 22), so it
      punishes both a wrong mode and a lost one, and compares what losses cannot: different methods.
    """
    generator = torch.Generator().manual_seed(SEED)
    choose = np.random.default_rng(SEED)
    rows = np.sort(choose.permutation(data.validation)[:LOSS_FRAMES])
    with torch.inference_mode():
        seen = keypoints(policy.vision, data.features, rows)
        condition = policy.fusion(seen, data.state[rows])
        chunk = data.chunk[rows]
        loss = methods.loss(method, policy.denoiser, condition, chunk, 4, generator).item()

    some = np.sort(choose.permutation(len(rows))[:MODE_FRAMES])
    repeated = condition[some].repeat_interleave(SAMPLES, dim=0)
    samples = method.draw(policy.denoiser, repeated, generator)
    samples = samples.view(len(some), SAMPLES, *samples.shape[1:])
    scale = torch.from_numpy(data.max[:3]) * 1000.0
    path = (samples[..., :3] * scale).cumsum(dim=2)
    expert = (data.chunk[rows[some]][:, None, :, :3] * scale).cumsum(dim=2)
    distance = (path - expert).norm(dim=-1).mean(dim=-1)
    pairs = (path[:, :, None] - path[:, None]).norm(dim=-1).mean(dim=-1)
    between = pairs.sum(dim=(1, 2)).mean() / (SAMPLES * (SAMPLES - 1))
    ends = path[:, :, -1]
    spread = (ends - ends.mean(dim=1, keepdim=True)).norm(dim=-1).mean()
    grip = (samples[..., 3].sign() == data.chunk[rows[some]][:, None, :, 3].sign()).float().mean()
    return {
        "loss": loss,
        "nearest_mm": distance.min(dim=1).values.mean().item(),
        "mean_mm": distance.mean().item(),
        "spread_mm": spread.item(),
        "energy_mm": (distance.mean() - 0.5 * between).item(),
        "gripper_agrees": grip.item(),
    }
