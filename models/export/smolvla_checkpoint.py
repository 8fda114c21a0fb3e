"""Reads a LeRobot SmolVLA checkpoint: sizes, weights, normalisation, and what is unusual."""

from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load_file as load_torch

from lerobot_files import folder_of, present, read_json, refuse_old
from refusal import unsupported
from vla_checkpoint import (
    Checkpoint,
    Shape,
    Text,
    check_keys,
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
}
_NEEDED = (
    "num_steps",
    "attention_mode",
    "num_vlm_layers",
    "num_expert_layers",
    "self_attn_every_n_layers",
)


@dataclass
class Config(Shape):
    """What shapes the networks."""

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
    vision_heads: int
    vision_eps: float
    # Patches along an axis that become one place of the language model's.
    scale: int
    # Whether a patch has the position of the one before it, as in the transformers that LeRobot 0.4 uses.
    lagging: bool

    @property
    def state_is_seen(self) -> bool:
        """Whether the state is an input of the prefix by itself."""
        return True

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
    check_keys(raw, _NEEDED, _FIXED, "SmolVLA")
    layers = raw["num_vlm_layers"]
    if raw["num_expert_layers"] > 0 and raw["num_expert_layers"] != layers:
        raise unsupported("config.json: num_expert_layers", raw["num_expert_layers"], f"-1 or {layers}")
    text, vision = vlm.get("text_config", {}), vlm.get("vision_config", {})
    head_dim = text.get("head_dim") or HEAD_DIM
    vocabulary, hidden = weights.shape(f"{VLM}.text_model.embed_tokens.weight")
    first = f"{VLM}.text_model.layers.0"
    shuffled = weights.shape(f"{VLM}.connector.modality_projection.proj.weight")[1]
    shape = Shape.read(raw, "num_steps", weights, f"{VLM}.vision_model")
    vision_hidden = shape["vision_hidden"]
    config = Config(
        **shape,
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
        vision_heads=vision.get("num_attention_heads") or vision_hidden // HEAD_DIM,
        vision_eps=vision.get("layer_norm_eps", VISION_EPS),
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
