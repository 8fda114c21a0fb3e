"""Writes others.json: what PyTorch computes for programs in other people's forms, several functions a stage.

Run with any Python that has torch: `python crates/reward/tests/golden/others.py`.
"""

import dis
import json
import math
import pathlib
import re

import torch
import torch.nn.functional as F

from generate import TorchNumpy

torch.set_default_dtype(torch.float64)
POINTS, PARTICLES, KEYPOINTS = 6, 2, 5
TOLERANCE = 0.02

# Name: (text, keypoints that the hand carries in each stage).
PROGRAMS = {
    "vls: several guidances": ("""
num_stages = 2  # two parts
stage_names = ["reach the mug", "push it left"]
GAIN = 1.5

def stage1_guidance1(keypoints, action_sequence):
    target = keypoints[0]
    dist = torch.norm(action_sequence - target.view(1, 1, 3), dim=-1)
    return -dist.mean()

def stage1_guidance2(keypoints, action_sequence):
    return -GAIN * torch.relu(0.4 - action_sequence[..., 2]).mean()

def stage1_guidance10(keypoints, action_sequence):
    dist = torch.norm(action_sequence - keypoints[0].view(1, 1, 3), dim=-1)
    return -dist[:, -1].sum() ** 2

def stage2_guidance1(keypoints, action_sequence):
    target = keypoints[0] + torch.tensor([0.0, 0.1, 0.0], device=keypoints.device)
    return -torch.norm(action_sequence - target, dim=-1).mean()
""", [[], []]),
    "vls: underscores, another name and a nought": ("""
num_stages = 1
def stage1_guidance_1(keypoints, trajectory_3d):
    return 0
def stage1_guidance_2(keypoints, trajectory_3d):
    return -((trajectory_3d - keypoints[1]) ** 2).sum()
def stage1_guidance(keypoints, trajectory_3d):
    return trajectory_3d[..., 2].mean()
""", [[]]),
    "rekep: sub-goals and paths": ("""
num_stages = 2

### stage 1 sub-goal constraints
def stage1_subgoal_constraint1(end_effector, keypoints):
    \"\"\"Reach the handle.\"\"\"
    return np.linalg.norm(end_effector - keypoints[3])

def stage1_subgoal_constraint2(end_effector, keypoints):
    offsetted_point = np.mean(keypoints[0:3], axis=0) + np.array([0, 0, 0.1])
    return np.linalg.norm(end_effector - offsetted_point) - 0.05

def stage2_subgoal_constraint1(keypoints, end_effector):
    return end_effector[2] - 0.1

def stage2_path_constraint1(end_effector, keypoints):
    return np.abs(end_effector[0] - keypoints[1][0]) - 0.02

def stage2_path_constraint2(end_effector, keypoints):
    return get_grasping_cost_by_keypoint_idx(3)

grasp_keypoints = [3, -1]
release_keypoints = [-1, -1]
""", [[], [3]]),
    "rekep: a held keypoint goes along": ("""
num_stages = 3
def stage1_subgoal_constraint1(end_effector, keypoints):
    return np.linalg.norm(end_effector - keypoints[1])
def stage2_subgoal_constraint1(end_effector, keypoints):
    above = np.mean(keypoints[3:5], axis=0) + np.array([0, 0, 0.2])
    return np.linalg.norm(keypoints[1] - above)
def stage2_subgoal_constraint2(end_effector, keypoints):
    pen = keypoints[1] - keypoints[0]
    return np.linalg.norm(np.cross(pen, np.array([0.0, 0.0, 1.0])))
def stage2_path_constraint1(end_effector, keypoints):
    return 0.3 - keypoints[0][2]
def stage3_subgoal_constraint1(end_effector, keypoints):
    return np.linalg.norm(end_effector - keypoints[1] - np.array([0.0, 0.0, 0.1]))
grasp_keypoints = [1, -1, -1]
release_keypoints = [-1, 1, -1]
""", [[], [0, 1], []]),
    "rekep: lists of costs, bare numbers and a guidance beside them": ("""
num_stages = 1
def stage1_subgoal_constraint_1(end_effector, keypoints):
    d = end_effector - keypoints[2]
    return [np.abs(d[0]) - 0.01, np.abs(d[1]) - 0.01, d[2]]
def stage1_path_constraint(end_effector, keypoints):
    return keypoints[0] - end_effector
def stage1_guidance(keypoints, action_sequence):
    return -torch.norm(action_sequence - keypoints[2], dim=-1).mean()
""", [[]]),
}


