//! Texts from outside: how long they may be, one limit a kind, kept where the text comes in, and how
//! they are shown.

mod visible;

use std::borrow::Cow;

pub use visible::{
    is_hidden, visible, visible_block, visible_char, visible_json, visible_line, visible_under,
};

/// Characters of an instruction. A longer one is cut where it comes in.
pub const MAX_INSTRUCTION: usize = 500;
/// Characters of a stage's description, and of a reason in one line.
pub const MAX_DESCRIPTION: usize = 200;
/// Characters of a status, an event or another text for people.
pub const MAX_STATUS: usize = 4000;
/// Characters of a name: of an object, a model, a task, a node. A longer one is refused.
pub const MAX_NAME: usize = 100;

/// At most `limit` characters of a text; an ellipsis stands for the rest. Takes time linear in
/// `limit`, however long the text is.
///
/// ```
/// use tiller_core::clip;
/// assert_eq!(clip("open it", 7), "open it");
/// assert_eq!(clip("open it slowly", 7), "open it…");
/// ```
#[must_use]
pub fn clip(text: &str, limit: usize) -> Cow<'_, str> {
    match text.char_indices().nth(limit) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}\u{2026}", &text[..end])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_clipped_text_is_its_beginning(text in any::<String>(), limit in 0_usize..40) {
            let clipped = clip(&text, limit);
            let count = text.chars().count();
            prop_assert_eq!(clipped.chars().count(), count.min(limit + 1));
            prop_assert_eq!(clipped.ends_with('\u{2026}') && count > limit, count > limit);
            let beginning = clipped.trim_end_matches('\u{2026}');
            prop_assert!(text.starts_with(beginning));
            prop_assert_eq!(clip(&clipped, limit + 1), clipped.as_ref());
        }
    }
}
