//! Decompositions, functions that remember arguments, and items made from others: what one golden
//! expression cannot show.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests may panic"
)]

use tiller_reward::{CompileOptions, Evaluator, compile};

/// Six keypoints in general position.
const SCENE: [[f64; 3]; 6] = [
    [0.42, -0.11, 0.05],
    [0.55, 0.2, 0.31],
    [0.61, 0.03, 0.12],
    [0.33, 0.14, 0.27],
    [0.48, -0.23, 0.19],
    [0.7, 0.09, 0.02],
];

fn stage(body: &str) -> String {
    format!("num_stages = 1\ndef stage1_guidance(k, a):\n{body}\n")
}

fn evaluated(body: &str, scene: &[[f64; 3]], path: &[f64]) -> (f64, Vec<f64>) {
    let text = stage(body);
    let program = compile(&text, &CompileOptions::new(scene.len(), path.len() / 3))
        .unwrap_or_else(|mistakes| panic!("{}", mistakes.render(&text)));
    let (mut value, mut gradient) = ([0.0], vec![0.0; path.len()]);
    Evaluator::<f64>::new(&program.stages[0].guidance, 1)
        .evaluate(scene, path, &mut value, Some(&mut gradient))
        .unwrap_or_else(|error| panic!("{error}: {text}"));
    (value[0], gradient)
}

/// What a body of constants comes to.
fn number(body: &str) -> f64 {
    // At the origin the trajectory adds nothing.
    evaluated(
        &format!("{body}\n    return y + a.sum()"),
        &SCENE,
        &[0.0; 6],
    )
    .0
}

fn refusal(body: &str) -> String {
    compile(&stage(body), &CompileOptions::new(6, 2))
        .expect_err(body)
        .to_string()
}

#[test]
fn iterators_give_what_python_gives() {
    let cases = [
        (
            "sum(i * j for i, j in itertools.combinations(range(5), 2))",
            35.0,
        ),
        (
            "sum(10 * i + j for i, j in itertools.permutations([1, 2, 3], 2))",
            132.0,
        ),
        (
            "len(list(itertools.combinations_with_replacement([1, 2, 3], 2)))",
            6.0,
        ),
        (
            "sum(i ** j for i, j in itertools.product([2, 3], repeat=2))",
            4.0 + 8.0 + 9.0 + 27.0,
        ),
        (
            "sum(i * w for i, w in itertools.product(range(3), (0.5, 1.5)))",
            6.0,
        ),
        ("sum(itertools.chain([1, 2], (3,), range(4, 6)))", 15.0),
        ("sum(itertools.chain.from_iterable([[1], [2, 3]]))", 6.0),
        ("sum(b - a for a, b in itertools.pairwise([1, 4, 9]))", 8.0),
        ("sum(itertools.accumulate([1, 2, 3]))", 10.0),
        (
            "sum(itertools.accumulate([1, 2, 3], operator.mul, initial=10))",
            10.0 + 10.0 + 20.0 + 60.0,
        ),
        ("sum(itertools.islice([1, 2, 3, 4, 5, 6], 1, 6, 2))", 12.0),
        ("sum(itertools.islice(itertools.count(10, 5), 1, 3))", 35.0),
        (
            "sum(i * x for i, x in zip(itertools.count(1), [5, 6]))",
            17.0,
        ),
        (
            "sum(a * b for a, b in itertools.zip_longest([1, 2], [3], fillvalue=7))",
            17.0,
        ),
        ("sum(itertools.starmap(pow, [(2, 3), (3, 2)]))", 17.0),
        (
            "sum(itertools.repeat(1.5, 4)) + sum(map(operator.add, [1, 2], itertools.repeat(3)))",
            15.0,
        ),
        ("functools.reduce(operator.sub, [1, 2, 3], 10)", 4.0),
        (
            "functools.reduce(lambda x, y: 10 * x + y, [1, 2, 3])",
            123.0,
        ),
        (
            "sorted([(1, 5), (2, 4)], key=operator.itemgetter(1))[0][0]",
            2.0,
        ),
        (
            "operator.itemgetter('p', 'q')({'p': 3, 'q': 4})[1] - operator.neg(2)",
            6.0,
        ),
        (
            "functools.partial(pow, 2)(3) + functools.partial(sorted, reverse=True)([1, 3])[0]",
            11.0,
        ),
        ("functools.partial(functools.partial(max, 4), 7)(5)", 7.0),
        (
            "functools.lru_cache(maxsize=None)(lambda x: x + 1)(1) + functools.cache(abs)(-2)",
            4.0,
        ),
        (
            "torch.tensor([[1, 2], [3, 4]]).tolist()[1][0] + torch.tensor(2.5).tolist()",
            5.5,
        ),
    ];
    for (expression, expected) in cases {
        let found = number(&format!(
            "    import functools, itertools, operator\n    y = {expression}"
        ));
        assert!((found - expected).abs() < 1e-12, "{expression}: {found}");
    }
}

