//! Branches on positions, f-strings, classes, sets and exceptions without end.

use super::{Attack, repeated, ret, stage};

pub(crate) fn attacks() -> Vec<Attack> {
    let nested = |open: &str, inner: &str, depth: usize| {
        let lines: String = (1..=depth)
            .map(|level| format!("{}{open}\n", "    ".repeat(level)))
            .collect();
        stage(&format!("{lines}{}{inner}", "    ".repeat(depth + 1)))
    };
    let branches: String = (0..2000)
        .map(|i| format!("    if a[0, 0, 0] > {i}:\n        x = x + {i}.5\n"))
        .collect();
    let returns: String = (0..1500)
        .map(|i| format!("    if a[0, 0, 0] > {i}:\n        return x * {i}\n"))
        .collect();
    let names: String = (0..2000).map(|i| format!("    n{i} = a * {i}\n")).collect();
    let elifs: String = (0..300)
        .map(|i| format!("    elif a[0, 0, 0] > {i}:\n        x = {i}\n"))
        .collect();
    vec![
        (
            "branches in a row",
            stage(&format!("    x = a.sum()\n{branches}    return x")),
        ),
        (
            "returns in a row",
            stage(&format!("    x = a.sum()\n{returns}    return x")),
        ),
        (
            "a chain of elif on positions",
            stage(&format!(
                "    x = 1\n    if a[0, 0, 0] > 5:\n        x = 2\n{elifs}    return x * a.sum()"
            )),
        ),
        (
            "branches in branches",
            nested("if a[0, 0, 0] > 0:", "return a.sum()", 20),
        ),
        (
            "branches over much state",
            stage(&format!(
                "{names}    for i in range(1000):\n        if a[0, 0, 0] > i:\n            n0 = n0 + n1\n    return n0.sum()"
            )),
        ),
        (
            "a branch each round",
            repeated("x = a.sum()", "x = x * 1.01 if x > n else x / 3"),
        ),
        (
            "a slope to guard each round",
            repeated("x = a.sum()", "x = torch.sqrt(x) + 1 / x if x > n else x"),
        ),
        (
            "lists that grow on both ways",
            repeated(
                "x = []",
                "if a[0, 0, 0] > n:\n            x.append(a)\n        else:\n            x.append(k)",
            ),
        ),
        (
            "lists copied by every way",
            repeated("x = [a] * 5000", "x[0] = a if a[0, 0, 0] > n else x[1]"),
        ),
        (
            "wide lists of one list merged",
            stage(
                "    x = [a] * 100\n    y = [k] * 100\n    for i in range(7):\n        x = [x] * 100\n        y = [y] * 100\n    z = x if a[0, 0, 0] > 0 else y\n    return a.sum()",
            ),
        ),
        (
            "a list in itself merged",
            stage(
                "    x = [1]\n    x.append(x)\n    y = [2]\n    y.append(y)\n    z = x if a[0, 0, 0] > 0 else y\n    return a.sum()",
            ),
        ),
        (
            "breaks without end",
            repeated(
                "x = a.sum()",
                "x = x + 1\n        if x > n:\n            break",
            ),
        ),
        (
            "continues and returns without end",
            repeated(
                "x = a.sum()",
                "if x > n:\n            continue\n        if x < n:\n            return x\n        x = x + 1",
            ),
        ),
        (
            "helpers that fork twice",
            stage(
                "    def f(x, n):\n        if n == 0:\n            return x\n        if x > n:\n            return f(x + 1, n - 1) * f(x, n - 1)\n        return f(x - 1, n - 1) + f(x * 2, n - 1)\n    return f(a.sum(), 7)",
            ),
        ),
        (
            "two tensors that are one of two",
            repeated(
                "x, y = k[0], k[1]",
                "x = x if a[0, 0, 0] > n else y\n        x += 1",
            ),
        ),
        (
            "an order on positions",
            stage("    x = [a.sum() * i for i in range(2000)]\n    return sorted(x)[0]"),
        ),
        (
            "an extreme by position",
            stage(
                "    x = [a * i for i in range(2000)]\n    return max(x, key=lambda v: v.sum()).sum()",
            ),
        ),
        (
            "a wide format",
            repeated("x = 1.5", "s = f'{x:199.199f}' * 200"),
        ),
        (
            "formats in formats",
            ret(&format!("f'{}'", "{a:".repeat(200))),
        ),
        (
            "fields in fields",
            ret(&format!("f'{}1{}'", "{[".repeat(40), "]}".repeat(40))),
        ),
        (
            "many fields",
            stage(&format!(
                "    s = f'{}'\n    return a.sum()",
                "{a}".repeat(30_000)
            )),
        ),
        (
            "text that doubles in a format",
            repeated("s = 'x' * 1000", "s = f'{s}{s}'"),
        ),
        (
            "text that doubles by replacing",
            repeated("s = 'x' * 100", "s = s.replace('x', 'xx')"),
        ),
        (
            "text that doubles by joining",
            repeated("s = 'x' * 100", "s = s.join([s, s, s])"),
        ),
        (
            "text split again and again",
            repeated("s = 'x ' * 5000", "t = s.split() + list(s)"),
        ),
        (
            "classes without end",
            repeated(
                "C = None",
                "class C:\n            x = n\n            def f(self):\n                return self",
            ),
        ),
        (
            "objects without end",
            repeated(
                "from types import SimpleNamespace as S",
                "s = S(a=n, b=n, c=n, d=n)",
            ),
        ),
        (
            "a named tuple of many fields",
            repeated(
                "from collections import namedtuple\n    names = ['f' + str(i) for i in range(5000)]",
                "C = namedtuple('C', names)",
            ),
        ),
        (
            "objects that hold each other",
            stage(
                "    class C:\n        pass\n    c, d = C(), C()\n    c.d, d.c = d, c\n    from copy import deepcopy\n    return a.sum() * (deepcopy(c) == deepcopy(d))",
            ),
        ),
        (
            "a property that calls itself",
            stage(
                "    class C:\n        @property\n        def f(self):\n            return self.f\n    return C().f",
            ),
        ),
        ("a set that grows", repeated("s = set()", "s.add(n)")),
        (
            "sets combined again and again",
            repeated("s = set(range(500))", "t = s | {n} - s ^ {n}"),
        ),
        (
            "exceptions without end",
            repeated(
                "x = [1]",
                "try:\n            x[5]\n        except IndexError:\n            pass",
            ),
        ),
        ("handlers in handlers", nested("try:", "return k[99]", 20)),
        (
            "deep copies of much",
            repeated(
                "from copy import deepcopy\n    x = [[a] * 100] * 100",
                "y = deepcopy(x)",
            ),
        ),
        (
            "a default that grows",
            repeated(
                "from collections import defaultdict\n    d = defaultdict(list)",
                "d[n].append(n)",
            ),
        ),
        (
            "any of many conditions",
            stage("    return a.sum() * any([a[0, 0, 0] > i for i in range(20000)])"),
        ),
        (
            "conditions in a chain of comparisons",
            ret(&format!("a.sum() * ({}1)", "a[0, 0, 0] < ".repeat(40))),
        ),
    ]
}
