"""Writes a LeRobot diffusion checkpoint as a bundle; `lerobot.py` is its command line."""

import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import torch

import lerobot_checkpoint
import lerobot_network
import policy_toml
from action_layout import ActionLayout
from graphs import TOLERANCE, difference, export_graph
from lerobot_checkpoint import Checkpoint, Config
from lerobot_files import ENVIRONMENT, STATE
from refusal import unsupported

PARTICLES = (1, 7, 20)


@dataclass
class Layout:
    """What a checkpoint does not say about its actions and observations."""

    action: ActionLayout
    rate_hz: float
    sources: dict[str, str]
    # What the robot's state holds, in tiller-policy's words; its default when empty.
    components: list[str] = field(default_factory=list)


@dataclass
class Report:
    bytes: int
    condition: int
    parameters: int
    encoder: float
    denoiser: float


def export(checkpoint: Path, out: Path, layout: Layout, progress: Callable[[str], None]) -> Report:
    """Reads, converts, compares and only then writes; `progress` is told each step."""
    started = time.monotonic()

    def say(text: str) -> None:
        progress(f"{time.monotonic() - started:6.1f} s  {text}")

    say(f"reading {checkpoint}")
    stored = lerobot_checkpoint.read(checkpoint)
    config = stored.config
    manifest = _manifest(out.name, stored, layout)
    encoder, denoiser = lerobot_network.load(config, stored.weights)
    parameters = sum(value.numel() for value in denoiser.parameters())
    if config.environment_dim is not None:
        say(f"note: Tiller's nodes show no {ENVIRONMENT} and will refuse this bundle")
    for name in config.unused:
        say(f"note: LeRobot's policy does not look at {name}, nor will the bundle")
    say(f"U-Net of {parameters / 1e6:.2f} M parameters, condition of {config.condition} numbers")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        work = Path(folder)
        say("writing and comparing encoder.onnx")
        errors = [_encoder(config, encoder, work / "encoder.onnx")]
        say("writing and comparing denoiser.onnx")
        errors.append(_denoiser(config, denoiser, work / "denoiser.onnx"))
        if max(errors) > TOLERANCE:
            raise SystemExit(
                f"the graphs differ from the networks by {errors[0]:.1e} (encoder) and "
                f"{errors[1]:.1e} (denoiser), more than {TOLERANCE:.0e}: nothing was written"
            )
        size = policy_toml.publish(
            work, out, "A policy bundle; written by models/export/lerobot.py.", manifest
        )
    say(f"wrote {out}")
    return Report(size, config.condition, parameters, *errors)


def _encoder(config: Config, encoder: torch.nn.Module, path: Path) -> float:
    generator = torch.Generator().manual_seed(0)
    steps = () if config.observation_steps == 1 else (config.observation_steps,)

    def inputs() -> tuple:
        shapes = [(1, *steps, *shape) for shape in config.inputs.values()]
        return tuple(torch.randn(shape, generator=generator) for shape in shapes)

    names = list(config.inputs)
    export_graph(encoder, inputs(), names, "condition", {}, path)
    return difference(encoder, path, names, [inputs(), inputs()])


def _denoiser(config: Config, denoiser: torch.nn.Module, path: Path) -> float:
    generator = torch.Generator().manual_seed(0)

    def inputs(particles: int) -> tuple:
        return (
            torch.randn(particles, config.horizon, config.action_dim, generator=generator),
            torch.randint(0, config.num_train_timesteps, (particles,), generator=generator).float(),
            torch.randn(1, config.condition, generator=generator),
        )

    names = ["sample", "timestep", "condition"]
    axes = {name: {0: "particles"} for name in ("sample", "timestep", "prediction")}
    export_graph(denoiser, inputs(3), names, "prediction", axes, path)
    return difference(denoiser, path, names, [inputs(count) for count in PARTICLES])


def _scheduler(config: Config) -> dict:
    """LeRobot sets these of diffusers' options and leaves the others at their defaults."""
    ddim = config.noise_scheduler_type == "DDIM"
    scheduler = {
        "kind": "ddim" if ddim else "ddpm",
        "steps": config.num_inference_steps,
        "train_steps": config.num_train_timesteps,
        "beta_schedule": config.beta_schedule,
    }
    if config.beta_schedule != "squaredcos_cap_v2":
        scheduler |= {"beta_start": config.beta_start, "beta_end": config.beta_end}
    scheduler |= {"spacing": "leading", "steps_offset": 0}
    if config.clip_sample:
        scheduler["clip_sample"] = float(config.clip_sample_range)
    return scheduler | (
        {"set_alpha_to_one": True, "eta": 0.0} if ddim else {"variance": "fixed_small"}
    )


def _observations(stored: Checkpoint, layout: Layout) -> list[dict]:
    inputs = stored.config.inputs
    unknown = sorted(set(layout.sources) - set(inputs))
    if unknown:
        raise unsupported("--source", unknown[0], "the checkpoint's inputs: " + ", ".join(inputs))
    defaults = {STATE: "robot_state", ENVIRONMENT: "environment_state"}
    found, taken = [], {}
    for name, shape in inputs.items():
        # A camera's source is its name, as it was before the checkpoint renamed it, unless told
        # otherwise.
        own = stored.original.get(name, name).rsplit(".", 1)[-1]
        source = layout.sources.get(name, defaults.get(name, own))
        if source in taken:
            raise unsupported(f"--source {name}", source, f"a source of its own; {taken[source]} has it")
        taken[source] = name
        mean, std = stored.observations[name].mean_std(shape[0])
        kind = "image" if name in stored.config.images else "state"
        entry = {"name": name, "kind": kind, "source": source}
        if source == "robot_state" and layout.components:
            entry["components"] = layout.components
        found.append(entry | {"shape": shape, "mean": mean, "std": std})
    return found


def _action(stored: Checkpoint, layout: Layout) -> dict:
    dim = stored.config.action_dim
    return layout.action.table(dim) | stored.action.action(dim)


def _manifest(name: str, stored: Checkpoint, layout: Layout) -> dict:
    config = stored.config
    if not 0.0 < layout.rate_hz < float("inf"):
        raise unsupported("--rate-hz", layout.rate_hz, "a positive rate")
    manifest = {"schema": 1, "name": name, "kind": "diffusion", "prediction": config.prediction_type}
    if config.observation_steps != 1:
        manifest["observation_steps"] = config.observation_steps
    manifest["horizon"] = config.horizon
    if config.observation_steps != 1:
        # The chunk starts with the oldest observation; what is past is not executed.
        manifest["execute_start"] = config.observation_steps - 1
    return manifest | {
        "execute_steps": config.n_action_steps,
        "rate_hz": layout.rate_hz,
        "scheduler": _scheduler(config),
        "action": _action(stored, layout),
        "observation": _observations(stored, layout),
    }
