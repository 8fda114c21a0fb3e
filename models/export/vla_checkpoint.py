"""What the checkpoints of LeRobot's vision-language-action policies have in common."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lerobot_files import (
    ACTION,
    STATE,
    Normalisation,
    feature,
    normaliser,
    renamed,
    step,
    vector,
)
from refusal import unsupported

BEFORE, AFTER = "policy_preprocessor.json", "policy_postprocessor.json"
TOKENIZER = "tokenizer_processor"
TOKENS, MASK = "observation.language.tokens", "observation.language.attention_mask"
# Keys that every configuration has, and those with one supported value, and what else would be.
_NEEDED = (
    "input_features",
    "output_features",
    "chunk_size",
    "n_action_steps",
    "max_state_dim",
    "max_action_dim",
    "tokenizer_max_length",
    "min_period",
    "max_period",
)
_FIXED = {
    "n_obs_steps": (1, "1"),
    "use_peft": (False, "False (merge the adapter's weights first)"),
}
# What tiller-policy accepts: a bundle beyond it would be written only to be refused.
_LIMITS = {"chunk_size": 1024, "num_steps": 1000, "num_inference_steps": 1000, "max_action_dim": 64, "tokenizer_max_length": 1024}


@dataclass
class Text:
    """How an instruction becomes tokens."""

    template: str
    tokens: int
    # Name of the tokenizer's repository, for messages.
    tokenizer: str
    # What becomes a space in an instruction.
    spaces: list[str] = field(default_factory=list)
    # The state's numbers in the text, filled up with zeros, and the bins of [-1, 1] that they are in.
    state_numbers: int = 0
    bins: int = 0

    @staticmethod
    def read(folder: Path, template: str, tokens: int, preparation: str) -> "Text":
        """From the preprocessor, which must prepare the instruction with the step `preparation`."""
        step(folder, BEFORE, preparation)
        settings = step(folder, BEFORE, TOKENIZER)
        if settings.get("max_length", tokens) != tokens:
            raise unsupported(f"{BEFORE}: max_length", settings["max_length"], f"{tokens}, as config.json")
        for key, value in {"padding_side": "right", "task_key": "task"}.items():
            if settings.get(key, value) != value:
                raise unsupported(f"{BEFORE}: {key}", settings[key], repr(value))
        return Text(template, tokens, settings.get("tokenizer_name") or "the policy's tokenizer")


@dataclass
class Shape:
    """What shapes the networks of every such policy: LeRobot's names where it has one."""

    # Shapes [3, height, width] by name; pictures that only fill up are left out.
    images: dict[str, tuple[int, int, int]]
    state_dim: int
    action_dim: int
    # Columns of the network's actions, of which the first `action_dim` mean something.
    action_columns: int
    chunk_size: int
    n_action_steps: int
    num_steps: int
    tokens: int
    min_period: float
    max_period: float
    vision_hidden: int
    vision_inner: int
    vision_layers: int
    patch: int
    side: int

    @property
    def target(self) -> tuple[int, int]:
        """Height and width of the pictures that the tower sees."""
        return self.side, self.side

    @staticmethod
    def read(raw: dict, steps: str, weights: Any, tower: str) -> dict:
        """These fields of a configuration that has them, of which `steps` names the sampling steps, and of
        a tower's tensors."""
        vision_hidden, _, patch, _ = weights.shape(f"{tower}.embeddings.patch_embedding.weight")
        patches = weights.shape(f"{tower}.embeddings.position_embedding.weight")[0]
        return dict(
            images=cameras(raw["input_features"], empty=raw.get("empty_cameras", 0)),
            state_dim=vector(raw["input_features"], STATE),
            action_dim=vector(raw["output_features"], ACTION),
            action_columns=raw["max_action_dim"],
            chunk_size=raw["chunk_size"],
            n_action_steps=raw["n_action_steps"],
            num_steps=raw[steps],
            tokens=raw["tokenizer_max_length"],
            min_period=raw["min_period"],
            max_period=raw["max_period"],
            vision_hidden=vision_hidden,
            vision_inner=weights.shape(f"{tower}.encoder.layers.0.mlp.fc1.weight")[0],
            vision_layers=count_layers(weights, f"{tower}.encoder.layers."),
            patch=patch,
            side=round(patches**0.5) * patch,
        )


@dataclass
class Checkpoint:
    config: Any
    weights: Any
    text: Text
    images: dict[str, Normalisation]
    state: Normalisation
    action: Normalisation
    # Names that observations have before the preprocessor renames them, by the names of the inputs.
    original: dict[str, str]


