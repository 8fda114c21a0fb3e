"""Writes the LeRobot bundles of this folder and what LeRobot itself samples with their weights.

    python crates/policy/tests/data/lerobot/make.py

Needs what models/export/verify_lerobot.py needs. `ddpm` and `ddim` are one policy of random weights with
two cameras, two observation steps and a tiny U-Net, made by LeRobot's classes and exported by
models/export/lerobot.py's code, with two ways to sample. The graphs are the same, byte for byte, so
`ddim` has none of its own: copy those of `ddpm` beside its manifest. `environment` is a policy without
cameras, which sees the environment's state. Each `golden.json` holds observations, noises and LeRobot's
results:

    images        by source: uint8 [S, H, W, 3], the newest step last
    state         [S, n], not normalised
    environment   [S, n], not normalised; only of `environment`
    condition     [1, C], LeRobot's own
    noise         [B, T, D], the sampler's start
    step_noise    [steps, B, T, D], added after each step of DDPM but the last (training step 0)
    chunk         [B, T, D], LeRobot's actions, unnormalised
    executed      [execute_steps, D], what LeRobot executes of particle 0
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
import torchvision
from torch import nn

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[4] / "models" / "export"))

import lerobot_truth as truth
import policy_toml
from action_layout import ActionLayout
from lerobot_bundle import Layout, export
from reference import Bundle

PARTICLES = 2
TOLERANCE = 1e-5
POLICY = dict(
    state=4,
    action=4,
    cameras={"static": (16, 16), "wrist": (16, 16)},
    environment=None,
    modes={"VISUAL": "MEAN_STD", "STATE": "MIN_MAX", "ACTION": "MIN_MAX"},
    n_obs_steps=2,
    horizon=8,
    n_action_steps=4,
    crop_shape=(14, 14),
    vision_backbone="resnet_tiny",
    spatial_softmax_num_keypoints=4,
    down_dims=(8, 16),
    kernel_size=3,
    n_groups=4,
    diffusion_step_embed_dim=8,
    num_train_timesteps=20,
)
BUNDLES = {
    "ddpm": dict(noise_scheduler_type="DDPM"),
    # Another normalisation of the actions, without clipping.
    "ddim": dict(
        noise_scheduler_type="DDIM",
        num_inference_steps=5,
        prediction_type="sample",
        clip_sample=False,
        modes={"VISUAL": "MEAN_STD", "STATE": "MIN_MAX", "ACTION": "MEAN_STD"},
    ),
    "environment": dict(
        cameras={},
        environment=3,
        modes={"STATE": "IDENTITY", "ENV": "MEAN_STD", "ACTION": "QUANTILES"},
        down_dims=(8,),
        noise_scheduler_type="DDIM",
        num_inference_steps=4,
    ),
}
# Bundles that have the graphs of another one.
SHARED = {"ddim": "ddpm"}


class TinyResnet(nn.Module):
    """Children in the order of torchvision's ResNets: LeRobot cuts off the last two."""

    def __init__(self, weights=None):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.relu = nn.ReLU()
        self.layer1 = torchvision.models.resnet.BasicBlock(16, 16)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(16, 1)


def numbers(values: np.ndarray) -> dict:
    """Shape and numbers row by row, as briefly as their precision allows."""
    flat = values.reshape(-1)
    data = flat.tolist() if values.dtype == np.uint8 else [float(str(np.float32(x))) for x in flat]
    return {"shape": list(values.shape), "data": data}


def write(name: str, options: dict) -> None:
    settings = truth.config(**(POLICY | options))
    layout = Layout(ActionLayout("delta", position=[0, 1, 2], gripper=3), 10.0, {})
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder)
        truth.write(settings, checkpoint, seed=7, constant=False)
        report = export(checkpoint, HERE / name, layout, lambda _: None)
        lerobot = truth.Truth(checkpoint)
    bundle = Bundle(HERE / name)
    observation = truth.observe(settings, seed=7)
    random = np.random.default_rng(7)
    shape = (PARTICLES, settings.horizon, settings.action_feature.shape[0])
    noise = random.standard_normal(shape, np.float32)
    step_noise = random.standard_normal((bundle.manifest["scheduler"]["steps"], *shape), np.float32)
    chunk, executed = lerobot.chunks(observation, noise, step_noise)

    sources = {entry["name"]: entry["source"] for entry in bundle.manifest["observation"]}
    seen = {sources[key]: value for key, value in observation.items()}
    found = bundle.unnormalise(bundle.sample(bundle.encode(seen), noise, list(step_noise)))
    worst = float(np.abs(found - chunk).max())
    if worst > TOLERANCE:
        raise SystemExit(f"{name}: the bundle's chunk differs from LeRobot's by {worst:.1e}")

    golden = {
        "images": {key: numbers(value) for key, value in seen.items() if value.dtype == np.uint8},
        "state": numbers(seen["robot_state"]),
        "condition": numbers(lerobot.condition(observation).numpy()),
        "noise": numbers(noise),
        "chunk": numbers(chunk),
        "executed": numbers(executed),
    }
    if settings.env_state_feature:
        golden["environment"] = numbers(seen["environment_state"])
    if settings.noise_scheduler_type == "DDPM":
        golden["step_noise"] = numbers(step_noise)
    (HERE / name / "golden.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(f"{name}: {report.bytes} bytes, the reference differs from LeRobot by {worst:.1e}")


def share_graphs() -> None:
    for name, owner in SHARED.items():
        for graph in policy_toml.GRAPHS:
            own, shared = HERE / name / graph, HERE / owner / graph
            if shared.read_bytes() != own.read_bytes():
                raise SystemExit(f"{own} is not {shared}, although the weights are the same")
            own.unlink()


def main() -> None:
    torch.set_num_threads(1)
    torchvision.models.resnet_tiny = TinyResnet
    for name, options in BUNDLES.items():
        write(name, options)
    share_graphs()


if __name__ == "__main__":
    main()
