//! What is said beside the request: reasons, and how things are. It asks for nothing and forbids nothing.
//!
//! A passage counts as an aside by how it is built ("because ..", "so that I can ..", "it is ..", "I cannot ..",
//! "the drawer is open"), and only if no word in it forbids, wishes or makes a condition.

use super::lexicon::{Object, Token, Verb};
use super::parse::Item;

/// A thing that was named, a block with its colour.
pub(super) type Named = (Object, Option<String>);

/// Who a statement is about, other than a thing of the table.
const SUBJECTS: &[&str] = &[
    "i",
    "we",
    "my",
    "our",
    "someone",
    "somebody",
    "everyone",
    "everybody",
    "people",
    "there",
    "he",
    "she",
    "they",
    "nobody",
    "it",
    "this",
    "that",
    "who",
    "something",
];
/// Whoever did it, it is done.
const DOERS: &[&str] = &["someone", "somebody", "who", "he", "she", "they"];
/// A wish for these is why something is asked for.
const NEEDS: &[&str] = &["something", "space", "room", "access"];
/// Words that may forbid, wish or make a condition.
const UNSAFE: &[&str] = &[
    "not",
    "dont",
    "never",
    "no",
    "must",
    "should",
    "shall",
    "shouldnt",
    "mustnt",
    "only",
    "unless",
    "if",
    "except",
    "without",
    "avoid",
    "careful",
    "until",
    "instead",
    "else",
    "otherwise",
    "cannot",
    "want",
    "wants",
    "wish",
    "wishes",
    "need",
    "needs",
    "prefer",
    "prefers",
    "rather",
    "halfway",
    "you",
    "your",
    "please",
    "when",
    "while",
    "whenever",
    "provided",
    "afraid",
    "worried",
    "scared",
    "forbid",
    "forbidden",
    "allowed",
    "supposed",
    "stop",
    "let",
    "may",
    "either",
    "told",
    "asked",
    "hate",
    "hates",
    "touched",
    "doesnt",
    "isnt",
    "wont",
    "nor",
    "before",
    "after",
    "hope",
    "expect",
    "ask",
    "asks",
    "order",
];
/// Between a thing and what is said of it.
const LINKS: &[&str] = &[
    "annoys",
    "bothers",
    "disturbs",
    "irritates",
    "distracts",
    "blocks",
    "is",
    "are",
    "was",
    "were",
    "looks",
    "seems",
    "feels",
    "appears",
    "has",
    "got",
    "stands",
    "sits",
    "lies",
];
/// What may be said of a thing without a consequence.
const PREDICATES: &[&str] = &[
    "place",
    "spot",
    "position",
    "in",
    "the",
    "way",
    "my",
    "nice",
    "favourite",
    "dirty",
    "dusty",
    "ugly",
    "pretty",
    "better",
    "best",
    "fine",
    "already",
    "still",
    "currently",
    "now",
    "too",
    "so",
    "really",
    "open",
    "closed",
    "shut",
    "on",
    "off",
    "left",
    "right",
    "at",
    "its",
    "end",
    "side",
    "hanging",
    "standing",
    "sitting",
    "lying",
    "a",
    "bit",
    "little",
    "much",
    "again",
    "out",
    "ajar",
    "stuck",
    "full",
    "empty",
    "there",
    "here",
    "unlocked",
    "also",
    "all",
    "wrong",
    "old",
    "new",
    "great",
    "lovely",
    "cute",
    "bored",
    "boring",
    "sad",
    "beautiful",
    "been",
    "very",
    "quite",
    "to",
    "table",
    "desk",
    "over",
    "far",
    "close",
    "annoying",
    "distracting",
    "long",
    "enough",
    "for",
    "while",
    "sticking",
    "jutting",
    "poking",
    "protruding",
    "ages",
    "hours",
    "days",
    "wide",
    "slightly",
    "completely",
    "fully",
    "no",
    "longer",
    "needed",
    "necessary",
    "heavy",
    "small",
    "big",
    "tiny",
    "funny",
    "special",
    "perfect",
    "messy",
    "too",
    "from",
    "it",
    "where",
    "us",
    "both",
    "time",
    "bothering",
    "right",
    "next",
    "of",
    "between",
    "behind",
    "middle",
    "center",
    "centre",
    "corner",
    "edge",
    "always",
    "constantly",
    "somehow",
    "just",
    "in",
    "obviously",
    "clearly",
    "unfortunately",
    "sadly",
    "somewhere",
    "blocking",
    "view",
    "our",
    "me",
    "us",
    "nicer",
    "good",
    "ok",
    "okay",
    "today",
];

