"""LeRobot's own answer: random checkpoints made by its classes, and the chunks that it samples.

Needs `lerobot==0.4.4` or `0.6.1` and `diffusers==0.35.2`. This folder holds a `lerobot.py` of its
own, which must not be what `import lerobot` finds here.
"""

import sys
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
import torch

from action_layout import ActionLayout
from lerobot_bundle import Layout

HERE = str(Path(__file__).resolve().parent)


@contextmanager
def own_lerobot():
    """Within it, `import lerobot` finds LeRobot."""
    path = list(sys.path)
    sys.path[:] = [entry for entry in path if entry and str(Path(entry).resolve()) != HERE]
    try:
        yield
    finally:
        sys.path[:] = path


with own_lerobot():
    from lerobot.configs.types import FeatureType, NormalizationMode, PolicyFeature
    from lerobot.policies.diffusion.configuration_diffusion import DiffusionConfig
    from lerobot.policies.diffusion.modeling_diffusion import DiffusionPolicy
    from lerobot.policies.diffusion.processor_diffusion import make_diffusion_pre_post_processors
    from lerobot.processor import PolicyProcessorPipeline
    from lerobot.processor.converters import policy_action_to_transition, transition_to_policy_action

# The first number of every observed state; it may also be one that never varied in training.
CONSTANT = 0.25
STATE, ENVIRONMENT, ACTION = "observation.state", "observation.environment_state", "action"


def config(
    state: int,
    action: int,
    cameras: dict[str, tuple[int, int]],
    environment: int | None,
    modes: dict[str, str],
    **options,
) -> DiffusionConfig:
    """A configuration with small networks, unless `options` say otherwise."""
    inputs = {STATE: PolicyFeature(FeatureType.STATE, (state,))}
    for name, (height, width) in cameras.items():
        inputs[f"observation.images.{name}"] = PolicyFeature(FeatureType.VISUAL, (3, height, width))
    if environment is not None:
        inputs[ENVIRONMENT] = PolicyFeature(FeatureType.ENV, (environment,))
    return DiffusionConfig(
        input_features=inputs,
        output_features={ACTION: PolicyFeature(FeatureType.ACTION, (action,))},
        normalization_mapping={kind: NormalizationMode(mode) for kind, mode in modes.items()},
        device="cpu",
        push_to_hub=False,
        # LeRobot 0.6 begins with weights from a hub unless it is told.
        pretrained_backbone_weights=None,
        **({"down_dims": (32, 64), "diffusion_step_embed_dim": 32} | options),
    )


def layout(dim: int) -> Layout:
    """Of a policy that is only compared: three columns move the hand, the others nothing."""
    return Layout(ActionLayout("delta", position=[0, 1, 2], ignored=list(range(3, dim))), 10.0, {})


def statistics(settings: DiffusionConfig, generator: torch.Generator, constant: bool) -> dict:
    """Of every kind, for every feature; `constant`: a vector's first number is CONSTANT throughout."""
    stats = {}
    for name, feature in {**settings.input_features, **settings.output_features}.items():
        picture = feature.type is FeatureType.VISUAL
        shape = (3, 1, 1) if picture else feature.shape

        def uniform(low: float, high: float) -> torch.Tensor:
            return low + (high - low) * torch.rand(shape, generator=generator)

        low = uniform(0.0, 0.1) if picture else uniform(-0.6, -0.1)
        high = uniform(0.8, 1.0) if picture else uniform(0.2, 0.7)
        if constant and not picture:
            low.view(-1)[0] = high.view(-1)[0] = CONSTANT
        stats[name] = {
            "min": low,
            "max": high,
            "q01": low + 0.1 * (high - low),
            "q99": high - 0.1 * (high - low),
            "q10": low + 0.2 * (high - low),
            "q90": high - 0.2 * (high - low),
            "mean": uniform(0.2, 0.6),
            "std": uniform(0.1, 0.4),
        }
    return stats


