//! Passages that are built by a pattern, with many words for each place: amounts, manner, places and sides.

use super::lexicon::{Particle, Token};

const HEDGES: &[&str] = &[
    "about",
    "around",
    "roughly",
    "maybe",
    "some",
    "approximately",
    "perhaps",
    "by",
    "like",
    "for",
    "say",
    "circa",
    "nearly",
    "almost",
    "just",
    "only",
    "at",
    "least",
    "most",
    "approx",
    "ca",
];
const NUMBERS: &[&str] = &[
    "a", "an", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "fifteen", "twenty", "thirty", "forty", "fifty", "sixty", "hundred", "few",
    "couple", "of", "several", "half", "good", "mere", "or", "to", "full", "the", "and", "another",
];
const UNITS: &[&str] = &[
    "cm",
    "cms",
    "centimetre",
    "centimetres",
    "mm",
    "millimetre",
    "millimetres",
    "inch",
    "inches",
    "fingerwidth",
    "fingerbreadth",
];

const DETERMINERS: &[&str] = &[
    "the", "your", "its", "a", "an", "this", "that", "one", "of", "my", "our", "both",
];
const MANNER_WORDS: &[&str] = &[
    "closed", "open", "robotic", "robot", "metal", "left", "right", "gentle", "light", "soft",
    "own", "flat", "back", "tip", "tips", "side", "round", "long", "little", "two", "front",
    "careful", "slow", "quick", "firm", "steady", "smooth",
];
const BY: &[&str] = &["use", "with", "using", "by", "in", "via", "between", "on"];
const TOOLS: &[&str] = &[
    "gripper",
    "grippers",
    "hand",
    "hands",
    "finger",
    "fingers",
    "fingertip",
    "fingertips",
    "arm",
    "claw",
    "claws",
    "robot",
    "handle",
    "grip",
    "hook",
    "pincers",
    "pincer",
    "jaws",
    "touch",
    "motion",
    "movement",
    "handlebar",
    "pads",
    "knuckle",
    "palm",
    "fist",
    "stroke",
];
const WHERE: &[&str] = &[
    "on", "along", "across", "over", "of", "at", "upon", "from", "above", "around", "in",
];
const PLACES: &[&str] = &[
    "table",
    "desk",
    "tabletop",
    "top",
    "surface",
    "workbench",
    "bench",
    "board",
    "desktop",
    "cabinet",
    "cupboard",
    "plane",
    "counter",
    "playtable",
    "workspace",
];
const PLACE_WORDS: &[&str] = &["play", "work", "wooden", "whole", "entire", "flat", "white"];

const TOWARDS: &[&str] = &[
    "to", "towards", "toward", "at", "on", "over", "onto", "in", "into", "across", "back", "for",
    "up", "all", "way", "of", "further", "far", "more", "out", "closer", "off", "rather",
];
const SIDES: &[&str] = &[
    "side",
    "end",
    "edge",
    "direction",
    "extreme",
    "hand",
    "position",
    "stop",
    "wards",
    "most",
    "half",
    "handed",
    "of",
];
const SELF: &[&str] = &[
    "you", "yourself", "robot", "base", "arm", "body", "hand", "gripper",
];
const NEAR: &[&str] = &[
    "towards",
    "toward",
    "to",
    "closer",
    "nearer",
    "near",
    "back",
    "close",
    "in",
    "direction",
    "of",
    "up",
    "up-to",
];
const AWAY: &[&str] = &[
    "away", "far", "farther", "further", "off", "from", "forward", "out", "forwards",
];

/// How many words at the front are one such passage, and what it stands for.
pub(super) fn passage(words: &[String]) -> Option<(usize, Token)> {
    let found = [
        amount(words),
        manner(words),
        side(words),
        start(words),
        own_side(words),
    ];
    found.into_iter().flatten().max_by_key(|(count, _)| *count)
}

/// Words at the front that are in a set, at most so many.
fn run(words: &[String], set: &[&str], most: usize) -> usize {
    let is_in = |word: &&String| set.contains(&word.as_str());
    words.iter().take(most).take_while(is_in).count()
}

