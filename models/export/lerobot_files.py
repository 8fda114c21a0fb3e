"""What the files of a LeRobot checkpoint hold, whatever the policy: its processors' statistics.

A checkpoint is a directory with `config.json`, `model.safetensors`, `policy_preprocessor.json` and
`policy_postprocessor.json`, and the two processors' statistics as safetensors files.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file as load_numpy

from refusal import unsupported

STATE, ENVIRONMENT, ACTION = "observation.state", "observation.environment_state", "action"
RENAMING = "rename_observations_processor"
# Processor steps that change no number of an observation or an action.
NEUTRAL = {"to_batch_processor", "device_processor", RENAMING}
# Which statistics become -1 and 1.
BOUNDS = {"QUANTILES": ("q01", "q99"), "QUANTILE10": ("q10", "q90"), "MIN_MAX": ("min", "max")}


@dataclass
class Normalisation:
    """One feature's statistics as LeRobot stores them: `mode` and vectors by name, float32."""

    mode: str
    stats: dict[str, np.ndarray]
    eps: float

    def mean_std(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        """What an observation is shifted and divided by, [size] each."""
        if self.mode == "IDENTITY":
            return np.zeros(size, np.float32), np.ones(size, np.float32)
        if self.mode == "MEAN_STD":
            # LeRobot divides by this sum, so that a constant cannot be divided by zero.
            return self.stats["mean"], self.stats["std"] + np.float32(self.eps)
        low, high = (self.stats[name].astype(np.float64) for name in BOUNDS[self.mode])
        # A number that never varied becomes -1, as LeRobot makes it, but is not blown up beside it.
        constant = low == high
        std = np.where(constant, 1.0, (high - low) / 2.0)
        return (low + std).astype(np.float32), std.astype(np.float32)

    def action(self, size: int) -> dict[str, np.ndarray]:
        """How the network's numbers unnormalise: `min` and `max`, or `mean` and `std`, [size] each."""
        if self.mode == "IDENTITY":
            return {"mean": np.zeros(size, np.float32), "std": np.ones(size, np.float32)}
        if self.mode == "MEAN_STD":
            # LeRobot multiplies by the deviation itself; the manifest wants more than zero.
            std = np.maximum(self.stats["std"], np.finfo(np.float32).tiny)
            return {"mean": self.stats["mean"], "std": std}
        low, high = (self.stats[name] for name in BOUNDS[self.mode])
        # A column that never moved keeps its value; the manifest wants min below max.
        return {"min": low, "max": np.where(low == high, np.nextafter(low, np.float32(np.inf)), high)}

    def mean_and_scale(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        """The same as `mean` and `std` throughout: for policies whose samples know no bounds, [size] each."""
        found = self.action(size)
        if "mean" in found:
            return found["mean"], found["std"]
        low, high = (found[name].astype(np.float64) for name in ("min", "max"))
        return ((low + high) / 2.0).astype(np.float32), ((high - low) / 2.0).astype(np.float32)


def folder_of(checkpoint: Path) -> Path:
    """The directory itself, or the `pretrained_model` in it."""
    inner = checkpoint / "pretrained_model"
    return checkpoint if (checkpoint / "config.json").exists() or not inner.is_dir() else inner


def refuse_old(folder: Path, names) -> None:
    """Refuses weights among which there is normalisation, as LeRobot kept it before 0.4."""
    old = sorted(name for name in names if "normalize_" in name)
    if old:
        raise SystemExit(
            f"cannot export: {folder}/model.safetensors holds {old[0]}, normalisation as LeRobot "
            "kept it before 0.4; convert the checkpoint with LeRobot's "
            "lerobot/processor/migrate_policy_normalization.py first"
        )


def step(folder: Path, file: str, name: str) -> dict:
    """The settings of a processor's step."""
    for found in read_json(folder, file)["steps"]:
        if found.get("registry_name") == name:
            return found.get("config", {})
    raise SystemExit(f"cannot export: {folder / file} has no step {name}")


def present(folder: Path, name: str) -> Path:
    if not (folder / name).is_file():
        raise SystemExit(
            f"cannot export: there is no {folder / name}; a LeRobot 0.4 checkpoint has config.json, "
            "model.safetensors, policy_preprocessor.json, policy_postprocessor.json and the "
            "processors' .safetensors files"
        )
    return folder / name


def read_json(folder: Path, name: str) -> dict:
    try:
        return json.loads(present(folder, name).read_text())
    except json.JSONDecodeError as error:
        raise SystemExit(f"cannot export: {folder / name} is no JSON: {error}")


def vector(features: dict, name: str) -> int:
    shape = features[name]["shape"]
    if len(shape) != 1:
        raise unsupported(f"config.json: the shape of {name}", shape, "[n]")
    return int(shape[0])


def renamed(folder: Path, file: str) -> dict[str, str]:
    """How a processor renames observations, from old names to new ones."""
    for step in read_json(folder, file)["steps"]:
        if step.get("registry_name") == RENAMING:
            return step.get("config", {}).get("rename_map") or {}
    return {}


def normaliser(
    folder: Path, file: str, wanted: str, others: frozenset[str] = frozenset()
) -> tuple[dict, dict]:
    """The settings and statistics of a processor's one step that changes numbers.

    `others` are steps that the caller sees to.
    """
    found = None
    known = NEUTRAL | others
    for step in read_json(folder, file)["steps"]:
        name, config = step.get("registry_name", step.get("class")), step.get("config", {})
        if name == wanted and found is None:
            stats = load_numpy(present(folder, step["state_file"])) if "state_file" in step else {}
            found = config, stats
        elif name not in known:
            supported = f"{wanted}, {', '.join(sorted(known))}"
            raise unsupported(f"{file}: a step", name, supported)
    if found is None:
        raise SystemExit(f"cannot export: {file} has no step {wanted}")
    if found[0].get("normalize_observation_keys") is not None:
        raise unsupported(f"{file}: normalize_observation_keys", "set", "normalising every feature")
    return found


def feature(statistics: tuple[dict, dict], name: str, shape: tuple[int, ...]) -> Normalisation:
    """How `normaliser`'s step treats one feature."""
    config, tensors = statistics
    stats = {
        key.rsplit(".", 1)[1]: value.astype(np.float32)
        for key, value in tensors.items()
        if key.rsplit(".", 1)[0] == name
    }
    known = config["features"].get(name)
    mode = config["norm_map"].get(known["type"], "IDENTITY") if known else "IDENTITY"
    # LeRobot leaves a feature without statistics as it is.
    if mode == "IDENTITY" or not stats:
        return Normalisation("IDENTITY", {}, config["eps"])
    if mode != "MEAN_STD" and mode not in BOUNDS:
        supported = ", ".join(("IDENTITY", "MEAN_STD", *BOUNDS))
        raise unsupported(f"the normalisation of {name}", mode, supported)
    needed = ("mean", "std") if mode == "MEAN_STD" else BOUNDS[mode]
    size = shape[0]
    for key in needed:
        if key not in stats:
            raise SystemExit(f"cannot export: {mode} of {name} needs the statistic {key}")
        if stats[key].size not in (1, size):
            raise unsupported(f"the shape of {name}.{key}", stats[key].shape, f"one number or {size}")
    vectors = {key: np.broadcast_to(stats[key].reshape(-1), (size,)) for key in needed}
    return Normalisation(mode, vectors, config["eps"])
