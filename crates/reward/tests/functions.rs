//! Functions and methods: what one golden expression cannot show, and what is refused.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::collections::HashSet;

use tiller_reward::{CompileOptions, Evaluator, compile, operations};

fn stage(body: &str) -> String {
    format!("num_stages = 1\ndef stage1_guidance(k, a):\n{body}\n")
}

/// The value and gradient of a stage body for two points, all coordinates as given.
fn value_and_gradient(body: &str, at: [f64; 6]) -> (f64, [f64; 6]) {
    let text = stage(body);
    let options = CompileOptions {
        judge_purpose: false,
        ..CompileOptions::new(2, 2)
    };
    let program =
        compile(&text, &options).unwrap_or_else(|mistakes| panic!("{}", mistakes.render(&text)));
    let (mut value, mut gradient) = ([0.0], [0.0; 6]);
    Evaluator::<f64>::new(&program.stages[0].guidance, 1)
        .evaluate(&[[0.1, 0.2, 0.3]; 2], &at, &mut value, Some(&mut gradient))
        .unwrap();
    (value[0], gradient)
}

/// The first mistake in an expression.
fn refusal(expression: &str) -> String {
    let text = stage(&format!("    return ({expression}).sum() + a.sum()"));
    match compile(&text, &CompileOptions::new(2, 4)) {
        Ok(_) => panic!("accepted: {expression}"),
        Err(mistakes) => mistakes.to_string(),
    }
}

#[test]
fn methods_with_an_underscore_write_through_views() {
    let body = "
    x = a.clone()
    first = x[0, 0]
    same = first.mul_(3.0)
    x[:, 1].zero_()
    same.add_(1.0)
    return x.sum() + first[0]";
    let (value, gradient) = value_and_gradient(body, [1.0; 6]);
    assert_eq!(value, 12.0 + 4.0);
    assert_eq!(gradient, [6.0, 3.0, 3.0, 0.0, 0.0, 0.0]);
}

#[test]
fn a_contiguous_copy_does_not_alias_and_a_view_does() {
    let body = "
    x = a.clone()
    x.transpose(1, 2).contiguous().fill_(9.0)
    x.transpose(1, 2)[0, 0].fill_(2.0)
    return x.sum()";
    let (value, gradient) = value_and_gradient(body, [1.0; 6]);
    assert_eq!(value, 8.0);
    assert_eq!(gradient, [0.0, 1.0, 1.0, 0.0, 1.0, 1.0]);
}

#[test]
fn an_argument_that_is_no_leaf_may_be_written() {
    let body = "
    a[0, 0].copy_(a[0, 1] * 2)
    return a.sum()";
    assert_eq!(
        value_and_gradient(body, [1.0; 6]).1,
        [0.0, 0.0, 0.0, 3.0, 3.0, 3.0]
    );
}

#[test]
fn refusals_name_what_to_use_instead() {
    let cases = [
        (
            "a.clone().add_(torch.zeros(2, 1, 1))",
            "without the underscore",
        ),
        ("torch.arange(3).add_(0.5)", "cannot change the dtype"),
        ("k[0].expand(2, 3).add_(1.0)", "x.clone()"),
        ("torch.heaviside(a, k[0])", "torch.sigmoid"),
        (
            "torch.scatter(a, 1, torch.tensor([[[0, 0, 0]]]), a, reduce='add')",
            "torch.scatter_add",
        ),
        ("torch.nonzero(a > 0.1)", "torch.where(mask, x, 0.0)"),
        ("torch.where(a > 0.1)[0]", "torch.where(mask, x, 0.0)"),
        ("torch.masked_select(a, a > 0.1)", "keep the shape"),
        ("torch.unique(a)", "depends on the trajectory"),
        ("torch.quantile(a, 1.5)", "0 to 1"),
        (
            "torch.quantile(a, a[0, 0, 0])",
            "known before the robot moves",
        ),
        ("torch.gather(a, 1, torch.tensor([[[4]]]))", "out of range"),
        (
            "torch.gather(a, 1, torch.tensor([0]))",
            "torch.take_along_dim",
        ),
        ("torch.gather(a, 1, a)", "integers"),
        (
            "torch.index_select(a, 1, torch.tensor([-1]))",
            "out of range",
        ),
        ("torch.linalg.inv(a)", "square"),
        (
            "torch.linalg.inv(torch.eye(5) * a[0, 0, 0])",
            "at most 4 rows",
        ),
        ("torch.linalg.norm(a[0], 2)", "torch.norm"),
        ("torch.linalg.norm(a, 1)", "one or two dimensions"),
        ("torch.bitwise_and(a, a)", "compare first"),
        ("a.masked_fill(a, 0.0)", "bool mask"),
        ("F.pad(a, (1,))", "two numbers for each dimension"),
        (
            "F.conv1d(a, torch.ones(1, 2, 3))",
            "the weight does not fit",
        ),
        ("a.unfold(1, 9, 1)", "a window of at most 4"),
        ("torch.kthvalue(a, 5, dim=1)[0]", "1 to 4"),
        ("torch.div(a, 2, rounding_mode='up')", "'floor' or 'trunc'"),
        ("torch.LongTensor(3)", "torch.zeros"),
        ("F.one_hot(torch.argmax(a, dim=2))", "num_classes"),
        ("torch.tensordot(a, k, dims=3)", "torch.einsum"),
        ("torch.einsum('...a,b', a, k)", "number of dimensions"),
        ("np.split(a, 3, axis=1)[0]", "do not add up"),
        ("torch.empty(3).sum() + a.sum()", "infinite or NaN"),
        ("torch.histc(a)", "not an operation"),
    ];
    for (expression, expected) in cases {
        let found = refusal(expression);
        assert!(found.contains(expected), "{expression}: {found}");
    }
}

