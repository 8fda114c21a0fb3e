//! Several requests in one instruction: what is one, what is not to be done, and what comes first.

use tiller_vlm::AuthorError;

use super::goal::{Goal, TaskSpec};
use super::keep_out::{Prohibition, things_to_avoid};
use super::lexicon::{Object, Token, Verb};
use super::parse::{Item, collect};
use super::resolve::resolve;
use crate::scene::Scene;

/// One request or prohibition.
#[derive(Debug, Clone, Default)]
pub(super) struct Clause {
    items: Vec<Item>,
    /// The word that joins it to what stands before; `None` at the very beginning.
    join: Option<Token>,
    /// [`Token::After`], [`Token::Before`] or [`Token::First`].
    place: Option<Token>,
    negated: bool,
    /// The negation cannot reach beyond the clause: "avoid the red block and ..".
    is_closed: bool,
}

impl Clause {
    fn has(&self, is: impl Fn(&Token) -> bool) -> bool {
        self.items
            .iter()
            .any(|item| item.token.as_ref().is_some_and(&is))
    }

    /// A verb that asks for something, not one that describes a thing: "the closed drawer".
    fn has_verb(&self) -> bool {
        !collect(&self.items, &[]).verbs.is_empty()
    }

    fn has_thing(&self) -> bool {
        self.has(|token| {
            matches!(
                token,
                Token::Object(_)
                    | Token::Pronoun
                    | Token::One
                    | Token::Others
                    | Token::Blocks
                    | Token::OtherBlocks
            )
        })
    }

    /// Courtesies and adverbs only.
    fn is_idle(&self) -> bool {
        !self.has(|token| {
            !matches!(
                token,
                Token::Filler | Token::Courtesy | Token::Article | Token::Ensure | Token::Is
            )
        })
    }
}

/// Cuts an instruction into clauses. "And" and commas also list things and adjectives: they cut only
/// where another verb follows.
pub(super) fn split(
    items: &[Item],
    instruction: &str,
    scene: &Scene,
) -> Result<Vec<Clause>, AuthorError> {
    let negated = || AuthorError::Negated {
        instruction: instruction.to_owned(),
        can: scene.abilities(),
    };
    let mut clauses = Vec::new();
    let mut clause = Clause::default();
    for (index, item) in items.iter().enumerate() {
        let Some(token) = item.token else { continue };
        let cut = match token {
            Token::And | Token::Pause => {
                let rest = &items[index + 1..];
                verb_follows(rest) || is_off_limits(rest)
            }
            Token::Stop
            | Token::Then
            | Token::But
            | Token::Or
            | Token::Not
            | Token::Avoid
            | Token::After
            | Token::Before
            | Token::First => true,
            Token::OffLimits => {
                // It says so of what stands before, and nothing else can be asked for with it.
                if clause.negated || clause.has_verb() || !clause.has_thing() {
                    return Err(negated());
                }
                clause.items.push(touching(item));
                clause.negated = true;
                clause.is_closed = true;
                continue;
            }
            _ => {
                clause.items.push(item.clone());
                continue;
            }
        };
        if !cut {
            continue;
        }
        if token == Token::Or && !clause.negated {
            return Err(AuthorError::NotUnderstood {
                words: vec![item.text.clone()],
                instruction: instruction.to_owned(),
                can: scene.abilities(),
            });
        }
        if !clause.is_idle() {
            let is_or = token == Token::Or;
            let next = Clause {
                join: Some(token),
                negated: is_or && clause.negated,
                ..Clause::default()
            };
            clauses.push(std::mem::replace(&mut clause, next));
        } else if clause
            .join
            .is_none_or(|join| join == Token::Pause || join == Token::And)
            && token != Token::And
            && !clauses.is_empty()
        {
            clause.join = Some(token);
        }
        match token {
            Token::Not | Token::Avoid if clause.negated => return Err(negated()),
            Token::Not => clause.negated = true,
            Token::Avoid => {
                clause.negated = true;
                if !verb_follows(&items[index + 1..]) {
                    clause.items.push(touching(item));
                    clause.is_closed = true;
                }
            }
            Token::After | Token::Before | Token::First => clause.place = Some(token),
            _ => {}
        }
    }
    if !clause.is_idle() || clause.negated {
        clauses.push(clause);
    }
    // "Do not open the drawer and press the button": how far does the "not" reach?
    let is_unclear = |pair: &[Clause]| {
        let is_open = pair[0].negated && !pair[0].is_closed;
        is_open && !pair[1].negated && pair[1].join == Some(Token::And)
    };
    if clauses.windows(2).any(is_unclear) {
        return Err(negated());
    }
    Ok(merge(clauses))
}

/// The same words as a verb: to come into contact.
fn touching(item: &Item) -> Item {
    Item {
        text: item.text.clone(),
        token: Some(Token::Verb(Verb::Touch)),
    }
}

/// Whether a thing follows and is said to be kept away from: "the red block must not be touched".
fn is_off_limits(items: &[Item]) -> bool {
    let describes = |item: &&Item| {
        matches!(
            item.token,
            Some(
                Token::Article
                    | Token::Colour
                    | Token::Object(_)
                    | Token::Blocks
                    | Token::OtherBlocks
                    | Token::Others
                    | Token::One
                    | Token::Filler
            )
        )
    };
    let next = items.iter().find(|item| !describes(item));
    next.is_some_and(|item| item.token == Some(Token::OffLimits))
}

