"""Programs with helpers, classes, strings, sets, exceptions and whatever else Python programs hold, whose
values and gradients PyTorch computes.
"""

# name -> body of `def stage1_guidance(keypoints, action_sequence)`, or a whole program.
STATEMENTS = {
    "fstr": """
    T = action_sequence.shape[1]
    name = f"step_{T}"
    w = {"step_9": 2.0, "x": 1.0}[name]
    key = f"{3:03d}|{1.5:.2f}|{'ab':>4}|{T!r}|{0.1}|{1e-8}|{1234567:,}|{True}|{None}"
    assert key == "003|1.50|  ab|9|0.1|1e-08|1,234,567|True|None", key
    assert "%d of %s %.3f" % (3, "x", 0.5) == "3 of x 0.500"
    assert "{} {1} {n:.1f}".replace("{} {1}", "{0} {1}").format(1, 2, n=0.25) == "1 2 0.2"
    msg = f"{action_sequence.mean().item():.4f} {keypoints=} {action_sequence!r}"
    print(msg, "%.3f" % action_sequence.sum(), "{}".format(action_sequence))
    return action_sequence.sum() * w
""",
    "print_more": r"""
import logging, warnings
logger = logging.getLogger(__name__) if False else logging.getLogger("x")
def stage1_guidance(keypoints, action_sequence):
    logger.info("a %s", action_sequence.shape)
    warnings.warn("hm")
    logging.debug("x")
    print("a", keypoints.shape, sep=" ", end="\n", flush=True)
    return action_sequence.sum()
""",
    "consts": """
from dataclasses import dataclass, field
from typing import NamedTuple, List, Dict
from enum import Enum, IntEnum, auto
from collections import namedtuple, defaultdict, OrderedDict
from types import SimpleNamespace
import copy
num_stages = 1
class Kp(IntEnum):
    HANDLE = 1
    TIP = 3
class Mode(Enum):
    A = "a"
    B = "b"
class C(NamedTuple):
    idx: int
    off: float = 0.1
P = namedtuple("P", ["x", "y", "z"], defaults=[0.3])
P2 = namedtuple("P2", "a b")
@dataclass
class W:
    near: float = 1.0
    terms: List[float] = field(default_factory=lambda: [1.0, 2.0])
    c: C = C(2)
    def total(self):
        return self.near + sum(self.terms)
    @property
    def twice(self):
        return 2 * self.near
    @staticmethod
    def unit(v):
        return v / (v.norm() + 1e-6)
    @classmethod
    def make(cls, near):
        return cls(near=near)
class Params:
    LIFT = 0.12
    IDX = (0, 4)
    class Inner:
        G = 0.5
    TOTAL = LIFT * 2
cfg = SimpleNamespace(a=1.0, b=[1, 2])
w = W(near=2.0)
w2 = W.make(3.0)
def stage1_guidance(keypoints, action_sequence):
    assert Mode.A != Mode.B and Mode("a") is Mode.A and Mode.A.value == "a"
    assert isinstance(w, W) and len(list(Kp)) == 2
    p = P(1.0, 2.0)
    x, y, z = p
    q = P2(a=1, b=2)._replace(b=5)
    o = copy.deepcopy(w)
    o.terms.append(4.0)
    assert len(w.terms) == 2
    d = (action_sequence - keypoints[Kp.HANDLE]).norm(dim=-1)
    e = (action_sequence - keypoints[w.c.idx]).norm(dim=-1)
    dd = defaultdict(list)
    dd["a"].append(d.mean()); dd["a"].append(e.mean()); dd["b"].append(d.max())
    cnt = defaultdict(float)
    for k in ["u", "v", "u"]:
        cnt[k] += 1.5
    od = OrderedDict(a=1, b=2)
    acc = sum(od.values()) + cnt["u"] + sum(sum(v) for v in dd.values())
    acc = acc + (W.unit(action_sequence[0, -1]) * keypoints[Kp.TIP]).sum()
    return acc * o.total() * w.twice * w2.near * Params.Inner.G * Params.TOTAL + cfg.a * z * y * x * q.b + keypoints[list(Params.IDX)].sum() * p.z
""",
    "klass": """
class Reach:
    def __init__(self, idx, gain=1.0):
        self.idx = idx
        self.gain = gain
        self.calls = 0
    def __call__(self, keypoints, a):
        self.calls += 1
        return -self.gain * (a - keypoints[self.idx]).norm(dim=-1).mean()
    def score(self, keypoints, a, *, power=1):
        return self(keypoints, a) ** power
class Fast(Reach):
    def score(self, keypoints, a, *, power=2):
        return 2 * self(keypoints, a) ** power
def stage1_guidance(keypoints, action_sequence):
    r = Reach(2, gain=0.5)
    f = Fast(1)
    s = r.score(keypoints, action_sequence) + f.score(keypoints, action_sequence) + r(keypoints, action_sequence)
    return s * r.calls
""",
    "strings": """
    names = ["drawer_handle", "mug", "drawer_knob "]
    a = [n.strip().upper() for n in names if n.startswith(("drawer", "cup")) and not n.endswith("x")]
    assert a == ["DRAWER_HANDLE", "DRAWER_KNOB"], a
    assert "a-b-c".split("-") == ["a", "b", "c"] and "-".join("abc") == "a-b-c"
    assert "kp_3".split("_")[1].isdigit() and int("kp_3"[-1]) == 3 and "abc"[::-1] == "cba" and "b" in "abc"
    assert "abc".find("c") == 2 and "aab".count("a") == 2 and "x=1".replace("=", ":") == "x:1"
    assert "Ab".lower() == "ab" and " x ".strip() == "x" and "kp_3".removeprefix("kp_") == "3"
    assert "a,b".partition(",") == ("a", ",", "b") and "7".zfill(3) == "007" and str(1.5) == "1.5" and float("0.5") == 0.5
    assert "b" > "a" and sorted(["b", "a"]) == ["a", "b"] and "ab" * 2 == "abab"
    i = int("kp_3".split("_")[-1])
    return -(action_sequence - keypoints[i]).norm(dim=-1).mean() * len(a)
""",
    "sets": """
    skip = {0, 3}
    skip.add(5); skip.discard(9); skip |= {1}
    rest = set(range(8)) - skip
    assert rest == {2, 4, 6, 7} and skip & {0, 1, 2} == {0, 1} and {1, 2} <= {1, 2, 3} and {1}.issubset({1, 2})
    assert len(skip.union({9}, [10])) == 6 and frozenset([1, 1, 2]) == {1, 2} and 3 not in rest
    idx = sorted(rest)
    tot = sum((action_sequence - keypoints[i]).norm(dim=-1).mean() for i in rest)
    return -tot + keypoints[idx].sum() + len({i % 2 for i in range(5)})
""",
    "checks": """
    if isinstance(keypoints, np.ndarray):
        keypoints = torch.from_numpy(keypoints)
    if not isinstance(action_sequence, (torch.Tensor, list)):
        raise TypeError("no")
    assert hasattr(action_sequence, "detach") and not hasattr(keypoints, "foo") and getattr(action_sequence, "ndim") == 3
    assert getattr(keypoints, "nothing", None) is None and callable(torch.norm) and type(1.0) is float and type(keypoints) == torch.Tensor
    assert isinstance(1, (int, float)) and type("x").__name__ == "str"
    return action_sequence.sum()
""",
    "kwargs": """
def weighted(*terms, scale=1.0, **extra):
    out = 0.0
    for w, t in terms:
        out = out + w * t
    for name, t in extra.items():
        out = out + 0.01 * t
    return scale * out
def only(x, *, dim=-1, device=None, dtype=None):
    return x.sum(dim) * (1 if device is None else 2)
def defaults(a, b=2, /, c=3, *, d, **kw):
    return a * b * c * d * kw.get("e", 1)
def stage1_guidance(keypoints, action_sequence):
    opts = dict(scale=2.0, bonus=action_sequence.mean())
    x = weighted((1.0, action_sequence.sum()), (2.0, keypoints.sum()), **opts)
    return x + only(action_sequence, dim=-1, device="cpu").sum() + defaults(1.0, c=4, d=5, e=6) * action_sequence.mean()
""",
    "order": """
def stage1_guidance(keypoints, action_sequence):
    return outer(action_sequence, keypoints[IDX])
def outer(a, k):
    return -inner(a - k).mean() * GAIN
def inner(v, p=2):
    return v.pow(p).sum(-1).sqrt() if p > 2 else v.norm(dim=-1)
IDX = 3
GAIN = 2.5
sq = lambda x: x * x
num_stages = 1
""",
    "decorators": """
import functools
from functools import lru_cache
def passthrough(fn):
    def wrapper(*args, **kwargs):
        return 2 * fn(*args, **kwargs)
    return wrapper
@torch.no_grad()
def weights(d):
    return torch.exp(-d)
@lru_cache(maxsize=None)
def idx():
    return 2
@passthrough
def dist(a, k):
    return (a - k).norm(dim=-1)
def stage1_guidance(keypoints, action_sequence):
    d = dist(action_sequence, keypoints[idx()])
    return -(weights(d) * d).sum()
""",
    "recursion": """
def fact(n):
    return 1 if n <= 1 else n * fact(n - 1)
def stage1_guidance(keypoints, action_sequence):
    return action_sequence.sum() * fact(5)
""",
    "nonlocal": """
def stage1_guidance(keypoints, action_sequence):
    total = action_sequence.sum() * 0
    def add(x):
        nonlocal total
        total = total + x
    for k in keypoints:
        add((action_sequence[0, -1] - k).norm())
    return -total
""",
    "global_read": """
GAIN = 2.0
def stage1_guidance(keypoints, action_sequence):
    global GAIN
    return GAIN * action_sequence.sum()
""",
    "match": """
    mode = "pull"
    match mode:
        case "push":
            s = 1.0
        case "pull" | "drag":
            s = 2.0
        case _:
            s = 3.0
    match (1, 2):
        case (1, y):
            s = s * y
    return s * action_sequence.sum()
""",
    "module_misc": """
'prose'
import torch.nn as nn
from typing import Tuple
Vec = Tuple[float, float]
torch.manual_seed(0)
print("loaded")
WEIGHTS = {}
for i in range(3):
    WEIGHTS[i] = 1.0 / (i + 1)
if len(WEIGHTS) == 3:
    SCALE = 2.0
else:
    SCALE = 3.0
SCALE += 1
try:
    import scipy_missing
    HAS = True
except ImportError:
    HAS = False
assert SCALE == 3.0
num_stages = 1
def stage1_guidance(keypoints, action_sequence):
    return action_sequence.sum() * sum(WEIGHTS.values()) * SCALE
if __name__ == "__main__":
    main()
""",
    "stage_calls_stage": """
num_stages = 2
def stage1_guidance(keypoints, action_sequence):
    return -(action_sequence - keypoints[0]).norm(dim=-1).mean()
def stage2_guidance(keypoints, action_sequence):
    return 0.5 * stage1_guidance(keypoints, action_sequence) + action_sequence[..., 2].mean()
""",
    "tuple_ret": """
    d = (action_sequence - keypoints[0]).norm(dim=-1).mean()
    return -d, {"d": d.item(), "shape": action_sequence.shape}
""",
    "dict_ret": """
    d = (action_sequence - keypoints[0]).norm(dim=-1).mean()
    return {"reward": -d, "dist": d}
""",
    "with": """
    with torch.no_grad(), np.errstate(divide="ignore"):
        w = torch.exp(-(action_sequence - keypoints[0]).norm(dim=-1))
    with torch.set_grad_enabled(True):
        r = (w * action_sequence[..., 0]).sum()
    with torch.set_grad_enabled(False):
        q = action_sequence.sum()
    return r + q
""",
    "next_iter": """
    it = iter([1.0, 2.0, 3.0])
    a = next(it); b = next(it)
    c = next((i for i in range(8) if i > 4), None)
    d = next(iter([]), 7)
    return action_sequence.sum() * a * b * c * d
""",
    "listsort": """
    xs = [3, 1, 2]
    xs.sort(reverse=True)
    ys = sorted(xs, key=lambda v: -v)
    xs.insert(0, 9)
    del xs[1]
    a, *m, z = xs + ys
    return action_sequence.sum() * (a + z + len(m))
""",
    "fstring_nested": """
    d = action_sequence.norm()
    print(f"{'a' if d is None else 'b'} {[f'{v:.2f}' for v in action_sequence[0, 0]]} {d:>{10}.{3}f} {{}}" f"x" 'y')
    return d
""",
    "dict_merge": """
    base = {"a": 1.0, "b": 2.0}
    new = {**base, "b": 3.0} | {"c": 4.0}
    new.update(d=5.0)
    return action_sequence.sum() * sum(new.values()) * new.pop("a")
""",
    "assertion_on_the_trajectory": """

num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    assert action_sequence[..., 2].min() > 0
    return -torch.norm(action_sequence - keypoints[0], dim=-1).mean()
""",
    "conditional_expression_on_the_trajectory": """

num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    d = torch.norm(action_sequence[:, -1] - keypoints[0], dim=-1).mean()
    return -d if d > 0.05 else torch.tensor(0.0)
""",
    "if_on_the_keypoints": """

num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    target = keypoints[0] if keypoints[0, 0] > keypoints[1, 0] else keypoints[1]
    return -torch.norm(action_sequence - target, dim=-1).mean()
""",
    "if_on_the_trajectory": """

num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    if action_sequence[0, -1, 2] > 0.1:
        return -torch.norm(action_sequence - keypoints[0], dim=-1).mean()
    return action_sequence[..., 2].mean()
""",
    "helper_outside_the_stage": """

import torch

num_stages = 1

def distance_to(points, target):
    return torch.norm(points - target, dim=-1)

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    return -distance_to(action_sequence, keypoints[0]).mean()
""",
    "class_in_a_stage": """

num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    class Target:
        position = keypoints[0]
    return -torch.norm(action_sequence - Target.position, dim=-1).mean()
""",
    "f_string": """

num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    d = torch.norm(action_sequence - keypoints[0], dim=-1)
    name = f"distance {d.mean()}"
    return -d.mean()
""",
    "print": """

num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    d = torch.norm(action_sequence - keypoints[0], dim=-1)
    print("distance", d)
    return -d.mean()
""",
    "try_and_except": """

num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    try:
        target = keypoints[0]
    except IndexError:
        target = keypoints[1]
    return -torch.norm(action_sequence - target, dim=-1).mean()
""",
    "decorated": """

num_stages = 1

@torch.jit.script
def stage1_guidance(keypoints, action_sequence):
    return -torch.norm(action_sequence[:, -1] - keypoints[0], dim=-1).mean()
""",
}