#[test]
fn a_remembered_argument_gives_way_to_a_later_one() {
    let body = "
    from functools import partial
    def cost(path, point, gain=1.0):
        return gain * (path - point).sum()
    near = partial(cost, a, gain=2.0)
    return near(k[0], gain=3.0) - near(k[0]) + torch.nn.MSELoss(reduction='sum')(a, a * 0, reduction='none').sum() * 0";
    let (_, gradient) = evaluated(body, &SCENE, &[0.1; 6]);
    assert!(
        gradient.iter().all(|g| (g - 1.0).abs() < 1e-12),
        "{gradient:?}"
    );
}

#[test]
fn numbers_of_a_list_carry_no_gradient() {
    let body = "    x, y, z = a[0, -1].tolist()\n    return a[0, -1, 0] * y + x";
    let (value, gradient) = evaluated(body, &SCENE, &[0.0, 0.0, 0.0, 0.5, 0.25, 1.0]);
    assert_eq!(value, 0.625);
    assert_eq!(gradient, [0.0, 0.0, 0.0, 0.25, 0.0, 0.0]);
}

#[test]
fn a_plane_through_keypoints_has_the_normal_that_every_way_finds() {
    let height = |normal: &str| {
        let body = format!(
            "    c = k.mean(0)\n    p = k - c\n{normal}\n    n = n / n.norm()\n    return ((a[0] - c) @ n).pow(2).sum()"
        );
        evaluated(&body, &SCENE, &[0.3, 0.1, 0.2, 0.5, -0.1, 0.4])
    };
    let (value, gradient) = height("    n = torch.linalg.svd(p)[2][-1]");
    for normal in [
        "    n = torch.svd(p).V[:, -1]",
        "    n = torch.linalg.eigh(p.T @ p).eigenvectors[:, 0]",
        "    w, v = np.linalg.eig(np.cov(p.T))\n    n = v[:, np.argmin(w)]",
        "    u, s, vh = torch.linalg.svd(p.T @ p)\n    n = u[:, 2]",
    ] {
        let (other, slopes) = height(normal);
        assert!(
            (other - value).abs() < 1e-12,
            "{normal}: {other} and {value}"
        );
        let off = slopes.iter().zip(&gradient).map(|(a, b)| (a - b).abs());
        assert!(off.fold(0.0, f64::max) < 1e-12, "{normal}");
    }
}

#[test]
fn slopes_stay_finite_where_eigenvalues_meet() {
    // The hand stands still or moves along a line: two or three eigenvalues are one.
    let bodies = [
        "    x = a[0] - a[0].mean(0)\n    return torch.linalg.eigh(x.T @ x)[0][-1] + a.sum()",
        "    x = a[0] - a[0].mean(0)\n    return torch.linalg.eigh(x.T @ x)[1].pow(2).sum() + a.sum()",
        "    x = a[0] - a[0].mean(0)\n    return torch.linalg.svdvals(x).sum() + a.sum()",
        "    x = a[0] - a[0].mean(0)\n    u, s, vh = torch.linalg.svd(x, full_matrices=False)\n    return (u @ torch.diag(s) @ vh).sum() + a.sum()",
    ];
    for body in bodies {
        for path in [[0.25; 9], [0.0, 0.0, 0.0, 0.1, 0.0, 0.0, 0.2, 0.0, 0.0]] {
            let (_, gradient) = evaluated(body, &SCENE, &path);
            assert!(
                gradient.iter().all(|g| g.abs() < 10.0),
                "{body}: {gradient:?}"
            );
        }
    }
}