def statistics(folder: Path, config: Any, weights: Any, text: Text, steps: frozenset[str]) -> Checkpoint:
    """The processors' statistics; `steps` are the policy's own, which the caller sees to."""
    before = normaliser(folder, BEFORE, "normalizer_processor", steps | {TOKENIZER})
    after = normaliser(folder, AFTER, "unnormalizer_processor", steps)
    return Checkpoint(
        config,
        weights,
        text,
        {name: feature(before, name, shape) for name, shape in config.images.items()},
        feature(before, STATE, (config.state_dim,)),
        feature(after, ACTION, (config.action_dim,)),
        {new: old for old, new in renamed(folder, BEFORE).items()},
    )


def check_keys(raw: dict, needed: tuple[str, ...], fixed: dict[str, tuple], policy: str) -> None:
    """Refuses a configuration without a key that is needed, or with another value than the one supported;
    `fixed` holds that, and what to say of it."""
    missing = [key for key in (*_NEEDED, *needed) if key not in raw]
    if missing:
        raise SystemExit(f"cannot export: config.json has no {missing[0]}: is it of a {policy} policy?")
    for key, (value, supported) in (_FIXED | fixed).items():
        if raw.get(key, value) != value:
            raise unsupported(f"config.json: {key}", raw[key], supported)


def cameras(inputs: dict, empty: int) -> dict[str, tuple[int, int, int]]:
    """The pictures that a policy looks at. `empty`: how many cameras were made up of nothing, which nobody
    attends to."""
    if STATE not in inputs:
        raise SystemExit(f"cannot export: config.json lists no feature {STATE}")
    made_up = {f"observation.images.empty_camera_{index}" for index in range(empty)}
    found = {}
    for name, known in inputs.items():
        if known["type"] == "VISUAL" and name not in made_up:
            found[name] = tuple(known["shape"])
            if len(found[name]) != 3 or found[name][0] != 3:
                raise unsupported(f"config.json: the shape of {name}", found[name], "[3, height, width]")
        elif known["type"] not in ("VISUAL", "STATE"):
            raise unsupported(f"config.json: the type of {name}", known["type"], "VISUAL or STATE")
    if not found:
        raise unsupported("config.json: input_features", sorted(inputs), "at least one camera")
    return found


def language_model(name: str | None, given: Path | None) -> dict:
    """The language model's own configuration: the file or folder that is given, else the folder that the
    checkpoint names, if it is one; else nothing, and it is the usual one."""
    own = Path(name or "nowhere") / "config.json"
    path = own if given is None and own.is_file() else given
    if path is None:
        return {}
    path = path / "config.json" if path.is_dir() else path
    try:
        return json.loads(path.read_text())
    except (OSError, json.JSONDecodeError) as error:
        raise SystemExit(f"cannot export: {path} is no configuration: {error}")


def count_layers(weights: Any, prefix: str) -> int:
    """How many layers have names that begin so."""
    indices = {name[len(prefix) :].split(".")[0] for name in weights.tensors if name.startswith(prefix)}
    return len(indices)


def limits(config: Any, raw: dict) -> None:
    for key, most in _LIMITS.items():
        found = raw.get(key, 1)
        if not 1 <= found <= most:
            raise unsupported(f"config.json: {key}", found, f"1 to {most}")
    if not 1 <= config.n_action_steps <= config.chunk_size:
        raise unsupported("config.json: n_action_steps", config.n_action_steps, f"1 to {config.chunk_size}")
    if not 1 <= config.action_dim <= config.action_columns:
        raise unsupported("the size of action", config.action_dim, f"1 to {config.action_columns}")
    state = raw.get("max_state_dim", config.state_dim)
    if not 1 <= config.state_dim <= state:
        raise unsupported("the size of observation.state", config.state_dim, f"1 to {state}")


def tokenizer(given: Path | None, text: Text) -> bytes:
    """The tokenizer's file."""
    if given is None:
        raise SystemExit(
            f"cannot export: the checkpoint names its tokenizer, {text.tokenizer}, and does not hold it; give "
            "--tokenizer, the tokenizer.json of that repository or a folder with it"
        )
    path = given / "tokenizer.json" if given.is_dir() else given
    try:
        data = path.read_bytes()
        settings = json.loads(data)
    except (OSError, json.JSONDecodeError) as error:
        raise SystemExit(f"cannot export: {path} is no tokenizer.json: {error}")
    if "model" not in settings:
        raise unsupported(f"{path}", sorted(settings)[:3], "a tokenizer.json of the library tokenizers")
    return data
