//! Much of one construct in each other: what a single statement may hold, carried out again and again.

use super::{Attack, repeated, ret, stage};

/// `count` pieces, each made of its number.
pub(super) fn many(count: usize, piece: impl Fn(usize) -> String) -> String {
    (0..count).map(piece).collect()
}

pub(crate) fn attacks() -> Vec<Attack> {
    let mut all = state();
    all.extend(names());
    all.extend(classes());
    all
}

/// Branches and exceptions over much state.
fn state() -> Vec<Attack> {
    let tensors = many(2000, |i| format!("    n{i} = a[0, 0, 0] * {i}\n"));
    let tries = many(25, |i| {
        let blanks = "    ".repeat(i + 1);
        format!(
            "{blanks}try:\n{blanks}    k[99]\n{blanks}except ValueError:\n{blanks}    pass\n{blanks}finally:\n"
        )
    });
    let classes = many(3000, |i| format!("E{i}, "));
    vec![
        (
            "breaks over much state",
            stage(&format!(
                "{tensors}    x = 0\n    for i in range(1000):\n        x = x + 1\n        if a[0, 0, 0] > i:\n            break\n    return x * n0"
            )),
        ),
        (
            "returns over much state",
            stage(&format!(
                "{tensors}    x = 0\n    for i in range(1000):\n        if a[0, 0, 0] > i:\n            return x * n0\n        x = x + n1\n    return x * n0"
            )),
        ),
        (
            "branches in loops in loops over objects",
            stage(
                "    class C:\n        x = 0.0\n        def __init__(self, n):\n            self.n = n\n        def add(self, y):\n            if y > self.n:\n                self.x = self.x + y\n            return self\n    cs = [C(i) for i in range(30)]\n    for i in range(1000):\n        for c in cs:\n            if a[0, 0, 0] > i:\n                c.add(a[0, 1, 0])\n            else:\n                c.x = -c.x\n    return sum(c.x for c in cs)",
            ),
        ),
        (
            "breaks in loops in functions in loops",
            repeated(
                "x = a.sum()\n    def f(x):\n        for i in range(3):\n            if x > i:\n                break\n            if x < -i:\n                return x + i\n            x = x * 1.5\n        return x",
                "x = f(x)",
            ),
        ),
        (
            "conditions kept in a list",
            stage(
                "    xs = []\n    for i in range(3000):\n        xs.append(a[0, 0, 0] > i)\n    n = 0.0\n    for x in xs:\n        for y in xs:\n            n = n + 1 if x and y or not x else n\n    return n * a.sum()",
            ),
        ),
        (
            "tries in finally in finally",
            stage(&format!("{tries}{}return a.sum()", "    ".repeat(26))),
        ),
        (
            "tries in handlers in a loop",
            repeated(
                "x = [1]",
                "try:\n            try:\n                x[5]\n            except IndexError:\n                raise ValueError('x')\n        except ValueError as e:\n            s = f'{e}'",
            ),
        ),
        (
            "handlers of many classes",
            repeated(
                "x = 1",
                &format!(
                    "try:\n            raise KeyError\n        except ({classes}KeyError):\n            x = x + 1"
                ),
            ),
        ),
        (
            "many handlers",
            repeated(
                "x = 1",
                &format!(
                    "try:\n            raise KeyError\n{}        except KeyError:\n            x = x + 1",
                    "        except TypeError:\n            pass\n".repeat(2000)
                ),
            ),
        ),
        (
            "exceptions from the depth of calls",
            stage(
                "    def f(n):\n        try:\n            return f(n - 1) if n else [][0]\n        finally:\n            n = 0\n    for i in range(1000):\n        try:\n            f(12)\n        except IndexError:\n            pass\n    return a.sum()",
            ),
        ),
        (
            "many cases on positions",
            stage(&format!(
                "    match a[0, 0, 0] > 0:\n{}        case _:\n            x = 1\n    return a.sum()",
                many(1500, |i| format!(
                    "        case {i}:\n            x = {i}\n"
                ))
            )),
        ),
        (
            "many cases again and again",
            repeated(
                "x = 1",
                &format!(
                    "match n:\n{}            case _:\n                x = 1",
                    many(2000, |i| format!(
                        "            case -{i}:\n                pass\n"
                    ))
                ),
            ),
        ),
        (
            "alternatives again and again",
            repeated(
                "x = 'y'",
                &format!(
                    "match x:\n            case {}'b':\n                x = 1",
                    "'a' | ".repeat(45)
                ),
            ),
        ),
        (
            "alternatives in a sequence",
            repeated(
                "x = [1] * 30",
                &format!(
                    "match x:\n            case [*_, {}]:\n                x = 1",
                    "1 | 2, ".repeat(29)
                ),
            ),
        ),
    ]
}

