"""The official environment, driven by joint set-points in lockstep with Tiller's actuator.

The benchmark's controller takes a displacement of the hand every 50 ms; the actuator commands the arm's
joints, 20 set-points of 1 ms at a time. So the environment's own step is taken in pieces of 20 ms, with
the very calls that it makes, and whenever its controller wants an action it gets the way from the hand
to where the set-points lead it, and somewhat further, as in Tiller's own LIBERO world.
"""

import math

import mujoco
import numpy as np

from tiller_bridge.robot import CLOSING_BELOW_M, LINK_TO_TOOL_M, Picture

from .official import ACTION_SIZE, STEP_S, Official, Suite, quiet
from .pack import object_entry
from .parts import parts

STEP_NS = round(STEP_S * 1e9)
SUBSTEP_NS = 2_000_000
SUBSTEPS = STEP_NS // SUBSTEP_NS
COMMAND_NS = 20_000_000
# A displacement of 1 asks for this much; the controller comes about a third of the way in one step.
POSITION_M, ROTATION_RAD, GAIN = 0.05, 0.5, 3.0
# How far ahead of the newest set-point it is led, in ways of the last control step, against its lag.
AHEAD = 1.25
HOLD_NS = 1_000_000_000
MOST_LABELS = 255
ROBOT_PARTS = ("Panda0", "MountedPanda0", "RethinkMount0", "PandaGripper0")


def rotation_vector(rotation: np.ndarray) -> np.ndarray:
    """Axis times angle of a rotation matrix [3, 3], rad."""
    axis = np.zeros(4)
    mujoco.mju_mat2Quat(axis, rotation.flatten())
    vector = np.zeros(3)
    mujoco.mju_quat2Vel(vector, axis, 1.0)
    return vector


def quaternion(rotation: np.ndarray) -> list[float]:
    """w x y z of a rotation matrix [3, 3]."""
    found = np.zeros(4)
    mujoco.mju_mat2Quat(found, rotation.flatten())
    return [float(value) for value in found]


