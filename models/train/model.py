"""What is trained: a localising head on frozen features and a denoiser of action chunks.

Nothing here knows of tasks or object poses: the head sees feature maps of the cameras and the
robot's own state.
"""

import math
from dataclasses import asdict, dataclass

import torch
from torch import nn

from trunk import CHANNELS


@dataclass(frozen=True)
class Shape:
    """Sizes of the networks; stored in checkpoints."""

    horizon: int = 16
    action_dim: int = 4
    state_dim: int = 4
    hidden_channels: int = 32
    keypoints: int = 32
    condition: int = 256
    width: int = 256
    blocks: int = 4
    # The `timestep` of pure noise: 1 for flow matching, the training steps for diffusion.
    time_span: float = 1.0
    dropout: float = 0.0
    cameras: tuple[str, ...] = ("static", "wrist")

    def as_dict(self) -> dict:
        return asdict(self)


class KeypointHead(nn.Module):
    """One camera's feature map to K keypoints: x, y in [-1, 1] and two values each.

    Spatial softmax: each keypoint attends to one place of the map. Its coordinates are the
    expectation over the map, finer than a cell; its values tell what is there.
    """

    VALUES = 2

    def __init__(self, shape: Shape):
        super().__init__()
        hidden, keypoints = shape.hidden_channels, shape.keypoints
        self.reduce = nn.Linear(CHANNELS, hidden)
        # Without a bias: the softmax over the map would cancel it.
        self.attend = nn.Linear(hidden, keypoints, bias=False)
        self.read = nn.Parameter(torch.randn(keypoints, self.VALUES, hidden) / math.sqrt(hidden))
        # Features have very different ranges: the data's statistics even them out from the start.
        self.register_buffer("mean", torch.zeros(CHANNELS))
        self.register_buffer("std", torch.ones(CHANNELS))

    @property
    def outputs(self) -> int:
        return self.attend.out_features * (2 + self.VALUES)

    def forward(self, features: torch.Tensor, scale: torch.Tensor | None = None) -> torch.Tensor:
        """Map [B, h, w, C] to [B, outputs]. `scale` [C] multiplies the features: folded into the
        weights, where it costs nothing. Channels come last, so that each layer is one product."""
        height, width = features.shape[1:3]
        weight = self.reduce.weight / self.std
        bias = self.reduce.bias - weight @ self.mean
        if scale is not None:
            weight = weight * scale
        hidden = torch.relu_(nn.functional.linear(features.flatten(1, 2), weight, bias))
        attention = self.attend(hidden).softmax(dim=1).transpose(1, 2)
        # Places are finer than 16 bits tell apart, whatever the other products are done in.
        with torch.autocast("cpu", enabled=False):
            xy = _full(attention) @ _grid(height, width, hidden.device)
        attended = attention @ hidden
        values = (attended.unsqueeze(2) * self.read).sum(dim=-1)
        return torch.cat([xy, values], dim=-1).flatten(1)


def _full(values: torch.Tensor) -> torch.Tensor:
    """In 32 bits; an exported graph, which has no others, gets no conversion."""
    return values if values.dtype == torch.float32 else values.float()


def _grid(height: int, width: int, device) -> torch.Tensor:
    """Cell centres in [-1, 1], [height * width, 2]."""
    y = (torch.arange(height, device=device) + 0.5) * (2.0 / height) - 1.0
    x = (torch.arange(width, device=device) + 0.5) * (2.0 / width) - 1.0
    y, x = torch.meshgrid(y, x, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], dim=-1)


