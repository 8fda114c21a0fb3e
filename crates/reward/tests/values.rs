//! Copies, views, methods and dtypes: those of NumPy for arrays, those of PyTorch for tensors.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

use tiller_reward::{CompileOptions, Evaluator, compile};

/// Value and gradient at a trajectory of the points (1, 2, 3) and (4, 5, 6), with the keypoints
/// (1, 2, 3) and (5, 7, 4).
fn evaluate(body: &str) -> Result<(f64, Vec<f64>), String> {
    let text = format!(
        "num_stages = 1\ndef stage1_guidance(keypoints, action_sequence):\n    {}\n",
        body.trim().replace("; ", "\n    ")
    );
    let options = CompileOptions {
        judge_purpose: false,
        ..CompileOptions::new(2, 2)
    };
    let program = compile(&text, &options).map_err(|m| m.to_string())?;
    let (mut value, mut gradient) = ([0.0], vec![0.0; 6]);
    let path = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    Evaluator::<f64>::new(&program.stages[0].guidance, 1)
        .evaluate(
            &[[1.0, 2.0, 3.0], [5.0, 7.0, 4.0]],
            &path,
            &mut value,
            Some(&mut gradient),
        )
        .unwrap();
    Ok((value[0], gradient))
}

#[track_caller]
fn check(cases: &[(&str, f64)]) {
    for &(body, wanted) in cases {
        let (value, _) = evaluate(body).unwrap_or_else(|mistakes| panic!("{body}\n{mistakes}"));
        assert!(
            (value - wanted).abs() < 1e-9,
            "{value} for {wanted}: {body}"
        );
    }
}

#[test]
fn arrays_are_copied_where_numpy_copies() {
    check(&[
        (
            "a = np.array(keypoints[0]); a[2] += 1; return action_sequence.sum() + keypoints[0, 2]",
            24.0,
        ),
        (
            "a = np.ones((2, 2)); b = np.array(a); b[0] = 9; return action_sequence.sum() + a.sum()",
            25.0,
        ),
        (
            "a = np.ones((2, 2)); b = a.flatten(); b[0] = 9; return action_sequence.sum() + a.sum()",
            25.0,
        ),
        (
            "a = np.ones((2, 2)); b = a.ravel(); b[0] = 9; return action_sequence.sum() + a.sum()",
            33.0,
        ),
        (
            "a = np.ones((2, 3)); b = a.T.ravel(); b[0] = 9; return action_sequence.sum() + a.sum()",
            27.0,
        ),
        (
            "a = np.zeros(3); v = a[0]; a[0] = 5; return action_sequence.sum() + v",
            21.0,
        ),
        (
            "a = np.zeros(3); b = np.flip(a); b[0] = 5; return action_sequence.sum() + a[2]",
            26.0,
        ),
        (
            "a = np.arange(3.0); b = a[::-1]; b[0] = 9; return action_sequence.sum() + a[2]",
            30.0,
        ),
        (
            "a = np.ones(2); t = torch.from_numpy(a); t[0] = 5; return action_sequence.sum() + a[0]",
            26.0,
        ),
        (
            "t = torch.ones(2); a = t.numpy(); a[0] = 5; return action_sequence.sum() + t[0]",
            26.0,
        ),
    ]);
}

#[test]
fn what_does_not_lie_in_order_is_copied_by_reshape_and_refused_by_view() {
    check(&[
        (
            "t = torch.ones(2, 3); f = t.T.reshape(-1); f[0] = 9; return action_sequence.sum() + t.sum()",
            27.0,
        ),
        (
            "t = torch.ones(2, 3); f = t.reshape(-1); f[0] = 9; return action_sequence.sum() + t.sum()",
            35.0,
        ),
        (
            "t = torch.ones(2, 3); f = t[:, :2].flatten(); f += 1; return action_sequence.sum() + t.sum()",
            27.0,
        ),
        (
            "t = torch.ones(2, 3); f = (t.T * 2).reshape(-1); f[0] = 9; return action_sequence.sum() + t.sum()",
            27.0,
        ),
        (
            "t = torch.ones(2, 3); f = t[1:].view(3); f[0] = 9; return action_sequence.sum() + t.sum()",
            35.0,
        ),
    ]);
    let mistakes = evaluate("t = torch.ones(2, 3); return action_sequence.sum() + t.T.view(-1)[0]");
    assert!(mistakes.unwrap_err().contains("reshape"));
}

#[test]
fn detached_tensors_share_memory_and_carry_no_gradient() {
    check(&[
        (
            "w = torch.ones(2); v = w.detach(); v[0] = 5; return action_sequence.sum() + w[0]",
            26.0,
        ),
        (
            "w = torch.ones(2); v = w.data; w[0] = 5; return action_sequence.sum() + v[0]",
            26.0,
        ),
    ]);
    let body = "x = action_sequence[0, 0] * 2; v = x.detach(); x[0] = 7; return action_sequence.sum() + (x * v).sum()";
    let (value, gradient) = evaluate(body).unwrap();
    assert_eq!(value, 21.0 + 49.0 + 16.0 + 36.0);
    assert_eq!(gradient, [1.0, 9.0, 13.0, 1.0, 1.0, 1.0]);
    // A write through the detached one changes values alone.
    let body = "x = action_sequence[0, 0] * 2; v = x.detach(); v[0] = 7; return x.sum()";
    assert_eq!(
        evaluate(body).unwrap(),
        (17.0, vec![2.0, 2.0, 2.0, 0.0, 0.0, 0.0])
    );
}

