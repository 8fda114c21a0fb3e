"""Writes mended.json: what the programs of ../resources/invalid, and those mended as ../resources/mended.txt says, mean
in PyTorch. An original that PyTorch refuses, or that gives another value every time, means nothing: null."""

import json
import math
import pathlib
import re
import signal

import numpy as np
import torch
import torch.nn.functional as F

TESTS = pathlib.Path(__file__).resolve().parent.parent
K, POINTS = 3, 15
# What is left of the costs of a stage that counts as complete.
TOLERANCE = 0.02


def inputs():
    generator = np.random.default_rng(20)
    low, high = np.array([0.25, -0.4, 0.02]), np.array([0.75, 0.4, 0.5])
    points = lambda n: (low + (high - low) * generator.random((n, 3))).round(4).tolist()
    return {
        "keypoints": points(K),
        "start_keypoints": points(K),
        "action_sequence": points(POINTS),
        "end_effector": points(1)[0],
        "gripper": generator.random(POINTS).round(4).tolist(),
    }


def entries():
    text = (TESTS / "resources/mended.txt").read_text().split("\n\n[answer/", 1)[1]
    found, current = {}, None
    plain = lambda text: text.replace("\\n", "\n").replace("\\t", "\t")
    for line in ("[answer/" + text).splitlines():
        if line.startswith("["):
            current = found[line.strip("[]")] = []
        elif line.split(": ")[0] in ("mend", "soft", "free", "also"):
            word, rest = line.split(": ", 1)
            if word != "also":
                current.append([])
            current[-1].append([plain(part) for part in rest.split(" => ", 1)])
    return found


def number(value):
    if isinstance(value, bool) or not isinstance(value, (int, float, torch.Tensor, np.ndarray, np.generic)):
        raise TypeError(value)
    value = torch.as_tensor(value)
    if value.numel() != 1 or value.dtype == torch.bool:
        raise TypeError(value)
    value = float(value)
    if not math.isfinite(value):
        raise ValueError(value)
    return value


def of_constraints(scope, stage, at):
    """What ReKep's sub-goals that read the hand give: the costs that are left at the end, and how far they are from done."""
    goals = [goal for name, goal in scope.items() if re.fullmatch(rf"stage{stage}_subgoal_constraint_?\d*", name)]
    keypoints = np.array(at["keypoints"])
    left = lambda hand: sum(max(number(goal(end_effector=np.array(hand), keypoints=keypoints)), 0.0) for goal in goals)
    return [-left(at["action_sequence"][-1]), TOLERANCE - left(at["end_effector"])] if goals else None


def once(text, at):
    if "```" in text:
        text = "\n".join(re.findall(r"```(?:python)?\n(.*?)```", text, re.S))
    scope = {"torch": torch, "F": F, "np": np, "math": math}
    exec(text, scope)
    # A number that the functions contradict means nothing.
    if scope["num_stages"] < 1 or f"stage{scope['num_stages'] + 1}_guidance" in scope:
        raise ValueError(scope["num_stages"])
    stages = []
    for stage in range(1, scope["num_stages"] + 1):
        row = of_constraints(scope, stage, at)
        if row is not None:
            stages.append(row)
            continue
        row = []
        for kind in ("guidance", "done"):
            function = scope.get(f"stage{stage}_{kind}")
            if function is None and kind == "done":
                row.append(None)
                continue
            names = function.__code__.co_varnames[: function.__code__.co_argcount]
            if kind == "done" and "action_sequence" in names:
                raise TypeError(names)
            row.append(number(function(**{name: torch.tensor(at[name])[None] if name in ("action_sequence", "gripper")
                                          else torch.tensor(at[name]) for name in names})))
        stages.append(row)
    return stages


def meaning(text, at):
    signal.alarm(5)
    try:
        first, second = once(text, at), once(text, at)
        return first if first == second else None
    except Exception:
        return None
    finally:
        signal.alarm(0)


def stop(*_):
    raise TimeoutError


signal.signal(signal.SIGALRM, stop)
torch.set_default_dtype(torch.float64)
at = inputs()
programs = {}
for name, mended in entries().items():
    path = next((TESTS / "resources/invalid").glob(f"{name}.*"), None) or next((TESTS / "resources").glob(f"{name}.*"), None)
    if path is None:
        print("no such program:", name)
        continue
    original = path.read_text()
    texts = []
    for edits in mended:
        text = original
        for old, new in edits:
            text = new if old == "*" else text.replace(old, new)
        texts.append(text)
    programs[name] = {"original": meaning(original, at), "mended": [meaning(text, at) for text in texts]}
    for way, value in enumerate(programs[name]["mended"]):
        if value is None:
            print("PyTorch refuses", name, way)
lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in programs.items())
out = f'{{"inputs": {json.dumps(at)},\n"programs": {{\n{lines}\n}}}}\n'
(TESTS / "golden/mended.json").write_text(out)
print(sum(p["original"] is not None for p in programs.values()), "of", len(programs), "originals mean something")