#[test]
fn sizes_from_the_text_are_bounded() {
    for expression in [
        "torch.combinations(torch.arange(200.0), 8)",
        "torch.cartesian_prod(*[torch.arange(900.0)] * 9)",
        "torch.meshgrid(*[torch.arange(900.0)] * 9)[0]",
        "F.pad(a, (2**40, 2**62))",
        "torch.repeat_interleave(a, 10**15)",
        "torch.diag_embed(a, 2**62)",
        "torch.triu_indices(10**9, 10**9)",
        "F.one_hot(torch.tensor([2**40]))",
        "torch.logspace(0, 1, 10**12)",
        "torch.kron(torch.ones(300, 300), torch.ones(300, 300))",
        "F.conv1d(torch.ones(90, 300), torch.ones(90, 90, 4), padding=2**40)",
        "torch.quantile(torch.ones(180, 180) * a[0, 0, 0], torch.ones(3000))",
        "torch.linalg.matrix_power(torch.ones(180, 180) * a[0, 0, 0], 64)",
        "torch.isin(torch.ones(180, 180), torch.ones(180, 180))",
        "a.new_zeros(2**62, 2**62)",
        "torch.diagonal(a, 2**63 - 1)[0, 9]",
        "a.roll(2**62, 7)",
    ] {
        let start = std::time::Instant::now();
        refusal(expression);
        assert!(start.elapsed().as_millis() < 1000, "{expression}");
    }
}

#[test]
fn hardsigmoid_has_the_exact_slope() {
    // PyTorch's derivative holds 1/6 in single precision, so that no golden number would do.
    let (value, gradient) = value_and_gradient(
        "    return F.hardsigmoid(a * 3).sum()",
        [-1.0, -2.0, 0.0, 0.5, 1.0, 2.0],
    );
    assert!((value - (0.5 + 0.75 + 1.0 + 1.0)).abs() < 1e-15);
    let expected = [0.0, 0.0, 0.5, 0.5, 0.0, 0.0];
    assert!(
        gradient
            .iter()
            .zip(expected)
            .all(|(g, e)| (g - e).abs() < 1e-15)
    );
}

#[test]
fn the_object_of_hardsigmoid_is_the_function() {
    let at = [-1.0, -2.0, 0.0, 0.5, 1.0, 2.0];
    assert_eq!(
        value_and_gradient("    return torch.nn.Hardsigmoid()(a * 3).sum()", at),
        value_and_gradient("    return F.hardsigmoid(a * 3).sum()", at)
    );
}

#[test]
fn devices_and_numpy_types_are_accepted() {
    let body = "
    x = a.cuda() + torch.from_numpy(np.zeros(3)).astype(np.float32)
    return x.sum()";
    assert_eq!(value_and_gradient(body, [0.5; 6]), (3.0, [1.0; 6]));
}

#[test]
fn operations_can_be_listed() {
    let all: HashSet<_> = operations().map(|o| (o.module, o.name)).collect();
    assert_eq!(all.len(), operations().count());
    for known in [
        ("torch", "norm"),
        ("tensor", "mul_"),
        ("torch.special", "expit"),
        ("np.linalg", "norm"),
        ("math", "sqrt"),
    ] {
        assert!(all.contains(&known), "{known:?}");
    }
}

#[test]
fn a_deque_holds_no_more_than_its_length() {
    let body = "
    from collections import deque
    last = deque([5.0, 6.0], maxlen=2)
    for x in [1.0, 2.0, 4.0]:
        last.append(x)
    first = deque(maxlen=2)
    for x in [8.0, 16.0, 32.0]:
        first.appendleft(x)
    none = deque([1.0], maxlen=0)
    all = deque([1.0, 1.0], maxlen=None)
    all.append(1.0)
    return sum(last) + sum(first) + 100 * len(none) + 1000 * len(all) + 0 * a.sum()";
    assert_eq!(value_and_gradient(body, [1.0; 6]).0, 6.0 + 48.0 + 3000.0);
}

#[test]
fn a_method_of_str_needs_its_string() {
    for call in ["str.upper(*[])", "str.join(*())"] {
        let refused = refusal(call);
        assert!(refused.contains("needs a string"), "{refused}");
    }
    let body = "    return a.sum() * len(str.upper('ab'))";
    assert_eq!(value_and_gradient(body, [1.0; 6]).0, 12.0);
}

#[test]
fn an_exception_waits_for_its_handler_through_finally() {
    let body = "
    y = 0.0
    try:
        try:
            [][0]
        finally:
            try:
                {}['a']
            except KeyError:
                y += 1.0
    except IndexError:
        y += 2.0
    return y + 0 * a.sum()";
    assert_eq!(value_and_gradient(body, [1.0; 6]).0, 3.0);
}

#[test]
fn a_deep_copy_of_an_array_is_an_array() {
    let body = "
    import copy
    x = np.array([1.0, 2.0])
    y = copy.deepcopy([x])[0]
    y[0] = 5.0
    return y.max(axis=0) + x[0] + isinstance(y, np.ndarray) + 0 * a.sum()";
    assert_eq!(value_and_gradient(body, [1.0; 6]).0, 7.0);
}
