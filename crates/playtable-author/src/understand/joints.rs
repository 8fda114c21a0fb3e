//! What belongs together: halves of one request, things and what is said of them, states that are denied.

use super::clauses::Clause;
use super::lexicon::{Object, Particle, Token, Verb};
use super::parse::{Item, collect};

/// Whether the next word that says anything is a verb.
pub(super) fn verb_follows(items: &[Item]) -> bool {
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

/// Brings together what makes one request.
pub(super) fn join_halves(clauses: Vec<Clause>) -> Vec<Clause> {
    let clauses = merge(share_things(clauses));
    let mut joined: Vec<Clause> = Vec::new();
    for (index, clause) in clauses.iter().enumerate() {
        let mut clause = clause.clone();
        let rest_is_elliptic = clauses.get(index + 1).is_some_and(|next| {
            !next.is_topic && !next.negated && next.has_verb() && !names_object(next)
        });
        if let Some(last) = joined.last_mut()
            && !last.is_topic
            && !last.negated
            && !clause.is_topic
            && is_bare(last)
        {
            let has_own = names_object(&clause);
            if clause.negated && !has_own {
                // "The red block must not be touched", "the switch must not be on".
                let mut items = std::mem::take(&mut last.items);
                items.append(&mut clause.items);
                clause.items = items;
                clause.join = last.join;
                joined.pop();
            } else if !clause.negated && !has_own {
                last.is_topic = true;
            } else if clause.negated && !clause.has_verb() && rest_is_elliptic {
                // "The red one, not the blue one, should be lifted."
                last.is_topic = true;
            }
        } else if let Some(last) = joined.last_mut()
            && !last.is_topic
            && !last.negated
            && !clause.is_topic
            && !clause.negated
            && clause.place.is_none()
            && only_states(&clause)
            && lacks_state(last)
        {
            // "Flick the switch; I want it on."
            last.items.append(&mut clause.items);
            continue;
        } else if let Some(last) = joined.last_mut()
            && !last.is_topic
            && !last.negated
            && only_grasps_furniture(last)
            && !clause.negated
        {
            last.is_topic = true;
        }
        if !clause.negated {
            come_to_touch(&mut clause);
        }
        if clause.negated && denies_state(&clause) {
            affirm_opposite(&mut clause);
        }
        joined.push(clause);
    }
    joined
}

/// A thing, and nothing that is to be done with it.
fn is_bare(clause: &Clause) -> bool {
    clause.has_thing() && !clause.has_verb() && !clause.has_way() && clause.place.is_none()
}

/// One state of a thing that is named elsewhere.
fn only_states(clause: &Clause) -> bool {
    let request = collect(&clause.items, &[]);
    let is_state = |verb: &Verb| matches!(verb, Verb::Open | Verb::Close | Verb::Make);
    !names_object(clause)
        && clause.has(|token| *token == Token::Pronoun)
        && request.verbs.iter().all(is_state)
        && states(clause).len() == 1
}

/// A request for a thing that can be in two states, without saying which.
fn lacks_state(clause: &Clause) -> bool {
    let request = collect(&clause.items, &[]);
    let has_states = matches!(request.objects.as_slice(), [Object::Switch | Object::Door]);
    has_states && clause.has_verb() && !clause.has_way() && states(clause).is_empty()
}

/// A thing by its name, or a block by its colour.
fn names_object(clause: &Clause) -> bool {
    let request = collect(&clause.items, &[]);
    !request.objects.is_empty() || !request.colours.is_empty()
}

/// "Grab the handle and pull": the hand is there for what follows.
fn only_grasps_furniture(clause: &Clause) -> bool {
    let request = collect(&clause.items, &[]);
    request.verbs == [Verb::Grasp]
        && request.particles.is_empty()
        && !request.objects.is_empty()
        && !request.objects.contains(&Object::Block)
}

/// "Open and close the drawer": the thing stands with the second verb only.
fn share_things(clauses: Vec<Clause>) -> Vec<Clause> {
    let mut clauses = clauses;
    for index in 1..clauses.len() {
        let (before, after) = clauses.split_at_mut(index);
        let (Some(last), Some(clause)) = (before.last_mut(), after.first()) else {
            continue;
        };
        if last.is_topic
            || clause.is_topic
            || last.negated
            || clause.negated
            || clause.join != Some(Token::And)
            || last.has_thing()
        {
            continue;
        }
        let (one, other) = (collect(&last.items, &[]), collect(&clause.items, &[]));
        let opposes = |a: Verb, b: Verb| one.verbs == [a] && other.verbs == [b];
        if opposes(Verb::Open, Verb::Close) || opposes(Verb::Close, Verb::Open) {
            let things = clause
                .items
                .iter()
                .filter(|item| matches!(item.token, Some(Token::Object(_) | Token::Pronoun)));
            let things: Vec<Item> = things.cloned().collect();
            last.items.extend(things);
        }
    }
    clauses
}

/// "Don't leave the drawer open", "the switch must not be on": what is denied is how a thing is.
fn denies_state(clause: &Clause) -> bool {
    let request = collect(&clause.items, &[]);
    let is_state =
        |verb: &Verb| matches!(verb, Verb::Open | Verb::Close | Verb::Leave | Verb::Make);
    let is_kept = request
        .verbs
        .iter()
        .any(|verb| matches!(verb, Verb::Leave | Verb::Make))
        || clause.items.iter().any(|item| {
            let words = ["be", "stay", "remain", "stays", "remains", "to be", "being"];
            words.contains(&item.text.as_str()) || item.text.ends_with(" want")
        });
    is_kept
        && request.verbs.iter().all(is_state)
        && states(clause).len() == 1
        && (request.objects.len() == 1 || clause.has(|token| *token == Token::Pronoun))
        && !request.objects.contains(&Object::Block)
}

/// "The blue block is to touch the pink one": where one goes is the other.
fn come_to_touch(clause: &mut Clause) {
    let is_touch = |item: &Item| item.token == Some(Token::Verb(Verb::Touch));
    let Some(at) = clause.items.iter().position(is_touch) else {
        return;
    };
    let before = collect(&clause.items[..at], &[]);
    if !before.objects.is_empty()
        || clause.items[..at]
            .iter()
            .any(|item| item.token == Some(Token::Pronoun))
    {
        clause.items[at].token = Some(Token::Towards);
    }
}

/// The words of a clause that say how a thing is.
fn states(clause: &Clause) -> Vec<Token> {
    let tokens = clause.items.iter().filter_map(|item| item.token);
    let is_state = |token: &Token| {
        matches!(
            token,
            Token::Verb(Verb::Open | Verb::Close)
                | Token::Particle(Particle::On | Particle::Off | Particle::Left | Particle::Right)
        )
    };
    tokens.filter(is_state).collect()
}

/// Asks for the opposite of the state that is denied.
fn affirm_opposite(clause: &mut Clause) {
    clause.negated = false;
    for item in &mut clause.items {
        item.token = match item.token {
            Some(Token::Verb(Verb::Open)) => Some(Token::Verb(Verb::Close)),
            Some(Token::Verb(Verb::Close)) => Some(Token::Verb(Verb::Open)),
            Some(Token::Particle(Particle::On)) => Some(Token::Particle(Particle::Off)),
            Some(Token::Particle(Particle::Off)) => Some(Token::Particle(Particle::On)),
            Some(Token::Particle(Particle::Left)) => Some(Token::Particle(Particle::Right)),
            Some(Token::Particle(Particle::Right)) => Some(Token::Particle(Particle::Left)),
            Some(Token::Verb(Verb::Leave | Verb::Make)) => Some(Token::Filler),
            // "Leave the open drawer" would describe it.
            Some(Token::Article) => Some(Token::Filler),
            other => other,
        };
    }
}

/// Halves of one request belong together: "open and close the drawer", "the drawer, open it".
pub(super) fn merge(clauses: Vec<Clause>) -> Vec<Clause> {
    let mut merged: Vec<Clause> = Vec::new();
    for clause in clauses {
        let is_loose = matches!(clause.join, Some(Token::And | Token::Pause | Token::Or))
            && clause.place.is_none()
            && !clause.is_topic;
        match merged.last_mut() {
            Some(last)
                if is_loose
                    && !last.is_topic
                    && last.negated == clause.negated
                    && !(last.has_thing() && (last.has_verb() || last.has_way())) =>
            {
                last.items.extend(clause.items);
            }
            _ => merged.push(clause),
        }
    }
    merged
}
