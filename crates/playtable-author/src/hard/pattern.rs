//! What is said, as patterns of words.

/// The longest instruction that is looked at, in words.
const MAX_WORDS: usize = 40;

/// Words that change nothing.
const COURTESIES: [&str; 4] = ["please", "now", "just", "carefully"];

/// Lower-case words without punctuation and courtesies; `don't` is `dont`.
pub(super) fn words(text: &str) -> Vec<String> {
    let text = text.to_lowercase().replace(['\'', '\u{2019}'], "");
    let words = text.split(|c: char| !c.is_alphanumeric());
    words
        .filter(|word| !word.is_empty() && !COURTESIES.contains(word))
        .take(MAX_WORDS)
        .map(ToOwned::to_owned)
        .collect()
}

/// Whether words fit a pattern. Its words may have alternatives, `lift|raise`, and may be left out, `?the`.
pub(super) fn fits(pattern: &str, words: &[String]) -> bool {
    let parts: Vec<&str> = pattern.split_whitespace().collect();
    fits_from(&parts, words)
}

fn fits_from(parts: &[&str], words: &[String]) -> bool {
    let Some((part, rest)) = parts.split_first() else {
        return words.is_empty();
    };
    let (part, may_miss) = match part.strip_prefix('?') {
        Some(part) => (part, true),
        None => (*part, false),
    };
    let is_said = words
        .first()
        .is_some_and(|word| part.split('|').any(|known| known == word));
    is_said && fits_from(rest, &words[1..]) || may_miss && fits_from(rest, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_must_fit() {
        let fits = |text: &str| fits("lift|raise ?the red|blue block", &words(text));
        assert!(fits("Please lift the red block!") && fits("raise blue block"));
        for other in [
            "lift the block",
            "lift the red block twice",
            "red block",
            "",
        ] {
            assert!(!fits(other), "{other}");
        }
    }
}