class Lockstep:
    """One task's environment and its place in time."""

    def __init__(self, suite: Suite | str, task: int, cameras: bool = True):
        self.official = Official(suite, task, cameras)
        self.task_id = f"{self.official.suite.name}_{task}"
        self.labels: dict[int, str] = {}
        # Every action of the episode so far, [7] each: what the referee replays.
        self.actions: list[list[float]] = []

    def begin(self, seed: int, initial_state: int | None) -> None:
        """An episode from a seed and an initial state; time is zero after the idle steps."""
        self.official.begin(seed, initial_state)
        self.env, self.sim = self.official.env, self.official.sim
        self.model, self.data = self.sim.model._model, self.sim.data._data
        self.substep = 0
        self.actions = []
        self.action = [0.0] * ACTION_SIZE
        # The set-point that the last action led to, [7].
        self.followed: np.ndarray | None = None
        # A second state of the same model, for where set-points lead the hand.
        self.ghost = mujoco.MjData(self.model)
        joints = [self.model.joint(f"robot0_joint{n}") for n in range(1, 8)]
        self.q_at = np.array([joint.qposadr[0] for joint in joints])
        self.v_at = np.array([joint.dofadr[0] for joint in joints])
        fingers = [self.model.joint(f"gripper0_finger_joint{n}") for n in (1, 2)]
        self.fingers_at = np.array([finger.qposadr[0] for finger in fingers])
        self.site = self.model.site("gripper0_grip_site").id
        self.base = self.model.body("robot0_base").id
        self.link = self.model.body("robot0_link7").id
        self.hand = self.model.body("robot0_right_hand").id
        self._name_things()
        self.held_since_ns: int | None = None
        self.achieved = self.official.achieved()
        self.success = False
        self._observe()

    def _name_things(self) -> None:
        """Labels by the benchmark's instances: `akita black bowl`, numbered where there are more.

        What moves or glows of them has labels of its own.
        """
        instances = [name for name in self.env.model.instances_to_ids if name not in ROBOT_PARTS]
        category = {name: name.rpartition("_")[0].replace("_", " ") for name in instances}
        many = {kind for kind in category.values() if list(category.values()).count(kind) > 1}
        names = {
            name: f"{kind} {name.rpartition('_')[2]}" if kind in many else kind
            for name, kind in category.items()
        }
        ids = {name: number for number, name in enumerate(instances, start=1)}
        robot = len(ids) + 1
        self.labels = {ids[name]: names[name] for name in instances} | {robot: "robot"}
        model = self.env.model
        # Parts by what they are: bodies have their parents', geoms and sites those of their bodies.
        of_body, of_name = np.zeros(self.model.nbody, np.uint8), {}
        fixtures = [name for name in instances if name in self.env.fixtures_dict]
        for name in fixtures:
            for part in parts(name, object_entry(self.env, name)):
                label = len(self.labels) + 1
                # Beyond what 8 bits tell apart, a part has the label of its thing.
                if label > MOST_LABELS:
                    break
                self.labels[label] = f"{names[name]} {part.name}"
                if part.joint is None:
                    of_name[part.geom] = label
                else:
                    of_body[self.model.joint(part.joint).bodyid] = label
        for body in range(1, self.model.nbody):
            of_body[body] = of_body[body] or of_body[self.model.body_parentid[body]]
        # By kind of element and number; marks on a thing (sites, such as a burner's) belong to it.
        elements = (
            (mujoco.mjtObj.mjOBJ_GEOM, self.model.ngeom, self.model.geom_bodyid),
            (mujoco.mjtObj.mjOBJ_SITE, self.model.nsite, self.model.site_bodyid),
        )
        owners = (model.geom_ids_to_instances, model.site_ids_to_instances)
        self.label_of = {}
        for (kind, count, bodies), owner in zip(elements, owners, strict=True):
            labels = of_body[bodies]
            for element in range(count):
                whole = ids.get(owner[element], robot) if element in owner else 0
                own = of_name.get(mujoco.mj_id2name(self.model, kind, element))
                labels[element] = own or labels[element] or whole
            self.label_of[int(kind)] = labels

    @property
    def instruction(self) -> str:
        return self.official.instruction

    @property
    def time_ns(self) -> int:
        """Simulated time since the idle steps."""
        return self.substep * SUBSTEP_NS

    def run(self, setpoints: np.ndarray, gripper_width_m: float) -> None:
        """Follows set-points [n, 7], one a millisecond, for n milliseconds (an even number)."""
        pieces = SUBSTEP_NS // 1_000_000
        for first in range(0, len(setpoints), pieces):
            is_new = self.substep % SUBSTEPS == 0
            if is_new:
                self.action = self.lead(setpoints[first + pieces - 1], gripper_width_m)
                self.actions.append(self.action)
            self._substep(is_new)

    def _substep(self, is_new: bool) -> None:
        # As robosuite's `step` does, which cannot be left half way.
        env = self.env
        self.sim.forward()
        env._pre_action(np.array(self.action), is_new)
        self.sim.step()
        env._update_observables()
        self.substep += 1
        if self.substep % SUBSTEPS == 0:
            env.timestep += 1
            env.cur_time += env.control_timestep
            env._post_action(self.action)
            self.achieved = self.official.achieved()
            self._observe()

    def _observe(self) -> None:
        if not self.achieved:
            self.held_since_ns = None
            return
        if self.held_since_ns is None:
            self.held_since_ns = self.time_ns
        self.success |= self.time_ns - self.held_since_ns >= HOLD_NS

    def lead(self, q_rad: np.ndarray, gripper_width_m: float) -> list[float]:
        """The action to where a set-point [7] leads, ahead of it by as much as the controller lags."""
        before = q_rad if self.followed is None else self.followed
        self.followed = np.array(q_rad)
        return self.towards(q_rad + AHEAD * (q_rad - before), gripper_width_m)

    def towards(self, q_rad: np.ndarray, gripper_width_m: float) -> list[float]:
        """The action that leads the hand to where these joints would have it."""
        self.ghost.qpos[:] = self.data.qpos
        self.ghost.qpos[self.q_at] = q_rad
        mujoco.mj_kinematics(self.model, self.ghost)
        there, here = self.ghost, self.data
        way_m = there.site_xpos[self.site] - here.site_xpos[self.site]
        turn = there.site_xmat[self.site].reshape(3, 3) @ here.site_xmat[self.site].reshape(3, 3).T
        move = np.concatenate([way_m / POSITION_M, rotation_vector(turn) / ROTATION_RAD])
        gripper = 1.0 if gripper_width_m < CLOSING_BELOW_M else -1.0
        return [float(value) for value in np.clip(GAIN * move, -1.0, 1.0)] + [gripper]

    def arm(self) -> dict:
        """What the arm's sensors say, as `ArmState` has it; the tool as in Tiller's kinematics."""
        data = self.data
        base = data.xmat[self.base].reshape(3, 3)
        axis = data.xmat[self.link].reshape(3, 3)[:, 2]
        tool = data.xpos[self.link] + LINK_TO_TOOL_M * axis - data.xpos[self.base]
        hand = base.T @ data.xmat[self.hand].reshape(3, 3)
        fingers = data.qpos[self.fingers_at]
        return {
            "q_rad": data.qpos[self.q_at].tolist(),
            "dq_rad_s": data.qvel[self.v_at].tolist(),
            "tcp_position_m": (base.T @ tool).tolist(),
            "tcp_quaternion_wxyz": quaternion(hand),
            "gripper_width_m": float(fingers[0] - fingers[1]),
        }

    def look(self, camera: str, side: int, everything: bool) -> Picture:
        """Looks through a camera; depth and labels where `everything` is wanted."""
        with quiet():
            rgb, near = self.sim.render(side, side, camera_name=camera, depth=True)
            seen = (
                self.sim.render(side, side, camera_name=camera, segmentation=True)
                if everything
                else None
            )
        index = self.model.camera(camera).id
        focal = side / 2 / math.tan(math.radians(float(self.model.cam_fovy[index])) / 2)
        base = self.data.xmat[self.base].reshape(3, 3)
        pose = np.eye(4)
        # MuJoCo's cameras look along -z with y up.
        pose[:3, :3] = base.T @ self.data.cam_xmat[index].reshape(3, 3) @ np.diag([1.0, -1.0, -1.0])
        pose[:3, 3] = base.T @ (self.data.cam_xpos[index] - self.data.xpos[self.base])
        depth_mm = segmentation = None
        if everything:
            depth_mm = self._millimetres(near[::-1])
            kind, element = seen[::-1, :, 0], seen[::-1, :, 1]
            segmentation = np.zeros(kind.shape, np.uint8)
            for wanted, labels in self.label_of.items():
                is_wanted = kind == wanted
                segmentation[is_wanted] = labels[element[is_wanted]]
        return Picture(
            np.ascontiguousarray(rgb[::-1]),
            depth_mm,
            segmentation,
            [focal, focal],
            [side / 2, side / 2],
            pose.flatten().tolist(),
        )

    def _millimetres(self, buffer: np.ndarray) -> np.ndarray:
        """Depth along the optical axis from the depth buffer [h, w]."""
        extent, vis = self.model.stat.extent, self.model.vis.map
        near, far = vis.znear * extent, vis.zfar * extent
        depth_m = near / (1.0 - buffer.astype(np.float64) * (1.0 - near / far))
        known = (buffer < 1.0) & (depth_m < 65.0)
        return np.where(known, np.rint(depth_m * 1000.0), 0).astype(np.uint16)

    def close(self) -> None:
        self.official.close()
