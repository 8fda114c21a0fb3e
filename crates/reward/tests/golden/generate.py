"""Writes programs.json, operations.json and statements.json: what PyTorch computes for the programs beside them.

Run with any Python that has torch: `python crates/reward/tests/golden/generate.py`.
"""

import contextlib
import io
import json
import math
import pathlib
import warnings

import numpy as np
import torch
import torch.nn.functional as F

import conditions
import joints
import numpy_names
import operations
import programs
import statements

torch.set_default_dtype(torch.float64)
# In a reward `.float()` is the precision that it is evaluated in.
torch.Tensor.float = torch.Tensor.double
POINTS, PARTICLES, KEYPOINTS = 6, 2, 4
HEADER = "num_stages = 1\ndef stage1_guidance(keypoints, action_sequence):"
DONE = "\ndef stage1_done(keypoints, start_keypoints, end_effector):"


def renamed(function):
    """A function of torch under NumPy's names of its arguments."""
    names = {"axis": "dim", "keepdims": "keepdim", "weights": "weights", "k": "diagonal"}

    def call(*args, **kwargs):
        return function(*args, **{names.get(name, name): value for name, value in kwargs.items()})

    return call


def to_tensor(data):
    if isinstance(data, torch.Tensor):
        return data
    return torch.stack(list(data)) if isinstance(data[0], torch.Tensor) else torch.tensor(data)


def interp(x, xp, fp, left=None, right=None):
    """Differentiable `np.interp`: the segment that starts at or before each place."""
    xp, fp = to_tensor(xp), to_tensor(fp)
    i = torch.searchsorted(xp, x.detach(), right=True).clamp(1, len(xp) - 1) - 1
    y = fp[i] + (fp[i + 1] - fp[i]) / (xp[i + 1] - xp[i]) * (x - xp[i])
    y = torch.where(x >= xp[-1], fp[-1] if right is None else torch.tensor(right), y)
    return torch.where(x < xp[0], fp[0] if left is None else torch.tensor(left), y)


