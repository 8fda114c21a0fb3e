"""Makes a network that names pixels by their colour alone: `red block` and `blue block`.

    python crates/grounding/tests/data/colours/make.py
"""

import hashlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).parent
# Logits of nothing, red and blue, of red, green and blue.
WEIGHT = np.array([[0, 0, 0], [0.2, -0.2, -0.2], [-0.2, -0.2, 0.2]], np.float32)
BIAS = np.array([8, 0, 0], np.float32)

nodes = [helper.make_node("Conv", ["picture", "weight", "bias"], ["logits"])]
sizes = ["height", "width"]
graph = helper.make_graph(
    nodes,
    "colours",
    [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, *sizes])],
    [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 3, *sizes])],
    [
        numpy_helper.from_array(WEIGHT.reshape(3, 3, 1, 1), "weight"),
        numpy_helper.from_array(BIAS, "bias"),
    ],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
onnx.checker.check_model(model, full_check=True)
path = HERE / "network.onnx"
onnx.save(model, path)
(HERE / "learned.toml").write_text(
    f"""schema = 1
rows = 256
stride = 16
network = {{ file = "network.onnx", sha256 = "{hashlib.sha256(path.read_bytes()).hexdigest()}" }}

[[class]]
name = "red block"
pixels = 120
most = 2
apart_m = 0.055

[[class]]
name = "blue block"
"""
)
