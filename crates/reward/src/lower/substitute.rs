//! Advice for functions that the language lacks.

/// What to use instead of functions that programs ask for and the language lacks on purpose.
pub(super) fn substitute(name: &str) -> Option<&'static str> {
    Some(match name {
        "rand" | "randn" | "random" | "rand_like" | "randn_like" | "randint" | "normal" => {
            "a reward must be the same every time: use fixed numbers"
        }
        "backward" | "autograd" | "grad" | "no_grad" | "enable_grad" | "requires_grad_" => {
            "gradients are computed for you: remove it"
        }
        "pinv" | "lstsq" | "svd" | "eig" | "eigh" | "qr" => {
            "matrix decompositions are not supported: use dot and cross products of directions"
        }
        "interpolate" => "use `torch.linspace` and arithmetic",
        "print" | "numpy" | "tolist" | "save" | "load" => "remove it",
        _ => return None,
    })
}
