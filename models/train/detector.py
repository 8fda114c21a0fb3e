"""Trains the detector `learned` on labelled pictures and exports it.

    cargo run --release -p tiller-playtable --example scenes -- datasets/scenes 2200
    cargo run --release -p tiller-playtable --example scenes -- datasets/scenes-held 100 3000000
    python models/train/detector.py --data datasets/scenes --held datasets/scenes-held \\
        --out models/detectors/playtable --steps 2800

writes `network.onnx`, `learned.toml` and `training.json`, after a comparison with PyTorch.
"""

import argparse
import hashlib
import json
import os
import time
import warnings
from pathlib import Path

# Threads that wait must not burn the cores that other work needs; read when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper
from torch.nn import functional as F

from detector_network import STRIDE, Parts
from scenes import Scenes, disturbed

BATCH, RATE, WEIGHT_DECAY = 16, 3e-3, 1e-3
EMA_DECAY = 0.995
OPSET = 17
# Largest difference from PyTorch that is accepted, relative to the largest logit.
TOLERANCE = 1e-4
# Twins further apart than this are two, m.
APART_M = 0.055


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="folders of pictures")
    parser.add_argument("--held", type=Path, nargs="+", required=True, help="the same, never trained on")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=2800, help=f"of {BATCH} pictures each")
    parser.add_argument("--start", type=Path, help="a bundle to go on from, at a tenth of the rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def weights(scenes: Scenes) -> torch.Tensor:
    """Of classes: rare ones count more, by the root of how rare they are."""
    counts = np.bincount(scenes.kind[:: max(len(scenes) // 400, 1)].ravel(), minlength=len(scenes.classes))
    rare = 1.0 / np.sqrt(np.maximum(counts, 1) / counts.sum())
    return torch.tensor(np.clip(rare / rare[0], 0.5, 12.0), dtype=torch.float32)


def shares(scenes: Scenes) -> torch.Tensor:
    """Of pictures: how often each is taken. Those that show what few others show come more often."""
    shows = np.stack([np.bincount(kind.ravel(), minlength=len(scenes.classes)) > 0 for kind in scenes.kind])
    rare = 1.0 / np.sqrt(np.maximum(shows.mean(0), 1e-3))
    return torch.from_numpy((shows * rare).sum(1))


@torch.inference_mode()
def overlaps(network: Parts, scenes: Scenes) -> dict[str, float]:
    """Intersection over union of each class at full size."""
    found = np.zeros((len(scenes.classes), 2))
    for start in range(0, len(scenes), BATCH):
        rows = np.arange(start, min(start + BATCH, len(scenes)))
        picture, kind = scenes.take(rows)
        with torch.autocast("cpu", torch.bfloat16):
            logits = network(picture.contiguous(memory_format=torch.channels_last))
        said = F.interpolate(logits.float(), scale_factor=2, mode="bilinear").argmax(1)
        for index in range(len(scenes.classes)):
            a, b = said == index, kind == index
            found[index] += [(a & b).sum().item(), (a | b).sum().item()]
    named = zip(scenes.classes, found)
    return {name or "nothing": round(float(both / max(either, 1)), 4) for name, (both, either) in named}


def typical_pixels(scenes: Scenes) -> list[int]:
    """How many pixels of each class a picture shows that shows any, the median; of one of several."""
    counts = np.stack([np.bincount(kind.ravel(), minlength=len(scenes.classes)) for kind in scenes.kind])
    shown = [np.median(column[column > 0]) if column.any() else 0 for column in counts.T]
    return [int(count / (2 if name in scenes.several else 1)) for name, count in zip(scenes.classes, shown)]


def take_weights(network: Parts, bundle: Path) -> None:
    """Goes on from a bundle. Its normalisations are folded into its convolutions, and stay so."""
    stored = onnx.load(bundle / "network.onnx").graph
    tensors = {entry.name: torch.from_numpy(numpy_helper.to_array(entry).copy()) for entry in stored.initializer}
    # In the order in which they are called, which is that of the modules.
    convolutions = [node for node in stored.node if node.op_type in ("Conv", "Gemm")]
    called: list[torch.nn.Module] = []
    hooks = [
        module.register_forward_hook(lambda module, *_: called.append(module))
        for module in network.modules()
        if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear, torch.nn.BatchNorm2d))
    ]
    network.eval()(torch.zeros(1, 3, STRIDE * 4, STRIDE * 4))
    for hook in hooks:
        hook.remove()
    layers = [module for module in called if not isinstance(module, torch.nn.BatchNorm2d)]
    after = {a: b for a, b in zip(called, called[1:]) if isinstance(b, torch.nn.BatchNorm2d)}
    with torch.no_grad():
        for node, layer in zip(convolutions, layers, strict=True):
            weight, bias = (tensors[name] for name in node.input[1:])
            layer.weight.copy_(weight)
            if layer in after:
                norm = after[layer]
                norm.running_mean.zero_()
                norm.running_var.fill_(1.0 - norm.eps)
                norm.weight.fill_(1.0)
                norm.bias.copy_(bias)
            else:
                layer.bias.copy_(bias)


def train(options: argparse.Namespace, scenes: Scenes, held: Scenes) -> tuple[Parts, dict]:
    torch.manual_seed(options.seed)
    random = torch.Generator().manual_seed(options.seed)
    network = Parts(len(scenes.classes)).to(memory_format=torch.channels_last)
    rate = RATE
    if options.start:
        take_weights(network, options.start)
        rate = RATE / 10
    average = torch.optim.swa_utils.AveragedModel(
        network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(EMA_DECAY), use_buffers=True
    )
    optimiser = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, options.steps, pct_start=0.1)
    count, share = weights(scenes), shares(scenes)
    begun, loss_sum = time.monotonic(), 0.0
    network.train(not options.start)
    for step in range(1, options.steps + 1):
        rows = torch.multinomial(share, min(BATCH, len(scenes)), generator=random).numpy()
        picture, kind = disturbed(*scenes.take(rows), random)
        with torch.autocast("cpu", torch.bfloat16):
            logits = network(picture.contiguous(memory_format=torch.channels_last))
        # One of the four pixels of each of the network's cells, another one every time.
        down, right = torch.randint(0, 2, (2,), generator=random).tolist()
        loss = F.cross_entropy(logits.float(), kind[:, down::2, right::2], count, ignore_index=-1)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        average.update_parameters(network)
        loss_sum += loss.item()
        if step % 50 == 0:
            left = (time.monotonic() - begun) / step * (options.steps - step)
            print(f"step {step}/{options.steps}  loss {loss_sum / 50:.4f}  {left / 60:.1f} min left", flush=True)
            loss_sum = 0.0
        if step % 700 == 0 or step == options.steps:
            result = overlaps(average.module.eval(), held)
            print(f"held out, mean overlap {np.mean(list(result.values())):.3f}: {result}", flush=True)
    return average.module.eval(), {
        "steps": options.steps,
        "start": options.start.name if options.start else None,
        "seed": options.seed,
        "pictures": len(scenes),
        "seconds": round(time.monotonic() - begun),
        "overlap_held_out": result,
    }


def export(network: Parts, scenes: Scenes, out: Path) -> float:
    """Writes the bundle; says by how much ONNX Runtime and PyTorch differ, of the largest logit."""
    out.mkdir(parents=True, exist_ok=True)
    network = network.to(memory_format=torch.contiguous_format).eval()
    height = scenes.kind.shape[1]
    picture = torch.from_numpy(scenes.colour[:1]).permute(0, 3, 1, 2).float()
    path = out / "network.onnx"
    axes = {2: "height", 3: "width"}
    with warnings.catch_warnings():
        # The TorchScript exporter announces its retirement at every call; it is pinned here.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network, (picture,), str(path), input_names=["picture"], output_names=["logits"],
            dynamic_axes={"picture": axes, "logits": {2: "rows", 3: "columns"}},
            opset_version=OPSET, dynamo=False,
        )
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"picture": picture.numpy()})
    with torch.inference_mode():
        expected = network(picture).numpy()
    differ = float(np.abs(found - expected).max() / np.abs(expected).max())
    if differ > TOLERANCE:
        raise SystemExit(f"{path}: differs from PyTorch by {differ:.1e}, expected at most {TOLERANCE}")
    write_manifest(scenes, path)
    return differ


