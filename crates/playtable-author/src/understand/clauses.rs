//! Several requests in one instruction: what is one, what is not to be done, and what comes first.

use tiller_vlm::AuthorError;

use super::asides::Named;
use super::goal::{Goal, TaskSpec};
use super::joints::{join_halves, verb_follows};
use super::keep_out::{Prohibition, things_to_avoid};
use super::lexicon::{Object, Token, Verb};
use super::parse::{Item, Request, antecedent, collect};
use super::resolve::resolve;
use crate::scene::Scene;

/// One request or prohibition.
#[derive(Debug, Clone, Default)]
pub(super) struct Clause {
    pub(super) items: Vec<Item>,
    /// The word that joins it to what stands before; `None` at the very beginning.
    pub(super) join: Option<Token>,
    /// [`Token::After`], [`Token::Before`] or [`Token::First`].
    pub(super) place: Option<Token>,
    pub(super) negated: bool,
    /// The negation cannot reach beyond the clause: "avoid the red block and ..".
    is_closed: bool,
    /// It only names things that others speak of.
    pub(super) is_topic: bool,
    /// It is to be done two times.
    is_twice: bool,
}

impl Clause {
    pub(super) fn has(&self, is: impl Fn(&Token) -> bool) -> bool {
        self.items
            .iter()
            .any(|item| item.token.as_ref().is_some_and(&is))
    }

    /// A verb that asks for something, not one that describes a thing: "the closed drawer".
    pub(super) fn has_verb(&self) -> bool {
        !collect(&self.items, &[]).verbs.is_empty()
    }

