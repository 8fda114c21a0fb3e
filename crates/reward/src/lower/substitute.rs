//! Advice for functions that the language lacks.

/// Functions of PyTorch and NumPy that the language lacks and whose names look like misspelt names of
/// others.
const OTHERS: &[&str] = &[
    "addbmm",
    "addr",
    "array_equiv",
    "avg_pool2d",
    "avg_pool3d",
    "cdouble",
    "cfloat",
    "chalf",
    "conv2d",
    "conv3d",
    "cpp",
    "distributions",
    "dsplit",
    "dtype",
    "erfcx",
    "fill",
    "flat",
    "glu",
    "hash_tensor",
    "hsplit",
    "hub",
    "inf",
    "int1",
    "int2",
    "int3",
    "int4",
    "int5",
    "int6",
    "int7",
    "int8",
    "intc",
    "intp",
    "ipu",
    "isnat",
    "isqrt",
    "max_pool2d",
    "max_pool3d",
    "max_unpool1d",
    "mode",
    "modf",
    "msort",
    "nan",
    "new",
    "pinv",
    "pinverse",
    "range",
    "rrelu",
    "saddmm",
    "short",
    "smm",
    "svd",
    "tau",
    "tri",
    "types",
    "uint",
    "ulong",
    "vsplit",
    "xpu",
];

/// Whether `name` means something else than any function of the language.
pub(super) fn is_another(name: &str) -> bool {
    OTHERS.contains(&name)
}

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
            "transforms over time are not part of the reward language"
        }
        "cuda" | "backends" | "distributed" | "mps" | "xpu" => {
            "remove it: a reward knows no devices"
        }
        "optim" | "utils" | "hub" => "remove it: a reward only computes one number",
        "append" | "extend" => "collect tensors in a list and use `torch.stack`",
        _ => return None,
    })
}
