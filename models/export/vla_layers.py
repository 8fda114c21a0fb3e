"""Layers that the vision-language-action policies of LeRobot share, written for export.

Parameters carry LeRobot's names; a matrix lies transposed, as the product takes it, so that a graph need
not turn it. Tensors are laid out so that particles share a prefix's keys and values without a copy.

    B particles, T action steps, P places of the prefix, KV heads of keys and values,
    G query heads to each of them, d numbers in a head
"""

import math
from typing import Callable

import torch
from torch import nn
from torch.nn import functional as F

from refusal import unsupported

# LeRobot's rotary positions, whatever the language model's own configuration says.
WAVELENGTH = 10_000.0
# Added to what must not be attended to.
HIDDEN = torch.finfo(torch.float32).min


class Linear(nn.Module):
    def __init__(self, inputs: int, outputs: int, bias: bool = False):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(inputs, outputs))
        self.bias = nn.Parameter(torch.empty(outputs)) if bias else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x @ self.weight
        return x if self.bias is None else x + self.bias


class Rms(nn.Module):
    """Root-mean-square normalisation with a weight."""

    def __init__(self, size: int, eps: float):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.empty(size))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x / torch.sqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * self.weight


class LayerNorm(nn.Module):
    def __init__(self, size: int, eps: float):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.empty(size))
        self.bias = nn.Parameter(torch.empty(size))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, self.eps)


class Gated(nn.Module):
    """The feed-forward part of a language model's layer."""

    def __init__(self, size: int, inner: int, activation: Callable):
        super().__init__()
        self.activation = activation
        self.gate_proj, self.up_proj = Linear(size, inner), Linear(size, inner)
        self.down_proj = Linear(inner, size)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down_proj(self.activation(self.gate_proj(x)) * self.up_proj(x))