fn is_number(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
        && word.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// "about ten centimetres", "2 to 3 cm": how far does not change the task.
fn amount(words: &[String]) -> Option<(usize, Token)> {
    let hedges = run(words, HEDGES, 3);
    let numbers = words[hedges..].iter().take(5).enumerate();
    let numbers = numbers
        .take_while(|(index, word)| {
            // An article only begins an amount: "the blue one a few centimetres".
            let is_article = matches!(word.as_str(), "a" | "an" | "another");
            is_number(word) || (NUMBERS.contains(&word.as_str()) && (*index == 0 || !is_article))
        })
        .count();
    let unit = words.get(hedges + numbers)?;
    let is_amount = numbers > 0 && UNITS.contains(&unit.as_str());
    is_amount.then_some((hedges + numbers + 1, Token::Filler))
}

/// "with your closed gripper", "by its handle", "along the table".
fn manner(words: &[String]) -> Option<(usize, Token)> {
    let ends = |by: &[&str], between: &[&str], nouns: &[&str]| {
        let by = run(words, by, 1);
        let at = by + run(&words[by..], DETERMINERS, 3);
        let at = at + run(&words[at..], between, 3);
        let nouns = run(&words[at..], nouns, 2);
        (by > 0 && nouns > 0).then_some((at + nouns, Token::Filler))
    };
    ends(BY, MANNER_WORDS, TOOLS).or_else(|| ends(WHERE, PLACE_WORDS, PLACES))
}

/// "over to the left-hand side".
fn side(words: &[String]) -> Option<(usize, Token)> {
    let by = run(words, TOWARDS, 4);
    let at = by + run(&words[by..], &["the", "your", "its", "it"], 1);
    let particle = match words.get(at)?.as_str() {
        "left" | "leftmost" | "lefthand" => Particle::Left,
        "right" | "rightmost" | "righthand" => Particle::Right,
        _ => return None,
    };
    // "The left block" is no way.
    let sides = run(&words[at + 1..], SIDES, 3);
    let is_way = by > 0 || sides > 0;
    is_way.then_some((at + 1 + sides, Token::Particle(particle)))
}

/// "from the left", where something else says where to.
fn start(words: &[String]) -> Option<(usize, Token)> {
    let at = run(words, &["from"], 1);
    let at = at + run(&words[at..], &["the", "its"], at);
    let sides = run(&words[at..], &["left", "right"], 1);
    let end = at + sides + run(&words[at + sides..], SIDES, 2);
    (at > 0 && sides > 0 && words.get(end).is_some_and(|word| word == "to"))
        .then_some((end, Token::Filler))
}

/// "closer to yourself", "away from your arm".
fn own_side(words: &[String]) -> Option<(usize, Token)> {
    let ends = |by: &[&str], particle| {
        let by = run(words, by, 4);
        let at = by + run(&words[by..], &["the", "your", "own"], 2);
        let to = run(&words[at..], SELF, 1);
        let own = to + run(&words[at + to..], &["base", "arm", "own"], to);
        // "To you" is a way, "in you" is none.
        let is_way = by > 0
            && to > 0
            && !matches!(words[by - 1].as_str(), "in" | "up" | "of" | "off" | "near");
        let is_way = is_way && !(words[by - 1] == "to" && words[at] == "hand");
        is_way.then_some((at + own, Token::Particle(particle)))
    };
    let away = ends(AWAY, Particle::Away)
        .filter(|(count, _)| words[..*count].iter().any(|word| word == "from"));
    away.or_else(|| ends(NEAR, Particle::Near))
}

#[cfg(test)]
mod tests {
    use super::super::words::split_words;
    use super::*;

    #[test]
    fn passages_are_taken_whole() {
        let filler = Token::Filler;
        let to = Token::Particle;
        for (text, count, token) in [
            ("about 10 cm to", 3, filler),
            ("a couple of inches", 4, filler),
            ("with your closed gripper", 4, filler),
            ("by its handle", 3, filler),
            ("along the table and", 3, filler),
            ("over to the left hand side", 6, to(Particle::Left)),
            ("on the right side", 4, to(Particle::Right)),
            ("closer to yourself", 3, to(Particle::Near)),
            ("away from your arm", 4, to(Particle::Away)),
            ("towards the robot", 3, to(Particle::Near)),
        ] {
            assert_eq!(passage(&split_words(text)), Some((count, token)), "{text}");
        }
        for text in [
            "the left block",
            "with the red block",
            "ten percent",
            "in the drawer",
            "off the table",
        ] {
            assert_eq!(passage(&split_words(text)), None, "{text}");
        }
    }
}
