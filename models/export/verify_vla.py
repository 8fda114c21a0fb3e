"""Compares exported vision-language-action policies with LeRobot's own sampling.

    python models/export/verify_vla.py

Makes checkpoints of random weights with LeRobot's classes, exports them, and samples chunks from the same
noises twice: by LeRobot, one observation for each particle, and by `reference.py`, which knows the bundle
only. See models/README.md for what it needs.
"""

import tempfile
from pathlib import Path

import numpy as np
import torch

import lerobot_truth as base
import pi_checkpoint
import pi_network
import smolvla_checkpoint
import smolvla_network
import vla_bundle
import vla_truth as truth
from lerobot_bundle import Layout
from reference import Bundle

# Of condition and chunk, beside numbers of the size of 1.
CONDITION_TOLERANCE, CHUNK_TOLERANCE = 1e-4, 1e-3
PARTICLES = 3
INSTRUCTION = "put the red block into the drawer"

SMOLVLM = {
    "vision": dict(
        hidden_size=48,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=64,
        patch_size=8,
    ),
    "text": dict(
        hidden_size=96,
        intermediate_size=192,
        num_hidden_layers=4,
        num_attention_heads=6,
        num_key_value_heads=2,
        head_dim=16,
        vocab_size=512,
    ),
    "scale": 4,
}
SMALL = {"resize_imgs_with_padding": (64, 64), "num_vlm_layers": 4, "chunk_size": 16, "n_action_steps": 8}
USUAL = {"VISUAL": "IDENTITY", "STATE": "MEAN_STD", "ACTION": "MEAN_STD"}

PALIGEMMA = {
    "vision": dict(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, patch_size=14),
    "paligemma": dict(width=64, mlp_dim=128),
    "expert": dict(width=48, mlp_dim=96),
    "shared": dict(depth=3, num_heads=8, num_kv_heads=1, head_dim=16),
    "vocabulary": 512,
}
SMALL_PI = {"image_resolution": (56, 56), "chunk_size": 10, "n_action_steps": 8}

CASES = {
    "SmolVLA, two cameras of different sizes": dict(
        family="smolvla",
        vlm=SMOLVLM,
        state=7,
        action=7,
        cameras={"static": (48, 64), "wrist": (80, 60)},
        modes=USUAL,
        **SMALL,
    ),
    "SmolVLA, one camera of the tower's size and one made up, self-attention only, bounds": dict(
        family="smolvla",
        vlm=SMOLVLM,
        state=4,
        action=4,
        cameras={"static": (64, 64)},
        modes={"VISUAL": "IDENTITY", "STATE": "MIN_MAX", "ACTION": "QUANTILES"},
        empty_cameras=1,
        attention_mode="self_attn",
        num_steps=5,
        tokenizer_max_length=40,
        max_action_dim=6,
        max_state_dim=9,
        **SMALL,
    ),
    "SmolVLA, every third layer attends to itself, prefix filled up": dict(
        family="smolvla",
        vlm=SMOLVLM,
        state=5,
        action=4,
        cameras={"static": (128, 96)},
        modes=USUAL,
        self_attn_every_n_layers=3,
        prefix_length=90,
        pad_language_to="max_length",
        **SMALL,
    ),
    "pi0, two cameras of different sizes": dict(
        family="pi0",
        vlm=PALIGEMMA,
        state=7,
        action=7,
        cameras={"static": (48, 64), "wrist": (80, 60)},
        modes=USUAL,
        **SMALL_PI,
    ),
    "pi0, one camera of the tower's size and one made up, bounds": dict(
        family="pi0",
        vlm=PALIGEMMA,
        state=4,
        action=4,
        cameras={"static": (56, 56)},
        modes={"VISUAL": "IDENTITY", "STATE": "MIN_MAX", "ACTION": "QUANTILES"},
        empty_cameras=1,
        num_inference_steps=5,
        max_action_dim=6,
        max_state_dim=9,
        **SMALL_PI,
    ),
    "pi0.5, two cameras of different sizes, quantiles": dict(
        family="pi05",
        vlm=PALIGEMMA,
        state=7,
        action=7,
        cameras={"static": (48, 64), "wrist": (80, 60)},
        modes={"VISUAL": "IDENTITY", "STATE": "QUANTILES", "ACTION": "QUANTILES"},
        **SMALL_PI,
    ),
    "pi0.5, one camera and one made up, mean and deviation": dict(
        family="pi05",
        vlm=PALIGEMMA,
        state=5,
        action=4,
        cameras={"static": (120, 56)},
        modes=USUAL,
        empty_cameras=1,
        num_inference_steps=5,
        max_action_dim=6,
        tokenizer_max_length=120,
        **SMALL_PI,
    ),
}


