//! Decompositions, and functions that remember arguments or make many items.

use super::{Attack, repeated, ret, stage};

pub(crate) fn attacks() -> Vec<Attack> {
    vec![
        (
            "zero matrix",
            ret("torch.linalg.svd(torch.zeros(6, 6) * a[0, 0, 0])[1].sum() + a.sum()"),
        ),
        (
            "zero covariance",
            ret("torch.linalg.eigh(torch.zeros(3, 3) + 0 * a[0, 0, 0])[1].sum()"),
        ),
        (
            "singular least squares",
            ret(
                "torch.linalg.lstsq(torch.ones(6, 3) * a[0, 0, 0], torch.ones(6, 1)).solution.sum()",
            ),
        ),
        (
            "infinite matrix",
            ret("torch.linalg.eigh(torch.full((3, 3), float('inf')) * a[0, 0, 0])[0].sum()"),
        ),
        (
            "matrix of NaN",
            ret("torch.linalg.qr(torch.full((3, 3), float('nan')) + a[0, 0, 0])[0].sum()"),
        ),
        (
            "matrix of huge numbers",
            ret("torch.linalg.svdvals(torch.full((3, 3), 1e300) * a[0, 0, 0]).sum()"),
        ),
        (
            "matrix of tiny numbers",
            ret("torch.linalg.eigvalsh(torch.eye(3) * 1e-300 * a[0, 0, 0]).sum()"),
        ),
        (
            "huge matrix",
            ret("torch.linalg.svd(torch.zeros(180, 180))[1].sum()"),
        ),
        (
            "empty matrix",
            ret("torch.linalg.eigh(torch.zeros(0, 0))[0].sum() + a.sum()"),
        ),
        (
            "batch of empty matrices",
            ret("torch.linalg.svdvals(torch.zeros(0, 3, 3)).sum() + a.sum()"),
        ),
        (
            "batches of nothing",
            repeated("x = torch.zeros(0, 6, 6)", "torch.linalg.pinv(x)"),
        ),
        (
            "many large decompositions",
            stage(
                "    x = torch.eye(6) + a.sum()\n    for i in range(1000):\n        x = torch.linalg.pinv(x)\n    return x.sum()",
            ),
        ),
        (
            "many decompositions of a trajectory",
            ret("torch.linalg.svd(a[0, :, :, None] * a[0, :, None, :])[0].sum()"),
        ),
        (
            "decompositions of constants",
            repeated(
                "x = torch.arange(36.0).view(6, 6)",
                "x = torch.linalg.qr(x)[1]",
            ),
        ),
        (
            "eigenvectors of keypoints",
            stage(
                "    x = 0\n    for i in range(60):\n        x = x + torch.linalg.eigh(k.T @ k + i)[1]\n    return x.sum() + a.sum()",
            ),
        ),
        (
            "complete basis",
            ret("torch.linalg.svd(torch.cat([a[0]] * 4))[0].sum()"),
        ),
        (
            "combinations of many",
            stage(
                "    import itertools\n    return a.sum() * len(itertools.combinations(range(60), 30))",
            ),
        ),
        (
            "combinations with repetition",
            stage(
                "    import itertools\n    return a.sum() * len(itertools.combinations_with_replacement(range(2), 10**12))",
            ),
        ),
        (
            "permutations of many",
            stage(
                "    import itertools\n    return a.sum() * len(itertools.permutations(range(1000)))",
            ),
        ),
        (
            "choices of nothing",
            stage("    import itertools\n    return a.sum() * len(itertools.combinations([], 0))"),
        ),
        (
            "negative choices",
            stage(
                "    import itertools\n    return a.sum() * len(itertools.combinations([1], -10**18))",
            ),
        ),
        (
            "endless product",
            stage(
                "    import itertools\n    return a.sum() * len(itertools.product(range(9), repeat=10**12))",
            ),
        ),
        (
            "product of nothing",
            stage(
                "    import itertools\n    return a.sum() * len(itertools.product(repeat=10**12))",
            ),
        ),
        (
            "endless count",
            stage("    import itertools\n    return a.sum() * len(itertools.count())"),
        ),
        (
            "zip of counts",
            stage(
                "    import itertools\n    return a.sum() * len(zip(itertools.count(), itertools.count()))",
            ),
        ),
        (
            "far slice",
            stage(
                "    import itertools\n    return a.sum() * sum(itertools.islice(itertools.count(2**62, 2**62), 10**12, 10**13))",
            ),
        ),
        (
            "slice that overflows",
            stage(
                "    import itertools\n    return a.sum() + sum(itertools.islice(itertools.count(2**62, 2**62), 9, 12))",
            ),
        ),
        (
            "huge repeat of one",
            stage("    import itertools\n    return a.sum() * len(itertools.repeat(a, 10**15))"),
        ),
        (
            "repeat of repeats",
            stage(
                "    import itertools\n    x = a\n    for i in range(100000):\n        x = itertools.repeat(x)\n    return a.sum()",
            ),
        ),
        (
            "partials in partials",
            stage(
                "    import functools\n    f = torch.norm\n    for i in range(100000):\n        f = functools.partial(f, i)\n    return f(a)",
            ),
        ),
        (
            "partials as arguments",
            stage(
                "    import functools\n    f = torch.norm\n    for i in range(100000):\n        f = functools.partial(torch.norm, f)\n    return f(a)",
            ),
        ),
        (
            "partials of keywords",
            stage(
                "    import functools\n    f = torch.norm\n    for i in range(100000):\n        f = functools.partial(f, x=f)\n    return f(a)",
            ),
        ),
        (
            "partial that calls itself",
            stage(
                "    import functools\n    f = lambda g, n: g(g, n)\n    h = functools.partial(f, f)\n    return h(1)",
            ),
        ),
        (
            "reduce of reduces",
            stage(
                "    from functools import reduce\n    f = lambda x, y: reduce(f, [x, y, x, y, x, y])\n    return f(a, a).sum()",
            ),
        ),
        (
            "reduce of many",
            stage(
                "    from functools import reduce\n    return reduce(lambda x, y: torch.sin(x) + y, range(10**9), a.sum())",
            ),
        ),
        (
            "chain that doubles",
            stage(
                "    import itertools\n    x = [0, 1]\n    for i in range(60):\n        x = itertools.chain(x, x)\n    return a.sum()",
            ),
        ),
        (
            "interpolating far",
            ret("F.interpolate(a, size=10**12).sum()"),
        ),
        (
            "interpolating by a tiny factor",
            ret("F.interpolate(a, scale_factor=1e-300).sum()"),
        ),
        (
            "interpolating a grid",
            ret(
                "F.interpolate(torch.ones(1, 1, 180, 180) * a[0, 0, 0], size=180, mode='bilinear').sum()",
            ),
        ),
        (
            "interpolating nothing",
            ret("F.interpolate(a[:, :0], size=3).sum() + F.interpolate(a[..., :0], size=3).sum()"),
        ),
        (
            "appending",
            repeated("x = torch.zeros(3)", "x = np.append(x, x)"),
        ),
        (
            "deleting",
            repeated("x = torch.zeros(180, 180)", "np.delete(x, 1, axis=0)"),
        ),
        ("deleting out of range", ret("np.delete(a, 2**62).sum()")),
        ("inserting far", ret("np.insert(a, -2**62, 1.0).sum()")),
        (
            "many choices",
            ret("np.select([a > 0] * 30000, [a] * 30000).sum()"),
        ),
        (
            "long row of indices",
            ret("np.r_[0:10**15].sum() + a.sum()"),
        ),
        (
            "row of infinities",
            ret("np.r_[0:float('inf'):0.5].sum() + np.r_[0:1:float('nan')].sum() + a.sum()"),
        ),
        (
            "row without a step",
            ret("np.r_[0:1:0].sum() + np.r_[0:].sum() + a.sum()"),
        ),
        (
            "long complex step",
            ret("np.r_[0:1:10000000000000j].sum() + a.sum()"),
        ),
        ("empty row", ret("np.c_[()].sum() + a.sum()")),
        ("listing", repeated("x = torch.zeros(32000)", "x.tolist()")),
        (
            "listing nothing",
            repeated("x = torch.zeros(32000, 0)", "x.tolist()"),
        ),
        (
            "listing many dimensions",
            ret("a[None, None, None, None, None, None, None, None].tolist()"),
        ),
        (
            "huge blank",
            ret("torch.empty(10**6, 10**6).sum() + a.sum()"),
        ),
        (
            "layers in layers",
            stage(
                "    f = torch.nn.ReLU()\n    for i in range(100000):\n        f = torch.nn.Threshold(f, f)\n    return f(a).sum()",
            ),
        ),
        (
            "getters of getters",
            stage(
                "    import operator\n    f = 0\n    for i in range(100000):\n        f = operator.itemgetter(f, f)\n    return a.sum()",
            ),
        ),
        (
            "devices in devices",
            stage(
                "    d = 'cpu'\n    for i in range(100000):\n        d = torch.device(d)\n    return a.sum() if d == torch.device('cpu') else a.sum()",
            ),
        ),
    ]
}
