//! From words to the parts of one request.

use super::goal::Goal;
use super::lexicon::{LONGEST_PHRASE, Object, Particle, Token, Verb, look_up};
use super::resolve::resolve;
use crate::author::AuthorError;
use crate::scene::Scene;

/// The longest instruction that is read, in words.
const MAX_WORDS: usize = 60;

/// The parts of an instruction.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) verbs: Vec<Verb>,
    pub(super) objects: Vec<Object>,
    /// Each with its word, to quote the ones that turn out to have no use.
    pub(super) particles: Vec<(Particle, String)>,
    /// The colours, each with whether a block follows directly.
    pub(super) colours: Vec<String>,
    pub(super) instruction: String,
}

/// Understands an instruction in a scene.
pub(crate) fn parse(instruction: &str, scene: &Scene) -> Result<Goal, AuthorError> {
    let words = split_words(instruction);
    let instruction = instruction.trim().to_owned();
    if words.is_empty() {
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
    let items = tokenise(&words);
    if items.iter().any(|item| item.token == Some(Token::Not)) {
        return Err(AuthorError::Negated {
            instruction,
            can: scene.abilities(),
        });
    }
    let unknown: Vec<String> = items
        .iter()
        .filter(|item| item.token.is_none())
        .map(|item| item.text.clone())
        .collect();
    let mut request = collect(&items);
    request.instruction = instruction;
    if request.verbs.is_empty() && !unknown.is_empty() {
        let phrase = without_courtesies(&items);
        return Err(AuthorError::UnknownVerb {
            phrase,
            can: scene.abilities(),
        });
    }
    if request.objects.is_empty() && !unknown.is_empty() {
        let phrase = unknown.join(" ");
        return Err(AuthorError::UnknownObject {
            phrase,
            can: scene.abilities(),
        });
    }
    if !unknown.is_empty() {
        let (words, instruction) = (unknown, request.instruction);
        return Err(AuthorError::NotUnderstood {
            words,
            instruction,
            can: scene.abilities(),
        });
    }
    resolve(request, scene)
}

/// A phrase of the instruction with its meaning, if it has one.
struct Item {
    text: String,
    token: Option<Token>,
}

/// Lower-case words; hyphens and punctuation separate, a possessive `'s` is dropped, and a
/// contraction's apostrophe vanishes ("don't" becomes "dont").
fn split_words(text: &str) -> Vec<String> {
    let text = text.to_lowercase().replace('\u{2019}', "'");
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '\''));
    let tidy = |word: &str| word.strip_suffix("'s").unwrap_or(word).replace('\'', "");
    words.map(tidy).filter(|word| !word.is_empty()).collect()
}

/// Greedy: the longest known phrase at each word.
fn tokenise(words: &[String]) -> Vec<Item> {
    let mut items = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let longest = LONGEST_PHRASE.min(words.len() - at);
        let known = (1..=longest).rev().find_map(|count| {
            let text = words[at..at + count].join(" ");
            look_up(&text).map(|token| (count, text, token))
        });
        let (count, text, token) = match known {
            Some((count, text, token)) => (count, text, Some(token)),
            None => (1, words[at].clone(), None),
        };
        items.push(Item { text, token });
        at += count;
    }
    items
}

fn collect(items: &[Item]) -> Request {
    let mut request = Request::default();
    let mut after_article = false;
    for item in items {
        match item.token {
            // "close the open drawer": after an article the word describes the thing as it is.
            Some(Token::Verb(_)) if after_article => {}
            Some(Token::Verb(verb)) => request.verbs.push(verb),
            Some(Token::Object(object)) => request.objects.push(object),
            Some(Token::Particle(particle)) => {
                request.particles.push((particle, item.text.clone()));
            }
            Some(Token::Colour) => request.colours.push(item.text.clone()),
            Some(Token::Article | Token::Filler | Token::Courtesy | Token::Not) | None => {}
        }
        after_article = item.token == Some(Token::Article);
    }
    // "switch on the light": the noun stands where the verb should.
    if request.verbs.is_empty() && request.objects.first() == Some(&Object::Switch) {
        let first = items
            .iter()
            .find(|item| !matches!(item.token, Some(Token::Courtesy | Token::Filler)));
        if first.is_some_and(|item| item.text == "switch") {
            request.objects.remove(0);
            request.verbs.push(Verb::Turn);
        }
    }
    request.objects.dedup();
    request
}

fn without_courtesies(items: &[Item]) -> String {
    let rest = items
        .iter()
        .skip_while(|item| item.token == Some(Token::Courtesy));
    rest.map(|item| item.text.as_str())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_at_everything_else() {
        let words = split_words("  Don't open the drawer's handle -- NOW!\n");
        assert_eq!(words, ["dont", "open", "the", "drawer", "handle", "now"]);
        assert_eq!(split_words("\u{1F916}..."), Vec::<String>::new());
    }

    #[test]
    fn the_longest_phrase_wins() {
        let items = tokenise(&split_words("pick up the light switch"));
        let texts: Vec<&str> = items.iter().map(|item| item.text.as_str()).collect();
        assert_eq!(texts, ["pick up", "the", "light switch"]);
    }
}
