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
import layout
import reference
from export import Encoder, Use, action_table, export_bundle
from layout import Layout
from model import Policy, Shape

# Width and height of each camera's pictures, for a hand that turns and for one that does not; 84 is no whole
# number of the trunk's strides.
SIDES = {False: {"static": 256, "wrist": 256}, True: {"static": 200, "wrist": 84}}
EPISODE_FRAMES = 20
STEP = 0.02
TURN = 0.05
LAYOUTS = {
    False: (["dx", "dy", "dz", "gripper"], ["x", "y", "z", "gripper_width"]),
    True: (
        ["dx", "dy", "dz", "rx", "ry", "rz", "gripper"],
        ["x", "y", "z", "r00", "r10", "r20", "r01", "r11", "r21", "gripper_width"],
    ),
}
# First two columns of the rotation of a hand that points straight down.
DOWN = [1.0, 0.0, 0.0, 0.0, -1.0, 0.0]


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def picture(column: float, side: int) -> np.ndarray:
    """Grey, with a red square at `column` in [-1, 1] of the width."""
    pixels = np.full((side, side, 3), 120, np.uint8)
    centre, half = int((column * 0.4 + 0.5) * side), side // 16
    rows = slice(side // 2 - half, side // 2 + half)
    pixels[rows, centre - half : centre + half] = (220, 30, 30)
    return pixels


def pictures(column: float, turns: bool) -> dict[str, np.ndarray]:
    """What each camera sees; the wrist's sees nothing."""
    side = SIDES[turns]["wrist"]
    wrist = np.full((side, side, 3), 90, np.uint8)
    return {"static": picture(column, SIDES[turns]["static"]), "wrist": wrist}


def sizes(turns: bool) -> dict[str, tuple[int, int]]:
    """Rows and columns by camera."""
    return {camera: (side, side) for camera, side in SIDES[turns].items()}


def info(turns: bool) -> dict:
    """`meta/info.json`, as far as training reads it; the cameras not in the order of the alphabet."""
    action, state = LAYOUTS[turns]
    pictures = {
        f"observation.images.{camera}": {"dtype": "image", "shape": [*sizes(turns)[camera], 3]}
        for camera in ("wrist", "static")
    }
    columns = {"action": {"names": action}, "observation.state": {"names": state}}
    return {"fps": 10, "codebase_version": "v3.0", "features": pictures | columns}


def write_dataset(root: Path, episodes: int, seed: int, turns: bool) -> None:
    """Episodes whose only information about the direction of motion is the square; a hand that turns
    does so about z, in the same direction."""
    random = np.random.default_rng(seed)
    (root / "data" / "chunk-000").mkdir(parents=True)
    (root / "meta").mkdir()
    (root / "meta" / "info.json").write_text(json.dumps(info(turns)))
    rows = {name: [] for name in ("state", "action", "episode", "frame", "static", "wrist")}
    for episode in range(episodes):
        side = random.uniform(-1.0, 1.0)
        seen = {camera: png(pixels) for camera, pixels in pictures(side, turns).items()}
        for frame in range(EPISODE_FRAMES):
            rotation = DOWN if turns else []
            rows["state"].append([0.4, 0.0, 0.3 + 0.005 * frame, *rotation, 0.08])
            turn = [0.0, 0.0, TURN * side] if turns else []
            rows["action"].append([0.0, STEP * side, 0.0, *turn, 1.0 if side > 0 else -1.0])
            rows["episode"].append(episode)
            rows["frame"].append(frame)
            for camera, data in seen.items():
                rows[camera].append({"bytes": data, "path": f"frame-{frame:06}.png"})
    picture_type = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table(
        {
            "observation.state": pa.array(rows["state"], pa.list_(pa.float32())),
            "action": pa.array(rows["action"], pa.list_(pa.float32())),
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
        for turns in (False, True):
            columns = Layout(turns=turns)
            action = 0.1 * np.arange(1.0, 1.0 + 3 * columns.action_dim).reshape(3, -1)
            action[:, -1] = [-1.0, 1.0, -1.0]
            still = np.array([0.0] * (columns.action_dim - 1) + [1.0])
            demonstrations = dataset.Demonstrations(
                [], action, action, np.array([0, 0, 1]), 10.0, columns
            )
            chunks = dataset.chunks(demonstrations, 3)
            np.testing.assert_allclose(chunks[0], [action[0], action[1], still])
            np.testing.assert_allclose(chunks[1], [action[1], still, still])
            np.testing.assert_allclose(chunks[2][0], action[2])

    def test_standing_still_is_the_networks_zero(self):
        low, high = dataset.action_range(np.array([[0.01, -0.03, 0.0, 1.0]]), Layout())
        np.testing.assert_allclose(low, -high)
        np.testing.assert_allclose(high, [0.03, 0.03, 0.03, 1.0])

    def test_position_and_rotation_have_a_bound_each(self):
        action = np.array([[0.01, -0.02, 0.0, 0.0, 0.2, -0.3, 1.0], [0.0] * 6 + [-1.0]])
        low, high = dataset.action_range(action, Layout(turns=True))
        np.testing.assert_allclose(low, -high)
        np.testing.assert_allclose(high, [0.02] * 3 + [0.3] * 3 + [1.0])


class Columns(unittest.TestCase):
    def read(self, action: list[str], state: list[str]) -> Layout:
        return layout.read(action, state, sizes(turns=False))

    def test_what_columns_are_is_read_from_their_names(self):
        table, turning = (self.read(*LAYOUTS[turns]) for turns in (False, True))
        self.assertEqual(table, Layout())
        self.assertEqual((turning.action_dim, turning.state_dim), (7, 10))
        self.assertEqual((turning.rotation, turning.gripper), ([3, 4, 5], 6))
        self.assertEqual(turning.components, ("position", "rotation_6d", "gripper_width"))
        self.assertEqual(turning.of_state(layout.NOISE), [0.002] * 3 + [0.01] * 6 + [0.001])
        small = layout.read(*LAYOUTS[True], sizes(turns=True))
        self.assertEqual((small.cameras, small.sizes), (("static", "wrist"), ((200, 200), (84, 84))))
        # As it comes back from a checkpoint, with lists or with tuples.
        for own in (turning, small):
            for record in (own.as_dict(), json.loads(json.dumps(own.as_dict()))):
                self.assertEqual(layout.from_record(record), own)

    def test_unknown_columns_are_refused_by_name(self):
        action, state = LAYOUTS[True]
        for wrong in ((action[:-1], state), (action, [*state, "speed"]), (action, state + state)):
            with self.assertRaisesRegex(SystemExit, "supported"):
                self.read(*wrong)
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaisesRegex(SystemExit, "does not name the columns of observation.state"):
                dataset.read_layout(Path(folder), {})
            features = info(turns=False)["features"]
            features["observation.images.wrist"]["shape"] = [3, 84, 84]
            with self.assertRaisesRegex(SystemExit, r"wrist: expected .*found \[3, 84, 84\]"):
                dataset.read_layout(Path(folder), features)


class Pipeline(unittest.TestCase):
    def test_the_exported_policies_go_where_the_picture_says(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            write_dataset(root / "data", episodes=40, seed=0, turns=False)
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

    def test_a_hand_that_turns_is_learnt_in_one_phase(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            write_dataset(root / "data", episodes=40, seed=0, turns=True)
            steps = ["--vision-steps", "500", "--policy-steps", "0", "--evaluate-steps", "250"]
            self.train(root, "flow", *steps, "--execute-steps", "5")
            manifest = reference.Bundle(root / "flow").manifest
            self.assertEqual(manifest["execute_steps"], 5)
            action = manifest["action"]
            self.assertEqual(action["rotation"], {"columns": [3, 4, 5], "kind": "rotation_vector"})
            self.assertEqual((action["gripper"], action["mode"]), (6, "delta"))
            self.assertEqual(action["guide"], ["position", "gripper"])
            *images, state = manifest["observation"]
            self.assertEqual([it["shape"] for it in images], [[3, 200, 200], [3, 84, 84]])
            self.assertEqual(state["components"], ["position", "rotation_6d", "gripper_width"])
            self.assertEqual(state["shape"], [10])
            record = json.loads((root / "flow" / "training.json").read_text())
            self.assertIn(record["best_steps"], (250, 500))
            self.check(root / "flow", "flow_matching", "velocity", turns=True)
            self.the_keypoints_of_a_bundle_are_read_back(root / "flow", turns=True)
            self.only_what_can_be_guided_is(root)

    def only_what_can_be_guided_is(self, root: Path) -> None:
        """Exporting again may change how a bundle is used, within what its columns allow."""
        out = root / "again"
        use = Use(execute_steps=8, guide=("position", "rotation"))
        export_bundle(root / "flow.checkpoint.pt", out, use)
        manifest = reference.Bundle(out).manifest
        self.assertEqual(manifest["execute_steps"], 8)
        self.assertEqual(manifest["action"]["guide"], ["position", "rotation"])
        with self.assertRaisesRegex(SystemExit, "--guide"):
            action_table(Layout(), use)

    def train(self, root: Path, name: str, *options: str, expected: int = 0) -> str:
        script = Path(__file__).with_name("train.py")
        command = [sys.executable, str(script), "--data", str(root / "data")]
        command += ["--out", str(root / name), *options]
        env = os.environ | {"PYTHONPATH": str(script.parent)}
        done = subprocess.run(command, env=env, capture_output=True, text=True)
        self.assertEqual(done.returncode, expected, done.stdout + done.stderr)
        return done.stderr

    def check(self, folder: Path, kind: str, prediction: str, turns: bool = False) -> None:
        bundle = reference.Bundle(folder)
        self.assertEqual((bundle.manifest["kind"], bundle.manifest["prediction"]), (kind, prediction))
        for side in (-0.8, 0.8):
            dim = bundle.manifest["action"]["dim"]
            noise = np.random.default_rng(0).standard_normal((20, 16, dim), np.float32)
            seen = observation(side, turns)
            chunks = bundle.unnormalise(bundle.sample(bundle.encode(seen), noise))
            end = chunks.sum(axis=1).mean(axis=0)
            self.assertAlmostEqual(float(end[1]), 16 * STEP * side, delta=0.06)
            if turns:
                self.assertAlmostEqual(float(end[5]), 16 * TURN * side, delta=0.15)

    def the_keypoints_of_a_bundle_are_read_back(self, folder: Path, turns: bool = False) -> None:
        columns = layout.read(*LAYOUTS[turns], sizes(turns))
        shape = Shape(action_dim=columns.action_dim, state_dim=columns.state_dim)
        policy = Policy(shape).eval()
        bundle.load_vision(policy, folder)
        exported = reference.Bundle(folder)
        seen, values = observation(0.4, turns), []
        for entry in exported.manifest["observation"]:
            value = seen[entry["source"]].astype(np.float32)
            if entry["kind"] == "image":
                value = value / np.float32(255.0)
            value = (value - np.float32(entry["mean"])) / np.float32(entry["std"])
            value = value.transpose(0, 3, 1, 2) if entry["kind"] == "image" else value
            values.append(torch.from_numpy(value.astype(np.float32)))
        with torch.inference_mode():
            condition = Encoder(policy)(*values).numpy()
        np.testing.assert_allclose(condition, exported.encode(seen)["condition"], atol=1e-5)

    def resuming_by_another_method_is_refused(self, root: Path) -> None:
        checkpoint = str(root / "flow.checkpoint.pt")
        options = ["--method", "diffusion", "--resume", checkpoint, "--policy-steps", "1"]
        self.assertIn("'flow'", self.train(root, "other", *options, expected=1))


def observation(side: float, turns: bool) -> dict[str, np.ndarray]:
    """What the policy sees when the square is at `side`, by source."""
    rotation = DOWN if turns else []
    seen = {camera: pixels[None] for camera, pixels in pictures(side, turns).items()}
    return seen | {
        "robot_state": np.array([[0.4, 0.0, 0.3, *rotation, 0.08]]),
    }


if __name__ == "__main__":
    unittest.main()