/// Whether the next word that says anything is a verb.
fn verb_follows(items: &[Item]) -> bool {
    let mut rest = items.iter().skip_while(|item| {
        matches!(
            item.token,
            Some(Token::Filler | Token::Courtesy | Token::Pause | Token::And)
        )
    });
    let Some(item) = rest.next() else {
        return false;
    };
    let particle = rest
        .next()
        .is_some_and(|next| matches!(next.token, Some(Token::Particle(_))));
    matches!(
        item.token,
        Some(
            Token::Verb(_) | Token::Ensure | Token::Then | Token::First | Token::But | Token::Avoid
        )
    ) || (item.text == "switch" && particle)
}

/// Halves of one request belong together: "open and close the drawer", "the drawer, open it".
fn merge(clauses: Vec<Clause>) -> Vec<Clause> {
    let mut merged: Vec<Clause> = Vec::new();
    for clause in clauses {
        let is_loose = matches!(clause.join, Some(Token::And | Token::Pause | Token::Or))
            && clause.place.is_none();
        match merged.last_mut() {
            Some(last)
                if is_loose
                    && last.negated == clause.negated
                    && !(last.has_verb() && last.has_thing()) =>
            {
                last.items.extend(clause.items);
            }
            _ => merged.push(clause),
        }
    }
    merged
}

/// The goals in the order in which they are to be reached, and what is to be left alone.
pub(super) fn order(
    clauses: Vec<Clause>,
    instruction: &str,
    scene: &Scene,
) -> Result<TaskSpec, AuthorError> {
    let mut named: Vec<(Object, Option<String>)> = Vec::new();
    let mut verbs: Vec<Verb> = Vec::new();
    let mut goals: Vec<Goal> = Vec::new();
    let mut forbidden = Vec::new();
    // Where the sentence begins, and what waits for the clause that it is told before.
    let mut first = 0;
    let mut waiting: Option<Goal> = None;
    let last = clauses.len().saturating_sub(1);
    for (index, clause) in clauses.iter().enumerate() {
        let mut request = collect(&clause.items, &named);
        instruction.clone_into(&mut request.instruction);
        let has_own_verb = !request.verbs.is_empty();
        if !has_own_verb && !request.objects.is_empty() {
            request.verbs.clone_from(&verbs);
        }
        verbs.clone_from(&request.verbs);
        let colour = request.colours.first();
        named.extend(request.objects.iter().map(|object| {
            let colour = colour.filter(|_| *object == Object::Block);
            (*object, colour.cloned())
        }));
        if clause.join == Some(Token::Stop) {
            goals.extend(waiting.take());
            first = goals.len();
        }
        let leaves = request.verbs.contains(&Verb::Leave);
        if clause.negated && leaves {
            return Err(AuthorError::Negated {
                instruction: instruction.to_owned(),
                can: scene.abilities(),
            });
        }
        if clause.negated || leaves {
            forbidden.push(Prohibition {
                request,
                has_own_verb,
                others: clause.has(|token| *token == Token::Others),
                other_blocks: clause.has(|token| *token == Token::OtherBlocks),
            });
            continue;
        }
        // "Push not the red block but the blue one": the verb is heard, its thing comes later.
        if request.objects.is_empty()
            && index < last
            && clauses[index + 1].negated
            && !request.verbs.is_empty()
        {
            continue;
        }
        let goal = resolve(request, scene)?;
        match clause.place {
            Some(Token::Before) if goals.len() == first => {
                waiting = Some(goal);
                continue;
            }
            Some(Token::After) if goals.len() > first => goals.insert(goals.len() - 1, goal),
            Some(Token::First) => goals.insert(first, goal),
            _ => append(&mut goals, goal),
        }
        goals.extend(waiting.take());
    }
    goals.extend(waiting);
    // "Go", "please", "carefully": nothing is forbidden, and nothing is asked for.
    if goals.is_empty() && forbidden.is_empty() {
        return Err(AuthorError::Incomplete {
            instruction: instruction.to_owned(),
            missing: "what to do".to_owned(),
            can: scene.abilities(),
        });
    }
    let mut avoid = Vec::new();
    for prohibition in forbidden {
        avoid.extend(things_to_avoid(prohibition, &goals, scene)?);
    }
    avoid.sort();
    avoid.dedup();
    if goals.is_empty() {
        return Err(AuthorError::Negated {
            instruction: instruction.to_owned(),
            can: scene.abilities(),
        });
    }
    Ok(TaskSpec { goals, avoid })
}

/// The same goal said twice in a row is one: "grab the red block and lift it up", "push the red block,
/// push it to the left".
fn append(goals: &mut Vec<Goal>, goal: Goal) {
    let Some(last) = goals.last_mut().filter(|last| last.name() == goal.name()) else {
        goals.push(goal);
        return;
    };
    match (&*last, &goal) {
        (Goal::PushBlock { way: None, .. }, _) => *last = goal,
        (Goal::PushBlock { way: old, .. }, Goal::PushBlock { way: new, .. })
            if new.is_some() && new != old =>
        {
            goals.push(goal);
        }
        _ => {}
    }
}