/// Names, helpers and parameters by the thousand.
fn names() -> Vec<Attack> {
    let globals = many(6000, |i| format!("g{i}, "));
    let helpers = many(5500, |i| format!("def h{i}(x): return x\n"));
    let chain = many(2000, |i| format!("def h{}(x): return h{i}(x) + 1\n", i + 1));
    let same = "def h(x): return x\n".repeat(6000);
    let inner = many(4000, |i| format!("    def h{i}(x): return x\n"));
    let forks = many(1500, |i| {
        format!("def h{i}(x): return x if x > {i} else -x\n")
    });
    let calls = many(1500, |i| format!("    x = h{i}(x)\n"));
    let aliases = many(3000, |i| format!("    p{i} = a\n"));
    let program = |before: &str, body: &str| {
        format!("num_stages = 1\n{before}def stage1_guidance(k, a):\n{body}\n")
    };
    vec![
        (
            "a name of another frame among many",
            stage(&format!(
                "    z = 0\n    def f():\n        nonlocal {globals}z\n        for i in range(100000):\n            z = i\n    f()\n    return a.sum()"
            )),
        ),
        (
            "globals again and again",
            repeated("z = 0", &format!("global {globals}z0")),
        ),
        (
            "tiny helpers",
            program(&helpers, "    return h5499(a.sum())"),
        ),
        (
            "tiny helpers in a chain",
            program(
                &format!("def h0(x): return x\n{chain}"),
                "    return h2000(a.sum())",
            ),
        ),
        (
            "one helper again and again",
            program(&same, "    return h(a.sum())"),
        ),
        (
            "tiny helpers inside",
            stage(&format!("{inner}    return h3999(a.sum())")),
        ),
        (
            "tiny helpers that fork",
            program(&forks, &format!("    x = a.sum()\n{calls}    return x")),
        ),
        (
            "helpers that are one of two",
            repeated(
                "f, g, x = torch.sin, torch.cos, a.sum()",
                "f = f if x > n else g",
            ),
        ),
        (
            "names of the trajectory",
            stage(&format!(
                "{aliases}{}    return a.sum()",
                "    range(1, len(a))\n".repeat(3000)
            )),
        ),
        (
            "names of its particles",
            stage(&format!(
                "{}{}    return a.sum()",
                many(3000, |i| format!("    c{i} = len(a)\n")),
                "    for t in range(len(a)): pass\n".repeat(1500)
            )),
        ),
        (
            "unknown helpers",
            program(&helpers, &many(25, |i| format!("    x = hx{i}(a)\n"))),
        ),
        (
            "keywords to many helpers",
            repeated(
                &format!(
                    "def f(**kw):\n        return kw\n    d = {{{}}}",
                    many(2000, |i| format!("'k{i}': {i}, "))
                ),
                "f(**d)",
            ),
        ),
        (
            "many fields by name",
            repeated(
                &format!(
                    "from collections import namedtuple\n    C = namedtuple('C', '{}')",
                    many(5000, |i| format!("f{i} "))
                ),
                &format!("C({})", many(5000, |i| format!("f{i}=1,"))),
            ),
        ),
        (
            "remembered keywords and others",
            repeated(
                &format!(
                    "from functools import partial\n    def f(**kw):\n        return 1\n    g = partial(f, {})",
                    many(5000, |i| format!("f{i}=1,"))
                ),
                &format!("g({})", many(5000, |i| format!("g{i}=1,"))),
            ),
        ),
        ("a method of nothing", ret("a.sum() * len(str.upper(*[]))")),
        (
            "one of many types",
            repeated("t = (int, str) * 15000", "isinstance(a, t)"),
        ),
        (
            "stars to a helper",
            repeated(
                "def f(*xs):\n        return xs\n    d = [a] * 20000",
                "f(*d)",
            ),
        ),
    ]
}

