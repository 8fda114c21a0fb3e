//! From words to the parts of one request.

use tiller_core::{MAX_INSTRUCTION, clip};
use tiller_vlm::AuthorError;

use super::asides::{Named, fold};
use super::clauses::{order, split};
use super::colours::shade;
use super::corrections::mend;
use super::goal::{Goal, TaskSpec};
use super::lexicon::{LONGEST_PHRASE, Object, Particle, Token, Verb, look_up};
use super::spelling::correct;
use super::templates::passage;
use super::words::{is_punctuation, split_words};
use crate::scene::Scene;

/// The longest instruction that is read, in words.
const MAX_WORDS: usize = 60;

/// Characters of what is too much that an error quotes.
const MAX_QUOTED: usize = 60;

/// Most tasks that one instruction may chain.
const MAX_GOALS: usize = 4;

/// The parts of one request.
#[derive(Debug, Default, Clone)]
pub(super) struct Request {
    pub(super) verbs: Vec<Verb>,
    pub(super) objects: Vec<Object>,
    /// Each with its word, to quote the ones that turn out to have no use.
    pub(super) particles: Vec<(Particle, String)>,
    pub(super) colours: Vec<String>,
    /// Where to, a block with its colour.
    pub(super) destination: Option<(Object, Option<String>)>,
    /// It is to end up inside the destination.
    pub(super) inside: bool,
    /// Several blocks are meant.
    pub(super) plural: bool,
    pub(super) instruction: String,
}

/// Understands an instruction in a scene: what to do, first things first, and what to leave alone.
///
/// One that is longer than [`MAX_INSTRUCTION`] is refused: what would be cut off may turn its meaning.
pub(crate) fn parse(instruction: &str, scene: &Scene) -> Result<TaskSpec, AuthorError> {
    let instruction = instruction.trim();
    let read = clip(instruction, MAX_INSTRUCTION).into_owned();
    if let Some((end, _)) = instruction.char_indices().nth(MAX_INSTRUCTION) {
        return Err(AuthorError::NotUnderstood {
            words: vec![clip(instruction[end..].trim(), MAX_QUOTED).into_owned()],
            instruction: read,
            can: scene.abilities(),
        });
    }
    let instruction = read;
    let words = split_words(&instruction);
    if words.iter().all(|word| is_punctuation(word)) {
        return Err(AuthorError::Empty {
            can: scene.abilities(),
        });
    }
    if words.len() > MAX_WORDS {
        let words = words[MAX_WORDS..].to_vec();
        return Err(AuthorError::NotUnderstood {
            words,
            instruction,
            can: scene.abilities(),
        });
    }
    let items = fold(mend(tokenise(&words, scene)));
    refuse_unknown(&items, &instruction, scene)?;
    let clauses = split(&items, &instruction, scene)?;
    let spec = order(clauses, &instruction, scene)?;
    if spec.goals.len() > MAX_GOALS {
        let found = spec.goals.iter().map(Goal::to_string).collect();
        return Err(AuthorError::SeveralTasks { instruction, found });
    }
    Ok(spec)
}

/// Words without a meaning are an error before anything else.
fn refuse_unknown(items: &[Item], instruction: &str, scene: &Scene) -> Result<(), AuthorError> {
    let ensured = items.iter().any(|item| {
        matches!(item.token, Some(Token::Ensure | Token::Until))
            || item.token == Some(Token::After)
            || (item.token == Some(Token::Courtesy)
                && (item.text.starts_with("i w") || item.text.starts_with("it would")))
    });
    let unknown: Vec<String> = items
        .iter()
        // A statement is no request: "the drawer is open".
        .filter(|item| {
            matches!(item.token, None | Some(Token::Because | Token::Correct))
                || (item.token == Some(Token::Is) && !ensured)
        })
        .map(|item| item.text.clone())
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let can = scene.abilities();
    let is_verb = |token: &Token| matches!(token, Token::Verb(verb) if !matches!(verb, Verb::Make | Verb::Grasp));
    let has = |is: fn(&Token) -> bool| items.iter().any(|item| item.token.as_ref().is_some_and(is));
    if !has(is_verb) && !starts_with_switch(items) {
        let phrase = without_courtesies(items);
        return Err(AuthorError::UnknownVerb { phrase, can });
    }
    if !has(|token| matches!(token, Token::Object(_))) {
        let phrase = unknown.join(" ");
        return Err(AuthorError::UnknownObject { phrase, can });
    }
    Err(AuthorError::NotUnderstood {
        words: unknown,
        instruction: instruction.to_owned(),
        can,
    })
}

