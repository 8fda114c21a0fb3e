"""Writes a bundle: its manifest `policy.toml` and the two graphs, all at once or not at all."""

import hashlib
import json
import os
from pathlib import Path

import numpy as np

GRAPHS = ("encoder.onnx", "denoiser.onnx")


def publish(work: Path, out: Path, header: str, policy: dict) -> int:
    """Completes the graphs in `work` to a bundle and moves it to `out`; returns its size in bytes.

    `policy` is the manifest without `[files]`. Its `observation` is a list of tables; the other
    dictionaries are tables.
    """
    files = {
        name.removesuffix(".onnx"): {
            "path": name,
            "sha256": hashlib.sha256((work / name).read_bytes()).hexdigest(),
        }
        for name in GRAPHS
    }
    (work / "policy.toml").write_text(_document(header, policy, files))
    out.mkdir(parents=True, exist_ok=True)
    size = 0
    for name in (*GRAPHS, "policy.toml"):
        size += (work / name).stat().st_size
        os.replace(work / name, out / name)
    return size


def _document(header: str, policy: dict, files: dict) -> str:
    tables = {key: value for key, value in policy.items() if isinstance(value, dict)}
    plain = {key: value for key, value in policy.items() if key not in {*tables, "observation"}}
    parts = [f"# {header}\n" + _lines(plain)]
    parts += [f"[{name}]\n" + _lines(table) for name, table in tables.items()]
    parts += ["[[observation]]\n" + _lines(table) for table in policy["observation"]]
    parts += [f"[files.{name}]\n" + _lines(table) for name, table in files.items()]
    return "\n".join(parts)


def _lines(table: dict) -> str:
    return "".join(f"{key} = {_value(value)}\n" for key, value in table.items())


def _value(value) -> str:
    """A TOML value. Numbers of numpy's are written as briefly as their own precision allows."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(item)}" for key, item in value.items()) + " }"
    if isinstance(value, np.floating):
        return _value(float(str(value)))
    if isinstance(value, float) and not np.isfinite(value):
        raise ValueError(f"a manifest's numbers must be finite, found {value}")
    # JSON writes strings, numbers and truth values as TOML does.
    return json.dumps(value)
