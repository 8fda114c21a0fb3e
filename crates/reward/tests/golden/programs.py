"""Reward programs whose values and gradients PyTorch itself computes.

Two kinds: whole bodies in the styles that vision-language models write, and expressions that
cover one operation each. In all of them `a` is the action sequence (1, T, 3) and `k` the
keypoints (4, 3).
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

# Expressions of a scalar or of a tensor; a tensor is weighted element by element and summed.
EXPRESSIONS = [
    "a.abs() + (-a).exp() + (a + 2).log() + a.sin() * a.cos() + a.tan()",
    "torch.tanh(a) + torch.sigmoid(3 * a) + torch.relu(a - 0.3) + a.square()",
    "torch.asin(a * 0.5) + torch.acos(a * 0.5) + torch.atan(a) + torch.atan2(a, k[0] + 1)",
    "torch.sinh(a) + torch.cosh(a) + torch.expm1(a) + torch.log1p(a + 1)",
    "torch.sqrt(a + 1) + torch.rsqrt(a + 1) + torch.reciprocal(a + 1)",
    "torch.log2(a + 2) + torch.log10(a + 2) + torch.hypot(a, k[1])",
    "torch.floor(a * 7) * a + torch.ceil(a * 7) * a + torch.round(a * 7) * a + torch.sign(a) * a",
    "(a + 1) ** 1.5 + (a + 1) ** 3 + 2.0 ** a + (a + 1) ** (k[0] + 1) + a ** 2 + a ** 0",
    "a % 0.13 + (a.detach() // 0.13) * a + torch.remainder(a, 0.2)",
    "a.clamp(0.1, 0.4) + a.clamp(min=0.2) + torch.clamp(a, max=0.3) + np.clip(a, 0.0, 0.35)",
    "torch.maximum(a, k[0]) + torch.minimum(a, k[1]) + torch.max(a, k[2]) + a.min(k[3])",
    "F.leaky_relu(a - 0.3) + F.elu(a - 0.3) + F.silu(a) + F.relu6(20 * a) + F.hardtanh(4 * a)",
    "F.softplus(a, beta=5) + F.logsigmoid(a) + F.softplus(100 * a)",
    "torch.deg2rad(a) + torch.rad2deg(a) * 0.01 + torch.lerp(a, k[0], 0.3)",
    "a.sum(dim=1) + a.mean(1) + a.prod(dim=1) + a.var(dim=1) + a.std(dim=1)",
    "a.sum((0, 2), keepdim=True) * a.mean(dim=(1, 2), keepdim=True)",
    "np.var(a) + np.std(a, axis=1) + torch.var(a, dim=2, unbiased=False).sum()",
    "a.amax(dim=1) + a.amin(dim=(0, 1)) + a.max() + a.min() + a.max(dim=1)[0]",
    "torch.max(a, dim=1, keepdim=True).values - torch.min(a, 2, keepdim=True)[0]",
    "a.norm() + a.norm(dim=1) + torch.norm(a, p=1, dim=-1).sum() + torch.norm(a, p=3, dim=1)",
    "torch.linalg.norm(a, dim=2).sum() + torch.linalg.vector_norm(a, ord=float('inf'), dim=1)",
    "torch.logsumexp(a, dim=1) + torch.logsumexp(5 * a, dim=(1, 2)).sum()",
    "torch.softmax(a, dim=1) + a.softmax(-1) + F.softmin(a, dim=-1) + F.log_softmax(a, dim=1)",
    "torch.cumsum(a, dim=1) * 2 + a.cumprod(dim=1) + torch.cummax(a, dim=1)[0]",
    "torch.cummin(a, dim=1).values + torch.diff(a, dim=1, n=2).sum() + np.diff(a, axis=1).mean()",
    "torch.sort(a, dim=1)[0] * torch.arange(6.0).view(1, 6, 1)",
    "torch.topk(a, 2, dim=1).values * torch.tensor([1.0, 2.0]).view(1, 2, 1)",
    "torch.topk(a, 3, dim=1, largest=False)[0].mean(dim=1) + a.median(dim=1).values + a.median()",
    "torch.argsort(a, dim=1, descending=True) * a + torch.argmax(a, dim=1, keepdim=True) * a",
    "torch.cat([a, a * 2], dim=1) + torch.cat((a, a), 1)",
    "torch.stack([a[0, 0], a[0, 1]], dim=1) @ torch.tensor([1.0, -2.0])",
    "torch.hstack([a[0], a[0] * 2]) + torch.vstack([a[0, 0], a[0, 1]]).sum()",
    "a.view(6, 3).t() @ a.reshape(-1, 3) + a.permute(0, 2, 1).squeeze(0) @ a[0]",
    "torch.matmul(a, k[:3]) + a @ k[0:3].T + (a @ k[0]).unsqueeze(-1)",
    "torch.bmm(a, a.transpose(1, 2)).sum() + torch.outer(a[0, 0], k[0]).sum() + torch.mv(a[0], k[1])",
    "torch.dot(a[0, 0], k[0]) + torch.inner(a[0, 1], k[2]) + np.dot(a[0], k[1]).sum()",
    "torch.cross(a[0], k[0].expand(6, 3), dim=-1) + torch.linalg.cross(a[0], k[1:2])",
    "F.normalize(a, dim=-1) + F.normalize(a, p=1, dim=1)",
    "F.cosine_similarity(a, k[0].view(1, 1, 3), dim=-1) + torch.cosine_similarity(a, a + 1, dim=2)",
    "torch.einsum('btd,kd->btk', a, k) + torch.einsum('bti,bti->b', a, a)",
    "F.pairwise_distance(a[0], k[0]) + torch.cdist(a, k[None], p=1).sum()",
    "F.mse_loss(a, k[0].expand_as(a)) + F.l1_loss(a, a * 2) + F.mse_loss(a, a * 0, reduction='sum')",
    "F.smooth_l1_loss(a, torch.zeros_like(a), beta=0.2) + F.huber_loss(a, torch.ones_like(a), delta=0.5)",
    "a.flip(1) * torch.roll(a, 1, dims=1) + torch.roll(a, shifts=2, dims=2)",
    "a.repeat(1, 2, 1).sum(1) + k.tile(2, 1).sum() * a[:, 0] + a[:, :1].expand(1, 6, 3).sum(1)",
    "torch.split(a, 2, dim=1)[1] + a.chunk(3, dim=1)[0] + a.unbind(1)[2]",
    "a.narrow(1, 1, 3).sum() + a.select(1, 2) + a.movedim(1, 2).mean() + torch.flatten(a).sum()",
    "torch.full((3,), 0.5) * a + torch.eye(3)[1] * a + torch.ones(3) * a + torch.full_like(a, 2.0) * a",
    "a * torch.arange(1, 4) + a * torch.linspace(0, 1, 3) + torch.arange(0, 1.5, 0.5) * a",
    "torch.logical_and(a > 0.2, a < 0.4) * a + torch.logical_not(a > 0.2) * a + (a != 0) * a",
    "torch.gt(a, 0.2) * a + a.le(0.3) * a + ((a > 0.2) | (a < 0.1)) * a",
    "(a > 0.2).any() * a + (a > -5).all() * a + a.detach() * a + a[0, 0, 0].item() * a",
    "a[:, 1:-1] + a[:, :-2] * a[:, 2:]",
    "(a - k.mean(dim=0)).norm(dim=-1).max() + (a[:, -1:] - k).norm(dim=-1).min()",
    "a.size(1) * a + a.shape[-1] * a + len(k) * a + a.dim() * a + a.numel() * a",
    "torch.swapaxes(a, 1, 2) + a.mT + np.expand_dims(a, 0).sum()",
    "torch.where(a > 0.2, a ** 2, 0.5) + torch.where(k[0] > 0, a, -a)",
    "np.maximum(a, 0.1) + np.minimum(a, k[0]) + np.sqrt(a + 1) + np.power(a + 1, 2)",
    "max([a[0, i, 0] for i in range(3)]) + sum(a[0, i].sum() for i in range(0, 6, 2))",
    "torch.norm(a - k[0], dim=-1, keepdim=True) * a + a.diff(dim=1).norm(dim=-1).sum()",
]

# Ties and zeros, at inputs where they matter: `x` is the first three coordinates of the path.
TIES = [
    ("torch.cummax(x, 0)[0].sum()", [1.0, 3.0, 3.0]),
    ("torch.cummin(x, 0)[0].sum()", [3.0, 1.0, 1.0]),
    ("x.max(dim=0).values", [1.0, 3.0, 3.0]),
    ("x.min(dim=0)[0]", [3.0, 1.0, 1.0]),
    ("x.amax(dim=0)", [1.0, 3.0, 3.0]),
    ("x.max()", [1.0, 3.0, 3.0]),
    ("x.min()", [1.0, 1.0, 3.0]),
    ("torch.maximum(x, torch.tensor(3.0)).sum()", [3.0, 2.0, 4.0]),
    ("torch.minimum(x, torch.tensor(3.0)).sum()", [3.0, 2.0, 4.0]),
    ("x.norm()", [0.0, 0.0, 0.0]),
    ("torch.linalg.norm(x)", [0.0, 0.0, 0.0]),
    ("torch.norm(x, p=3)", [0.0, 0.0, 0.0]),
    ("torch.norm(x, p=1)", [0.0, 1.0, -1.0]),
    ("torch.norm(x, p=float('inf'))", [1.0, -1.0, 0.0]),
    ("x.abs().sum()", [0.0, 1.0, -1.0]),
    ("torch.relu(x).sum()", [0.0, 1.0, -1.0]),
    ("x.clamp(min=0).sum()", [0.0, 1.0, -1.0]),
    ("x.clamp(0, 1).sum()", [0.0, 1.0, 0.5]),
    ("torch.clamp(x, torch.zeros(3), torch.ones(3)).sum()", [0.0, 1.0, 0.5]),
    ("F.leaky_relu(x).sum()", [0.0, 1.0, -1.0]),
    ("F.elu(x).sum()", [0.0, 1.0, -1.0]),
    ("F.relu6(x).sum()", [0.0, 6.0, 1.0]),
    ("(x ** 0.0).sum() + (x.abs() ** 1.5).sum()", [0.0, 1.0, 2.0]),
    ("x.std()", [1.0, 1.0, 1.0]),
    ("x.prod()", [0.0, 2.0, 0.0]),
    ("torch.atan2(x, x).sum()", [0.0, 1.0, -1.0]),
    ("(torch.sort(x)[0] * torch.arange(3.0)).sum()", [3.0, 1.0, 1.0]),
    ("(torch.sort(x, descending=True)[0] * torch.arange(3.0)).sum()", [3.0, 1.0, 3.0]),
    ("max(x[0], x[1]) + 2 * min(x[1], x[2])", [1.0, 1.0, 1.0]),
    ("torch.cdist(x.view(1, 3), torch.zeros(1, 3)).sum()", [0.0, 0.0, 0.0]),
    ("(x * torch.argmin(x)).sum()", [1.0, 0.0, 0.0]),
    ("F.smooth_l1_loss(x, torch.zeros(3))", [0.0, 1.0, 2.0]),
]