/// A phrase of the instruction with its meaning, if it has one.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) text: String,
    pub(super) token: Option<Token>,
    /// What an aside names.
    pub(super) mentions: Vec<Named>,
    /// An aside names something that is not known: no "it" after it can be told.
    pub(super) hides_antecedent: bool,
}

impl Item {
    pub(super) fn new(text: &str, token: Option<Token>) -> Self {
        Self {
            text: text.to_owned(),
            token,
            mentions: Vec::new(),
            hides_antecedent: false,
        }
    }
}

/// Greedy: the longest known phrase at each word, misspelt words mended.
fn tokenise(words: &[String], scene: &Scene) -> Vec<Item> {
    let words: Vec<String> = words
        .iter()
        .map(|word| correct(word).map_or_else(|| word.clone(), str::to_owned))
        .collect();
    let mut items = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let rest = &words[at..];
        // "1. open the drawer 2. press the button".
        if let [number, mark, _, ..] = rest
            && matches!(number.as_str(), "1" | "2" | "3" | "4")
            && is_punctuation(mark)
        {
            items.push(Item::new(number, Some(Token::Then)));
            at += 2;
            continue;
        }
        let longest = LONGEST_PHRASE.min(rest.len());
        let known = (1..=longest).rev().find_map(|count| {
            let text = rest[..count].join(" ");
            look_up(&text).map(|token| (count, token))
        });
        let pattern = passage(rest);
        let best = match (known, pattern) {
            (Some(known), Some(pattern)) if known.0 >= pattern.0 => Some(known),
            (known, pattern) => pattern.or(known),
        };
        let (count, item) = match best {
            Some((count, token)) => (count, Item::new(&rest[..count].join(" "), Some(token))),
            None => match shade(&rest[0], &scene.block_colours()) {
                Some(colour) => (1, Item::new(&colour, Some(Token::Colour))),
                None => (1, Item::new(&rest[0], None)),
            },
        };
        items.push(item);
        at += count;
        soften(&mut items);
    }
    items
}

/// Words that mean another thing beside their neighbour: "it is so dark", "mind opening the drawer?".
fn soften(items: &mut [Item]) {
    if let [.., mind, item] = items
        && mind.text == "mind"
        && matches!(item.token, Some(Token::Verb(_)))
    {
        mind.token = Some(Token::Courtesy);
    }
    // "The left door" is one of several.
    if let [.., article, side, item] = items
        && article.token == Some(Token::Article)
        && matches!(
            side.token,
            Some(Token::Particle(Particle::Left | Particle::Right))
        )
        && matches!(
            item.token,
            Some(Token::Object(_) | Token::Colour | Token::One | Token::Blocks)
        )
    {
        side.token = None;
    }
    // "Have you opened the drawer?" asks for an answer.
    if let [.., ask, item] = items
        && matches!(ask.text.as_str(), "have" | "do" | "does" | "are" | "is")
        && item.text == "you"
    {
        ask.token = None;
    }
    if let [.., before, item] = items
        && item.token == Some(Token::So)
        && (before.token == Some(Token::Is)
            || matches!(
                before.text.as_str(),
                "am" | "was" | "were" | "looks" | "looking" | "not"
            ))
    {
        item.token = Some(Token::Filler);
    }
}

/// "switch on the light": the noun stands where the verb should.
fn starts_with_switch(items: &[Item]) -> bool {
    let is_idle = |item: &&Item| {
        matches!(
            item.token,
            Some(Token::Courtesy | Token::Filler | Token::Pause | Token::And)
        )
    };
    let mut rest = items.iter().skip_while(is_idle);
    rest.next().is_some_and(|item| item.text == "switch")
}

