//! Objects of torch.nn: each remembers its arguments for the function of `F` that it stands for.

use super::{Function, Home, O, Run};

const fn layer(name: &'static str, parameters: &'static str, function: &'static str) -> Function {
    Function {
        name,
        homes: Home(O),
        parameters,
        run: Run::Layer(function),
    }
}

const LOSS: &str = "size_average? reduce? reduction?";
const POOL: &str = "kernel_size stride? padding?";

pub(super) const FUNCTIONS: &[Function] = &[
    // Losses.
    layer("MSELoss", LOSS, "mse_loss"),
    layer("L1Loss", LOSS, "l1_loss"),
    layer(
        "SmoothL1Loss",
        "size_average? reduce? reduction? beta?",
        "smooth_l1_loss",
    ),
    layer("HuberLoss", "reduction? delta?", "huber_loss"),
    layer(
        "BCELoss",
        "weight? size_average? reduce? reduction?",
        "binary_cross_entropy",
    ),
    layer(
        "BCEWithLogitsLoss",
        "weight? size_average? reduce? reduction?",
        "binary_cross_entropy_with_logits",
    ),
    layer(
        "MarginRankingLoss",
        "margin? size_average? reduce? reduction?",
        "margin_ranking_loss",
    ),
    layer(
        "CosineEmbeddingLoss",
        "margin? size_average? reduce? reduction?",
        "cosine_embedding_loss",
    ),
    // Distances.
    layer("CosineSimilarity", "dim? eps?", "cosine_similarity"),
    layer("PairwiseDistance", "p? eps? keepdim?", "pairwise_distance"),
    // Activations.
    layer("Identity", "*anything", "identity"),
    layer("ReLU", "inplace?", "relu"),
    layer("ReLU6", "inplace?", "relu6"),
    layer("LeakyReLU", "negative_slope? inplace?", "leaky_relu"),
    layer("ELU", "alpha? inplace?", "elu"),
    layer("CELU", "alpha? inplace?", "celu"),
    layer("SELU", "inplace?", "selu"),
    layer("GELU", "approximate?", "gelu"),
    layer("SiLU", "inplace?", "silu"),
    layer("Mish", "inplace?", "mish"),
    layer("Sigmoid", "", "sigmoid"),
    layer("LogSigmoid", "", "logsigmoid"),
    layer("Tanh", "", "tanh"),
    layer("Tanhshrink", "", "tanhshrink"),
    layer("Softplus", "beta? threshold?", "softplus"),
    layer("Softsign", "", "softsign"),
    layer("Softmax", "dim?", "softmax"),
    layer("LogSoftmax", "dim?", "log_softmax"),
    layer("Softmin", "dim?", "softmin"),
    layer("Softshrink", "lambd?", "softshrink"),
    layer("Hardshrink", "lambd?", "hardshrink"),
    layer("Hardsigmoid", "inplace?", "hardsigmoid"),
    layer("Hardswish", "inplace?", "hardswish"),
    layer("Hardtanh", "min_val? max_val? inplace?", "hardtanh"),
    layer("Threshold", "threshold value inplace?", "threshold"),
    // Windows.
    layer("AvgPool1d", POOL, "avg_pool1d"),
    layer("MaxPool1d", POOL, "max_pool1d"),
    layer(
        "Upsample",
        "size? scale_factor? mode? align_corners?",
        "interpolate",
    ),
];
