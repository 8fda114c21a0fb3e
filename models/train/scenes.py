"""Labelled pictures, as the play table's example `scenes` writes them, and what disturbs them in training."""

import json
import re
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F


class Scenes:
    """All pictures of some folders, in memory: colour [N, H, W, 3] and class [N, H, W], both uint8."""

    def __init__(self, folders: list[Path]):
        files = [file for folder in folders for file in sorted(folder.glob("*-labels.png"))]
        if not files:
            raise SystemExit(f"{', '.join(map(str, folders))}: no pictures, expected N.png and N-labels.png")
        labels = json.loads((files[0].parent / "labels.json").read_text())
        # `red block 1` and `red block 2` look the same: they are two of one class.
        names = {int(label): re.sub(r" \d+$", "", name) for label, name in labels.items()}
        self.classes = ["", *dict.fromkeys(names.values())]
        self.several = sorted({name for label, name in names.items() if name != labels[str(label)]})
        table = np.zeros(256, np.uint8)
        for label, name in names.items():
            table[label] = self.classes.index(name)
        height, width = np.asarray(Image.open(files[0])).shape
        self.colour = np.empty((len(files), height, width, 3), np.uint8)
        self.kind = np.empty((len(files), height, width), np.uint8)
        for at, file in enumerate(files):
            self.kind[at] = table[np.asarray(Image.open(file))]
            picture = file.with_name(file.name.replace("-labels", ""))
            self.colour[at] = np.asarray(Image.open(picture).convert("RGB"))

    def __len__(self) -> int:
        return len(self.kind)

    def take(self, rows) -> tuple[torch.Tensor, torch.Tensor]:
        """Pictures [B, 3, H, W], 0 to 255, and classes [B, H, W]."""
        picture = torch.from_numpy(self.colour[rows]).permute(0, 3, 1, 2).float()
        return picture, torch.from_numpy(self.kind[rows]).long()


def disturbed(picture, kind, random: torch.Generator):
    """Another crop and size, other exposure and colours, blur and noise."""
    count, _, height, width = picture.shape

    def draw(low, high, *shape):
        return low + (high - low) * torch.rand(count, *shape, generator=random)

    scale, turn = draw(0.75, 1.15), draw(-0.06, 0.06)
    shift = draw(-0.12, 0.12, 2)
    affine = torch.stack(
        [
            torch.stack([scale * turn.cos(), -scale * turn.sin(), shift[:, 0]], 1),
            torch.stack([scale * turn.sin(), scale * turn.cos(), shift[:, 1]], 1),
        ],
        1,
    )
    grid = F.affine_grid(affine, [count, 1, height, width], align_corners=False)
    picture = F.grid_sample(picture, grid, padding_mode="border", align_corners=False)
    labelled = kind[:, None].float() + 1.0
    labelled = F.grid_sample(labelled, grid, mode="nearest", align_corners=False)
    # What lies outside of the picture is nothing that anybody could name.
    kind = labelled[:, 0].long() - 1
    grey = picture.mean((2, 3), keepdim=True)
    picture = (picture - grey) * draw(0.7, 1.3, 1, 1, 1) + grey * draw(0.7, 1.3, 1, 1, 1)
    picture = picture * draw(0.88, 1.12, 3, 1, 1)
    luma = picture.mean(1, keepdim=True)
    picture = luma + (picture - luma) * draw(0.6, 1.3, 1, 1, 1)
    blurred = F.avg_pool2d(picture, 3, 1, 1, count_include_pad=False)
    picture = torch.lerp(picture, blurred, draw(0.0, 1.0, 1, 1, 1) ** 2)
    noise = torch.randn(picture.shape, generator=random)
    return (picture + noise * draw(0.0, 8.0, 1, 1, 1)).clamp(0, 255), kind
