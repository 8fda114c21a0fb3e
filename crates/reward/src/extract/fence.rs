//! Markdown's fences.

/// A fence that is open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fence {
    mark: char,
    length: usize,
}

impl Fence {
    /// The fence on a line.
    fn on(line: &str) -> Option<Self> {
        let line = line.trim_start();
        let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let length = line.chars().take_while(|&c| c == mark).count();
        // Inline code may use as many backticks as a fence.
        let is_inline = mark == '`' && line[length..].contains('`');
        (length >= 3 && !is_inline).then_some(Self { mark, length })
    }

    /// Goes past a line; what follows an opening fence, or nothing after a closing one, if the line
    /// is a fence.
    pub(super) fn toggle<'l>(open: &mut Option<Self>, line: &'l str) -> Option<&'l str> {
        let found = Self::on(line)?;
        match *open {
            None => {
                *open = Some(found);
                Some(line.trim().trim_start_matches(found.mark).trim())
            }
            Some(opened) => {
                let closes = found.mark == opened.mark
                    && found.length >= opened.length
                    && line.trim().chars().all(|c| c == found.mark);
                closes.then(|| {
                    *open = None;
                    ""
                })
            }
        }
    }
}
