"""Tests the whole path on a small synthetic data set: read, cache, train, export, run; both methods.

    python -m unittest discover -s models/train

The synthetic demonstrations move toward a coloured square that only the pictures show; the policy
must learn to go there, which fails if pictures, states and actions are out of step anywhere.
"""

import io
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "export"))

import bundle
import dataset
import reference
from export import Encoder
from model import Policy, Shape

SIZE = 256
EPISODE_FRAMES = 20
STEP = 0.02


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def picture(column: float) -> np.ndarray:
    """Grey, with a red square at `column` in [-1, 1] of the width."""
    pixels = np.full((SIZE, SIZE, 3), 120, np.uint8)
    centre = int((column * 0.4 + 0.5) * SIZE)
    pixels[112:144, centre - 16 : centre + 16] = (220, 30, 30)
    return pixels


def write_dataset(root: Path, episodes: int, seed: int) -> None:
    """Episodes whose only information about the direction of motion is the square."""
    random = np.random.default_rng(seed)
    (root / "data" / "chunk-000").mkdir(parents=True)
    (root / "meta").mkdir()
    (root / "meta" / "info.json").write_text(json.dumps({"fps": 10, "codebase_version": "v3.0"}))
    rows = {name: [] for name in ("state", "action", "episode", "frame", "static", "wrist")}
    for episode in range(episodes):
        side = random.uniform(-1.0, 1.0)
        static, wrist = png(picture(side)), png(np.full((SIZE, SIZE, 3), 90, np.uint8))
        for frame in range(EPISODE_FRAMES):
            rows["state"].append([0.4, 0.0, 0.3 + 0.005 * frame, 0.08])
            rows["action"].append([0.0, STEP * side, 0.0, 1.0 if side > 0 else -1.0])
            rows["episode"].append(episode)
            rows["frame"].append(frame)
            rows["static"].append({"bytes": static, "path": f"frame-{frame:06}.png"})
            rows["wrist"].append({"bytes": wrist, "path": f"frame-{frame:06}.png"})
    picture_type = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table(
        {
            "observation.state": pa.array(rows["state"], pa.list_(pa.float32(), 4)),
            "action": pa.array(rows["action"], pa.list_(pa.float32(), 4)),
            "episode_index": pa.array(rows["episode"], pa.int64()),
            "frame_index": pa.array(rows["frame"], pa.int64()),
            "observation.images.static": pa.array(rows["static"], picture_type),
            "observation.images.wrist": pa.array(rows["wrist"], picture_type),
        }
    )
    half = table.num_rows // 2
    for index, part in enumerate((table.slice(0, half), table.slice(half))):
        pq.write_table(part, root / "data" / "chunk-000" / f"file-{index:03d}.parquet")


class Chunks(unittest.TestCase):
    def test_past_the_end_the_arm_stands_still_and_the_gripper_stays(self):
        action = np.array([[0.1, 0.2, 0.3, -1.0], [0.4, 0.5, 0.6, 1.0], [0.7, 0.8, 0.9, -1.0]])
        demonstrations = dataset.Demonstrations([], action, action, np.array([0, 0, 1]), 10.0)
        chunks = dataset.chunks(demonstrations, 3)
        np.testing.assert_allclose(chunks[0], [action[0], action[1], [0, 0, 0, 1.0]])
        np.testing.assert_allclose(chunks[1], [action[1], [0, 0, 0, 1.0], [0, 0, 0, 1.0]])
        np.testing.assert_allclose(chunks[2][0], action[2])

    def test_standing_still_is_the_networks_zero(self):
        low, high = dataset.action_range(np.array([[0.01, -0.03, 0.0, 1.0]]))
        np.testing.assert_allclose(low, -high)
        self.assertAlmostEqual(high[1], 0.03)


class Pipeline(unittest.TestCase):
    def test_the_exported_policies_go_where_the_picture_says(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            write_dataset(root / "data", episodes=40, seed=0)
            self.train(root, "flow", "--vision-steps", "120", "--policy-steps", "400", "--seed", "3")
            self.check(root / "flow", "flow_matching", "velocity")
            from_flow = ["--method", "diffusion", "--vision-from", str(root / "flow")]
            options = ["--prediction", "epsilon", "--spacing", "leading", "--dropout", "0.02"]
            self.train(root, "diffusion", *from_flow, *options, "--policy-steps", "1200")
            self.check(root / "diffusion", "diffusion", "epsilon")
            self.the_keypoints_of_a_bundle_are_read_back(root / "flow")
            # Its heads came from a bundle themselves.
            self.the_keypoints_of_a_bundle_are_read_back(root / "diffusion")
            self.resuming_by_another_method_is_refused(root)

    def train(self, root: Path, name: str, *options: str, expected: int = 0) -> str:
        script = Path(__file__).with_name("train.py")
        command = [sys.executable, str(script), "--data", str(root / "data")]
        command += ["--out", str(root / name), *options]
        env = os.environ | {"PYTHONPATH": str(script.parent)}
        done = subprocess.run(command, env=env, capture_output=True, text=True)
        self.assertEqual(done.returncode, expected, done.stdout + done.stderr)
        return done.stderr

    def check(self, folder: Path, kind: str, prediction: str) -> None:
        bundle = reference.Bundle(folder)
        self.assertEqual((bundle.manifest["kind"], bundle.manifest["prediction"]), (kind, prediction))
        for side in (-0.8, 0.8):
            noise = np.random.default_rng(0).standard_normal((20, 16, 4), np.float32)
            chunks = bundle.unnormalise(bundle.sample(bundle.encode(observation(side)), noise))
            end = float(chunks[..., 1].sum(axis=1).mean())
            self.assertAlmostEqual(end, 16 * STEP * side, delta=0.06)

    def the_keypoints_of_a_bundle_are_read_back(self, folder: Path) -> None:
        policy = Policy(Shape()).eval()
        bundle.load_vision(policy, folder)
        exported = reference.Bundle(folder)
        seen, values = observation(0.4), []
        for entry in exported.manifest["observation"]:
            value = seen[entry["source"]].astype(np.float32)
            if entry["kind"] == "image":
                value = value / np.float32(255.0)
            value = (value - np.float32(entry["mean"])) / np.float32(entry["std"])
            value = value.transpose(0, 3, 1, 2) if entry["kind"] == "image" else value
            values.append(torch.from_numpy(value.astype(np.float32)))
        with torch.inference_mode():
            condition = Encoder(policy)(*values).numpy()
        np.testing.assert_allclose(condition, exported.encode(seen), atol=1e-5)

    def resuming_by_another_method_is_refused(self, root: Path) -> None:
        checkpoint = str(root / "flow.checkpoint.pt")
        options = ["--method", "diffusion", "--resume", checkpoint, "--policy-steps", "1"]
        self.assertIn("'flow'", self.train(root, "other", *options, expected=1))


def observation(side: float) -> dict[str, np.ndarray]:
    """What the policy sees when the square is at `side`, by source."""
    return {
        "static": picture(side)[None],
        "wrist": np.full((1, SIZE, SIZE, 3), 90, np.uint8),
        "robot_state": np.array([[0.4, 0.0, 0.3, 0.08]]),
    }


if __name__ == "__main__":
    unittest.main()