/// Classes, objects and what they hold.
fn classes() -> Vec<Attack> {
    let fields = many(3000, |i| format!("        f{i}: float = {i}\n"));
    let methods = many(2000, |i| format!("        def m{i}(self): return self\n"));
    let bases = many(1500, |i| {
        format!("    class C{}(C{i}):\n        pass\n", i + 1)
    });
    let members = many(3000, |i| format!("        M{i} = {i}\n"));
    let enclosed = many(7, |_| "    x = [x] * 100\n".to_owned());
    let doubled =
        |kind: &str| format!("    x = [1, 2.5]\n{enclosed}    {kind}\n    return a.sum()");
    vec![
        (
            "a dataclass of many fields",
            stage(&format!(
                "    from dataclasses import dataclass\n    @dataclass\n    class C:\n{fields}    for n in range(100000):\n        c = C()\n    return a.sum()"
            )),
        ),
        (
            "a field among many",
            stage(&format!(
                "    class C:\n{fields}    c = C()\n    for n in range(100000):\n        c.f2999\n    return a.sum()"
            )),
        ),
        (
            "a method among many",
            stage(&format!(
                "    class C:\n{methods}    c = C()\n    for n in range(100000):\n        c.m1999()\n    return a.sum()"
            )),
        ),
        (
            "a class of a class of a class",
            stage(&format!(
                "    class C0:\n        x = 1\n{bases}    c = C1500()\n    for n in range(100000):\n        c.x\n    return a.sum()"
            )),
        ),
        (
            "a class of many classes",
            stage(&format!(
                "    class B:\n        x = 1\n    class C({}):\n        pass\n    for n in range(100000):\n        C().y\n    return a.sum()",
                "B, ".repeat(5000)
            )),
        ),
        (
            "an enumeration of many",
            stage(&format!(
                "    from enum import Enum\n    class E(Enum):\n{members}    for n in range(100000):\n        x = E.M2999\n        y = [e.value for e in E]\n    return a.sum()"
            )),
        ),
        (
            "an operator that calls itself",
            stage(
                "    class C:\n        def __add__(self, other):\n            return self + other\n    return C() + C()",
            ),
        ),
        (
            "a text that asks for itself",
            stage(
                "    class C:\n        def __str__(self):\n            return f'{self}'\n        __repr__ = __str__\n    print(C())\n    return a.sum()",
            ),
        ),
        (
            "an order that calls itself",
            stage(
                "    class C:\n        def __lt__(self, other):\n            return sorted([self, other])[0] is self\n    sorted([C(), C()])\n    return a.sum()",
            ),
        ),
        (
            "a call of an object that calls itself",
            stage(
                "    class C:\n        def __call__(self, x):\n            return self(x)\n        def __getattr__(self, x):\n            return self.y\n    return C()(a)",
            ),
        ),
        (
            "a class that makes itself",
            stage(
                "    class C:\n        def __init__(self):\n            self.c = C()\n        def __post_init__(self):\n            C()\n    return C()",
            ),
        ),
        (
            "wide lists of one list shown",
            stage(&doubled("print(f'{x}', str(x), repr(x))")),
        ),
        (
            "wide lists of one list compared",
            stage(&doubled("y = x == [x[0]] * 100")),
        ),
        (
            "wide lists of one list searched",
            stage(&doubled("y = 3 in x or x.count(3) or x.index(4)")),
        ),
        (
            "wide lists of one list ordered",
            stage(&doubled("y = sorted(x) + sorted([x, x])")),
        ),
        (
            "wide lists of one list as a tensor",
            stage(&doubled("y = torch.tensor(x)")),
        ),
        (
            "wide lists of one list as an array",
            stage(&doubled("y = np.array(x)")),
        ),
        (
            "wide lists of one list copied",
            stage(&doubled("import copy; y = copy.deepcopy(x)")),
        ),
        (
            "wide lists of one list returned",
            stage(&doubled("return x")),
        ),
        (
            "wide lists of one list in sums",
            stage(&doubled("y = sum(x, []) + [*x, *x]")),
        ),
        (
            "tuples of one tuple as keys",
            repeated(
                &format!("x = (1, 2)\n{}", "    x = (x,) * 100\n".repeat(6)),
                "d = {x: 1}\n        s = {x, (x, x)}",
            ),
        ),
        (
            "a counter of many",
            repeated(
                "from collections import Counter, OrderedDict, deque\n    x = list(range(3000))",
                "c = Counter(x).most_common(5)\n        q = deque(x, maxlen=3)",
            ),
        ),
        (
            "objects compared",
            repeated(
                "from dataclasses import dataclass\n    @dataclass\n    class C:\n        x: list\n    c = C([a] * 10000)\n    d = C([a] * 10000)",
                "c == d",
            ),
        ),
    ]
}
