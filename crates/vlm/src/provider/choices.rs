//! Settings that are one of a few words.

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// Every choice.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// Their words, in the same order.
            pub const WORDS: &'static [&'static str] = &[$($word,)*];

            /// The word that stands for it in settings.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The choice of that word, in any case.
            #[must_use]
            pub fn from_name(word: &str) -> Option<Self> {
                let word = word.trim();
                Self::ALL.iter().copied().find(|choice| choice.name().eq_ignore_ascii_case(word))
            }
        }
    };
}

words! {
    /// Under which name the limit of an answer's tokens goes into a request.
    #[derive(Default)]
    TokenLimit {
        /// By host: the new name for OpenAI and Azure, the old one for their relatives.
        #[default]
        Auto = "auto",
        /// `max_tokens`, the old name, which most relatives of OpenAI know alone.
        MaxTokens = "max_tokens",
        /// `max_completion_tokens`, on which OpenAI's newer models insist.
        MaxCompletionTokens = "max_completion_tokens",
        /// `max_output_tokens`, the name in OpenAI's Responses.
        MaxOutputTokens = "max_output_tokens",
    }
}

words! {
    /// How closely a model looks at the picture, and so what the picture costs.
    PictureDetail {
        /// As the server sees fit.
        Auto = "auto",
        /// Coarsely and cheaply.
        Low = "low",
        /// In full.
        High = "high",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lead_to_their_choice_and_back() {
        for (choice, word) in TokenLimit::ALL.iter().zip(TokenLimit::WORDS) {
            assert_eq!(
                (choice.name(), TokenLimit::from_name(word)),
                (*word, Some(*choice))
            );
            assert_eq!(
                serde_json::to_value(choice).unwrap(),
                *word,
                "records use the same word"
            );
        }
        assert_eq!(
            PictureDetail::from_name(" HIGH "),
            Some(PictureDetail::High)
        );
        assert_eq!(PictureDetail::from_name("medium"), None);
    }
}
