"""CALVIN's environment, driven by joint set-points in lockstep with Tiller's actuator.

The actuator commands 20 ms at a time, the environment acts every 1/30 s and its physics steps every
1/240 s. A command runs the steps of physics that end within it; each step of the environment is led to
the newest set-point, by the environment's own action of absolute joint positions. Every 100 ms, when
pictures are due, both clocks agree. CALVIN's own tool point lies 0.037 m beyond ours, for its fingers are longer.
"""

import numpy as np

from tiller_bridge.robot import CLOSING_BELOW_M, LINK_TO_TOOL_M, Picture

from .official import CLOSED, OPEN, PHYSICS_HZ, SUBSTEPS, Official, Start

# All tasks cost the oracle six times as much as the one that is asked for: it looks at the others every 0.2 s.
ALL_TASKS_SUBSTEPS = 6 * SUBSTEPS


class Lockstep:
    """One task in a scene and its place in time; without a task a free run."""

    def __init__(self, official: Official, task: str | None, instruction: str = ""):
        self.official, self.task_id = official, task
        self.instruction = instruction or (task or "").replace("_", " ")
        self.start = Start() if task is None else Start.of(task)
        self.labels = official.labels
        names = self._links()
        self.link, self.hand = names["panda_link7"], names["panda_hand"]
        self.base_from_world = np.linalg.inv(
            self._matrix(official.robot.base_position, official.robot.base_orientation)
        )

    def begin(self, seed: int) -> None:
        """An episode from a seed."""
        self.official.begin(seed, self.start)
        self.time_ns = 0
        self.achieved = self.success = False
        # Tasks that were achieved since, in the order in which they were seen.
        self.completed: dict[str, None] = {}
        # The joints that led each step of the environment, and the gripper: [8] each.
        self.actions: list[list[float]] = []

    def run(self, setpoints: np.ndarray, gripper_width_m: float) -> None:
        """Follows set-points [n, 7], one a millisecond, for n milliseconds."""
        self.follow(setpoints[-1].tolist(), gripper_width_m, len(setpoints))

    def follow(self, target: list[float], gripper_width_m: float, duration_ms: int) -> None:
        """Follows one set-point [7] for so long."""
        self.time_ns += duration_ms * 1_000_000
        gripper = CLOSED if gripper_width_m < CLOSING_BELOW_M else OPEN
        official = self.official
        for _ in range(official.substep, self.time_ns * PHYSICS_HZ // 1_000_000_000):
            if official.is_between_steps:
                self.actions.append([*target, gripper])
            if official.substep_joints(target, gripper):
                self._judge()

    def _judge(self) -> None:
        is_due = self.official.substep % ALL_TASKS_SUBSTEPS == 0
        found = self.official.achieved(None if is_due else {self.task_id})
        self.achieved = self.task_id in found
        # As CALVIN counts: the first time is enough.
        self.success |= self.achieved
        self.completed |= dict.fromkeys(sorted(found))

    def joints(self) -> dict:
        """What the sensors of joints and fingers say."""
        robot = self.official.robot
        count = len(robot.arm_joint_ids)
        states = self.official.pybullet.getJointStates(
            robot.robot_uid,
            [*robot.arm_joint_ids, *robot.gripper_joint_ids],
            physicsClientId=self.official.env.cid,
        )
        return {
            "q_rad": [joint[0] for joint in states[:count]],
            "dq_rad_s": [joint[1] for joint in states[:count]],
            "gripper_width_m": sum(finger[0] for finger in states[count:]),
        }

    def arm(self) -> dict:
        """What the arm's sensors say, as `ArmState` has it; the tool as in Tiller's kinematics."""
        last = self.base_from_world @ self._link_pose(self.link)
        hand = self.base_from_world @ self._link_pose(self.hand)
        return self.joints() | {
            "tcp_position_m": (last[:3, 3] + LINK_TO_TOOL_M * last[:3, 2]).tolist(),
            "tcp_quaternion_wxyz": quaternion(hand[:3, :3]),
        }

    def look(self, camera: str, side: int, everything: bool) -> Picture:
        """Looks through a camera; depth and labels where `everything` is wanted."""
        seen = self.official.look(camera, side)
        return Picture(
            seen.rgb,
            seen.depth_mm if everything else None,
            seen.segmentation if everything else None,
            [float(value) for value in seen.focal],
            [float(value) for value in seen.principal_point],
            (self.base_from_world @ seen.world_from_camera).flatten().tolist(),
        )

    def _links(self) -> dict[str, int]:
        robot, p = self.official.robot.robot_uid, self.official.pybullet
        client = {"physicsClientId": self.official.env.cid}
        return {
            p.getJointInfo(robot, index, **client)[12].decode(): index
            for index in range(p.getNumJoints(robot, **client))
        }

    def fixture_pose(self, link: str) -> np.ndarray:
        """[4, 4] from the frame of a link of the table to the world."""
        table = self.official.env.scene.fixed_objects[0]
        return self._link_pose(table.info_dict["links"][link], table.uid)

    def _link_pose(self, link: int, body: int | None = None) -> np.ndarray:
        """[4, 4] from a link's own frame, of the robot where no body is named, to the world."""
        state = self.official.pybullet.getLinkState(
            self.official.robot.robot_uid if body is None else body,
            link,
            computeForwardKinematics=True,
            physicsClientId=self.official.env.cid,
        )
        return self._matrix(state[4], state[5])

    def _matrix(self, position_m, quaternion_xyzw) -> np.ndarray:
        pose = np.eye(4)
        rotation = self.official.pybullet.getMatrixFromQuaternion(quaternion_xyzw)
        pose[:3, :3] = np.reshape(rotation, (3, 3))
        pose[:3, 3] = position_m
        return pose

    def close(self) -> None:
        self.official.close()


def quaternion(rotation: np.ndarray) -> list[float]:
    """w x y z of a rotation matrix [3, 3]."""
    from scipy.spatial.transform import Rotation

    x, y, z, w = Rotation.from_matrix(rotation).as_quat()
    return [float(w), float(x), float(y), float(z)]
