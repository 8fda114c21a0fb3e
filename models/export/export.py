"""Turns a checkpoint of `models/train/train.py` into a policy bundle.

    python models/export/export.py --checkpoint models/policies/flow.checkpoint.pt \\
        --out models/policies/flow

Writes encoder.onnx, denoiser.onnx and policy.toml, and compares both graphs in ONNX Runtime with
the networks that they came from: a bundle that differs by more than 1e-4 is not written.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "train"))

import methods
import policy_toml
from dataset import STATE, image_column
from graphs import TOLERANCE, difference, export_graph
from model import Policy, Shape
from trunk import IMAGE_MEAN, IMAGE_STD, Trunk

IMAGE = (3, 256, 256)
EXECUTE_STEPS = 8


class Encoder(nn.Module):
    """Normalised pictures and state to the condition: trunk, keypoints and fusion in one graph."""

    def __init__(self, policy: Policy):
        super().__init__()
        self.trunk = Trunk()
        self.vision, self.fusion = policy.vision, policy.fusion

    def forward(self, static: torch.Tensor, wrist: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        features = {
            camera: self.trunk(picture).permute(0, 2, 3, 1)
            for camera, picture in (("static", static), ("wrist", wrist))
        }
        return self.fusion(self.vision(features), state)


def export_bundle(checkpoint: Path, out: Path) -> str:
    """Writes the bundle to `out`, replacing what was there, and returns a line about it."""
    stored = torch.load(checkpoint, weights_only=True)
    shape = Shape(**stored["shape"])
    method = methods.from_record(stored.get("method", {}))
    policy = Policy(shape).eval()
    policy.load_state_dict(stored["policy"])
    out.parent.mkdir(parents=True, exist_ok=True)
    # Built beside the bundle and moved in at the end, so that a reader never sees half of one.
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        work = Path(folder)
        errors = [_encoder(policy, work / "encoder.onnx"), _denoiser(policy, work / "denoiser.onnx")]
        if max(errors) > TOLERANCE:
            raise SystemExit(f"the exported graphs differ from the networks by {errors}")
        manifest = _manifest(out.name, shape, method, stored["statistics"])
        header = "A policy bundle; written by models/export/export.py."
        size = policy_toml.publish(work, out, header, manifest)
    licence = Path(__file__).resolve().parent.parent / "train" / "EFFICIENTNET_LITE0_LICENSE"
    shutil.copyfile(licence, out / licence.name)
    return f"{size / 1e6:.2f} MB, encoder within {errors[0]:.1e}, denoiser within {errors[1]:.1e}"


def _encoder(policy: Policy, path: Path) -> float:
    encoder = Encoder(policy).eval()
    generator = torch.Generator().manual_seed(0)
    pictures = [torch.rand(1, *IMAGE, generator=generator) * 2.0 - 1.0 for _ in range(2)]
    inputs = (*pictures, torch.randn(1, policy.shape.state_dim, generator=generator))
    names = [image_column("static"), image_column("wrist"), STATE]
    export_graph(encoder, inputs, names, "condition", {}, path)
    return difference(encoder, path, names, [inputs])


def _denoiser(policy: Policy, path: Path) -> float:
    shape = policy.shape
    names = ["sample", "timestep", "condition"]
    axes = {name: {0: "particles"} for name in ("sample", "timestep", "prediction")}
    generator = torch.Generator().manual_seed(0)

    def inputs(particles: int) -> tuple:
        return (
            torch.randn(particles, shape.horizon, shape.action_dim, generator=generator),
            shape.time_span * torch.rand(particles, generator=generator),
            torch.randn(1, shape.condition, generator=generator),
        )

    export_graph(policy.denoiser, inputs(3), names, "prediction", axes, path)
    return difference(policy.denoiser, path, names, [inputs(count) for count in (1, 20, 64)])


def _manifest(name: str, shape: Shape, method: methods.Method, statistics: dict) -> dict:
    kind, scheduler = method.manifest()
    images = [
        {
            "name": image_column(camera),
            "kind": "image",
            "source": camera,
            "shape": IMAGE,
            "mean": _floats(IMAGE_MEAN),
            "std": _floats(IMAGE_STD),
        }
        for camera in ("static", "wrist")
    ]
    state = {
        "name": STATE,
        "kind": "state",
        "source": "robot_state",
        "shape": [shape.state_dim],
        "mean": _floats(statistics["state_mean"]),
        "std": _floats(statistics["state_std"]),
    }
    return {
        "schema": 1,
        "name": name,
        "kind": kind,
        "prediction": method.prediction,
        "horizon": shape.horizon,
        "execute_steps": EXECUTE_STEPS,
        "rate_hz": float(statistics["rate_hz"]),
        "scheduler": scheduler,
        "action": {
            "dim": shape.action_dim,
            "position": [0, 1, 2],
            "gripper": 3,
            "mode": "delta",
            "min": _floats(statistics["action_min"]),
            "max": _floats(statistics["action_max"]),
            "frame": "base",
            "guide": ["position", "gripper"],
        },
        "observation": [*images, state],
    }


def _floats(values) -> list[float]:
    return [round(float(value), 8) for value in values]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    print(export_bundle(options.checkpoint, options.out))


if __name__ == "__main__":
    main()
