"""Writes the tiny graphs that the tests of tiller-policy load.

    python crates/policy/tests/data/make.py

Their arithmetic is so simple that the tests know the answers:

- encoder.onnx: condition = [mean of the static picture, mean of the wrist picture, sum of state]
- denoiser.onnx: prediction = sample + timestep + condition[0]
- denoiser_wide.onnx: the same with one action column too many
- denoiser_fixed.onnx: the same for exactly one particle
- denoiser_blind.onnx: the same in the dark, where condition[0] is below 0; else not a number
- encoder_int.onnx: the same encoder with a 64-bit integer state
- encoder_history.onnx: an encoder of two observations: condition = [mean of the older static
  picture, mean of the newer one, mean of the wrist pictures + sum of the states]
"""

from pathlib import Path

import onnx
from onnx import TensorProto, helper

HERE = Path(__file__).parent
OPSET = [helper.make_opsetid("", 17)]
FLOAT = TensorProto.FLOAT
SIDE, STATE, HORIZON, DIM, CONDITION = 4, 4, 3, 4, 3


def value(name: str, shape: list, kind: int = FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def constant(name: str, kind: int, dims: list, values: list):
    return helper.make_tensor(name, kind, dims, values)


def save(file: str, nodes: list, inputs: list, outputs: list, constants: list) -> None:
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=OPSET, ir_version=8, producer_name="make.py")
    onnx.checker.check_model(model, full_check=True)
    (HERE / file).write_bytes(model.SerializeToString())


def encoder(file: str, state_kind: int) -> None:
    images = [f"observation.images.{camera}" for camera in ("static", "wrist")]
    nodes = [
        helper.make_node("ReduceMean", [name], [f"{name}.mean"], axes=[1, 2, 3], keepdims=0)
        for name in images
    ]
    nodes += [
        helper.make_node("Cast", ["observation.state"], ["state"], to=FLOAT),
        helper.make_node("ReduceSum", ["state", "columns"], ["state.sum"], keepdims=0),
        helper.make_node("Concat", [*(f"{name}.mean" for name in images), "state.sum"], ["flat"], axis=0),
        helper.make_node("Reshape", ["flat", "row"], ["condition"]),
    ]
    constants = [
        constant("columns", TensorProto.INT64, [1], [1]),
        constant("row", TensorProto.INT64, [2], [1, CONDITION]),
    ]
    inputs = [value(name, [1, 3, SIDE, SIDE]) for name in images]
    inputs.append(value("observation.state", [1, STATE], state_kind))
    save(file, nodes, inputs, [value("condition", [1, CONDITION])], constants)


def encoder_history(file: str) -> None:
    static, wrist = (f"observation.images.{camera}" for camera in ("static", "wrist"))
    nodes = [
        helper.make_node("ReduceMean", [static], ["static.mean"], axes=[2, 3, 4], keepdims=0),
        helper.make_node("ReduceMean", [wrist], ["wrist.mean"], axes=[1, 2, 3, 4], keepdims=0),
        helper.make_node("ReduceSum", ["observation.state", "columns"], ["state.sum"], keepdims=0),
        helper.make_node("Add", ["wrist.mean", "state.sum"], ["flat"]),
        helper.make_node("Reshape", ["flat", "one"], ["rest"]),
        helper.make_node("Concat", ["static.mean", "rest"], ["condition"], axis=1),
    ]
    constants = [
        constant("columns", TensorProto.INT64, [2], [1, 2]),
        constant("one", TensorProto.INT64, [2], [1, 1]),
    ]
    inputs = [value(name, [1, 2, 3, SIDE, SIDE]) for name in (static, wrist)]
    inputs.append(value("observation.state", [1, 2, STATE]))
    save(file, nodes, inputs, [value("condition", [1, CONDITION])], constants)


def denoiser(file: str, dim: int, particles, blind: bool = False) -> None:
    # The root of a negative number is none, and neither is its difference to itself.
    dazzled = [
        helper.make_node("Neg", ["first"], ["dark"]),
        helper.make_node("Sqrt", ["dark"], ["root"]),
        helper.make_node("Sub", ["root", "root"], ["nothing"]),
        helper.make_node("Add", ["first", "nothing"], ["seen"]),
    ]
    nodes = [
        helper.make_node("Reshape", ["timestep", "column"], ["time"]),
        helper.make_node("Slice", ["condition", "start", "end", "axis"], ["first"]),
        helper.make_node("Add", ["sample", "time"], ["later"]),
        *(dazzled if blind else []),
        helper.make_node("Add", ["later", "seen" if blind else "first"], ["prediction"]),
    ]
    constants = [
        constant("column", TensorProto.INT64, [3], [-1, 1, 1]),
        constant("start", TensorProto.INT64, [1], [0]),
        constant("end", TensorProto.INT64, [1], [1]),
        constant("axis", TensorProto.INT64, [1], [1]),
    ]
    inputs = [
        value("sample", [particles, HORIZON, dim]),
        value("timestep", [particles]),
        value("condition", [1, CONDITION]),
    ]
    save(file, nodes, inputs, [value("prediction", [particles, HORIZON, dim])], constants)


if __name__ == "__main__":
    encoder("encoder.onnx", FLOAT)
    encoder("encoder_int.onnx", TensorProto.INT64)
    encoder_history("encoder_history.onnx")
    denoiser("denoiser.onnx", DIM, "particles")
    denoiser("denoiser_wide.onnx", DIM + 1, "particles")
    denoiser("denoiser_fixed.onnx", DIM, 1)
    denoiser("denoiser_blind.onnx", DIM, "particles", blind=True)
