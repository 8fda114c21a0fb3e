//! The worlds that the node can show, a line each; the first one is the default.

use tiller_world::Registry;

pub(crate) fn worlds() -> Registry {
    Registry::new().with(tiller_playtable::kind())
}
