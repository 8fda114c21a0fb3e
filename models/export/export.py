"""Turns a checkpoint of `models/train/train.py` into a policy bundle.

    python models/export/export.py --checkpoint models/policies/flow.checkpoint.pt \\
        --out models/policies/flow

Writes encoder.onnx, denoiser.onnx and policy.toml, and compares both graphs in ONNX Runtime with
the networks that they came from: a bundle that differs by more than 1e-4 is not written.
"""

import argparse
import hashlib
import os
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "train"))

from dataset import STATE, image_column
from model import Policy, Shape
from trunk import IMAGE_MEAN, IMAGE_STD, Trunk

OPSET = 17
IMAGE = (3, 256, 256)
TOLERANCE = 1e-4
STEPS = 10
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
    policy = Policy(shape).eval()
    policy.load_state_dict(stored["policy"])
    out.mkdir(parents=True, exist_ok=True)
    # Built beside the bundle and moved in at the end, so that a reader never sees half of one.
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        work = Path(folder)
        errors = [_encoder(policy, work / "encoder.onnx"), _denoiser(policy, work / "denoiser.onnx")]
        if max(errors) > TOLERANCE:
            raise SystemExit(f"the exported graphs differ from the networks by {errors}")
        (work / "policy.toml").write_text(_manifest(out.name, shape, stored["statistics"], work))
        size = 0
        for name in ("encoder.onnx", "denoiser.onnx", "policy.toml"):
            size += (work / name).stat().st_size
            os.replace(work / name, out / name)
    licence = Path(__file__).resolve().parent.parent / "train" / "EFFICIENTNET_LITE0_LICENSE"
    shutil.copyfile(licence, out / licence.name)
    return f"{size / 1e6:.2f} MB, encoder within {errors[0]:.1e}, denoiser within {errors[1]:.1e}"


def _export(module: nn.Module, inputs: tuple, names: list, output: str, axes: dict, path: Path) -> None:
    with warnings.catch_warnings():
        # The TorchScript exporter announces its retirement at every call; it is pinned here.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            inputs,
            str(path),
            input_names=names,
            output_names=[output],
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load(path)
    # The exporter loses the output's fixed sizes; whoever loads the graph wants to check them.
    fixed = module(*inputs).shape[1:]
    for dimension, size in zip(model.graph.output[0].type.tensor_type.shape.dim[1:], fixed):
        dimension.dim_value = size
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def _run(path: Path, feed: dict) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {name: value.numpy() for name, value in feed.items()})[0]


def _encoder(policy: Policy, path: Path) -> float:
    encoder = Encoder(policy).eval()
    generator = torch.Generator().manual_seed(0)
    pictures = [torch.rand(1, *IMAGE, generator=generator) * 2.0 - 1.0 for _ in range(2)]
    state = torch.randn(1, policy.shape.state_dim, generator=generator)
    names = [image_column("static"), image_column("wrist"), STATE]
    inputs = (*pictures, state)
    _export(encoder, inputs, names, "condition", {}, path)
    with torch.inference_mode():
        expected = encoder(*inputs).numpy()
    found = _run(path, dict(zip(names, inputs)))
    return float(np.abs(found - expected).max() / max(1.0, np.abs(expected).max()))


def _denoiser(policy: Policy, path: Path) -> float:
    shape = policy.shape
    names = ["sample", "timestep", "condition"]
    axes = {name: {0: "particles"} for name in ("sample", "timestep", "prediction")}
    generator = torch.Generator().manual_seed(0)

    def inputs(particles: int) -> tuple:
        return (
            torch.randn(particles, shape.horizon, shape.action_dim, generator=generator),
            torch.rand(particles, generator=generator),
            torch.randn(1, shape.condition, generator=generator),
        )

    _export(policy.denoiser, inputs(3), names, "prediction", axes, path)
    worst = 0.0
    for particles in (1, 20, 64):
        given = inputs(particles)
        with torch.inference_mode():
            expected = policy.denoiser(*given).numpy()
        worst = max(worst, float(np.abs(_run(path, dict(zip(names, given))) - expected).max()))
    return worst



def _manifest(name: str, shape: Shape, statistics: dict, folder: Path) -> str:
    def digest(file: str) -> str:
        return hashlib.sha256((folder / file).read_bytes()).hexdigest()

    images = "".join(
        f"""
[[observation]]
name = "{image_column(camera)}"
kind = "image"
source = "{camera}"
shape = {list(IMAGE)}
mean = {_floats(IMAGE_MEAN)}
std = {_floats(IMAGE_STD)}
"""
        for camera in ("static", "wrist")
    )
    # Actions are within the range by construction; TOML wants a decimal point in every float.
    minimum, maximum = (_floats(statistics[key]) for key in ("action_min", "action_max"))
    return f"""\
# A policy bundle; written by models/export/export.py.
schema = 1
name = "{name}"
kind = "flow_matching"
prediction = "velocity"
horizon = {shape.horizon}
execute_steps = {EXECUTE_STEPS}
rate_hz = {float(statistics["rate_hz"])}

[scheduler]
kind = "flow_euler"
steps = {STEPS}
time = "noise_to_data_1_to_0"

[action]
dim = {shape.action_dim}
position = [0, 1, 2]
gripper = 3
mode = "delta"
min = {minimum}
max = {maximum}
frame = "base"
{images}
[[observation]]
name = "{STATE}"
kind = "state"
source = "robot_state"
shape = [{shape.state_dim}]
mean = {_floats(statistics["state_mean"])}
std = {_floats(statistics["state_std"])}

[files.encoder]
path = "encoder.onnx"
sha256 = "{digest("encoder.onnx")}"

[files.denoiser]
path = "denoiser.onnx"
sha256 = "{digest("denoiser.onnx")}"
"""


def _floats(values) -> str:
    return "[" + ", ".join(repr(round(float(value), 8)) for value in values) + "]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    print(export_bundle(options.checkpoint, options.out))


if __name__ == "__main__":
    main()
