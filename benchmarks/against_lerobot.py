"""Times networks in PyTorch against the bundles that they become, in turn, in one run.

    python benchmarks/against_lerobot.py                         the U-Net of LeRobot's diffusion policy
    python benchmarks/against_lerobot.py --family pi05 --json F  LeRobot's pi0.5, a small one
    python benchmarks/against_lerobot.py --family shipped        the policies of the play table

Weights are random, made by the networks' own classes. Each round times every pair once, LeRobot first in one round
and last in the next; what is told is the least and the median of the rounds. Needs what
models/export/verify_vla.py needs (models/README.md); PyTorch runs as LeRobot has it, eager, without gradients.
"""

import argparse
import contextlib
import io
import json
import logging
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE.parent / "models" / folder) for folder in ("export", "train")]

from reference import Bundle, session

SEED = 0
# 17 million parameters, between the paper's small U-Net and LeRobot's default of 256 million.
UNET = dict(
    state=7,
    action=7,
    cameras={"static": (96, 96)},
    environment=None,
    modes={"VISUAL": "MEAN_STD", "STATE": "MIN_MAX", "ACTION": "MIN_MAX"},
    n_obs_steps=2,
    horizon=16,
    n_action_steps=8,
    noise_scheduler_type="DDIM",
    num_inference_steps=10,
)
# SmolVLA as it is published: 450 million parameters over SmolVLM2-500M's first 16 layers.
SMOLVLA = dict(
    family="smolvla",
    vlm={
        "vision": dict(
            hidden_size=768,
            intermediate_size=3072,
            num_hidden_layers=12,
            num_attention_heads=12,
            image_size=512,
            patch_size=16,
        ),
        "text": dict(
            hidden_size=960,
            intermediate_size=2560,
            num_hidden_layers=32,
            num_attention_heads=15,
            num_key_value_heads=5,
            head_dim=64,
            vocab_size=49280,
        ),
        "scale": 4,
    },
    state=7,
    action=7,
    cameras={"static": (256, 256), "wrist": (256, 256)},
    modes={"VISUAL": "IDENTITY", "STATE": "MEAN_STD", "ACTION": "MEAN_STD"},
)
INSTRUCTION = "put the red block into the drawer"


def diffusion(folder: Path, dims: list[int], particles: list[int], threads: int):
    """Pairs of calls by name, and the number of parameters."""
    import lerobot_truth as truth
    from lerobot_bundle import export

    settings = truth.config(**UNET, down_dims=tuple(dims), diffusion_step_embed_dim=128)
    truth.write(settings, folder / "checkpoint", SEED)
    export(folder / "checkpoint", folder / "bundle", truth.layout(UNET["action"]), lambda _: None)
    lerobot = truth.Truth(folder / "checkpoint")
    unet = lerobot.policy.diffusion.unet
    condition = lerobot.condition(truth.observe(settings, SEED))
    ours = session(folder / "bundle" / "denoiser.onnx", threads)
    pairs = {}
    for count in particles:
        x = torch.randn(count, settings.horizon, UNET["action"])
        step = torch.full((count,), 50.0)
        every = condition.expand(count, -1).contiguous()
        feed = {"sample": x.numpy(), "timestep": step.numpy(), "condition": condition.numpy()}
        pairs[f"U-Net, {count} particles"] = (
            lambda x=x, step=step, every=every: unet(x, step, global_cond=every).numpy(),
            lambda feed=feed: ours.run(None, feed)[0],
        )
    return pairs, sum(parameter.numel() for parameter in unet.parameters())


def shipped(folder: Path, particles: list[int], threads: int):
    """The same of the play table's policies."""
    import export
    from model import Policy, Shape

    shape = Shape()
    torch.manual_seed(SEED)
    policy = Policy(shape).eval()
    with torch.no_grad():
        for parameter in policy.denoiser.parameters():
            # Training starts where much of it is zero.
            parameter += 0.05 * torch.randn_like(parameter)
    export.write_encoder(policy, ((256, 256),) * len(shape.cameras), folder / "encoder.onnx")
    export.write_denoiser(policy, folder / "denoiser.onnx")
    look, ours = (session(folder / f"{name}.onnx", threads) for name in ("encoder", "denoiser"))
    encoder = export.Encoder(policy).eval()
    inputs = [torch.rand(1, 3, 256, 256) for _ in shape.cameras] + [torch.randn(1, shape.state_dim)]
    feed = {each.name: value.numpy() for each, value in zip(look.get_inputs(), inputs, strict=True)}
    pairs = {"one look": (lambda: encoder(*inputs).numpy(), lambda: look.run(None, feed)[0])}
    condition = torch.randn(1, shape.condition)
    for count in particles:
        x, step = torch.randn(count, shape.horizon, shape.action_dim), torch.full((count,), 0.5)
        numbers = {"sample": x.numpy(), "timestep": step.numpy(), "condition": condition.numpy()}
        pairs[f"denoiser, {count} particles"] = (
            lambda x=x, step=step: policy.denoiser(x, step, condition).numpy(),
            lambda numbers=numbers: ours.run(None, numbers)[0],
        )
    return pairs, sum(parameter.numel() for parameter in policy.parameters())


