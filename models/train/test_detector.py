"""The path from labelled pictures to an exported detector, and back to where training can go on."""

import argparse
import json
import tempfile
import tomllib
import unittest
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from PIL import Image

import detector
from detector_network import Parts
from scenes import Scenes, disturbed

NAMES = {"1": "cup 1", "2": "cup 2", "3": "plate"}


def pictures(folder: Path, count: int) -> None:
    random = np.random.default_rng(0)
    (folder / "labels.json").write_text(json.dumps(NAMES))
    for number in range(count):
        colour = random.integers(0, 255, (64, 96, 3), np.uint8)
        labels = np.zeros((64, 96), np.uint8)
        for label, left in ((1, 4), (2, 40), (3, 70)):
            labels[20:36, left : left + 16] = label
        Image.fromarray(colour).save(folder / f"{number:06}.png")
        Image.fromarray(labels).save(folder / f"{number:06}-labels.png")


class Detector(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        pictures(self.folder, 4)
        self.scenes = Scenes([self.folder])

    def test_two_of_a_kind_are_one_class(self):
        self.assertEqual(self.scenes.classes, ["", "cup", "plate"])
        self.assertEqual(self.scenes.several, ["cup"])
        self.assertEqual(detector.typical_pixels(self.scenes)[1:], [256, 256])

    def test_what_leaves_the_picture_is_nobodys(self):
        picture, kind = disturbed(*self.scenes.take([0, 1]), torch.Generator().manual_seed(0))
        self.assertEqual(tuple(picture.shape), (2, 3, 64, 96))
        self.assertTrue(set(kind.unique().tolist()) <= {-1, 0, 1, 2})

    def test_training_exports_a_bundle_from_which_it_can_go_on(self):
        out = self.folder / "bundle"
        options = argparse.Namespace(steps=2, seed=0, start=None)
        network, record = detector.train(options, self.scenes, self.scenes)
        detector.export(network, self.scenes, out)
        self.assertEqual(record["pictures"], 4)
        manifest = tomllib.loads((out / "learned.toml").read_text())
        self.assertEqual([entry["name"] for entry in manifest["class"]], ["cup", "plate"])
        self.assertEqual(manifest["class"][0]["most"], 2)
        again = Parts(3)
        detector.take_weights(again, out)
        picture = torch.rand(1, 3, 64, 96) * 255
        session = onnxruntime.InferenceSession(str(out / "network.onnx"))
        (expected,) = session.run(None, {"picture": picture.numpy()})
        with torch.inference_mode():
            found = again.eval()(picture).numpy()
        self.assertLess(np.abs(found - expected).max(), 1e-4 * max(np.abs(expected).max(), 1.0))
        options = argparse.Namespace(steps=1, seed=0, start=out)
        detector.train(options, self.scenes, self.scenes)


if __name__ == "__main__":
    unittest.main()