/// Replaces every aside by one item, which keeps what it mentions.
pub(super) fn fold(items: Vec<Item>) -> Vec<Item> {
    let mut folded = Vec::with_capacity(items.len());
    let mut at = 0;
    while at < items.len() {
        let end = end_of_passage(&items, at);
        let leads_on = |item: &&Item| item.token == Some(Token::So);
        let joint = items[end..].iter().take(2).find(leads_on);
        fold_passage(&items[at..end], joint.or(items.get(end)), &mut folded);
        if let Some(separator) = items.get(end) {
            folded.push(separator.clone());
        }
        at = end + 1;
    }
    folded
}

/// Where the next passage begins.
fn end_of_passage(items: &[Item], start: usize) -> usize {
    let ends = |&index: &usize| match items[index].token {
        Some(Token::Stop | Token::Pause | Token::But | Token::Then | Token::So) => true,
        // One more word belongs to what stands before: "nice and warm".
        Some(Token::And) => {
            let rest = items[index + 1..].iter();
            let more = rest.take_while(|item| {
                !matches!(
                    item.token,
                    Some(Token::Stop | Token::Pause | Token::But | Token::Then | Token::So)
                )
            });
            let is_one_word = more.clone().count() == 1;
            let is_said = more
                .clone()
                .all(|item| !matches!(item.token, Some(Token::Verb(_))));
            !(is_one_word && is_said)
        }
        _ => false,
    };
    (start..items.len()).find(ends).unwrap_or(items.len())
}

fn fold_passage(passage: &[Item], separator: Option<&Item>, folded: &mut Vec<Item>) {
    let is_reason = |item: &Item| item.token == Some(Token::Because);
    if let Some(at) = passage.iter().position(is_reason) {
        let (before, reason) = passage.split_at(at);
        let joins_verb = separator.is_some_and(|item| item.token == Some(Token::And));
        if reason[0].text.starts_with("i ") && asks_for_something(reason) {
            folded.extend(before.iter().cloned());
            let wish = Item::new(&reason[0].text, Some(Token::Courtesy));
            folded.push(wish);
            folded.extend(reason[1..].iter().cloned());
        } else if is_safe(&words(&reason[1..]), usize::from(is_own(&reason[0])))
            && reason.len() > 1
            && !(joins_verb && asks_for_something(reason))
        {
            folded.extend(before.iter().cloned());
            folded.push(aside(reason));
        } else {
            folded.extend(passage.iter().cloned());
        }
        return;
    }
    let said = courtesies(passage);
    let hopes = passage[..said]
        .iter()
        .any(|item| item.text.ends_with(" if"));
    if (!hopes && is_statement(&passage[said..])) || is_ground(&passage[said..], passage, separator)
    {
        folded.push(aside(passage));
        return;
    }
    if let [it, is, ..] = &passage[said..]
        && it.text == "it"
        && is.token == Some(Token::Is)
        && asks_for_something(passage)
    {
        // "It is the pink one that I want lifted."
        folded.extend(passage[..said].iter().cloned());
        folded.extend(passage[said + 2..].iter().cloned());
        return;
    }
    folded.extend(passage.iter().cloned());
}

/// Whether a reason is about whoever speaks, who may well not do a thing.
fn is_own(reason: &Item) -> bool {
    reason
        .text
        .split(' ')
        .any(|word| matches!(word, "i" | "we"))
}

/// How many items say nothing before a passage gets to the point.
fn courtesies(passage: &[Item]) -> usize {
    let is_idle = |item: &&Item| {
        matches!(
            item.token,
            Some(Token::Courtesy | Token::Filler | Token::And)
        ) && !SUBJECTS.contains(&item.text.as_str())
    };
    passage.iter().take_while(is_idle).count()
}

/// How somebody is, how it is, or how a thing is.
fn is_statement(passage: &[Item]) -> bool {
    let said = words(passage);
    let Some(&first) = said.first() else {
        return false;
    };
    if passage.iter().any(|item| {
        matches!(
            item.token,
            Some(Token::OffLimits | Token::Avoid | Token::Verb(Verb::Leave))
        )
    }) {
        return false;
    }
    let is_thing = |item: &Item| matches!(item.token, Some(Token::Object(_) | Token::One));
    let thing = passage.iter().position(is_thing);
    let link = said.iter().position(|word| LINKS.contains(word));
    if SUBJECTS.contains(&first) {
        let has_more = said.len() > 1;
        let is_done = DOERS.contains(&first);
        let is_about_it =
            !matches!(first, "it" | "this" | "that" | "there") || link.is_some_and(|at| at <= 2);
        return has_more
            && is_about_it
            && is_safe(&said[1..], 2)
            && !has_plain_need(&said)
            && (is_done || !asks_for_something(passage));
    }
    let (Some(thing), Some(link)) = (thing, link) else {
        return false;
    };
    // "The red block is nice": the thing stands before the verb, and what follows it is known.
    let describes = |item: &Item| {
        matches!(
            item.token,
            Some(Token::Article | Token::Colour | Token::Filler)
        )
    };
    let subject = words(&passage[..=thing]).len();
    passage[..thing].iter().all(describes)
        && subject <= link
        && link <= subject + 1
        && said[link + 1..]
            .iter()
            .all(|word| PREDICATES.contains(word))
}

