"""Compares exported LeRobot policies with LeRobot's own sampling, and checks what is refused.

    python models/export/verify_lerobot.py

Makes checkpoints of random weights with LeRobot's classes, exports them, and samples chunks from
the same noises twice: by LeRobot, and by `reference.py`, which knows the bundle only. Needs
`lerobot==0.4.4` and `diffusers==0.35.2` beside `requirements.txt`; see models/README.md.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

import lerobot_truth as truth
from lerobot_bundle import export
from reference import Bundle

# Beside actions of the size of 1.
TOLERANCE = 1e-4
PARTICLES = 3
HERE = Path(__file__).resolve().parent

CASES = {
    "one camera, DDPM": dict(
        state=4,
        action=7,
        cameras={"top": (96, 128)},
        environment=None,
        modes={"VISUAL": "MEAN_STD", "STATE": "MIN_MAX", "ACTION": "MIN_MAX"},
        crop_shape=(84, 85),
        noise_scheduler_type="DDPM",
    ),
    "two cameras with an encoder each, resized and cropped, DDIM": dict(
        state=5,
        action=4,
        cameras={"static": (120, 161), "wrist": (120, 161)},
        environment=None,
        modes={"VISUAL": "MIN_MAX", "STATE": "MEAN_STD", "ACTION": "MEAN_STD"},
        n_obs_steps=2,
        resize_shape=(80, 96),
        crop_ratio=0.9,
        use_separate_rgb_encoder_per_camera=True,
        use_group_norm=False,
        use_film_scale_modulation=False,
        noise_scheduler_type="DDIM",
        num_inference_steps=10,
        prediction_type="sample",
        clip_sample=False,
    ),
    "state and environment only, one step, DDPM with 20 steps": dict(
        state=6,
        action=3,
        cameras={},
        use_separate_rgb_encoder_per_camera=True,
        environment=9,
        modes={"STATE": "IDENTITY", "ENV": "QUANTILES", "ACTION": "IDENTITY"},
        n_obs_steps=1,
        horizon=32,
        n_action_steps=12,
        down_dims=(16, 32, 64),
        kernel_size=3,
        n_groups=4,
        beta_schedule="linear",
        num_inference_steps=20,
        clip_sample_range=0.7,
    ),
    "two cameras and environment, one encoder, three steps, DDIM": dict(
        state=4,
        action=4,
        cameras={"static": (64, 64), "wrist": (64, 64)},
        environment=2,
        modes={"VISUAL": "IDENTITY", "STATE": "MIN_MAX", "ENV": "MEAN_STD", "ACTION": "MIN_MAX"},
        n_obs_steps=3,
        vision_backbone="resnet34",
        use_separate_rgb_encoder_per_camera=False,
        noise_scheduler_type="DDIM",
        beta_schedule="scaled_linear",
        num_train_timesteps=50,
        num_inference_steps=7,
    ),
    "one camera, a ResNet-50, resized only, a U-Net of one level, DDPM": dict(
        state=3,
        action=5,
        cameras={"top": (90, 60)},
        environment=None,
        modes={"VISUAL": "QUANTILES", "STATE": "QUANTILE10", "ACTION": "QUANTILE10"},
        n_obs_steps=1,
        horizon=6,
        n_action_steps=6,
        vision_backbone="resnet50",
        resize_shape=(64, 72),
        spatial_softmax_num_keypoints=5,
        use_separate_rgb_encoder_per_camera=True,
        down_dims=(24,),
        kernel_size=7,
        n_groups=3,
        diffusion_step_embed_dim=6,
        num_train_timesteps=30,
        num_inference_steps=30,
        clip_sample_range=2.0,
        do_mask_loss_for_padding=True,
        crop_is_random=False,
    ),
}


def compare(case: dict, folder: Path, seed: int) -> tuple[float, float]:
    """Differences of the condition and of the chunks in the actions' units."""
    settings = truth.config(**case)
    truth.write(settings, folder / "checkpoint", seed)
    layout = truth.layout(settings.action_feature.shape[0])
    export(folder / "checkpoint", folder / "bundle", layout, lambda _: None)
    lerobot, bundle = truth.Truth(folder / "checkpoint"), Bundle(folder / "bundle")

    observation = truth.observe(settings, seed)
    sources = {entry["name"]: entry["source"] for entry in bundle.manifest["observation"]}
    random = np.random.default_rng(seed)
    shape = (PARTICLES, settings.horizon, settings.action_feature.shape[0])
    noise = random.standard_normal(shape, np.float32)
    step_noise = random.standard_normal((bundle.manifest["scheduler"]["steps"], *shape), np.float32)

    conditions = bundle.encode({sources[name]: value for name, value in observation.items()})
    expected = lerobot.condition(observation).numpy()
    whole, executed = lerobot.chunks(observation, noise, step_noise)
    found = bundle.unnormalise(bundle.sample(conditions, noise, list(step_noise)))
    chunk = max(
        float(np.abs(found - whole).max()), float(np.abs(bundle.executed(found)[0] - executed).max())
    )
    if np.abs(whole[0] - whole[1]).max() < 100.0 * TOLERANCE:
        raise SystemExit("the case compares nothing: every noise gives the same chunk")
    return float(np.abs(conditions["condition"] - expected).max()), chunk


