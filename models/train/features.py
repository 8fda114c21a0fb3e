"""The trunk's features of every frame, computed once and kept on disk as 8-bit numbers.

The trunk is frozen, so training never runs it again: an epoch costs reading, not convolving.
"""

import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

import dataset
from trunk import CHANNELS, IMAGE_MEAN, IMAGE_STD, Trunk

@dataclass
class Features:
    """Maps of the kept frames; the trunk's numbers are `int8 * scale[channel]`."""

    maps: dict[str, np.memmap]  # camera -> int8 [M, h, w, C]
    scales: dict[str, torch.Tensor]  # camera -> [C]
    frames: np.ndarray  # [M] index of each kept frame in the data set

    def batch(self, rows: np.ndarray) -> dict[str, torch.Tensor]:
        """The 8-bit numbers as float32; whoever reads them applies the scale."""
        return {camera: torch.from_numpy(data[rows]).float() for camera, data in self.maps.items()}


def kept_frames(demonstrations: dataset.Demonstrations, stride: int) -> np.ndarray:
    """Every `stride`-th frame of an episode, starting at another one in the next episode.

    Neighbouring frames at 10 Hz look almost the same; leaving some out saves disk and time. The
    first frame, where all behaviours are still possible, is always kept.
    """
    episode = demonstrations.episode
    first = np.searchsorted(episode, episode)
    frame = np.arange(len(episode)) - first
    return (frame % stride == episode % stride) | (frame == 0)


def compute(
    demonstrations: dataset.Demonstrations, cache: Path, stride: int, log=print
) -> Features:
    """Opens the cache, filling it first if it belongs to other data or does not exist."""
    keep = kept_frames(demonstrations, stride)
    frames = np.flatnonzero(keep)
    fingerprint = _fingerprint(demonstrations, stride)
    description = cache / "cache.json"
    if description.exists():
        found = json.loads(description.read_text())
        if found["fingerprint"] == fingerprint:
            return _open(cache, found, frames)
    cache.mkdir(parents=True, exist_ok=True)
    description.unlink(missing_ok=True)
    found = _fill(demonstrations, keep, cache, log)
    found["fingerprint"] = fingerprint
    description.write_text(json.dumps(found))
    return _open(cache, found, frames)


def _fingerprint(demonstrations: dataset.Demonstrations, stride: int) -> str:
    digest = hashlib.sha256()
    digest.update(demonstrations.state.tobytes())
    digest.update(demonstrations.action.tobytes())
    for file in demonstrations.files:
        digest.update(str(file.stat().st_size).encode())
    digest.update(str(stride).encode())
    return digest.hexdigest()


def _fill(demonstrations, keep: np.ndarray, cache: Path, log) -> dict:
    trunk = Trunk()
    mean = torch.tensor(IMAGE_MEAN).view(3, 1, 1)
    std = torch.tensor(IMAGE_STD).view(3, 1, 1)
    maps, scales, shapes = {}, {}, {}
    done, count, started = 0, int(keep.sum()), time.monotonic()
    for pictures in dataset.pictures(demonstrations, keep, batch=32):
        size = 0
        for camera in demonstrations.layout.cameras:
            pixels = torch.from_numpy(pictures[camera]).permute(0, 3, 1, 2).float() / 255.0
            size = len(pixels)
            pixels = ((pixels - mean) / std).contiguous(memory_format=torch.channels_last)
            # Rounding to 16 bits is finer than what the 8-bit cache keeps, and much faster.
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
                values = trunk(pixels).permute(0, 2, 3, 1).float()
            if camera not in maps:
                # The first pictures are typical; what exceeds them by half is clipped.
                scales[camera] = (values.abs().amax(dim=(0, 1, 2)) * (1.5 / 127.0)).clamp_min(1e-6)
                shapes[camera] = [count, *values.shape[1:]]
                path = cache / f"{camera}.int8"
                maps[camera] = np.memmap(path, np.int8, "w+", shape=tuple(shapes[camera]))
            quantised = (values / scales[camera]).round().clamp(-127, 127)
            maps[camera][done : done + size] = quantised.to(torch.int8).numpy()
        done += size
        if done % 3200 < size:
            rate = done / (time.monotonic() - started)
            log(f"features {done}/{count}, {rate:.0f} frames a second")
    for data in maps.values():
        data.flush()
    return {
        "shapes": shapes,
        "scales": {camera: scale.tolist() for camera, scale in scales.items()},
    }


def _open(cache: Path, found: dict, frames: np.ndarray) -> Features:
    maps, scales = {}, {}
    for camera in found["shapes"]:
        shape = tuple(found["shapes"][camera])
        assert (shape[0], shape[3]) == (len(frames), CHANNELS)
        maps[camera] = np.memmap(cache / f"{camera}.int8", np.int8, "r", shape=shape)
        scales[camera] = torch.tensor(found["scales"][camera])
    return Features(maps, scales, frames)
