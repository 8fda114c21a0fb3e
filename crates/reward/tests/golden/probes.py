"""Writes probes.json: random small programs and what PyTorch or NumPy computes for them.

Programs mix views, copies, writes in place, dtypes, conversions between the libraries and methods of
arrays and tensors. Every statement is tried as it is drawn, and what Python refuses is dropped, so
that all stored programs run. `python probes.py [CASES [SEED [FILE]]]` needs torch and numpy.
"""

import json
import math
import pathlib
import random
import sys
import warnings

import numpy as np
import torch

warnings.simplefilter("ignore")
torch.set_default_dtype(torch.float64)
# In a reward `.float()` is the precision that it is evaluated in.
torch.Tensor.float = torch.Tensor.double
POINTS, KEYPOINTS, STATEMENTS = 4, 3, 7
DTYPES = [torch.float64, torch.int64, torch.bool, np.dtype(float), np.dtype(int), np.dtype(bool)]
# What tests/probes.rs puts around the body of a program; `#` is the library.
HEAD = """num_stages = 1
def stage1_guidance(keypoints, action_sequence):
    k, a = keypoints, action_sequence[0] * 1.0
"""
RESULT = """    def R(x):
        y = x.reshape(-1) * 1.0
        return (y * #.arange(1.0, len(y) + 1)).sum()
    def D(x):
        return 3.0 if x.dtype == #.float64 else (2.0 if x.dtype == #.int64 else 1.0)
"""
ARRAYS = """    def Q(x):
        y = x.reshape(-1) * 1.0
        return float((y * np.arange(1.0, len(y) + 1)).sum())
    def E(x):
        return 5.0 if x.dtype == np.float64 else (4.0 if x.dtype == np.int64 else 1.0)
"""
# The direction of the derivative that is stored.
WEIGHTS = [math.cos(i + 1.0) for i in range(POINTS * 3)]