def convolve(a, v, mode="full"):
    """`np.convolve` of a longer and a shorter vector."""
    full = F.conv1d(a.view(1, 1, -1), v.flip(0).view(1, 1, -1), padding=len(v) - 1).flatten()
    cut = {"full": 0, "same": (len(v) - 1) // 2, "valid": len(v) - 1}[mode]
    return full[cut : cut + {"full": len(full), "same": len(a), "valid": len(a) - len(v) + 1}[mode]]


def average(x, axis=None, weights=None):
    if weights is None:
        return x.mean() if axis is None else x.mean(axis)
    if weights.dim() != x.dim():
        weights = weights.view([-1 if d == axis else 1 for d in range(x.dim())])
    weights = weights.expand_as(x)
    return (x * weights).sum(axis) / weights.sum(axis)


def gradient(x, *spacing, axis=None):
    parts = torch.gradient(x, spacing=spacing[0] if spacing else 1, dim=axis)
    return parts[0] if len(parts) == 1 else parts


def median(x, axis=None):
    middles = [torch.quantile(x, 0.5, dim=axis, interpolation=how) for how in ("lower", "higher")]
    return (middles[0] + middles[1]) / 2


def prod(x, axis=None):
    return x.prod() if axis is None else x.prod(axis)


def flat_where_no_axis(function):
    return lambda x, axis=None: function(x.flatten(), 0) if axis is None else function(x, axis)


class Linalg(numpy_names.Decompositions):
    @staticmethod
    def norm(x, ord=None, axis=None, keepdims=False):
        return torch.linalg.norm(x, ord, dim=axis, keepdim=keepdims)


class TorchNumpy(numpy_names.Splicing):
    """NumPy's names on tensors: the meaning that the reward language gives them."""

    linalg = Linalg
    array = staticmethod(to_tensor)
    var = staticmethod(lambda x, axis=None: torch.var(x, axis, correction=0))
    std = staticmethod(lambda x, axis=None: torch.std(x, axis, correction=0))
    max = staticmethod(lambda x, axis=None: torch.amax(x, axis) if axis is not None else x.amax())
    min = staticmethod(lambda x, axis=None: torch.amin(x, axis) if axis is not None else x.amin())
    amax, amin, prod = max, min, staticmethod(prod)
    fabs, copy, rint = staticmethod(torch.abs), staticmethod(torch.clone), staticmethod(torch.round)
    around = staticmethod(lambda x, decimals=0: torch.round(x, decimals=decimals))
    round = around
    cbrt = staticmethod(lambda x: torch.sign(x) * x.abs() ** (1 / 3))
    degrees, radians = staticmethod(torch.rad2deg), staticmethod(torch.deg2rad)
    mod, power, dot = staticmethod(torch.remainder), staticmethod(torch.pow), staticmethod(torch.matmul)
    equal = staticmethod(torch.eq)
    isclose = staticmethod(lambda x, y, **kw: torch.isclose(x, torch.as_tensor(y), **kw))
    array_equal = staticmethod(torch.equal)
    maximum = staticmethod(lambda x, y: torch.maximum(x, torch.as_tensor(y)))
    minimum = staticmethod(lambda x, y: torch.minimum(x, torch.as_tensor(y)))
    diff = staticmethod(lambda x, axis=-1: torch.diff(x, dim=axis))
    clip = staticmethod(torch.clamp)
    expand_dims = staticmethod(torch.unsqueeze)
    average, interp, convolve = staticmethod(average), staticmethod(interp), staticmethod(convolve)
    ptp = staticmethod(lambda x, axis=None: TorchNumpy.max(x, axis) - TorchNumpy.min(x, axis))
    cumsum, cumprod = staticmethod(flat_where_no_axis(torch.cumsum)), staticmethod(flat_where_no_axis(torch.cumprod))
    gradient, median = staticmethod(gradient), staticmethod(median)
    percentile = staticmethod(lambda x, q, axis=None: torch.quantile(x, q / 100, dim=axis))
    sort = staticmethod(lambda x, axis=-1: torch.sort(x, dim=axis)[0])
    digitize = staticmethod(lambda x, bins: torch.bucketize(x, bins, right=True))
    split = staticmethod(lambda x, sections, axis=0: torch.tensor_split(x, sections, dim=axis))
    array_split = split
    meshgrid = staticmethod(lambda *parts: torch.meshgrid(*parts, indexing="xy"))
    triu_indices = staticmethod(lambda n, k=0: tuple(torch.triu_indices(n, n, k)))
    tril_indices = staticmethod(lambda n, k=0: tuple(torch.tril_indices(n, n, k)))
    broadcast_arrays = staticmethod(torch.broadcast_tensors)
    transpose = staticmethod(lambda x: x.permute(*reversed(range(x.dim()))))
    repeat = staticmethod(lambda x, times, axis=None: torch.repeat_interleave(x, times, dim=axis))
    flip = staticmethod(lambda x, axis=None: torch.flip(x, list(range(x.dim())) if axis is None else [axis]))
    size, shape, ndim = staticmethod(torch.numel), staticmethod(lambda x: x.shape), staticmethod(lambda x: x.dim())
    take_along_axis = staticmethod(renamed(torch.take_along_dim))
    take = staticmethod(lambda x, i, axis: torch.index_select(x, axis, torch.tensor(i)))
    nonzero = staticmethod(lambda x: torch.nonzero(x, as_tuple=True))
    identity = staticmethod(torch.eye)
    linspace = staticmethod(lambda a, b, n, endpoint=True: torch.linspace(a, b, n if endpoint else n + 1)[:n])
    tensordot = staticmethod(lambda a, b, axes: torch.tensordot(a, b, dims=axes))
    cross = staticmethod(torch.linalg.cross)

    def __getattr__(self, name):
        return renamed(getattr(torch, name))


def run(source, keypoints, path):
    names = {"torch": torch, "F": F, "np": TorchNumpy(), "math": math}
    exec(compile(source, "program", "exec"), names)
    path = path.clone().requires_grad_(True)
    value = names["stage1_guidance"](keypoints, path * 1.0)
    assert value.numel() == 1, (source, value.shape)
    value.sum().backward()
    return value.item(), path.grad.flatten().tolist()


def case(name, source, keypoints, paths, run=run):
    results = [run(source, keypoints, path) for path in paths]
    return {
        "name": name,
        "source": source,
        "keypoints": keypoints.tolist(),
        "trajectories": [path.flatten().tolist() for path in paths],
        "values": [value for value, _ in results],
        "gradients": [gradient for _, gradient in results],
    }


def run_statements(source, keypoints, path):
    """A whole module with the real numpy, whose reward may come with a dictionary of its parts."""
    names = {"torch": torch, "F": F, "np": np, "math": math, "__name__": "program"}
    # Scripting needs a file, and changes no value.
    torch.jit.script = lambda function: function
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(source, "program", "exec"), names)
        path = path.clone().requires_grad_(True)
        value = names["stage1_guidance"](keypoints.clone(), path * 1.0)
    if isinstance(value, tuple):
        value = value[0]
    if isinstance(value, dict):
        value = value["reward"]
    assert value.numel() == 1, (source, value.shape)
    # The way that is taken may return a constant.
    if not value.requires_grad:
        return value.item(), [0.0] * path.numel()
    value.sum().backward()
    return value.item(), path.grad.flatten().tolist()


def write_statements(draw):
    """Random walks over a table, and one that ends on a keypoint."""
    keypoints = draw(8, 3) * torch.tensor([0.5, 0.8, 0.5]) + torch.tensor([0.25, -0.4, 0.0])
    paths = []
    for start in (0.3, 0.7):
        steps = (draw(1, 9, 3) - 0.5) * 0.2
        steps[:, 0] = torch.tensor([start, 0.1, start / 2])
        paths.append(torch.round(steps.cumsum(1) * 1e4) / 1e4)
    paths.append(keypoints[0] + torch.linspace(0.03, 0.0, 9)[None, :, None])
    whole = lambda body: body if "num_stages" in body else "num_stages = 1\n" + body
    full = lambda body: body if "def stage1_guidance" in body else HEADER.split("\n")[1] + body
    all_of_them = {**conditions.CONDITIONS, **statements.STATEMENTS, **joints.JOINTS}
    cases = [
        case(name, whole(full(body)), keypoints, paths, run_statements)
        for name, body in all_of_them.items()
    ]
    write("statements.json", cases)


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
    write_statements(draw)


def write(name, cases):
    out = pathlib.Path(__file__).with_name(name)
    out.write_text("[\n" + ",\n".join(json.dumps(c, allow_nan=False) for c in cases) + "\n]\n")
    print(f"{name}: {len(cases)} programs")


if __name__ == "__main__":
    main()
