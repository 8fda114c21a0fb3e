"""LeRobot's SmolVLA as two networks over a checkpoint's tensors.

The prefix (pictures, instruction, state) becomes keys and values once a chunk; the denoiser, an expert
with a layer for each of the language model's, attends to them. The computation is LeRobot's, rearranged:

- keys and values of layers in which the expert only attends to the prefix go through the expert's own
  projections in the prefix: they are the same in every step;
- of the language model's last layer only keys and values are worked out;
- all particles attend to one prefix.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

from smolvla_checkpoint import Config
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

VLM, EXPERT = "model.vlm_with_expert.vlm.model", "model.vlm_with_expert.lm_expert"


class _Layer(nn.Module):
    """One of the language model or of the expert; `parts`: the projections that are worked out here."""

    def __init__(self, config: Config, size: int, inner: int, parts: str):
        super().__init__()
        self.input_layernorm = Rms(size, config.rms_eps)
        self.self_attn = nn.Module()
        width = {"q": config.heads, "k": config.shared_heads, "v": config.shared_heads}
        for part in parts:
            if part == "o":
                self.self_attn.o_proj = Linear(config.heads * config.head_dim, size)
            else:
                setattr(self.self_attn, f"{part}_proj", Linear(size, width[part] * config.head_dim))
        if "o" in parts:
            self.post_attention_layernorm = Rms(size, config.rms_eps)
            self.mlp = Gated(size, inner, F.silu)

    def finish(self, x: torch.Tensor, attended: torch.Tensor) -> torch.Tensor:
        x = x + self.self_attn.o_proj(attended)
        return x + self.mlp(self.post_attention_layernorm(x))


class _Projections(nn.Module):
    """The expert's own view of the prefix's keys and values, in a layer that attends to nothing else."""

    def __init__(self, size: int):
        super().__init__()
        self.self_attn = nn.Module()
        self.self_attn.k_proj, self.self_attn.v_proj = Linear(size, size), Linear(size, size)


class Prefix(nn.Module):
    """Pictures [1, 3, h, w] in [0, 1], tokens [1, L] and their mask, and the state [1, n] to the mask of the
    prefix [1, P], and keys and values [1, KV, P, d] of each layer."""

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        hidden, kept = config.hidden, config.shared_heads * config.head_dim
        shape = (config.vision_heads, config.vision_inner, config.patch, config.side)
        sizes = (shape[1:] for shape in config.images.values())
        self.resize = nn.ModuleList(Resize(size, config.target, False, 0.0) for size in sizes)
        self.vision_model = Tower(config.vision_hidden, config.vision_layers, *shape, config.vision_eps)
        self.connector = nn.Module()
        self.connector.modality_projection = nn.Module()
        shuffled = config.vision_hidden * config.scale**2
        self.connector.modality_projection.proj = Linear(shuffled, hidden)
        self.state_proj = Linear(config.state_dim, hidden, bias=True)
        self.text_model = nn.Module()
        self.text_model.embed_tokens = nn.Module()
        self.text_model.embed_tokens.weight = nn.Parameter(torch.empty(config.vocabulary, hidden))
        last = config.layers - 1
        self.text_model.layers = nn.ModuleList(
            _Layer(config, hidden, config.inner, "kv" if index == last else "qkvo")
            for index in range(config.layers)
        )
        self.experts = nn.ModuleDict(
            {str(index): _Projections(kept) for index in range(config.layers) if config.crosses(index)}
        )

    def picture(self, picture: torch.Tensor) -> torch.Tensor:
        x = self.vision_model(picture)
        # Neighbouring patches become one place: [N, D] to [N / s^2, D s^2].
        scale, patches = self.config.scale, self.config.side // self.config.patch
        x = x.reshape(1, patches // scale, scale, patches // scale, scale, -1)
        x = x.transpose(2, 3).reshape(1, (patches // scale) ** 2, -1)
        x = self.connector.modality_projection.proj(x)
        return x * math.sqrt(self.config.hidden)

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        config = self.config
        cameras = len(config.images)
        pictures, (tokens, mask, state) = inputs[:cameras], inputs[cameras:]
        parts = [self.picture(resize(x)) for resize, x in zip(self.resize, pictures)]
        seen = sum(part.shape[1] for part in parts)
        words = F.embedding(tokens, self.text_model.embed_tokens.weight) * math.sqrt(config.hidden)
        x = torch.cat([*parts, words, self.state_proj(state)[:, None]], 1)
        always = torch.ones(1, seen, dtype=torch.bool)
        there = torch.cat([always, mask, torch.ones(1, 1, dtype=torch.bool)], 1)
        # Nothing but the state sees the state, which stands last.
        places = torch.arange(seen + tokens.shape[1] + 1)
        sees = (places[None, :] <= torch.clamp(places, min=places[-1] - 1)[:, None]) & there
        bias = torch.where(sees, 0.0, HIDDEN)
        turn = tuple(x[:, None] for x in rotary(torch.cumsum(there.to(torch.int64), 1) - 1, config.head_dim))
        found = [there]
        for index, layer in enumerate(self.text_model.layers):
            attention, normed = layer.self_attn, layer.input_layernorm(x)
            k = rotate(split_heads(attention.k_proj(normed), config.shared_heads, config.head_dim), turn)
            v = split_heads(attention.v_proj(normed), config.shared_heads, config.head_dim)
            found += self._for_expert(index, k, v)
            if index < config.layers - 1:
                q = rotate(split_heads(attention.q_proj(normed), config.heads, config.head_dim), turn)
                x = layer.finish(x, attend(q, k, v, bias))
        return tuple(found)

    def _for_expert(self, index: int, k: torch.Tensor, v: torch.Tensor) -> list[torch.Tensor]:
        config = self.config
        if not config.crosses(index):
            return [k, v]
        own = self.experts[str(index)].self_attn
        rows = [x.transpose(1, 2).reshape(1, -1, config.shared_heads * config.head_dim) for x in (k, v)]
        rows = [project(x) for project, x in zip((own.k_proj, own.v_proj), rows)]
        return [split_heads(x, config.shared_heads, config.head_dim) for x in rows]


class Denoiser(nn.Module):
    """Noisy chunk [B, T, D], time [B] and the prefix to the velocity [B, T, D]."""

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        size = config.expert_hidden
        self.time = Time(size, config.min_period, config.max_period)
        self.action_in_proj = Linear(config.action_columns, size, bias=True)
        self.action_time_mlp_in = Linear(2 * size, size, bias=True)
        self.action_time_mlp_out = Linear(size, size, bias=True)
        self.layers = nn.ModuleList(
            _Layer(config, size, config.expert_inner, "qo" if config.crosses(index) else "qkvo")
            for index in range(config.layers)
        )
        self.norm = Rms(size, config.rms_eps)
        self.action_out_proj = Linear(size, config.action_columns, bias=True)

    def forward(
        self, sample: torch.Tensor, timestep: torch.Tensor, there: torch.Tensor, *kept: torch.Tensor
    ) -> torch.Tensor:
        config = self.config
        steps, d, shared = config.chunk_size, config.head_dim, config.shared_heads
        x = self.action_in_proj(sample)
        time = self.time(timestep)[:, None].expand_as(x)
        x = self.action_time_mlp_out(F.silu(self.action_time_mlp_in(torch.cat([x, time], 2))))
        bias = torch.where(there, 0.0, HIDDEN)
        # A step sees itself and those before it.
        places = torch.arange(steps)
        own_bias = torch.where(places[None, :] <= places[:, None], 0.0, HIDDEN)
        # Among themselves the steps stand behind the prefix; where they see nothing else they begin at 0.
        after = rotary(there.to(torch.int64).sum() + places, d)
        alone = rotary(places, d)
        for index, layer in enumerate(self.layers):
            attention, normed = layer.self_attn, layer.input_layernorm(x)
            prefix = kept[2 * index], kept[2 * index + 1]
            q = attention.q_proj(normed).reshape(-1, steps, shared, config.heads // shared, d)
            q = q.permute(0, 2, 3, 1, 4)
            if config.crosses(index):
                attended = attend_shared(rotate(q, alone), prefix, bias)
            else:
                k, v = (
                    part(normed).reshape(-1, steps, shared, d).transpose(1, 2)
                    for part in (attention.k_proj, attention.v_proj)
                )
                own = rotate(k, after), v
                attended = attend_shared(rotate(q, after), prefix, bias, own, own_bias)
            x = layer.finish(x, attended)
        return self.action_out_proj(self.norm(x))


def load(config: Config, weights: Weights) -> tuple[Prefix, Denoiser]:
    """Both networks with a checkpoint's tensors, every one of which has its place."""
    # States shorter than the projection's input are filled up with zeros there.
    state = weights["model.state_proj.weight"][:, : config.state_dim]
    weights.tensors["model.state_proj.weight"] = state
    prefix, denoiser = Prefix(config), Denoiser(config)
    experts = {"experts": f"{EXPERT}.layers", "state_proj": "model.state_proj"}
    names = ("vision_model", "connector", "text_model")
    weights.fill(prefix, experts | {name: f"{VLM}.{name}" for name in names})
    names = ("action_in_proj", "action_time_mlp_in", "action_time_mlp_out", "action_out_proj")
    weights.fill(
        denoiser,
        {name: f"model.{name}" for name in names}
        | {"layers": f"{EXPERT}.layers", "norm": f"{EXPERT}.norm"},
    )
    # Of the language model's last layer nothing but keys and values reaches an action.
    last = f"{VLM}.text_model.layers.{config.layers - 1}."
    idle = (last, f"{VLM}.text_model.norm.", "model.vlm_with_expert.vlm.lm_head.", f"{EXPERT}.embed_tokens.")
    weights.finish(lambda name: name.startswith(idle))
    # A position embedding for each patch of a whole picture, in the tower's own order.
    table = prefix.vision_model.embeddings.position_embedding.weight
    table.data = table.data[_positions(config.side // config.patch, config.lagging)]
    return prefix.eval(), denoiser.eval()


def _positions(side: int, lagging: bool) -> torch.Tensor:
    """Which embedding a patch has: the tower's bins of fractions of the picture, [side^2].

    Before transformers 5 a fraction is a little less than the edge that it should be at, so that all but the
    first patch of a row or column lie one bin too early (`lagging`)."""
    edges = torch.arange(1 / side, 1.0, 1 / side)
    places = torch.arange(side, dtype=torch.float32)
    if lagging:
        places = places / side * (1 - 1e-6)
    else:
        places = torch.clamp(places * (1.0 / torch.tensor(side)), max=1.0 - 1e-6)
    bins = torch.bucketize(places, edges, right=True)
    return (bins[:, None] * side + bins).flatten()
