//! Sentences by people who knew the table's things and tasks and nothing of the author, written first and frozen.

use crate::goal::Goals;

/// Written for an author that knew none of it, who understood 61, refused 138 and misunderstood one. It has been made
/// better with this list at hand since.
const FIRST: &str = include_str!("../sentences/first.tsv");

/// Written by somebody else before the author heard one of them. To make it better with this list at hand would take
/// a third one.
const SECOND: &str = include_str!("../sentences/second.tsv");

/// What is expected where the table cannot do what is said, or it is not clear what is meant.
const REFUSE: &str = "refuse";

/// A sentence and what it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unseen {
    /// What is said.
    pub sentence: &'static str,
    /// The task ids that it means, with commas between them; none where it should be refused.
    pub expected: Option<&'static str>,
}

impl Unseen {
    /// The task ids that it means, first things first; none where it should be refused.
    pub fn ids(self) -> impl Iterator<Item = &'static str> {
        self.expected.into_iter().flat_map(|ids| ids.split(','))
    }

    /// Whether this is what was understood: the same goals in the same order, the same things left alone, or nothing.
    pub fn is_understood(self, found: Option<&[String]>) -> bool {
        let read = |ids: &mut dyn Iterator<Item = &str>| Goals::from_ids(ids).ok();
        match (self.expected, found) {
            (None, None) => true,
            (Some(_), Some(found)) => {
                let found = read(&mut found.iter().map(String::as_str));
                found.is_some() && found == read(&mut self.ids())
            }
            _ => false,
        }
    }
}

/// The 200 sentences that the author's writer has not seen.
///
/// ```
/// assert_eq!(tiller_playtable::unseen().count(), 200);
/// assert_eq!(tiller_playtable::seen().count(), 200);
/// ```
pub fn unseen() -> impl Iterator<Item = Unseen> {
    sentences(SECOND)
}

/// The 200 sentences that were unseen once, and that the author has been made better with: no measure of it any more.
pub fn seen() -> impl Iterator<Item = Unseen> {
    sentences(FIRST)
}

/// Lines of what a sentence asks for, as task ids with commas between them or [`REFUSE`], a tab, the sentence.
fn sentences(list: &'static str) -> impl Iterator<Item = Unseen> {
    list.lines().skip(1).filter_map(|line| {
        let (expected, sentence) = line.split_once('\t')?;
        Some(Unseen {
            sentence,
            expected: Some(expected).filter(|expected| *expected != REFUSE),
        })
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tiller_core::sha256;

    use super::*;
    use crate::goal::interpret;

    /// Whoever changes a list can no longer say that its writer did not see the author.
    #[test]
    fn the_lists_are_those_that_were_frozen() {
        for (list, frozen) in [
            (
                FIRST,
                "53c05e08a1a074a68fb8ec4cd852ca78da2ffeefa1de08c113bdc5620178aad4",
            ),
            (
                SECOND,
                "9e6e056be1ccce4a28354358f4d52d780975cb07263e8565b5b5fd433a07f7d2",
            ),
        ] {
            assert_eq!(sha256(list.as_bytes()), frozen);
        }
    }

    #[test]
    fn every_line_is_a_sentence_of_its_own_for_tasks_that_are_there() {
        for all in [seen().collect::<Vec<_>>(), unseen().collect()] {
            let sentences: BTreeSet<&str> = all.iter().map(|said| said.sentence).collect();
            assert_eq!((all.len(), sentences.len()), (200, 200));
            for said in all {
                let ids: Vec<_> = said.ids().collect();
                if !ids.is_empty() {
                    let goals = Goals::from_ids(ids.iter().copied()).unwrap();
                    assert_eq!(goals.ids().len(), ids.len(), "{}", said.sentence);
                    assert!(said.is_understood(Some(&goals.ids())), "{}", said.sentence);
                    assert!(!said.is_understood(None) && !said.is_understood(Some(&[])));
                }
            }
        }
    }

    /// Right, refused though it can be done, and misunderstood; of those that must be refused.
    fn understood(list: impl Iterator<Item = Unseen>) -> [usize; 4] {
        let mut counts = [0; 4];
        for said in list {
            let found = interpret(said.sentence);
            let is_right = said.is_understood(found.as_deref());
            counts[match (is_right, found) {
                (true, _) => 0,
                (false, None) => 1,
                (false, Some(_)) => 2,
            }] += 1;
            counts[3] += usize::from(is_right && said.expected.is_none());
        }
        counts
    }

    /// What benchmarks/README.md says of the author.
    #[test]
    fn the_author_understands_as_many_as_is_said() {
        assert_eq!(understood(seen()), [188, 12, 0, 20]);
        assert_eq!(understood(unseen()), [144, 55, 1, 20]);
    }
}