def vision_language(folder: Path, family: str, real: bool, particles: list[int], threads: int):
    """The same of a vision-language-action policy: whole chunks, each call with its look."""
    import lerobot_truth
    import verify_vla as cases
    import vla_truth as truth

    small = next(case for case in cases.CASES.values() if case["family"] == family)
    case = SMOLVLA if real else small
    dim = case["action"]
    settings, lerobot = cases.make(case, folder, SEED, folder / "bundle", lerobot_truth.layout(dim))
    bundle = Bundle(folder / "bundle", threads)
    observation = truth.observe(settings, SEED)
    seen = truth.by_source(observation) | {"instruction": INSTRUCTION}
    pairs = {}
    for count in particles:
        noise = np.random.default_rng(SEED).standard_normal(
            (count, settings.chunk_size, bundle.manifest["action"]["dim"]), np.float32
        )
        batch = {
            name: value.expand(count, *value.shape[1:]).contiguous() if torch.is_tensor(value) else value
            for name, value in lerobot.batch(observation, INSTRUCTION).items()
        }
        start = torch.from_numpy(noise)
        pairs[f"chunks with their look, {count} particles"] = (
            lambda batch=batch, start=start: lerobot.policy.predict_action_chunk(dict(batch), noise=start).numpy(),
            lambda noise=noise: bundle.sample(bundle.encode(seen), noise)[..., :dim],
        )
    return pairs, sum(parameter.numel() for parameter in lerobot.policy.parameters())


def seconds(call) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


@torch.inference_mode()
def compare(pairs: dict, rounds: int) -> dict:
    """Seconds of both, by pair."""
    taken = {name: ([], []) for name in pairs}
    for theirs, ours in pairs.values():
        found, expected = ours(), theirs()
        apart = float(np.abs(found - expected).max()) / max(1.0, float(np.abs(expected).max()))
        if apart > 1e-3:
            raise SystemExit(f"the two are {apart:.1e} apart: there is nothing to compare")
        ours()
    for number in range(rounds):
        for name, both in pairs.items():
            order = (0, 1) if number % 2 == 0 else (1, 0)
            for which in order:
                taken[name][which].append(seconds(both[which]))
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--family", choices=("diffusion", "smolvla", "pi0", "pi05", "shipped"), default="diffusion")
    parser.add_argument("--real", action="store_true", help="SmolVLA in its published size (10 GB of memory)")
    parser.add_argument("--particles", type=int, nargs="+", default=[1, 20, 64])
    parser.add_argument("--down-dims", type=int, nargs="+", default=[128, 256, 512], help="of the U-Net")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every time, in seconds")
    options = parser.parse_args()
    if options.real and options.family != "smolvla":
        parser.error("--real is for --family smolvla")
    torch.set_num_threads(options.threads)
    logging.disable()
    with tempfile.TemporaryDirectory() as folder:
        # LeRobot tells a lot while it loads.
        with contextlib.redirect_stdout(io.StringIO()):
            if options.family == "diffusion":
                found = diffusion(Path(folder), options.down_dims, options.particles, options.threads)
            elif options.family == "shipped":
                found = shipped(Path(folder), options.particles, options.threads)
            else:
                found = vision_language(
                    Path(folder), options.family, options.real, options.particles, options.threads
                )
        pairs, parameters = found
        print(f"{options.family}, {parameters / 1e6:.1f} M parameters, {options.threads} threads")
        taken = compare(pairs, options.rounds)
    print(f"{'ms: least, median':<44}{'PyTorch':>20}{'bundle':>20}{'times as fast':>18}")
    for name, (theirs, ours) in taken.items():
        least, median = min(theirs) / min(ours), statistics.median(theirs) / statistics.median(ours)
        cells = (f"{1e3 * min(x):.2f}, {1e3 * statistics.median(x):.2f}" for x in (theirs, ours))
        print(f"{name:<44}" + "".join(f"{cell:>20}" for cell in cells) + f"{least:>10.2f}, {median:.2f}")
    if options.json:
        document = {"family": options.family, "parameters": parameters, "threads": options.threads}
        rows = {name: {"pytorch_s": a, "bundle_s": b} for name, (a, b) in taken.items()}
        options.json.write_text(json.dumps(document | {"pairs": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
