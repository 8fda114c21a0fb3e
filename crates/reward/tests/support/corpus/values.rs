//! Python values: numbers, strings, lists, names, calls, and ways out of the language.

use super::{Attack, repeated, ret, stage};

pub(crate) fn attacks() -> Vec<Attack> {
    vec![
        (
            "huge range",
            stage("    s = 0\n    for i in range(10**15):\n        s += 1\n    return s"),
        ),
        (
            "nested ranges",
            stage(
                "    s = 0\n    for i in range(10**4):\n        for j in range(10**4):\n            s += 1\n    return s",
            ),
        ),
        ("huge list", stage("    x = [0] * 10**12\n    return x")),
        (
            "doubling list",
            stage(
                "    x = [0, 0]\n    for i in range(60):\n        x = [x, x]\n    return torch.tensor(x).sum()",
            ),
        ),
        (
            "doubling by addition",
            stage("    x = [0, 0]\n    for i in range(60):\n        x = x + x\n    return a.sum()"),
        ),
        (
            "nested list",
            stage("    x = []\n    for i in range(100000):\n        x = [x]\n    return a.sum()"),
        ),
        (
            "self append",
            stage(
                "    x = [1]\n    for i in range(100000):\n        x.append(x)\n    return torch.tensor(x).sum()",
            ),
        ),
        ("big integers", ret("9**9**9**9")),
        ("shift", ret("a.sum() * (1 << 10**9)")),
        (
            "recursion",
            stage("    def f(x):\n        return f(x) + f(x)\n    return f(a)"),
        ),
        (
            "branching calls",
            stage(
                "    f = lambda x: x\n    g = lambda x: f(f(f(x)))\n    h = lambda x: g(g(g(x)))\n    i = lambda x: h(h(h(x)))\n    j = lambda x: i(i(i(x)))\n    return j(j(j(j(a.sum()))))",
            ),
        ),
        ("escape", ret("().__class__.__bases__[0].__subclasses__()")),
        ("dunder import", ret("__import__('os').system('true')")),
        ("module escape", ret("torch.os.system('true')")),
        ("open", ret("open('/etc/passwd').read()")),
        (
            "comprehension",
            ret("sum([i * j for i in range(10**4) for j in range(10**4)])"),
        ),
        (
            "scope copies",
            stage("    x = [[0 for i in range(2)] for j in range(200000)]\n    return a.sum()"),
        ),
        (
            "enumerate",
            ret("sum(i for i, x in enumerate(k, 9223372036854775807))"),
        ),
        (
            "empty list a huge number of times",
            stage("    x = [] * 10**15\n    return a.sum()"),
        ),
        ("empty lists", repeated("x = []", "y = x * 10**18")),
        (
            "appending to a copy",
            repeated("x = [0] * 20000", "y = x; x.append(n)"),
        ),
        (
            "appending to two copies",
            repeated("x = [0]", "y = x; x.append(n); y.append(n)"),
        ),
        (
            "long string in a loop",
            stage(&format!(
                "    for n in range(100000):\n        s = '{}'\n    return a.sum()",
                "x".repeat(100_000)
            )),
        ),
        (
            "describing a long string",
            stage(&format!(
                "    s = '{}'\n    for n in range(100000):\n        s.foo()\n    return a.sum()",
                "\u{1}".repeat(100_000)
            )),
        ),
        (
            "comparing long strings",
            stage(&format!(
                "    s = '{0}'\n    t = '{0}'\n    x = [t] * 1000\n    for n in range(100):\n        s in [t, s]\n    return a.sum()",
                "x".repeat(60_000)
            )),
        ),
        (
            "string names an option",
            stage(&format!(
                "    for n in range(100000):\n        F.mse_loss(a, a, '{}')\n    return a.sum()",
                "x".repeat(60_000)
            )),
        ),
        (
            "sum over a list of dimensions",
            repeated("d = [0] * 100000; s = torch.tensor(1.0)", "s.sum(d)"),
        ),
        (
            "list as a shape",
            repeated("d = [1] * 100000", "a.reshape(d)"),
        ),
        (
            "failing in a loop",
            repeated("d = [1] * 20000", "undefined_name(d)"),
        ),
        (
            "failing operation in a loop",
            repeated("d = 0", "torch.nn.functional.frobenius(a)"),
        ),
        (
            "unknown name among many",
            stage(&format!(
                "{}    return (a00001 + b00001)",
                (0..5_000)
                    .map(|i| format!("    x{i:030} = y{i:030} = 0\n"))
                    .take(1_400)
                    .collect::<String>()
            )),
        ),
        (
            "unknown names among many",
            stage(&format!(
                "{}{}",
                (0..2_400)
                    .map(|i| format!("    abcdefghijklmnopqrstuvwxyz{i:04} = 0\n"))
                    .collect::<String>(),
                (0..30)
                    .map(|i| format!("    y = abcdefghijklmnopqrstuvwxyq{i:04}z\n"))
                    .collect::<String>()
            )),
        ),
        (
            "unknown loops over long bodies",
            stage(&format!(
                "    x = undefined_name\n    for n in range(100000):\n        for j in x:\n{}    return a.sum()",
                "            y = 0\n".repeat(6_000)
            )),
        ),
        (
            "long branches that fail",
            stage(&format!(
                "    x = undefined_name\n    for n in range(100000):\n        if x:\n{}    return a.sum()",
                "            y = 0\n".repeat(6_000)
            )),
        ),
        (
            "keyword flood to a local function",
            stage(&format!(
                "    def f({}):\n        return 0\n    return f({})",
                (0..6_000).map(|i| format!("a{i},")).collect::<String>(),
                (0..6_000)
                    .rev()
                    .map(|i| format!("a{i}=0,"))
                    .collect::<String>()
            )),
        ),
        (
            "parameters of a local function",
            stage(&format!(
                "    def f({}):\n        return 0\n    for n in range(100000):\n        f()\n    return a.sum()",
                (0..8_000).map(|i| format!("a{i},")).collect::<String>()
            )),
        ),
        (
            "defaults of a local function",
            stage(&format!(
                "    def f({}):\n        return 0\n    for n in range(100000):\n        f()\n    return a.sum()",
                (0..8_000).map(|i| format!("a{i}=0,")).collect::<String>()
            )),
        ),
        (
            "large scope",
            stage(&format!(
                "{}    for n in range(100000):\n        [0 for i in (0,)]\n    return a.sum()",
                (0..6_000)
                    .map(|i| format!("    x{i} = 0\n"))
                    .collect::<String>()
            )),
        ),
        (
            "large scope in calls",
            stage(&format!(
                "{}    f = lambda: 0\n    for n in range(100000):\n        f()\n    return a.sum()",
                (0..6_000)
                    .map(|i| format!("    x{i} = 0\n"))
                    .collect::<String>()
            )),
        ),
        ("lambdas made", repeated("x = []", "x.append(lambda y: y)")),
        ("functions made", repeated("x = 0", "def f(y): return y")),
        ("ranges", repeated("x = 0", "list(range(10))")),
        (
            "range of extremes",
            stage(
                "    x = range(-9223372036854775808, 9223372036854775807, 1)\n    return a.sum() * len(x) + x[5]",
            ),
        ),
        (
            "range backwards",
            stage(
                "    s = 0\n    for i in range(9223372036854775807, -9223372036854775808, -9223372036854775807):\n        s = s + i // 2\n    return a.sum() * s",
            ),
        ),
        (
            "integer extremes",
            ret("a.sum() * (-9223372036854775807 - 1) // -1 % -1"),
        ),
        (
            "negation overflows",
            ret("a.sum() * -(-9223372036854775807 - 1) * abs(-9223372036854775807 - 1)"),
        ),
        (
            "powers of one",
            ret("a.sum() * 1 ** 4294967295 * (-1) ** 4294967295 * 0 ** 4294967295"),
        ),
        (
            "power tower of floats",
            ret("a.sum() * 1e308 ** 1e308 ** 1e308"),
        ),
        (
            "rounding extremes",
            ret("round(1e308, 9223372036854775807) + int(1e300) + round(-1e-308, -400) + a.sum()"),
        ),
        ("unpacking ranges", ret("max(*range(10**15)) + a.sum()")),
        (
            "unpacking lists",
            ret("torch.stack([*[*[*range(60000)]]]).sum()"),
        ),
        (
            "dictionary comprehension",
            ret("sum({i: i for i in range(10**9)})"),
        ),
        ("set comprehension", ret("sum({i for i in range(10**9)})")),
        (
            "walrus in a comprehension",
            ret("sum([(x := i) for i in range(10**9)])"),
        ),
        ("generator", ret("sum(i for i in range(10**9))")),
        (
            "nested generators",
            ret("sum(sum(i for i in range(j)) for j in range(10**5))"),
        ),
        (
            "zip",
            ret("sum(x[0] for x in zip(range(80000), range(80000), range(80000)))"),
        ),
        (
            "zip of itself",
            stage(
                "    x = [0] * 300\n    y = zip(*[x] * 300)\n    for n in range(1000):\n        y = zip(*y)\n    return a.sum()",
            ),
        ),
        (
            "reversing",
            repeated("x = list(range(1000))", "x = list(reversed(x))"),
        ),
        (
            "lists of shared lists",
            stage(
                "    x = [0] * 100\n    x = [x] * 100\n    x = [x] * 100\n    x = [x] * 100\n    return torch.tensor(x).sum() + a.sum()",
            ),
        ),
        (
            "list as a tensor",
            stage("    x = [0] * 200000\n    return torch.tensor(x).sum() + a.sum()"),
        ),
        (
            "list of scalars",
            stage("    x = [a[0, 0, 0]] * 200000\n    return torch.stack(x).sum()"),
        ),
        (
            "attribute of a function",
            stage("    def f(): pass\n    return f.__globals__['__builtins__']"),
        ),
        ("format string", ret("'{0.__class__}'.format(a)")),
        ("getattr", ret("getattr(torch, 'os').system('true')")),
        (
            "eval",
            ret("eval('1') + exec('1') + compile('1', '', 'eval')"),
        ),
        (
            "with a file",
            stage("    with open('/etc/passwd') as f:\n        return f.read()"),
        ),
        (
            "class",
            stage("    class A:\n        def __init__(self): pass\n    return A()"),
        ),
        (
            "global",
            stage("    global k\n    nonlocal a\n    return a.sum()"),
        ),
        (
            "while",
            stage("    while True:\n        pass\n    return a.sum()"),
        ),
        (
            "jit",
            ret("torch.jit.script(a) + torch.load('x') + torch.ops.aten.add(a, a)"),
        ),
        (
            "deleting the first item",
            repeated("x = [0] * 40000", "del x[0]"),
        ),
        (
            "taking out the first item",
            repeated("x = [0] * 40000", "x.pop(0)"),
        ),
        (
            "putting in a first item",
            repeated("x = [0] * 40000", "x.insert(0, n)"),
        ),
        ("growing dictionary", repeated("d = {}", "d[n] = n")),
        ("dictionaries made", repeated("d = []", "d.append({0: 1})")),
        (
            "reading a large dictionary",
            repeated("d = {i: i for i in range(200)}", "d[199]"),
        ),
        (
            "merging dictionaries",
            repeated("d = {i: i for i in range(100)}", "d.update(d)"),
        ),
        ("text that grows", repeated("s = 'a'", "s = s + s")),
        ("text that grows slowly", repeated("s = 'a'", "s += 'b'")),
        (
            "text of a number",
            repeated("s = 1e308", "str(s) + str(-1e-308)"),
        ),
        (
            "sorting a list",
            repeated("x = list(range(1000))", "sorted(x)"),
        ),
        (
            "sorting by a function",
            repeated("x = list(range(100))", "sorted(x, key=lambda y: -y)"),
        ),
        (
            "map",
            repeated("x = list(range(100))", "list(map(lambda y: y, x))"),
        ),
        (
            "filter",
            repeated("x = list(range(100))", "list(filter(lambda y: y, x))"),
        ),
        ("slices of lists", repeated("x = [0] * 20000", "x[:] = x")),
        ("slices of tuples", repeated("x = (0,) * 20000", "x[1:]")),
        ("unpacking a rest", repeated("x = [0] * 20000", "y, *z = x")),
        (
            "comparing lists",
            repeated("x = [0] * 20000; y = [0] * 20000", "x == y"),
        ),
        (
            "lists that hold themselves",
            stage(
                "    x = [0]\n    x.append(x)\n    y = [x, x]\n    x == y\n    torch.tensor(x)\n    str(x)\n    sorted(x)\n    return a.sum()",
            ),
        ),
        (
            "dictionaries that hold themselves",
            stage(
                "    d = {}\n    d[0] = d\n    e = {0: d}\n    d == e\n    torch.tensor(d)\n    str(d)\n    return a.sum()",
            ),
        ),
        (
            "lists in lists compared",
            stage(
                "    x = [0]\n    y = [0]\n    for i in range(60):\n        x = [x, x]\n        y = [y, y]\n    return a.sum() if x == y else 0",
            ),
        ),
        (
            "lists in lists as a tensor",
            stage(
                "    x = [0]\n    for i in range(60):\n        x = [x, x]\n    return torch.tensor(x).sum() + a.sum()",
            ),
        ),
        (
            "closures in closures",
            stage(
                "    f = lambda x: x\n    for n in range(100000):\n        f = (lambda g: lambda x: g(x))(f)\n    return f(a).sum()",
            ),
        ),
        (
            "defaults that hold much",
            stage(
                "    x = [0] * 20000\n    for n in range(100000):\n        f = lambda y=x, z=list(x): y\n    return a.sum()",
            ),
        ),
        (
            "without gradients",
            stage(
                "    x = torch.zeros(32000)\n    with torch.no_grad():\n        for n in range(100000):\n            x.real\n            x.data\n    return a.sum()",
            ),
        ),
        (
            "withs in withs",
            stage(
                "    with torch.no_grad(), torch.no_grad():\n        while True:\n            x = [n for n in range(100)]\n    return a.sum()",
            ),
        ),
        (
            "endless while",
            stage("    x = 0\n    while x < 10**18:\n        x = x + 1\n    return a.sum()"),
        ),
        (
            "while that shrinks",
            stage(
                "    x = list(range(50000))\n    while x:\n        x = x[1:]\n    return a.sum()",
            ),
        ),
        (
            "constants of the module",
            format!(
                "num_stages = 16\nX = [i for i in range(30000)]\nY = {{i: i for i in range(100)}}\n{}",
                (1..=16)
                    .map(|i| format!("def stage{i}_guidance(k, a):\n    return a.sum() * len(X)\n"))
                    .collect::<String>()
            ),
        ),
        (
            "many constants of the module",
            format!(
                "num_stages = 16\n{}{}",
                (0..6_000)
                    .map(|i| format!("x{i} = 0\n"))
                    .collect::<String>(),
                (1..=16)
                    .map(|i| format!("def stage{i}_guidance(k, a):\n    return a.sum() * x1\n"))
                    .collect::<String>()
            ),
        ),
        (
            "failing constants of the module",
            format!(
                "num_stages = 16\n{}{}",
                (0..5_000)
                    .map(|i| format!("x{i} = undefined\n"))
                    .collect::<String>(),
                (1..=16)
                    .map(|i| format!("def stage{i}_guidance(k, a):\n    return a.sum() * x1\n"))
                    .collect::<String>()
            ),
        ),
        (
            "dictionary display",
            stage(&format!(
                "    d = {{{}}}\n    return a.sum()",
                (0..9_000).map(|i| format!("{i}: 0,")).collect::<String>()
            )),
        ),
        (
            "unknown names in nested functions",
            stage(&format!(
                "{}    def f():\n        def g():\n            return [undefined for n in range(1000)]\n        return g()\n    for n in range(100000):\n        f()\n    return a.sum()",
                (0..2_400)
                    .map(|i| format!("    abcdefghijklmnopqrstuvwxyz{i:04} = 0\n"))
                    .collect::<String>()
            )),
        ),
    ]
}
