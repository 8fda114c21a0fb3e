//! torch.nn.functional: activations, windows and losses.

use super::{F, Function, M, N, T, special, unary};
use crate::lower::{activation, interpolate, lookup, losses, window};
use crate::op::Op;

const ONE: &str = "input";
const LOSS: &str = "input target reduction?";
const POOL: &str = "input kernel_size stride? padding?";

pub(super) const FUNCTIONS: &[Function] = &[
    // Activations.
    unary("relu", T | M | F, Op::Relu),
    unary("tanh", F, Op::Tanh),
    unary("logsigmoid", F, Op::LogSigmoid),
    special(
        "softplus",
        F,
        "input beta? threshold?",
        activation::softplus,
    ),
    special(
        "leaky_relu",
        F,
        "input negative_slope?",
        activation::leaky_relu,
    ),
    special("prelu", T | M | F, "input weight", activation::prelu),
    special("elu", F, "input alpha?", activation::elu),
    special("celu", T | F, "input alpha?", activation::celu),
    special("selu", T | F, ONE, activation::selu),
    special("gelu", F, "input approximate?", activation::gelu),
    special("silu", F, ONE, activation::silu),
    special("mish", F, ONE, activation::mish),
    special("softsign", F, ONE, activation::softsign),
    special("tanhshrink", F, ONE, activation::tanhshrink),
    special("hardsigmoid", F, ONE, activation::hardsigmoid),
    special("hardswish", F, ONE, activation::hardswish),
    special("relu6", F, ONE, activation::relu6),
    special("softshrink", F, "input lambd?", activation::softshrink),
    special("hardshrink", F, "input lambd?", activation::hardshrink),
    special(
        "threshold",
        F,
        "input threshold value",
        activation::threshold,
    ),
    special(
        "hardtanh",
        F,
        "input min_val? max_val?",
        activation::hardtanh,
    ),
    // Windows.
    special("pad", F, "input pad mode? value?", window::pad),
    special("avg_pool1d", F, POOL, window::avg_pool1d),
    special("max_pool1d", F, POOL, window::max_pool1d),
    special(
        "conv1d",
        F,
        "input weight bias? stride? padding? dilation? groups?",
        window::conv1d,
    ),
    special("convolve", N, "input other mode?", window::convolve),
    special("linear", F, "input weight bias?", window::linear),
    special(
        "interpolate",
        F,
        "input size? scale_factor? mode? align_corners? recompute_scale_factor?",
        interpolate::interpolate,
    ),
    special("one_hot", F, "input num_classes?", lookup::one_hot),
    // Losses.
    special("mse_loss", F, LOSS, losses::mse_loss),
    special("l1_loss", F, LOSS, losses::l1_loss),
    special(
        "smooth_l1_loss",
        F,
        "input target reduction? beta?",
        losses::smooth_l1_loss,
    ),
    special(
        "huber_loss",
        F,
        "input target reduction? delta?",
        losses::huber_loss,
    ),
    special(
        "binary_cross_entropy",
        F,
        "input target weight? reduction?",
        losses::binary_cross_entropy,
    ),
    special(
        "binary_cross_entropy_with_logits",
        F,
        "input target weight? reduction?",
        losses::binary_cross_entropy_with_logits,
    ),
    special(
        "margin_ranking_loss",
        F,
        "input other target margin? reduction?",
        losses::margin_ranking_loss,
    ),
    special(
        "cosine_embedding_loss",
        F,
        "input other target margin? reduction?",
        losses::cosine_embedding_loss,
    ),
];
