"""Whole reward programs, in the styles that vision-language models write, whose values and
gradients PyTorch itself computes.
"""

# name -> body of `def stage1_guidance(keypoints, action_sequence)`, or a whole program.
BODIES = {
    "weighted_reach": """
    handle = keypoints[0]
    offset = torch.tensor([0.0, 0.0, 0.05])
    target = handle + offset
    distances = torch.norm(action_sequence - target, dim=-1)
    weights = torch.linspace(0.5, 1.5, distances.shape[1])
    return -(distances * weights).sum(dim=-1) / weights.sum() - 0.5 * distances[:, -1].min()
""",
    "contact_anchored_push": """
    block, goal = keypoints[0], keypoints[1]
    direction = goal - block
    direction = direction / (torch.norm(direction) + 1e-6)
    contact = block - 0.03 * direction
    xyz = action_sequence[..., :3]
    to_contact = torch.norm(xyz - contact, dim=-1)
    anchored = torch.exp(-10.0 * to_contact)
    progress = ((xyz - contact) * direction).sum(dim=-1)
    best, _ = torch.cummax(progress, dim=1)
    backtracking = (best - progress).sum(dim=1)
    along = progress.unsqueeze(-1) * direction
    drift = torch.norm((xyz - contact) - along, dim=-1).mean(dim=1)
    return (progress * anchored).sum(dim=1) - 2.0 * backtracking - 5.0 * drift - to_contact[:, 0]
""",
    "numpy_spelling": """
    target = np.array([0.1, 0.0, 0.05]) + keypoints[2]
    d = np.linalg.norm(action_sequence - target, axis=-1)
    smooth = np.sum(np.abs(np.diff(action_sequence, axis=1)), axis=(1, 2))
    return -np.mean(d, axis=1) - 0.1 * smooth
""",
    "loops_and_lists": """
    costs = []
    for i, point in enumerate(keypoints):
        if i % 2 == 0:
            costs.append(torch.norm(action_sequence[:, -1] - point, dim=-1))
        else:
            costs.append(0.5 * ((action_sequence[:, 0] - point) ** 2).sum(-1))
    total = sum(costs)
    spread = torch.stack([c for c in costs if True], dim=0).max(dim=0).values
    return -(total + spread).mean()
""",
    "in_place": """
    path = action_sequence.clone()
    path[..., 2] = 0.05
    path[:, 1:, 0] += 0.1
    score = torch.zeros(action_sequence.shape[1])
    score[1:] = torch.norm(path[0, 1:] - path[0, :-1], dim=-1)
    score += action_sequence[0, :, 1]
    view = score[2:4]
    view *= 2.0
    return score.sum()
""",
    "soft_avoidance": """
    obstacle = keypoints[3]
    distance = torch.norm(action_sequence - obstacle, dim=-1)
    penalty = F.softplus((0.1 - distance) * 50.0) / 50.0
    gate = torch.sigmoid((action_sequence[..., 2] - 0.1) / 0.02)
    reach = torch.norm(action_sequence[:, -1] - keypoints[0], dim=-1)
    return -(penalty * gate).sum() - reach.squeeze()
""",
    "local_functions": """
    def distance(p, q, scale=1.0):
        return scale * torch.norm(p - q, dim=-1)
    closest = lambda p: distance(p, keypoints[1], scale=2.0)
    return -closest(action_sequence).mean() - distance(action_sequence[:, -1], keypoints[0]).sum()
""",
    "static_conditions": """
    T = action_sequence.shape[1]
    weights = [0.5 if t < T // 2 else 1.5 for t in range(T)]
    w = torch.tensor(weights)
    assert len(weights) == T
    reward = 0.0
    for t in range(T - 1, 0, -2):
        if t == 1:
            break
        reward -= w[t] * (action_sequence[0, t] - keypoints[t % 4]).pow(2).sum()
    else:
        reward = reward * 1.0
    return reward if T > 3 else -reward
""",
    "perpendicular_drift": """
    start = action_sequence[:, :1]
    axis = F.normalize(keypoints[1] - keypoints[0], dim=0)
    delta = action_sequence - start
    along = torch.einsum('btd,d->bt', delta, axis)
    across = delta - along[..., None] * axis.view(1, 1, 3)
    turned = torch.cross(delta, axis.expand_as(delta), dim=-1)
    return along[:, -1].sum() - across.norm(dim=-1).sum() - turned.pow(2).sum()
""",
    "alignment": """
    velocity = action_sequence[:, 1:] - action_sequence[:, :-1]
    wanted = (keypoints[1] - keypoints[0]).view(1, 1, 3).expand(-1, velocity.shape[1], -1)
    cosine = F.cosine_similarity(velocity, wanted, dim=-1)
    speed = velocity.norm(dim=-1)
    return (cosine * speed).sum(dim=1) - speed.std(dim=1)
""",
    "nearest_keypoint": """
    d = torch.cdist(action_sequence[0], keypoints)
    nearest, which = d.min(dim=1)
    index = torch.argmin(d[-1])
    chosen = keypoints[index]
    soft = -torch.logsumexp(-d * 20.0, dim=1) / 20.0
    return -nearest.sum() - soft.mean() - torch.norm(action_sequence[0, -1] - chosen)
""",
    "softmax_weights": """
    d = torch.norm(action_sequence[:, :, None, :] - keypoints[None, None], dim=-1)
    w = torch.softmax(-d / 0.1, dim=-1)
    return -(w * d).sum(dim=-1).mean() + 0.01 * F.log_softmax(-d, dim=-1)[0, 0, 0]
""",
    "python_extremes": """
    first = torch.norm(action_sequence[0, 0] - keypoints[0])
    last = torch.norm(action_sequence[0, -1] - keypoints[0])
    return max(first, last) - min(first, 0.2) + abs(first - last) + math.sqrt(2.0) * last
""",
    "masks": """
    height = action_sequence[..., 2]
    low = height < 0.2
    lift = torch.where(low, 0.2 - height, torch.zeros_like(height))
    both = (height > 0.05) & ~(height > 0.4)
    rows = torch.tensor([True, False, True, True])
    picked = keypoints[rows][:, 2].mean()
    return -lift.sum() + (both.float() * height).sum() * picked - low.sum() * 0.01
""",
    "index_forms": """
    a = action_sequence
    some = a[0, [0, 2, -1]]
    grid = a[0][torch.tensor([0, 1]), torch.tensor([2, 0])]
    steps = a[:, ::2, 1:]
    last = a[..., -1, :]
    return some.sum() + (grid ** 2).sum() + steps.abs().sum() + last.prod() + a[None, 0, 1:3].mean()
""",
    "pick_terse": """
    g = keypoints[0]
    d = torch.norm(action_sequence[..., :3] - g, dim=-1)
    return -d[:, -1].mean() - 0.1 * d.mean()
""",
    "pick_staged_by_height": """
    # Keypoint 0 is the mug handle.
    # We first hover 8 cm above it and only descend when the gripper is laterally aligned.
    handle = keypoints[0]
    hover_height = 0.08
    ee = action_sequence[..., :3]                       # (B, T, 3)

    # Lateral (xy) distance at every timestep
    lateral = torch.norm(ee[..., :2] - handle[:2], dim=-1)
    # How well aligned are we?  1 = perfectly aligned
    aligned = torch.exp(-lateral / 0.03)
    # Desired height: blends from hover to the handle height
    desired_z = handle[2] + hover_height * (1.0 - aligned)
    vertical = (ee[..., 2] - desired_z).abs()

    cost = lateral + 0.5 * vertical
    T = cost.shape[1]
    time_weights = torch.linspace(0.1, 1.0, T, device=cost.device, dtype=cost.dtype)
    return -(cost * time_weights).sum(dim=1).mean()
""",
    "pick_approach_from_above": """
    target = keypoints[1].clone()
    target[2] = target[2] + 0.02
    ee = action_sequence[0]
    T, _ = ee.shape
    reward = torch.tensor(0.0)
    for t in range(T):
        progress = t / (T - 1)
        waypoint = target + torch.tensor([0.0, 0.0, 0.1 * (1 - progress)])
        reward = reward - (0.5 + progress) * torch.linalg.norm(ee[t] - waypoint)
    return reward / T
""",
    "pick_grasp_midpoint": """
    left_edge, right_edge, *others = keypoints
    midpoint = 0.5 * (left_edge + right_edge)
    gripper = action_sequence[:, -1]
    reach = ((gripper - midpoint) ** 2).sum(dim=-1).add(1e-8).sqrt()
    clearance = torch.stack([torch.norm(gripper - o, dim=-1) for o in others]).min(dim=0).values
    return (-reach + 0.1 * torch.clamp(clearance, max=0.15)).squeeze()
""",
    "pick_softmin_over_time": """
    dist = torch.linalg.norm(action_sequence - keypoints[2][None, None, :], dim=-1)
    temperature = 0.02
    soft_closest = -temperature * torch.logsumexp(-dist / temperature, dim=1)
    final = dist[:, -1]
    return -(0.3 * soft_closest + 0.7 * final).mean()
""",
    "pick_dict_of_weights": """
    weights = {"reach": 1.0, "height": 0.5, "smooth": 0.05}
    grasp_point = keypoints[3]
    terms = {}
    terms["reach"] = -torch.norm(action_sequence[:, -1, :] - grasp_point, dim=-1).mean()
    terms["height"] = -F.relu(grasp_point[2] - action_sequence[..., 2]).mean()
    velocity = torch.diff(action_sequence, dim=1)
    terms["smooth"] = -(velocity[:, 1:] - velocity[:, :-1]).pow(2).sum(dim=-1).mean()
    total = 0.0
    for name, weight in weights.items():
        total = total + weight * terms[name]
    return total
""",
    "pick_keypoint_cluster_mean": """
    cluster = keypoints[[0, 1, 2]]
    center = cluster.mean(dim=0)
    spread = (cluster - center).norm(dim=-1).max()
    d = (action_sequence - center).norm(dim=-1)
    inside = torch.sigmoid((spread - d) / 0.05)
    return (inside.sum(dim=-1) - 2 * d[:, -1]).mean()
""",
    "pick_bounding_box_center": """
    lo = keypoints.min(dim=0).values
    hi = keypoints.max(dim=0).values
    box_center, box_size = (lo + hi) / 2, hi - lo
    normalized = (action_sequence - box_center) / (box_size + 1e-3)
    outside = torch.relu(normalized.abs() - 0.5)
    return -(outside ** 2).sum(dim=(1, 2)).mean() - 0.1 * normalized[:, -1].norm()
""",
    "pick_type_annotations": """
num_stages: int = 1  # a single stage
# Stage 1: reach the lid
HOVER: float = 0.04

def stage1_guidance(keypoints: torch.Tensor, action_sequence: torch.Tensor, gain: float = 2.0) -> torch.Tensor:
    '''Reach a point above the lid.'''
    lid: torch.Tensor = keypoints[0]
    goal: torch.Tensor = lid + torch.tensor([0.0, 0.0, HOVER], dtype=keypoints.dtype, device=keypoints.device)
    error: torch.Tensor = (action_sequence - goal).pow(2).sum(-1)
    return -gain * error.mean()
""",
    "pick_module_constants": """
import math
from typing import List
import torch
import torch.nn.functional as F

num_stages = 1
UP = torch.tensor([0.0, 0.0, 1.0])
EPS, MARGIN = 1e-6, 0.5 * 0.06
ANGLE = math.radians(30)
WEIGHTS = [math.exp(-0.1 * i) for i in range(6)]

def stage1_guidance(keypoints, action_sequence):
    direction = action_sequence[:, -1] - action_sequence[:, 0]
    direction = direction / (direction.norm(dim=-1, keepdim=True) + EPS)
    tilt = torch.acos(torch.clamp((direction * UP).sum(-1), -1 + EPS, 1 - EPS))
    d = (action_sequence - keypoints[0]).norm(dim=-1)
    w = torch.tensor(WEIGHTS)
    return -(d * w).sum() / w.sum() - 0.1 * (tilt - ANGLE).abs().sum() + MARGIN

if __name__ == "__main__":
    print(stage1_guidance(torch.zeros(4, 3), torch.zeros(1, 6, 3)))
""",
    "place_above_then_down": """
    target = keypoints[1]
    T = action_sequence.shape[1]
    half = T // 2
    above = target + torch.tensor([0.0, 0.0, 0.12])
    first_half = torch.norm(action_sequence[:, :half] - above, dim=-1).mean(dim=1)
    second_half = torch.norm(action_sequence[:, half:] - target, dim=-1).mean(dim=1)
    return (-first_half - 2.0 * second_half).sum()
""",
    "place_gated_release": """
    bin_center = (keypoints[0] + keypoints[1] + keypoints[2] + keypoints[3]) / 4
    xy_err = torch.norm(action_sequence[..., :2] - bin_center[:2], dim=-1)
    z_err = action_sequence[..., 2] - (bin_center[2] + 0.05)
    gate = torch.sigmoid((0.04 - xy_err) / 0.01)
    descend = -gate * torch.abs(z_err)
    carry = -(1 - gate) * (xy_err + F.relu(-z_err))
    return (descend + carry).mean(dim=1).sum()
""",
    "place_huber_terms": """
    goal = keypoints[2] + 0.03 * torch.tensor([0., 0., 1.])
    err = action_sequence[:, -1] - goal
    loss = F.smooth_l1_loss(action_sequence[:, -1], goal.expand_as(err), beta=0.05, reduction='sum')
    path = F.mse_loss(action_sequence[:, 1:], action_sequence[:, :-1])
    return -loss - 0.1 * path
""",
    "place_rekep_cost": """
    # ReKep style: cost <= 0 is satisfied, so the reward is the negated cost
    offsetted_point = keypoints[1] + np.array([0, 0, 0.05])
    cost = np.linalg.norm(action_sequence[0, -1] - offsetted_point)
    path_costs = np.linalg.norm(action_sequence[0] - offsetted_point, axis=-1)
    path_cost = np.mean(path_costs) - 0.01
    return -(cost + 0.5 * np.maximum(path_cost, 0.0))
""",
    "place_in_row": """
    slots = torch.stack([keypoints[0] + i * 0.1 * (keypoints[1] - keypoints[0]) for i in range(5)])
    final = action_sequence[0, -1]
    dist = torch.linalg.norm(slots - final, dim=1)
    best = torch.argmin(dist)
    commitment = torch.softmax(-dist / 0.05, dim=0)
    return -dist[best] - 0.2 * (commitment * dist).sum()
""",
    "place_level_carry": """
    z = action_sequence[0, :, 2]
    carry_height = torch.max(keypoints[:, 2]) + 0.1
    middle = z[1:-1]
    ends = torch.stack((z[0], z[-1]))
    penalty = torch.relu(carry_height - middle).pow(2).sum() + 0.1 * ends.var()
    return -penalty - torch.norm(action_sequence[0, -1] - keypoints[3])
""",
    "push_contact_normal": """
    obj, goal = keypoints[0], keypoints[1]
    n = F.normalize(goal - obj, dim=-1)
    behind = obj - 0.05 * n
    rel = action_sequence - behind
    s = torch.einsum("btc,c->bt", rel, n)
    perp = rel - torch.einsum("bt,c->btc", s, n)
    lateral = perp.norm(dim=-1)
    reward = s.clamp(min=-0.1, max=0.2).mean(1) - 4.0 * lateral.mean(1)
    return reward.sum()
""",
    "push_two_phases_by_sigmoid": """
    block = keypoints[0]
    target = keypoints[1]
    push_dir = (target - block) / torch.clamp(torch.norm(target - block), min=1e-4)
    pre = block - push_dir * 0.06
    d_pre = torch.norm(action_sequence - pre, dim=-1)
    d_goal = torch.norm(action_sequence - target, dim=-1)
    # become "in contact" smoothly and never lose it again
    contact = torch.sigmoid((0.05 - d_pre) * 60)
    engaged, _ = torch.cummax(contact, dim=1)
    return (-(1 - engaged) * d_pre - engaged * d_goal).sum(dim=1).mean()
""",
    "push_progress_per_step": """
    goal = keypoints[3]
    prev = torch.norm(action_sequence[:, 0] - goal, dim=-1)
    reward = 0
    for t in range(1, action_sequence.size(1)):
        cur = torch.norm(action_sequence[:, t] - goal, dim=-1)
        gain = prev - cur
        reward += torch.where(gain > 0, gain, 3.0 * gain)
        prev = cur
    return reward.mean()
""",
    "push_keep_height": """
    ee = action_sequence
    block_height = keypoints[0][2].item()
    low_penalty = (ee[:, :, 2] - block_height).pow(2).mean()
    heading = keypoints[1, :2] - keypoints[0, :2]
    heading = heading / heading.norm()
    displacement = ee[:, -1, :2] - ee[:, 0, :2]
    return (displacement @ heading).sum() - 10 * low_penalty
""",
    "push_matmul_frame": """
    x_axis = F.normalize(keypoints[1] - keypoints[0], dim=0)
    z_axis = torch.tensor([0.0, 0.0, 1.0])
    y_axis = torch.cross(z_axis, x_axis, dim=0)
    y_axis = y_axis / torch.linalg.norm(y_axis)
    z_axis = torch.cross(x_axis, y_axis, dim=0)
    R = torch.stack([x_axis, y_axis, z_axis], dim=0)          # rows are the axes
    local = (action_sequence - keypoints[0]) @ R.T
    forward, side, up = local.unbind(dim=-1)
    return forward[:, -1].sum() - 2 * side.pow(2).sum() - up.pow(2).sum()
""",
    "push_monotone": """
    d = torch.linalg.vector_norm(action_sequence - keypoints[2], dim=-1)
    increments = d[:, 1:] - d[:, :-1]
    violations = torch.clamp(increments, min=0.0)
    return -d.mean() - 10.0 * violations.sum() + 0.1 * (-increments).tanh().sum()
""",
    "pull_drawer_axis": """
    handle = keypoints[0]
    pull_axis = torch.tensor([-1.0, 0.0, 0.0])
    start = action_sequence[:, 0]
    pulled = ((action_sequence - start.unsqueeze(1)) * pull_axis).sum(-1)
    off_axis = (action_sequence - start[:, None, :]) - pulled[..., None] * pull_axis
    attach = torch.norm(start - handle, dim=-1)
    desired = torch.linspace(0, 0.15, pulled.shape[-1])
    return -(pulled - desired).abs().mean() - off_axis.norm(dim=-1).mean() - attach.sum()
""",
    "pull_keep_grip_distance": """
    def keep(a, b, length):
        gap = torch.norm(a - b, dim=-1) - length
        return gap * gap

    handle, hinge = keypoints[0], keypoints[1]
    radius = torch.norm(handle - hinge)
    total = torch.zeros(())
    for step in action_sequence[0]:
        total = total + keep(step, hinge, radius)
    away = (action_sequence[0, -1] - hinge)[0]
    return -total - 0.3 * away
""",
    "pull_terms_by_closure": """
    terms = []

    def add(weight, value):
        terms.append(weight * value)

    goal = keypoints[0] - torch.tensor([0.2, 0.0, 0.0])
    add(1.0, -torch.norm(action_sequence[:, -1] - goal, dim=-1))
    add(0.2, -torch.diff(action_sequence, dim=1).norm(dim=-1).sum(dim=1))
    add(-0.5, F.relu(keypoints[0, 2] - action_sequence[..., 2]).mean(dim=1))
    return torch.stack(terms).sum()
""",
    "pull_slope_fit": """
    x = action_sequence[0, :, 0]
    t = torch.arange(x.shape[0], dtype=torch.float64)
    t = t - t.mean()
    slope = (t * (x - x.mean())).sum() / (t ** 2).sum()
    residual = x - x.mean() - slope * t
    return -slope - 5.0 * residual.pow(2).mean()
""",
    "slide_along_edge": """
    a, b = keypoints[0], keypoints[1]
    edge = b - a
    length = edge.norm()
    u = edge / length
    s = ((action_sequence - a) * u).sum(-1)
    s_clamped = torch.clamp(s / length, 0.0, 1.0) * length
    nearest = a + s_clamped.unsqueeze(-1) * u
    off = (action_sequence - nearest).norm(dim=-1)
    return -off.sum() + s[:, -1].mean() / length
""",
    "slide_surface_contact": """
    # plane through three keypoints
    p0, p1, p2 = keypoints[0], keypoints[1], keypoints[2]
    normal = torch.linalg.cross(p1 - p0, p2 - p0)
    normal = normal / (torch.linalg.norm(normal) + 1e-9)
    height = torch.matmul(action_sequence - p0, normal)
    tangential = torch.diff(action_sequence, dim=1)
    tangential = tangential - (tangential @ normal).unsqueeze(-1) * normal
    return -20.0 * height.pow(2).mean() + tangential.norm(dim=-1).sum().clamp(max=0.5)
""",
    "slide_wall_avoidance": """
    wall_x = 0.42
    margin = 0.02
    x = action_sequence[..., 0]
    hit = torch.relu(x - (wall_x - margin))
    goal = torch.norm(action_sequence[:, -1] - keypoints[1], dim=-1)
    return -goal.mean() - 100.0 * (hit ** 2).sum() - 1.0 * hit.max()
""",
    "slide_while_waypoints": """
    n = 4
    i = 0
    reward = 0.0
    while i < n:
        frac = i / (n - 1)
        waypoint = (1 - frac) * keypoints[0] + frac * keypoints[3]
        index = min(round(frac * (action_sequence.shape[1] - 1)), action_sequence.shape[1] - 1)
        reward -= torch.norm(action_sequence[:, index] - waypoint, dim=-1).mean()
        i += 1
    return reward / n
""",
    "slide_smoothness_jerk": """
    v = action_sequence[:, 1:] - action_sequence[:, :-1]
    a = v[:, 1:] - v[:, :-1]
    j = a[:, 1:] - a[:, :-1]
    costs = {k: w * x.pow(2).sum(dim=-1).mean() for k, w, x in [("v", 0.1, v), ("a", 1.0, a), ("j", 2.0, j)]}
    goal_cost = (action_sequence[:, -1] - keypoints[0]).abs().sum()
    return -(sum(costs.values()) + goal_cost)
""",
    "press_button": """
    button = keypoints[0]
    pre_press = button.clone()
    pre_press[2] += 0.05
    T = action_sequence.shape[1]
    ee = action_sequence[..., :3]
    xy = torch.norm(ee[..., 0:2] - button[0:2], dim=2)
    depth = button[2] - 0.01 - ee[..., 2]
    approach = torch.norm(ee[:, : T // 2] - pre_press, dim=2).mean(dim=1)
    press = (depth[:, T // 2 :].abs() + 3 * xy[:, T // 2 :]).mean(dim=1)
    return -(approach + press).squeeze(0)
""",
    "press_boolean_weights": """
    z = action_sequence[0, :, 2]
    steps = torch.arange(z.shape[0])
    late = steps >= 3
    w = torch.ones_like(z)
    w[late] = 4.0
    w[~late] *= 0.5
    err = (z - keypoints[0, 2]).abs()
    return -(w * err).sum() / w.sum()
""",
    "press_down_velocity": """
    vz = torch.diff(action_sequence[..., 2], dim=1)
    above = torch.exp(-((action_sequence[:, :-1, :2] - keypoints[1, :2]) ** 2).sum(-1) / 0.01)
    downward = -(vz * above).sum(dim=1)
    upward_penalty = torch.clamp(vz, min=0).sum(dim=1)
    return (downward - 0.5 * upward_penalty)[0]
""",
    "press_in_place_mask": """
    z = action_sequence[0, :, 2].clone()
    limit = keypoints[2, 2]
    z[z < limit] = 0.0
    z[z > 0.3] *= 0.5
    gains = torch.ones(z.shape[0])
    gains[::2] = 0.25
    gains[-1] += 1.0
    return (gains * z).sum() - torch.norm(action_sequence[0, -1, :2] - keypoints[2, :2])
""",
    "press_hold": """
    target = keypoints[3] + torch.tensor([0, 0, 0.005])
    last = action_sequence[:, -3:]
    hold_position = (last - target).norm(dim=-1).mean(dim=-1)
    hold_still = (last[:, 1:] - last[:, :-1]).norm(dim=-1).sum(dim=-1)
    return torch.mean(-hold_position - 0.3 * hold_still)
""",
    "pour_circular_arc": """
    spout, cup = keypoints[0], keypoints[1]
    pivot = cup + torch.tensor([0.0, 0.0, 0.15])
    radius = torch.norm(spout - pivot)
    T = action_sequence.shape[1]
    angles = torch.linspace(0.0, math.pi / 3, T)
    arc = torch.stack([
        pivot[0] + radius * torch.cos(angles),
        pivot[1] * torch.ones(T),
        pivot[2] + radius * torch.sin(angles),
    ], dim=-1)
    return -((action_sequence[0] - arc) ** 2).sum(dim=-1).mean()
""",
    "pour_tilt_angle": """
    opening, base = keypoints[0], keypoints[1]
    offset = opening - base
    start = action_sequence[:, :1]
    moved_opening = offset + (action_sequence - start)
    up = torch.tensor([0.0, 0.0, 1.0]).expand_as(moved_opening)
    cos_tilt = F.cosine_similarity(moved_opening, up, dim=-1)
    tilt = torch.acos(cos_tilt.clamp(-0.999, 0.999))
    wanted = torch.deg2rad(torch.linspace(0.0, 60.0, tilt.shape[1]))
    return -((tilt - wanted) ** 2).mean(dim=1).sum()
""",
    "pour_over_target": """
    cup_rim = keypoints[:2].mean(0)
    over = cup_rim + torch.as_tensor([0.0, 0.0, 0.1])
    xy = torch.norm(action_sequence[..., :2] - over[:2], dim=-1)
    z = action_sequence[..., 2]
    not_below = F.softplus((over[2] - z) / 0.01) * 0.01
    return -(xy + not_below).mean() - 0.05 * z.var(unbiased=False)
""",
    "rotate_about_hinge_rodrigues": """
    hinge, handle = keypoints[0], keypoints[1]
    k = torch.tensor([0.0, 0.0, 1.0])
    r = handle - hinge
    T = action_sequence.shape[1]
    reward = 0.0
    for t in range(T):
        theta = torch.tensor(math.pi / 4 * t / (T - 1))
        # Rodrigues' formula
        c, s = torch.cos(theta), torch.sin(theta)
        rotated = r * c + torch.cross(k, r, dim=-1) * s + k * torch.dot(k, r) * (1 - c)
        reward = reward - torch.norm(action_sequence[:, t] - (hinge + rotated), dim=-1)
    return reward.mean()
""",
    "rotate_angle_atan2": """
    pivot = keypoints[0]
    rel = action_sequence - pivot
    angle = torch.atan2(rel[..., 1], rel[..., 0] + 1e-6)
    turned = angle[:, -1] - angle[:, 0]
    # wrap to (-pi, pi]
    wrapped = torch.atan2(torch.sin(turned), torch.cos(turned))
    radius = torch.norm(rel[..., :2], dim=-1)
    keep_radius = (radius - radius[:, :1].detach()).pow(2).mean(dim=1)
    return (wrapped - 10 * keep_radius).sum()
""",
    "rotate_quaternion": """
    def quat_mul(q, p):
        w1, x1, y1, z1 = q
        w2, x2, y2, z2 = p
        return torch.stack([
            w1 * w2 - x1 * x2 - y1 * y2 - z1 * z2,
            w1 * x2 + x1 * w2 + y1 * z2 - z1 * y2,
            w1 * y2 - x1 * z2 + y1 * w2 + z1 * x2,
            w1 * z2 + x1 * y2 - y1 * x2 + z1 * w2,
        ])

    half = math.pi / 8
    q = torch.tensor([math.cos(half), 0.0, 0.0, math.sin(half)])
    conj = q * torch.tensor([1.0, -1.0, -1.0, -1.0])
    v = keypoints[1] - keypoints[0]
    v_quat = torch.cat([torch.zeros(1), v])
    rotated = quat_mul(quat_mul(q, v_quat), conj)[1:]
    goal = keypoints[0] + rotated
    return -torch.norm(action_sequence[0, -1] - goal) - torch.norm(action_sequence[0] - goal, dim=-1).mean()
""",
    "rotate_matrix_batch": """
    T = action_sequence.shape[1]
    angles = torch.linspace(0, 1, T) * (math.pi / 2)
    zeros, ones = torch.zeros_like(angles), torch.ones_like(angles)
    R = torch.stack([
        torch.stack([angles.cos(), -angles.sin(), zeros], dim=-1),
        torch.stack([angles.sin(), angles.cos(), zeros], dim=-1),
        torch.stack([zeros, zeros, ones], dim=-1),
    ], dim=-2)
    lever = keypoints[2] - keypoints[3]
    path = keypoints[3] + torch.einsum('tij,j->ti', R, lever)
    err = (action_sequence.squeeze(0) - path).norm(dim=-1)
    return -err.mean() - err.max()
""",
    "rotate_tangent_velocity": """
    center = keypoints.mean(dim=0)
    rel = action_sequence[:, :-1] - center
    vel = action_sequence[:, 1:] - action_sequence[:, :-1]
    axis = torch.tensor([0.0, 0.0, 1.0]).view(1, 1, 3).repeat(1, rel.shape[1], 1)
    tangent = F.normalize(torch.cross(axis, rel, dim=-1), dim=-1, eps=1e-8)
    tangential_speed = (vel * tangent).sum(dim=-1)
    radial_speed = (vel * F.normalize(rel, dim=-1)).sum(dim=-1)
    return tangential_speed.sum() - radial_speed.abs().sum()
""",
    "avoid_all_keypoints_but_goal": """
    goal_idx = 2
    obstacles = [i for i in range(keypoints.shape[0]) if i != goal_idx]
    reach = torch.norm(action_sequence - keypoints[goal_idx], dim=-1).mean()
    penalty = 0
    for i in obstacles:
        gap = torch.norm(action_sequence - keypoints[i], dim=-1)
        penalty = penalty + torch.exp(-gap.pow(2) / (2 * 0.05 ** 2)).sum()
    return -reach - 0.5 * penalty
""",
    "avoid_segment_clearance": """
    # sample points between consecutive waypoints so the path is safe in between as well
    ee = action_sequence[0]
    alphas = torch.linspace(0, 1, 4)[:-1]
    dense = torch.cat([ee[:-1] * (1 - a) + ee[1:] * a for a in alphas], dim=0)
    gap = torch.cdist(dense, keypoints[1:])
    worst = gap.min()
    violation = torch.relu(0.1 - gap)
    return worst - 5.0 * violation.square().sum() - torch.norm(ee[-1] - keypoints[0])
""",
    "avoid_sphere_and_box": """
    sphere_c, sphere_r = keypoints[0], 0.08
    box_lo, box_hi = torch.minimum(keypoints[1], keypoints[2]), torch.maximum(keypoints[1], keypoints[2])
    sd_sphere = (action_sequence - sphere_c).norm(dim=-1) - sphere_r
    q = torch.maximum(box_lo - action_sequence, action_sequence - box_hi)
    sd_box = torch.relu(q).norm(dim=-1) + torch.clamp(q.amax(dim=-1), max=0.0)
    sd = torch.min(sd_sphere, sd_box)
    return -F.softplus(-sd / 0.02).mean() * 0.02 - (action_sequence[:, -1] - keypoints[3]).norm()
""",
    "avoid_masked_where": """
    d = torch.norm(action_sequence[:, :, None] - keypoints[None, None, 1:], dim=-1)
    too_close = d < 0.2
    cost = torch.where(too_close, (0.2 - d) ** 2, torch.tensor(0.0))
    any_close = too_close.any(dim=-1).float()
    return -cost.sum() - 0.01 * (any_close * d.mean(-1)).sum() - d[..., 0].mean()
""",
    "avoid_height_over_clutter": """
    nearest_d, nearest_i = torch.norm(action_sequence[0].unsqueeze(1) - keypoints.unsqueeze(0), dim=-1).min(dim=1)
    top = keypoints[nearest_i, 2] + 0.05
    below = torch.relu(top - action_sequence[0, :, 2])
    nearest_points = keypoints[nearest_i]
    away = torch.norm(action_sequence[0] - nearest_points, dim=-1)
    return -below.sum() + 0.1 * away.mean() - nearest_d.max()
""",
    "align_two_directions": """
    tool = F.normalize(action_sequence[0, -1] - action_sequence[0, 0], dim=0)
    slot = F.normalize(keypoints[1] - keypoints[0], dim=0)
    alignment = torch.dot(tool, slot)
    twist = torch.linalg.norm(torch.linalg.cross(tool, slot))
    return alignment - 0.1 * twist - torch.linalg.norm(action_sequence[0, -1] - keypoints[1])
""",
    "align_angle_between": """
    def angle_between(u, v, eps=1e-7):
        cos = (u * v).sum(-1) / (u.norm(dim=-1) * v.norm(dim=-1) + eps)
        return torch.arccos(cos.clamp(-1.0 + eps, 1.0 - eps))

    seg = action_sequence[0, 1:] - action_sequence[0, :-1]
    want = keypoints[3] - keypoints[0]
    bend = angle_between(seg[1:], seg[:-1])
    return -angle_between(seg, want).mean() - 0.1 * bend.sum()
""",
    "align_line_fit": """
    pts = action_sequence[0]
    centered = pts - pts.mean(dim=0, keepdim=True)
    cov = centered.t() @ centered / (pts.shape[0] - 1)
    axis = F.normalize(keypoints[1] - keypoints[0], dim=0)
    along = axis @ cov @ axis
    total = cov[0, 0] + cov[1, 1] + cov[2, 2]
    return along / (total + 1e-6)
""",
    "align_xy_then_z": """
    delta = action_sequence - keypoints[0]
    dx, dy, dz = delta[..., 0], delta[..., 1], delta[..., 2]
    xy = torch.sqrt(dx ** 2 + dy ** 2 + 1e-8)
    gate = 1.0 / (1.0 + torch.exp((xy - 0.05) * 40))
    return (-xy - gate * dz.abs()).mean()
""",
    "align_symmetric_keypoints": """
    pairs = [(0, 1), (2, 3)]
    mids = torch.stack([(keypoints[i] + keypoints[j]) / 2 for i, j in pairs], dim=0)
    axis = mids[1] - mids[0]
    unit = axis / axis.norm().clamp(min=1e-6)
    offsets = action_sequence[0] - mids.mean(dim=0)
    proj = offsets @ unit
    perp2 = (offsets ** 2).sum(-1) - proj ** 2
    return -perp2.sum() - 0.1 * proj.abs().max()
""",
    "vls_reference_reach": """
    positions = action_sequence[..., :3]
    object_pos = keypoints[0]
    target_pos = object_pos.unsqueeze(0).unsqueeze(0)
    distances = torch.norm(positions - target_pos, dim=-1)
    horizon = positions.shape[1]
    weights = torch.exp(torch.linspace(-2.0, 0.0, horizon, device=positions.device))
    weights = weights / weights.sum()
    reward = -(distances * weights.unsqueeze(0)).sum(dim=1)
    return reward.mean()
""",
    "vls_reference_push": """
    ee_pos = action_sequence[..., :3]
    batch_size, horizon, _ = ee_pos.shape
    start_obj, goal = keypoints[0], keypoints[1]
    direction = (goal - start_obj)[:2]
    direction = direction / (direction.norm() + 1e-6)
    projections = torch.matmul(ee_pos[..., :2] - start_obj[:2], direction)
    running_max = torch.cummax(projections, dim=-1).values
    backtrack = F.relu(running_max - projections)
    goal_dist = torch.norm(ee_pos[:, -1, :2] - goal[:2], dim=-1)
    progress = projections[:, -1] - projections[:, 0]
    smooth = (ee_pos[:, 2:] - 2 * ee_pos[:, 1:-1] + ee_pos[:, :-2]).pow(2).sum(dim=-1).mean(dim=-1)
    reward = 2.0 * progress - goal_dist - 5.0 * backtrack.mean(dim=-1) - 0.1 * smooth
    return reward.sum() / batch_size
""",
    "vls_reference_staged": """
    ee = action_sequence[..., :3]
    T = ee.shape[1]
    grasp, lift = keypoints[0], keypoints[0] + torch.tensor([0.0, 0.0, 0.15], device=ee.device)
    ramp = torch.sigmoid((torch.arange(T, device=ee.device).float() - T / 2) / 1.5)
    d_grasp = torch.norm(ee - grasp, dim=-1)
    d_lift = torch.norm(ee - lift, dim=-1)
    return -((1 - ramp) * d_grasp + ramp * d_lift).sum(dim=-1).mean()
""",
    "rekep_numpy_distances": """
    '''Subgoal constraint: the end-effector is 10 cm above the center of keypoints 1 and 2.'''
    center = (keypoints[1] + keypoints[2]) / 2
    center_above = center + np.array([0.0, 0.0, 0.1])
    end_effector = action_sequence[0, -1]
    cost = np.linalg.norm(end_effector - center_above)
    deviation = np.abs(action_sequence[0][:, 0] - center[0])
    return -cost - 0.1 * np.sum(np.clip(deviation, 0.01, 0.3)) - 0.05 * np.std(deviation)
""",
    "rekep_path_constraint": """
    # path constraint: the grasped point keeps its height; cost should be <= 0
    height_change = action_sequence[0, :, 2] - action_sequence[0, 0, 2]
    cost = np.maximum(np.abs(height_change) - 0.02, 0.0)
    vec = keypoints[1] - keypoints[0]
    vec = vec / np.linalg.norm(vec)
    moved = np.dot(action_sequence[0], vec)
    return -np.sum(np.power(cost, 2)) * 100 + np.mean(moved) - np.sqrt(np.var(moved) + 1e-6)
""",
    "over_commented": """
    # ------------------------------------------------------------------
    # Step 1: unpack the inputs
    # ------------------------------------------------------------------
    traj = action_sequence  # shape: (1, T, 3)
    n_steps = traj.shape[1]; last = n_steps - 1   # two statements on a line

    # ------------------------------------------------------------------
    # Step 2: define the three sub-goals
    # ------------------------------------------------------------------
    subgoals = (
        keypoints[0],                              # the start
        (keypoints[0] + keypoints[1]) / 2.0,       # half way
        keypoints[1],                              # the end
    )

    # ------------------------------------------------------------------
    # Step 3: accumulate
    # ------------------------------------------------------------------
    reward = torch.zeros(1)
    for index, subgoal in enumerate(subgoals):
        step = index * last // (len(subgoals) - 1)
        reward += -torch.norm(traj[:, step, :] - subgoal, dim=-1) \\
                  * (1.0 + index)

    return reward.squeeze()
""",
    "helper_lambdas": """
    dist = lambda p, q: torch.norm(p - q, dim=-1)
    bump = lambda x, width=0.05: torch.exp(-(x / width) ** 2)
    scorers = [lambda p, i=i: bump(dist(p, keypoints[i]), 0.1 + 0.05 * i) for i in range(4)]
    scores = torch.stack([score(action_sequence) for score in scorers], dim=-1)
    return scores.max(dim=-1)[0].sum() + 0.01 * dist(action_sequence[:, -1], keypoints[0]).sum()
""",
    "python_containers": """
    waypoints = [keypoints[i] for i in sorted({"a": 3, "b": 1, "c": 2}.values())]
    waypoints.insert(0, keypoints[0])
    last = waypoints.pop()
    order = list(reversed(waypoints)) + [last]
    config = dict(scale=2.0, bias=0.1)
    config.update({"bias": config.get("bias", 0.0) * 2})
    use = all(isinstance(p, torch.Tensor) for p in order) and "scale" in config
    total = sum(map(lambda pair: pair[0] * torch.norm(action_sequence[0, -1] - pair[1]), zip([1.0, 0.5, 0.25, 0.125], order)))
    quotient, rest = divmod(len(order), 3)
    if (n := len(order)) > 3 and use:
        total = total * config["scale"] + config["bias"] * action_sequence.sum() / n
    return -total * quotient + rest * action_sequence[0, 0, 0]
""",
    "no_grad_normalizer": """
    d = torch.norm(action_sequence - keypoints[0], dim=-1)
    with torch.no_grad():
        scale = d.max() + 1e-6
        weights = torch.softmax(-d / 0.1, dim=-1)
        first = d[0, 0]
    return -(weights * d / scale).sum() * first
""",
    "computed_indices": """
    d = torch.cdist(action_sequence[0], keypoints)          # (T, K)
    idx = d.argmin(dim=1)
    steps = torch.arange(d.shape[0])
    chosen = d[steps, idx]
    following = keypoints[(idx + 1) % 4]
    previous = keypoints[idx - 1, :2]
    lead = torch.norm(action_sequence[0] - following, dim=-1)
    lag = (action_sequence[0, :, :2] - previous).pow(2).sum(-1)
    return -chosen.sum() - 0.2 * lead.mean() - 0.1 * lag.mean()
""",
    "early_returns": """
    def score(p, mode):
        if mode == "near":
            return -torch.norm(p - keypoints[0], dim=-1).mean()
        elif mode == "low":
            return -p[..., 2].abs().mean()
        raise ValueError(mode)

    if keypoints.shape[0] < 2:
        return torch.tensor(0.0)
    modes, factors = zip(*[("near", 1.0), ("low", 0.3)])
    return sum(f * score(action_sequence, m) for m, f in zip(modes, factors))
""",
    "star_arguments": """
    pieces = [action_sequence[:, 0], action_sequence[:, -1]]
    both = torch.stack([*pieces, *pieces[:1]], dim=1)
    options = {"dim": -1, "keepdim": True}
    lengths = torch.norm(both - keypoints[0], **options)

    def weighted(*values, power=1):
        return sum(v.abs() ** power for v in values)

    first, *middle, final = lengths[0, :, 0]
    return -weighted(first, *middle, final, power=2) - weighted(final)
""",
    "views_and_writes": """
    path = action_sequence.clone()
    xy = path[..., :2]
    xy -= keypoints[0, :2]
    z = path[..., 2]
    z[...] = z - keypoints[0, 2]
    path[:, [0, -1]] *= 0.5
    table = torch.zeros(4, dtype=torch.float64)
    for i, k in enumerate(keypoints):
        table[i] = torch.norm(action_sequence[0, -1] - k)
    table[1:3] += 0.1 * path[0, 0, :2]
    return -path.norm(dim=-1).sum() - table.sort().values[0]
""",
    "float_of_tensor": """
    gap = torch.norm(action_sequence[0, -1] - keypoints[0])
    scale = 1.0 / (1.0 + gap.item())
    angle = math.atan2(0.3, 0.4)
    steps = int(math.ceil(2.5))
    fade = torch.tensor([math.exp(-i / steps) for i in range(action_sequence.shape[1])])
    d = torch.norm(action_sequence[0] - keypoints[1], dim=-1)
    return -(fade * d).sum() * scale - math.cos(angle) * gap - 0.1 * math.sqrt(gap) * d[0]
""",
}