    pub(super) fn has_thing(&self) -> bool {
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
        }) || !collect(&self.items, &[]).objects.is_empty()
    }

    /// A word that says how a thing is to be in the end, or where.
    pub(super) fn has_way(&self) -> bool {
        self.has(|token| matches!(token, Token::Particle(_) | Token::Towards))
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
        let rest = &items[index + 1..];
        let cut = match token {
            Token::And | Token::Pause => {
                let is_whole = (clause.has_thing() && (clause.has_verb() || clause.has_way()))
                    || (clause.negated && clause.has(|token| *token == Token::Colour));
                verb_follows(rest) || is_off_limits(rest) || (is_whole && request_follows(rest))
            }
            Token::Aside => {
                let mentions = Clause {
                    items: vec![item.clone()],
                    is_topic: true,
                    ..Clause::default()
                };
                let next = Clause {
                    join: Some(Token::Pause),
                    ..Clause::default()
                };
                let before = std::mem::replace(&mut clause, next);
                if !before.is_idle() || before.negated {
                    clauses.push(before);
                } else {
                    clause.join = before.join;
                    clause.place = before.place;
                }
                clauses.push(mentions);
                continue;
            }
            Token::Twice => {
                clause.is_twice = true;
                continue;
            }
            // "Close it first": no more than what was said, unless something else stands before.
            Token::First if !clause.is_idle() && (!verb_follows(rest) || ends_here(rest)) => {
                if clause.place.is_none() && !clauses.is_empty() {
                    clause.place = Some(Token::First);
                }
                continue;
            }
            // "Press it once."
            Token::After if item.text == "once" && ends_here(rest) => continue,
            Token::Stop
            | Token::So
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
            Token::Not => {
                clause.negated = true;
                // "I don't want the drawer open" denies a state.
                if item.text.ends_with("want") || item.text.ends_with("like") {
                    clause
                        .items
                        .push(Item::new(&item.text, Some(Token::Filler)));
                }
            }
            Token::Avoid => {
                clause.negated = true;
                if !verb_follows(rest) {
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
    let clauses = join_halves(clauses);
    // "Do not open the drawer and press the button": how far does the "not" reach?
    let is_unclear = |pair: &[Clause]| {
        let is_open = pair[0].negated && !pair[0].is_closed;
        is_open && !pair[1].negated && pair[1].join == Some(Token::And)
    };
    if clauses.windows(2).any(is_unclear) {
        return Err(negated());
    }
    Ok(clauses)
}

/// Whether nothing of the sentence's part is left.
fn ends_here(items: &[Item]) -> bool {
    let next = items
        .iter()
        .find(|item| !matches!(item.token, Some(Token::Filler | Token::Courtesy)));
    next.is_none_or(|item| {
        matches!(
            item.token,
            Some(Token::Stop | Token::Pause | Token::And | Token::So | Token::Aside | Token::But)
        )
    })
}

/// Whether the part up to the next joint names a thing and says how or where it is to be: "drawer shut".
fn request_follows(items: &[Item]) -> bool {
    let joins = |item: &&Item| {
        !matches!(
            item.token,
            Some(
                Token::And
                    | Token::Pause
                    | Token::Stop
                    | Token::Then
                    | Token::But
                    | Token::Not
                    | Token::Or
                    | Token::So
                    | Token::Aside
                    | Token::After
                    | Token::Before
            )
        )
    };
    let part: Vec<Item> = items.iter().take_while(joins).cloned().collect();
    // "And the blue one second."
    let is_counted = items
        .get(part.len())
        .is_some_and(|item| item.token == Some(Token::Then))
        && ends_here(&items[part.len() + 1..]);
    let part = Clause {
        items: part,
        ..Clause::default()
    };
    part.has_thing() && (part.has_verb() || part.has_way() || is_counted)
}

/// The same words as a verb: to come into contact.
fn touching(item: &Item) -> Item {
    Item::new(&item.text, Some(Token::Verb(Verb::Touch)))
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

/// The goals in the order in which they are to be reached, and what is to be left alone.
pub(super) fn order(
    clauses: Vec<Clause>,
    instruction: &str,
    scene: &Scene,
) -> Result<TaskSpec, AuthorError> {
    let mut named: Vec<Named> = Vec::new();
    let mut before = Request::default();
    let mut goals: Vec<Goal> = Vec::new();
    let mut forbidden = Vec::new();
    // The last goal is but the means of what follows: "grab the red block and push it".
    let mut is_means = false;
    // Where the sentence begins, and what waits for the clause that it is told before.
    let mut first = 0;
    let mut waiting: Option<Goal> = None;
    let last = clauses.len().saturating_sub(1);
    for (index, clause) in clauses.iter().enumerate() {
        if clause.is_topic {
            for item in &clause.items {
                if item.hides_antecedent {
                    named.clear();
                }
                named.extend(item.mentions.iter().cloned());
            }
        }
        let mut request = collect(&clause.items, &named);
        instruction.clone_into(&mut request.instruction);
        if !clause.negated || !request.verbs.is_empty() {
            name_things(&request, &mut named);
        }
        if clause.is_topic {
            continue;
        }
        let has_own_verb = !request.verbs.is_empty();
        let says_others = clause.has(|token| matches!(token, Token::Others | Token::OtherBlocks));
        if clause.negated
            && request.objects.is_empty()
            && request.verbs == [Verb::Lift]
            && let Some((object, colour)) = antecedent(&request, &named)
        {
            // "Push the red block, but don't lift it."
            request.objects.push(*object);
            request.colours.extend(colour.clone());
        }
        if !clause.negated && !says_others {
            inherit(&mut request, &before, &named, clause.join);
        } else if !has_own_verb && !request.objects.is_empty() {
            request.verbs.clone_from(&before.verbs);
        }
        before = request.clone();
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
        let only_grasps = request.verbs == [Verb::Grasp] && request.particles.is_empty();
        let drops = request.verbs.contains(&Verb::Drop);
        let goal = resolve(request, scene)?;
        let serves = |means: &Goal| means.things().first() == goal.things().first();
        // To let a block fall is to have lifted it.
        let is_let_go = drops && matches!(goals.last(), Some(Goal::LiftBlock { .. }));
        if (is_means || is_let_go) && goals.last().is_some_and(serves) {
            goals.pop();
        }
        is_means = only_grasps;
        if clause.is_twice {
            goals.push(goal.clone());
            goals.push(goal);
            continue;
        }
        match clause.place {
            Some(Token::Before) if goals.len() == first => {
                waiting = Some(goal);
                continue;
            }
            // "Open the drawer, and once it is open, ..".
            Some(Token::After) if goals.last() == Some(&goal) => {}
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
    // "Go around the blue one, no bumping" says the same again.
    let is_echo = |prohibition: &Prohibition| prohibition.names_nothing();
    if !forbidden.iter().all(is_echo) {
        forbidden.retain(|prohibition| !is_echo(prohibition));
    }
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

/// Adds what a request names to what may be referred to.
fn name_things(request: &Request, named: &mut Vec<Named>) {
    let colour = request.colours.first();
    named.extend(request.objects.iter().map(|object| {
        let colour = colour.filter(|_| *object == Object::Block);
        (*object, colour.cloned())
    }));
}

/// What a request leaves to the one before: its verb, its thing, the drawer that things go into.
fn inherit(request: &mut Request, before: &Request, named: &[Named], join: Option<Token>) {
    let says_way = !request.particles.is_empty() || request.destination.is_some();
    let says_state = request.verbs.iter().any(|verb| {
        matches!(
            verb,
            Verb::Open | Verb::Close | Verb::TurnOn | Verb::TurnOff
        )
    });
    // "Lever on, then off again."
    // "Grasp the blue cube, lift."
    let follows_on = matches!(
        join,
        Some(Token::Pause | Token::And | Token::But | Token::So)
    ) && !request.verbs.is_empty();
    let is_elliptic = request.verbs.is_empty() && says_way;
    if request.objects.is_empty()
        && (is_elliptic || says_state || follows_on)
        && let Some((object, colour)) = antecedent(request, named)
    {
        request.objects.push(*object);
        if request.colours.is_empty() {
            request.colours.extend(colour.clone());
        }
    }
    // "Raise that block."
    if request.objects == [Object::Block]
        && request.colours.is_empty()
        && !request.plural
        && let Some(colour) = named.iter().rev().find_map(|(_, colour)| colour.clone())
    {
        request.colours.push(colour);
    }
    if request.objects.is_empty() || !request.verbs.is_empty() {
        return;
    }
    // There is but one thing to do with a button.
    if request.objects == [Object::Button] && !says_way && !before.verbs.is_empty() {
        request.verbs.push(Verb::Press);
        return;
    }
    let is_same_kind = request
        .objects
        .iter()
        .any(|object| before.objects.contains(object));
    let is_new_kind = says_way && !is_same_kind;
    if !is_new_kind {
        request.verbs.clone_from(&before.verbs);
    }
    if request.destination.is_none() && before.inside && request.particles.is_empty() {
        request.destination.clone_from(&before.destination);
        request.inside = true;
    }
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
