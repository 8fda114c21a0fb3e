//! Advice for functions that the language lacks.

/// What to use instead of functions that programs ask for and the language lacks on purpose.
pub(super) fn substitute(name: &str) -> Option<&'static str> {
    Some(match name {
        "rand" | "randn" | "random" | "rand_like" | "randn_like" | "randint" | "normal" => {
            "a reward must be the same every time: use fixed numbers"
        }
        "backward" | "autograd" | "grad" | "no_grad" | "enable_grad" => {
            "gradients are computed for you: remove it"
        }
        "print" | "save" | "load" | "compile" | "jit" => "remove it",
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
