//! For tests: a real HTTP server in the test's process that does what it is told, however rude, and a
//! model that answers on it.
//!
//! ```
//! use tiller_vlm::provider::Api;
//! use tiller_vlm_testing::{Ending, streamed, threaded};
//!
//! let (server, _stop) = threaded(vec![streamed(Api::OpenAi, "an answer", Ending::Complete)]);
//! assert!(server.config(Api::OpenAi).base_url.is_some());
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "only tests use it, and a test that panics has failed, as it should"
)]

mod model;
mod server;

pub use model::{is_advice, is_repair, request_of, write};
pub use server::{
    APIS, Act, Ending, Handler, KEY, Script, Server, chunk, chunked_head, client, events,
    json_response, query, response, shows_key, stream_head, streamed, threaded, threaded_with,
    whole,
};
