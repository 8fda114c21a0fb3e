"""Writes what the published post-processing of Segment Anything gives for small inputs, for the tests of
`crates/grounding`:

    pip install segment-anything==1.0 torch torchvision
    python models/export/sam_truth.py crates/grounding/tests/data/sam.json
"""

import json
import sys

import numpy as np
import torch
from segment_anything.utils.amg import batched_mask_to_box, build_point_grid, calculate_stability_score
from segment_anything.utils.onnx import SamOnnxModel
from segment_anything.utils.transforms import ResizeLongestSide
from torch.nn import functional
from torchvision.ops.boxes import batched_nms

MEAN, DEVIATION = np.array([123.675, 116.28, 103.53]), np.array([58.395, 57.12, 57.375])


def rounded(values):
    return [round(float(value), 6) for value in np.asarray(values).ravel()]


def masks(random):
    """Blobs of all sizes, one empty and one full."""
    width, height = 13, 9
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    cases = []
    for spread in (0.5, 1.5, 3.0, 6.0):
        middle = random.uniform([2, 2], [width - 2, height - 2])
        distance = np.hypot(columns - middle[0], rows - middle[1])
        cases.append(4 * (spread - distance) + random.normal(0, 1.0, distance.shape))
    cases += [np.full((height, width), -3.0), np.full((height, width), 3.0)]
    for case in cases:
        logits = torch.tensor(np.round(case, 3), dtype=torch.float32)[None]
        stability = float(calculate_stability_score(logits, 0.0, 1.0)[0])
        yield {
            "width": width,
            "logits": rounded(logits),
            "box": rounded(batched_mask_to_box(logits > 0.0)[0]),
            "stability": stability if np.isfinite(stability) else None,
        }


def suppression(random):
    for most in (0.7, 0.3):
        corners = random.uniform(0, 40, (24, 2))
        boxes = np.round(np.concatenate([corners, corners + random.uniform(5, 40, (24, 2))], 1))
        scores = np.round(random.uniform(0.8, 1.0, 24), 4)
        kept = batched_nms(
            torch.tensor(boxes, dtype=torch.float32),
            torch.tensor(scores, dtype=torch.float32),
            torch.zeros(24),
            iou_threshold=most,
        )
        yield {
            "most": most,
            "boxes": [rounded(box) for box in boxes],
            "scores": rounded(scores),
            "kept": rounded(kept),
        }


def restored(random):
    """The exported model's own way back, which asks nothing of the model but its size."""
    low, side, width, height = 8, 32, 19, 11
    model = SamOnnxModel.__new__(SamOnnxModel)
    torch.nn.Module.__init__(model)
    model.img_size = side
    logits = torch.tensor(np.round(random.normal(0, 3, (1, 1, low, low)), 3), dtype=torch.float32)
    found = model.mask_postprocessing(logits, torch.tensor([height, width]))
    return {
        "low": low,
        "side": side,
        "width": width,
        "height": height,
        "logits": rounded(logits),
        "found": rounded(found),
    }


def encoded(random):
    """A picture that is enlarged, and one that is made smaller."""
    for width, height, side in ((9, 6, 24), (40, 30, 16)):
        columns, rows = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
        waves = [np.sin(9 * columns + 5 * rows), np.cos(7 * rows), np.sin(6 * columns * rows)]
        noise = random.normal(0, 6, (height, width, 3))
        picture = np.clip(128 + 90 * np.stack(waves, -1) + noise, 0, 255).astype(np.uint8)
        resized = ResizeLongestSide(side).apply_image(picture).astype(np.float64)
        found = torch.tensor((resized - MEAN) / DEVIATION).permute(2, 0, 1)
        found = functional.pad(found, (0, side - found.shape[2], 0, side - found.shape[1]))
        yield {
            "width": width,
            "height": height,
            "side": side,
            "rgb": rounded(picture),
            "found": rounded(found),
        }


def main():
    random = np.random.default_rng(7)
    sizes = [(256, 256, 1024), (640, 480, 1024), (480, 640, 1024), (333, 250, 1024), (1921, 1080, 1024)]
    fitted = [
        [width, height, side, *ResizeLongestSide.get_preprocess_shape(height, width, side)[::-1]]
        for width, height, side in sizes
    ]
    truth = {
        "masks": list(masks(random)),
        "suppression": list(suppression(random)),
        "grid": rounded(build_point_grid(5)),
        "restored": restored(random),
        "fitted": fitted,
        "encoded": list(encoded(random)),
    }
    with open(sys.argv[1], "w") as file:
        json.dump(truth, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
