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

    Beside them the share of gripper commands whose sign is the expert's, and of a hand that turns the
    mean distance of a sample's turn from the expert's (`mean_mrad`, steps added up).
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
    truth = data.chunk[rows[some]][:, None]

    def path_of(chunks: torch.Tensor, columns: list[int]) -> torch.Tensor:
        return (chunks[..., columns] * (torch.from_numpy(data.max[columns]) * 1000.0)).cumsum(dim=2)

    layout = data.layout
    path, expert = (path_of(chunks, layout.position) for chunks in (samples, truth))
    distance = (path - expert).norm(dim=-1).mean(dim=-1)
    pairs = (path[:, :, None] - path[:, None]).norm(dim=-1).mean(dim=-1)
    between = pairs.sum(dim=(1, 2)).mean() / (SAMPLES * (SAMPLES - 1))
    ends = path[:, :, -1]
    spread = (ends - ends.mean(dim=1, keepdim=True)).norm(dim=-1).mean()
    grip = (samples[..., layout.gripper].sign() == truth[..., layout.gripper].sign()).float().mean()
    turned = {}
    if layout.rotation:
        turn, expert_turn = (path_of(chunks, layout.rotation) for chunks in (samples, truth))
        turned["mean_mrad"] = (turn - expert_turn).norm(dim=-1).mean().item()
    return {
        "loss": loss,
        "nearest_mm": distance.min(dim=1).values.mean().item(),
        "mean_mm": distance.mean().item(),
        "spread_mm": spread.item(),
        "energy_mm": (distance.mean() - 0.5 * between).item(),
        "gripper_agrees": grip.item(),
        **turned,
    }
