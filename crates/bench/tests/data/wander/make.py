"""Writes a policy that wanders: the smallest one that can be steered.

    python crates/bench/tests/data/wander/make.py

Its actions are independent normal draws, whatever the cameras show. The graph holds the exact
velocity field of that distribution, so nothing was trained. With x_t = t noise + (1 - t) data and
data ~ N(m, s^2) per column, y = x_t - (1 - t) m:

    v = E[noise - data | x_t] = y (t - (1 - t) s^2) / (t^2 + (1 - t)^2 s^2) - m

Left alone it goes nowhere in particular with the gripper closed; what it achieves when steered is
the work of steering alone.
"""

import hashlib
from pathlib import Path

import onnx
from onnx import TensorProto, helper

HERE = Path(__file__).parent
FLOAT = TensorProto.FLOAT
SIDE, STATE, HORIZON, DIM, CONDITION = 256, 4, 16, 4, 3
# Normalised: 1 is 3 cm for positions; the gripper stays closed.
MEAN = [0.0, 0.0, 0.0, -1.0]
DEVIATION = [0.35, 0.35, 0.35, 0.05]


def value(name: str, shape: list):
    return helper.make_tensor_value_info(name, FLOAT, shape)


def constant(name: str, dims: list, values: list, kind: int = FLOAT):
    return helper.make_tensor(name, kind, dims, values)


def save(file: str, nodes: list, inputs: list, outputs: list, constants: list) -> str:
    graph = helper.make_graph(nodes, "wander", inputs, outputs, constants)
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8, producer_name="make.py")
    onnx.checker.check_model(model, full_check=True)
    data = model.SerializeToString()
    (HERE / file).write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def encoder() -> str:
    names = ["observation.images.static", "observation.images.wrist", "observation.state"]
    nodes = [
        helper.make_node("ReduceMean", [name], [f"{name}.mean"], keepdims=0) for name in names
    ]
    nodes += [
        helper.make_node("Reshape", [f"{name}.mean", "one"], [f"{name}.flat"]) for name in names
    ]
    nodes.append(helper.make_node("Concat", [f"{name}.flat" for name in names], ["condition"], axis=1))
    inputs = [value(name, [1, 3, SIDE, SIDE]) for name in names[:2]] + [value(names[2], [1, STATE])]
    constants = [constant("one", [2], [1, 1], TensorProto.INT64)]
    return save("encoder.onnx", nodes, inputs, [value("condition", [1, CONDITION])], constants)


def denoiser() -> str:
    def node(kind: str, first: str, second: str, out: str):
        return helper.make_node(kind, [first, second], [out])

    nodes = [
        node("Reshape", "timestep", "column", "t"),
        node("Sub", "unity", "t", "u"),
        node("Mul", "u", "mean", "drift"),
        node("Sub", "sample", "drift", "y"),
        node("Mul", "u", "variance", "uv"),
        node("Sub", "t", "uv", "numerator"),
        node("Mul", "t", "t", "tt"),
        node("Mul", "u", "uv", "uuv"),
        node("Add", "tt", "uuv", "denominator"),
        node("Div", "numerator", "denominator", "gain"),
        node("Mul", "y", "gain", "toward"),
        node("Sub", "toward", "mean", "flow"),
        # The condition says nothing; times zero it still has to be there.
        helper.make_node("ReduceSum", ["condition"], ["sum"], keepdims=0),
        node("Mul", "sum", "zero", "nothing"),
        node("Add", "flow", "nothing", "prediction"),
    ]
    constants = [
        constant("column", [3], [-1, 1, 1], TensorProto.INT64),
        constant("unity", [], [1.0]),
        constant("zero", [], [0.0]),
        constant("mean", [1, 1, DIM], MEAN),
        constant("variance", [1, 1, DIM], [s * s for s in DEVIATION]),
    ]
    inputs = [
        value("sample", ["particles", HORIZON, DIM]),
        value("timestep", ["particles"]),
        value("condition", [1, CONDITION]),
    ]
    outputs = [value("prediction", ["particles", HORIZON, DIM])]
    return save("denoiser.onnx", nodes, inputs, outputs, constants)


def manifest(encoder_sha: str, denoiser_sha: str) -> str:
    def picture(camera: str) -> str:
        return f"""[[observation]]
name = "observation.images.{camera}"
kind = "image"
source = "{camera}"
shape = [3, {SIDE}, {SIDE}]
mean = [0.5, 0.5, 0.5]
std = [0.5, 0.5, 0.5]

"""

    return f"""schema = 1
name = "wander"
kind = "flow_matching"
prediction = "velocity"
horizon = {HORIZON}
execute_steps = 8
rate_hz = 10.0

[scheduler]
kind = "flow_euler"
steps = 10
time = "noise_to_data_1_to_0"

[action]
dim = {DIM}
position = [0, 1, 2]
gripper = 3
mode = "delta"
min = [-0.03, -0.03, -0.03, -1.0]
max = [0.03, 0.03, 0.03, 1.0]
frame = "base"

{picture("static")}{picture("wrist")}[[observation]]
name = "observation.state"
kind = "state"
source = "robot_state"
shape = [{STATE}]
mean = [0.4, 0.0, 0.2, 0.04]
std = [0.1, 0.2, 0.1, 0.04]

[files.encoder]
path = "encoder.onnx"
sha256 = "{encoder_sha}"

[files.denoiser]
path = "denoiser.onnx"
sha256 = "{denoiser_sha}"
"""


if __name__ == "__main__":
    (HERE / "policy.toml").write_text(manifest(encoder(), denoiser()))
