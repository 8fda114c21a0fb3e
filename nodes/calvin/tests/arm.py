"""An arm led by steps of the hand, much as by Tiller's actuator: damped inverse kinematics, smoothed."""

import math

import numpy as np
from scipy.spatial.transform import Rotation
from tiller_calvin.lockstep import LINK_TO_TOOL_M

QUARTER = math.pi / 2
# The arm's modified Denavit-Hartenberg parameters (Franka's documentation): a, d, alpha.
DH = (
    (0.0, 0.333, 0.0),
    (0.0, 0.0, -QUARTER),
    (0.0, 0.316, QUARTER),
    (0.0825, 0.0, QUARTER),
    (-0.0825, 0.384, -QUARTER),
    (0.0, 0.0, QUARTER),
    (0.088, 0.0, QUARTER),
)
LOW_RAD = np.array([-2.8973, -1.7628, -2.8973, -3.0718, -2.8973, -0.0175, -2.8973]) + 0.02
HIGH_RAD = np.array([2.8973, 1.7628, 2.8973, -0.0698, 2.8973, 3.7525, 2.8973]) - 0.02
# The hand is turned against the last link.
HAND = Rotation.from_euler("z", -QUARTER / 2)
DAMPING, POSTURE = 0.03, 0.01
TICKS, TICK_MS = 5, 20


def forward(q_rad):
    """The tool, [3]; the hand's orientation; the Jacobian [6, 7]."""
    pose, axes, origins = np.eye(4), [], []
    for (a, d, alpha), q in zip(DH, q_rad, strict=True):
        ca, sa, cq, sq = np.cos(alpha), np.sin(alpha), np.cos(q), np.sin(q)
        pose = pose @ np.array(
            [
                [cq, -sq, 0, a],
                [sq * ca, cq * ca, -sa, -d * sa],
                [sq * sa, cq * sa, ca, d * ca],
                [0, 0, 0, 1],
            ]
        )
        axes.append(pose[:3, 2])
        origins.append(pose[:3, 3])
    tool = pose[:3, 3] + LINK_TO_TOOL_M * pose[:3, 2]
    turning = np.cross(axes, tool - np.array(origins))
    jacobian = np.concatenate([turning.T, np.array(axes).T])
    return tool, Rotation.from_matrix(pose[:3, :3]) * HAND, jacobian


class Arm:
    """Where the hand is commanded to be, and the joints that follow it."""

    def __init__(self, world):
        self.world = world
        self.home_rad = self.q_rad = np.array(world.arm()["q_rad"])
        self.tool_m, self.hand, _ = forward(self.q_rad)
        self.recent = [self.q_rad] * (TICKS + 1)

    @property
    def anchor(self):
        """Position and w x y z of the commanded hand."""
        x, y, z, w = self.hand.as_quat()
        return self.tool_m.tolist(), [w, x, y, z]

    def step(self, step):
        """A step of 100 ms, as an expert gives it."""
        tool_m, hand = self.tool_m, self.hand
        delta, turn = np.array(step["delta_m"]), np.array(step["rotation_rad"])
        width_m = 0.08 if step["gripper"] > 0 else 0.0
        for tick in range(1, TICKS + 1):
            self.tool_m = tool_m + delta * tick / TICKS
            self.hand = Rotation.from_rotvec(turn * tick / TICKS) * hand
            self._follow()
            self.recent = [*self.recent[1:], self.q_rad]
            self.world.run(np.tile(np.mean(self.recent, 0), (TICK_MS, 1)), width_m)

    def _follow(self):
        for _ in range(2):
            at, turned, jacobian = forward(self.q_rad)
            off = np.concatenate([self.tool_m - at, (self.hand * turned.inv()).as_rotvec()])
            square = jacobian @ jacobian.T + DAMPING**2 * np.eye(6)
            inverse = jacobian.T @ np.linalg.inv(square)
            rest = (np.eye(7) - inverse @ jacobian) @ (self.home_rad - self.q_rad) * POSTURE
            q_rad = self.q_rad + inverse @ off + np.clip(rest, -0.004, 0.004)
            self.q_rad = np.clip(q_rad, LOW_RAD, HIGH_RAD)