def rotary(positions: torch.Tensor, d: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Sines and cosines [.., d / 2] of positions [..]."""
    rates = WAVELENGTH ** ((2.0 / d) * torch.arange(d // 2, dtype=torch.float32))
    angles = positions[..., None].to(torch.float32) / rates
    return torch.sin(angles), torch.cos(angles)


def rotate(x: torch.Tensor, turn: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """Turns [.., d] by its positions."""
    (first, second), (sin, cos) = x.chunk(2, dim=-1), turn
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


def split_heads(x: torch.Tensor, heads: int, d: int) -> torch.Tensor:
    """[1, P, heads d] to [1, heads, P, d]."""
    return x.reshape(1, -1, heads, d).transpose(1, 2)


def attend(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """A prefix's attention to itself: q [1, KV G, P, d], k and v [1, KV, P', d], bias [P or 1, P'], to
    [1, P, KV G d]."""
    heads, d = q.shape[1], q.shape[3]
    shared, places = k.shape[1], k.shape[2]
    # Query heads that share keys lie one after the other.
    scores = q.reshape(1, shared, -1, d) @ k.transpose(2, 3) * d**-0.5
    scores = scores.reshape(1, shared, heads // shared, -1, places) + bias
    mixed = torch.softmax(scores, -1).reshape(1, shared, -1, places) @ v
    return mixed.reshape(1, heads, -1, d).transpose(1, 2).reshape(1, -1, heads * d)


def attend_shared(
    q: torch.Tensor,
    prefix: tuple[torch.Tensor, torch.Tensor],
    bias: torch.Tensor,
    own: tuple[torch.Tensor, torch.Tensor] | None = None,
    own_bias: torch.Tensor | None = None,
) -> torch.Tensor:
    """The particles' attention to the one prefix, and to the particle's own steps.

    q [B, KV, G, T, d], prefix's keys and values [1, KV, P, d], bias [1, P], own keys and values
    [B, KV, T, d], own bias [T, T], to [B, T, KV G d]. All particles' queries are rows of one product.
    """
    _, shared, groups, steps, d = q.shape
    (keys, values), scale = (x[0] for x in prefix), d**-0.5
    places = keys.shape[1]

    def fold(x: torch.Tensor) -> torch.Tensor:
        """[B, KV, G, T, n] to [KV, B G T, n]."""
        return x.transpose(0, 1).reshape(shared, -1, x.shape[4])

    def unfold(x: torch.Tensor) -> torch.Tensor:
        return x.reshape(shared, -1, groups, steps, x.shape[2]).transpose(0, 1)

    scores = fold(q) @ keys.transpose(1, 2) * scale + bias
    if own is None:
        mixed = unfold(torch.softmax(scores, -1) @ values)
    else:
        own_keys, own_values = own
        own_scores = q.reshape(-1, shared, groups * steps, d) @ own_keys.transpose(2, 3) * scale
        own_scores = own_scores.reshape(-1, shared, groups, steps, steps) + own_bias
        weights = torch.softmax(torch.cat([scores, fold(own_scores)], -1), -1)
        own_weights = unfold(weights[..., places:]).reshape(-1, shared, groups * steps, steps)
        own_mixed = (own_weights @ own_values).reshape(-1, shared, groups, steps, d)
        mixed = unfold(weights[..., :places] @ values) + own_mixed
    return mixed.permute(0, 3, 1, 2, 4).reshape(-1, steps, shared * groups * d)


class Time(nn.Module):
    """Sinusoids [B, size] of the time [B]; in double precision, as LeRobot works them out."""

    def __init__(self, size: int, min_period: float, max_period: float):
        super().__init__()
        fraction = torch.linspace(0.0, 1.0, size // 2, dtype=torch.float64)
        period = min_period * (max_period / min_period) ** fraction
        self.register_buffer("rates", 1.0 / period * 2 * math.pi, persistent=False)

    def forward(self, time: torch.Tensor) -> torch.Tensor:
        angles = self.rates * time.double()[:, None]
        return torch.cat([torch.sin(angles), torch.cos(angles)], 1).float()


class Resize(nn.Module):
    """Pictures [1, 3, h, w] in [0, 1] to [1, 3, H, W] in [-1, 1]: scaled as a whole, with padding.

    Bilinear resizing is a product with a matrix for each axis. `centred`: padding on all sides, else on the
    left and at the top.
    """

    def __init__(self, size: tuple[int, int], target: tuple[int, int], centred: bool, padding: float):
        super().__init__()
        (height, width), (rows, columns) = size, target
        ratio = max(width / columns, height / rows)
        scaled = int(height / ratio), int(width / ratio)
        self.register_buffer("rows", _bilinear(height, scaled[0]), persistent=False)
        self.register_buffer("columns", _bilinear(width, scaled[1]).T.contiguous(), persistent=False)
        self.resizes = scaled != size
        down, across = rows - scaled[0], columns - scaled[1]
        top, left = (down // 2, across // 2) if centred else (down, across)
        self.padding, self.value = (left, across - left, top, down - top), padding

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.resizes:
            x = self.rows @ x @ self.columns
        if any(self.padding):
            x = F.pad(x, self.padding, value=self.value)
        return x * 2.0 - 1.0


def _bilinear(size: int, target: int) -> torch.Tensor:
    """The matrix [target, size] of PyTorch's bilinear resizing without anti-aliasing, one axis."""
    # Two equal columns: a picture one pixel wide is a case of its own.
    axis = torch.eye(size)[:, None, :, None].repeat(1, 1, 1, 2)
    resized = F.interpolate(axis, (target, 2), mode="bilinear", align_corners=False)
    return resized[:, 0, :, 0].T.contiguous()


class Tower(nn.Module):
    """SigLIP: a picture [1, 3, S, S] in [-1, 1] to its patches' features [1, N, size]."""

    def __init__(self, size: int, layers: int, heads: int, inner: int, patch: int, side: int, eps: float):
        super().__init__()
        self.size, self.heads = size, heads
        self.embeddings = nn.Module()
        self.embeddings.patch_embedding = nn.Conv2d(3, size, patch, patch)
        self.embeddings.position_embedding = nn.Module()
        self.embeddings.position_embedding.weight = nn.Parameter(torch.empty((side // patch) ** 2, size))
        self.encoder = nn.Module()
        self.encoder.layers = nn.ModuleList(_TowerLayer(size, inner, eps) for _ in range(layers))
        self.post_layernorm = LayerNorm(size, eps)

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        x = self.embeddings.patch_embedding(picture).flatten(2).transpose(1, 2)
        x = x + self.embeddings.position_embedding.weight
        d = self.size // self.heads
        nothing = torch.zeros(1, 1)
        for layer in self.encoder.layers:
            attention, seen = layer.self_attn, layer.layer_norm1(x)
            parts = (attention.q_proj, attention.k_proj, attention.v_proj)
            q, k, v = (split_heads(part(seen), self.heads, d) for part in parts)
            x = x + attention.out_proj(attend(q, k, v, nothing))
            inner = layer.mlp.fc1(layer.layer_norm2(x))
            x = x + layer.mlp.fc2(F.gelu(inner, approximate="tanh"))
        return self.post_layernorm(x)


class _TowerLayer(nn.Module):
    def __init__(self, size: int, inner: int, eps: float):
        super().__init__()
        self.layer_norm1, self.layer_norm2 = LayerNorm(size, eps), LayerNorm(size, eps)
        self.self_attn = nn.Module()
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            setattr(self.self_attn, part, Linear(size, size, bias=True))
        self.mlp = nn.Module()
        self.mlp.fc1, self.mlp.fc2 = Linear(size, inner, bias=True), Linear(inner, size, bias=True)


class Weights:
    """A checkpoint's tensors, of which every one must be taken or declared idle."""

    def __init__(self, tensors: dict[str, torch.Tensor]):
        self.tensors = tensors
        self.taken: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self.tensors

    def __getitem__(self, name: str) -> torch.Tensor:
        if name not in self.tensors:
            raise SystemExit(f"cannot export: model.safetensors has no {name}")
        self.taken.add(name)
        return self.tensors[name]

    def shape(self, name: str) -> tuple[int, ...]:
        """A tensor's shape, without taking it."""
        if name not in self.tensors:
            raise SystemExit(f"cannot export: model.safetensors has no {name}")
        return tuple(self.tensors[name].shape)

    def fill(self, module: nn.Module, folders: dict[str, str]) -> None:
        """Gives every parameter its tensor; `folders` says where those of a child lie."""
        for path, child in module.named_modules():
            for name, parameter in child.named_parameters(recurse=False):
                first, _, rest = path.partition(".")
                key = ".".join(part for part in (folders[first], rest, name) if part)
                value = self[key]
                if isinstance(child, Linear) and name == "weight":
                    value = value.T
                if value.shape != parameter.shape:
                    raise unsupported(
                        f"the shape of {key}", list(value.shape), str(list(parameter.shape))
                    )
                parameter.data = value.float().contiguous()
                parameter.requires_grad_(False)

    def finish(self, idle: Callable[[str], bool]) -> None:
        """Refuses tensors that no network has taken, but for those that have no effect on a chunk."""
        left = sorted(name for name in self.tensors if name not in self.taken and not idle(name))
        if left:
            raise unsupported("model.safetensors: a tensor", left[0], "those of this policy alone")