/// "I need ..", which is a wish, unlike "I don't need" and "nobody needs".
fn has_plain_need(said: &[&str]) -> bool {
    matches!(said, [who, "need" | "needs", ..] if *who != "nobody")
}

/// "I need some room on the left, so push it": a wish that is why something else is asked for.
fn is_ground(said: &[Item], passage: &[Item], separator: Option<&Item>) -> bool {
    let wishes = passage.iter().any(|item| {
        item.token == Some(Token::Courtesy)
            && (item.text.starts_with("i ") || item.text.starts_with("we "))
    });
    // "I want to put something there, so ..": it is not the robot that does it.
    let is_own = passage.windows(2).any(|pair| {
        pair[0].token == Some(Token::Courtesy)
            && matches!(
                pair[0].text.as_str(),
                "i want" | "i need" | "i would like" | "we need" | "we want" | "i would love"
            )
            && pair[1].text == "to"
    });
    let words = words(said);
    let leads_on = separator.is_some_and(|item| item.token == Some(Token::So));
    let is_need = words.iter().any(|word| NEEDS.contains(word));
    let has_unknown = said.iter().any(|item| item.token.is_none());
    let imperative = matches!(
        passage.first().and_then(|item| item.token),
        Some(Token::Verb(_))
    );
    wishes
        && !imperative
        && (is_need || (leads_on && (has_unknown || is_own)))
        && is_safe(&words, 0)
        && ((leads_on && is_own) || !asks_for_something(said))
}

/// A task's verb and a thing.
fn asks_for_something(passage: &[Item]) -> bool {
    let mut described = false;
    let mut has_verb = false;
    for item in passage {
        has_verb |= !described
            && matches!(item.token, Some(Token::Verb(verb))
                if !matches!(verb, Verb::Make | Verb::Touch | Verb::Look | Verb::Grasp));
        described = matches!(
            item.token,
            Some(Token::Article | Token::Relative | Token::Is)
        ) || (described && item.token == Some(Token::Filler));
    }
    let has_thing = passage.iter().any(|item| {
        matches!(
            item.token,
            Some(Token::Object(_) | Token::One | Token::Pronoun | Token::Blocks | Token::Colour)
        )
    });
    has_verb && has_thing
}

fn words(items: &[Item]) -> Vec<&str> {
    items.iter().flat_map(|item| item.text.split(' ')).collect()
}

/// Whether no word can carry more than a statement; a denial may stand among the first words: "I cannot".
fn is_safe(words: &[&str], denial: usize) -> bool {
    let denies = |word: &str| matches!(word, "cannot" | "not" | "dont" | "no" | "if");
    words.iter().enumerate().all(|(index, word)| {
        // "We don't need it any more."
        let is_needless = matches!(*word, "need" | "needs")
            && index <= denial + 1
            && denial > 0
            && (index == 0 || denies(words[index - 1]) || words[index - 1] == "longer");
        !UNSAFE.contains(word) || (index < denial && denies(word)) || is_needless
    })
}

/// One item for a whole aside.
fn aside(passage: &[Item]) -> Item {
    let mut mentions = Vec::new();
    let mut colour = None;
    for item in passage {
        match item.token {
            Some(Token::Colour) => colour = Some(item.text.clone()),
            Some(Token::Object(object)) => {
                mentions.push((object, colour.take().filter(|_| object == Object::Block)));
            }
            Some(Token::One) if colour.is_some() => mentions.push((Object::Block, colour.take())),
            _ => {}
        }
    }
    let names_unknown = passage
        .windows(2)
        .any(|pair| matches!(pair[0].token, Some(Token::Article)) && pair[1].token.is_none());
    Item {
        text: words(passage).join(" "),
        token: Some(Token::Aside),
        hides_antecedent: mentions.is_empty() && names_unknown,
        mentions,
    }
}
