"""Times reward programs in PyTorch eager and in Tiller, on the same text and the same numbers.

PyTorch runs each program on a (B, T, 3) batch in f32 on one thread: the values, their sum, and
its gradient by autograd. Tiller's side is the example `time_reward`, a release binary that runs
between PyTorch's rounds, so that noise on the machine meets both. The keypoints of Tiller's calls
move every time, since PyTorch computes everything from them every time too. Values and gradients
of both sides are compared before times are.

Needs PyTorch and, without `--binary`, cargo. Exit code 1 if a ratio is below what is required.

    python crates/reward/benches/against_pytorch.py [--json] [--rounds N] [--binary PATH]
"""

import argparse
import json
import math
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F

HERE = Path(__file__).resolve().parent
PROGRAMS = ("reach", "push")
# Particles and the least ratio of PyTorch's time to Tiller's, on the push program.
REQUIRED = {20: 50.0, 1000: 5.0}
KEYPOINTS, POINTS = 8, 15
# Values and gradients of the two sides may differ by this part of their size.
TOLERANCE = 1e-4


def build() -> Path:
    """Builds the release binary and returns its path, as cargo reports it."""
    command = "cargo build --release -p tiller-reward --example time_reward --message-format json"
    built = subprocess.run(command.split(), cwd=HERE, check=True, stdout=subprocess.PIPE, text=True)
    messages = [json.loads(line) for line in built.stdout.splitlines()]
    return next(
        Path(message["executable"])
        for message in messages
        if message.get("executable") and message["target"]["name"] == "time_reward"
    )


class PyTorchSide:
    """One program on one batch. Inputs follow the formulas of `time_reward`."""

    def __init__(self, text: str, particles: int):
        names = {"torch": torch, "F": F}
        exec(text, names)  # noqa: S102, our own benchmark programs
        self.reward = names["stage1_guidance"]
        self.keypoints = torch.tensor(
            [[0.4 + 0.01 * i, 0.05 * i, 0.1] for i in range(KEYPOINTS)], dtype=torch.float32
        )
        numbers = [0.4 + 0.2 * math.sin(0.7 * i) for i in range(particles * POINTS * 3)]
        self.actions = torch.tensor(numbers, dtype=torch.float32).view(particles, POINTS, 3)

    def run(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The values (B,) and their gradients (B, T, 3)."""
        actions = self.actions.detach().requires_grad_(True)
        values = self.reward(self.keypoints, actions)
        (gradient,) = torch.autograd.grad(values.sum(), actions)
        return values, gradient

    def times_us(self, seconds: float) -> list[float]:
        times = []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            start = time.perf_counter_ns()
            self.run()
            times.append((time.perf_counter_ns() - start) / 1e3)
        return times


def check_same(side: PyTorchSide, ours: dict) -> None:
    values, gradient = side.run()
    assert values.shape == side.actions.shape[:1], f"one value a particle, not {values.shape}"
    pairs = {
        "sum of values": (values.double().sum().item(), ours["value_sum"]),
        "length of the gradient": (gradient.double().norm().item(), ours["gradient_norm"]),
    }
    for what, (theirs, mine) in pairs.items():
        if abs(theirs - mine) > TOLERANCE * abs(theirs):
            raise SystemExit(f"{ours['program']}: {what} is {theirs} in PyTorch, {mine} in Tiller")


def measure(binary: Path, program: str, particles: int, rounds: int) -> dict:
    path = HERE / "programs" / f"{program}.py"
    side = PyTorchSide(path.read_text(), particles)
    side.times_us(0.3)
    theirs, ours = [], []
    for _ in range(rounds):
        theirs += side.times_us(0.4)
        options = {"particles": particles, "points": POINTS, "keypoints": KEYPOINTS}
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        command = [str(binary), str(path), *words, "--milliseconds", "200"]
        found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        ours.append(json.loads(found.stdout))
    check_same(side, ours[0])
    best = min(run["moved_keypoints_min_us"] for run in ours)
    return {
        "program": program,
        "particles": particles,
        "pytorch_min_us": min(theirs),
        "pytorch_median_us": statistics.median(theirs),
        "tiller_min_us": best,
        "tiller_median_us": statistics.median(run["moved_keypoints_median_us"] for run in ours),
        "tiller_same_keypoints_min_us": min(run["min_us"] for run in ours),
        "tiller_compile_min_us": min(run["compile_min_us"] for run in ours),
        "ratio": min(theirs) / best,
        "required": REQUIRED.get(particles) if program == "push" else None,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--binary", type=Path, help="a built `time_reward`")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each side (default 5)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    binary = (arguments.binary or build()).resolve()
    rows = [
        measure(binary, program, particles, arguments.rounds)
        for program in PROGRAMS
        for particles in (20, 200, 1000)
    ]
    missed = [row for row in rows if row["required"] and row["ratio"] < row["required"]]
    if arguments.json:
        print(json.dumps({"torch": torch.__version__, "rows": rows, "passed": not missed}, indent=2))
        return 1 if missed else 0
    print(f"PyTorch {torch.__version__}, one thread; minimum (median) in microseconds")
    print(f"{'program':8} {'particles':>9} {'PyTorch':>17} {'Tiller':>17} {'ratio':>7} {'required':>8}")
    for row in rows:
        theirs = f"{row['pytorch_min_us']:.0f} ({row['pytorch_median_us']:.0f})"
        ours = f"{row['tiller_min_us']:.2f} ({row['tiller_median_us']:.2f})"
        required = "" if row["required"] is None else f"{row['required']:.0f}"
        name, particles = row["program"], row["particles"]
        print(f"{name:8} {particles:9} {theirs:>17} {ours:>17} {row['ratio']:7.1f} {required:>8}")
    for row in missed:
        print(f"missed: {row['program']} at {row['particles']} particles", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
