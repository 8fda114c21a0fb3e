//! Advice for functions that the language lacks.

/// What to use instead of functions that programs ask for and the language lacks on purpose.
pub(super) fn substitute(name: &str) -> Option<&'static str> {
    Some(match name {
        "rand" | "randn" | "random" | "rand_like" | "randn_like" | "randint" | "normal" => {
            "a reward must be the same every time: use fixed numbers"
        }
        "empty" | "empty_like" | "new_empty" => {
            "use `torch.zeros_like` or `torch.zeros`: memory without values means nothing here"
        }
        "backward" | "autograd" | "grad" | "no_grad" | "enable_grad" | "requires_grad_" => {
            "gradients are computed for you: remove it"
        }
        "pinv" | "lstsq" | "svd" | "eig" | "eigh" | "qr" => {
            "use dot and cross products of directions: there are no decompositions"
        }
        "interpolate" => "use `torch.linspace` and arithmetic",
        "print" | "save" | "load" | "compile" | "jit" | "manual_seed" => "remove it",
        "numpy" | "tolist" => "remove it: tensors work with `np.` functions as they are",
        "fft" | "stft" | "rfft" | "ifft" => {
            "use differences over time instead: `torch.diff(action_sequence, dim=1)`"
        }
        "optim" | "utils" | "distributions" | "hub" => {
            "remove it: a reward only computes one number"
        }
        "append" | "extend" => "collect tensors in a list and use `torch.stack`",
        _ => return None,
    })
}
