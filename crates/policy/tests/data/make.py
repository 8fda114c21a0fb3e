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

- encoder_conditions.onnx: the same encoder that also makes context = state as [1, 2, 2] and kept
  [1, 2, 1], 64-bit integers: 1 for each of its rows that begins above 0, else 0
- denoiser_conditions.onnx: prediction = sample + timestep + condition[0] + sum of context * kept

and the denoiser and the encoder again, each wrong in its own way:

- denoiser_extra.onnx: with an input and an output more
- denoiser_horizon.onnx: with a dynamic horizon
- denoiser_condition.onnx: for another condition
- denoiser_future.onnx: in a version of ONNX that does not exist yet
- denoiser_external.onnx: with a number in a file of its own, `weights.bin`
- encoder_batch.onnx: with a dynamic batch
- encoder_double.onnx: encoder_conditions.onnx with a context of 64-bit floats
"""

from pathlib import Path

import onnx
from onnx import TensorProto, external_data_helper, helper

HERE = Path(__file__).parent
OPSET = [helper.make_opsetid("", 17)]
FLOAT = TensorProto.FLOAT
SIDE, STATE, HORIZON, DIM, CONDITION = 4, 4, 3, 4, 3


def value(name: str, shape: list, kind: int = FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def constant(name: str, kind: int, dims: list, values: list):
    return helper.make_tensor(name, kind, dims, values)


def save(file: str, nodes: list, inputs: list, outputs: list, constants: list, opset=OPSET) -> None:
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=opset, ir_version=8, producer_name="make.py")
    # What is wrong on purpose cannot be checked.
    if opset is OPSET and not any(value.external_data for value in constants):
        onnx.checker.check_model(model, full_check=True)
    (HERE / file).write_bytes(model.SerializeToString())


def encoder(file: str, state_kind: int, batch=1) -> None:
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
    inputs = [value(name, [batch, 3, SIDE, SIDE]) for name in images]
    inputs.append(value("observation.state", [batch, STATE], state_kind))
    save(file, nodes, inputs, [value("condition", [1, CONDITION])], constants)


def encoder_conditions(file: str, kind: int = FLOAT) -> None:
    images = [f"observation.images.{camera}" for camera in ("static", "wrist")]
    nodes = [
        helper.make_node("ReduceMean", [name], [f"{name}.mean"], axes=[1, 2, 3], keepdims=0)
        for name in images
    ]
    nodes += [
        helper.make_node("ReduceSum", ["observation.state", "columns"], ["sum"], keepdims=0),
        helper.make_node("Concat", [*(f"{name}.mean" for name in images), "sum"], ["flat"], axis=0),
        helper.make_node("Reshape", ["flat", "row"], ["condition"]),
        helper.make_node("Reshape", ["observation.state", "square"], ["matrix"]),
        helper.make_node("Cast", ["matrix"], ["context"], to=kind),
        helper.make_node("Slice", ["matrix", "start", "end", "axis"], ["first"]),
        helper.make_node("Greater", ["first", "zero"], ["above"]),
        helper.make_node("Cast", ["above"], ["kept"], to=TensorProto.INT64),
    ]
    constants = [
        constant("columns", TensorProto.INT64, [1], [1]),
        constant("row", TensorProto.INT64, [2], [1, CONDITION]),
        constant("square", TensorProto.INT64, [3], [1, 2, 2]),
        constant("start", TensorProto.INT64, [1], [0]),
        constant("end", TensorProto.INT64, [1], [1]),
        constant("axis", TensorProto.INT64, [1], [2]),
        constant("zero", FLOAT, [1], [0.0]),
    ]
    inputs = [value(name, [1, 3, SIDE, SIDE]) for name in images]
    inputs.append(value("observation.state", [1, STATE]))
    outputs = [
        value("condition", [1, CONDITION]),
        value("context", [1, 2, 2], kind),
        value("kept", [1, 2, 1], TensorProto.INT64),
    ]
    save(file, nodes, inputs, outputs, constants)


def denoiser_conditions(file: str) -> None:
    nodes = [
        helper.make_node("Reshape", ["timestep", "column"], ["time"]),
        helper.make_node("Slice", ["condition", "start", "end", "axis"], ["first"]),
        helper.make_node("Cast", ["kept"], ["factor"], to=FLOAT),
        helper.make_node("Mul", ["context", "factor"], ["rows"]),
        helper.make_node("ReduceSum", ["rows"], ["sum"], keepdims=0),
        helper.make_node("Add", ["sample", "time"], ["later"]),
        helper.make_node("Add", ["later", "first"], ["seen"]),
        helper.make_node("Add", ["seen", "sum"], ["prediction"]),
    ]
    constants = [
        constant("column", TensorProto.INT64, [3], [-1, 1, 1]),
        constant("start", TensorProto.INT64, [1], [0]),
        constant("end", TensorProto.INT64, [1], [1]),
        constant("axis", TensorProto.INT64, [1], [1]),
    ]
    inputs = [
        value("sample", ["particles", HORIZON, DIM]),
        value("timestep", ["particles"]),
        # In another order than the encoder makes them: names decide.
        value("kept", [1, 2, 1], TensorProto.INT64),
        value("condition", [1, CONDITION]),
        value("context", [1, 2, 2]),
    ]
    save(file, nodes, inputs, [value("prediction", ["particles", HORIZON, DIM])], constants)


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


def denoiser(
    file: str,
    dim: int = DIM,
    particles="particles",
    horizon=HORIZON,
    condition: int = CONDITION,
    opset: list = OPSET,
    extra: bool = False,
    external: bool = False,
    blind: bool = False,
) -> None:
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
        value("sample", [particles, horizon, dim]),
        value("timestep", [particles]),
        value("condition", [1, condition]),
    ]
    outputs = [value("prediction", [particles, horizon, dim])]
    if extra:
        inputs.append(value("guidance", [1]))
        nodes.append(helper.make_node("Identity", ["guidance"], ["variance"]))
        outputs.append(value("variance", [1]))
    if external:
        nodes[-1].output[0] = "without"
        nodes.append(helper.make_node("Add", ["without", "offset"], ["prediction"]))
        offset = helper.make_tensor("offset", FLOAT, [1], b"\0" * 4, raw=True)
        external_data_helper.set_external_data(offset, "weights.bin", 0, 4)
        offset.ClearField("raw_data")
        constants.append(offset)
    save(file, nodes, inputs, outputs, constants, opset)


if __name__ == "__main__":
    encoder("encoder.onnx", FLOAT)
    encoder("encoder_int.onnx", TensorProto.INT64)
    encoder_history("encoder_history.onnx")
    encoder_conditions("encoder_conditions.onnx")
    encoder_conditions("encoder_double.onnx", kind=TensorProto.DOUBLE)
    denoiser_conditions("denoiser_conditions.onnx")
    encoder("encoder_batch.onnx", FLOAT, "batch")
    denoiser("denoiser.onnx")
    denoiser("denoiser_wide.onnx", dim=DIM + 1)
    denoiser("denoiser_fixed.onnx", particles=1)
    denoiser("denoiser_extra.onnx", extra=True)
    denoiser("denoiser_horizon.onnx", horizon="horizon")
    denoiser("denoiser_condition.onnx", condition=CONDITION + 1)
    denoiser("denoiser_future.onnx", opset=[helper.make_opsetid("", 99)])
    denoiser("denoiser_external.onnx", external=True)
    denoiser("denoiser_blind.onnx", blind=True)