def make(case: dict, folder: Path, seed: int, out: Path, layout: Layout):
    """Writes a checkpoint of a case into `folder` and its bundle to `out`; returns LeRobot's settings, and
    LeRobot itself."""
    case = dict(case)
    family, sizes = case.pop("family"), case.pop("vlm")
    vlm, checkpoint = folder / "vlm", folder / "checkpoint"
    if family == "smolvla":
        truth.describe_smolvlm(vlm, sizes)
        settings = truth.smolvla(vlm, **case)
    else:
        truth.describe_paligemma(vlm, sizes)
        settings = truth.pi(family, **case)
    truth.write(settings, checkpoint, vlm, sizes, seed, gain=2.0)
    if family == "smolvla":
        stored = smolvla_checkpoint.read(checkpoint, vlm, truth.VERSION)
        networks = smolvla_network.load(stored.config, stored.weights)
    else:
        stored = pi_checkpoint.read(checkpoint, vlm, truth.VERSION)
        networks = pi_network.load(stored.config, stored.weights)
    vla_bundle.export(stored, networks, out, layout, vlm, lambda _: None)
    return settings, truth.Truth(settings, checkpoint, vlm, sizes)


def compare(case: dict, folder: Path, seed: int) -> tuple[float, float]:
    """Differences of the condition, and of the chunks in the actions' units."""
    dim = case["action"]
    settings, lerobot = make(case, folder, seed, folder / "bundle", base.layout(dim))
    bundle = Bundle(folder / "bundle")

    observation = truth.observe(settings, seed)
    seen = truth.by_source(observation)
    conditions = bundle.encode(seen | {"instruction": INSTRUCTION})
    shape = (PARTICLES, settings.chunk_size, bundle.manifest["action"]["dim"])
    noise = np.random.default_rng(seed).standard_normal(shape, np.float32)
    expected = lerobot.chunks(observation, INSTRUCTION, noise)
    found = bundle.unnormalise(bundle.sample(conditions, noise))[..., :dim]
    if np.abs(expected[0] - expected[1]).max() < 100.0 * CHUNK_TOLERANCE:
        raise SystemExit("the case compares nothing: every noise gives the same chunk")
    other = bundle.encode(seen | {"instruction": "push the button"})
    told = bundle.unnormalise(bundle.sample(other, noise))[..., :dim]
    if np.abs(told - found).max() < 10.0 * CHUNK_TOLERANCE:
        raise SystemExit("the case compares nothing: every instruction gives the same chunk")
    worst = truth.difference(conditions, lerobot.conditions(observation, INSTRUCTION))
    return worst, float(np.abs(found - expected).max())


def main() -> None:
    torch.set_num_threads(1)
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        for seed, (name, case) in enumerate(CASES.items()):
            if case["family"] not in truth.FAMILIES:
                print(f"left out  {name}: needs LeRobot 0.6", flush=True)
                continue
            condition, chunk = compare(case, Path(folder) / str(seed), seed)
            good = condition <= CONDITION_TOLERANCE and chunk <= CHUNK_TOLERANCE
            print(f"{'ok' if good else 'WRONG':5}  {name}: condition {condition:.1e}, chunk {chunk:.1e}", flush=True)
            if not good:
                problems.append(name)
    if problems:
        raise SystemExit(f"{len(problems)} failed: " + "; ".join(problems))


if __name__ == "__main__":
    main()
