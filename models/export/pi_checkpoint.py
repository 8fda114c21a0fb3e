"""Reads a LeRobot pi0 or pi0.5 checkpoint: sizes, weights, normalisation, and what is unusual."""

from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load_file as load_torch

from lerobot_files import folder_of, present, read_json, refuse_old
from refusal import unsupported
from vla_checkpoint import (
    BEFORE,
    Checkpoint,
    Shape,
    Text,
    check_keys,
    count_layers,
    language_model,
    limits,
    statistics,
)
from vla_layers import Weights

PALIGEMMA = "model.paligemma_with_expert.paligemma.model"
EXPERT = "model.paligemma_with_expert.gemma_expert.model"
# Older files have the language model's embedding under this name alone.
EMBEDDING, HEAD = f"{PALIGEMMA}.language_model.embed_tokens.weight", (
    "model.paligemma_with_expert.paligemma.lm_head.weight"
)
# The step that prepares the instruction, and what it makes of it.
_TEXTS = {
    "pi0": ("pi0_new_line_processor", "{instruction}\n"),
    "pi05": (
        "pi05_prepare_state_tokenizer_processor_step",
        "Task: {instruction}, State: {state};\nAction: ",
    ),
}
# What pi0.5 makes spaces of in an instruction, and the words it has for a number of the state.
SPACES, BINS = ["_", "\n"], 256
RELATIVE, ABSOLUTE = "relative_actions_processor", "absolute_actions_processor"
# What cannot be read from the tensors and is the same in every PaliGemma.
VISION_HEADS, SHARED_HEADS, EPS = 16, 1, 1e-6
_NEEDED = ("num_inference_steps", "image_resolution")
_FIXED = {"use_relative_actions": (False, "False")}


@dataclass
class Config(Shape):
    """What shapes the networks."""

    # pi0.5: the state is a part of the text, and time reaches every layer's normalisation.
    adaptive: bool
    # What pictures are filled up with, where 0 is black and 1 white.
    padding: float
    layers: int
    vocabulary: int
    hidden: int
    inner: int
    expert_hidden: int
    expert_inner: int
    heads: int
    shared_heads: int
    head_dim: int
    eps: float
    vision_heads: int

    @property
    def state_is_seen(self) -> bool:
        """Whether the state is an input of the prefix by itself."""
        return not self.adaptive


def read(checkpoint: Path, vlm: Path | None, version: str) -> Checkpoint:
    """Reads `checkpoint`; `version` is that of the LeRobot that it was trained with, 0.4 or 0.6. `vlm`
    is the configuration of the language model, where it is no PaliGemma."""
    folder = folder_of(checkpoint)
    raw = read_json(folder, "config.json")
    tensors = load_torch(present(folder, "model.safetensors"))
    refuse_old(folder, tensors)
    # Files converted from openpi's have names without LeRobot's first word.
    named = {name if name.startswith("model.") else f"model.{name}": x for name, x in tensors.items()}
    if EMBEDDING not in named and HEAD in named:
        named[EMBEDDING] = named.pop(HEAD)
    weights = Weights(named)
    kind = raw["type"]
    config = _config(raw, language_model(None, vlm), weights, kind == "pi05", version)
    preparation, template = _TEXTS[kind]
    text = Text.read(folder, template, config.tokens, preparation)
    steps = frozenset({preparation, RELATIVE, ABSOLUTE})
    stored = statistics(folder, config, weights, text, steps)
    _check_relative(folder)
    if config.adaptive:
        text.spaces, text.bins = SPACES, BINS
        # The zeros that the state is filled up with are words as well.
        text.state_numbers = raw["max_state_dim"] if version == "0.4" else config.state_dim
    return stored


def _check_relative(folder: Path) -> None:
    for found in read_json(folder, BEFORE)["steps"]:
        if found.get("registry_name") == RELATIVE and found.get("config", {}).get("enabled"):
            raise unsupported(f"{BEFORE}: {RELATIVE}", "enabled", "actions that are not relative to the state")


def _config(raw: dict, vlm: dict, weights: Weights, adaptive: bool, version: str) -> Config:
    check_keys(raw, _NEEDED, _FIXED, "pi0")
    vocabulary, hidden = weights.shape(EMBEDDING)
    layers, tower = f"{PALIGEMMA}.language_model.layers.", f"{PALIGEMMA}.vision_tower.vision_model"
    kept = weights.shape(f"{layers}0.self_attn.k_proj.weight")[0]
    head_dim = kept // SHARED_HEADS
    config = Config(
        adaptive=adaptive,
        **Shape.read(raw, "num_inference_steps", weights, tower),
        padding=-1.0 if version == "0.4" else 0.0,
        layers=count_layers(weights, layers),
        vocabulary=vocabulary,
        hidden=hidden,
        inner=weights.shape(f"{layers}0.mlp.up_proj.weight")[0],
        expert_hidden=weights.shape("model.action_in_proj.weight")[0],
        expert_inner=weights.shape(f"{EXPERT}.layers.0.mlp.up_proj.weight")[0],
        heads=weights.shape(f"{layers}0.self_attn.q_proj.weight")[0] // head_dim,
        shared_heads=SHARED_HEADS,
        head_dim=head_dim,
        eps=EPS,
        vision_heads=vlm.get("vision_config", {}).get("num_attention_heads") or VISION_HEADS,
    )
    if tuple(raw["image_resolution"]) != config.target:
        raise unsupported("config.json: image_resolution", raw["image_resolution"], f"{list(config.target)}")
    limits(config, raw)
    return config