#[test]
fn a_tensor_of_a_tensor_has_no_gradient() {
    let body = "g = torch.tensor(action_sequence[0, 0]); return (action_sequence[0, 0] * g).sum()";
    assert_eq!(
        evaluate(body).unwrap(),
        (14.0, vec![1.0, 2.0, 3.0, 0.0, 0.0, 0.0])
    );
    let cut = evaluate("return torch.tensor(action_sequence).sum()").unwrap_err();
    assert!(cut.contains("no-gradient"), "{cut}");
    let cut = evaluate("return action_sequence.numpy().sum() + 0 * torch.ones(1)[0]").unwrap_err();
    assert!(cut.contains("no-gradient"), "{cut}");
}

#[test]
fn methods_have_the_meaning_of_their_library() {
    check(&[
        (
            "a = np.array([1.0, 3.0]); return action_sequence.sum() + a.std()",
            22.0,
        ),
        (
            "return np.sum(action_sequence) + keypoints[:, 0].std()",
            21.0 + 2.0,
        ),
        (
            "return torch.sum(action_sequence) + keypoints[:, 0].std()",
            21.0 + 8.0_f64.sqrt(),
        ),
        (
            "a = np.array([3.0, 1.0]).repeat(2); return action_sequence.sum() + a[1]",
            24.0,
        ),
        (
            "a = np.array([3.0, 1.0]); a.sort(); return action_sequence.sum() + a[0]",
            22.0,
        ),
        (
            "a = np.sort(np.array([[3.0], [1.0]]), axis=None); return action_sequence.sum() + a[0]",
            22.0,
        ),
        (
            "a = np.array([[3.0, 1.0]]); return action_sequence.sum() + a.max(1)[0] + a.size",
            26.0,
        ),
        (
            "n = float(np.linalg.norm(action_sequence[0, 0])); return n * n",
            14.0,
        ),
        (
            "p = keypoints[1].tolist(); return action_sequence.sum() + torch.tensor([p[0], 1.0])[0]",
            26.0,
        ),
        (
            "a = np.ones(3); return action_sequence.sum() + a.unsqueeze(0).shape[1]",
            24.0,
        ),
        (
            "t = torch.ones(3); u = t.copy(); u[0] = 9; return action_sequence.sum() + t[0]",
            22.0,
        ),
        (
            "a = np.zeros((2, 2, 3)); return action_sequence.sum() + a[0, :, [0, 1, 2]].shape[0]",
            24.0,
        ),
        (
            "a = torch.zeros(2, 2, 3); return action_sequence.sum() + a[0, :, [0, 1, 2]].shape[0]",
            23.0,
        ),
    ]);
}

#[test]
fn dtypes_decide_what_is_kept() {
    check(&[
        (
            "w = np.ones(2, dtype=int); w[0] = 2.7; return action_sequence.sum() + w[0]",
            23.0,
        ),
        (
            "w = torch.zeros(2, dtype=torch.bool); w[0] = 2.7; return action_sequence.sum() + w.sum()",
            22.0,
        ),
        (
            "w = np.array([True, True]); return action_sequence.sum() + (w + w).sum()",
            23.0,
        ),
        (
            "w = np.array([2.7]).astype(int); return action_sequence.sum() + w[0]",
            23.0,
        ),
        (
            "w = torch.tensor([6, 5]) & 3; return action_sequence.sum() + w.sum() + (~w)[0]",
            21.0,
        ),
        (
            "w = torch.arange(3).float(); w[0] = 0.5; return action_sequence.sum() + w[0]",
            21.5,
        ),
        (
            "return action_sequence.sum() + 1.0 // 0.1 + torch.tensor(1.0) % 0.1",
            30.0 + 1.0 % 0.1,
        ),
        (
            "i = (0, 1); return action_sequence.sum() + keypoints[i]",
            23.0,
        ),
    ]);
    for (body, word) in [
        (
            "w = torch.ones(2, dtype=torch.long); w += 0.5; return action_sequence.sum() + w[0]",
            "in place",
        ),
        (
            "w = np.ones(2, dtype=int); w[:1] *= 0.5; return action_sequence.sum() + w[0]",
            "in place",
        ),
        (
            "w = torch.tensor([2, 3]) ** -1; return action_sequence.sum() + w[0]",
            "negative powers",
        ),
        (
            "w = np.broadcast_to(np.ones(2), (2, 2)); w[0] = 1; return action_sequence.sum()",
            "read-only",
        ),
        (
            "w = torch.ones(3)[::-1]; return action_sequence.sum() + w[0]",
            "negative steps",
        ),
    ] {
        let mistakes = evaluate(body).unwrap_err();
        assert!(mistakes.contains(word), "{body}\n{mistakes}");
    }
}
