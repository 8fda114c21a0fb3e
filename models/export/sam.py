"""Exports a checkpoint of Segment Anything, or of MobileSAM, for the detector `sam`:

    pip install segment-anything==1.0 torch torchvision onnx onnxruntime
    python models/export/sam.py --checkpoint sam_vit_b_01ec64.pth --type vit_b --out models/segmenters/sam

writes `encoder.onnx`, `decoder.onnx` and `sam.toml`, after a comparison with PyTorch. MobileSAM's package has
the same interface: `--package mobile_sam --type vit_t`. Without `--checkpoint` weights are random: to try the
path without a download.
"""

import argparse
import hashlib
import importlib
import pathlib

import numpy as np
import onnxruntime
import torch

OPSET = 17
# Largest difference from PyTorch that is accepted, relative to the largest number.
TOLERANCE = 1e-4
PROMPTS = {
    "a point": ([[300.0, 400.0], [0.0, 0.0]], [1.0, -1.0]),
    "a box": ([[200.0, 150.0], [700.0, 600.0]], [2.0, 3.0]),
}


class Decoder(torch.nn.Module):
    """Prompt encoder and mask decoder for points and boxes: logits and expected overlaps of all masks."""

    def __init__(self, sam):
        super().__init__()
        self.prompts = sam.prompt_encoder
        self.masks = sam.mask_decoder
        self.side = sam.image_encoder.img_size

    def forward(self, image_embeddings, point_coords, point_labels):
        places = self.prompts.pe_layer._pe_encoding((point_coords + 0.5) / self.side)
        kinds = point_labels.unsqueeze(-1)
        points = places * (kinds != -1) + self.prompts.not_a_point_embed.weight * (kinds == -1)
        for kind, embedding in enumerate(self.prompts.point_embeddings):
            points = points + embedding.weight * (kinds == kind)
        no_mask = self.prompts.no_mask_embed.weight.reshape(1, -1, 1, 1)
        masks, overlaps = self.masks.predict_masks(
            image_embeddings=image_embeddings,
            image_pe=self.prompts.get_dense_pe(),
            sparse_prompt_embeddings=points,
            dense_prompt_embeddings=no_mask.expand_as(image_embeddings),
        )
        return masks, overlaps


def export(module, inputs, names, outputs, path):
    # The other exporter does not take the encoder's windows.
    torch.onnx.export(
        module,
        inputs,
        str(path),
        input_names=names,
        output_names=outputs,
        opset_version=OPSET,
        dynamo=False,
    )


def difference(found, expected):
    expected = expected.numpy()
    return float(np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-9))


def published(sam, embeddings, points, labels):
    """The same by the package's own prompt encoder: a point, which it pads itself, or a box."""
    if labels[0] == 1.0:
        prompt = (torch.tensor([points[:1]]), torch.tensor([labels[:1]], dtype=torch.int))
        sparse, dense = sam.prompt_encoder(points=prompt, boxes=None, masks=None)
    else:
        boxes = torch.tensor([points]).reshape(1, 4)
        sparse, dense = sam.prompt_encoder(points=None, boxes=boxes, masks=None)
    return sam.mask_decoder.predict_masks(
        image_embeddings=embeddings,
        image_pe=sam.prompt_encoder.get_dense_pe(),
        sparse_prompt_embeddings=sparse,
        dense_prompt_embeddings=dense,
    )


def check(sam, folder):
    """Differences of both graphs from PyTorch."""
    side = sam.image_encoder.img_size
    picture = torch.tensor(np.random.default_rng(3).normal(size=(1, 3, side, side)), dtype=torch.float32)
    sessions = {
        name: onnxruntime.InferenceSession(str(folder / f"{name}.onnx"), providers=["CPUExecutionProvider"])
        for name in ("encoder", "decoder")
    }
    embeddings = sam.image_encoder(picture)
    found = sessions["encoder"].run(None, {"image": picture.numpy()})[0]
    yield "the encoder", difference(found, embeddings)
    for name, (points, labels) in PROMPTS.items():
        feed = {
            "image_embeddings": embeddings.numpy(),
            "point_coords": np.array([points], dtype=np.float32),
            "point_labels": np.array([labels], dtype=np.float32),
        }
        masks, overlaps = sessions["decoder"].run(["masks", "iou"], feed)
        expected = published(sam, embeddings, points, labels)
        yield f"masks of {name}", difference(masks, expected[0])
        yield f"overlaps of {name}", difference(overlaps, expected[1])


def manifest(sam, architecture, folder):
    def numbers(buffer):
        return ", ".join(f"{value:.3f}" for value in buffer.flatten().tolist())

    lines = [
        "schema = 1",
        f'architecture = "{architecture}"',
        f"side = {sam.image_encoder.img_size}",
        f"mean = [{numbers(sam.pixel_mean)}]",
        f"deviation = [{numbers(sam.pixel_std)}]",
        "single_mask = true",
    ]
    for name in ("encoder", "decoder"):
        digest = hashlib.sha256((folder / f"{name}.onnx").read_bytes()).hexdigest()
        lines += ["", f"[{name}]", f'file = "{name}.onnx"', f'sha256 = "{digest}"']
    (folder / "sam.toml").write_text("\n".join(lines) + "\n")


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description="Exports Segment Anything for the detector `sam`.")
    parser.add_argument("--checkpoint", help="the weights; random ones without it")
    parser.add_argument("--type", default="vit_b", help="architecture, as the package names it")
    parser.add_argument("--package", default="segment_anything", help="segment_anything or mobile_sam")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for the graphs")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    registry = importlib.import_module(arguments.package).sam_model_registry
    if arguments.type not in registry:
        raise SystemExit(f"--type: expected one of {', '.join(registry)}, found {arguments.type}")
    sam = registry[arguments.type](checkpoint=arguments.checkpoint).eval()
    arguments.out.mkdir(parents=True, exist_ok=True)
    side = sam.image_encoder.img_size
    picture = torch.zeros(1, 3, side, side)
    export(sam.image_encoder, (picture,), ["image"], ["image_embeddings"], arguments.out / "encoder.onnx")
    points, labels = PROMPTS["a box"]
    size = side // 16
    inputs = (torch.zeros(1, 256, size, size), torch.tensor([points]), torch.tensor([labels]))
    names = ["image_embeddings", "point_coords", "point_labels"]
    export(Decoder(sam).eval(), inputs, names, ["masks", "iou"], arguments.out / "decoder.onnx")
    wrong = []
    for what, off in check(sam, arguments.out):
        print(f"{what}: {off:.1e} of the largest number off PyTorch")
        if not off <= TOLERANCE:
            wrong.append(what)
    if wrong:
        raise SystemExit(f"expected at most {TOLERANCE:.0e}, which {', '.join(wrong)} exceed")
    manifest(sam, f"{arguments.package} {arguments.type}", arguments.out)


if __name__ == "__main__":
    main()
