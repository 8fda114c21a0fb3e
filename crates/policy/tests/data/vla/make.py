"""Writes the bundles of this folder and what LeRobot itself samples with their weights.

    python crates/policy/tests/data/vla/make.py

Needs what models/export/verify_vla.py needs. Each bundle is a policy of random weights and of very small
networks, made by LeRobot's classes and exported by models/export/lerobot.py's code. Its `golden.json` holds
an observation and LeRobot's results:

    instruction   what the robot is told
    tokens        [n], the instruction as LeRobot's tokenizer reads it
    images        by source: uint8 [1, H, W, 3]
    state         [1, n], not normalised
    conditions    by name: [KV, P, d], LeRobot's own, at the places that are no filling
    places        [P], where the bundle has them
    noise         [B, T, D], the sampler's start
    chunk         [B, T, D], LeRobot's actions, unnormalised, of the columns that mean something
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[4] / "models" / "export"))

import vla_truth as truth
from action_layout import ActionLayout
from lerobot_bundle import Layout
from reference import Bundle
from verify_vla import make

PARTICLES, SEED = 2, 7
TOLERANCE = 1e-5
INSTRUCTION = "open the drawer, then push the button 3 times"

SMOLVLM = {
    "vision": dict(
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=32,
        patch_size=8,
    ),
    "text": dict(
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        vocab_size=320,
    ),
    "scale": 2,
}
PALIGEMMA = {
    "vision": dict(hidden_size=16, intermediate_size=24, num_hidden_layers=1, num_attention_heads=2, patch_size=8),
    "paligemma": dict(width=32, mlp_dim=48),
    "expert": dict(width=24, mlp_dim=32),
    "shared": dict(depth=2, num_heads=4, num_kv_heads=1, head_dim=8),
    "vocabulary": 340,
}
COMMON = {
    "state": 4,
    "action": 4,
    "cameras": {"static": (18, 24), "wrist": (20, 16)},
    "chunk_size": 6,
    "n_action_steps": 4,
    "max_action_dim": 6,
    "max_state_dim": 8,
}
USUAL = {"VISUAL": "IDENTITY", "STATE": "MEAN_STD", "ACTION": "MEAN_STD"}
QUANTILES = {"VISUAL": "IDENTITY", "STATE": "QUANTILES", "ACTION": "QUANTILES"}
POLICIES = {
    "smolvla": dict(
        family="smolvla",
        vlm=SMOLVLM,
        modes=USUAL,
        resize_imgs_with_padding=(32, 32),
        num_vlm_layers=2,
        num_steps=4,
        tokenizer_max_length=24,
        **COMMON,
    ),
    "pi0": dict(
        family="pi0",
        vlm=PALIGEMMA,
        modes=USUAL,
        image_resolution=(32, 32),
        num_inference_steps=4,
        tokenizer_max_length=48,
        **COMMON,
    ),
    "pi05": dict(
        family="pi05",
        vlm=PALIGEMMA,
        modes=QUANTILES,
        image_resolution=(32, 32),
        num_inference_steps=4,
        tokenizer_max_length=100,
        **COMMON,
    ),
}


def numbers(values: np.ndarray) -> dict:
    """Shape and numbers row by row, as briefly as their precision allows."""
    flat = values.reshape(-1)
    data = flat.tolist() if values.dtype != np.float32 else [float(str(np.float32(x))) for x in flat]
    return {"shape": list(values.shape), "data": data}


def write(name: str, case: dict) -> None:
    out = HERE / name
    layout = Layout(ActionLayout("delta", position=[0, 1, 2], gripper=3), 10.0, {})
    with tempfile.TemporaryDirectory() as folder:
        settings, lerobot = make(case, Path(folder), SEED, out, layout)
        observation = truth.observe(settings, SEED)
        bundle = Bundle(out)
        dim = settings.action_feature.shape[0]
        shape = (PARTICLES, settings.chunk_size, bundle.manifest["action"]["dim"])
        noise = np.random.default_rng(SEED).standard_normal(shape, np.float32)
        chunk = lerobot.chunks(observation, INSTRUCTION, noise)
        expected = lerobot.conditions(observation, INSTRUCTION)
        tokens = lerobot.tokens(observation, INSTRUCTION)
    seen = truth.by_source(observation)
    conditions = bundle.encode(seen | {"instruction": INSTRUCTION})
    found = bundle.unnormalise(bundle.sample(conditions, noise))[..., :dim]
    worst = max(truth.difference(conditions, expected), float(np.abs(found - chunk).max()))
    if worst > TOLERANCE:
        raise SystemExit(f"{name}: the bundle differs from LeRobot by {worst:.1e}")
    kept = next(iter(expected.values())).shape[1]
    golden = {
        "instruction": INSTRUCTION,
        "tokens": tokens,
        "images": {key: numbers(value) for key, value in seen.items() if value.dtype == np.uint8},
        "state": numbers(seen["robot_state"]),
        "conditions": {key: numbers(value) for key, value in expected.items()},
        # pi0's state stands behind what LeRobot keeps.
        "places": np.flatnonzero(conditions["prefix"][0])[:kept].tolist(),
        "noise": numbers(noise),
        "chunk": numbers(chunk),
    }
    (out / "golden.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    size = sum(path.stat().st_size for path in out.iterdir())
    print(f"{name}: {size} bytes, the reference differs from LeRobot by {worst:.1e}")


def main() -> None:
    torch.set_num_threads(1)
    for name, case in POLICIES.items():
        write(name, case)


if __name__ == "__main__":
    main()
