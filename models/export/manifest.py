"""Writes models/manifest.toml: every shipped ONNX file with hash, tensors and licence.

    python models/export/manifest.py
"""

import hashlib
from pathlib import Path

import onnx

MODELS = Path(__file__).resolve().parent.parent
OWN = "Apache-2.0"
TRUNK = "Apache-2.0 (trunk: EfficientNet-lite0, see EFFICIENTNET_LITE0_LICENSE)"


def licence(path: Path) -> str:
    """Encoders of policies hold a part of EfficientNet-lite0; everything else was made here."""
    has_trunk = path.name == "encoder.onnx" and path.parent.parent.name == "policies"
    return TRUNK if has_trunk else OWN


def tensors(values) -> str:
    described = []
    for value in values:
        shape = [
            str(size.dim_value) if size.HasField("dim_value") else f'"{size.dim_param}"'
            for size in value.type.tensor_type.shape.dim
        ]
        kind = onnx.TensorProto.DataType.Name(value.type.tensor_type.elem_type).lower()
        described.append(f'{{ name = "{value.name}", type = "{kind}", shape = [{", ".join(shape)}] }}')
    return "[\n" + "".join(f"  {line},\n" for line in described) + "]"


def entry(path: Path) -> str:
    data = path.read_bytes()
    graph = onnx.load_model_from_string(data).graph
    return f"""
[[file]]
path = "{path.relative_to(MODELS).as_posix()}"
bytes = {len(data)}
sha256 = "{hashlib.sha256(data).hexdigest()}"
licence = "{licence(path)}"
inputs = {tensors(graph.input)}
outputs = {tensors(graph.output)}
"""


def main() -> None:
    files = sorted(file for kind in ("controls", "detectors", "policies") for file in (MODELS / kind).glob("*/*.onnx"))
    text = "# The shipped ONNX files; written by models/export/manifest.py.\n"
    (MODELS / "manifest.toml").write_text(text + "".join(entry(file) for file in files))


if __name__ == "__main__":
    main()
