"""What every world shows of its Panda and of what its cameras see."""

from dataclasses import dataclass

import numpy as np

# From the last link to the point between the fingertips, as Tiller's kinematics have it.
LINK_TO_TOOL_M = 0.107 + 0.1034
# Between open (0.08 m) and closed.
CLOSING_BELOW_M = 0.04


@dataclass
class Picture:
    """What a camera saw, rows from the top, in the robot's base frame."""

    # [h, w, 3], bytes.
    rgb: np.ndarray
    # [h, w], millimetres along the optical axis, 0 where it is unknown.
    depth_mm: np.ndarray | None
    # [h, w], ids of the world's labels, 0 elsewhere.
    segmentation: np.ndarray | None
    # Pixels, pixels, and 4 x 4 row-major from the OpenCV camera to the robot's base.
    focal: list[float]
    principal_point: list[float]
    base_from_camera: list[float]