class Draw:
    """One random program, executed while it is written."""

    def __init__(self, seed, numpy_only, scenes):
        self.random = random.Random(seed)
        self.numpy_only = numpy_only
        self.lines = []
        # The same program in two scenes: what is equal in both is a constant.
        self.env, self.twin = ({"np": np, "torch": torch, "math": math} for _ in range(2))
        for env, (keypoints, path) in zip((self.env, self.twin), scenes):
            if numpy_only:
                env.update(k=keypoints.numpy().copy(), a=path.numpy()[0].copy())
            else:
                env.update(k=keypoints.clone(), a=path.clone().requires_grad_(True)[0] * 1.0)
        self.names = ["a", "k"]

    # Choosing.
    def pick(self, *items):
        return self.random.choice(items)

    def some(self, least, most):
        return self.random.randint(least, most)

    def chance(self, share):
        return self.random.random() < share

    def value(self, text):
        return eval(text, self.env)

    def variables(self, kind=(torch.Tensor, np.ndarray)):
        return [n for n in self.names if isinstance(self.env[n], kind)]

    # Pieces of programs.
    def number(self):
        return self.pick("0", "1", "2", "3", "-1", "0.5", "1.5", "-0.7", "2.6", "True")

    def dtype(self, numpy):
        if numpy:
            return self.pick("int", "float", "bool", "np.int64", "np.float64", "'int64'", "'float'")
        return self.pick("torch.long", "torch.float64", "torch.bool", "torch.int64")

    def constant(self):
        """A tensor or an array of known numbers."""
        numpy = self.numpy_only or self.chance(0.4)
        lib = "np" if numpy else "torch"
        shape = self.pick("3", "4", "(2, 3)", "(3, 2)", "(3, 3)", "(2, 2, 3)", "(4, 1)", "(1, 3)")
        dtype = f", dtype={self.dtype(numpy)}" if self.chance(0.4) else ""
        rows = self.pick("[3, 1, 2]", "[2, -1, 4, 0]", "[[3, 1, 2], [5, 9, 4]]", "[0.5, -1.5, 2.5]", "[True, False, True]",
                         "[[1.5, 2.5], [-0.5, 3.5], [4.0, 2.0]]", "[[1, 2.5, 3]]", "[-3, 5, -7]")
        data = "np.array" if numpy else "torch.tensor"
        return self.pick(
            f"{data}({rows}{dtype})",
            f"{data}({rows})",
            f"{data}({self.number()})",
            f"{lib}.ones({shape}{dtype})",
            f"{lib}.zeros({shape}{dtype})",
            f"{lib}.full({shape}, {self.number()}{dtype})",
            f"{lib}.arange({self.some(2, 6)}{dtype})",
            f"{lib}.arange(12{self.pick('', '.', '.')}).reshape({self.pick('3, 4', '4, 3', '2, 2, 3', '2, 6')})",
            f"{lib}.arange({self.some(-3, 1)}, {self.some(3, 6)}, {self.pick('1', '2', '0.5')})",
            f"{lib}.linspace({self.number()}, 2.0, {self.some(1, 6)})",
            f"{lib}.eye({self.some(2, 3)}{dtype})",
        )

    def factors(self, size):
        """A shape of so many elements."""
        shape, rest = [], size
        while rest > 1 and len(shape) < 3:
            d = self.pick(*[d for d in range(1, rest + 1) if rest % d == 0])
            shape.append(d)
            rest //= d
        shape = shape + [rest] if rest > 1 or not shape else shape
        if self.chance(0.4):
            shape[self.random.randrange(len(shape))] = -1
        return ", ".join(map(str, shape))

    def slice(self, size, numpy):
        bound = lambda: self.pick("", "", "1", "-1", str(self.some(0, max(size, 1))))
        step = self.pick("", "", "", ":2", ":1", ":-1" if numpy else ":2", ":-2" if numpy else ":3")
        return f"{bound()}:{bound()}{step}"

    def places(self, size, once):
        """Indices along a dimension; of several values for one place none is the right one."""
        if once:
            return self.random.sample(range(size), self.some(1, min(size, 3)))
        return [self.some(-size, size - 1) for _ in range(self.some(1, 3))]

    def index(self, v, advanced=True, once=False):
        """A subscript that fits the value."""
        numpy, shape = isinstance(v, np.ndarray), list(v.shape)
        if advanced and self.chance(0.12):
            masks = [n for n in self.variables() if self.is_constant(n) and self.is_bool(n)]
            masks = [n for n in masks if tuple(self.env[n].shape) == tuple(shape[: self.env[n].ndim]) and self.env[n].ndim]
            if masks:
                return self.pick(*masks)
        items, used = [], 0
        count = self.some(1, len(shape)) if shape else 0
        for d in range(count):
            size = shape[d]
            roll = self.random.random()
            if roll < 0.38 and size:
                items.append(str(self.some(-size, size - 1)))
            elif roll < 0.8 or not advanced or not size:
                items.append(self.slice(size, numpy))
            elif roll < 0.92:
                items.append(str(self.places(size, once)))
            else:
                places = self.pick(self.some(0, size - 1), self.places(size, once))
                items.append(f"{'np.array' if numpy else self.pick('torch.tensor', 'np.array')}({places})")
            used += 1
        if self.chance(0.12):
            items.insert(self.some(0, len(items)), "None")
        if self.chance(0.15) and "..." not in items:
            if self.chance(0.6) and used < len(shape) and all(i.lstrip("-").isdigit() for i in items):
                items = ["..."] + items
            else:
                items.append("...")
        return ", ".join(items) or "..."

    def is_bool(self, name):
        return self.env[name].dtype in (torch.bool, np.dtype(bool))

    def is_constant(self, name):
        one, two = (np.array(env[name].tolist()) for env in (self.env, self.twin))
        return name not in ("a", "k") and one.shape == two.shape and (one == two).all()

    def is_distinct(self, v):
        return len(set(np.ravel(v.tolist()).tolist())) == np.size(v.tolist())

    def axis(self, v):
        return self.some(-v.ndim, v.ndim - 1) if v.ndim else 0

    def step(self, text, v):
        """One more operation on a value: a view, a copy, a conversion or a computation."""
        d, e = self.axis(v), self.axis(v)
        n = v.shape[d] if v.ndim else 1
        size = int(np.prod(v.shape))
        both = [
            f"{text}[{self.index(v)}]",
            f"{text}[{self.index(v, advanced=False)}]",
            f"{text}.reshape({self.factors(size)})",
            f"{text}.T",
            f"{text}.ravel()",
            f"{text}.flatten()",
            f"{text}.squeeze()",
            f"{text}.swapaxes({d}, {e})",
            f"{text}.diagonal()",
            f"{text}.sum({d})",
            f"{text}.sum()",
            f"{text}.mean({d})",
            f"{text}.std({d})",
            f"{text}.var()",
            f"{text}.cumsum({d})",
            f"{text}.prod({d})",
            f"{text}.argmax({d})",
            f"{text}.argsort({d})" if self.is_distinct(v) else text,
            f"{text}.round()",
            f"{text}.clip({self.number()}, 2)",
            f"abs({text})",
            f"-{text}",
            f"+{text}",
            f"~{text}",
            f"({text} > {self.number()})",
            f"{text}.any()",
            f"{text}.all({d})",
            f"np.array({text})",
            f"np.array({text}, dtype={self.dtype(True)})",
            f"np.asarray({text})",
        ]
        torch_only = [
            f"{text}.view({self.factors(size)})",
            f"{text}.flatten({d})",
            f"{text}.unsqueeze({self.some(0, v.ndim)})",
            f"{text}.transpose({d}, {e})",
            f"{text}.permute({', '.join(map(str, self.random.sample(range(v.ndim), v.ndim)))})",
            f"{text}.expand({self.some(2, 3)}, {', '.join(['-1'] * v.ndim)})",
            f"{text}.expand_as({text})",
            f"{text}.contiguous()",
            f"{text}.clone()",
            f"{text}.detach()",
            # A write through `.data` spoils the gradient of what was computed before it.
            f"{text}.detach()" if getattr(v, "requires_grad", False) else f"{text}.data",
            f"{text}.numpy()",
            f"{text}.unbind({d})[{self.some(0, max(n - 1, 0))}]",
            f"{text}.split({self.some(1, 2)}, {d})[-1]",
            f"{text}.chunk(2, {d})[0]",
            f"{text}.narrow({d}, {self.some(0, max(n - 1, 0))}, 1)",
            f"{text}.select({d}, {self.some(-n, max(n - 1, 0))})",
            f"{text}.flip({d})",
            f"{text}.roll(1, {d})",
            f"{text}.repeat({self.pick('2', '1, 2', '2, 1, 1')})",
            f"{text}.tile({self.pick('2', '1, 2')})",
            f"{text}.max({d})[{self.pick('0', '0', '1')}]",
            f"{text}.min({d}).values",
            f"{text}.sort({d})[0]",
            f"{text}.clone().median({d}).values",
            f"{text}.abs()",
            f"{text}.neg()",
            f"{text}.clamp({self.number()})",
            f"{text}.long()",
            f"{text}.bool()",
            f"{text}.float()",
            f"{text}.to({self.dtype(False)})",
            f"{text}.type({self.dtype(False)})",
            f"{text}.tanh()",
            f"{text}.square()",
            f"{text}.pow(2)",
            f"{text}.norm()",
            f"{text}.movedim({d}, {e})",
            f"{text}.unflatten({d}, ({self.pick(1, n)}, -1))",
            f"{text}.new_tensor({self.pick('[1, 2.5]', text)})",
            f"{text}.new_zeros({self.some(1, 3)})",
            f"torch.tensor({text})",
            f"torch.as_tensor({text})",
            f"torch.flatten({text})",
            f"torch.flip({text}, [{d}])",
            f"torch.rot90({text})",
            f"torch.ravel({text})",
            f"torch.zeros_like({text})",
            f"torch.ones_like({text})",
            f"torch.full_like({text}, {self.number()})",
            f"torch.where({text} > 0.3, {text}, {self.number()})",
            f"torch.diagonal({text}, {self.some(-1, 1)})",
            f"torch.diag({text})",
            f"torch.atleast_2d({text})",
            f"torch.stack([{text}, {text}], {d})",
            f"torch.cat([{text}, {text}], {d})",
            f"torch.repeat_interleave({text}, 2)",
            f"torch.max({text})",
            f"torch.sum({text}, {d})",
            f"torch.square({text})",
            f"torch.broadcast_to({text}, (2, {', '.join(map(str, v.shape))}))",
            f"torch.tril({text})",
            f"torch.clamp({text}, max={self.number()})",
            f"np.sqrt({text} * 1.0)",
            f"np.mean(np.asarray({text}), {d})",
        ]
        numpy_only = [
            f"{text}.transpose()",
            f"{text}.transpose({', '.join(map(str, self.random.sample(range(v.ndim), v.ndim)))})",
            f"{text}.repeat(2)",
            f"{text}.repeat(2, {d})",
            f"{text}.max({d})",
            f"{text}.min()",
            f"{text}.copy()",
            f"{text}.astype({self.dtype(True)})",
            f"{text}.astype({self.dtype(True)}, copy=False)",
            f"{text}.take([0, -1])",
            f"{text}.dot({text})",
            f"{text}.nonzero()[0]" if not self.numpy_only else f"{text}.copy()",
            f"{text}.std(ddof=1)",
            f"{text}.cumsum()",
            f"{text}.argmax()",
            f"{text}.view()",
            f"{text}[::-1]",
            f"np.flip({text})",
            f"np.flip({text}, {d})",
            f"np.fliplr({text})",
            f"np.flipud({text})",
            f"np.rot90({text})",
            f"np.sort({text}, axis={self.pick(d, 'None')})",
            f"np.argsort({text}, axis={self.pick(d, 'None')})" if self.is_distinct(v) else text,
            f"np.ravel({text})",
            f"np.reshape({text}, ({self.factors(size)},))",
            f"np.transpose({text})",
            f"np.squeeze({text})",
            f"np.expand_dims({text}, {d})",
            f"np.broadcast_to({text}, (2, {', '.join(map(str, v.shape))}))",
            f"np.split({text}, [1], axis={d})[1]",
            f"np.array_split({text}, 2, axis={d})[0]",
            f"np.swapaxes({text}, {d}, {e})",
            f"np.moveaxis({text}, {d}, {e})",
            f"np.diagonal({text})",
            f"np.diag({text})",
            f"np.copy({text})",
            f"np.zeros_like({text})",
            f"np.ones_like({text})",
            f"np.full_like({text}, {self.number()})",
            f"np.where({text} > 0.3, {text}, {self.number()})",
            f"np.clip({text}, 0.5, 2)",
            f"np.tile({text}, 2)",
            f"np.repeat({text}, 2, axis={d})",
            f"np.roll({text}, 1, {d})",
            f"np.diff({text}, axis={d})",
            f"np.stack([{text}, {text}], axis={d})",
            f"np.concatenate([{text}, {text}], axis={d})",
            f"np.vstack([{text}, {text}])",
            f"np.round({text}, 1)",
            f"np.abs({text})",
            f"np.square({text})",
            f"np.tanh({text} * 1.0)",
            f"np.sum({text}, axis={d})",
            f"np.mean({text})",
            f"np.median({text}, axis={d})",
            f"np.std({text}, axis={d})",
            f"np.max({text}, axis={d})",
            f"np.ptp({text})",
            f"np.linalg.norm({text})",
            f"np.tril({text})" if v.ndim > 1 else text,
            f"np.atleast_2d({text})",
            f"np.cumsum({text})",
            f"np.prod({text})",
            f"np.dot({text}, {text})",
            f"np.outer({text}, {text})",
            f"np.take({text}, [1, 0], axis={d})",
            f"np.maximum({text}, {self.number()})",
            f"np.floor({text})",
            f"np.positive({text})",
        ]
        if not self.numpy_only:
            numpy_only += [f"torch.tensor({text})", f"torch.from_numpy({text})", f"torch.as_tensor({text})"] * 2
        own = torch_only if isinstance(v, torch.Tensor) else numpy_only
        return self.pick(*(both + own + own[: len(own) // 3]))

    def expression(self):
        """A chain of operations on a variable or a constant, perhaps joined with another value."""
        roll = self.random.random()
        if roll < 0.2:
            text = self.constant()
        else:
            text = self.pick(*self.variables())
        for _ in range(self.some(0 if roll < 0.2 else 1, 3)):
            v = self.value(text)
            if not isinstance(v, (torch.Tensor, np.ndarray)):
                break
            text = self.step(text, v)
        if self.chance(0.3):
            text = f"{text} {self.operator()} {self.operand()}"
        elif self.chance(0.05):
            text = f"{self.operand()} {self.operator()} ({text})"
        return text

    def operator(self):
        return self.pick("+", "+", "-", "*", "*", "/", "//", "%", "**", "@", "<", "==", self.pick("&", "|", "^"))

    def operand(self, target=None):
        others = self.variables((torch.Tensor, np.ndarray, np.generic, float, int))
        # PyTorch takes a bool of NumPy's for a float.
        others = [n for n in others if not isinstance(self.env[n], np.bool_)]
        others = [n for n in others if not clashes(target, self.env[n])] or ["2"]
        return self.pick(self.number(), self.pick(*others), self.pick(*others))

    def statement(self):
        names = self.variables()
        name = self.pick(*names)
        v = self.env[name]
        new = f"v{len(self.names)}"
        roll = self.random.random()
        augmented = self.pick("+=", "+=", "-=", "*=", "*=", "/=", "//=", "**=", "&=", "|=", "%=")
        if roll < 0.45:
            return f"{new} = {self.expression()}", new
        if roll < 0.6:
            place = f"{name}[{self.index(v, once=True)}]"
            text = self.pick(self.number(), self.number(), self.expression())
            return f"{place} = {self.number() if clashes(v, self.value(text)) else text}", None
        if roll < 0.7:
            place = f"{name}[{self.index(v, once=True)}]"
            return f"{place} {augmented} {self.operand(v)}", None
        if roll < 0.8:
            return f"{name} {augmented} {self.operand(v)}", None
        if roll < 0.84:
            return f"{new} = {name}", new
        if roll < 0.88:
            act = self.pick(f"r {augmented} {self.operand(v)}", f"r[0] = {self.number()}", f"r[:1] {augmented} {self.number()}")
            return f"for r in {self.pick(name, name + '[1:]')}:\n        {act}", None
        if roll < 0.9:
            rest = self.pick("", f", *{new}r")
            return f"{new}, {new}q{rest} = {name}", new
        if roll < 0.93:
            known = "int({}.sum())" if self.is_constant(name) and "float" not in str(v.dtype) else "len({})"
            get = self.pick("{}[0].item()", "float({}.sum())", "{}.tolist()[0]", "{}.max().item()", known)
            return f"{new} = {get.format(name)}", new
        if isinstance(v, torch.Tensor):
            call = self.pick("add_({})", "mul_({})", "fill_({})", "zero_()", "sub_({})", "clamp_(0, 1)", "copy_({})", "abs_()",
                             "div_({})", "pow_(2)", "neg_()", "masked_fill_({}, 2)", "round_()", "t().add_({})", "[0].mul_({})")
            call = call.format(self.operand(v))
            return f"{name}{'' if call[0] == '[' else '.'}{call}", None
        call = self.pick("sort()", f"sort({self.axis(v)})", "fill({})", "put([0, -1], {})", "T.fill({})", "put([1], [{}])")
        return f"{name}.{call.format(self.operand(v))}", None

    def program(self):
        for _ in range(self.some(3, STATEMENTS) * 3):
            if len(self.lines) >= STATEMENTS:
                break
            try:
                line, new = self.statement()
                code = compile(line, "statement", "exec")
                exec(code, self.env)
                exec(code, self.twin)
            except Exception:
                continue
            self.lines.append(line)
            if new:
                for name in (new, new + "q"):
                    if name in self.env and name not in self.names:
                        self.names.append(name)
        return "\n".join("    " + line for line in self.lines) + "\n    return " + self.result() + "\n"

    def result(self):
        terms = ["action_sequence.sum() + R(a)"]
        for name in self.names[1:]:
            v = self.env[name]
            if getattr(v, "dtype", DTYPES[0]) not in DTYPES:
                raise ValueError("a dtype that the language does not tell apart")
            if isinstance(v, torch.Tensor) or self.numpy_only and isinstance(v, (np.ndarray, np.generic)):
                terms.append(f"R({name}) + D({name})")
            elif isinstance(v, (np.ndarray, np.generic)):
                terms.append(f"Q({name}) + E({name})")
            elif isinstance(v, (float, int)):
                terms.append(name)
        return " + ".join(terms)


def clashes(target, value):
    """Whether PyTorch would read what it has overwritten already."""
    if target is value or not all(isinstance(x, (torch.Tensor, np.ndarray)) for x in (target, value)):
        return False
    one, two = (x.detach().numpy() if isinstance(x, torch.Tensor) else x for x in (target, value))
    return np.may_share_memory(one, two)


def text_of(body, numpy_only):
    lib = "np" if numpy_only else "torch"
    arrays = "" if numpy_only or "E(" not in body else ARRAYS
    return HEAD + RESULT.replace("#", lib) + arrays + body


def run_torch(text, keypoints, path):
    names = {"torch": torch, "np": np, "math": math}
    exec(compile(text, "program", "exec"), names)
    path = path.clone().requires_grad_(True)
    value = names["stage1_guidance"](keypoints.clone(), path * 1.0)
    value.backward()
    return value.item(), sum(w * g for w, g in zip(WEIGHTS, path.grad.flatten().tolist()))


def run_numpy(text, keypoints, path):
    names = {"np": np, "math": math}
    exec(compile(text, "program", "exec"), names)
    direction = np.array(WEIGHTS).reshape(1, POINTS, 3)
    at = lambda h: float(names["stage1_guidance"](keypoints.numpy().copy(), path.numpy() + h * direction))
    slope = lambda h: (at(h) - at(-h)) / (2 * h)
    near, far = slope(1e-4), slope(2e-4)
    derivative = (4 * near - far) / 3
    smooth = abs(near - far) <= 1e-5 * max(1.0, abs(near)) and abs(slope(1e-7) - near) <= 1e-5 * max(1.0, abs(near))
    return at(0.0), derivative if smooth else None


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    out = sys.argv[3] if len(sys.argv) > 3 else pathlib.Path(__file__).with_name("probes.json")
    generator = torch.Generator().manual_seed(5)
    draw = lambda *shape: torch.round(torch.rand(*shape, generator=generator) * 1e4) / 1e4
    # The other scenes are such as the compiler probes: they only have to be finite.
    inside = lambda *shape: draw(*shape) * torch.tensor([0.5, 0.8, 0.5]) + torch.tensor([0.25, -0.4, 0.0])
    scenes = [(draw(KEYPOINTS, 3), draw(1, POINTS, 3))]
    scenes += [(inside(KEYPOINTS, 3), inside(1, POINTS, 3)) for _ in range(4)]
    scenes += [(inside(KEYPOINTS, 3), inside(1, 1, 3).repeat(1, POINTS, 1)) for _ in range(2)]
    keypoints, path = scenes[0]
    cases, tried = [], 0
    while len(cases) < count:
        tried += 1
        numpy_only = tried % 3 == 0
        try:
            body = Draw(f"{seed}.{tried}", numpy_only, scenes).program()
            run = run_numpy if numpy_only else run_torch
            results = [run(text_of(body, numpy_only), *scene) for scene in scenes]
        except Exception:
            continue
        value, slope = results[0]
        if not all(abs(v) < 1e5 and (s is None or abs(s) < 1e5) for v, s in results):
            continue
        cases.append([int(numpy_only), body, float(f"{value:.14g}"), slope if slope is None else float(f"{slope:.14g}")])
    lists = {"keypoints": keypoints.tolist(), "path": path.flatten().tolist(), "weights": WEIGHTS}
    parts = {"head": HEAD, "result": RESULT, "arrays": ARRAYS}
    rows = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    start = json.dumps({**lists, **parts}, separators=(",", ":"))[:-1]
    pathlib.Path(out).write_text(f'{start},"cases":[\n{rows}\n]}}\n')
    print(f"{len(cases)} programs of {tried} drawn")


if __name__ == "__main__":
    main()
