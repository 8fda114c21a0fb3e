//! The authors that the node has within it, a line for each world; the first one is the default.

use std::sync::Arc;

use tiller_core::Problems;
use tiller_node_kit::Environment;
use tiller_vlm::Author;

/// The world that `WORLD` names, and its author.
///
/// # Errors
/// The names that there are.
pub(crate) fn embedded() -> Result<(&'static str, Arc<dyn Author>), Problems> {
    let authors: [(&str, Arc<dyn Author>); 3] = [
        (
            "playtable",
            Arc::new(tiller_playtable_author::EmbeddedAuthor),
        ),
        ("libero", Arc::new(tiller_libero_author::EmbeddedAuthor)),
        ("calvin", Arc::new(tiller_calvin_author::EmbeddedAuthor)),
    ];
    let mut env = Environment::process().private();
    let by_name = authors.clone().map(|(name, author)| (name, (name, author)));
    let author = env.choice("WORLD", authors[0].0, &by_name);
    // The rest is read elsewhere.
    env.finish(author)
}
