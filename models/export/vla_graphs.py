"""Writes networks as ONNX graphs whose weights lie in a file of their own, and compares them.

A graph file may not be larger than 2 GB, and a policy's weights often are: whatever is larger than a few
hundred numbers goes into one file beside the graph, which the manifest lists.
"""

import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto
from torch import nn

from graphs import OPSET

# Large weights begin at multiples of a page, so that they can be mapped, others at those of a cache line.
PAGE, LINE = 4096, 64
# Tensors with fewer bytes stay in the graph.
SMALL = 1024
_KINDS = {torch.float32: TensorProto.FLOAT, torch.float64: TensorProto.DOUBLE, torch.int64: TensorProto.INT64}


def export_graph(
    module: nn.Module, inputs: dict[str, torch.Tensor], outputs: list[str], axes: dict, path: Path
) -> None:
    """Writes `module` to `path` and its weights to the file of the same name with `.weights`."""
    with warnings.catch_warnings():
        # The TorchScript exporter announces its retirement at every call; it is pinned here.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            tuple(inputs.values()),
            str(path),
            input_names=list(inputs),
            output_names=outputs,
            dynamic_axes=axes,
            opset_version=OPSET,
            # Weights become inputs, which get their values below.
            export_params=False,
            dynamo=False,
        )
    model = onnx.load(path)
    tensors = dict(module.named_parameters()) | dict(module.named_buffers())
    own = [value for value in model.graph.input if value.name not in inputs]
    for value in own:
        model.graph.input.remove(value)
    with path.with_suffix(".weights").open("wb") as file:
        model.graph.initializer.extend(
            _initializer(value.name, tensors[value.name], file, path.with_suffix(".weights").name)
            for value in own
        )
    # The exporter loses the outputs' fixed sizes; whoever loads the graph wants to check them.
    with torch.inference_mode():
        found = module(*inputs.values())
    found = found if isinstance(found, tuple) else (found,)
    for value, tensor in zip(model.graph.output, found):
        dynamic = axes.get(value.name, {})
        del value.type.tensor_type.shape.dim[:]
        for axis, size in enumerate(tensor.shape):
            dimension = value.type.tensor_type.shape.dim.add()
            if axis in dynamic:
                dimension.dim_param = dynamic[axis]
            else:
                dimension.dim_value = size
    onnx.save(model, path)
    onnx.checker.check_model(str(path), full_check=True)


def _initializer(name: str, tensor: torch.Tensor, file, location: str) -> TensorProto:
    data = tensor.detach().contiguous().numpy()
    proto = TensorProto(name=name, data_type=_KINDS[tensor.dtype], dims=data.shape)
    if data.nbytes < SMALL:
        proto.raw_data = data.tobytes()
        return proto
    file.write(bytes(-file.tell() % (PAGE if data.nbytes >= 16 * PAGE else LINE)))
    entries = {"location": location, "offset": str(file.tell()), "length": str(data.nbytes)}
    file.write(memoryview(np.atleast_1d(data)).cast("B"))
    proto.data_location = TensorProto.EXTERNAL
    proto.external_data.extend(onnx.StringStringEntryProto(key=key, value=value) for key, value in entries.items())
    return proto


def difference(module: nn.Module, path: Path, cases: list[dict[str, torch.Tensor]]) -> float:
    """The largest difference of graph and network over the cases, relative to outputs above 1."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst = 0.0
    for inputs in cases:
        with torch.inference_mode():
            expected = module(*inputs.values())
        expected = expected if isinstance(expected, tuple) else (expected,)
        found = session.run(None, {name: value.numpy() for name, value in inputs.items()})
        for one, other in zip(found, expected):
            one, other = one.astype(np.float64), other.numpy().astype(np.float64)
            worst = max(worst, float(np.abs(one - other).max()) / max(1.0, float(np.abs(other).max())))
    return worst
