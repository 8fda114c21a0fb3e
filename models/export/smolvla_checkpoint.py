"""Reads a LeRobot SmolVLA checkpoint: sizes, weights, normalisation, and what is unusual."""

from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load_file as load_torch

from lerobot_files import (
    ACTION,
    STATE,
    folder_of,
    present,
    read_json,
    refuse_old,
    vector,
)
from refusal import unsupported
from vla_checkpoint import (
    Checkpoint,
    Text,
    cameras,
    count_layers,
    language_model,
    limits,
    statistics,
)
from vla_layers import Weights

VLM, EXPERT = "model.vlm_with_expert.vlm.model", "model.vlm_with_expert.lm_expert"
NEW_LINE = "smolvla_new_line_processor"
# What cannot be read from the tensors and is the same in every SmolVLM2.
HEAD_DIM, RMS_EPS, VISION_EPS = 64, 1e-5, 1e-6

# Keys with one supported value, and what else would be.
_FIXED = {
    "add_image_special_tokens": (False, "False"),
    "adapt_to_pi_aloha": (False, "False"),
    "use_delta_joint_actions_aloha": (False, "False"),
    "n_obs_steps": (1, "1"),
    "use_peft": (False, "False (merge the adapter's weights first)"),
}
_NEEDED = (
    "input_features",
    "output_features",
    "chunk_size",
    "n_action_steps",
    "max_state_dim",
    "max_action_dim",
    "tokenizer_max_length",
    "num_steps",
    "attention_mode",
    "num_vlm_layers",
    "num_expert_layers",
    "self_attn_every_n_layers",
    "min_period",
    "max_period",
)


@dataclass
class Config:
    """What shapes the networks: LeRobot's names where it has one."""

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
    attention_mode: str
    self_attn_every_n_layers: int
    layers: int
    vocabulary: int
    hidden: int
    inner: int
    expert_hidden: int
    expert_inner: int
    heads: int
    shared_heads: int
    head_dim: int
    rms_eps: float
    vision_hidden: int
    vision_inner: int
    vision_layers: int
    vision_heads: int
    vision_eps: float
    patch: int
    side: int
    # Patches along an axis that become one place of the language model's.
    scale: int
    # Whether a patch has the position of the one before it, as in the transformers that LeRobot 0.4 uses.
    lagging: bool

    @property
    def state_is_seen(self) -> bool:
        """Whether the state is an input of the prefix by itself."""
        return True

    @property
    def target(self) -> tuple[int, int]:
        """Height and width of the pictures that the tower sees."""
        return self.side, self.side

    def crosses(self, index: int) -> bool:
        """Whether the expert's layer attends to the prefix alone."""
        every = self.self_attn_every_n_layers
        return "cross" in self.attention_mode and not (every > 0 and index % every == 0)


def read(checkpoint: Path, vlm: Path | None, version: str) -> Checkpoint:
    """Reads `checkpoint`; `version` is that of the LeRobot that it was trained with, 0.4 or 0.6. `vlm` is the
    configuration of the language model, where it is not SmolVLM2's."""
    folder = folder_of(checkpoint)
    raw = read_json(folder, "config.json")
    weights = load_torch(present(folder, "model.safetensors"))
    refuse_old(folder, weights)
    weights = Weights(weights)
    config = _config(raw, language_model(raw.get("vlm_model_name"), vlm), weights, version)
    text = Text.read(folder, "{instruction}\n", config.tokens, NEW_LINE)
    return statistics(folder, config, weights, text, frozenset({NEW_LINE}))


def _config(raw: dict, vlm: dict, weights: Weights, version: str) -> Config:
    missing = [key for key in _NEEDED if key not in raw]
    if missing:
        raise SystemExit(f"cannot export: config.json has no {missing[0]}: is it of a SmolVLA policy?")
    for key, (value, supported) in _FIXED.items():
        if raw.get(key, value) != value:
            raise unsupported(f"config.json: {key}", raw[key], supported)
    layers = raw["num_vlm_layers"]
    if raw["num_expert_layers"] > 0 and raw["num_expert_layers"] != layers:
        raise unsupported("config.json: num_expert_layers", raw["num_expert_layers"], f"-1 or {layers}")
    text, vision = vlm.get("text_config", {}), vlm.get("vision_config", {})
    head_dim = text.get("head_dim") or HEAD_DIM
    vocabulary, hidden = weights.shape(f"{VLM}.text_model.embed_tokens.weight")
    first = f"{VLM}.text_model.layers.0"
    tower = f"{VLM}.vision_model"
    vision_hidden, _, patch, _ = weights.shape(f"{tower}.embeddings.patch_embedding.weight")
    patches = weights.shape(f"{tower}.embeddings.position_embedding.weight")[0]
    shuffled = weights.shape(f"{VLM}.connector.modality_projection.proj.weight")[1]
    side = round(patches**0.5) * patch
    config = Config(
        images=cameras(raw["input_features"], empty=raw.get("empty_cameras", 0)),
        state_dim=vector(raw["input_features"], STATE),
        action_dim=vector(raw["output_features"], ACTION),
        action_columns=raw["max_action_dim"],
        chunk_size=raw["chunk_size"],
        n_action_steps=raw["n_action_steps"],
        num_steps=raw["num_steps"],
        tokens=raw["tokenizer_max_length"],
        min_period=raw["min_period"],
        max_period=raw["max_period"],
        attention_mode=raw["attention_mode"],
        self_attn_every_n_layers=raw["self_attn_every_n_layers"],
        layers=layers,
        vocabulary=vocabulary,
        hidden=hidden,
        inner=weights.shape(f"{first}.mlp.up_proj.weight")[0],
        expert_hidden=weights.shape(f"{EXPERT}.norm.weight")[0],
        expert_inner=weights.shape(f"{EXPERT}.layers.0.mlp.up_proj.weight")[0],
        heads=weights.shape(f"{first}.self_attn.q_proj.weight")[0] // head_dim,
        shared_heads=weights.shape(f"{first}.self_attn.k_proj.weight")[0] // head_dim,
        head_dim=head_dim,
        rms_eps=text.get("rms_norm_eps", RMS_EPS),
        vision_hidden=vision_hidden,
        vision_inner=weights.shape(f"{tower}.encoder.layers.0.mlp.fc1.weight")[0],
        vision_layers=count_layers(weights, f"{tower}.encoder.layers."),
        vision_heads=vision.get("num_attention_heads") or vision_hidden // HEAD_DIM,
        vision_eps=vision.get("layer_norm_eps", VISION_EPS),
        patch=patch,
        side=side,
        scale=round((shuffled / vision_hidden) ** 0.5),
        lagging=version == "0.4",
    )
    target = raw.get("resize_imgs_with_padding")
    if target is not None and tuple(target) != config.target:
        raise unsupported("config.json: resize_imgs_with_padding", target, f"{list(config.target)}")
    if target is None and any(shape[1:] != config.target for shape in config.images.values()):
        raise unsupported("config.json: the pictures' sizes", config.images, f"{list(config.target)}")
    limits(config, raw)
    return config
