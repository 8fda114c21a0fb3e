//! Questions with everything around them: cache, budget, further tries, records, background.

mod background;
mod client;
mod record;

pub use background::{Background, BackgroundError, Ticket};
pub use client::{Client, Exchange};
pub use record::{Attempt, ExchangeRecord, PictureRecord, Recorder, question_sha256};

pub use crate::http::retry::RetryPolicy;
