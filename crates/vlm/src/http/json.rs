//! JSON values, told apart as their bytes come: one alone, one after the other, or the items of an
//! array that is sent while it grows.

use super::sse::SseError;

/// Cuts bytes into JSON objects and arrays. Whether they are well-formed is for a parser to say.
#[derive(Debug)]
pub(crate) struct Splitter {
    value: Vec<u8>,
    depth: usize,
    /// Depth at which values stand: 1 within an array, else 0.
    base: usize,
    in_string: bool,
    escaped: bool,
    limit_bytes: usize,
    /// Values so far.
    count: usize,
}

impl Splitter {
    /// For a text that begins with `[` (`in_array`) or with `{`.
    pub(crate) fn new(in_array: bool, limit_bytes: usize) -> Self {
        Self {
            value: Vec::new(),
            depth: 0,
            base: usize::from(in_array),
            in_string: false,
            escaped: false,
            limit_bytes,
            count: 0,
        }
    }

    /// Takes bytes in and adds the values that they complete to `out`.
    pub(crate) fn push(&mut self, bytes: &[u8], out: &mut Vec<String>) -> Result<(), SseError> {
        for &byte in bytes {
            let before = self.depth;
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
            } else {
                match byte {
                    b'"' => self.in_string = true,
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                    _ => {}
                }
            }
            if before.max(self.depth) <= self.base {
                continue;
            }
            self.value.push(byte);
            if self.value.len() > self.limit_bytes {
                return Err(SseError::TooLong);
            }
            if self.depth == self.base {
                let value = String::from_utf8(std::mem::take(&mut self.value));
                out.push(value.map_err(|_| SseError::NotUtf8)?);
                self.count += 1;
            }
        }
        Ok(())
    }

    /// Whether the text broke off within a value or within its array.
    pub(crate) fn is_open(&self) -> bool {
        self.depth > 0 || self.in_string
    }

    /// Values so far.
    pub(crate) fn count(&self) -> usize {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str, step: usize) -> (Vec<String>, bool) {
        let mut splitter = Splitter::new(text.starts_with('['), 60);
        let mut out = Vec::new();
        for piece in text.as_bytes().chunks(step) {
            splitter.push(piece, &mut out).unwrap();
        }
        assert_eq!(splitter.count(), out.len());
        (out, splitter.is_open())
    }

    #[test]
    fn values_are_told_apart_wherever_the_network_cuts() {
        let tricky = r#"{"a": "}]\"{\\", "b": [{}, [1]]}"#;
        for step in [1, 2, 5, 100] {
            assert_eq!(split(tricky, step), (vec![tricky.to_owned()], false));
            let lines = format!("{tricky}\n\r\n{{}}{{\"u\": \"\u{e4}\"}}\n");
            let expected = vec![
                tricky.to_owned(),
                "{}".to_owned(),
                "{\"u\": \"\u{e4}\"}".to_owned(),
            ];
            assert_eq!(split(&lines, step), (expected, false));
            let array = format!("[{tricky}\n,\r\n{{}} , 7, \"no {{ value\", []]");
            let expected = vec![tricky.to_owned(), "{}".to_owned(), "[]".to_owned()];
            assert_eq!(split(&array, step), (expected, false));
            assert_eq!(split("[{}, {\"a\"", step), (vec!["{}".to_owned()], true));
            assert_eq!(split("[{}", step), (vec!["{}".to_owned()], true));
            assert_eq!(split("[1, 2]", step), (vec![], false));
        }
    }

    #[test]
    fn limits_and_encodings() {
        let push = |bytes: &[u8]| Splitter::new(false, 10).push(bytes, &mut Vec::new());
        assert_eq!(push(b"{\"a\": 1234567}"), Err(SseError::TooLong));
        assert_eq!(push(b"{\"\xff\": 1}"), Err(SseError::NotUtf8));
        assert_eq!(push(&[b' '; 100]), Ok(()));
    }
}
