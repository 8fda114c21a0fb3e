"""CALVIN's own environment, from a checkout of mees/calvin_env, and how an episode begins in it.

The environment's own `reset` leaves velocities and contacts of the last episode behind, so that the same
seed gives other digits; here an episode begins with an empty simulation, which costs 0.1 s.
"""

import contextlib
import importlib.util
import io
import logging
import os
import sys
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

# Before anything loads NumPy.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from tiller_bridge.settings import Refused

SCENES = ("A", "B", "C", "D")
CAMERAS = ("static", "gripper")
# The environment acts 30 times a second, each action for 8 steps of physics.
CONTROL_HZ, PHYSICS_HZ = 30, 240
SUBSTEPS = PHYSICS_HZ // CONTROL_HZ
# A relative action: three of translation, three of rotation (Euler, world axes), the gripper (1 opens).
ACTION_SIZE = 7
# What 1 in a relative action stands for.
POSITION_M, ROTATION_RAD = 0.02, 0.05
OPEN, CLOSED = 1, -1
# Depths from here on are unknown.
MAX_DEPTH_M = 65.0
# Where a door must stand, or a light be on, for a task to make sense.
DRAWER_OPEN_M, SLIDE_LEFT_M, SWITCH_ON_M = 0.2, 0.25, 0.08
# Seeds from here on are those of scenes to learn from.
FIRST_TRAINING_SEED = 1_000_000
# Handles are a part of their link, the same in every scene: what lies at least so far along the link's z, m.
HANDLES_FROM_M = {"drawer_link": 0.184, "slide_link": 0.024}


@contextlib.contextmanager
def quiet():
    """Keeps the environment's notes off the standard output, which carries results only."""
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


def find_checkout(path: str | Path | None = None) -> Path:
    """The checkout at `path`, else at CALVIN_CHECKOUT, else where `calvin_env` is imported from.

    Raises Refused where none of these is a checkout.
    """
    wanted = path or os.environ.get("CALVIN_CHECKOUT", "").strip()
    if not wanted:
        found = importlib.util.find_spec("calvin_env")
        if found is None or not found.origin:
            raise Refused(
                "there is no checkout of mees/calvin_env: run `tiller sim install calvin --checkout PATH`"
                " and use `.sim/calvin/bin/python`, or set CALVIN_CHECKOUT"
            )
        wanted = Path(found.origin).parents[1]
    root = Path(wanted).expanduser().resolve()
    if not (root / "calvin_env/envs/play_table_env.py").is_file():
        raise Refused(
            f"checkout: expected a clone of mees/calvin_env, found no"
            f" calvin_env/envs/play_table_env.py in {root}"
        )
    if not (root / ".git").exists():
        raise Refused(f"checkout: {root} is no git checkout, and CALVIN asks git for its version")
    return root


@dataclass(frozen=True)
class Start:
    """What must hold at the start for a task to be one; positions as the scene's state has them."""

    # By the joint's name, m; the others stand at their initial place.
    joints_m: tuple[tuple[str, float], ...] = ()
    # Whether a light is on; the others are off. The light bulb follows its switch.
    lights: tuple[tuple[str, bool], ...] = ()
    # A block and the kind of surface it lies on; the other blocks lie anywhere.
    block: str | None = None
    surface: str | None = None

    @staticmethod
    def of(task: str) -> "Start":
        """The start that a task of the oracle needs.

        Raises Refused where a reset alone cannot make it: a block in the hand, in the drawer or on
        another block.
        """
        drawer, slide, switch = "base__drawer", "base__slide", "base__switch"
        fixed = {
            "open_drawer": Start(joints_m=((drawer, 0.0),)),
            "close_drawer": Start(joints_m=((drawer, DRAWER_OPEN_M),)),
            "move_slider_left": Start(joints_m=((slide, 0.0),)),
            "move_slider_right": Start(joints_m=((slide, SLIDE_LEFT_M),)),
            "turn_on_lightbulb": Start(joints_m=((switch, 0.0),)),
            "turn_off_lightbulb": Start(joints_m=((switch, SWITCH_ON_M),)),
            "turn_on_led": Start(lights=(("led", False),)),
            "turn_off_led": Start(lights=(("led", True),)),
            "push_into_drawer": Start(
                joints_m=((drawer, DRAWER_OPEN_M),), block="block_red", surface="table"
            ),
        }
        if task in fixed:
            return fixed[task]
        words = task.split("_")
        if words[0] in ("place", "unstack") or words[-1] == "drawer" and words[0] == "lift":
            raise Refused(
                f"task {task}: its start, a block in the hand, in the drawer or on another, is not"
                " made by a reset; what comes before it would have to be done first"
            )
        if words[0] in ("rotate", "push", "lift"):
            surface = "slider" if words[-1] == "slider" else "table"
            return Start(block=f"block_{words[1]}", surface=surface)
        return Start()

    def among_anything(self, seed: int) -> "Start":
        """This start; in half of the seeds what it says nothing of stands anywhere."""
        random = np.random.default_rng([seed, 1])
        if random.random() < 0.5:
            return self
        joints = {
            "base__drawer": random.uniform(0.0, DRAWER_OPEN_M),
            "base__slide": random.uniform(0.0, SLIDE_LEFT_M),
            "base__switch": random.choice([0.0, SWITCH_ON_M]),
        }
        lights = {"led": bool(random.random() < 0.5)}
        joints, lights = joints | dict(self.joints_m), lights | dict(self.lights)
        return replace(self, joints_m=tuple(joints.items()), lights=tuple(lights.items()))


