"""Trains a base policy from demonstrations and exports it as a bundle.

    python models/train/train.py --data datasets/playtable --out models/policies/flow --minutes 45
    python models/train/train.py --data datasets/playtable --out models/policies/diffusion \\
        --method diffusion --vision-from models/policies/flow --minutes 40

What states and actions hold and which cameras there are is what the data set's columns are called
(layout.py).

First everything is trained together; then the keypoints are frozen and the fusion and the
denoiser go on alone, which is many times faster. The first phase is left out where the keypoints
come from a bundle (`--vision-from`) or all weights from a checkpoint (`--resume`), the second with
`--policy-steps 0`: of few demonstrations it only makes the denoiser know them by heart.

The last phase overfits if it runs for long: held-out episodes are evaluated every so many steps,
what is kept is the average with the lowest energy score on them, and training ends when that
has not improved for a while. A bundle of the best so far is exported every few minutes. `--minutes`
bounds the time; the steps that fitted are printed and recorded, and `--vision-steps` with
`--policy-steps` repeats a run exactly.
"""

import argparse
import copy
import ctypes
import json
import math
import os
import sys
import time
from pathlib import Path

# Threads that wait must not burn the cores that other work needs; read when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "export"))

import bundle
import dataset
import diffusion
import evaluate
import export
import features as feature_cache
import layout
import methods
from model import Policy, Shape

VISION_BATCH, VISION_REPEATS = 128, 4
POLICY_BATCH, POLICY_REPEATS = 256, 4
VISION_RATE, POLICY_RATE = 1e-3, 5e-4
# Of the picture's half width: keeps the fusion from memorising layouts once keypoints are frozen.
KEYPOINT_NOISE = 0.01
EMA_DECAY = 0.999
HELD_OUT = 20  # every so manieth episode is for validation


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="LeRobot v3.0 data set")
    parser.add_argument("--out", type=Path, required=True, help="bundle directory")
    parser.add_argument("--cache", type=Path, help="feature cache (default: <data>-features)")
    parser.add_argument("--minutes", type=float, default=45.0, help="training time after caching")
    parser.add_argument("--vision-share", type=float, default=0.6, help="of the minutes, for vision")
    parser.add_argument("--vision-steps", type=int, help="exact steps, instead of minutes")
    parser.add_argument(
        "--policy-steps", type=int, help="exact steps, instead of minutes; 0 leaves the phase out"
    )
    parser.add_argument("--frame-stride", type=int, default=3, help="keep every n-th frame")
    parser.add_argument("--export-minutes", type=float, default=5.0, help="between exports")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--no-bf16", dest="bf16", action="store_false", help="products in 32 bits, not in 16"
    )
    parser.add_argument("--cache-only", action="store_true", help="fill the feature cache and stop")
    parser.add_argument(
        "--method", choices=methods.NAMES, default=methods.NAMES[0], help="what the denoiser learns"
    )
    parser.add_argument(
        "--prediction",
        choices=diffusion.PREDICTIONS,
        default="v_prediction",
        help="what a diffusion denoiser predicts (default: %(default)s)",
    )
    parser.add_argument(
        "--spacing",
        choices=diffusion.SPACINGS,
        default="trailing",
        help="which training steps diffusion samples at (default: %(default)s)",
    )
    parser.add_argument("--dropout", type=float, default=0.0, help="share dropped in training")
    parser.add_argument(
        "--keypoint-noise",
        type=float,
        default=KEYPOINT_NOISE,
        help="added to frozen keypoints, of the picture's half width (default: %(default)s)",
    )
    parser.add_argument(
        "--evaluate-steps", type=int, default=1000, help="between evaluations in the last phase"
    )
    parser.add_argument(
        "--patience", type=int, default=20, help="evaluations without a better one before the end"
    )
    export.add_options(parser)
    start = parser.add_mutually_exclusive_group()
    start.add_argument(
        "--resume", type=Path, help="continue the second phase from a checkpoint of the same method"
    )
    start.add_argument(
        "--vision-from",
        type=Path,
        help="keypoints (frozen) and first fusion of a bundle, of any method; the denoiser is new",
    )
    options = parser.parse_args()
    if options.policy_steps == 0 and (options.resume or options.vision_from):
        parser.error("--policy-steps 0 leaves nothing to train with --resume or --vision-from")
    return options


