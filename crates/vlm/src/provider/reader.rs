//! Answers as they come in. What they are, a stream of events or JSON, their bytes say: content
//! types lie, and servers stream unasked or not at all.

use std::time::Duration;

use tokio::time::Instant;

use super::wire::Partial;
use super::{Api, Identity, Outcome, ProviderError, Reply, Usage, fault, visible_line};
use crate::http::json::Splitter;
use crate::http::sse::{Decoder, Event, SseError};

/// Bytes on the wire for one byte of the answer that are still believed: every few letters of a
/// stream come in an envelope of their own.
const WIRE_FACTOR: usize = 16;
/// Bytes on the wire that are believed in any case.
const LEAST_WIRE_BYTES: usize = 4 << 20;
/// Bytes on the wire, hidden thoughts included, in units of those without them.
const THOUGHT_FACTOR: usize = 16;
/// Bytes of a page that are read for its words.
const PAGE_BYTES: usize = 4096;
/// How long a finished answer waits for the tokens that it cost.
const USAGE_PATIENCE: Duration = Duration::from_millis(500);

/// What the bytes are.
#[derive(Debug)]
enum Shape {
    /// Nothing but blanks so far.
    Unknown,
    Events(Decoder),
    Values(Splitter),
    Page(Vec<u8>),
}

/// Reads an answer as its bytes come, within bounds.
pub(super) struct AnswerReader {
    api: Api,
    shape: Shape,
    /// The first bytes that are not blank, for the message if they are no answer.
    start: Vec<u8>,
    partial: Partial,
    /// Bytes so far, envelopes included.
    pub(super) received: usize,
    /// Of these, bytes of events that held nothing but thoughts.
    thought_wire: usize,
    is_announced: bool,
    finished_at: Option<Instant>,
    /// What the server says instead of an answer.
    refusal: Option<String>,
    limit_bytes: usize,
}

impl AnswerReader {
    pub(super) fn new(api: Api, limit_bytes: usize) -> Self {
        Self {
            api,
            shape: Shape::Unknown,
            start: Vec::new(),
            partial: Partial::default(),
            received: 0,
            thought_wire: 0,
            is_announced: false,
            finished_at: None,
            refusal: None,
            limit_bytes,
        }
    }

    fn too_large(&self) -> ProviderError {
        let detail = format!("the answer is larger than {} bytes", self.limit_bytes);
        ProviderError::new(Outcome::TooLarge, detail)
    }

    fn wire_limit(&self) -> usize {
        (self.limit_bytes * WIRE_FACTOR).max(LEAST_WIRE_BYTES)
    }

    /// Refuses at once what announces itself as too large.
    pub(super) fn expect(&mut self, content_length: Option<u64>) -> Result<(), ProviderError> {
        self.is_announced = content_length.is_some();
        match content_length {
            Some(length) if length > self.wire_limit() as u64 => Err(self.too_large()),
            _ => Ok(()),
        }
    }

    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(), ProviderError> {
        self.received += bytes.len();
        let limit = self.wire_limit();
        let without_thoughts = self.received.saturating_sub(self.thought_wire);
        if without_thoughts > limit || self.received > limit * THOUGHT_FACTOR {
            return Err(self.too_large());
        }
        let mut bytes = bytes;
        let first;
        if matches!(self.shape, Shape::Unknown) {
            self.start.extend_from_slice(bytes);
            let Some(begins) = begin(&self.start) else {
                self.start.retain(|byte| !byte.is_ascii_whitespace());
                return Ok(());
            };
            first = self.start.split_off(begins);
            bytes = &first;
            self.start = bytes[..bytes.len().min(400)].to_vec();
            self.shape = match bytes[0] {
                b'{' | b'[' => Shape::Values(Splitter::new(bytes[0] == b'[', limit)),
                b'<' => Shape::Page(Vec::new()),
                _ => Shape::Events(Decoder::new(limit)),
            };
        }
        let mut events = Vec::new();
        let decoded = match &mut self.shape {
            Shape::Unknown => Ok(()),
            Shape::Events(decoder) => decoder.push(bytes, &mut events),
            Shape::Values(splitter) => {
                let mut values = Vec::new();
                let decoded = splitter.push(bytes, &mut values);
                let is_error = false;
                events.extend(values.into_iter().map(|data| Event { data, is_error }));
                decoded
            }
            Shape::Page(page) => {
                page.extend_from_slice(bytes);
                if page.len() >= PAGE_BYTES {
                    return Err(fault::of_page(&String::from_utf8_lossy(page)));
                }
                Ok(())
            }
        };
        self.take_events(decoded, &events)
    }

