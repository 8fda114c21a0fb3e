"""What the columns of an action mean: the options that say so, and the `[action]` table they make.

A checkpoint knows its actions only as columns. The rules are those of `crates/policy`, which reads the
table: every column belongs to something or is named as ignored.
"""

import argparse
from dataclasses import dataclass, field

from refusal import unsupported

ROTATIONS = {
    "rotation_vector": 3,
    "euler_xyz": 3,
    "quaternion_wxyz": 4,
    "quaternion_xyzw": 4,
    "matrix_6d": 6,
}
JOINT_MODES = ("joint_position", "joint_velocity")
POSE_MODES = ("delta", "absolute", "delta_pose_base", "delta_pose_tool", "absolute_pose")
BLOCKS = ("position", "rotation", "gripper")


@dataclass
class ActionLayout:
    """What a checkpoint does not say about its actions."""

    mode: str
    position: list[int] = field(default_factory=list)
    rotation: list[int] = field(default_factory=list)
    rotation_kind: str | None = None
    joints: list[int] = field(default_factory=list)
    gripper: int | None = None
    # Values of the gripper's column: open, closed.
    gripper_values: tuple[float, float] = (1.0, -1.0)
    ignored: list[int] = field(default_factory=list)
    frame: str | None = None
    position_m_per_unit: float = 1.0
    rotation_rad_per_unit: float = 1.0
    clip: float | None = None
    guide: list[str] = field(default_factory=lambda: ["position"])

    def table(self, dim: int, padded: int | None = None) -> dict:
        """The `[action]` table of actions of `dim` columns, without their normalisation. `padded`: how many
        columns the network's actions have, of which those past `dim` are ignored."""
        self._check(dim)
        padded = dim if padded is None else padded
        ignored = [*self.ignored, *range(dim, padded)]
        table: dict = {"dim": padded}
        if self.joints:
            table["joints"] = self.joints
        else:
            table["position"] = self.position
        if self.rotation:
            table["rotation"] = {"columns": self.rotation, "kind": self.rotation_kind}
        if self.gripper is not None:
            opened, closed = self.gripper_values
            own = {"column": self.gripper, "open": opened, "closed": closed}
            table["gripper"] = self.gripper if (opened, closed) == (1.0, -1.0) else own
        if ignored:
            table["ignored"] = ignored
        table["mode"] = self.mode
        if not self.joints:
            tool = self.mode == "delta_pose_tool"
            table["frame"] = self.frame or ("tool" if tool else "base")
        for name in ("position_m_per_unit", "rotation_rad_per_unit"):
            if getattr(self, name) != 1.0:
                table[name] = getattr(self, name)
        if self.clip is not None:
            table["clip"] = self.clip
        if self.guide != ["position"]:
            table["guide"] = self.guide
        return table

    def _check(self, dim: int) -> None:
        modes = JOINT_MODES if self.joints else POSE_MODES
        if self.mode not in modes:
            raise unsupported("--mode", self.mode, " or ".join(modes) + " with these columns")
        if self.joints and (self.position or self.rotation or self.frame):
            raise unsupported("--joints", self.joints, "no --position, --rotation or --frame beside it")
        frames = {"delta": ("base", "tool"), "delta_pose_tool": ("tool",)}.get(self.mode, ("base",))
        if self.frame and self.frame not in frames:
            raise unsupported("--frame", self.frame, f"{frames[0]} with the mode {self.mode}")
        wanted = {"--joints": 7} if self.joints else {"--position": 3}
        if self.rotation or self.rotation_kind:
            if self.rotation_kind not in ROTATIONS:
                raise unsupported("--rotation-kind", self.rotation_kind, " or ".join(ROTATIONS))
            wanted["--rotation"] = ROTATIONS[self.rotation_kind]
        columns = {
            "--position": self.position,
            "--rotation": self.rotation,
            "--joints": self.joints,
            "--gripper": [] if self.gripper is None else [self.gripper],
            "--ignored": self.ignored,
        }
        taken: set[int] = set()
        for option, given in columns.items():
            if len(given) != wanted.get(option, len(given)):
                raise unsupported(option, given, f"{wanted[option]} columns")
            for column in given:
                if not 0 <= column < dim or column in taken:
                    supported = f"columns from 0 to {dim - 1}, each used once"
                    raise unsupported(option, column, supported)
                taken.add(column)
        unknown = sorted(set(range(dim)) - taken)
        if unknown:
            supported = "every column that is no position, rotation, joint or gripper"
            raise unsupported("--ignored", self.ignored, f"{supported}: {unknown} are nowhere")
        missing = {
            "rotation": not (self.rotation or self.joints),
            "gripper": self.gripper is None,
        }
        for block in self.guide:
            if block not in BLOCKS or missing.get(block, False) or "position" not in self.guide:
                supported = "position, and what else of rotation and gripper the action has"
                raise unsupported("--guide", self.guide, supported)


def add_options(parser: argparse.ArgumentParser) -> None:
    columns = {"type": int, "default": [], "metavar": "COLUMN"}
    parser.add_argument("--position", nargs=3, help="columns of x, y and z", **columns)
    parser.add_argument("--rotation", nargs="+", help="columns of the rotation", **columns)
    parser.add_argument("--rotation-kind", choices=tuple(ROTATIONS), help="what these spell")
    parser.add_argument("--joints", nargs=7, help="columns of the joints, in place of a pose", **columns)
    parser.add_argument("--gripper", type=int, metavar="COLUMN", help="column of the gripper")
    parser.add_argument(
        "--gripper-values",
        type=float,
        nargs=2,
        default=(1.0, -1.0),
        metavar=("OPEN", "CLOSED"),
        help="its values that mean open and closed (default: 1 and -1)",
    )
    parser.add_argument("--ignored", nargs="+", help="columns that mean nothing here", **columns)
    parser.add_argument(
        "--mode", choices=POSE_MODES + JOINT_MODES, required=True, help="how the arm's columns are read"
    )
    parser.add_argument(
        "--frame", choices=("base", "tool"), help="frame of steps; the robot's base when left out"
    )
    parser.add_argument("--position-m-per-unit", type=float, default=1.0, help="metres in a 1")
    parser.add_argument("--rotation-rad-per-unit", type=float, default=1.0, help="radians in a 1")
    parser.add_argument("--clip", type=float, help="the policy's controller clips the arm's columns to this")
    parser.add_argument(
        "--guide",
        nargs="+",
        choices=BLOCKS,
        default=["position"],
        help="what guidance may move (default: position)",
    )


def from_options(options: argparse.Namespace) -> ActionLayout:
    return ActionLayout(
        mode=options.mode,
        position=options.position,
        rotation=options.rotation,
        rotation_kind=options.rotation_kind,
        joints=options.joints,
        gripper=options.gripper,
        gripper_values=tuple(options.gripper_values),
        ignored=options.ignored,
        frame=options.frame,
        position_m_per_unit=options.position_m_per_unit,
        rotation_rad_per_unit=options.rotation_rad_per_unit,
        clip=options.clip,
        guide=options.guide,
    )
