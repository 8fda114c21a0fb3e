"""LeRobot's diffusion policy as two networks that run well in ONNX Runtime.

Parameters carry LeRobot's names, so that a checkpoint's weights load strictly: one that is missing
or left over is an error. The computation is LeRobot's, rearranged:

- resizing with anti-aliasing is two matrix products, since opset 17 has no operator for it;
- the U-Net's batch lies on a spatial axis: a Conv1d over [B, C, T] is a Conv2d over [1, C, B, T],
  which ONNX Runtime runs as one large product instead of B small ones;
- the condition is multiplied once, not once for each particle.
"""

import math

import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from lerobot_checkpoint import FINAL_GROUPS, Config


class _Keypoints(nn.Module):
    """Spatial softmax: the expected place of each channel's activation, x and y in [-1, 1]."""

    def __init__(self, channels: int, keypoints: int, height: int, width: int):
        super().__init__()
        self.cells = height * width
        self.nets = nn.Conv2d(channels, keypoints, 1)
        self.register_buffer("pos_grid", torch.zeros(self.cells, 2))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        attention = self.nets(features).flatten(2).softmax(dim=-1)
        return (attention @ self.pos_grid).flatten(1)


class _Camera(nn.Module):
    """Normalised pictures [N, 3, H, W] to features [N, 2 K]: resize, crop, ResNet, keypoints."""

    def __init__(self, config: Config):
        super().__init__()
        height, width = config.image_shape[1:]
        if config.resize_shape is not None:
            self.register_buffer("rows", _resampling(height, config.resize_shape[0]), False)
            self.register_buffer("columns", _resampling(width, config.resize_shape[1]).T, False)
            height, width = config.resize_shape
        self.resized = config.resize_shape is not None
        crop = config.crop_shape or (height, width)
        # As torchvision's centre crop rounds.
        self.top = int(round((height - crop[0]) / 2.0))
        self.left = int(round((width - crop[1]) / 2.0))
        self.crop = crop
        resnet = getattr(torchvision.models, config.vision_backbone)(weights=None)
        self.backbone = nn.Sequential(*list(resnet.children())[:-2])
        if config.use_group_norm:
            _group_norms(self.backbone)
        with torch.inference_mode():
            _, channels, rows, columns = self.backbone(torch.zeros(1, 3, *crop)).shape
        keypoints = config.spatial_softmax_num_keypoints
        self.pool = _Keypoints(channels, keypoints, rows, columns)
        self.out = nn.Linear(2 * keypoints, 2 * keypoints)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.resized:
            x = self.rows @ x @ self.columns
        height, width = self.crop
        x = x[:, :, self.top : self.top + height, self.left : self.left + width]
        return torch.relu(self.out(self.pool(self.backbone(x))))


def _resampling(size: int, target: int) -> torch.Tensor:
    """The matrix [target, size] of torchvision's bilinear resizing with anti-aliasing, one axis."""
    # Two equal columns: PyTorch's kernel is wrong for pictures one pixel wide.
    axis = torch.eye(size)[:, None, :, None].repeat(1, 1, 1, 2)
    resized = F.interpolate(axis, (target, 2), mode="bilinear", antialias=True)
    return resized[:, 0, :, 0].T.contiguous()


