"""Writes programs.json and operations.json: what PyTorch computes for programs.py and operations.py.

Run with any Python that has torch: `python crates/reward/tests/golden/generate.py`.
"""

import json
import math
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

import operations
import programs

torch.set_default_dtype(torch.float64)
# In a reward `.float()` is the precision that it is evaluated in.
torch.Tensor.float = torch.Tensor.double
POINTS, PARTICLES, KEYPOINTS = 6, 2, 4
HEADER = "num_stages = 1\ndef stage1_guidance(keypoints, action_sequence):"
DONE = "\ndef stage1_done(keypoints, start_keypoints, end_effector):"


class TorchNumpy:
    """NumPy's names on tensors: the meaning that the reward language gives them."""

    linalg = torch.linalg
    array = staticmethod(lambda data: torch.stack(list(data)) if isinstance(data[0], torch.Tensor) else torch.tensor(data))
    mean = staticmethod(lambda x, axis=None: x.mean() if axis is None else x.mean(axis))
    sum = staticmethod(lambda x, axis=None: x.sum() if axis is None else x.sum(axis))
    var = staticmethod(lambda x, axis=None: torch.var(x, axis, correction=0))
    std = staticmethod(lambda x, axis=None: torch.std(x, axis, correction=0))
    abs = staticmethod(torch.abs)
    sqrt = staticmethod(torch.sqrt)
    diff = staticmethod(lambda x, axis=-1: torch.diff(x, dim=axis))
    clip = staticmethod(torch.clamp)
    dot = staticmethod(torch.matmul)
    maximum = staticmethod(lambda x, y: torch.maximum(x, torch.as_tensor(y)))
    minimum = staticmethod(lambda x, y: torch.minimum(x, torch.as_tensor(y)))
    power = staticmethod(torch.pow)
    expand_dims = staticmethod(torch.unsqueeze)


class Linalg:
    @staticmethod
    def norm(x, axis=None):
        return torch.linalg.norm(x, dim=axis)


TorchNumpy.linalg = Linalg


def run(source, keypoints, path):
    names = {"torch": torch, "F": F, "np": TorchNumpy, "math": math}
    exec(compile(source, "program", "exec"), names)
    path = path.clone().requires_grad_(True)
    value = names["stage1_guidance"](keypoints, path * 1.0)
    assert value.numel() == 1, (source, value.shape)
    value.sum().backward()
    return value.item(), path.grad.flatten().tolist()


def case(name, source, keypoints, paths):
    results = [run(source, keypoints, path) for path in paths]
    return {
        "name": name,
        "source": source,
        "keypoints": keypoints.tolist(),
        "trajectories": [path.flatten().tolist() for path in paths],
        "values": [value for value, _ in results],
        "gradients": [gradient for _, gradient in results],
    }


def main():
    generator = torch.Generator().manual_seed(7)
    # Rounded, so that the file stays small; all that matters is that both sides read the same.
    draw = lambda *shape: torch.round(torch.rand(*shape, generator=generator) * 1e4) / 1e4
    keypoints = draw(KEYPOINTS, 3) * 0.5
    paths = [draw(1, POINTS, 3) * 0.5 for _ in range(PARTICLES)]
    # A text that sets the number of stages is a whole program.
    whole = lambda body: body if "num_stages" in body else HEADER + body
    bodies = [case(name, whole(body), keypoints, paths) for name, body in programs.BODIES.items()]
    write("programs.json", bodies)
    cases = []
    for text in operations.EXPRESSIONS:
        body = f"""
    a, k = action_sequence, keypoints
    y = ({text}).reshape(-1)
    return (y * torch.linspace(0.5, 1.5, y.shape[0])).sum()
"""
        cases.append(case(text, HEADER + body, keypoints, paths))
    for text, at in operations.TIES:
        path = paths[0].clone()
        path[0, 0] = torch.tensor(at)
        body = f"\n    x = action_sequence[0, 0]\n    return {text}\n"
        cases.append(case(text, HEADER + body, keypoints, [path]))
    write("operations.json", cases)


def write(name, cases):
    out = pathlib.Path(__file__).with_name(name)
    out.write_text("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
    print(f"{name}: {len(cases)} programs")


if __name__ == "__main__":
    main()
