"""LeRobot's pi0 and pi0.5 as two networks over a checkpoint's tensors.

The prefix (pictures and text, and with pi0 the state) becomes keys and values once a chunk; the denoiser,
an expert with a layer for each of the language model's, attends to them. The computation is LeRobot's,
rearranged:

- pi0's state is a token of the expert's that sees no action: it is worked out with the prefix;
- of the language model's last layer only keys and values are worked out;
- all particles attend to one prefix.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

from pi_checkpoint import EMBEDDING, EXPERT, PALIGEMMA, Config
from vla_layers import (
    HIDDEN,
    Gated,
    Linear,
    Resize,
    Rms,
    Time,
    Tower,
    Weights,
    attend,
    attend_shared,
    rotary,
    rotate,
    split_heads,
)


class _AdaptiveRms(nn.Module):
    """Normalisation that time scales and shifts, and a gate for what is made of it."""

    def __init__(self, size: int, eps: float):
        super().__init__()
        self.eps = eps
        self.dense = Linear(size, 3 * size, bias=True)

    def forward(self, x: torch.Tensor, time: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        scale, shift, gate = self.dense(time)[:, None].chunk(3, dim=-1)
        x = x / torch.sqrt(x.pow(2).mean(-1, keepdim=True) + self.eps)
        return x * (scale + 1.0) + shift, gate


class _Layer(nn.Module):
    """One of the language model or of the expert; `whole`: not keys and values alone."""

    def __init__(self, config: Config, size: int, inner: int, whole: bool = True, adaptive: bool = False):
        super().__init__()
        norm = _AdaptiveRms if adaptive else Rms
        self.config = config
        self.input_layernorm = norm(size, config.eps)
        self.self_attn = nn.Module()
        kept = config.shared_heads * config.head_dim
        self.self_attn.k_proj, self.self_attn.v_proj = Linear(size, kept), Linear(size, kept)
        if whole:
            full = config.heads * config.head_dim
            self.self_attn.q_proj, self.self_attn.o_proj = Linear(size, full), Linear(full, size)
            self.post_attention_layernorm = norm(size, config.eps)
            self.mlp = Gated(size, inner, lambda x: F.gelu(x, approximate="tanh"))

    def kept(self, x: torch.Tensor, turn) -> tuple[torch.Tensor, torch.Tensor]:
        """Keys and values [1, KV, P, d] of the normalised [1, P, size]."""
        heads, d = self.config.shared_heads, self.config.head_dim
        keys = rotate(split_heads(self.self_attn.k_proj(x), heads, d), turn)
        return keys, split_heads(self.self_attn.v_proj(x), heads, d)

    def queries(self, x: torch.Tensor, turn) -> torch.Tensor:
        q = self.self_attn.q_proj(x)
        return rotate(split_heads(q, self.config.heads, self.config.head_dim), turn)

    def finish(self, x: torch.Tensor, attended: torch.Tensor) -> torch.Tensor:
        x = x + self.self_attn.o_proj(attended)
        return x + self.mlp(self.post_attention_layernorm(x))


class Prefix(nn.Module):
    """Pictures [1, 3, h, w] in [0, 1], tokens [1, L] and their mask, and with pi0 the state [1, n] to the mask
    of the prefix [1, P], and keys and values [1, KV, P, d] of each layer."""

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        sizes = (shape[1:] for shape in config.images.values())
        self.resize = nn.ModuleList(Resize(size, config.target, True, config.padding) for size in sizes)
        shape = (config.vision_heads, config.vision_inner, config.patch, config.side)
        self.vision_model = Tower(config.vision_hidden, config.vision_layers, *shape, config.eps)
        self.multi_modal_projector = nn.Module()
        self.multi_modal_projector.linear = Linear(config.vision_hidden, config.hidden, bias=True)
        self.embedding = nn.Module()
        self.embedding.weight = nn.Parameter(torch.empty(config.vocabulary, config.hidden))
        whole = [index < config.layers - 1 for index in range(config.layers)]
        self.layers = nn.ModuleList(_Layer(config, config.hidden, config.inner, each) for each in whole)
        if config.state_is_seen:
            size, inner = config.expert_hidden, config.expert_inner
            self.state_proj = Linear(config.state_dim, size, bias=True)
            self.experts = nn.ModuleList(_Layer(config, size, inner, each) for each in whole)

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        config = self.config
        cameras = len(config.images)
        pictures, (tokens, mask, *state) = inputs[:cameras], inputs[cameras:]
        parts = [
            self.multi_modal_projector.linear(self.vision_model(resize(x)))
            for resize, x in zip(self.resize, pictures)
        ]
        seen = sum(part.shape[1] for part in parts)
        words = F.embedding(tokens, self.embedding.weight) * math.sqrt(config.hidden)
        x = torch.cat([*parts, words], 1)
        there = torch.cat([torch.ones(1, seen, dtype=torch.bool), mask], 1)
        bias = torch.where(there, 0.0, HIDDEN)
        places = torch.cumsum(there.to(torch.int64), 1)
        turn = tuple(x[:, None] for x in rotary(places - 1, config.head_dim))
        last = tuple(x[:, None] for x in rotary(places[:, -1:], config.head_dim))
        if state:
            # One token of the expert's, behind all others.
            told = self.state_proj(state[0])[:, None]
            there = torch.cat([there, torch.ones(1, 1, dtype=torch.bool)], 1)
        found = [there]
        for index, layer in enumerate(self.layers):
            normed = layer.input_layernorm(x)
            keys, values = layer.kept(normed, turn)
            whole = index < config.layers - 1
            if whole:
                x = layer.finish(x, attend(layer.queries(normed, turn), keys, values, bias))
            if state:
                expert = self.experts[index]
                normed = expert.input_layernorm(told)
                own = expert.kept(normed, last)
                keys, values = torch.cat([keys, own[0]], 2), torch.cat([values, own[1]], 2)
                if whole:
                    full = torch.where(there, 0.0, HIDDEN)
                    told = expert.finish(told, attend(expert.queries(normed, last), keys, values, full))
            found += [keys, values]
        return tuple(found)


class Denoiser(nn.Module):
    """Noisy chunk [B, T, D], time [B] and the prefix to the velocity [B, T, D]."""

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        size = config.expert_hidden
        self.time = Time(size, config.min_period, config.max_period)
        self.action_in_proj = Linear(config.action_columns, size, bias=True)
        first = size if config.adaptive else 2 * size
        self.time_mlp_in, self.time_mlp_out = Linear(first, size, bias=True), Linear(size, size, bias=True)
        self.layers = nn.ModuleList(
            _Layer(config, size, config.expert_inner, adaptive=config.adaptive) for _ in range(config.layers)
        )
        self.norm = (_AdaptiveRms if config.adaptive else Rms)(size, config.eps)
        self.action_out_proj = Linear(size, config.action_columns, bias=True)

    def forward(
        self, sample: torch.Tensor, timestep: torch.Tensor, there: torch.Tensor, *kept: torch.Tensor
    ) -> torch.Tensor:
        config = self.config
        x, time = self.action_in_proj(sample), self.time(timestep)
        if config.adaptive:
            time = F.silu(self.time_mlp_out(F.silu(self.time_mlp_in(time))))
        else:
            both = torch.cat([x, time[:, None].expand_as(x)], 2)
            x = self.time_mlp_out(F.silu(self.time_mlp_in(both)))
        steps, d, shared = config.chunk_size, config.head_dim, config.shared_heads
        bias, own_bias = torch.where(there, 0.0, HIDDEN), torch.zeros(1, 1)
        turn = rotary(there.to(torch.int64).sum() + torch.arange(steps), d)
        for index, layer in enumerate(self.layers):
            normed, gate = self._normalised(layer.input_layernorm, x, time)
            q = layer.self_attn.q_proj(normed).reshape(-1, steps, shared, config.heads // shared, d)
            k, v = (
                part(normed).reshape(-1, steps, shared, d).transpose(1, 2)
                for part in (layer.self_attn.k_proj, layer.self_attn.v_proj)
            )
            prefix = kept[2 * index], kept[2 * index + 1]
            q = rotate(q.permute(0, 2, 3, 1, 4), turn)
            attended = attend_shared(q, prefix, bias, (rotate(k, turn), v), own_bias)
            x = x + self._gated(layer.self_attn.o_proj(attended), gate)
            normed, gate = self._normalised(layer.post_attention_layernorm, x, time)
            x = x + self._gated(layer.mlp(normed), gate)
        return self.action_out_proj(self._normalised(self.norm, x, time)[0])

    def _normalised(self, norm: nn.Module, x: torch.Tensor, time: torch.Tensor):
        return norm(x, time) if self.config.adaptive else (norm(x), None)

    @staticmethod
    def _gated(x: torch.Tensor, gate: torch.Tensor | None) -> torch.Tensor:
        return x if gate is None else x * gate


def load(config: Config, weights: Weights) -> tuple[Prefix, Denoiser]:
    """Both networks with a checkpoint's tensors, every one of which has its place."""
    prefix, denoiser = Prefix(config), Denoiser(config)
    folders = {
        "vision_model": f"{PALIGEMMA}.vision_tower.vision_model",
        "multi_modal_projector": f"{PALIGEMMA}.multi_modal_projector",
        "embedding": EMBEDDING.removesuffix(".weight"),
        "layers": f"{PALIGEMMA}.language_model.layers",
        "experts": f"{EXPERT}.layers",
        "state_proj": "model.state_proj",
    }
    if config.state_is_seen:
        # States shorter than the projection's input are filled up with zeros there.
        state = weights["model.state_proj.weight"][:, : config.state_dim]
        weights.tensors["model.state_proj.weight"] = state
    weights.fill(prefix, folders)
    times = "time_mlp" if config.adaptive else "action_time_mlp"
    folders = {f"time_mlp_{side}": f"model.{times}_{side}" for side in ("in", "out")}
    folders |= {name: f"model.{name}" for name in ("action_in_proj", "action_out_proj")}
    weights.fill(denoiser, folders | {"layers": f"{EXPERT}.layers", "norm": f"{EXPERT}.norm"})
    # A checkpoint has what is added to 1.
    for norm in (*prefix.modules(), *denoiser.modules()):
        if isinstance(norm, Rms):
            norm.weight.data = norm.weight.data + 1.0
    # Of the language model's last layer nothing but keys and values reaches an action.
    model = f"{PALIGEMMA}.language_model"
    last, paligemma = f"{model}.layers.{config.layers - 1}.", PALIGEMMA.removesuffix(".model")
    idle = (last, f"{model}.norm.", f"{paligemma}.lm_head.", EXPERT.removesuffix(".model") + ".lm_head.")
    weights.finish(lambda name: name.startswith(idle))
    return prefix.eval(), denoiser.eval()
