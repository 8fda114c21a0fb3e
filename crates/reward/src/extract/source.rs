//! Text that remembers where it came from.

use std::ops::Range;

use crate::diagnostic::Span;

/// Blanks that editors and web pages leave in code in place of plain ones.
const ODD_BLANKS: [char; 4] = ['\u{a0}', '\u{2007}', '\u{202f}', '\u{3000}'];

/// Text that was cut out of an answer, with the way back.
#[derive(Clone, Debug, Default)]
pub(super) struct Source {
    pub(super) text: String,
    /// `(start here, start in the answer)` of each piece, ascending.
    pieces: Vec<(usize, usize)>,
}

impl Source {
    /// A whole answer. The byte order mark goes, odd blanks become plain ones, and lines end in `\n`
    /// or `\r\n`.
    pub(super) fn whole(answer: &str) -> Self {
        let mut source = Self::default();
        let begin = answer.len() - answer.trim_start_matches('\u{feff}').len();
        let mut copied = begin;
        for (at, c) in answer.char_indices().skip_while(|&(at, _)| at < begin) {
            let plain = match c {
                '\r' if !answer[at + 1..].starts_with('\n') => "\n",
                c if ODD_BLANKS.contains(&c) => " ",
                _ => continue,
            };
            source.copy(answer, copied..at, copied);
            source.push_str(plain, at);
            copied = at + c.len_utf8();
        }
        source.copy(answer, copied..answer.len(), copied);
        source
    }

    fn copy(&mut self, text: &str, range: Range<usize>, origin: usize) {
        if range.is_empty() {
            return;
        }
        let here = self.text.len();
        let goes_on = |&(start, from): &(usize, usize)| from + (here - start) == origin;
        if !self.pieces.last().is_some_and(goes_on) {
            self.pieces.push((here, origin));
        }
        self.text.push_str(&text[range]);
    }

    /// Adds what stands for the part of the answer that begins at `origin`.
    pub(super) fn push_str(&mut self, text: &str, origin: usize) {
        self.copy(text, 0..text.len(), origin);
    }

    /// Adds a part of another source.
    pub(super) fn push(&mut self, from: &Self, range: Range<usize>) {
        let mut start = range.start;
        let mut piece = from.pieces.partition_point(|&(at, _)| at <= start);
        while start < range.end {
            let end = from.pieces.get(piece).map_or(range.end, |&(at, _)| at);
            let end = end.min(range.end);
            let origin = from.origin(start);
            self.copy(&from.text, start..end, origin);
            start = end;
            piece += 1;
        }
    }

    /// Ends the last line, if it has not ended.
    pub(super) fn end_line(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    /// The parts of this source that lie in `ranges`, each on lines of its own.
    pub(super) fn parts(&self, ranges: &[Range<usize>]) -> Self {
        let mut source = Self::default();
        for range in ranges {
            source.push(self, range.clone());
            source.end_line();
        }
        source
    }

    /// Where the byte at `offset` came from.
    pub(super) fn origin(&self, offset: usize) -> usize {
        let after = self.pieces.partition_point(|&(start, _)| start <= offset);
        match self.pieces.get(after.wrapping_sub(1)) {
            Some(&(here, answer)) => answer + (offset - here),
            None => 0,
        }
    }

    /// The byte range of the answer that `span` came from.
    pub(super) fn original(&self, span: Span, answer: &str) -> Range<usize> {
        let start = self.origin(span.start as usize);
        // The end belongs to the piece of the last byte, not to the piece after it.
        let last = (span.end as usize).max(span.start as usize + 1) - 1;
        let end = if span.end > span.start {
            self.origin(last) + 1
        } else {
            start
        };
        let clip = |offset: usize| {
            let mut offset = offset.min(answer.len());
            while !answer.is_char_boundary(offset) {
                offset += 1;
            }
            offset
        };
        let start = clip(start);
        start..clip(end).max(start)
    }

    /// Byte ranges of the lines, ends of line included.
    pub(super) fn lines(&self) -> Vec<Range<usize>> {
        let mut at = 0;
        let lines = self.text.split_inclusive('\n').map(|line| {
            at += line.len();
            at - line.len()..at
        });
        lines.collect()
    }
}