def functions(text):
    names = {
        "torch": torch, "F": F, "np": TorchNumpy(), "math": math,
        "get_grasping_cost_by_keypoint_idx": lambda i: 0,
    }
    exec(compile(text, "program", "exec"), names)
    return names


def cost(value):
    parts = value if isinstance(value, (list, tuple)) else [value]
    return sum(torch.relu(torch.as_tensor(part, dtype=torch.float64)).sum() for part in parts)


def ask(function, hand, keypoints):
    return cost(function(**{"end_effector": hand, "keypoints": keypoints}))


def reads_hand(function):
    return any("end_effector" in str(step.argval) for step in dis.get_instructions(function))


def moved(function, keypoints, way, carried):
    """What a constraint sees of the keypoints: those that the hand carries have gone along, unless it reads the hand."""
    mask = torch.zeros(KEYPOINTS, 1)
    mask[carried] = 0.0 if reads_hand(function) else 1.0
    return keypoints + mask * way


def stage(names, number, carried, keypoints, path):
    reward = torch.zeros(())
    for name, function in names.items():
        if re.fullmatch(rf"stage{number}_guidance_?\d*", name):
            reward = reward + function(keypoints, path)
    points = path[0]
    for name, function in names.items():
        if re.fullmatch(rf"stage{number}_subgoal_constraint_?\d*", name):
            scene = moved(function, keypoints, points[-1] - points[0], carried)
            reward = reward - ask(function, points[-1], scene)
        if re.fullmatch(rf"stage{number}_path_constraint_?\d*", name):
            costs = [ask(function, p, moved(function, keypoints, p - points[0], carried)) for p in points]
            reward = reward - sum(costs) / len(costs)
    return reward


def done(names, number, keypoints, hand):
    subgoals = [f for name, f in names.items() if re.fullmatch(rf"stage{number}_subgoal_constraint_?\d*", name)]
    if not subgoals:
        return None
    return float(TOLERANCE - sum(ask(f, hand, keypoints) for f in subgoals))


def main():
    generator = torch.Generator().manual_seed(11)
    draw = lambda *shape: torch.round(torch.rand(*shape, generator=generator) * 1e4) / 1e4 * 0.5
    cases = []
    for name, (text, carried) in PROGRAMS.items():
        names = functions(text)
        keypoints = draw(KEYPOINTS, 3)
        paths = [draw(1, POINTS, 3) for _ in range(PARTICLES)]
        stages = []
        for number, held in enumerate(carried, 1):
            values, gradients = [], []
            for path in paths:
                path = path.clone().requires_grad_(True)
                value = stage(names, number, held, keypoints, path * 1.0)
                value.backward()
                values.append(value.item())
                gradients.append(path.grad.flatten().tolist())
            hand = paths[0][0, 2]
            stages.append({"values": values, "gradients": gradients, "done": done(names, number, keypoints, hand)})
        cases.append({
            "name": name, "source": text, "keypoints": keypoints.tolist(), "hand": hand.tolist(),
            "trajectories": [path.flatten().tolist() for path in paths], "stages": stages,
        })
    out = pathlib.Path(__file__).with_name("others.json")
    out.write_text("[\n" + ",\n".join(json.dumps(c, allow_nan=False) for c in cases) + "\n]\n")
    print(f"others.json: {len(cases)} programs")


if __name__ == "__main__":
    main()
