"""Reads a LeRobot 0.4 diffusion checkpoint: sizes, weights and normalisation, and what is unusual.

A checkpoint is a directory with `config.json`, `model.safetensors`, `policy_preprocessor.json` and
`policy_postprocessor.json`, and the two processors' statistics as safetensors files.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import torch
import torchvision
from safetensors.torch import load_file as load_torch

from lerobot_files import (
    ACTION,
    ENVIRONMENT,
    STATE,
    Normalisation,
    feature,
    folder_of,
    normaliser,
    present,
    read_json,
    refuse_old,
    renamed,
    vector,
)
from refusal import unsupported

# LeRobot's last block has this many groups, whatever `n_groups` says.
FINAL_GROUPS = 8


@dataclass
class Config:
    """What of `config.json` shapes the networks and the sampling; LeRobot's names and meanings."""

    state_dim: int
    environment_dim: int | None
    # Inputs that LeRobot's policy is given and never looks at.
    unused: list[str]
    images: list[str]
    image_shape: tuple[int, int, int] | None
    action_dim: int
    observation_steps: int
    horizon: int
    n_action_steps: int
    vision_backbone: str
    resize_shape: tuple[int, int] | None
    crop_shape: tuple[int, int] | None
    use_group_norm: bool
    spatial_softmax_num_keypoints: int
    use_separate_rgb_encoder_per_camera: bool
    down_dims: tuple[int, ...]
    kernel_size: int
    n_groups: int
    diffusion_step_embed_dim: int
    use_film_scale_modulation: bool
    noise_scheduler_type: str
    num_train_timesteps: int
    beta_schedule: str
    beta_start: float
    beta_end: float
    prediction_type: str
    clip_sample: bool
    clip_sample_range: float
    num_inference_steps: int

    @property
    def inputs(self) -> dict[str, tuple[int, ...]]:
        """The encoder's inputs in order, with the shape of one observation step."""
        inputs = {STATE: (self.state_dim,)} | {name: self.image_shape for name in self.images}
        if self.environment_dim is not None:
            inputs[ENVIRONMENT] = (self.environment_dim,)
        return inputs

    @property
    def condition(self) -> int:
        """C: numbers in the condition."""
        features = 2 * self.spatial_softmax_num_keypoints * len(self.images)
        one_step = self.state_dim + features + (self.environment_dim or 0)
        return self.observation_steps * one_step


@dataclass
class Checkpoint:
    config: Config
    weights: dict[str, torch.Tensor]
    observations: dict[str, Normalisation]
    action: Normalisation
    # Names that observations have before the preprocessor renames them, by the names of the inputs.
    original: dict[str, str]


def read(folder: Path) -> Checkpoint:
    """Reads `folder`, or the `pretrained_model` in it; says what is missing or unsupported."""
    folder = folder_of(folder)
    config = _config(read_json(folder, "config.json"))
    weights = load_torch(present(folder, "model.safetensors"))
    refuse_old(folder, weights)
    before = normaliser(folder, "policy_preprocessor.json", "normalizer_processor")
    after = normaliser(folder, "policy_postprocessor.json", "unnormalizer_processor")
    return Checkpoint(
        config,
        weights,
        {name: feature(before, name, shape) for name, shape in config.inputs.items()},
        feature(after, ACTION, (config.action_dim,)),
        {new: old for old, new in renamed(folder, "policy_preprocessor.json").items()},
    )


def _config(raw: dict) -> Config:
    if raw.get("type", "diffusion") != "diffusion":
        raise unsupported("config.json: type", raw["type"], "'diffusion'")
    missing = [key for key in _NEEDED if key not in raw]
    if missing:
        raise SystemExit(f"cannot export: config.json has no {missing[0]}: is it of a diffusion policy?")
    if raw.get("use_peft"):
        raise unsupported("config.json: use_peft", True, "False (merge the adapter's weights first)")
    inputs, outputs = raw["input_features"], raw["output_features"]
    for name in (STATE, ACTION):
        if name not in (inputs if name == STATE else outputs):
            raise SystemExit(f"cannot export: config.json lists no feature {name}")
    known = {"VISUAL": set(inputs), "STATE": set(inputs), "ENV": {ENVIRONMENT}}
    for name, feature in inputs.items():
        if name not in known.get(feature["type"], ()):
            supported = f"pictures (VISUAL), {STATE} (STATE) and {ENVIRONMENT} (ENV)"
            raise unsupported(f"config.json: the type of {name}", feature["type"], supported)
    for name in outputs:
        if name != ACTION:
            raise unsupported("config.json: output_features", name, f"only {ACTION!r}")
    images = [name for name, feature in inputs.items() if feature["type"] == "VISUAL"]
    shapes = {tuple(inputs[name]["shape"]) for name in images}
    if len(shapes) > 1 or any(len(shape) != 3 or shape[0] != 3 for shape in shapes):
        raise unsupported(
            "config.json: the pictures' shapes", sorted(shapes), "one [3, height, width] for all"
        )
    resize = tuple(raw["resize_shape"]) if raw.get("resize_shape") else None
    config = Config(
        state_dim=vector(inputs, STATE),
        environment_dim=vector(inputs, ENVIRONMENT) if ENVIRONMENT in inputs else None,
        unused=[name for name, feature in inputs.items() if feature["type"] == "STATE" and name != STATE],
        images=images,
        image_shape=next(iter(shapes), None),
        action_dim=vector(outputs, ACTION),
        observation_steps=raw["n_obs_steps"],
        resize_shape=resize,
        crop_shape=_crop(raw, resize),
        down_dims=tuple(raw["down_dims"]),
        num_inference_steps=raw.get("num_inference_steps") or raw["num_train_timesteps"],
        **{key: raw[key] for key in _COPIED},
    )
    _check(config)
    return config


