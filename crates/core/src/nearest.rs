//! The name that somebody probably meant.

/// The candidate that is so near to `word` that it is probably what was meant: at most a third of
/// its letters are wrong, left out, added or swapped. Case does not count.
///
/// ```
/// use tiller_core::nearest;
/// let names = ["TILLER_SEED", "TILLER_SPEED", "TILLER_POLICY"];
/// assert_eq!(nearest("TILLER_SEDE", names), Some("TILLER_SEED"));
/// assert_eq!(nearest("COLOUR", names), None);
/// ```
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let most = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| {
            let away = strsim::damerau_levenshtein(&word, &candidate.to_lowercase());
            (away, candidate)
        })
        .filter(|(away, _)| *away <= most)
        .min_by_key(|(away, _)| *away)
        .map(|(_, candidate)| candidate)
}