@dataclass
class Picture:
    """What a camera saw, rows from the top."""

    # [h, w, 3], bytes.
    rgb: np.ndarray
    # [h, w], metres along the optical axis.
    depth_m: np.ndarray
    # [h, w], ids of `Official.labels`, 0 elsewhere.
    segmentation: np.ndarray
    # Pixels, pixels, and [4, 4] from the OpenCV camera to the world.
    focal: tuple[float, float]
    principal_point: tuple[float, float]
    world_from_camera: np.ndarray

    @property
    def depth_mm(self) -> np.ndarray:
        """[h, w] in millimetres, 0 where it is unknown."""
        known = self.depth_m < MAX_DEPTH_M
        return np.where(known, np.rint(self.depth_m * 1000.0), 0).astype(np.uint16)

    def points_m(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """[n, 3] in the world: what is seen in these pixels."""
        depth = self.depth_m[rows, columns]
        at = [
            (columns + 0.5 - self.principal_point[0]) / self.focal[0] * depth,
            (rows + 0.5 - self.principal_point[1]) / self.focal[1] * depth,
            depth,
        ]
        return np.stack(at, 1) @ self.world_from_camera[:3, :3].T + self.world_from_camera[:3, 3]


class Official:
    """`PlayTableSimEnv` of one scene; one at a time in a process, which PyBullet's default client asks for.

    Cameras are drawn on demand, not in every step, which would cost thirty times the physics.
    """

    def __init__(self, scene: str = "D", checkout: str | Path | None = None):
        if scene not in SCENES:
            raise Refused(f"scene: expected one of {', '.join(SCENES)}, found `{scene}`")
        self.scene_name = scene
        self.root = find_checkout(checkout)
        if str(self.root) not in sys.path:
            sys.path.insert(0, str(self.root))
        try:
            with quiet():
                import hydra
                import pybullet

                self._make(hydra)
        except ImportError as error:
            raise Refused(
                f"CALVIN's requirements are not installed in {sys.prefix} ({error}): run `tiller sim"
                " install calvin --checkout PATH` and use `.sim/calvin/bin/python`"
            ) from error
        self.pybullet = pybullet
        if self.env.cid != 0:
            self.close()
            raise Refused("an environment of CALVIN is open already: one at a time in a process")
        self.labels, self._label_of = self._name_things()
        # By the number of the link's label: the body, the link, and the handle's number and beginning.
        self._handles = self._name_handles()
        self.substep, self.start_info = 0, self.env.get_info()

    def _make(self, hydra) -> None:
        logging.getLogger("calvin_env").setLevel(logging.ERROR)
        with hydra.initialize_config_dir(config_dir=str(self.root / "conf"), version_base="1.1"):
            config = hydra.compose(
                config_name="config_data_collection",
                overrides=[
                    "cameras=static_and_gripper",
                    f"scene=calvin_scene_{self.scene_name}",
                    "use_vr=false",
                    f"data_path={self.root}/data",
                ],
            )
        config.env.use_egl = config.env.show_gui = False
        self.env = hydra.utils.instantiate(config.env, use_scene_info=True)
        self.tasks = hydra.utils.instantiate(config.tasks)
        self.cameras = {camera.name: camera for camera in self.env.cameras}
        self.env.cameras = []

    @property
    def task_names(self) -> list[str]:
        """The oracle's tasks."""
        return list(self.tasks.tasks)

    @property
    def robot(self):
        """The environment's robot."""
        return self.env.robot

    def begin(self, seed: int, start: Start = Start()) -> None:
        """An empty simulation, the scene drawn from the seed, and what a task's start asks for.

        In half of the training scenes, whose seeds begin at FIRST_TRAINING_SEED, the rest stands anywhere.
        """
        if not 0 <= seed < 2**32:
            raise Refused(f"seed: expected 0 to {2**32 - 1}, found {seed}")
        if seed >= FIRST_TRAINING_SEED:
            start = start.among_anything(seed)
        env = self.env
        with quiet():
            env.seed(seed)
            # The scene keeps the generator that it was made with.
            env.scene.np_random = env.np_random
            self.robot.gripper_action = OPEN
            env.load()
            self._place(start)
            env.reset()
            self._set(start)
        self.substep = 0
        self.start_info = env.get_info()

    def _place(self, start: Start) -> None:
        """Says on which surface the task's block is drawn."""
        if start.block is None:
            return
        surfaces = [name for name in self.env.scene.surfaces if name.startswith(start.surface)]
        block = next((b for b in self.env.scene.movable_objects if b.name == start.block), None)
        if block is None or not surfaces:
            raise Refused(
                f"scene {self.scene_name}: expected {start.block} and a surface {start.surface}"
            )
        block.initial_pos = str(self.env.np_random.choice(surfaces))

    def _set(self, start: Start) -> None:
        """Doors, switches and lights as the task needs them; everything else stays."""
        scene, wanted = self.env.scene, dict(start.joints_m)
        for joint in [*scene.doors, *scene.switches]:
            if joint.name in wanted:
                joint.reset(wanted.pop(joint.name))
        if wanted:
            raise Refused(f"scene {self.scene_name}: there is no joint {', '.join(wanted)}")
        lights = dict(start.lights)
        for light in scene.lights:
            if lights.get(light.name):
                light.turn_on()
        for button in scene.buttons:
            button.reset()
        scene.step()

    def step(self, action) -> dict:
        """One step of 1/30 s by a relative action [7]; its numbers are at most 1 in size.

        1 is 0.02 m or 0.05 rad from the last target, not from where the hand is; the last number opens
        the gripper from 0 on. Returns `info`, as the environment does.
        """
        values = np.asarray(action, float)
        if values.shape != (ACTION_SIZE,) or not np.isfinite(values).all():
            raise Refused(f"action: expected {ACTION_SIZE} finite numbers, found {action!r}")
        values = np.clip(values, -1.0, 1.0)
        values[6] = OPEN if values[6] >= 0.0 else CLOSED
        return self._step({"type": "cartesian_rel", "action": values})

    def step_to(self, position_m, euler_rad, gripper: int) -> dict:
        """One step of 1/30 s towards a place of CALVIN's tool point in the world."""
        values = np.array([*position_m, *euler_rad, gripper], float)
        if values.shape != (ACTION_SIZE,) or not np.isfinite(values).all():
            raise Refused(f"target: expected {ACTION_SIZE} finite numbers, found {values!r}")
        return self._step({"type": "cartesian_abs", "action": values})

    @property
    def is_between_steps(self) -> bool:
        """Whether the next step of physics begins a step of the environment."""
        return self.substep % SUBSTEPS == 0

    def _step(self, action: dict) -> dict:
        if not self.is_between_steps:
            raise Refused("an action was given in the middle of a step")
        _, _, _, info = self.env.step(action)
        self.substep += SUBSTEPS
        return info

    def substep_joints(self, q_rad, gripper: int) -> bool:
        """A step of physics, 1/240 s; where a step of the environment begins, towards these joints.

        The calls are those of the environment's own step. Returns whether one was completed.
        """
        if self.is_between_steps:
            self.robot.apply_action({"type": "joint_abs", "action": [*q_rad, gripper]})
        self.env.p.stepSimulation(physicsClientId=self.env.cid)
        self.substep += 1
        if self.is_between_steps:
            self.env.scene.step()
        return self.is_between_steps

    def achieved(self, among: set[str] | None = None) -> set[str]:
        """The tasks achieved since the start, as CALVIN's oracle judges; of all, or of these alone."""
        info = self.env.get_info()
        if among is None:
            return self.tasks.get_task_info(self.start_info, info)
        return self.tasks.get_task_info_for_set(self.start_info, info, among)

    def _name_things(self) -> tuple[dict[int, str], dict[tuple[int, int], int]]:
        """Labels by number, and the number by body and link (-1 is a body's base).

        Ids are the same after each load of the same scene.
        """
        labels, label_of = {}, {}
        for block in sorted(self.env.scene.movable_objects, key=lambda block: block.name):
            labels[len(labels) + 1] = " ".join(reversed(block.name.split("_")))
            label_of[block.uid, -1] = len(labels)
        for thing in self.env.scene.fixed_objects:
            for link, index in sorted(thing.info_dict["links"].items(), key=lambda pair: pair[1]):
                name = thing.name if index == -1 else link.removesuffix("_link")
                labels[len(labels) + 1] = name
                label_of[thing.uid, index] = len(labels)
        labels[len(labels) + 1] = "robot"
        links = self.pybullet.getNumJoints(self.robot.robot_uid, physicsClientId=self.env.cid)
        label_of |= {(self.robot.robot_uid, link): len(labels) for link in range(-1, links)}
        return labels, label_of

    def _name_handles(self) -> dict[int, tuple[int, int, int, float]]:
        """Adds a label for each handle; see `_handles`."""
        handles = {}
        for thing in self.env.scene.fixed_objects:
            for link, index in sorted(thing.info_dict["links"].items(), key=lambda pair: pair[1]):
                if link in HANDLES_FROM_M:
                    number = len(self.labels) + 1
                    self.labels[number] = f"{link.removesuffix('_link')} handle"
                    whole = self._label_of[thing.uid, index]
                    handles[whole] = (thing.uid, index, number, HANDLES_FROM_M[link])
        return handles

    def _mark_handles(self, seen: Picture) -> None:
        """Gives handles their own number, by where the depth says that a pixel of their link lies."""
        for whole, (body, link, number, from_m) in self._handles.items():
            rows, columns = np.nonzero(seen.segmentation == whole)
            frame = self.pybullet.getLinkState(
                body, link, computeForwardKinematics=True, physicsClientId=self.env.cid
            )
            axis = np.reshape(self.pybullet.getMatrixFromQuaternion(frame[5]), (3, 3))[:, 2]
            beyond = (seen.points_m(rows, columns) - frame[4]) @ axis > from_m
            seen.segmentation[rows[beyond], columns[beyond]] = number

    def view(self, camera: str) -> tuple[list[float], list[float]]:
        """View and projection matrix of a camera, 16 numbers each, columns first, as PyBullet has them."""
        cam, p = self.cameras[camera], self.pybullet
        projection = p.computeProjectionMatrixFOV(
            fov=cam.fov, aspect=cam.aspect, nearVal=cam.nearval, farVal=cam.farval
        )
        if camera == "static":
            return cam.viewMatrix, projection
        state = p.getLinkState(cam.robot_uid, cam.gripper_cam_link, physicsClientId=self.env.cid)
        axes = np.array(p.getMatrixFromQuaternion(state[1])).reshape(3, 3)
        eye = np.array(state[0])
        return p.computeViewMatrix(eye, eye + axes[:, 1], -axes[:, 2]), projection

    def look(self, camera: str, side: int) -> Picture:
        """Looks through `static` or `gripper`; the picture is `side` pixels wide and high."""
        if camera not in self.cameras:
            raise Refused(f"camera: expected one of {', '.join(CAMERAS)}, found `{camera}`")
        cam, p = self.cameras[camera], self.pybullet
        view, projection = self.view(camera)
        _, _, colours, buffer, seen = p.getCameraImage(
            width=side,
            height=side,
            viewMatrix=view,
            projectionMatrix=projection,
            flags=p.ER_SEGMENTATION_MASK_OBJECT_AND_LINKINDEX,
            physicsClientId=self.env.cid,
        )
        buffer = np.reshape(np.asarray(buffer, np.float64), (side, side))
        seen = np.reshape(np.asarray(seen, np.int64), (side, side))
        segmentation = np.zeros((side, side), np.uint8)
        for value in np.unique(seen[seen >= 0]):
            body, link = int(value) & ((1 << 24) - 1), (int(value) >> 24) - 1
            segmentation[seen == value] = self._label_of.get((body, link), 0)
        near, far = cam.nearval, cam.farval
        # OpenGL's cameras look along -z with y up.
        gl = np.linalg.inv(np.reshape(view, (4, 4)).T)
        focal = side / 2 / np.tan(np.radians(cam.fov) / 2)
        picture = Picture(
            np.ascontiguousarray(np.reshape(colours, (side, side, 4))[:, :, :3].astype(np.uint8)),
            far * near / (far - (far - near) * buffer),
            segmentation,
            (focal, focal),
            (side / 2, side / 2),
            gl @ np.diag([1.0, -1.0, -1.0, 1.0]),
        )
        self._mark_handles(picture)
        return picture

    def close(self) -> None:
        """Frees the simulation."""
        with quiet():
            self.env.close()
        # The environment would close itself again when it is collected.
        self.env.close = lambda: None

    def __enter__(self) -> "Official":
        return self

    def __exit__(self, *_) -> None:
        self.close()