_COPIED = (
    "horizon",
    "n_action_steps",
    "vision_backbone",
    "use_group_norm",
    "spatial_softmax_num_keypoints",
    "use_separate_rgb_encoder_per_camera",
    "kernel_size",
    "n_groups",
    "diffusion_step_embed_dim",
    "use_film_scale_modulation",
    "noise_scheduler_type",
    "num_train_timesteps",
    "beta_schedule",
    "beta_start",
    "beta_end",
    "prediction_type",
    "clip_sample",
    "clip_sample_range",
)
_NEEDED = ("input_features", "output_features", "n_obs_steps", "down_dims", *_COPIED)

_CHOICES = {
    "noise_scheduler_type": ("DDPM", "DDIM"),
    "beta_schedule": ("squaredcos_cap_v2", "linear", "scaled_linear"),
    "prediction_type": ("epsilon", "sample"),
}


# What tiller-policy accepts: a bundle beyond it would be written only to be refused.
_LIMITS = {
    "n_obs_steps": 16,
    "horizon": 1024,
    "num_inference_steps": 1000,
    "num_train_timesteps": 100_000,
    "the size of observation.state": 1024,
    "the size of observation.environment_state": 1024,
    "the size of action": 64,
    "the pictures' longest side": 4096,
}


def _crop(raw: dict, resize: tuple[int, int] | None) -> tuple[int, int] | None:
    """The crop as LeRobot's configuration works it out: resized pictures are cropped by a ratio."""
    if resize is None:
        return tuple(raw["crop_shape"]) if raw.get("crop_shape") else None
    ratio = raw.get("crop_ratio", 1.0)
    return (int(resize[0] * ratio), int(resize[1] * ratio)) if ratio < 1.0 else None


def _check(config: Config) -> None:
    for key, choices in _CHOICES.items():
        if getattr(config, key) not in choices:
            raise unsupported(f"config.json: {key}", getattr(config, key), " or ".join(choices))
    sizes = (
        config.observation_steps,
        config.horizon,
        config.num_inference_steps,
        config.num_train_timesteps,
        config.state_dim,
        config.environment_dim or 1,
        config.action_dim,
        max(config.image_shape or (1,)),
    )
    for (key, most), found in zip(_LIMITS.items(), sizes):
        if not 1 <= found <= most:
            raise unsupported(f"config.json: {key}", found, f"1 to {most}")
    most = config.horizon - config.observation_steps + 1
    halvings = 2 ** len(config.down_dims)
    groups = math.lcm(config.n_groups, FINAL_GROUPS)
    height, width = config.resize_shape or (config.image_shape or (3, 1, 1))[1:]
    crop = config.crop_shape or (height, width)
    wanted = [
        (
            "vision_backbone",
            config.vision_backbone,
            config.vision_backbone.startswith("resnet")
            and hasattr(torchvision.models, config.vision_backbone),
            "torchvision's resnet*",
        ),
        ("kernel_size", config.kernel_size, config.kernel_size % 2 == 1, "odd sizes"),
        (
            "down_dims",
            config.down_dims,
            config.down_dims
            and config.down_dims[0] % groups == 0
            and all(size % config.n_groups == 0 for size in config.down_dims),
            f"multiples of n_groups = {config.n_groups}, the first one of {FINAL_GROUPS} as well",
        ),
        (
            "horizon",
            config.horizon,
            config.horizon % halvings == 0,
            f"multiples of {halvings} (2 to the number of down_dims)",
        ),
        (
            "diffusion_step_embed_dim",
            config.diffusion_step_embed_dim,
            config.diffusion_step_embed_dim % 2 == 0 and config.diffusion_step_embed_dim >= 4,
            "even sizes from 4",
        ),
        (
            "spatial_softmax_num_keypoints",
            config.spatial_softmax_num_keypoints,
            config.spatial_softmax_num_keypoints >= 1,
            "1 or more",
        ),
        (
            "crop_shape",
            crop,
            not config.images or (1 <= crop[0] <= height and 1 <= crop[1] <= width),
            f"sizes within the pictures, {height} x {width}",
        ),
        (
            "n_action_steps",
            config.n_action_steps,
            1 <= config.n_action_steps <= most,
            f"1 to {most} (horizon - n_obs_steps + 1)",
        ),
        (
            "num_inference_steps",
            config.num_inference_steps,
            config.num_inference_steps <= config.num_train_timesteps,
            f"up to num_train_timesteps = {config.num_train_timesteps}",
        ),
    ]
    for key, found, holds, supported in wanted:
        if not holds:
            raise unsupported(f"config.json: {key}", found, supported)


