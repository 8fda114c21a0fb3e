//! What HTTP needs beyond a client: server-sent events, waiting between tries.

pub(crate) mod retry;
pub(crate) mod sse;
mod wait;