def write(settings: DiffusionConfig, folder: Path, seed: int, constant: bool = True) -> None:
    """Saves a checkpoint of random weights, in which no parameter has a value that hides a mistake."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    policy = DiffusionPolicy(settings)
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter += 0.1 * parameter.abs().mean().clamp_min(0.5) * torch.randn(
                parameter.shape, generator=generator
            ) * (1.0 if parameter.ndim == 1 else 0.1)
        for name, buffer in policy.named_buffers():
            if name.endswith("running_mean"):
                buffer += 0.3 * torch.randn(buffer.shape, generator=generator)
            elif name.endswith("running_var"):
                buffer.copy_(0.5 + torch.rand(buffer.shape, generator=generator))
    policy.save_pretrained(folder)
    stats = statistics(settings, generator, constant)
    for processor in make_diffusion_pre_post_processors(settings, stats):
        processor.save_pretrained(folder)


def observe(settings: DiffusionConfig, seed: int) -> dict[str, np.ndarray]:
    """Random observations of all steps: pictures uint8 [S, H, W, 3], states float32 [S, n]."""
    random = np.random.default_rng(seed)
    found = {}
    for name, feature in settings.input_features.items():
        if feature.type is FeatureType.VISUAL:
            shape = (settings.n_obs_steps, *feature.shape[1:], 3)
            found[name] = random.integers(0, 256, shape, np.uint8)
        else:
            shape = (settings.n_obs_steps, *feature.shape)
            found[name] = random.uniform(-0.5, 0.5, shape).astype(np.float32)
            found[name][:, 0] = CONSTANT
    return found


def postprocessor(folder: Path) -> PolicyProcessorPipeline:
    """What turns the network's numbers into actions in their units."""
    return PolicyProcessorPipeline.from_pretrained(
        folder,
        config_filename="policy_postprocessor.json",
        to_transition=policy_action_to_transition,
        to_output=transition_to_policy_action,
    )


class Truth:
    """A checkpoint as LeRobot loads and runs it."""

    def __init__(self, folder: Path):
        self.policy = DiffusionPolicy.from_pretrained(folder).eval()
        self.config = self.policy.config
        self.before = PolicyProcessorPipeline.from_pretrained(
            folder, config_filename="policy_preprocessor.json"
        )
        self.after = postprocessor(folder)

    @torch.no_grad()
    def condition(self, observation: dict[str, np.ndarray]) -> torch.Tensor:
        """[1, C], from observations as `observe` makes them."""
        return self.policy.diffusion._prepare_global_conditioning(self._batch(observation))

    def _batch(self, observation: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
        steps = []
        for step in range(self.config.n_obs_steps):
            raw = {}
            for name, values in observation.items():
                value = torch.from_numpy(values[step])
                picture = value.dtype == torch.uint8
                raw[name] = value.permute(2, 0, 1).float() / 255.0 if picture else value
            steps.append(self.before(raw))
        batch = {name: torch.stack([step[name] for step in steps], dim=1) for name in observation}
        if self.config.image_features:
            pictures = [batch[name] for name in self.config.image_features]
            batch["observation.images"] = torch.stack(pictures, dim=-4)
        return batch

    @torch.no_grad()
    def chunks(
        self, observation: dict[str, np.ndarray], noise: np.ndarray, step_noise: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The chunks [B, T, D] that LeRobot samples from `noise`, and what it executes of the first,
        [n_action_steps, D], both in the actions' units. Its scheduler takes its noises, one a step,
        from `step_noise` [steps, B, T, D]."""
        condition = self.condition(observation).expand(len(noise), -1)
        start = torch.from_numpy(noise)
        with self._noises(step_noise):
            whole = self.policy.diffusion.conditional_sample(len(noise), condition, noise=start)
        with self._noises(step_noise[:, :1]):
            batch = self._batch(observation)
            executed = self.policy.diffusion.generate_actions(batch, noise=start[:1])
        return self.after(whole).numpy(), self.after(executed)[0].numpy()

    @staticmethod
    def _noises(step_noise: np.ndarray):
        """Makes diffusers' DDPM take the given noises instead of drawing its own."""
        rest = [torch.from_numpy(value) for value in step_noise]
        return mock.patch(
            "diffusers.schedulers.scheduling_ddpm.randn_tensor", lambda *_, **__: rest.pop(0)
        )
