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
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "train"))

import layout
import methods
import policy_toml
from action_layout import BLOCKS, ActionLayout
from dataset import STATE, image_column
from graphs import TOLERANCE, difference, export_graph
from layout import Layout
from model import Policy, Shape
from trunk import IMAGE_MEAN, IMAGE_STD, Trunk


@dataclass(frozen=True)
class Use:
    """What is no matter of training, but of how a bundle is used."""

    # Actions of a chunk that are executed before the next one is planned.
    execute_steps: int = 8
    # What guidance may move.
    guide: tuple[str, ...] = ("position", "gripper")

    def as_dict(self) -> dict:
        return asdict(self)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options that make a `Use`; what is not given stays as it is."""
    parser.add_argument(
        "--execute-steps",
        type=int,
        help=f"actions executed of each chunk (default: {Use.execute_steps})",
    )
    parser.add_argument(
        "--guide",
        nargs="+",
        choices=BLOCKS,
        help=f"what guidance may move (default: {' '.join(Use.guide)})",
    )


def use_of(options: argparse.Namespace, stored: dict) -> Use:
    """The use that the options ask for; what they leave out is that of the record `stored`."""
    given = {"execute_steps": options.execute_steps, "guide": options.guide}
    merged = stored | {key: value for key, value in given.items() if value is not None}
    if not 1 <= merged.get("execute_steps", 1) <= Shape.horizon:
        raise SystemExit(f"--execute-steps: expected 1 to {Shape.horizon}")
    return Use(**{key: tuple(v) if isinstance(v, list) else v for key, v in merged.items()})


class Encoder(nn.Module):
    """Normalised pictures and state to the condition: trunk, keypoints and fusion in one graph."""

    def __init__(self, policy: Policy):
        super().__init__()
        self.trunk = Trunk()
        self.vision, self.fusion = policy.vision, policy.fusion

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """One picture a camera, in the order of the heads, and the state."""
        *pictures, state = inputs
        features = {
            camera: self.trunk(picture).permute(0, 2, 3, 1)
            for camera, picture in zip(self.vision.heads, pictures, strict=True)
        }
        return self.fusion(self.vision(features), state)


def export_bundle(checkpoint: Path, out: Path, use: Use) -> str:
    """Writes the bundle to `out`, replacing what was there, and returns a line about it."""
    stored = torch.load(checkpoint, weights_only=True)
    shape, columns = Shape(**stored["shape"]), layout.from_record(stored.get("layout", {}))
    method = methods.from_record(stored.get("method", {}))
    policy = Policy(shape).eval()
    policy.load_state_dict(stored["policy"])
    out.parent.mkdir(parents=True, exist_ok=True)
    # Built beside the bundle and moved in at the end, so that a reader never sees half of one.
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        work = Path(folder)
        errors = [
            write_encoder(policy, columns.sizes, work / "encoder.onnx"),
            write_denoiser(policy, work / "denoiser.onnx"),
        ]
        if max(errors) > TOLERANCE:
            raise SystemExit(f"the exported graphs differ from the networks by {errors}")
        manifest = _manifest(out.name, shape, columns, method, stored["statistics"], use)
        header = "A policy bundle; written by models/export/export.py."
        size = policy_toml.publish(work, out, header, manifest)
    licence = Path(__file__).resolve().parent.parent / "train" / "EFFICIENTNET_LITE0_LICENSE"
    shutil.copyfile(licence, out / licence.name)
    return f"{size / 1e6:.2f} MB, encoder within {errors[0]:.1e}, denoiser within {errors[1]:.1e}"


def write_encoder(policy: Policy, sizes: tuple[tuple[int, int], ...], path: Path) -> float:
    """Writes the look at the scene as a graph; gives its largest difference from the network."""
    encoder = Encoder(policy).eval()
    generator = torch.Generator().manual_seed(0)
    cameras = policy.shape.cameras
    pictures = [torch.rand(1, 3, *size, generator=generator) * 2.0 - 1.0 for size in sizes]
    inputs = (*pictures, torch.randn(1, policy.shape.state_dim, generator=generator))
    names = [*map(image_column, cameras), STATE]
    export_graph(encoder, inputs, names, "condition", {}, path)
    return difference(encoder, path, names, [inputs])


def write_denoiser(policy: Policy, path: Path) -> float:
    """Writes the denoiser as a graph; gives its largest difference from the network."""
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


def _manifest(
    name: str, shape: Shape, columns: Layout, method: methods.Method, statistics: dict, use: Use
) -> dict:
    kind, scheduler = method.manifest()
    images = [
        {
            "name": image_column(camera),
            "kind": "image",
            "source": camera,
            "shape": (3, *size),
            "mean": _floats(IMAGE_MEAN),
            "std": _floats(IMAGE_STD),
        }
        for camera, size in zip(shape.cameras, columns.sizes, strict=True)
    ]
    state = {"name": STATE, "kind": "state", "source": "robot_state"}
    if columns.components != layout.DEFAULT_COMPONENTS:
        state["components"] = columns.components
    state |= {
        "shape": [shape.state_dim],
        "mean": _floats(statistics["state_mean"]),
        "std": _floats(statistics["state_std"]),
    }
    bounds = {bound: _floats(statistics[f"action_{bound}"]) for bound in ("min", "max")}
    return {
        "schema": 1,
        "name": name,
        "kind": kind,
        "prediction": method.prediction,
        "horizon": shape.horizon,
        "execute_steps": use.execute_steps,
        "rate_hz": float(statistics["rate_hz"]),
        "scheduler": scheduler,
        "action": action_table(columns, use) | bounds,
        "observation": [*images, state],
    }


def action_table(columns: Layout, use: Use) -> dict:
    """The `[action]` table without its bounds; refuses a guide that the columns do not allow."""
    action = ActionLayout(
        mode="delta",
        position=columns.position,
        rotation=columns.rotation,
        rotation_kind="rotation_vector" if columns.rotation else None,
        gripper=columns.gripper,
        guide=list(use.guide),
    )
    return action.table(columns.action_dim)


def _floats(values) -> list[float]:
    return [round(float(value), 8) for value in values]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    add_options(parser)
    options = parser.parse_args()
    stored = torch.load(options.checkpoint, weights_only=True).get("use", {})
    print(export_bundle(options.checkpoint, options.out, use_of(options, stored)))


if __name__ == "__main__":
    main()
