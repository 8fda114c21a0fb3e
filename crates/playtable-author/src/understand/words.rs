//! From text to words: lower case, no punctuation but commas and full stops, contractions written out.

/// What a word with an apostrophe, or one that is written short, stands for.
const WRITTEN_OUT: &[(&str, &str)] = &[
    ("i'd", "i would"),
    ("i'll", "i will"),
    ("i'm", "i am"),
    ("i've", "i have"),
    ("we'd", "we would"),
    ("we'll", "we will"),
    ("we're", "we are"),
    ("we've", "we have"),
    ("you'd", "you would"),
    ("you'll", "you will"),
    ("you're", "you are"),
    ("you've", "you have"),
    ("they're", "they are"),
    ("can't", "cannot"),
    ("won't", "will not"),
    ("isn't", "is not"),
    ("aren't", "are not"),
    ("gonna", "going to"),
    ("wanna", "want to"),
    ("gotta", "have to"),
    ("lemme", "let me"),
    ("u", "you"),
    ("ur", "your"),
    ("pls", "please"),
    ("plz", "please"),
    ("pleas", "please"),
    ("plase", "please"),
    ("thx", "thanks"),
    ("ty", "thanks"),
    ("btw", "by the way"),
    ("w/o", "without"),
    ("w/", "with"),
    ("&", "and"),
    ("+", "and"),
    ("->", "to"),
    ("=>", "to"),
    ("favorite", "favourite"),
    ("color", "colour"),
    ("colored", "coloured"),
    ("centimeter", "centimetre"),
    ("centimeters", "centimetres"),
    ("millimeter", "millimetre"),
    ("millimeters", "millimetres"),
];

/// After these an `'s` is "is"; after a thing it is, before one of [`STATES`].
const SUBJECTS: &[&str] = &[
    "it",
    "that",
    "this",
    "there",
    "here",
    "what",
    "who",
    "he",
    "she",
    "where",
    "everything",
];
const STATES: &[&str] = &[
    "open", "closed", "shut", "on", "off", "already", "still", "too", "so", "in", "not", "at",
    "stuck", "hanging", "sticking", "standing", "ajar", "been", "always", "blocking", "wide",
    "just", "really", "getting",
];

/// Lower-case words, commas and full stops; hyphens separate.
pub(super) fn split_words(text: &str) -> Vec<String> {
    let text = text.to_lowercase().replace(['\u{2019}', '\u{2018}'], "'");
    let chunks: Vec<&str> = text.split_whitespace().collect();
    let mut words = Vec::new();
    for (index, chunk) in chunks.iter().enumerate() {
        if push_short_form(chunk, &mut words) {
            continue;
        }
        let next = chunks.get(index + 1).copied().unwrap_or_default();
        split_chunk(chunk, next, &mut words);
    }
    words
}

/// Pushes what a contraction stands for, if the text is one.
fn push_short_form(text: &str, words: &mut Vec<String>) -> bool {
    let row = WRITTEN_OUT.iter().find(|(short, _)| *short == text);
    if let Some((_, long)) = row {
        words.extend(long.split(' ').map(str::to_owned));
    }
    row.is_some()
}

/// One chunk without blanks: its words and what stands between them.
fn split_chunk(chunk: &str, next: &str, words: &mut Vec<String>) {
    let mut word = String::new();
    let mut rest = chunk.chars().peekable();
    let mut last = ' ';
    while let Some(c) = rest.next() {
        let digit_follows = rest.peek().is_some_and(char::is_ascii_digit);
        let mark = match c {
            // "2.5 cm" is one number.
            '.' | ',' if last.is_ascii_digit() && digit_follows => {
                word.push('.');
                last = c;
                continue;
            }
            ',' | ':' | '(' | ')' => Some(","),
            '.' | ';' | '!' | '?' | '\u{2026}' => Some("."),
            '\u{2014}' | '\u{2013}' => Some(","),
            // "10cm" is two words.
            c if c.is_alphabetic() && last.is_ascii_digit() => {
                finish(&mut word, "", words);
                word.push(c);
                last = c;
                continue;
            }
            c if c.is_alphanumeric() || c == '\'' => {
                word.push(c);
                last = c;
                continue;
            }
            _ => None,
        };
        finish(&mut word, next, words);
        words.extend(mark.map(str::to_owned));
        last = c;
    }
    finish(&mut word, next, words);
}

/// Ends a word: written out, its `'s` told apart, other apostrophes dropped ("don't" becomes "dont").
fn finish(word: &mut String, next: &str, words: &mut Vec<String>) {
    let done = std::mem::take(word);
    let done = done.trim_matches('\'');
    if done.is_empty() || push_short_form(done, words) {
        return;
    }
    let Some(owner) = done.strip_suffix("'s") else {
        words.push(done.replace('\'', ""));
        return;
    };
    if owner == "let" {
        words.push("lets".to_owned());
        return;
    }
    words.push(owner.to_owned());
    let state = next.trim_matches(|c: char| !c.is_alphanumeric());
    if SUBJECTS.contains(&owner) || STATES.contains(&state) {
        words.push("is".to_owned());
    }
}

/// Whether a word is a mark that stands between words.
pub(super) fn is_punctuation(word: &str) -> bool {
    matches!(word, "," | ".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_at_everything_else() {
        let words = split_words("  Don't open the drawer's handle -- NOW!\n");
        assert_eq!(
            words,
            ["dont", "open", "the", "drawer", "handle", "now", "."]
        );
        assert_eq!(split_words("\u{1F916}, go"), [",", "go"]);
    }

    #[test]
    fn contractions_are_written_out() {
        let words = |text: &str| split_words(text).join(" ");
        assert_eq!(
            words("I'd like it, w/o haste"),
            "i would like it , without haste"
        );
        assert_eq!(
            words("the drawer's open, it's big"),
            "the drawer is open , it is big"
        );
        assert_eq!(words("can u move it 2.5cm?"), "can you move it 2.5 cm .");
        assert_eq!(words("the \"on\" position"), "the on position");
    }
}
