//! Answers as they come in.

use super::wire::Partial;
use super::{Api, Identity, Outcome, ProviderError, Reply, Usage};
use crate::http::sse::{Decoder, Event, SseError};

/// Bytes on the wire for one byte of the answer that are still believed: every few letters of a
/// stream come in an envelope of their own.
const WIRE_FACTOR: usize = 16;
/// Reads an answer as its bytes come, stream or not, within bounds.
pub(super) struct AnswerReader {
    api: Api,
    stream: Option<Decoder>,
    whole: Vec<u8>,
    partial: Partial,
    /// Bytes so far, envelopes included.
    pub(super) received: usize,
    limit_bytes: usize,
}

impl AnswerReader {
    pub(super) fn new(api: Api, is_stream: bool, limit_bytes: usize) -> Self {
        Self {
            api,
            stream: is_stream.then(|| Decoder::new(limit_bytes)),
            whole: Vec::new(),
            partial: Partial::default(),
            received: 0,
            limit_bytes,
        }
    }

    fn too_large(&self) -> ProviderError {
        let detail = format!("the answer is larger than {} bytes", self.limit_bytes);
        ProviderError::new(Outcome::TooLarge, detail)
    }

    /// Refuses at once what announces itself as too large.
    pub(super) fn expect(&self, content_length: Option<u64>) -> Result<(), ProviderError> {
        let factor = if self.stream.is_some() {
            WIRE_FACTOR
        } else {
            2
        };
        match content_length {
            Some(length) if length > (self.limit_bytes * factor) as u64 => Err(self.too_large()),
            _ => Ok(()),
        }
    }

    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(), ProviderError> {
        self.received += bytes.len();
        self.expect(Some(self.received as u64))?;
        let Some(decoder) = &mut self.stream else {
            self.whole.extend_from_slice(bytes);
            return Ok(());
        };
        let mut events = Vec::new();
        let decoded = decoder.push(bytes, &mut events);
        self.take_events(decoded, &events)
    }

    fn take_events(
        &mut self,
        decoded: Result<(), SseError>,
        events: &[Event],
    ) -> Result<(), ProviderError> {
        for event in events {
            self.api.take_event(event, &mut self.partial)?;
        }
        match decoded {
            Err(SseError::NotUtf8) => {
                let detail = "the stream is not UTF-8";
                Err(ProviderError::new(Outcome::MalformedAnswer, detail))
            }
            Err(SseError::TooLong) => Err(self.too_large()),
            Ok(()) if self.partial.text.len() > self.limit_bytes => Err(self.too_large()),
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

    /// Whether the service has said that nothing more comes.
    pub(super) fn is_over(&self) -> bool {
        self.partial.ended
    }

    pub(super) fn finish(
        mut self,
        identity: &Identity,
        expected_input_tokens: u64,
    ) -> Result<Reply, ProviderError> {
        if let Some(decoder) = &mut self.stream {
            let mut events = Vec::new();
            let decoded = decoder.finish(&mut events);
            self.take_events(decoded, &events)?;
        } else {
            self.api.take_whole(&self.whole, &mut self.partial)?;
            if self.partial.text.len() > self.limit_bytes {
                return Err(self.too_large());
            }
        }
        let said = self.said();
        self.partial
            .finish(identity, expected_input_tokens)
            .map_err(|error| error.after_an_answer_began(said))
    }
}
