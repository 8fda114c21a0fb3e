"""Writes the checkpoint of a vision-language-action policy as a bundle; `lerobot.py` is its command line."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import numpy as np
import torch

import policy_toml
from graphs import TOLERANCE
from lerobot_bundle import Layout
from lerobot_files import STATE
from refusal import unsupported
from vla_checkpoint import MASK, TOKENS, Checkpoint, tokenizer
from vla_graphs import difference, export_graph

PARTICLES = (1, 7)
# Sampling goes from noise at 1 to data at 0 along the velocity, noise minus data.
FLOW = {"kind": "flow_euler", "time": "noise_to_data_1_to_0"}


@dataclass
class Report:
    bytes: int
    # Of both networks.
    parameters: int
    encoder: float
    denoiser: float


def export(
    stored: Checkpoint,
    networks: tuple[torch.nn.Module, torch.nn.Module],
    out: Path,
    layout: Layout,
    words: Path | None,
    progress: Callable[[str], None],
) -> Report:
    """Converts, compares and only then writes; `progress` is told each step. `words` is the tokenizer."""
    started = time.monotonic()

    def say(text: str) -> None:
        progress(f"{time.monotonic() - started:6.1f} s  {text}")

    manifest = _manifest(out.name, stored, layout)
    spelling = tokenizer(words, stored.text)
    prefix, denoiser = networks
    parameters = [sum(value.numel() for value in network.parameters()) for network in networks]
    say(f"prefix of {parameters[0] / 1e6:.2f} M parameters, denoiser of {parameters[1] / 1e6:.2f} M")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as folder, torch.inference_mode():
        work = Path(folder)
        say("writing encoder.onnx")
        seen = _observation(stored)
        conditions = prefix(*seen.values())
        names = condition_names(len(conditions))
        export_graph(prefix, seen, names, {}, work / "encoder.onnx")
        say("comparing it")
        errors = [difference(prefix, work / "encoder.onnx", [seen])]
        say("writing denoiser.onnx")
        cases = [_step(stored, count, names, conditions) for count in PARTICLES]
        axes = {name: {0: "particles"} for name in ("sample", "timestep", "prediction")}
        export_graph(denoiser, cases[-1], ["prediction"], axes, work / "denoiser.onnx")
        say("comparing it")
        errors.append(difference(denoiser, work / "denoiser.onnx", cases))
        if max(errors) > TOLERANCE:
            raise SystemExit(
                f"the graphs differ from the networks by {errors[0]:.1e} (encoder) and "
                f"{errors[1]:.1e} (denoiser), more than {TOLERANCE:.0e}: nothing was written"
            )
        (work / "tokenizer.json").write_bytes(spelling)
        header = "A policy bundle; written by models/export/lerobot.py."
        size = policy_toml.publish(work, out, header, manifest)
    say(f"wrote {out}")
    return Report(size, sum(parameters), *errors)


def condition_names(count: int) -> list[str]:
    """Which places of the prefix there are, and keys and values of each layer."""
    return ["prefix", *(f"{kind}_{index}" for index in range((count - 1) // 2) for kind in ("key", "value"))]


def _observation(stored: Checkpoint) -> dict[str, torch.Tensor]:
    """Random inputs of the prefix, the last third of the tokens left open."""
    generator, config = torch.Generator().manual_seed(0), stored.config
    seen = {name: torch.rand(1, *shape, generator=generator) for name, shape in config.images.items()}
    most = stored.text.tokens
    seen[TOKENS] = torch.randint(0, config.vocabulary, (1, most), generator=generator)
    seen[MASK] = torch.arange(most)[None] < max(1, 2 * most // 3)
    if config.state_is_seen:
        seen[STATE] = torch.randn(1, config.state_dim, generator=generator)
    return seen


def _step(stored: Checkpoint, particles: int, names: list[str], conditions) -> dict[str, torch.Tensor]:
    generator, config = torch.Generator().manual_seed(particles), stored.config
    shape = (particles, config.chunk_size, config.action_columns)
    step = {
        "sample": torch.randn(shape, generator=generator),
        "timestep": torch.rand(particles, generator=generator),
    }
    return step | dict(zip(names, conditions))


def _observations(stored: Checkpoint, layout: Layout) -> list[dict]:
    config = stored.config
    known = [*config.images, STATE]
    unknown = sorted(set(layout.sources) - set(known))
    if unknown:
        raise unsupported("--source", unknown[0], "the checkpoint's inputs: " + ", ".join(known))
    found, taken = [], {}
    inputs = config.images | ({STATE: (config.state_dim,)} if config.state_is_seen else {})
    for name, shape in inputs.items():
        picture = name in config.images
        # A camera's source is its name, as it was before the checkpoint renamed it, unless told otherwise.
        own = stored.original.get(name, name).rsplit(".", 1)[-1] if picture else "robot_state"
        source = layout.sources.get(name, own)
        if source in taken:
            raise unsupported(f"--source {name}", source, f"a source of its own; {taken[source]} has it")
        taken[source] = name
        mean, std = (stored.images[name] if picture else stored.state).mean_std(shape[0])
        entry = {"name": name, "kind": "image" if picture else "state", "source": source}
        if not picture and layout.components:
            entry["components"] = layout.components
        found.append(entry | {"shape": shape, "mean": mean, "std": std})
    text = {"name": TOKENS, "kind": "text", "source": "instruction", "shape": [stored.text.tokens]}
    text |= {"mask": MASK, "template": stored.text.template}
    if stored.text.spaces:
        text["spaces"] = stored.text.spaces
    if stored.text.bins:
        text["state"] = _written_state(stored, layout)
    return [*found, text]


def _written_state(stored: Checkpoint, layout: Layout) -> dict:
    """The robot's state as a part of the text."""
    mean, std = stored.state.mean_std(stored.config.state_dim)
    state = {"components": layout.components} if layout.components else {}
    state |= {"mean": mean, "std": std, "bins": stored.text.bins}
    if stored.text.state_numbers != stored.config.state_dim:
        state["numbers"] = stored.text.state_numbers
    return state


def _action(stored: Checkpoint, layout: Layout) -> dict:
    """The columns that fill up the network's actions mean nothing, and are sampled with the others."""
    dim, columns = stored.config.action_dim, stored.config.action_columns
    table = layout.action.table(dim, padded=columns)
    mean, std = stored.action.mean_and_scale(dim)
    rest = columns - dim
    filled = {
        "mean": np.concatenate([mean, np.zeros(rest, np.float32)]),
        "std": np.concatenate([std, np.ones(rest, np.float32)]),
    }
    return table | filled


def _manifest(name: str, stored: Checkpoint, layout: Layout) -> dict:
    config = stored.config
    if not 0.0 < layout.rate_hz < float("inf"):
        raise unsupported("--rate-hz", layout.rate_hz, "a positive rate")
    return {
        "schema": 1,
        "name": name,
        "kind": "flow_matching",
        "prediction": "velocity",
        "horizon": config.chunk_size,
        "execute_steps": config.n_action_steps,
        "rate_hz": layout.rate_hz,
        "scheduler": FLOW | {"steps": config.num_steps},
        "action": _action(stored, layout),
        "observation": _observations(stored, layout),
    }
