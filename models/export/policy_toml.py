"""Writes a bundle: its manifest `policy.toml` and the two graphs, all at once or not at all."""

import hashlib
import json
import os
from pathlib import Path

import numpy as np

GRAPHS = ("encoder.onnx", "denoiser.onnx")
TOKENIZER = "tokenizer.json"


def publish(work: Path, out: Path, header: str, policy: dict) -> int:
    """Completes what is in `work` to a bundle and moves it to `out`; returns its size in bytes.

    A graph may have its weights beside it, in a file of the same name with `.weights`, and there may be a
    tokenizer. `policy` is the manifest without `[files]`. Its `observation` is a list of tables; the other
    dictionaries are tables.
    """
    files, names = {}, []
    for name in GRAPHS:
        entry = _entry(work / name)
        names.append(name)
        weights = (work / name).with_suffix(".weights")
        if weights.exists():
            entry["weights"] = [_entry(weights)]
            names.append(weights.name)
        files[name.removesuffix(".onnx")] = entry
    if (work / TOKENIZER).exists():
        files["tokenizer"] = _entry(work / TOKENIZER)
        names.append(TOKENIZER)
    (work / "policy.toml").write_text(_document(header, policy, files))
    out.mkdir(parents=True, exist_ok=True)
    size = 0
    for name in (*names, "policy.toml"):
        size += (work / name).stat().st_size
        os.replace(work / name, out / name)
    return size


def _entry(path: Path) -> dict:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    return {"path": path.name, "sha256": digest.hexdigest()}


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