def _group_norms(module: nn.Module) -> None:
    """Replaces each batch normalisation by a group normalisation with groups of 16 channels."""
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d):
            channels = child.num_features
            setattr(module, name, nn.GroupNorm(channels // 16, channels))
        else:
            _group_norms(child)


class Encoder(nn.Module):
    """Normalised observations to the condition [1, C].

    Inputs in the order of `config.inputs`: the state, the cameras, the environment's state; each
    [1, S, ...] for S observation steps, or [1, ...] for one.
    """

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        cameras = len(config.images)
        if config.use_separate_rgb_encoder_per_camera and cameras:
            self.rgb_encoder = nn.ModuleList(_Camera(config) for _ in range(cameras))
        elif cameras:
            self.rgb_encoder = _Camera(config)

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        steps, cameras = self.config.observation_steps, len(self.config.images)
        if steps == 1:
            inputs = tuple(value.unsqueeze(1) for value in inputs)
        state, pictures, others = inputs[0], inputs[1 : 1 + cameras], inputs[1 + cameras :]
        parts = [state]
        if self.config.use_separate_rgb_encoder_per_camera and pictures:
            features = [encode(x[0]) for encode, x in zip(self.rgb_encoder, pictures)]
            parts += [value.unsqueeze(0) for value in features]
        elif pictures:
            # All steps and cameras at once; step by step, the cameras' features side by side.
            together = torch.stack([x[0] for x in pictures], dim=1).flatten(0, 1)
            parts.append(self.rgb_encoder(together).reshape(1, steps, -1))
        return torch.cat([*parts, *others], dim=-1).flatten(1)


class _GroupNorm(nn.Module):
    """Group normalisation of each particle by itself, over [1, C, B, T]."""

    def __init__(self, groups: int, channels: int):
        super().__init__()
        self.groups, self.channels, self.eps = groups, channels, 1e-5
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        # Adding it gives every channel its group's number; broadcasting is what the graph does best.
        self.register_buffer("spread", torch.zeros(1, channels // groups, 1), persistent=False)

    def _group_mean(self, x: torch.Tensor) -> torch.Tensor:
        """[1, C, B, T] to [1, C, B, 1]: the mean over a group's channels and times."""
        size = self.channels // self.groups
        mean = x.mean(dim=3).reshape(self.groups, size, -1).mean(dim=1, keepdim=True)
        return (mean + self.spread).reshape(1, self.channels, -1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x - self._group_mean(x)
        scale = self.weight.reshape(1, -1, 1, 1) / (self._group_mean(x * x) + self.eps).sqrt()
        return x * scale + self.bias.reshape(1, -1, 1, 1)


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, (1, kernel), (1, stride), (0, kernel // 2))


class _Mish(nn.Module):
    """`x tanh(log(1 + e^x))` as `x u / (2 - u)` with `u = s (2 - s)` and the sigmoid `s`: ONNX Runtime's Softplus is slow."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        s = torch.sigmoid(x)
        u = s * (2.0 - s)
        return x * (u / (2.0 - u))


class _Convolution(nn.Module):
    def __init__(self, kernel: int, groups: int, inputs: int, outputs: int):
        super().__init__()
        self.block = nn.Sequential(
            _conv(inputs, outputs, kernel), _GroupNorm(groups, outputs), _Mish()
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.block(x)


class _Residual(nn.Module):
    """Two convolutions; the first one's output is shifted, and maybe scaled, by time and condition."""

    def __init__(self, config: Config, inputs: int, outputs: int):
        super().__init__()
        self.channels, self.embedding = outputs, config.diffusion_step_embed_dim
        self.scales = config.use_film_scale_modulation
        sizes = config.kernel_size, config.n_groups
        self.conv1 = _Convolution(*sizes, inputs, outputs)
        modulation = 2 * outputs if self.scales else outputs
        self.cond_encoder = nn.Sequential(
            _Mish(), nn.Linear(self.embedding + config.condition, modulation)
        )
        self.conv2 = _Convolution(*sizes, outputs, outputs)
        self.residual_conv = _conv(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: torch.Tensor, time: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """`time` [B, E] and `condition` [1, C] have been through the Mish."""
        layer = self.cond_encoder[1]
        shared = F.linear(condition, layer.weight[:, self.embedding :], layer.bias)
        own = F.linear(time, layer.weight[:, : self.embedding])
        modulation = (own + shared).transpose(0, 1)[None, :, :, None]
        y = self.conv1(x)
        if self.scales:
            y = modulation[:, : self.channels] * y + modulation[:, self.channels :]
        else:
            y = y + modulation
        return self.conv2(y) + self.residual_conv(x)


class _TimeEmbedding(nn.Module):
    """Sinusoids of the training step."""

    def __init__(self, size: int):
        super().__init__()
        half = size // 2
        rates = torch.exp(torch.arange(half) * -(math.log(10000) / (half - 1)))
        self.register_buffer("rates", rates, persistent=False)

    def forward(self, timestep: torch.Tensor) -> torch.Tensor:
        angle = timestep.unsqueeze(-1) * self.rates
        return torch.cat([angle.sin(), angle.cos()], dim=-1)


class Denoiser(nn.Module):
    """Noisy chunk [B, T, D], training step [B] and condition [1, C] to the prediction [B, T, D]."""

    def __init__(self, config: Config):
        super().__init__()
        embed, dims = config.diffusion_step_embed_dim, config.down_dims
        self.diffusion_step_encoder = nn.Sequential(
            _TimeEmbedding(embed), nn.Linear(embed, 4 * embed), _Mish(), nn.Linear(4 * embed, embed)
        )
        self.mish = _Mish()
        down = list(zip((config.action_dim, *dims[:-1]), dims))
        self.down_modules = nn.ModuleList()
        for index, (inputs, outputs) in enumerate(down):
            last = index == len(down) - 1
            sample = nn.Identity() if last else _conv(outputs, outputs, 3, 2)
            blocks = [_Residual(config, inputs, outputs), _Residual(config, outputs, outputs)]
            self.down_modules.append(nn.ModuleList([*blocks, sample]))
        self.mid_modules = nn.ModuleList(_Residual(config, dims[-1], dims[-1]) for _ in range(2))
        self.up_modules = nn.ModuleList()
        for outputs, inputs in reversed(down[1:]):
            sample = nn.ConvTranspose2d(outputs, outputs, (1, 4), (1, 2), (0, 1))
            blocks = [_Residual(config, 2 * inputs, outputs), _Residual(config, outputs, outputs)]
            self.up_modules.append(nn.ModuleList([*blocks, sample]))
        self.final_conv = nn.Sequential(
            _Convolution(config.kernel_size, FINAL_GROUPS, dims[0], dims[0]),
            _conv(dims[0], config.action_dim, 1),
        )

    def forward(
        self, sample: torch.Tensor, timestep: torch.Tensor, condition: torch.Tensor
    ) -> torch.Tensor:
        time, condition = self.mish(self.diffusion_step_encoder(timestep)), self.mish(condition)
        x = sample.permute(2, 0, 1).unsqueeze(0)
        skips = []
        for first, second, down in self.down_modules:
            x = second(first(x, time, condition), time, condition)
            skips.append(x)
            x = down(x)
        for block in self.mid_modules:
            x = block(x, time, condition)
        for first, second, up in self.up_modules:
            x = torch.cat([x, skips.pop()], dim=1)
            x = up(second(first(x, time, condition), time, condition))
        return self.final_conv(x)[0].permute(1, 2, 0)


def load(config: Config, weights: dict[str, torch.Tensor]) -> tuple[Encoder, Denoiser]:
    """Both networks with a checkpoint's weights, which must fit exactly."""
    unet, others = {}, {}
    for name, value in weights.items():
        name = name.removeprefix("diffusion.")
        if name.startswith("unet."):
            # A Conv1d's kernel [.., .., k] becomes a Conv2d's [.., .., 1, k].
            value = value.unsqueeze(2) if value.ndim == 3 else value
            # torch.compile, which the checkpoint may have been trained with, renames the module.
            unet[name.removeprefix("unet.").removeprefix("_orig_mod.")] = value
        else:
            others[name] = value
    encoder, denoiser = Encoder(config), Denoiser(config)
    for part, network, values in (("encoder", encoder, others), ("U-Net", denoiser, unet)):
        try:
            network.load_state_dict(values)
        except RuntimeError as error:
            raise SystemExit(f"the weights do not fit the {part} that config.json describes: {error}")
    return encoder.eval(), denoiser.eval()
