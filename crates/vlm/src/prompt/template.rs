//! Templates whose placeholders are the fields of a struct.

use std::fmt::Write;
use std::marker::PhantomData;

use thiserror::Error;

/// The values of a template.
pub trait Placeholders {
    /// Every placeholder, in the order of the fields.
    const NAMES: &'static [&'static str];

    /// Writes the value of a placeholder; nothing for a name that is not in `NAMES`.
    fn write(&self, name: &str, out: &mut String);
}

/// Why a text is no template for its values.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PromptError {
    /// A placeholder without a value.
    #[error("prompt {file}, line {line}: there is no `{{{{{name}}}}}`; it can hold {}", .known.join(", "))]
    Unknown {
        /// The prompt's file.
        file: String,
        /// Line, counted from 1.
        line: usize,
        /// What stands there.
        name: String,
        /// What could.
        known: &'static [&'static str],
    },
    /// A value that nothing shows.
    #[error("prompt {file} does not use `{{{{{name}}}}}`; the model would not learn it")]
    Missing {
        /// The prompt's file.
        file: String,
        /// The placeholder.
        name: &'static str,
    },
    /// Braces that do not close.
    #[error("prompt {file}, line {line}: `{{{{` is not closed by `}}}}` on the same line")]
    Open {
        /// The prompt's file.
        file: String,
        /// Line, counted from 1.
        line: usize,
    },
    /// The file cannot be read.
    #[error("cannot read prompt {file}: {reason}")]
    Unreadable {
        /// The prompt's file.
        file: String,
        /// The operating system's words.
        reason: String,
    },
}

/// A text with `{{placeholders}}` that are exactly the fields of `P`.
#[derive(Debug, Clone)]
pub struct Template<P> {
    /// Text, and the placeholder after it.
    pieces: Vec<(String, Option<&'static str>)>,
    values: PhantomData<fn(&P)>,
}

impl<P: Placeholders> Template<P> {
    /// Checks a text against the fields of `P`; `file` is for messages.
    ///
    /// # Errors
    /// [`PromptError`] for the first placeholder that is unknown, missing or not closed.
    pub fn parse(text: &str, file: &str) -> Result<Self, PromptError> {
        let file = || file.to_owned();
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let line = text[..text.len() - after.len()].matches('\n').count() + 1;
            let closed = after
                .split_once("}}")
                .filter(|(name, _)| !name.contains('\n'));
            let Some((name, behind)) = closed else {
                return Err(PromptError::Open { file: file(), line });
            };
            let known = P::NAMES.iter().find(|known| **known == name.trim());
            let Some(known) = known else {
                let name = name.trim().to_owned();
                return Err(PromptError::Unknown {
                    file: file(),
                    line,
                    name,
                    known: P::NAMES,
                });
            };
            pieces.push((before.to_owned(), Some(*known)));
            rest = behind;
        }
        pieces.push((rest.to_owned(), None));
        let shown = |name: &&str| pieces.iter().any(|(_, shown)| shown == &Some(*name));
        if let Some(name) = P::NAMES.iter().copied().find(|name| !shown(name)) {
            return Err(PromptError::Missing { file: file(), name });
        }
        Ok(Self {
            pieces,
            values: PhantomData,
        })
    }

    /// The text as it was parsed, blanks within braces aside.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        for (text, name) in &self.pieces {
            out.push_str(text);
            if let Some(name) = name {
                out.push_str(&format!("{{{{{name}}}}}"));
            }
        }
        out
    }

    /// The text with its values. Values are not searched for placeholders.
    #[must_use]
    pub fn fill(&self, values: &P) -> String {
        let mut out = String::new();
        for (text, name) in &self.pieces {
            out.push_str(text);
            if let Some(name) = name {
                values.write(name, &mut out);
            }
        }
        out.truncate(out.trim_end().len());
        out
    }
}

/// Adds a value to a text.
pub(super) fn write_value(value: &impl std::fmt::Display, out: &mut String) {
    // Writing into a string does not fail.
    let _ = write!(out, "{value}");
}

/// Declares a struct whose fields are the placeholders of a template.
macro_rules! placeholders {
    ($(#[$doc:meta])* $visibility:vis struct $name:ident { $($(#[$field_doc:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        $visibility struct $name {
            $($(#[$field_doc])* $visibility $field: $kind,)*
        }

        impl $crate::prompt::Placeholders for $name {
            const NAMES: &'static [&'static str] = &[$(stringify!($field)),*];

            fn write(&self, name: &str, out: &mut String) {
                match name {
                    $(stringify!($field) => $crate::prompt::template::write_value(&self.$field, out),)*
                    _ => {}
                }
            }
        }
    };
}
pub(super) use placeholders;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prompt::Quoted;

    placeholders! {
        /// Two values.
        struct Pair {
            /// Foreign.
            words: Quoted,
            /// Our own.
            count: usize,
        }
    }

    #[test]
    fn values_are_filled_in_once() {
        let template =
            Template::<Pair>::parse("{{count}}: {{ words }}, {{count}}\n", "x.md").unwrap();
        let pair = Pair {
            words: Quoted::new("{{count}}", 20),
            count: 3,
        };
        assert_eq!(template.fill(&pair), "3: \"[[count]]\", 3");
    }

    #[test]
    fn a_text_that_does_not_fit_its_values_is_refused() {
        let problem = |text| {
            Template::<Pair>::parse(text, "x.md")
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            problem("{{words}}\n{{cuont}}"),
            "prompt x.md, line 2: there is no `{{cuont}}`; it can hold words, count"
        );
        assert_eq!(
            problem("{{words}}"),
            "prompt x.md does not use `{{count}}`; the model would not learn it"
        );
        assert_eq!(
            problem("\n{{words}\n}}"),
            "prompt x.md, line 2: `{{` is not closed by `}}` on the same line"
        );
    }
}
