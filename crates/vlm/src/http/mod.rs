//! What HTTP needs beyond a client: server-sent events, JSON in pieces, waiting between tries.

pub(crate) mod json;
pub(crate) mod retry;
pub(crate) mod sse;
mod wait;
