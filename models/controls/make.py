"""Writes three policies that wander: the smallest ones that can be steered.

    python models/controls/make.py && python models/export/manifest.py

Their actions are independent normal draws, whatever the cameras show. The graphs hold the exact
velocity field of that distribution, so nothing was trained. With x_t = t noise + (1 - t) data and
data ~ N(m, s^2) per column, y = x_t - (1 - t) m:

    v = E[noise - data | x_t] = y (t - (1 - t) s^2) / (t^2 + (1 - t)^2 s^2) - m

Left alone they go nowhere in particular: `wander` with the gripper closed, `grasper` with fingers that
open and close at random and that guidance may move, `reflex` with fingers that follow a rule of the
hand's own height (above the base) and width, the one of the benchmark's method of that name. What they
achieve when steered is the work of steering alone.
"""

import hashlib
import json
from pathlib import Path

import onnx
from onnx import TensorProto, helper

CONTROLS = Path(__file__).parent
FLOAT = TensorProto.FLOAT
SIDE, STATE, HORIZON, DIM, CONDITION = 256, 4, 16, 4, 3
# Mean and deviation of the gripper, and what guidance may move; normalised, 1 is 3 cm for positions.
POLICIES = {
    "wander": (-1.0, 0.05, None),
    "grasper": (0.0, 0.7, ["position", "gripper"]),
    "reflex": (0.0, 0.05, None),
}
# The state: tool x, y, z and width, m, as the bundle normalises it.
MEAN, STD = [0.4, 0.0, 0.2, 0.04], [0.1, 0.2, 0.1, 0.04]
# The rule (m): open fingers close below the first height; ones that closed on nothing open above the second.
CLOSES_BELOW, OPENS_ABOVE = 0.05, 0.10
EMPTY, OPEN = 0.005, 0.07
DEVIATION = 0.35


def value(name: str, shape: list):
    return helper.make_tensor_value_info(name, FLOAT, shape)


def constant(name: str, dims: list, values: list, kind: int = FLOAT):
    return helper.make_tensor(name, kind, dims, values)


def save(folder: Path, file: str, nodes: list, inputs: list, outputs: list, constants: list) -> str:
    graph = helper.make_graph(nodes, "wander", inputs, outputs, constants)
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8, producer_name="make.py")
    onnx.checker.check_model(model, full_check=True)
    data = model.SerializeToString()
    (folder / file).write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def encoder(folder: Path) -> str:
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
    return save(folder, "encoder.onnx", nodes, inputs, [value("condition", [1, CONDITION])], constants)


def reflexes(folder: Path) -> str:
    """The condition's first number is 1 where the fingers open and -1 where they close."""
    names = ["observation.images.static", "observation.images.wrist", "observation.state"]
    z, width = 2, 3

    def node(kind: str, inputs: list, out: str, **attributes):
        return helper.make_node(kind, inputs, [out], **attributes)

    nodes = [
        # The pictures say nothing; times zero they still have to be there.
        *(node("ReduceMean", [name], f"{name}.mean", keepdims=0) for name in names[:2]),
        node("Add", [f"{name}.mean" for name in names[:2]], "seen"),
        node("Mul", ["seen", "zero"], "nothing"),
        node("Gather", ["observation.state", "z"], "height", axis=1),
        node("Gather", ["observation.state", "width"], "opening", axis=1),
        node("Greater", ["opening", "open"], "is_open"),
        node("Less", ["opening", "empty"], "is_empty"),
        node("Greater", ["height", "closes_below"], "is_above"),
        node("Greater", ["height", "opens_above"], "is_far_above"),
        node("And", ["is_empty", "is_far_above"], "opens"),
        node("And", ["is_open", "is_above"], "stays_open"),
        node("Or", ["stays_open", "opens"], "choice"),
        node("Where", ["choice", "one", "minus_one"], "fingers"),
        node("Add", ["fingers", "nothing"], "first"),
        node("Concat", ["first", "rest"], "condition", axis=1),
    ]

    def normalised(value_m: float, column: int) -> list:
        return [(value_m - MEAN[column]) / STD[column]]

    constants = [
        constant("zero", [], [0.0]),
        constant("one", [1, 1], [1.0]),
        constant("minus_one", [1, 1], [-1.0]),
        constant("rest", [1, CONDITION - 1], [0.0] * (CONDITION - 1)),
        constant("z", [1], [z], TensorProto.INT64),
        constant("width", [1], [width], TensorProto.INT64),
        constant("open", [1, 1], normalised(OPEN, width)),
        constant("empty", [1, 1], normalised(EMPTY, width)),
        constant("closes_below", [1, 1], normalised(CLOSES_BELOW, z)),
        constant("opens_above", [1, 1], normalised(OPENS_ABOVE, z)),
    ]
    inputs = [value(name, [1, 3, SIDE, SIDE]) for name in names[:2]] + [value(names[2], [1, STATE])]
    return save(folder, "encoder.onnx", nodes, inputs, [value("condition", [1, CONDITION])], constants)


def denoiser(folder: Path, gripper: float, spread: float, follows: bool) -> str:
    constant_mean = [0.0, 0.0, 0.0, gripper]
    deviation = [DEVIATION] * 3 + [spread]

    def node(kind: str, first: str, second: str, out: str):
        return helper.make_node(kind, [first, second], [out])

    # Where fingers follow the condition, its first number is their mean.
    mean = [
        helper.make_node("Gather", ["condition", "first"], ["fingers"], axis=1),
        node("Mul", "fingers", "selector", "ruled"),
        node("Add", "constant_mean", "ruled", "mean"),
    ]
    nodes = mean if follows else []
    nodes += [
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
        constant("constant_mean" if follows else "mean", [1, 1, DIM], constant_mean),
        constant("variance", [1, 1, DIM], [s * s for s in deviation]),
    ]
    if follows:
        constants += [
            constant("first", [], [0], TensorProto.INT64),
            constant("selector", [1, 1, DIM], [0.0, 0.0, 0.0, 1.0]),
        ]
    inputs = [
        value("sample", ["particles", HORIZON, DIM]),
        value("timestep", ["particles"]),
        value("condition", [1, CONDITION]),
    ]
    outputs = [value("prediction", ["particles", HORIZON, DIM])]
    return save(folder, "denoiser.onnx", nodes, inputs, outputs, constants)


def manifest(name: str, guide: list | None, encoder_sha: str, denoiser_sha: str) -> str:
    guided = f"guide = {json.dumps(guide)}\n" if guide else ""

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
name = "{name}"
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
{guided}
{picture("static")}{picture("wrist")}[[observation]]
name = "observation.state"
kind = "state"
source = "robot_state"
shape = [{STATE}]
mean = {MEAN}
std = {STD}

[files.encoder]
path = "encoder.onnx"
sha256 = "{encoder_sha}"

[files.denoiser]
path = "denoiser.onnx"
sha256 = "{denoiser_sha}"
"""


if __name__ == "__main__":
    for name, (gripper, spread, guide) in POLICIES.items():
        folder = CONTROLS / name
        folder.mkdir(exist_ok=True)
        follows = name == "reflex"
        encode = reflexes if follows else encoder
        files = encode(folder), denoiser(folder, gripper, spread, follows)
        (folder / "policy.toml").write_text(manifest(name, guide, *files))