def chosen_method(options: argparse.Namespace) -> methods.Method:
    if options.method == diffusion.Diffusion.name:
        return diffusion.Diffusion(options.prediction, options.spacing)
    return methods.FlowMatching()


class Data:
    """Tensors of the kept frames, normalised, split by episode."""

    def __init__(self, root: Path, cache: Path, stride: int, horizon: int):
        demonstrations = dataset.load(root)
        self.features = feature_cache.compute(demonstrations, cache, stride, log)
        frames = self.features.frames
        self.fps, self.layout = demonstrations.fps, demonstrations.layout
        self.min, self.max = dataset.action_range(demonstrations.action, self.layout)
        self.state_mean = demonstrations.state.mean(axis=0)
        least = np.float32(self.layout.of_state(layout.LEAST_DEVIATION))
        self.state_std = np.maximum(demonstrations.state.std(axis=0), least)
        chunk = dataset.chunks(demonstrations, horizon)[frames]
        self.chunk = torch.from_numpy(2.0 * (chunk - self.min) / (self.max - self.min) - 1.0)
        state = (demonstrations.state[frames] - self.state_mean) / self.state_std
        self.state = torch.from_numpy(state)
        noise = self.layout.of_state(layout.NOISE)
        self.noise = torch.tensor(noise) / torch.from_numpy(self.state_std)
        self.episode = demonstrations.episode[frames]
        held_out = self.episode % HELD_OUT == HELD_OUT - 1
        self.train, self.validation = np.flatnonzero(~held_out), np.flatnonzero(held_out)
        if len(self.validation) == 0 or len(self.train) == 0:
            raise SystemExit(f"{root} needs at least {HELD_OUT} episodes")
        log(
            f"{len(demonstrations)} frames, {len(frames)} kept, "
            f"{len(np.unique(self.episode))} episodes, {len(self.validation)} frames held out; "
            f"action bound {np.round(self.max, 4).tolist()}"
        )


class Budget:
    """Progress from 0 to 1: by exact steps if given, else by the clock."""

    def __init__(self, steps: int | None, seconds: float):
        self.steps, self.seconds, self.done = steps, seconds, 0
        self.started = time.monotonic()

    def progress(self) -> float:
        if self.steps is not None:
            return self.done / max(self.steps, 1)
        return (time.monotonic() - self.started) / max(self.seconds, 1e-9)


class Average:
    """Exponential moving average of the weights; what is evaluated and exported."""

    def __init__(self, model: torch.nn.Module):
        self.model = copy.deepcopy(model).requires_grad_(False)
        self.updates = 0

    @torch.no_grad()
    def update(self, model: torch.nn.Module) -> None:
        self.updates += 1
        decay = min(EMA_DECAY, (1 + self.updates) / (10 + self.updates))
        means, values = list(self.model.parameters()), list(model.parameters())
        torch._foreach_lerp_(means, values, 1.0 - decay)


class Best:
    """The average with the lowest held-out energy score so far, and how long ago it was."""

    def __init__(self, patience: int):
        self.model: torch.nn.Module | None = None
        self.patience, self.waited, self.steps, self.figures = patience, 0, 0, {}

    def consider(self, model: torch.nn.Module, figures: dict, steps: int) -> bool:
        if self.model is None or figures["energy_mm"] < self.figures["energy_mm"]:
            self.model = copy.deepcopy(model)
            self.figures, self.steps, self.waited = figures, steps, 0
        else:
            self.waited += 1
        return self.waited >= self.patience


def keep_memory() -> None:
    """Makes the C library keep freed memory: mapping large tensors anew at every step costs more
    than the arithmetic on them. Without glibc nothing happens."""
    no_mmap, no_trim, pad = (-4, 0), (-1, 2**31 - 1), (-2, 2**28)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option, value in (no_mmap, no_trim, pad):
            mallopt(option, value)