#[test]
fn the_best_rotation_turns_coplanar_points_onto_each_other() {
    // Three points span a plane: the third singular value is rounding.
    let body = "
    p, q = k[:3] - k[:3].mean(0), a[0] - a[0].mean(0)
    u, s, vh = torch.linalg.svd(p.T @ q)
    d = torch.linalg.det(vh.T @ u.T)
    r = vh.T @ torch.diag(torch.stack([torch.ones(()), torch.ones(()), d])) @ u.T
    return -(p @ r.T - q).pow(2).sum()";
    // The points turned by a right angle about the vertical.
    let path: Vec<f64> = SCENE[..3]
        .iter()
        .flat_map(|&[x, y, z]| [-y, x, z])
        .collect();
    let (value, gradient) = evaluated(body, &SCENE, &path);
    assert!(value.abs() < 1e-24, "{value}");
    assert!(gradient.iter().all(|g| g.abs() < 1e-9), "{gradient:?}");
}

#[test]
fn least_squares_of_too_few_points_has_the_shortest_solution() {
    let body = "    y = torch.linalg.lstsq(torch.ones(4, 2), torch.ones(4, 1)).solution\n    return y[0, 0] + 10 * y[1, 0] + a.sum()";
    assert!((evaluated(body, &SCENE, &[0.0; 6]).0 - 5.5).abs() < 1e-12);
}

#[test]
fn what_cannot_be_decomposed_is_refused() {
    let cases = [
        ("    return torch.linalg.eigh(a)[0].sum()", "square"),
        (
            "    return torch.linalg.svd(a[0, 0])[1].sum()",
            "needs a matrix",
        ),
        (
            "    return torch.linalg.svdvals(torch.ones(7, 7) * a.sum()).sum()",
            "at most 6 x 6",
        ),
        (
            "    return np.linalg.eig(k[:3])[0].sum() * a.sum()",
            "symmetric matrices only",
        ),
        (
            "    return torch.linalg.qr(a[0], mode='full')[0].sum()",
            "'reduced', 'complete'",
        ),
        (
            "    return torch.linalg.lstsq(k, k[:3])[0].sum() * a.sum()",
            "6 rows",
        ),
        (
            "    return torch.linalg.cholesky(-k.T @ k).sum() * a.sum()",
            "negative",
        ),
        ("    return torch.linalg.svd(a[0]).sum()", "U, S, Vh"),
        (
            "    return torch.nn.Conv1d(3, 1, 3)(a).sum()",
            "nothing that holds weights",
        ),
        (
            "    return torch.nn.Softmax()(a).sum()",
            "needs the argument `dim`",
        ),
        ("    return F.interpolate(a[0], size=3).sum()", "(B, C, L)"),
        (
            "    return F.interpolate(a).sum()",
            "either `size` or `scale_factor`",
        ),
        (
            "    return np.delete(a, torch.argmin(a)).sum()",
            "depends on the trajectory",
        ),
        ("    return torch.empty(2).sum() + a.sum()", "torch.empty"),
    ];
    for (body, expected) in cases {
        let found = refusal(body);
        assert!(found.contains(expected), "{body}: {found}");
    }
}

#[test]
fn a_covariance_may_be_nearly_symmetric() {
    // Rounding leaves the two triangles of such a product unequal in the last bit.
    let body = "
    r = torch.linalg.qr(k[:3])[0]
    c = r @ torch.diag(torch.tensor([3.0, 2.0, 1.0])) @ r.T
    return torch.linalg.eig(c).eigenvalues.real.sum() + a.sum()";
    assert!((evaluated(body, &SCENE, &[0.0; 6]).0 - 6.0).abs() < 1e-12);
}

#[test]
fn settings_beside_the_stages_change_nothing() {
    let text = "
import torch
torch.manual_seed(0)
torch.set_default_dtype(torch.float64)
mse = torch.nn.MSELoss(reduction='sum')
num_stages = 1
def stage1_guidance(k, a):
    return -mse(a[0, -1], k[0])
";
    let program = compile(text, &CompileOptions::new(1, 2)).unwrap();
    let mut value = [0.0];
    Evaluator::<f64>::new(&program.stages[0].guidance, 1)
        .evaluate(&[[0.5, 0.0, 0.0]], &[0.0; 6], &mut value, None)
        .unwrap();
    assert_eq!(value, [-0.25]);
}