/// The parts of a clause, and what they may refer back to: the things named before, last one last.
pub(super) fn collect(items: &[Item], named: &[Named]) -> Request {
    let mut request = Request::default();
    let mut described = false;
    let mut is_destination = false;
    let mut colour_of_destination = None;
    let mut refers_back = false;
    for (index, item) in items.iter().enumerate() {
        let object = match item.token {
            Some(Token::Object(object)) => Some(object),
            Some(Token::Blocks) => {
                request.plural |= !is_destination;
                Some(Object::Block)
            }
            Some(Token::One) if colour_of_destination.is_some() || !request.colours.is_empty() => {
                Some(Object::Block)
            }
            Some(Token::One) => {
                refers_back = true;
                None
            }
            // "Push blue".
            Some(Token::Colour) if !described && stands_alone(&items[index + 1..]) => {
                Some(Object::Block)
            }
            _ => None,
        };
        match item.token {
            // "close the open drawer": after an article the word describes the thing as it is.
            // "Give it a push": what is given is what is done.
            Some(Token::Verb(verb))
                if described && can_be_given(verb) && is_given(&items[..index]) =>
            {
                request.verbs.push(verb);
            }
            Some(Token::Verb(_)) if described => {}
            Some(Token::Verb(verb)) => request.verbs.push(verb),
            // "put it in the drawer", but not "push the drawer in".
            Some(Token::Particle(Particle::In))
                if (refers_back || !request.objects.is_empty())
                    && drawer_follows(&items[index + 1..]) =>
            {
                is_destination = true;
                request.inside = true;
            }
            Some(Token::Particle(Particle::In)) if request.has_put() && names_drawer(named) => {
                request.destination = Some((Object::Drawer, None));
                request.inside = true;
            }
            Some(Token::Particle(particle)) => {
                request.particles.push((particle, item.text.clone()));
            }
            Some(Token::Colour) if is_destination => {
                colour_of_destination = Some(item.text.clone())
            }
            Some(Token::Colour) => request.colours.push(item.text.clone()),
            // "Slide the blue one to the drawer."
            Some(Token::Filler)
                if item.text == "to"
                    && !request.objects.is_empty()
                    && thing_follows(&items[index + 1..]) =>
            {
                is_destination = true;
            }
            Some(Token::Towards) => {
                is_destination = true;
                request.inside = matches!(item.text.as_str(), "into" | "inside of");
            }
            Some(Token::Pronoun) if is_destination => {
                let colour = request.colours.first();
                let other = |(object, of): &&Named| {
                    !request.objects.contains(object)
                        || (*object == Object::Block && of.as_ref() != colour && colour.is_some())
                };
                request.destination = named.iter().rev().find(other).cloned();
                is_destination = false;
            }
            Some(Token::Pronoun) => refers_back = true,
            _ => {}
        }
        if let Some(object) = object {
            if is_destination {
                request.destination = Some((object, colour_of_destination.take()));
                is_destination = false;
            } else {
                request.objects.push(object);
            }
        }
        described = matches!(item.token, Some(Token::Article | Token::Relative))
            || (described && item.token == Some(Token::Filler));
    }
    if request.verbs.is_empty() && starts_with_switch(items) && request.objects.len() > 1 {
        request.objects.remove(0);
        request.verbs.push(Verb::Turn);
    }
    if refers_back
        && request.objects.is_empty()
        && let Some((object, colour)) = antecedent(&request, named)
    {
        request.objects.push(*object);
        request.colours.extend(colour.clone());
    }
    request.objects.dedup();
    request
}

impl Request {
    fn has_put(&self) -> bool {
        let puts = [Verb::Put, Verb::Drop];
        self.verbs.iter().any(|verb| puts.contains(verb)) && self.destination.is_none()
    }
}

fn names_drawer(named: &[Named]) -> bool {
    named.iter().any(|(object, _)| *object == Object::Drawer)
}

/// The last thing named that can be done to what a request says, or the last one.
pub(super) fn antecedent<'n>(request: &Request, named: &'n [Named]) -> Option<&'n Named> {
    let fits = |(object, _): &&Named| {
        let only = |objects: &[Object]| objects.contains(object);
        request.verbs.iter().all(|verb| match verb {
            Verb::Open | Verb::Close => only(&[Object::Drawer, Object::Door, Object::Handle]),
            Verb::TurnOn | Verb::TurnOff => only(&[Object::Switch, Object::Button, Object::Light]),
            Verb::Turn | Verb::Toggle => only(&[Object::Switch, Object::Light]),
            Verb::Press => only(&[Object::Button, Object::Switch]),
            Verb::Lift | Verb::Put | Verb::Drop => only(&[Object::Block]),
            _ => true,
        }) && request
            .particles
            .iter()
            .all(|(particle, _)| match particle {
                Particle::On | Particle::Off => {
                    only(&[Object::Switch, Object::Light, Object::Button])
                }
                Particle::Up => only(&[Object::Block]),
                _ => true,
            })
    };
    named.iter().rev().find(fits).or(named.last())
}

