//! Advice for functions that the language lacks.

/// What to use instead of functions that programs ask for and the language lacks on purpose.
pub(super) fn substitute(name: &str) -> Option<&'static str> {
    Some(match name {
        "rand" | "randn" | "random" | "rand_like" | "randn_like" | "randint" | "normal" => {
            "a reward must be the same every time: use fixed numbers"
        }
        "quantile" | "percentile" | "nanquantile" => {
            "use `torch.sort` and index, or `torch.median`"
        }
        "masked_select" | "nonzero" | "argwhere" | "unique" => {
            "the result has no fixed shape: use `torch.where(mask, x, 0.0)`"
        }
        "masked_fill" | "masked_fill_" => "use `torch.where(mask, value, x)`",
        "backward" | "autograd" | "grad" | "no_grad" | "enable_grad" | "requires_grad_" => {
            "gradients are computed for you: remove it"
        }
        "inverse" | "inv" | "pinv" | "solve" | "lstsq" | "svd" | "eig" | "eigh" | "qr" => {
            "matrix decompositions are not supported: use dot and cross products of directions"
        }
        "interpolate" | "interp" => "use `torch.linspace` and arithmetic",
        "gather" | "scatter" | "take" | "take_along_dim" => "index with integers",
        "print" | "numpy" | "tolist" | "save" | "load" => "remove it",
        "sum_" | "add_" | "sub_" | "mul_" | "div_" | "clamp_" | "zero_" | "fill_" | "copy_" => {
            "use the form without the underscore and assign its result"
        }
        _ => return None,
    })
}
