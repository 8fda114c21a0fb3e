"""The detector's network: a small U-Net from a picture to a part's name for each pixel."""

import torch
from torch import nn
from torch.nn import functional as F

# Pictures must be a multiple of this in both directions.
STRIDE = 16
WIDTHS = (16, 32, 64, 96, 128)


def conv(inputs: int, outputs: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, dilation, dilation, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    def __init__(self, width: int, dilation: int = 1):
        super().__init__()
        self.first = conv(width, width, dilation=dilation)
        self.second = nn.Sequential(
            nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(x + self.second(self.first(x)))


class Up(nn.Module):
    """To twice the size, joined with what the way down had there."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.narrow = nn.Conv2d(inputs, outputs, 1)
        self.mix = conv(outputs, outputs)

    def forward(self, x: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        x = F.interpolate(self.narrow(x), scale_factor=2, mode="bilinear", align_corners=False)
        return self.mix(x + skip)


class Parts(nn.Module):
    """Pictures [B, 3, H, W], 0 to 255, to logits [B, classes, H / 2, W / 2]; class 0 is everything else."""

    def __init__(self, classes: int):
        super().__init__()
        a, b, c, d, e = WIDTHS
        self.stem = conv(3, a, 2)
        self.first = nn.Sequential(conv(a, b, 2), Residual(b))
        self.second = nn.Sequential(conv(b, c, 2), Residual(c), Residual(c))
        self.third = nn.Sequential(conv(c, d, 2), Residual(d, 2), Residual(d, 4))
        self.whole = nn.Sequential(nn.Linear(d, e), nn.ReLU(), nn.Linear(e, d))
        self.ups = nn.ModuleList([Up(d, c), Up(c, b), Up(b, a)])
        self.read = nn.Conv2d(a, classes, 1)

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        half = self.stem((picture - 127.0) / 64.0)
        quarter = self.first(half)
        eighth = self.second(quarter)
        x = self.third(eighth)
        x = x + self.whole(x.mean((2, 3)))[:, :, None, None]
        for up, skip in zip(self.ups, (eighth, quarter, half)):
            x = up(x, skip)
        return self.read(x)

