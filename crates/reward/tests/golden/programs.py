"""Whole reward programs, in the styles that vision-language models write, whose values and
gradients PyTorch itself computes.
"""

# name -> body of `def stage1_guidance(keypoints, action_sequence)`.
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
}
