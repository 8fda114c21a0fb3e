"""Reads trained parts back from a bundle, so that a shipped one can be what training starts from."""

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from model import Policy


def load_vision(policy: Policy, bundle: Path) -> None:
    """Sets the keypoint heads and the fusion to those of the bundle's encoder.

    The export has folded the features' statistics into the first layer, where they stay: the
    heads compute the same, with a mean of 0 and a deviation of 1 of their own.
    """
    graph = onnx.load(bundle / "encoder.onnx").graph
    stored = {entry.name: numpy_helper.to_array(entry) for entry in graph.initializer}
    nodes = {node.name: node for node in graph.node}
    # Of equal tensors the export stores one, and names it anew for the others.
    for node in graph.node:
        if node.op_type == "Identity" and node.input[0] in stored:
            stored[node.output[0]] = stored[node.input[0]]

    def tensor(name: str) -> torch.Tensor:
        if name not in stored:
            raise SystemExit(f"{bundle}/encoder.onnx holds no {name}: it is not one of train.py's")
        return torch.from_numpy(np.array(stored[name]))

    def operand(node: str, index: int) -> torch.Tensor:
        if node not in nodes:
            raise SystemExit(f"{bundle}/encoder.onnx has no node {node}: it is not one of train.py's")
        return tensor(nodes[node].input[index])

    weights = {name: tensor(f"fusion.{name}") for name in policy.fusion.state_dict()}
    policy.fusion.load_state_dict(weights)
    for camera, head in policy.vision.heads.items():
        name = f"vision.heads.{camera}"
        weight = operand(f"/vision/{camera}/MatMul", 0)
        head.load_state_dict(
            {
                "read": tensor(f"{name}.read"),
                "mean": torch.zeros_like(head.mean),
                "std": torch.ones_like(head.std),
                "reduce.weight": weight,
                "reduce.bias": tensor(f"{name}.reduce.bias") - weight @ tensor(f"{name}.mean"),
                "attend.weight": operand(f"/vision/{camera}/attend/MatMul", 1).T.contiguous(),
            }
        )
