"""A RealSense camera without a camera: the hub's node `dora-pyrealsense`, as published, on librealsense's software device.

    python realsense_software.py FOLDER     # image/*.png and depth/*.png (16 bits of grey, mm), as `folder:` of `camera`

The pictures go round in the order of their names, 30 a second, through librealsense's own pipeline and alignment.
`FOLDER/calibration.toml`, if it is there, gives the lens (`focal`, `principal_point`, of its first table).
"""

import sys
import threading
import time
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pyrealsense2 as rs
from dora_pyrealsense.main import main as hub_node

FPS = 30


def pictures(folder):
    """Colours (rgb8) and depths (mm) of one name each."""
    names = sorted(path.name for path in (folder / "image").glob("*.png"))
    if not names:
        sys.exit(f"{folder}: expected image/*.png and depth/*.png, found no picture")
    colour = [cv2.cvtColor(cv2.imread(str(folder / "image" / name)), cv2.COLOR_BGR2RGB) for name in names]
    depth = [cv2.imread(str(folder / "depth" / name), cv2.IMREAD_UNCHANGED) for name in names]
    return list(zip(colour, depth))


def intrinsics(folder, height, width):
    """The lens, px."""
    lens = {"focal": [width, width], "principal_point": [width / 2, height / 2]}
    file = folder / "calibration.toml"
    if file.exists():
        lens |= next(iter(tomllib.loads(file.read_text()).values()))
    found = rs.intrinsics()
    found.width, found.height = width, height
    found.fx, found.fy = lens["focal"]
    found.ppx, found.ppy = lens["principal_point"]
    found.model, found.coeffs = rs.distortion.none, [0.0] * 5
    return found


class Stream:
    """One sensor with one stream."""

    def __init__(self, device, name, kind, form, bytes_a_pixel, lens):
        self.sensor = device.add_sensor(name)
        stream = rs.video_stream()
        stream.type, stream.index, stream.uid = kind, 0, bytes_a_pixel
        stream.width, stream.height, stream.fps = lens.width, lens.height, FPS
        stream.bpp, stream.fmt, stream.intrinsics = bytes_a_pixel, form, lens
        self.profile = self.sensor.add_video_stream(stream)
        self.bytes_a_pixel = bytes_a_pixel

    def send(self, pixels, number):
        frame = rs.software_video_frame()
        frame.pixels = pixels
        frame.bpp, frame.stride = self.bytes_a_pixel, pixels.shape[1] * self.bytes_a_pixel
        frame.timestamp, frame.domain = number * 1000 / FPS, rs.timestamp_domain.system_time
        frame.frame_number, frame.profile = number, self.profile.as_video_stream_profile()
        if self.bytes_a_pixel == 2:
            frame.depth_units = 0.001
        self.sensor.on_video_frame(frame)


def serve(folder):
    """The software device, and the pictures going round on it."""
    recorded = pictures(folder)
    height, width = recorded[0][0].shape[:2]
    device = rs.software_device()
    device.register_info(rs.camera_info.name, "Software RealSense")
    device.register_info(rs.camera_info.serial_number, "0")
    lens = intrinsics(folder, height, width)
    depth = Stream(device, "Stereo Module", rs.stream.depth, rs.format.z16, 2, lens)
    depth.sensor.add_read_only_option(rs.option.depth_units, 0.001)
    colour = Stream(device, "RGB Camera", rs.stream.color, rs.format.rgb8, 3, lens)
    here = rs.extrinsics()
    here.rotation, here.translation = [1, 0, 0, 0, 1, 0, 0, 0, 1], [0, 0, 0]
    depth.profile.register_extrinsics_to(colour.profile, here)
    colour.profile.register_extrinsics_to(depth.profile, here)

    def feed():
        number = 0
        while True:
            pixels, millimetres = recorded[number % len(recorded)]
            number += 1
            depth.send(millimetres, number)
            colour.send(pixels, number)
            time.sleep(1 / FPS)

    threading.Thread(target=feed, daemon=True).start()
    return device, depth, colour


class Context:
    """Lists the software device, which librealsense's own context does not."""

    def __init__(self, device):
        self.devices = Devices([device])

    def query_devices(self):
        return self.devices


class Devices(list):
    def size(self):
        return len(self)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    device, *_streams = serve(Path(sys.argv[1]))
    pipeline = rs.pipeline()
    pipeline.set_device(device)
    # All that the node is deceived about: what is plugged in.
    rs.context, rs.pipeline = lambda: Context(device), lambda: pipeline
    hub_node()


if __name__ == "__main__":
    main()
