"""Programs whose `if`, `and`, `break`, `return` and `raise` depend on positions, and whose values and
gradients PyTorch computes on the way that is taken.
"""

# name -> body of `def stage1_guidance(keypoints, action_sequence)`, or a whole program.
CONDITIONS = {
    "if_else": """
    x = action_sequence[0]
    d = (x - keypoints[0]).norm(dim=-1)
    if d.min() < 0.2:
        r = -d.sum()
    else:
        r = -2.0 * d.mean() + 1.0
    return r
""",
    "if_elif": """
    d = (action_sequence - keypoints[0]).norm(dim=-1).mean()
    w = 1.0
    if d < 0.1:
        w = 5.0
    elif d < 0.3 and action_sequence[0, -1, 2] > 0.2:
        w = 2.0
    elif not (d > 0.5):
        w = torch.exp(-d)
    else:
        pass
    return -w * d
""",
    "early_returns": """
    d = torch.norm(action_sequence[:, -1] - keypoints[0], dim=-1).mean()
    if d < 0.05:
        return 1.0 - d
    if d < 0.2:
        if action_sequence[0, -1, 2] > keypoints[0, 2]:
            return 2 * d
        d = d * 3
    elif d > 0.6:
        return torch.zeros(()) * d - 3 * d
    return -d
""",
    "loop_penalty": """
    total = torch.tensor(0.0)
    for k in range(8):
        for t in range(9):
            dist = torch.norm(action_sequence[0, t] - keypoints[k])
            if dist < 0.15:
                total = total - (0.15 - dist) ** 2 * 10
            elif dist > 0.5:
                total += 0.01 * dist
    return total - (action_sequence[0, -1] - keypoints[0]).norm()
""",
    "loop_break": """
    x = action_sequence[0]
    total = x[0].sum() * 0
    for t in range(x.shape[0]):
        d = (x[t] - keypoints[0]).norm()
        if d < 0.25:
            break
        total = total - d
        if x[t, 2] > 0.3:
            continue
        total = total * 1.1
    return total - x.sum()
""",
    "loop_return": """
    x = action_sequence[0]
    for t in range(9):
        if x[t, 2] > 0.25:
            return x[t:].sum()
        if x[t, 1] > 0.3:
            break
        if x[t, 0] > 0.5:
            continue
        x = x * 1.5
    else:
        return x.mean() * 3
    return x.prod() + x.sum()
""",
    "nearest_keypoint": """
    best = None
    x = action_sequence[0, -1]
    target = keypoints[0]
    bd = (x - target).norm()
    for k in keypoints[1:]:
        d = (x - k).norm()
        if d < bd:
            bd = d
            target = k
    return -((action_sequence - target) ** 2).sum()
""",
    "in_place": """
    x = action_sequence[0].clone()
    if x[0, 0] > 0.5:
        x[:, 2] = 0.1
        x[0] += 1
    else:
        x[:, 1] *= 2
    return (x ** 2).sum()
""",
    "list_elements": """
    terms = [action_sequence.sum(), action_sequence.mean()]
    w = {"a": 1.0, "b": 2}
    if keypoints[0, 2] > keypoints[1, 2]:
        terms[0] = terms[0] * 3
        w["a"] = 4.0
    else:
        w["b"] = action_sequence[0, 0, 0]
    return terms[0] * w["a"] + terms[1] * w["b"]
""",
    "append_both": """
    terms = []
    for k in range(4):
        d = (action_sequence - keypoints[k]).norm(dim=-1).mean()
        if d < 0.4:
            terms.append(-d)
        else:
            terms.append(-d ** 2)
    return torch.stack(terms).sum()
""",
    "tuple_merge": """
    a, b = (keypoints[0], 1.0) if keypoints[0, 0] > keypoints[1, 0] else (keypoints[1], 2.0)
    return -b * (action_sequence - a).norm(dim=-1).mean()
""",
    "bool_ops": """
    d = (action_sequence[0, -1] - keypoints[0]).norm()
    h = action_sequence[0, -1, 2]
    if d < 0.3 and h > 0.1 or h > 0.4:
        return -d
    return -d * 2 + h
""",
    "chain": """
    h = action_sequence[0, -1, 2]
    if 0.1 < h < 0.3:
        return h * 2
    return h
""",
    "item_float": """
    d = (action_sequence - keypoints[0]).norm(dim=-1).mean()
    if float(d) < 0.3: d = d * 2
    if d.item() > 0.2: d = d + 1
    if bool(d > 1.2): d = d ** 2
    return -d
""",
    "nan_guard": """
    d = torch.norm(action_sequence - keypoints[0], dim=-1)
    r = -d.mean()
    if torch.isnan(r) or torch.isinf(r).any():
        return torch.tensor(0.0)
    if not torch.isfinite(d).all():
        r = torch.zeros_like(r)
    return r
""",
    "sqrt_gate": """
    d2 = ((action_sequence[:, -1] - keypoints[0]) ** 2).sum()
    if d2 > 1e-12:
        return -torch.sqrt(d2) + action_sequence.sum()
    return -d2 + action_sequence.sum()
""",
    "sqrt_before": """
    d2 = ((action_sequence[0] - keypoints[0]) ** 2).sum(-1)
    d = torch.sqrt(d2)
    if d2.min() < 1e-10:
        return -d2.sum()
    return -d.sum()
""",
    "div_gate": """
    v = action_sequence[0, -1] - keypoints[0]
    n = v.norm()
    u = v / n if n > 1e-9 else torch.zeros(3)
    return (u * keypoints[1]).sum() + action_sequence.sum()
""",
    "helper_dyn": """
def stage1_guidance(keypoints, action_sequence):
    def pen(d):
        if d < 0.2:
            return (0.2 - d) ** 2
        return torch.zeros_like(d)
    r = 0.0
    for k in keypoints:
        r = r - pen((action_sequence[0, -1] - k).norm())
    return r + action_sequence.sum()
""",
    "helper_side_effect": """
LOG = []
def note(xs, d):
    if d < 0.3:
        xs[0] = xs[0] + d
        return d
    xs[0] = xs[0] * 2
    return d * d
def stage1_guidance(keypoints, action_sequence):
    xs = [torch.tensor(1.0)]
    s = 0
    for k in keypoints[:3]:
        s = s + note(xs, (action_sequence[0, -1] - k).norm())
    return s + xs[0]
""",
    "raise_dyn": """
    d = (action_sequence[0, -1] - keypoints[0]).norm()
    if d > 100:
        raise ValueError(f"too far {d}")
    if torch.isnan(d).any():
        raise RuntimeError("nan")
    assert d >= 0, "negative"
    assert torch.isfinite(action_sequence).all()
    return -d
""",
    "ternary_in_expr": """
    z = action_sequence[0, :, 2]
    return sum((zi if zi > 0.2 else 2 * zi) for zi in z)
""",
    "any_all_list": """
    ds = [(action_sequence[0, -1] - k).norm() for k in keypoints]
    if any(d < 0.2 for d in ds):
        return -min(ds)
    if all(d > 0.3 for d in ds):
        return -max(ds)
    return -sum(ds)
""",
    "minmax": """
    a = action_sequence[0, -1, 0]
    b = action_sequence[0, -1, 1]
    return min(a, b, keypoints[0, 0]) + max(a, 0.4) * 2 + abs(b) + max([a, b]) 
""",
    "where_state_dict": """
    state = {"pos": keypoints[0], "n": 0}
    if action_sequence[0, -1, 0] > 0.5:
        state["pos"] = keypoints[1]
        state["n"] += 1
    return -(action_sequence - state["pos"]).norm(dim=-1).sum() * (1 + state["n"])
""",
    "walrus": """
    if (d := (action_sequence[0, -1] - keypoints[0]).norm()) < 0.3:
        return -d
    return -d ** 2
""",
    "or_default": """
    x = action_sequence.sum()
    y = x or 1.0
    return y * 2
""",
    "count_dynamic": """
    n = 0
    for k in keypoints:
        if (action_sequence[0, -1] - k).norm() < 0.4:
            n += 1
    return action_sequence.sum() * (n + 1)
""",
    "exp_overflow": """
    z = action_sequence[0, -1, 2]
    if z < 0.001:
        return torch.exp(z * 1e5)
    return z * 2 + action_sequence.sum()
""",
    "shape1": """
    r = torch.norm(action_sequence[:, -1] - keypoints[0], dim=-1)
    bonus = 0.0
    if r < 0.3:
        bonus = 0.5 - r
    return bonus - r
""",
    "nested_fork_lists": """
    best = [keypoints[0], torch.tensor(10.0)]
    for k in keypoints:
        d = (action_sequence[0, -1] - k).norm()
        if d < best[1]:
            best = [k, d]
    return -(action_sequence - best[0]).pow(2).sum()
""",
    "enumerate_idx": """
    idx = 0
    for i, k in enumerate(keypoints):
        if (action_sequence[0, -1] - k).norm() < 0.3:
            idx = i
    return -(action_sequence - keypoints[idx]).pow(2).sum()
""",
    "unused_mismatch": """
    x = action_sequence[0]
    if x[0, 0] > 0.4:
        unused = x[:3]
        tmp = 3
    else:
        unused = x
        other = "a"
    return x.sum()
""",
    "np_cond": """
    d = np.linalg.norm(action_sequence[0, -1] - keypoints[0]) if False else torch.linalg.norm(action_sequence[0, -1] - keypoints[0])
    scale = 2.0 if d < 0.25 else 0.5
    return -scale * d
""",
    "return_in_else": """
    if action_sequence[0, -1, 2] > 0.2:
        r = action_sequence.sum()
    else:
        return action_sequence.mean()
    return r * 3
""",
    "finally": """
    try:
        k = keypoints[20]
    except (IndexError, KeyError) as e:
        print(f"failed {e}")
        k = keypoints[0]
    else:
        k = keypoints[1]
    finally:
        s = 2.0
    return -(action_sequence - k).norm(dim=-1).mean() * s
""",
    "try_key": """
    W = {"a": 1.0}
    try:
        w = W["b"]
    except KeyError:
        w = 3.0
    try:
        q = 1 / 0
    except ZeroDivisionError:
        q = 2.0
    try:
        a, b = [1, 2, 3]
    except ValueError:
        a, b = 1, 2
    try:
        raise RuntimeError("x")
    except Exception as e:
        c = 4.0
    try:
        z = torch.zeros(3) + torch.zeros(4)
    except RuntimeError:
        z = torch.ones(3)
    return action_sequence.sum() * w * q * a * b * c * z.sum()
""",
    "try_helper": """
    def pick(i):
        return keypoints[i]
    try:
        k = pick(11)
    except IndexError:
        k = pick(1)
    return -(action_sequence - k).norm(dim=-1).mean()
""",
    "dyn_index": """
    i = int(keypoints.shape[0] / 2)
    j = 1 if keypoints[0, 0] > keypoints[1, 0] else 2
    return -(action_sequence - keypoints[j]).norm(dim=-1).mean() + action_sequence[0, i].sum()
""",
    "slice_assign_dyn": """
    c = torch.zeros(9)
    for t in range(9):
        d = (action_sequence[0, t] - keypoints[0]).norm()
        if d < 0.3:
            c[t] = d * 2
        else:
            c[t] = torch.sqrt(d)
    return c.sum()
""",
    "sorted_dyn": """
    xs = [action_sequence[0, t, 2] for t in range(4)]
    lo = xs[0]
    for v in xs[1:]:
        lo = v if v < lo else lo
    return lo * 3
""",
    "swap": """
    a, b = action_sequence[0, -1, 0], action_sequence[0, -1, 1]
    if a > b:
        a, b = b, a
    return b - 2 * a
""",
    "aug_in_branch": """
    r = -(action_sequence - keypoints[0]).norm(dim=-1).mean()
    r2 = r
    if r > -0.3:
        r += 0.5
        r *= 2
    return r + r2
""",
    "alias_merge": """
    a = torch.zeros(3)
    b = torch.ones(3)
    t = a if action_sequence[0, 0, 0] > 0.5 else b
    t += 1
    return action_sequence.sum() * a.sum() + action_sequence.mean() * b.sum() + t.sum()
""",
    "alias_merge2": """
    a = torch.zeros(3)
    b = torch.ones(3)
    t = a if action_sequence[0, 0, 0] > 0.5 else b
    a += 5
    return action_sequence.sum() * t.sum() + b.sum()
""",
    "alias_kp": """
    target = keypoints[0] if keypoints[0, 2] > keypoints[1, 2] else keypoints[1]
    target[2] += 0.1
    return -(action_sequence - target).norm(dim=-1).mean() - (action_sequence - keypoints[0]).norm(dim=-1).mean()
""",
    "detach_branch": """
    d = (action_sequence[0, -1] - keypoints[0]).norm()
    with torch.no_grad():
        if d < 0.3:
            w = torch.exp(-d)
        else:
            w = d * 2
    return -w * d
""",
    "branch_nograd": """
    d = (action_sequence[0, -1] - keypoints[0]).norm()
    if d < 0.3:
        with torch.no_grad():
            w = torch.exp(-d)
    else:
        w = d * 2
    return -w * d
""",
    "log_guard": """
    d = (action_sequence[0] - keypoints[0]).norm(dim=-1)
    r = 0.0
    for t in range(9):
        if d[t] > 1e-3:
            r = r + torch.log(d[t])
    return r
""",
    "acos_guard": """
    v = action_sequence[0, -1] - action_sequence[0, 0]
    n = v.norm()
    if n > 1e-6:
        c = (v / n)[2].clamp(-1, 1)
        ang = torch.acos(c) if c.abs() < 0.999 else torch.zeros(())
    else:
        ang = torch.tensor(0.0)
    return -ang + action_sequence.sum()
""",
    "pow_guard": """
    d = ((action_sequence[0, -1] - keypoints[0]) ** 2).sum()
    y = d ** 0.3 if d > 0 else d
    z = 1.0 / d if d > 1e-8 else d * 0
    return y + z * 1e-4 + action_sequence.sum()
""",
    "func_multi_return": """
    def classify(p):
        for i, k in enumerate(keypoints):
            if (p - k).norm() < 0.2:
                return i + 1.0
            if (p - k).norm() > 0.7:
                break
        return 0.0
    return action_sequence.sum() * (1 + classify(action_sequence[0, -1]))
""",
    "while_true_break": """
    t = 0
    s = 0.0
    while True:
        s = s + action_sequence[0, t].sum()
        if t >= 8:
            break
        t += 1
    return s
""",
    "while_dyn_break": """
    t = 0
    s = action_sequence.sum() * 0
    while t < 9:
        if action_sequence[0, t, 2] > 0.3:
            break
        s = s + action_sequence[0, t].sum()
        t += 1
    return s
""",
    "raise_in_helper": """
    def safe(d):
        if d < 0:
            raise ValueError("neg")
        elif d > 0.4:
            return d * 2
        return d
    return -safe((action_sequence[0, -1] - keypoints[0]).norm())
""",
    "else_raise": """
    d = (action_sequence[0, -1] - keypoints[0]).norm()
    if d < 0.4:
        r = -d
    elif d < 1e9:
        r = -2 * d
    else:
        raise RuntimeError("far")
    return r
""",
    "str_mode": """
    d = (action_sequence[0, -1] - keypoints[0]).norm()
    mode = "near" if d < 0.3 else "far"
    print(mode, f"mode {mode}")
    return -d
""",
    "cond_keypoint_order": """
    pts = [keypoints[i] for i in range(3)]
    hi = max(pts, key=lambda p: p[2])
    lo = min(range(3), key=lambda i: keypoints[i, 0])
    return -(action_sequence - hi).norm(dim=-1).mean()
""",
    "bool_arith": """
    d = (action_sequence[0, -1] - keypoints[0]).norm()
    near = d < 0.3
    return -d * near + (not near) * 0.5 * d + float(near)
""",
    "np_where_if": """
    d = np.linalg.norm(keypoints[0] - keypoints[1]) if False else (keypoints[0] - keypoints[1]).norm()
    if d < 0.3:
        w = 2.0
    else:
        w = 1.0
    return w * action_sequence.sum()
""",
    "walrus_and": """
    d = (action_sequence[0, -1] - keypoints[0]).norm()
    if d < 0.9 and (h := action_sequence[0, -1, 2]) > 0.1:
        return -d
    return d
""",
    "ns_attr": """
    class S: pass
    s = S()
    s.r = 0.0
    if action_sequence[0, 0, 0] > 0.5:
        s.r = action_sequence.sum()
    else:
        s.r += 1.0
    return s.r + action_sequence.mean()
""",
    "stack_choice": """
    d = (action_sequence[0, -1] - keypoints[0]).norm()
    parts = [-d, torch.tensor(0.1) if d < 0.3 else torch.tensor(0.2), d.new_tensor(0.5)]
    return torch.stack(parts).sum()
""",
    "isnan_item": """
    r = action_sequence.sum()
    if math.isnan(r.item()) or not math.isfinite(float(r)):
        r = torch.zeros_like(r)
    return r
""",
    "allclose": """
    if torch.allclose(keypoints[0], keypoints[1]):
        return action_sequence.sum()
    return action_sequence.mean()
""",
    "del_in_branch": """
    x = action_sequence.sum()
    y = x * 2
    if x > 3:
        tmp = y
        del tmp
    else:
        y = y + 1
    return y
""",
    "sorted_open": """
    ds = sorted([(action_sequence[0, -1] - k).norm() for k in keypoints])
    far = sorted(keypoints, key=lambda p: p[2], reverse=True)[:2]
    idx = sorted(range(4), key=lambda i: (action_sequence[0, 0] - keypoints[i]).norm())
    return -(ds[0] + 2 * ds[1]) - (action_sequence - far[0]).norm(dim=-1).mean() - (action_sequence - keypoints[idx[0]]).norm()
""",
    "big_loop": """
    total = action_sequence.sum() * 0
    target = keypoints[0]
    bd = torch.tensor(10.0)
    for t in range(9):
        for k in keypoints:
            d = (action_sequence[0, t] - k).norm()
            if d < bd:
                bd = d
                target = k
            if d < 0.3 and action_sequence[0, t, 2] > 0.1:
                total = total - d
    return total - (action_sequence - target).norm()
""",
    "state_machine": """
    phase = 0
    r = 0.0
    for t in range(9):
        d = (action_sequence[0, t] - keypoints[0]).norm()
        if phase == 0:
            r = r - d
            if d < 0.3:
                phase = 1
        else:
            r = r - 0.5 * (action_sequence[0, t] - keypoints[1]).norm()
    return r
""",
    "two_stage_done": """
num_stages = 1
def close(a, b, tol=0.05):
    d = torch.norm(a - b)
    if d < tol:
        return torch.tensor(1.0)
    return tol - d
def stage1_guidance(keypoints, action_sequence):
    return -torch.norm(action_sequence - keypoints[0], dim=-1).mean()
def stage1_done(keypoints, start_keypoints, end_effector):
    if close(end_effector, keypoints[0]) > 0:
        print("done")
        return 1.0
    return -1.0
""",
    "list_of_conditions": """
    conds = [action_sequence[0, -1, i] > 0.3 for i in range(3)]
    n = sum(conds)
    return action_sequence.sum() * (n + 1) + (2.0 if all(conds) else 1.0) * action_sequence.mean()
""",
    "max_default": """
    xs = [action_sequence[0, t, 2] for t in range(9)]
    m = max(xs)
    i = xs.index(m) if False else 0
    return m + max((x for x in xs), default=0.0) + min(0.1, xs[0]) + i
""",
    "nested_ifexp": """
    h = action_sequence[0, -1, 2]
    w = 1.0 if h > 0.4 else 2.0 if h > 0.2 else 3.0
    return -w * h
""",
    "early_zero": """
    if keypoints.shape[0] < 2:
        return torch.tensor(0.0)
    d = (action_sequence[:, -1] - keypoints[1]).norm(dim=-1)
    if d.item() < 0.02:
        return torch.zeros(()) + d.sum() * 0
    return -d.mean()
""",
    "lambda_cond": """
    relu = lambda v: v if v > 0 else 0.0
    lin = lambda d: (1 - d) if d < 1 else d * 0
    return sum(relu(0.3 - (action_sequence[0, -1] - k).norm()) for k in keypoints) + lin(action_sequence.norm())
""",
    "inplace_helper": """
    def bump(x, c):
        if c:
            x += 1
        else:
            x *= 2
    v = torch.ones(3)
    bump(v, action_sequence[0, 0, 0] > 0.5)
    return (v * action_sequence[0, -1]).sum()
""",
    "dict_in_branch": """
    terms = {}
    d = (action_sequence[0, -1] - keypoints[0]).norm()
    if d < 0.3:
        terms["near"] = -d
        terms["far"] = 0.0
    else:
        terms["near"] = 0.0
        terms["far"] = -d * 2
    return sum(terms.values())
""",
    "cond_index_write": """
    c = torch.zeros(9)
    for t in range(9):
        c[t] = 1.0 if action_sequence[0, t, 2] > 0.2 else 0.5
    return (c * action_sequence[0, :, 0]).sum()
""",
    "isinstance_float": """
    def to_t(x):
        return x if isinstance(x, torch.Tensor) else torch.tensor(x)
    return action_sequence.sum() * to_t(2.0) * to_t(torch.tensor(3.0))
""",
    "not_any": """
    if not torch.any(action_sequence > 10):
        return action_sequence.sum()
    return action_sequence.mean()
""",
    "xor_ops": """
    a = action_sequence[0, -1, 0] > 0.5
    b = action_sequence[0, -1, 1] > 0.0
    if a & ~b:
        return action_sequence.sum()
    if a | b:
        return 2 * action_sequence.sum()
    if a != b:
        return action_sequence.mean()
    return 3 * action_sequence.sum()
""",
    "kp_eq": """
    if torch.equal(keypoints[0], keypoints[1]) or (keypoints[0] == keypoints[1]).all():
        return action_sequence.mean()
    return action_sequence.sum()
""",
    "is_none_default": """
    def f(x, w=None):
        w = w or 2.0
        if w is None:
            w = 1.0
        return x * w
    return f(action_sequence.sum()) + f(action_sequence.mean(), w=action_sequence[0, 0, 0])
""",
    "try_in_loop": """
    s = 0
    for i in (0, 3, 12, 5):
        try:
            s = s - (action_sequence - keypoints[i]).norm(dim=-1).mean()
        except IndexError:
            continue
    return s
""",
    "try_return": """
    try:
        return -(action_sequence - keypoints[12]).norm(dim=-1).mean()
    except Exception as e:
        print(f"fallback: {e}")
        return -(action_sequence - keypoints[0]).norm(dim=-1).mean()
""",
    "try_dyn_inside": """
    try:
        d = (action_sequence[0, -1] - keypoints[0]).norm()
        if d < 0.3:
            r = -d
        else:
            r = -2 * d
    except Exception:
        r = action_sequence.sum() * 0
    return r
""",
    "helper_in_helper": """
def a1(x, y): return b1(x) + c1(y)
def b1(x): return x.norm(dim=-1).mean()
def c1(y):
    def inner(z): return z * SC
    return inner(y).sum()
SC = 0.25
def stage1_guidance(keypoints, action_sequence):
    return a1(action_sequence - keypoints[0], action_sequence)
""",
    "partial_dyn_vec": """
    w = torch.tensor([1.0, 1.0, 0.2])
    if (action_sequence[0, -1] - keypoints[0]).norm() < 0.25:
        w = torch.tensor([0.1, 0.1, 1.0])
    return -((action_sequence - keypoints[0]) ** 2 * w).sum()
""",
    "shape_change_ok": """
    x = action_sequence[0]
    if x[0, 0] > 0.5:
        x = x * 2
        y = x.mean(0)
    else:
        y = x[0]
    return y.sum()
""",
}