def log(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def described(figures: dict[str, float]) -> str:
    return ", ".join(f"{key} {value:.4f}" for key, value in figures.items())


def rate(progress: float, peak: float) -> float:
    """Linear warm-up over the first 2 %, then a cosine to 2 % of the peak."""
    if progress < 0.02:
        return peak * max(progress / 0.02, 0.01)
    return peak * (0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * min(progress, 1.0))))


class Trainer:
    def __init__(self, options: argparse.Namespace, data: Data):
        self.options, self.data = options, data
        self.generator = torch.Generator().manual_seed(options.seed)
        self.numpy = np.random.default_rng(options.seed)
        torch.manual_seed(options.seed)
        self.method = chosen_method(options)
        self.use = export.use_of(options, {})
        # Said before hours are spent.
        export.action_table(data.layout, self.use)
        shape = Shape(
            action_dim=data.layout.action_dim,
            state_dim=data.layout.state_dim,
            cameras=data.layout.cameras,
            time_span=self.method.time_span,
            dropout=options.dropout,
        )
        self.policy = Policy(shape)
        if options.resume:
            self._resume(options.resume)
        elif options.vision_from:
            bundle.load_vision(self.policy, options.vision_from)
        else:
            self._set_statistics()
        self.average = Average(self.policy)
        self.exported = time.monotonic()
        self.record: dict = {
            "method": self.method.record(),
            "seed": options.seed,
            "shape": shape.as_dict(),
        }

    def _resume(self, checkpoint: Path) -> None:
        stored = torch.load(checkpoint, weights_only=True)
        method = methods.from_record(stored.get("method", {}))
        if method.record() != self.method.record():
            raise SystemExit(
                f"{checkpoint} was trained as {method.record()}, not as {self.method.record()}; "
                "to use its keypoints only, export it and give the bundle to --vision-from"
            )
        self.policy.load_state_dict(stored["policy"])

    def _set_statistics(self) -> None:
        rows = self.numpy.choice(self.data.train, min(512, len(self.data.train)), replace=False)
        maps = self.data.features.batch(np.sort(rows))
        self.policy.vision.set_statistics(maps, self.data.features.scales)

    def state(self, rows: np.ndarray) -> torch.Tensor:
        noise = torch.randn(len(rows), self.data.state.shape[1], generator=self.generator)
        return self.data.state[rows] + noise * self.data.noise

    def run(
        self, name: str, budget: Budget, peak: float, parameters: list, loss_of, keep_best: bool
    ) -> None:
        optimiser = torch.optim.AdamW(parameters, lr=peak, weight_decay=1e-2, fused=True)
        mean_loss, reported = None, time.monotonic()
        best = Best(self.options.patience) if keep_best else None
        while (progress := budget.progress()) < 1.0:
            for group in optimiser.param_groups:
                group["lr"] = rate(progress, peak)
            loss = loss_of()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
            self.average.update(self.policy)
            budget.done += 1
            value = loss.item()
            if not math.isfinite(value):
                raise SystemExit(f"{name}: the loss is {value} at step {budget.done}")
            mean_loss = value if mean_loss is None else 0.98 * mean_loss + 0.02 * value
            if time.monotonic() - reported > 30.0:
                reported = time.monotonic()
                speed = budget.done / (reported - budget.started)
                log(
                    f"{name} {100 * progress:.0f} %, step {budget.done}, loss {mean_loss:.4f}, "
                    f"{speed:.2f} steps a second"
                )
            if best and budget.done % self.options.evaluate_steps == 0:
                if self.evaluate(name, budget.done, best):
                    log(f"{name}: no better for {best.patience} evaluations")
                    break
            if time.monotonic() - self.exported > 60.0 * self.options.export_minutes:
                self.export(name, budget.done, best)
        if best and budget.done % self.options.evaluate_steps != 0:
            self.evaluate(name, budget.done, best)
        self.record[f"{name}_steps"] = budget.done
        self.record[f"{name}_seconds"] = round(time.monotonic() - budget.started)
        self.record[f"{name}_train_loss"] = mean_loss
        self.export(name, budget.done, best)

    def evaluate(self, name: str, steps: int, best: "Best") -> bool:
        """Takes the average's figures into account; true when it is time to stop."""
        model = self.average.model.eval()
        figures = evaluate.figures(model, self.method, self.data)
        log(f"{name} step {steps}: {described(figures)}")
        return best.consider(model, figures, steps)

    def loss(self, condition: torch.Tensor, chunk: torch.Tensor, repeats: int) -> torch.Tensor:
        denoiser, bf16 = self.policy.denoiser, self.options.bf16
        return methods.loss(
            self.method, denoiser, condition, chunk, repeats, self.generator, bf16
        )

    def vision_loss(self) -> torch.Tensor:
        rows = np.sort(self.numpy.choice(self.data.train, VISION_BATCH))
        features = self.data.features
        with torch.autocast("cpu", torch.bfloat16, enabled=self.options.bf16):
            keypoints = self.policy.vision(features.batch(rows), features.scales).float()
        condition = self.policy.fusion(keypoints, self.state(rows))
        chunk = self.data.chunk[rows]
        return self.loss(condition, chunk, VISION_REPEATS)

    def freeze_vision(self) -> None:
        """From here on the averaged keypoints are inputs; they are computed once for all frames."""
        self.policy.load_state_dict(self.average.model.state_dict())
        self.policy.vision.requires_grad_(False)
        self.keypoints = evaluate.keypoints(self.policy.vision, self.data.features)

    def policy_loss(self) -> torch.Tensor:
        rows = self.numpy.choice(self.data.train, POLICY_BATCH)
        keypoints = self.keypoints[rows]
        noise = torch.randn(keypoints.shape, generator=self.generator)
        keypoints = keypoints + self.options.keypoint_noise * noise
        condition = self.policy.fusion(keypoints, self.state(rows))
        chunk = self.data.chunk[rows]
        return self.loss(condition, chunk, POLICY_REPEATS)

    def export(self, name: str, steps: int, best: "Best | None") -> None:
        """Writes the best average so far or, where none is chosen, the present one."""
        model = self.average.model.eval()
        if best and best.model:
            model, steps, figures = best.model, best.steps, best.figures
            self.record["best_steps"] = steps
        else:
            figures = evaluate.figures(model, self.method, self.data)
        log(f"exporting {name} step {steps}: {described(figures)}")
        self.record["validation"] = figures
        checkpoint = self.options.out.parent / f"{self.options.out.name}.checkpoint.pt"
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        statistics = {
            "state_mean": torch.from_numpy(self.data.state_mean),
            "state_std": torch.from_numpy(self.data.state_std),
            "action_min": torch.from_numpy(self.data.min),
            "action_max": torch.from_numpy(self.data.max),
            "rate_hz": self.data.fps,
        }
        torch.save(
            {
                "policy": model.state_dict(),
                "method": self.method.record(),
                "shape": model.shape.as_dict(),
                "layout": self.data.layout.as_dict(),
                "use": self.use.as_dict(),
                "statistics": statistics,
                "record": self.record,
            },
            checkpoint,
        )
        report = export.export_bundle(checkpoint, self.options.out, self.use)
        log(f"exported {self.options.out}: {report}")
        self.exported = time.monotonic()


def main() -> None:
    options = arguments()
    keep_memory()
    torch.set_num_threads(options.threads)
    cache = options.cache or options.data.with_name(options.data.name + "-features")
    data = Data(options.data, cache, options.frame_stride, Shape.horizon)
    if options.cache_only:
        return
    trainer = Trainer(options, data)
    seconds = 60.0 * options.minutes
    second = options.policy_steps != 0
    if not (options.resume or options.vision_from):
        share = options.vision_share if second else 1.0
        budget = Budget(options.vision_steps, seconds * share)
        everything = list(trainer.policy.parameters())
        trainer.run("vision", budget, VISION_RATE, everything, trainer.vision_loss, not second)
        seconds *= 1.0 - share
    if second:
        trainer.freeze_vision()
        budget = Budget(options.policy_steps, seconds)
        parameters = [*trainer.policy.fusion.parameters(), *trainer.policy.denoiser.parameters()]
        trainer.run("policy", budget, POLICY_RATE, parameters, trainer.policy_loss, True)
    (options.out / "training.json").write_text(json.dumps(trainer.record, indent=2) + "\n")


if __name__ == "__main__":
    main()
