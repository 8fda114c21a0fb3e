//! Slips of the tongue that are mended in the same breath: "lift the blue block, no, sorry, the pink one".

use super::lexicon::Token;
use super::parse::Item;

/// Lets what is said after a correction take the place of what it corrects; without anything to take its place
/// the words of correction stay as they are.
pub(super) fn mend(items: Vec<Item>) -> Vec<Item> {
    let mut mended: Vec<Item> = Vec::with_capacity(items.len());
    let mut at = 0;
    while at < items.len() {
        let length = match correction(&items[at..]) {
            // "No." takes nothing back.
            _ if mended.is_empty() && items[at].text == "no" => 0,
            length => length,
        };
        let after = &items[at + length..];
        let end = after.iter().position(ends).unwrap_or(after.len());
        let kinds: Vec<u8> = after[..end].iter().filter_map(kind).collect();
        let start = mended.iter().rposition(ends).map_or(0, |end| end + 1);
        let corrects = mended[start..]
            .iter()
            .any(|item| kind(item).is_some_and(|kind| kinds.contains(&kind)));
        if length == 0 {
            mended.push(items[at].clone());
            at += 1;
        } else if mended.is_empty() || corrects {
            let is_corrected = |item: &Item| kind(item).is_some_and(|kind| kinds.contains(&kind));
            let old = mended.split_off(start);
            let has_own_thing = kinds.contains(&THING);
            mended.extend(old.into_iter().filter(|item| {
                !(is_corrected(item) || has_own_thing && item.token == Some(Token::Article))
            }));
            at += length;
        } else {
            // What is taken back is not replaced: nothing is certain any more.
            for item in &items[at..at + length] {
                mended.push(Item::new(&item.text, None));
            }
            at += length;
        }
    }
    mended
}

/// How many items at the front take back what was said.
fn correction(items: &[Item]) -> usize {
    let is_mark = |item: &Item| matches!(item.token, Some(Token::Pause | Token::Stop));
    let is_sorry = |item: &Item| {
        matches!(
            item.text.as_str(),
            "sorry" | "wait" | "i mean" | "rather" | "no" | "make that"
        ) || is_mark(item)
    };
    let starts = match items {
        [first, ..] if first.token == Some(Token::Correct) => true,
        [no, mark, ..] if no.text == "no" => is_mark(mark) || mark.text == "sorry",
        _ => false,
    };
    if starts {
        items
            .iter()
            .take_while(|item| item.token == Some(Token::Correct) || is_sorry(item))
            .count()
    } else {
        0
    }
}

fn ends(item: &Item) -> bool {
    matches!(item.token, Some(Token::Stop | Token::Then | Token::And))
}

const THING: u8 = 0;

/// Words that can stand in each other's place.
fn kind(item: &Item) -> Option<u8> {
    Some(match item.token? {
        Token::Object(_) | Token::One => THING,
        Token::Colour => 1,
        Token::Verb(_) => 2,
        Token::Particle(_) => 3,
        _ => return None,
    })
}
