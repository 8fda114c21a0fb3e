"""Writes hand.json: values and gradients of rewards over the whole hand, and values of done functions, by PyTorch.

Run with any Python that has torch: `python crates/reward/tests/golden/hand.py`.
"""

import json
import math
import pathlib

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
POINTS, PARTICLES, KEYPOINTS = 5, 3, 4

GUIDANCE = {
    "squeeze": """
def stage1_guidance(keypoints, action_sequence, gripper):
    near = torch.exp(-((action_sequence - keypoints[0]) ** 2).sum(-1) / 0.02)
    return -(gripper * near).mean() - (action_sequence[:, -1] - keypoints[0]).norm(dim=-1).mean()
""",
    "upright": """
def stage1_guidance(keypoints, action_sequence, rotations=None):
    if rotations is not None:
        down = torch.tensor([0.0, 0.0, -1.0])
        return (rotations[..., :, 2] @ down).mean() - (action_sequence - keypoints[1]).pow(2).sum()
    return -(action_sequence - keypoints[1]).pow(2).sum()
""",
    "aligned": """
def stage1_guidance(keypoints, action_sequence, *, keypoint_axes, gripper=None, rotations=None):
    along = keypoint_axes[2, :, 0]
    jaws = rotations[0, :, :, 1]
    crossing = (jaws * along).sum(-1).square()
    distance = (action_sequence[0] - keypoints[2]).norm(dim=-1)
    return -(crossing + distance + 0.3 * gripper[0]).mean()
""",
    "geodesic": """
def stage1_guidance(keypoints, action_sequence, rotations):
    target = torch.tensor([[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, -1.0]])
    relative = target.T @ rotations[:, 1:]
    trace = relative.diagonal(dim1=-2, dim2=-1).sum(-1)
    angle = torch.acos(((trace - 1) / 2).clamp(-1 + 1e-6, 1 - 1e-6))
    return -angle.mean() - (action_sequence[:, -1] - keypoints[0]).norm()
""",
    "finger_tips": """
def stage1_guidance(keypoints, action_sequence, gripper, rotations, keypoint_axes):
    half = 0.04 * gripper.unsqueeze(-1)
    jaw = rotations[..., 1]
    left, right = action_sequence + half * jaw, action_sequence - half * jaw
    offset = (keypoint_axes[3] @ torch.tensor([0.01, 0.0, 0.0]))
    goal = keypoints[3] + offset
    return -((left - goal).norm(dim=-1) + (right - goal).norm(dim=-1)).mean()
""",
    "fingers_only": """
def stage1_guidance(keypoints, action_sequence, gripper):
    weight = torch.linspace(0.0, 1.0, gripper.shape[1])
    return -(weight * (gripper - 0.25) ** 2).sum()
""",
    "smooth_turn": """
def stage1_guidance(keypoints, action_sequence, rotations):
    step = rotations[:, 1:].transpose(-1, -2) @ rotations[:, :-1]
    turn = (step - torch.eye(3)).pow(2).sum((-1, -2))
    return -turn.mean() - action_sequence[..., 2].mean()
""",
}

DONE = {
    "closed_around": """
def stage1_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    near = 0.03 - torch.norm(end_effector - keypoints[0])
    return torch.minimum(near, 0.05 - gripper_width_m)
""",
    "turned": """
def stage1_done(keypoints, start_keypoints, end_effector, gripper_width_m=None, rotation=None, keypoint_axes=None):
    jaw = rotation[:, 1]
    return 0.9 - torch.abs(jaw @ keypoint_axes[1, :, 0]) - torch.norm(keypoints[0] - start_keypoints[0])
""",
}


def turns(*shape):
    q = F.normalize(torch.randn(*shape, 4), dim=-1)
    w, x, y, z = q.unbind(-1)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def inputs():
    return {
        "keypoints": torch.rand(KEYPOINTS, 3) * 0.4 + 0.2,
        "keypoint_axes": turns(KEYPOINTS),
        "trajectories": torch.rand(PARTICLES, POINTS, 3) * 0.4 + 0.2,
        "rotations": turns(PARTICLES, POINTS),
        "gripper": torch.rand(PARTICLES, POINTS),
    }


def named(function, usual, **further):
    code = function.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return function(*usual, **{name: value for name, value in further.items() if name in names})


def defined(text, name):
    scope = {"torch": torch, "F": F, "math": math}
    exec(text, scope)
    return scope[name]


def guided(name, text):
    given = inputs()
    function = defined(text, "stage1_guidance")
    case = {"name": name, "text": f"num_stages = 1{text}", "inputs": {k: v.tolist() for k, v in given.items()}}
    values, gradients = [], {"positions": [], "rotations": [], "gripper": []}
    for b in range(PARTICLES):
        path = [given[k][b : b + 1].clone().requires_grad_() for k in ("trajectories", "rotations", "gripper")]
        value = named(
            function,
            (given["keypoints"], path[0]),
            rotations=path[1],
            gripper=path[2],
            keypoint_axes=given["keypoint_axes"],
        )
        slopes = torch.autograd.grad(value, path, allow_unused=True)
        values.append(value.item())
        for key, slope, at in zip(gradients, slopes, path):
            gradients[key].append((torch.zeros_like(at) if slope is None else slope)[0].tolist())
    return case | {"values": values, "gradients": gradients}


def judged(name, text):
    given = inputs()
    function = defined(text, "stage1_done")
    guidance = "\ndef stage1_guidance(keypoints, action_sequence):\n    return -(action_sequence - keypoints[0]).norm(dim=-1).mean()\n"
    start = given["keypoints"] + 0.01
    values = []
    for b in range(PARTICLES):
        value = named(
            function,
            (given["keypoints"], start, given["trajectories"][b, 0]),
            rotation=given["rotations"][b, 0],
            gripper_width_m=given["gripper"][b, 0] * 0.08,
            keypoint_axes=given["keypoint_axes"],
        )
        values.append(value.item())
    case = {"name": name, "text": f"num_stages = 1{guidance}{text}", "inputs": {k: v.tolist() for k, v in given.items()}}
    return case | {"start_keypoints": start.tolist(), "values": values}


def main():
    torch.manual_seed(13)
    out = {
        "guidance": [guided(name, text) for name, text in GUIDANCE.items()],
        "done": [judged(name, text) for name, text in DONE.items()],
    }
    path = pathlib.Path(__file__).with_name("hand.json")
    path.write_text(json.dumps(out, separators=(",", ":")) + "\n")


main()
