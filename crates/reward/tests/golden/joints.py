"""Programs as models write them, in which the parts of the language meet: strings and members of
enumerations that depend on positions, views and detached aliases in branches, decompositions in
branches, helpers that are methods.
"""

# name -> whole program.
JOINTS = {
    "joint_text_eq": r"""
def stage1_guidance(keypoints, action_sequence):
    d = (action_sequence[0, -1] - keypoints[0]).norm()
    phase = "approach" if d > 0.3 else "grasp"
    if d > 0.6:
        phase = "far"
    if phase == "approach":
        return -d
    elif phase in ("far", "lost"):
        return -d * 2
    assert phase != "approach"
    return -(action_sequence - keypoints[0]).pow(2).sum()
""",
    "joint_text_dict_get": r"""
W = {"near": 3.0, "mid": 2.0}
def stage1_guidance(keypoints, action_sequence):
    d = (action_sequence[0, -1] - keypoints[0]).norm()
    def zone(x: torch.Tensor) -> str:
        if x < 0.3:
            return "near"
        if x < 0.45:
            return "mid"
        return "far"
    z = zone(d)
    print(f"zone {z}", z.upper())
    w = W.get(z, 0.5)
    tgt = {"near": keypoints[1], "mid": keypoints[2], "far": keypoints[3]}[z]
    return -w * (action_sequence - tgt).norm(dim=-1).mean()
""",
    "joint_text_loop": r"""
def stage1_guidance(keypoints, action_sequence):
    state = "free"
    cost = 0.0
    for t in range(action_sequence.shape[1]):
        d = (action_sequence[0, t] - keypoints[2]).norm()
        if state == "free" and d < 0.35:
            state = "near"
        elif state == "near" and d < 0.25:
            state = "hold"
        elif state == "hold":
            cost = cost + 0.3 * action_sequence[0, t, 2]
        cost = cost + (d if state != "near" else d ** 2)
    return -cost
""",
    "joint_text_match": r"""
def stage1_guidance(keypoints, action_sequence):
    side = "left" if keypoints[0, 1] > 0 else "right"
    k = 1 if side.startswith("l") else 2
    return -(action_sequence - keypoints[k]).norm(dim=-1).mean()
""",
    "joint_text_list_names": r"""
NAMES = ["handle", "cup", "rim", "base"]
def stage1_guidance(keypoints, action_sequence):
    d = [(action_sequence[0, -1] - keypoints[i]).norm() for i in range(4)]
    best = NAMES[0]
    for n, di in zip(NAMES, d):
        if di < d[NAMES.index(best)]:
            best = n
    w = 2.0 if best in ("handle", "rim") else 1.0
    return -w * min(d) - 0.1 * sum(d)
""",
    "joint_enum_dyn": r"""
from enum import Enum
class Phase(Enum):
    REACH = 1
    GRASP = 2
    LIFT = 3
def stage1_guidance(keypoints, action_sequence):
    d = (action_sequence[0, -1] - keypoints[0]).norm()
    if d > 0.45:
        phase = Phase.REACH
    elif d > 0.3:
        phase = Phase.GRASP
    else:
        phase = Phase.LIFT
    bonus = {Phase.REACH: 0.1, Phase.GRASP: 0.2, Phase.LIFT: 0.7}
    r = -d * bonus[phase] * phase.value
    if phase is Phase.REACH:
        r = r - action_sequence.pow(2).sum()
    elif phase == Phase.GRASP or phase in (Phase.LIFT,):
        r = r + action_sequence[0, :, 2].mean()
    return r
""",
    "joint_enum_value_str": r"""
from enum import Enum, auto
class Side(str, Enum):
    LEFT = "left"
    RIGHT = "right"
class Mode(Enum):
    A = auto()
    B = auto()
def stage1_guidance(keypoints, action_sequence):
    side = Side.LEFT if action_sequence[0, -1, 1] > keypoints[0, 1] else Side.RIGHT
    mode = Mode.A
    if side == "left":
        mode = Mode.B
    k = keypoints[1] if side is Side.LEFT else keypoints[2]
    table = {"left": 1.0, "right": 3.0}
    w = table[side.value] + mode.value
    return -w * (action_sequence - k).norm(dim=-1).mean()
""",
    "joint_enum_method": r"""
from enum import Enum
class Phase(Enum):
    REACH = 1
    HOLD = 2
    @property
    def gain(self):
        return 2.0 if self is Phase.REACH else 0.5
    def is_reach(self):
        return self == Phase.REACH
def stage1_guidance(keypoints, action_sequence):
    d = (action_sequence[0, -1] - keypoints[0]).norm()
    p = Phase.REACH if d > 0.35 else Phase.HOLD
    r = -p.gain * d
    if p.is_reach():
        r = r - action_sequence.pow(2).mean()
    return r
""",
    "joint_str_enum": r"""
from enum import StrEnum, auto
from typing import Dict, Tuple
class Side(StrEnum):
    LEFT = auto()
    RIGHT = auto()
WEIGHTS: Dict[str, float] = {
    "left": 2.0,
    "right": 1.0,
}
BOUNDS: Tuple[float, float] | None = (
    0.1,
    0.5,
)
def stage1_guidance(keypoints, action_sequence):
    lo, hi = BOUNDS
    w = WEIGHTS[Side.LEFT] if Side.LEFT == "left" else 7.0
    side = Side.LEFT if keypoints[0, 0] > keypoints[1, 0] else Side.RIGHT
    if side != "left":
        w = w * 3 + WEIGHTS[side]
    return -w * (action_sequence - keypoints[0]).norm(dim=-1).clamp(lo, hi).mean() - action_sequence.pow(2).mean()
""",
    "joint_tensor_in_list": r"""
def stage1_guidance(keypoints, action_sequence):
    d = torch.cdist(action_sequence[:, -1], keypoints)[0]
    i = d.argmin()
    if i in [1, 3, 5]:
        return -d.min()
    if i.item() not in {0, 2}:
        return -2 * d.min()
    return -3 * d.min()
""",
    "joint_argmin_index": r"""
def stage1_guidance(keypoints, action_sequence):
    d = torch.cdist(action_sequence[:, -1], keypoints)[0]
    i = int(torch.argmin(d))
    nearest = keypoints[i]
    return -(action_sequence - nearest).norm(dim=-1).mean()
""",
    "joint_list_dyn_index": r"""
def stage1_guidance(keypoints, action_sequence):
    d = torch.cdist(action_sequence[:, -1], keypoints)[0]
    ws = [1.0, 2.0, 0.5, 1.0, 1.0, 3.0, 1.0, 1.0]
    i = torch.argmin(d).item()
    return -ws[i] * d.min()
""",
    "joint_getlogger": r"""
import logging
log = logging.getLogger(__name__)
def stage1_guidance(keypoints, action_sequence):
    r = -(action_sequence - keypoints[0]).norm(dim=-1).mean()
    log.info("%s r=%.3f", __name__, r.item())
    return r
if __name__ == "__main__":
    print(stage1_guidance(torch.zeros(8, 3), torch.zeros(1, 9, 3)))
""",
    "joint_typed_opt2": r"""
from typing import Any, Callable, Sequence, Union
Tensor = torch.Tensor
Term = Callable[[Tensor, Tensor], Tensor]
TERMS: list[tuple[str, float, Term]] = [
    ("reach", 1.0, lambda k, a: -(a[:, -1] - k[0]).norm(dim=-1).mean()),
    ("lift", 0.5, lambda k, a: a[..., 2].mean()),
]
def term(weight: float):
    def wrap(fn):
        TERMS.append((fn.__name__, weight, fn))
        return fn
    return wrap
@term(0.25)
def smooth(k: Tensor, a: Tensor) -> Tensor:
    return -torch.diff(a, n=2, dim=1).pow(2).sum()
def stage1_guidance(keypoints: Tensor, action_sequence: Tensor) -> Tensor:
    out: Union[float, Tensor] = 0.0
    for name, w, fn in TERMS:
        val = fn(keypoints, action_sequence)
        if torch.isnan(val):
            continue
        out += w * val
    return out
""",
    "joint_ternary_chain": r"""
def stage1_guidance(keypoints, action_sequence):
    ee = action_sequence[0, -1]
    h = ee[2] - keypoints[:, 2].max()
    w = 2.0 if h < 0 else (1.0 if h < 0.1 else 0.5)
    side = "left" if ee[1] > 0 else "right"
    tgt = keypoints[{"left": 1, "right": 2}[side]]
    return -w * (ee - tgt).norm()
""",
    "joint_lru_property": r"""
from functools import lru_cache, cached_property
class Scene:
    def __init__(self, kp):
        self._kp = kp
    @property
    def handle(self): return self._kp[1]
    @cached_property
    def normal(self):
        n = torch.linalg.cross(self._kp[2] - self._kp[1], self._kp[3] - self._kp[1])
        return n / (torch.linalg.norm(n) + 1e-8)
    @lru_cache(maxsize=None)
    def at(self, i): return self._kp[i]
    def __getitem__(self, i): return self._kp[i]
    def __len__(self): return len(self._kp)
def stage1_guidance(keypoints, action_sequence):
    s = Scene(keypoints)
    pull = action_sequence[0, -1] - s.handle
    side = pull - pull.dot(s.normal) * s.normal
    return pull.dot(s.normal) - side.norm() - (action_sequence[0, -1] - s.at(5)).norm() / len(s) + s[2][0]
""",
    "joint_detach_alias_branches": r"""
def stage1_guidance(keypoints, action_sequence):
    x = action_sequence[0, -1]
    frozen = x.detach()
    ref = frozen if x[2] > keypoints[0, 2] else keypoints[0].clone()
    d1 = (x - keypoints[0]).norm()
    near = d1.detach()
    if near.item() < 0.2:
        ref = ref * 0.5 + keypoints[1] * 0.5
        scale = near
    else:
        scale = d1
    return -scale * (action_sequence - ref).norm(dim=-1).mean()
""",
    "joint_eigh_in_branch": r'''
def stage1_guidance(keypoints, action_sequence):
    """Align the path with the principal axis of the keypoints."""
    P = keypoints[:6] - keypoints[:6].mean(0, keepdim=True)
    C = P.T @ P / P.shape[0]
    step = action_sequence[0, -1] - action_sequence[0, 0]
    if step.norm() > 0.05:
        Q = action_sequence[0] - action_sequence[0].mean(0)
        vals, vecs = torch.linalg.eigh(Q.T @ Q + 1e-4 * C)
        axis = vecs[:, -1]
        flat = vals[0] / (vals.sum() + 1e-8)
    else:
        vals, vecs = torch.linalg.eigh(C)
        axis, flat = vecs[:, 0], vals[0]
    return (axis @ C @ axis) * 9 - flat - (action_sequence[0, -1] - keypoints[0]).norm()
''',
    "joint_fstring_try_nograd": r"""
import logging
logger = logging.getLogger(__name__)
NAMES = {"mug_handle": 2, "mug_rim": 5, "rack": 6}
def stage1_guidance(keypoints, action_sequence):
    try:
        with torch.no_grad():
            kp = {f"{n.replace('mug_', '')}": keypoints[i] for n, i in NAMES.items()}
            center = (kp["handle"] + kp["rim"]) / 2
            logger.debug(f"center={center.tolist()} {center.norm():.3f}")
            if not torch.isfinite(center).all():
                raise ValueError(f"bad center {center!r}")
        h = kp["handel"]
    except KeyError as e:
        logger.warning("missing %s", e)
        h = kp["handle"]
    approach = F.normalize(h - center, dim=0)
    pre = h + 0.08 * approach
    err = action_sequence[:, -1] - pre
    lateral = err - (err @ approach).unsqueeze(-1) * approach
    return -(err.norm(dim=-1) + 2.0 * lateral.norm(dim=-1)).squeeze()
""",
    "joint_class_state_branches": r"""
class Tracker:
    def __init__(self):
        self.best = torch.tensor(float("inf"))
        self.where = torch.zeros(3)
        self.n = 0
    def update(self, d, p):
        if d < self.best:
            self.best, self.where = d, p
            self.n += 1
        return self
def stage1_guidance(keypoints, action_sequence):
    tr = Tracker()
    for t in range(action_sequence.shape[1]):
        p = action_sequence[0, t]
        tr.update((p - keypoints[2]).norm(), p)
    return -tr.best - 0.1 * (tr.where - keypoints[0]).norm() - 0.01 * tr.n
""",
    "joint_insert_peg": r'''
import torch
from dataclasses import dataclass, field, replace, asdict
@dataclass
class Weights:
    lateral: float = 4.0
    axial: float = 1.0
    extra: dict = field(default_factory=lambda: {"smooth": 0.05})
BASE = Weights()
PEG = replace(BASE, axial=2.0)
class Insertion:
    """Cylinder alignment."""
    axis = torch.tensor([0.0, 0.0, 1.0])
    def __init__(self, hole, w: Weights = PEG):
        self.hole, self.w = hole, w
    def split(self, p):
        e = p - self.hole
        ax = (e * self.axis).sum(-1, keepdim=True) * self.axis
        return e - ax, ax
    @staticmethod
    def schedule(n: int, power=2):
        return torch.arange(1, n + 1, dtype=torch.float64).pow(power) / n ** power
    def __call__(self, p):
        lat, ax = self.split(p)
        s = self.schedule(p.shape[-2])
        gate = torch.exp(-lat.norm(dim=-1) / 0.05)
        cost = self.w.lateral * lat.norm(dim=-1) + self.w.axial * ax.norm(dim=-1) * (1 + gate.detach())
        return (s * cost).mean() + asdict(self.w)["extra"]["smooth"] * torch.diff(p, dim=-2).square().sum()
def stage1_guidance(keypoints, action_sequence):
    ins = Insertion(hole=keypoints[5])
    if (action_sequence[0, -1, :2] - keypoints[5, :2]).norm() > 0.2:
        ins.w = replace(ins.w, lateral=8.0)
    return -ins(action_sequence)
''',
    "joint_nograd_view": r"""
def stage1_guidance(keypoints, action_sequence):
    a = action_sequence.clone()
    with torch.no_grad():
        s = a[0, -1] - keypoints[0]
        if s.norm() > 0.4:
            try:
                scale = {"x": 0.5}["y"]
            except KeyError as err:
                print(f"no {err}")
                scale = 0.5
        else:
            scale = 1.0
        w = torch.full((9,), 1.0)
        w[5:] *= scale
    return -((a - keypoints[0]).norm(dim=-1) * w).sum()
""",
    "joint_slice_views_torch": r"""
def stage1_guidance(keypoints, action_sequence):
    x = action_sequence.clone()
    xy, z = x[..., :2], x[..., 2]
    z.clamp_(min=0.1)
    xy -= keypoints[0, :2]
    x[:, 0] = 0
    x[:, -1, :].mul_(2.0)
    y = x.view(-1, 3)
    y[3].zero_()
    w = x.permute(0, 2, 1).contiguous()
    w[:, 0] += 1
    return -x.norm(dim=-1).sum() - 0.1 * w.pow(2).mean()
""",
    "joint_np_on_detached": r"""
import numpy as np
import torch
def stage1_guidance(keypoints, action_sequence):
    start = action_sequence[0, 0].detach().cpu().numpy()
    kp = keypoints.detach().numpy()
    d = np.linalg.norm(kp - start, axis=-1)
    order = np.argsort(d)
    w = np.exp(-d / d.sum())
    w = torch.as_tensor(w, dtype=action_sequence.dtype)
    dd = torch.cdist(action_sequence[0], keypoints)
    return -(dd * w).mean()
""",
    "joint_np_mixed_const": r"""
import numpy as np
import torch
OFFSETS = np.array([[0.0, 0.05, 0.1], [0.0, -0.05, 0.1]])
def stage1_guidance(keypoints, action_sequence):
    off = torch.from_numpy(OFFSETS.copy()).to(action_sequence.dtype)
    OFFSETS[0, 0] = 0.0
    ang = np.deg2rad(30.0)
    R = torch.tensor(np.array([[np.cos(ang), -np.sin(ang), 0], [np.sin(ang), np.cos(ang), 0], [0, 0, 1]]), dtype=torch.float64)
    tgt = keypoints[0] + (R @ off.T).T
    d = torch.cdist(action_sequence[0], tgt)
    soft = torch.softmax(-d / 0.1, dim=1)
    return -(soft * d).sum(1).mean() + float(np.sqrt(2)) * 0.01 * action_sequence[..., 2].mean()
""",
    "joint_frozen_set_names": r"""
LEFT = frozenset({1, 4})
ALL = set(range(8))
def stage1_guidance(keypoints, action_sequence):
    right = sorted(ALL - LEFT - {7})
    cl = keypoints[list(sorted(LEFT))].mean(dim=0)
    cr = torch.stack([keypoints[i] for i in right]).mean(0)
    n = F.normalize(cr - cl, dim=-1, eps=1e-6)
    s = (action_sequence - (cl + cr) / 2) @ n
    inside = {i for i in ALL if i % 3 == 0} & set(right)
    return -s.abs().mean() - sum((action_sequence[:, -1] - keypoints[i]).norm() for i in sorted(inside)) / max(len(inside), 1)
""",
    "joint_zip_star": r"""
from itertools import pairwise, accumulate, chain, product, islice
import operator
def stage1_guidance(keypoints, action_sequence):
    pts = [*keypoints[:3].unbind(0)]
    segs = list(pairwise(pts))
    lens = [torch.dist(a, b) for a, b in segs]
    cum = list(accumulate(lens, operator.add))
    total = cum[-1]
    r = 0
    for (a, b), (i, l) in zip(segs, enumerate(lens)):
        mid = torch.lerp(a, b, 0.5)
        r = r - (action_sequence[0, 3 * i + 2] - mid).norm() * l / total
    firsts, *rest = chain(action_sequence[0, :2], islice(keypoints, 2))
    return r - (firsts - rest[-1]).norm() * 0.1
""",
    "joint_dyn_slice_time": r"""
def stage1_guidance(keypoints, action_sequence):
    d = (action_sequence[0] - keypoints[0]).norm(dim=-1)
    t = torch.argmin(d)
    pt = action_sequence[0, t]
    before = torch.arange(9) <= t
    ref = torch.where(before.unsqueeze(-1), keypoints[0], keypoints[3])
    i = t.item()
    last = d[i] + d[int(t)]
    return -(action_sequence[0] - ref).norm(dim=-1).mean() - (pt - keypoints[0]).norm() - last
""",
    "joint_complex_time": r"""
def stage1_guidance(keypoints, action_sequence):
    B, T, D = action_sequence.shape
    via = keypoints[1] + torch.tensor([0, 0, 0.1])
    reached = torch.zeros(B, dtype=torch.bool)
    cost = torch.zeros(B)
    for t in range(T):
        p = action_sequence[:, t]
        dv = (p - via).norm(dim=-1)
        dg = (p - keypoints[4]).norm(dim=-1)
        reached = reached | (dv < 0.35)
        cost += torch.where(reached, dg, dv + 0.5)
    return -cost.mean() / T
""",
    "joint_lambda_sort_min": r"""
def stage1_guidance(keypoints, action_sequence):
    ee = action_sequence[0, -1]
    k = min(keypoints, key=lambda p: torch.norm(p - ee))
    i = min(range(8), key=lambda j: (keypoints[j] - ee).norm().item())
    return -(action_sequence - k).norm(dim=-1).mean() - (ee - keypoints[i]).pow(2).sum()
""",
    "joint_string_match": r"""
KEYPOINT_NAMES = ["Drawer Handle Left", "Drawer Handle Right", "cup_rim", "cup base", "peg-tip"]
def find(*words, names=KEYPOINT_NAMES):
    norm = lambda s: s.lower().replace("_", " ").replace("-", " ").strip()
    hits = [i for i, n in enumerate(names) if all(w.lower() in norm(n).split() for w in words)]
    if not hits:
        raise LookupError(f"no keypoint called {' '.join(words)!r} in {names}")
    return hits[0]
def stage1_guidance(keypoints, action_sequence):
    l, r = find("handle", "left"), find("handle", "right")
    mid = 0.5 * (keypoints[l] + keypoints[r])
    try:
        lid = keypoints[find("lid")]
    except LookupError:
        lid = keypoints[find("cup", "rim")]
    return -(action_sequence - mid).norm(dim=-1).mean() - 0.1 * (action_sequence[:, -1] - lid).norm()
""",
    "joint_sweep_itertools": r"""
import itertools, functools
from functools import partial, reduce
def gauss(x, mu, *, sigma=0.1):
    return torch.exp(-((x - mu) ** 2).sum(-1) / (2 * sigma ** 2))
def stage1_guidance(keypoints, action_sequence):
    field = partial(gauss, sigma=0.2)
    pairs = list(itertools.combinations(range(4), 2))
    mids = [(keypoints[i] + keypoints[j]) / 2 for i, j in pairs if (i + j) % 2 == 1]
    dens = [field(action_sequence, m) for m in mids]
    total = reduce(lambda a, b: a + b, dens)
    cover = torch.stack(dens, dim=-1).max(dim=-1).values.mean()
    order = sorted(mids, key=lambda m: float((m - action_sequence[0, 0]).norm()))
    return total.mean() + cover - 0.1 * (action_sequence[:, -1] - order[0]).norm(dim=-1).mean()
""",
    "joint_e_list_argmin": r"""
def stage1_guidance(keypoints, action_sequence):
    ee = action_sequence[0, -1]
    ds = [torch.norm(ee - k).item() for k in keypoints]
    i = ds.index(min(ds))
    return -(action_sequence - keypoints[i]).norm(dim=-1).mean()
""",
    "joint_f_count": r"""
def stage1_guidance(keypoints, action_sequence):
    near = [bool((action_sequence[0, t] - keypoints[0]).norm() < 0.4) for t in range(6)]
    n = near.count(True)
    i = near.index(True) if True in near else 0
    return -(action_sequence - keypoints[0]).norm(dim=-1).mean() * (1 + n) - 0.1 * i
""",
    "joint_f_not_in": r"""
def stage1_guidance(keypoints, action_sequence):
    i = torch.cdist(action_sequence[:, -1], keypoints)[0].argmin().item()
    w = 2.0 if i not in (0, 3, 4) else 1.0
    if None in [None, keypoints] and "a" not in ["b", keypoints]:
        w = w * 2
    return -w * (action_sequence - keypoints[i]).norm(dim=-1).mean()
""",
    "joint_e_dict_state_branch": r"""
def stage1_guidance(keypoints, action_sequence):
    s = {"w": torch.ones(9), "name": "a", "n": 0}
    v = s["w"][5:]
    if action_sequence[0, -1, 0] > 0.5:
        v *= 3
        s["n"] += 1
        s["name"] = "b"
    d = (action_sequence[0] - keypoints[0]).norm(dim=-1)
    k = 2.0 if s["name"] == "b" else 1.0
    return -(s["w"] * d).sum() * k - s["n"]
""",
    "joint_wipe_line": r"""
def project_on_line(points, a, b):
    d = b - a
    d = d / d.norm().clamp_min(1e-6)
    t = ((points - a) * d).sum(-1, keepdim=True)
    return a + t * d, t.squeeze(-1)
def stage1_guidance(keypoints, action_sequence):
    proj, t = project_on_line(action_sequence, keypoints[0], keypoints[1])
    perp = torch.norm(action_sequence - proj, dim=-1)
    prog = t[:, -1] - t[:, 0]
    back = torch.relu(t[:, :-1] - t[:, 1:]).sum(dim=1)
    L = (keypoints[1] - keypoints[0]).norm().item()
    waypoints = F.interpolate(torch.stack([keypoints[0], keypoints[1]]).T.unsqueeze(0), size=action_sequence.shape[1], mode="linear", align_corners=True).squeeze(0).T
    track = F.smooth_l1_loss(action_sequence[0], waypoints, beta=0.05)
    return (prog / L - 5 * perp.mean(dim=1) - back).mean() - track
""",
    "joint_enum_modes": r"""
import torch
from enum import Enum, IntEnum
class KP(IntEnum):
    CUP_RIM = 0
    CUP_BASE = 1
    BOWL = 2
class Phase(str, Enum):
    APPROACH = "approach"
    TILT = "tilt"
def phase_reward(phase: Phase, path, kps, **weights):
    w_pos, w_h = weights.get("pos", 1.0), weights.get("height", 0.5)
    if phase is Phase.APPROACH:
        return -w_pos * torch.cdist(path, kps[KP.BOWL][None, None]).mean()
    elif phase == Phase.TILT:
        return -w_h * F.softplus((kps[KP.CUP_RIM, 2] - path[..., 2]) * 20).mean() / 20
    raise NotImplementedError(f"phase {phase.value}")
def stage1_guidance(keypoints, action_sequence):
    r = torch.zeros(())
    for ph in Phase:
        r = r + phase_reward(ph, action_sequence, keypoints, pos=2.0)
    return r
""",
    "joint_open_door_arc": r"""
def stage1_guidance(keypoints, action_sequence):
    hinge, handle = keypoints[3], keypoints[6]
    radius = torch.linalg.vector_norm((handle - hinge)[:2])
    rel = action_sequence[..., :2] - hinge[:2]
    r = torch.linalg.vector_norm(rel, dim=-1)
    ang = torch.atan2(rel[..., 1], rel[..., 0])
    dang = torch.diff(ang, dim=-1)
    dang = torch.remainder(dang + math.pi, 2 * math.pi) - math.pi
    cost = ((r - radius) / radius).square().mean()
    prog = dang.sum(-1).mean()
    return prog - 9 * cost if cost > 0.01 else prog
""",
}