def write_manifest(scenes: Scenes, network: Path) -> None:
    lines = [
        "schema = 1",
        f"# Rows that pictures are scaled to, a multiple of {STRIDE}; columns in proportion.",
        f"rows = {scenes.kind.shape[1]}",
        f"stride = {STRIDE}",
        f'network = {{ file = "{network.name}", sha256 = "{hashlib.sha256(network.read_bytes()).hexdigest()}" }}',
        "# In the order of the network's numbers, from 1 on; 0 is everything else. `pixels`: of so many rows, typically.",
    ]
    for name, pixels in list(zip(scenes.classes, typical_pixels(scenes)))[1:]:
        lines += ["", "[[class]]", f'name = "{name}"', f"pixels = {pixels}"]
        if name in scenes.several:
            lines += ["# There may be so many, further apart than this.", "most = 2", f"apart_m = {APART_M}"]
    (network.parent / "learned.toml").write_text("\n".join(lines) + "\n")


def main() -> None:
    options = arguments()
    torch.set_num_threads(options.threads)
    scenes, held = Scenes(options.data), Scenes(options.held)
    print(f"{len(scenes)} pictures, {len(held)} held out, {len(scenes.classes)} classes", flush=True)
    network, record = train(options, scenes, held)
    record["differ_from_pytorch"] = export(network, scenes, options.out)
    (options.out / "training.json").write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
