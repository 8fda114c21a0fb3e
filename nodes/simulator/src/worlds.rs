//! The worlds that the node can show, a line each; the first one is the default.

use std::path::PathBuf;

use tiller_libero::PACKS_VARIABLE;
use tiller_world::Registry;

pub(crate) fn worlds() -> Registry {
    let worlds = Registry::new().with(tiller_playtable::kind());
    let packs = std::env::var_os(PACKS_VARIABLE).map(PathBuf::from);
    let here = std::env::current_dir().unwrap_or_default();
    match tiller_libero::installed(packs.as_deref(), &here) {
        Ok(kind) => worlds.with(kind),
        Err(absent) => worlds.without(absent),
    }
}
