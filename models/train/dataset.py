"""Reads demonstrations: a LeRobot v3.0 data set with pictures stored in its Parquet files."""

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

import numpy as np
import pyarrow.parquet as pq
from PIL import Image

import layout
from layout import Layout

# Metres or rad: a block of columns that never moved must not be divided by 0.
LEAST_BOUND = 1e-3
STATE = "observation.state"
ACTION = "action"
IMAGES = "observation.images."


def image_column(camera: str) -> str:
    return f"{IMAGES}{camera}"


@dataclass
class Demonstrations:
    """States and actions of all frames, in the order of the data set; pictures stay on disk."""

    files: list[Path]
    state: np.ndarray  # [N, S] float32: metres, and entries of the hand's rotation matrix
    action: np.ndarray  # [N, D] float32: step in metres and rad, gripper -1 close to +1 open
    episode: np.ndarray  # [N] int64
    fps: float
    layout: Layout

    def __len__(self) -> int:
        return len(self.state)


def load(root: Path) -> Demonstrations:
    """Loads everything but the pictures. The task column is never read: the policy must not know."""
    info = json.loads((root / "meta" / "info.json").read_text())
    files = sorted((root / "data").glob("chunk-*/file-*.parquet"))
    if not files:
        raise FileNotFoundError(f"no data/chunk-*/file-*.parquet below {root}")
    own = read_layout(root, info.get("features", {}))
    state, action, episode = [], [], []
    for file in files:
        table = pq.read_table(file, columns=[STATE, ACTION, "episode_index"])
        state.append(np.stack(table[STATE].to_numpy(zero_copy_only=False)))
        action.append(np.stack(table[ACTION].to_numpy(zero_copy_only=False)))
        episode.append(table["episode_index"].to_numpy())
    return Demonstrations(
        files=files,
        state=np.concatenate(state).astype(np.float32),
        action=np.concatenate(action).astype(np.float32),
        episode=np.concatenate(episode).astype(np.int64),
        fps=float(info["fps"]),
        layout=own,
    )


def read_layout(root: Path, features: dict) -> Layout:
    for name in (STATE, ACTION):
        if not isinstance(features.get(name, {}).get("names"), list):
            raise SystemExit(f"{root}/meta/info.json does not name the columns of {name}")
    # Sorted, so that a bundle does not depend on the order in which a file lists them.
    names = sorted(name.removeprefix(IMAGES) for name in features if name.startswith(IMAGES))
    cameras = {name: _picture_size(root, name, features[image_column(name)]) for name in names}
    return layout.read(features[ACTION]["names"], features[STATE]["names"], cameras)


def _picture_size(root: Path, camera: str, feature: dict) -> tuple[int, int]:
    """Rows and columns."""
    match feature.get("shape"):
        case [int(rows), int(columns), 3]:
            return rows, columns
        case found:
            raise SystemExit(
                f"{root}/meta/info.json: {image_column(camera)}: expected the shape"
                f" [rows, columns, 3], found {found}"
            )


def pictures(demonstrations: Demonstrations, keep: np.ndarray, batch: int) -> Iterator[dict]:
    """Yields pictures of the kept frames (bool [N]) in order: camera to uint8 [n, H, W, 3]."""
    start = 0
    cameras = demonstrations.layout.cameras
    columns = [image_column(camera) for camera in cameras]
    for file in demonstrations.files:
        for rows in pq.ParquetFile(file).iter_batches(batch_size=batch, columns=columns):
            wanted = np.flatnonzero(keep[start : start + rows.num_rows])
            start += rows.num_rows
            if len(wanted) == 0:
                continue
            yield {
                camera: np.stack(
                    [decode(rows.column(image_column(camera))[int(row)]) for row in wanted]
                )
                for camera in cameras
            }


def decode(cell) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(cell["bytes"].as_buffer())).convert("RGB"))


def chunks(demonstrations: Demonstrations, horizon: int) -> np.ndarray:
    """The next `horizon` actions from every frame [N, T, D].

    Past an episode's end the hand stays where it is and as it is turned: zero steps with the last
    gripper command.
    """
    action, episode = demonstrations.action, demonstrations.episode
    count = len(action)
    last = np.flatnonzero(np.append(episode[1:] != episode[:-1], True))
    end = last[np.searchsorted(last, np.arange(count))]
    index = np.arange(count)[:, None] + np.arange(horizon)[None, :]
    over = index > end[:, None]
    result = action[np.minimum(index, end[:, None])]
    still = np.arange(action.shape[1]) != demonstrations.layout.gripper
    result[over[..., None] & still] = 0.0
    return result


def action_range(action: np.ndarray, own: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Min and max of each column: one bound for all of the position and one for all of the rotation,
    so that directions keep their meaning. Symmetric, so that standing still is the network's zero."""
    bound = np.ones(action.shape[1], action.dtype)
    for block in (own.position, own.rotation):
        bound[block] = max(np.abs(action[:, block]).max(initial=0.0), LEAST_BOUND)
    return -bound, bound
