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
)
from refusal import unsupported

BEFORE, AFTER = "policy_preprocessor.json", "policy_postprocessor.json"
TOKENIZER = "tokenizer_processor"
TOKENS, MASK = "observation.language.tokens", "observation.language.attention_mask"
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