/// Whether "a" or "another" stands last, behind a verb of giving.
fn is_given(items: &[Item]) -> bool {
    let article = items
        .iter()
        .rev()
        .find(|item| item.token != Some(Token::Filler));
    article.is_some_and(|item| matches!(item.text.as_str(), "a" | "an"))
}

/// Verbs that are nouns too.
fn can_be_given(verb: Verb) -> bool {
    matches!(
        verb,
        Verb::Push | Verb::Pull | Verb::Press | Verb::Lift | Verb::Turn | Verb::Toggle | Verb::Move
    )
}

/// Whether a thing comes next, with no more than its description before it.
fn thing_follows(items: &[Item]) -> bool {
    let describes = |item: &&Item| matches!(item.token, Some(Token::Article | Token::Colour));
    let next = items.iter().find(|item| !describes(item));
    next.is_some_and(|item| matches!(item.token, Some(Token::Object(_) | Token::One)))
}

/// Whether a colour that stands before this has no thing to describe.
fn stands_alone(items: &[Item]) -> bool {
    let next = items.iter().find(|item| item.token != Some(Token::Filler));
    !next.is_some_and(|item| {
        matches!(
            item.token,
            Some(Token::Colour | Token::Object(_) | Token::One | Token::Blocks)
        )
    })
}

/// Whether the next thing that is named is the drawer.
fn drawer_follows(items: &[Item]) -> bool {
    let describes = |item: &&Item| {
        matches!(
            item.token,
            Some(Token::Article | Token::Filler | Token::Colour) | Some(Token::Verb(Verb::Open))
        )
    };
    let next = items.iter().find(|item| !describes(item));
    next.is_some_and(|item| item.token == Some(Token::Object(Object::Drawer)))
}

fn without_courtesies(items: &[Item]) -> String {
    let rest = items
        .iter()
        .skip_while(|item| item.token == Some(Token::Courtesy))
        .filter(|item| !is_punctuation(&item.text));
    rest.map(|item| item.text.as_str())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use tiller_vlm::SceneKeypoint;

    use super::super::lexicon::phrases;
    use super::*;

    /// Only words that forbid say what not to do, alone and beside each other.
    #[test]
    fn nothing_is_forbidden_where_no_word_forbids() {
        let forbids = |token: &Token| {
            matches!(
                token,
                Token::Not | Token::Avoid | Token::OffLimits | Token::Verb(Verb::Leave)
            )
        };
        let rows = phrases().filter(|(_, token)| !forbids(token));
        let phrases: Vec<&str> = rows.map(|(phrase, _)| phrase).collect();
        let names = ["drawer handle", "red block", "switch handle"];
        let point = |(index, name): (usize, &&str)| SceneKeypoint {
            index,
            name: (*name).to_owned(),
            position_m: [0.5, 0.1 * index as f64, 0.1],
        };
        let keypoints: Vec<SceneKeypoint> = names.iter().enumerate().map(point).collect();
        let scene = Scene::new(&keypoints).unwrap();
        for first in &phrases {
            for second in ["", "go", "the drawer", "push it", ", please"] {
                for text in [format!("{first} {second}"), format!("{second} {first}")] {
                    let items = tokenise(&split_words(&text), &scene);
                    // Two phrases may make a third: "keep" and "off".
                    if items
                        .iter()
                        .any(|item| item.token.as_ref().is_some_and(forbids))
                    {
                        continue;
                    }
                    let answer = parse(&text, &scene);
                    assert!(
                        !matches!(answer, Err(AuthorError::Negated { .. })),
                        "{text}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_longest_phrase_wins() {
        let scene = Scene::new(&[]).unwrap();
        let items = tokenise(&split_words("pick up the light switch"), &scene);
        let texts: Vec<&str> = items.iter().map(|item| item.text.as_str()).collect();
        assert_eq!(texts, ["pick up", "the", "light switch"]);
    }
}
