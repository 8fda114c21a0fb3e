//! The worlds that the node can show, a line each; the first one is the default.

use tiller_world::Registry;

pub(crate) fn worlds() -> Registry {
    let worlds = Registry::new().with(tiller_playtable::kind());
    let worlds = match tiller_libero::installed() {
        Ok(kind) => worlds.with(kind),
        Err(absent) => worlds.without(absent),
    };
    match tiller_calvin::installed() {
        Ok(kind) => worlds.with(kind),
        Err(absent) => worlds.without(absent),
    }
}