class Vision(nn.Module):
    """All cameras' keypoints as one vector [B, V]."""

    def __init__(self, shape: Shape):
        super().__init__()
        self.heads = nn.ModuleDict({camera: KeypointHead(shape) for camera in shape.cameras})

    @property
    def outputs(self) -> int:
        return sum(head.outputs for head in self.heads.values())

    def set_statistics(self, features: dict, scales: dict) -> None:
        for camera, head in self.heads.items():
            data = (features[camera] * scales[camera]).flatten(0, 2)
            head.mean.copy_(data.mean(dim=0))
            head.std.copy_(data.std(dim=0) + 1e-3)

    def forward(self, features: dict, scales: dict | None = None) -> torch.Tensor:
        return torch.cat(
            [
                head(features[camera], None if scales is None else scales[camera])
                for camera, head in self.heads.items()
            ],
            dim=-1,
        )


class Fusion(nn.Module):
    """Keypoints and normalised robot state to the condition [B, C]."""

    def __init__(self, vision: int, shape: Shape):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(vision + shape.state_dim, 2 * shape.condition),
            nn.LayerNorm(2 * shape.condition),
            nn.SiLU(),
            nn.Linear(2 * shape.condition, shape.condition),
            nn.Dropout(shape.dropout),
        )

    def forward(self, keypoints: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        return self.layers(torch.cat([keypoints, state], dim=-1))


class _Block(nn.Module):
    """Residual MLP whose normalised input is shifted, scaled and gated by the embedding."""

    def __init__(self, width: int, dropout: float):
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulate = nn.Linear(width, 3 * width)
        self.expand = nn.Linear(width, 2 * width)
        self.project = nn.Linear(2 * width, width)
        self.drop = nn.Dropout(dropout)
        nn.init.zeros_(self.modulate.weight)
        nn.init.zeros_(self.modulate.bias)

    def forward(self, x: torch.Tensor, embedding: torch.Tensor) -> torch.Tensor:
        shift, scale, gate = self.modulate(embedding).chunk(3, dim=-1)
        y = self.norm(x) * (1.0 + scale) + shift
        y = self.project(self.drop(nn.functional.silu(self.expand(y))))
        return x + (1.0 + gate) * y


class Denoiser(nn.Module):
    """Noisy chunk [B, T, D], timestep [B] and condition [B or 1, C] to the prediction [B, T, D].

    `timestep` is a number from 0 (data) to `time_span` (noise); what is predicted is the method's."""

    FREQUENCIES = 32

    def __init__(self, shape: Shape):
        super().__init__()
        size = shape.horizon * shape.action_dim
        self.shape = shape
        self.enter = nn.Linear(size, shape.width)
        self.time = nn.Linear(2 * self.FREQUENCIES, shape.width)
        self.condition = nn.Linear(shape.condition, shape.width)
        self.blocks = nn.ModuleList(_Block(shape.width, shape.dropout) for _ in range(shape.blocks))
        self.norm = nn.LayerNorm(shape.width)
        self.leave = nn.Linear(shape.width, size)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)
        # Half a turn to sixteen over the whole of time.
        frequencies = math.pi * torch.logspace(0, 5, self.FREQUENCIES, base=2.0)
        self.register_buffer("frequencies", frequencies)

    def forward(
        self, sample: torch.Tensor, timestep: torch.Tensor, condition: torch.Tensor
    ) -> torch.Tensor:
        angle = timestep.unsqueeze(-1) * (self.frequencies / self.shape.time_span)
        time = self.time(torch.cat([angle.sin(), angle.cos()], dim=-1))
        embedding = nn.functional.silu(time + self.condition(condition))
        x = self.enter(sample.flatten(1))
        for block in self.blocks:
            x = block(x, embedding)
        # The batch is dynamic in the exported graph, so only it may be inferred.
        return self.leave(self.norm(x)).reshape(-1, self.shape.horizon, self.shape.action_dim)


class Policy(nn.Module):
    """Vision, fusion and denoiser together, as they are trained."""

    def __init__(self, shape: Shape):
        super().__init__()
        self.shape = shape
        self.vision = Vision(shape)
        self.fusion = Fusion(self.vision.outputs, shape)
        self.denoiser = Denoiser(shape)
