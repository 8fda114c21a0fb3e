//! Server-sent events, decoded as the bytes come (WHATWG HTML, section 9.2).

/// One event. Of its name only `error` counts: every service repeats the others in the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// The joined `data` lines.
    pub(crate) data: String,
    /// The event is named `error`.
    pub(crate) is_error: bool,
}

/// Why a stream cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SseError {
    /// A line is not UTF-8.
    NotUtf8,
    /// A line or an event is longer than the limit.
    TooLong,
}

/// Turns bytes into events, however the network cuts them.
#[derive(Debug)]
pub(crate) struct Decoder {
    line: Vec<u8>,
    data: Option<String>,
    is_error: bool,
    has_fields: bool,
    limit_bytes: usize,
    /// The last byte was a carriage return; a line feed belongs to it.
    after_return: bool,
    at_start: bool,
}

impl Decoder {
    pub(crate) fn new(limit_bytes: usize) -> Self {
        Self {
            line: Vec::new(),
            data: None,
            is_error: false,
            has_fields: false,
            limit_bytes,
            after_return: false,
            at_start: true,
        }
    }

    /// Takes bytes in and adds the events that they complete to `out`.
    pub(crate) fn push(&mut self, bytes: &[u8], out: &mut Vec<Event>) -> Result<(), SseError> {
        for &byte in bytes {
            if byte == b'\n' && std::mem::take(&mut self.after_return) {
                continue;
            }
            self.after_return = byte == b'\r';
            if matches!(byte, b'\n' | b'\r') {
                self.end_line(out)?;
            } else {
                self.line.push(byte);
                if self.line.len() > self.limit_bytes {
                    return Err(SseError::TooLong);
                }
            }
        }
        Ok(())
    }

    /// Ends the stream. The standard drops an event without its blank line; servers that forget the
    /// last one are common, so it counts here.
    pub(crate) fn finish(&mut self, out: &mut Vec<Event>) -> Result<(), SseError> {
        if !self.line.is_empty() {
            self.end_line(out)?;
        }
        self.end_event(out);
        Ok(())
    }

    /// Whether any line so far was one of a stream of events: a field or a comment.
    pub(crate) fn has_fields(&self) -> bool {
        self.has_fields
    }

    fn end_event(&mut self, out: &mut Vec<Event>) {
        let is_error = std::mem::take(&mut self.is_error);
        out.extend(self.data.take().map(|data| Event { data, is_error }));
    }

    fn end_line(&mut self, out: &mut Vec<Event>) -> Result<(), SseError> {
        let bytes = std::mem::take(&mut self.line);
        let line = std::str::from_utf8(&bytes).map_err(|_| SseError::NotUtf8)?;
        let line = match std::mem::take(&mut self.at_start) {
            true => line.strip_prefix('\u{feff}').unwrap_or(line),
            false => line,
        };
        if line.is_empty() {
            self.end_event(out);
            return Ok(());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        self.has_fields |= matches!(field, "" | "data" | "event" | "id" | "retry");
        if field == "event" {
            self.is_error = value.trim() == "error";
        }
        if field == "data" {
            match &mut self.data {
                None => self.data = Some(value.to_owned()),
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                    if data.len() > self.limit_bytes {
                        return Err(SseError::TooLong);
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(pieces: &[&[u8]]) -> Result<Vec<String>, SseError> {
        let mut decoder = Decoder::new(100);
        let mut out = Vec::new();
        for piece in pieces {
            decoder.push(piece, &mut out)?;
        }
        decoder.finish(&mut out)?;
        Ok(out.into_iter().map(|event| event.data).collect())
    }

    #[test]
    fn fields_comments_and_line_ends() {
        let text = "\u{feff}: hello\r\nevent: x\r\ndata: one\r\n\r\ndata:two\ndata: three\n\n\n:\rdata: last";
        assert_eq!(
            decode(&[text.as_bytes()]).unwrap(),
            ["one", "two\nthree", "last"]
        );
    }

    #[test]
    fn limits_and_encodings() {
        assert_eq!(decode(&[&[b'x'; 101]]), Err(SseError::TooLong));
        assert_eq!(
            decode(&["data: 0123456789\n".repeat(11).as_bytes()]),
            Err(SseError::TooLong)
        );
        assert_eq!(decode(&[b"data: \xff\xfe\n\n"]), Err(SseError::NotUtf8));
    }

    #[test]
    fn only_the_event_that_is_named_so_is_an_error() {
        let mut decoder = Decoder::new(100);
        let mut out = Vec::new();
        let text = b"event: error\ndata: one\n\nevent: message\ndata: two\n\nevent: error\n\ndata: three\n\n";
        decoder.push(text, &mut out).unwrap();
        let named: Vec<_> = out.iter().map(|event| event.is_error).collect();
        assert_eq!(named, [true, false, false]);
        assert!(decoder.has_fields());
    }

    proptest! {
        /// Where the network cuts makes no difference.
        #[test]
        fn cuts_do_not_matter(cuts in proptest::collection::vec(0usize..60, 0..6)) {
            let text = "data: h\u{e4}\r\n\r\ndata: {\"a\": \"\u{1f916}\"}\n\ndata: c\rdata: d\r\r".as_bytes();
            let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % text.len()).collect();
            ends.push(text.len());
            ends.sort_unstable();
            let mut start = 0;
            let pieces: Vec<&[u8]> = ends.iter().map(|&end| &text[std::mem::replace(&mut start, end)..end]).collect();
            prop_assert_eq!(decode(&pieces).unwrap(), ["h\u{e4}", "{\"a\": \"\u{1f916}\"}", "c\nd"]);
        }
    }
}
