//! What programs ask of PyTorch itself: precision, devices, modes.

use super::{Function, M, N, T, special};
use crate::lower::{blank, environment, listed};

const SETTING: &str = "value?";

pub(super) const FUNCTIONS: &[Function] = &[
    special("finfo", T | N, "dtype?", environment::finfo),
    special("iinfo", T | N, "dtype", environment::iinfo),
    special("get_default_dtype", T, "", environment::get_default_dtype),
    special("set_default_dtype", T, SETTING, environment::nothing),
    special("manual_seed", T, SETTING, environment::nothing),
    special("is_grad_enabled", T, "", environment::is_grad_enabled),
    special(
        "requires_grad_",
        M,
        "input requires_grad?",
        environment::itself,
    ),
    special("tolist", M, "input", listed::tolist),
    special("empty", T, "*shape dtype?", blank::empty),
    special("empty", N, "shape dtype?", blank::empty),
    special("empty_like", T | N, "input dtype?", blank::empty_like),
    special("new_empty", M, "input *shape dtype?", blank::new_empty),
];
