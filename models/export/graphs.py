"""Writes networks as ONNX graphs and compares the graphs with them."""

import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

OPSET = 17
# What an exported graph may differ from its network by, beside numbers of the size of 1.
TOLERANCE = 1e-4


def export_graph(
    module: nn.Module, inputs: tuple, names: list[str], output: str, axes: dict, path: Path
) -> None:
    """Writes `module` to `path`, an ONNX graph with one output; `axes` names the dynamic sizes."""
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
    with torch.inference_mode():
        fixed = module(*inputs).shape[1:]
    for dimension, size in zip(model.graph.output[0].type.tensor_type.shape.dim[1:], fixed):
        dimension.dim_value = size
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def difference(module: nn.Module, path: Path, names: list[str], cases: list[tuple]) -> float:
    """The largest difference of graph and network over the cases, relative to outputs above 1."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst = 0.0
    for inputs in cases:
        with torch.inference_mode():
            expected = module(*inputs).numpy()
        found = session.run(None, {name: value.numpy() for name, value in zip(names, inputs)})[0]
        size = max(1.0, float(np.abs(expected).max()))
        worst = max(worst, float(np.abs(found - expected).max()) / size)
    return worst