def refusals(folder: Path) -> dict[str, tuple]:
    """What breaks a copy of a checkpoint, and what the message must name."""

    def edit(change, file: str = "config.json"):
        def apply() -> None:
            content = json.loads((folder / file).read_text())
            change(content)
            (folder / file).write_text(json.dumps(content))

        return apply

    def legacy() -> None:
        weights = load_file(folder / "model.safetensors")
        weights["normalize_inputs.buffer_observation_state.min"] = torch.zeros(6)
        save_file(weights, folder / "model.safetensors")

    def drop_weight() -> None:
        weights = load_file(folder / "model.safetensors")
        del weights["diffusion.unet.final_conv.1.bias"]
        save_file(weights, folder / "model.safetensors")

    def step(steps: dict) -> None:
        steps["steps"][0]["registry_name"] = "delta_action_processor"

    def normalise(steps: dict) -> None:
        steps["steps"][3]["config"]["norm_map"]["STATE"] = "ROBUST"

    def without(name: str):
        return lambda: (folder / name).unlink()

    return {
        "another policy": (edit(lambda raw: raw.update(type="act")), "type", "'act'", "diffusion"),
        "a schedule": (
            edit(lambda raw: raw.update(beta_schedule="sigmoid")),
            "beta_schedule",
            "'sigmoid'",
            "squaredcos_cap_v2",
        ),
        "a backbone": (edit(lambda raw: raw.update(vision_backbone="vgg11")), "vision_backbone", "vgg11"),
        "too long an execution": (
            edit(lambda raw: raw.update(n_action_steps=99)),
            "n_action_steps",
            "99",
            "1 to 32",
        ),
        "an early normalisation": (legacy, "normalize_inputs", "before 0.4"),
        "a missing weight": (drop_weight, "U-Net", "final_conv.1.bias"),
        "no processor": (without("policy_preprocessor.json"), "policy_preprocessor.json"),
        "an unknown step": (edit(step, "policy_preprocessor.json"), "delta_action_processor"),
        "a backbone that does not exist": (
            edit(lambda raw: raw.update(vision_backbone="resnet99")),
            "vision_backbone",
            "resnet99",
        ),
        "a horizon that cannot be halved": (
            edit(lambda raw: raw.update(horizon=36)),
            "horizon",
            "36",
            "multiples of 8",
        ),
        "groups that do not divide": (
            edit(lambda raw: raw.update(n_groups=3)),
            "down_dims",
            "multiples of n_groups = 3",
        ),
        "a long memory": (edit(lambda raw: raw.update(n_obs_steps=17)), "n_obs_steps", "17", "1 to 16"),
        "a feature of another kind": (
            edit(lambda raw: raw["input_features"].update(task={"type": "LANGUAGE", "shape": [9]})),
            "the type of task",
            "LANGUAGE",
        ),
        "a normalisation": (edit(normalise, "policy_preprocessor.json"), "observation.state", "ROBUST"),
    }


def check_refusals(work: Path) -> list[str]:
    """Runs the command line on broken checkpoints; returns what went wrong."""
    case = CASES["state and environment only, one step, DDPM with 20 steps"]
    original, broken, problems = work / "original", work / "broken", []
    truth.write(truth.config(**(case | {"modes": {"STATE": "MIN_MAX"}})), original, 0)
    command = [sys.executable, str(HERE / "lerobot.py"), "--checkpoint", str(broken)]
    command += ["--out", str(work / "bundle"), "--position", "0", "1", "2"]
    command += ["--mode", "delta", "--rate-hz", "10"]
    for name, (apply, *words) in ({"nothing": (lambda: None,)} | refusals(broken)).items():
        subprocess.run(["rm", "-rf", str(broken)], check=True)
        subprocess.run(["cp", "-r", str(original), str(broken)], check=True)
        apply()
        done = subprocess.run(command, capture_output=True, text=True)
        good = done.returncode == 0 if name == "nothing" else done.returncode == 1
        good = good and all(word in done.stderr for word in words) and "Traceback" not in done.stderr
        print(f"{'ok' if good else 'WRONG':5}  {name}: {done.stderr.strip()[:150]}", flush=True)
        if not good:
            problems.append(name)
    return problems


def check_sources(checkpoint: Path, work: Path) -> list[str]:
    """Exports a checkpoint with a renamed camera and a feature that nobody looks at."""

    def change(file: str, apply) -> None:
        content = json.loads((checkpoint / file).read_text())
        apply(content)
        (checkpoint / file).write_text(json.dumps(content))

    name = "observation.images.top"
    effort = {"type": "STATE", "shape": [7]}
    change("config.json", lambda raw: raw["input_features"].update({"observation.effort": effort}))
    renaming = {"rename_map": {"observation.images.front": name}}
    change("policy_preprocessor.json", lambda steps: steps["steps"][0].update(config=renaming))
    # The checkpoint is that of the first case.
    layout = truth.layout(next(iter(CASES.values()))["action"])
    export(checkpoint, work / "renamed", layout, lambda _: None)
    found = [entry["source"] for entry in Bundle(work / "renamed").manifest["observation"]]
    good = found == ["robot_state", "front"]
    print(f"{'ok' if good else 'WRONG':5}  a renamed camera, an unused state: sources {found}", flush=True)
    return [] if good else ["a renamed camera, an unused state"]


def main() -> None:
    torch.set_num_threads(1)
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        for seed, (name, case) in enumerate(CASES.items()):
            condition, chunk = compare(case, Path(folder) / str(seed), seed)
            good = chunk <= TOLERANCE
            print(
                f"{'ok' if good else 'WRONG':5}  {name}: condition {condition:.1e}, chunk {chunk:.1e}",
                flush=True,
            )
            if not good:
                problems.append(name)
        problems += check_sources(Path(folder) / "0" / "checkpoint", Path(folder))
        problems += check_refusals(Path(folder))
    if problems:
        raise SystemExit(f"{len(problems)} failed: " + "; ".join(problems))


if __name__ == "__main__":
    main()