    fn take_events(
        &mut self,
        decoded: Result<(), SseError>,
        events: &[Event],
    ) -> Result<(), ProviderError> {
        for event in events {
            if self.partial.ended {
                return Ok(());
            }
            let (text, thoughts) = self.partial.sizes();
            let is_under_way = self.partial.has_content();
            if let Err(error) = self.api.take(event, &mut self.partial) {
                self.refusal = (!is_under_way).then(|| event.data.clone());
                return Err(error);
            }
            let now = self.partial.sizes();
            if now.0 == text && now.1 > thoughts {
                self.thought_wire += event.data.len();
            }
            if now.0 > self.limit_bytes {
                return Err(self.too_large());
            }
            match self.partial.is_finished() {
                true => _ = self.finished_at.get_or_insert_with(Instant::now),
                false => self.finished_at = None,
            }
        }
        match decoded {
            Err(_) if self.partial.is_complete() => Ok(()),
            Err(SseError::NotUtf8) => {
                let detail = "the answer is not UTF-8";
                Err(ProviderError::new(Outcome::MalformedAnswer, detail))
            }
            Err(SseError::TooLong) => Err(self.too_large()),
            Ok(()) => Ok(()),
        }
    }

    /// Tokens as the server has counted them so far; 0 where it has said nothing.
    pub(super) fn said(&self) -> Usage {
        Usage {
            input_tokens: self.partial.input_tokens.unwrap_or(0),
            output_tokens: self.partial.output_tokens.unwrap_or(0),
            estimated: false,
        }
    }

    /// What the server said instead of an answer, before any word of one: there may be something to learn
    /// from it about requests.
    pub(super) fn refusal(&self) -> Option<&str> {
        self.refusal.as_deref()
    }

    /// Whether the service has said that nothing more comes.
    pub(super) fn is_over(&self) -> bool {
        self.partial.ended
    }

    /// Until when to wait for more of an answer that has ended, if it has.
    pub(super) fn finished_until(&self) -> Option<Instant> {
        self.finished_at.map(|at| at + USAGE_PATIENCE)
    }

    /// The answer, once no more of it is read.
    pub(super) fn finish(
        &mut self,
        identity: &Identity,
        expected_input_tokens: u64,
    ) -> Result<Reply, ProviderError> {
        let mut is_stream = false;
        let broke_off = match &mut self.shape {
            Shape::Unknown => {
                let detail = "no byte of an answer came";
                return Err(ProviderError::new(Outcome::EmptyAnswer, detail));
            }
            Shape::Page(page) => return Err(fault::of_page(&String::from_utf8_lossy(page))),
            Shape::Events(decoder) => {
                let mut events = Vec::new();
                let decoded = decoder.finish(&mut events);
                is_stream = decoder.has_fields();
                // The last event may lack its end, or much more.
                match self.take_events(decoded, &events) {
                    Err(error)
                        if !matches!(
                            error.outcome,
                            Outcome::MalformedAnswer | Outcome::Unfinished
                        ) =>
                    {
                        return Err(error);
                    }
                    taken => taken.is_err(),
                }
            }
            Shape::Values(splitter) => {
                // One whole JSON text, or a closed list: there is no more to come.
                self.partial.ended |= splitter.count() > 0 && !splitter.is_open();
                splitter.is_open()
            }
        };
        let is_read = self.partial.is_finished() || self.partial.ended;
        let is_short = is_stream || !self.is_announced;
        if broke_off && !is_read {
            let bytes = self.received;
            let detail = format!("the answer broke off after {bytes} bytes");
            // Where the server announced no more, it is the answer that is cut and not its way here.
            let outcome = match is_short {
                true => Outcome::ConnectionLost,
                false => Outcome::Unfinished,
            };
            return Err(ProviderError::new(outcome, detail));
        }
        if !self.partial.began {
            let error = self.no_answer(identity, is_stream);
            self.refusal = self.partial.strange.take();
            return Err(error);
        }
        let said = self.said();
        std::mem::take(&mut self.partial)
            .finish(identity, expected_input_tokens)
            .map_err(|error| error.after_an_answer_began(said))
    }

    /// Why nothing that came is an answer.
    fn no_answer(&self, identity: &Identity, is_stream: bool) -> ProviderError {
        let start = visible_line(&String::from_utf8_lossy(&self.start), 80);
        if let Some(complaint) = &self.partial.complaint {
            return complaint.clone();
        }
        let strange = self.partial.strange.as_deref();
        let found = match strange.map(|text| visible_line(text, 80)) {
            Some(strange) => strange,
            None if is_stream => {
                let detail = "the stream ended before an answer began";
                return ProviderError::new(Outcome::ConnectionLost, detail);
            }
            None => start,
        };
        let detail = format!(
            "expected an answer of the kind that `{}` sends, found `{found}`",
            identity.provider
        );
        ProviderError::new(Outcome::MalformedAnswer, detail)
    }
}

/// Where an answer begins after blanks and a byte order mark; `None` if there is only that.
fn begin(bytes: &[u8]) -> Option<usize> {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    let skip = |from: usize| {
        let blanks = bytes[from..]
            .iter()
            .take_while(|byte| byte.is_ascii_whitespace());
        from + blanks.count()
    };
    let mut at = skip(0);
    if bytes[at..].starts_with(MARK) {
        at = skip(at + MARK.len());
    } else if MARK.starts_with(&bytes[at..]) {
        return None;
    }
    (at < bytes.len()).then_some(at)
}

#[cfg(test)]
mod tests;
