//! What the programs of `resources` are compiled for.

use tiller_reward::{CompileOptions, HandAccess};

/// A scene of 3 keypoints and trajectories of 15 points; the programs of `policy` are for one that
/// moves positions alone.
pub(crate) fn options(name: &str) -> CompileOptions {
    let mut options = CompileOptions::new(3, 15);
    if name.starts_with("policy/") {
        options.hand = HandAccess::POSITIONS;
    }
    if name == "limit/text_too_long" {
        options.limits.source_bytes = 1000;
    }
    options
}
