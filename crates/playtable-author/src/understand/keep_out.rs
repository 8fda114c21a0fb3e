//! What is not to be done, and what is not to be touched.

use tiller_vlm::AuthorError;

use super::goal::{Direction, Goal, Thing, Way};
use super::lexicon::{Object, Particle, Verb};
use super::parse::Request;
use super::resolve::{resolve, the_object};
use crate::scene::Scene;

/// Verbs that cannot be done without contact: who may not push a thing may not touch it either.
const CONTACTS: [Verb; 6] = [
    Verb::Touch,
    Verb::Leave,
    Verb::Push,
    Verb::Move,
    Verb::Pull,
    Verb::Press,
];

/// A clause that says what not to do.
#[derive(Debug, Clone)]
pub(super) struct Prohibition {
    pub(super) request: Request,
    /// Its verb stands in it, and not in a clause before.
    pub(super) has_own_verb: bool,
    /// It is about everything else.
    pub(super) others: bool,
    /// It is about the other blocks.
    pub(super) other_blocks: bool,
}

impl Prohibition {
    /// It forbids contact, and does not say with what.
    pub(super) fn names_nothing(&self) -> bool {
        let is_contact = |verb: &Verb| CONTACTS.contains(verb);
        self.request.objects.is_empty()
            && self.request.colours.is_empty()
            && !self.others
            && !self.other_blocks
            && self.has_own_verb
            && self.request.particles.is_empty()
            && self.request.verbs.iter().all(is_contact)
    }
}

/// The things that a prohibition keeps the robot away from. What is forbidden must be understood as
/// well, and must not be what is asked for.
///
/// "Push the red block, not the blue one" and "don't open the drawer, push the red block" forbid
/// what is not asked for anyhow and keep the robot away from nothing.
pub(super) fn things_to_avoid(
    prohibition: Prohibition,
    goals: &[Goal],
    scene: &Scene,
) -> Result<Vec<Thing>, AuthorError> {
    let request = &prohibition.request;
    let refusal = || AuthorError::Negated {
        instruction: request.instruction.clone(),
        can: scene.abilities(),
    };
    let in_use: Vec<Thing> = goals.iter().flat_map(Goal::things).collect();
    let has = |verbs: &[Verb]| request.verbs.iter().any(|verb| verbs.contains(verb));
    let keeps_away = prohibition.has_own_verb && has(&CONTACTS);
    let says_others = prohibition.others || prohibition.other_blocks;
    let mut avoid = Vec::new();
    if keeps_away && says_others {
        let is_meant = |thing: &Thing| prohibition.others || matches!(thing, Thing::Block(_));
        let others = scene.things().into_iter();
        avoid.extend(others.filter(|thing| is_meant(thing) && !in_use.contains(thing)));
    }
    if request.objects.is_empty() && !says_others && denies_other_way(request, goals) {
        return Ok(avoid);
    }
    if request.objects.is_empty() {
        return says_others.then_some(avoid).ok_or_else(refusal);
    }
    let named = named(request, &in_use, scene)?;
    let is_asked_for = named.iter().any(|thing| in_use.contains(thing));
    if has(&[Verb::Touch, Verb::Leave]) {
        if is_asked_for {
            return Err(refusal());
        }
        avoid.extend(present(named, scene)?);
        return Ok(avoid);
    }
    if request.verbs.is_empty() {
        return (!is_asked_for).then_some(avoid).ok_or_else(refusal);
    }
    match resolve(request.clone(), scene) {
        Ok(goal) if goals.iter().any(|asked| asked.name() == goal.name()) => Err(refusal()),
        Ok(_) | Err(AuthorError::ObjectNotInScene { .. }) if is_asked_for => Ok(avoid),
        Err(AuthorError::Ambiguous { .. }) if is_asked_for => Err(refusal()),
        Err(error) if is_asked_for => Err(error),
        // Nothing of the kind is asked for, and what cannot be done will not be done.
        Ok(_)
        | Err(
            AuthorError::ObjectNotInScene { .. }
            | AuthorError::Ambiguous { .. }
            | AuthorError::Unsupported { .. }
            | AuthorError::SeveralTasks { .. },
        ) => {
            let there = named
                .into_iter()
                .filter(|thing| keeps_away && scene.find(&thing.keypoint()).is_some());
            avoid.extend(there);
            Ok(avoid)
        }
        Err(error) => Err(error),
    }
}

/// "To the left, not to the right": the other way than the one that is asked for.
fn denies_other_way(request: &Request, goals: &[Goal]) -> bool {
    let opposite = |particle: &Particle| {
        goals.iter().any(|goal| match goal {
            Goal::SlideDoor(Direction::Left) => *particle == Particle::Right,
            Goal::SlideDoor(_) => *particle == Particle::Left,
            Goal::TurnSwitch(true) => *particle == Particle::Off,
            Goal::TurnSwitch(false) => *particle == Particle::On,
            Goal::OpenDrawer => *particle == Particle::In,
            Goal::CloseDrawer => *particle == Particle::Out,
            Goal::PushBlock {
                way: Some(Way::Along(way)),
                ..
            } => match way {
                Direction::Left => *particle == Particle::Right,
                Direction::Right => *particle == Particle::Left,
                Direction::Away => *particle == Particle::Near,
                Direction::Near => *particle == Particle::Away,
            },
            _ => false,
        })
    };
    goals.len() == 1
        && request.verbs.is_empty()
        && request.destination.is_none()
        && request.colours.is_empty()
        && !request.particles.is_empty()
        && request
            .particles
            .iter()
            .all(|(particle, _)| opposite(particle))
}

/// The things that a request names.
fn named(request: &Request, in_use: &[Thing], scene: &Scene) -> Result<Vec<Thing>, AuthorError> {
    let mut things = Vec::new();
    for object in &request.objects {
        match object {
            Object::Drawer => things.push(Thing::Drawer),
            Object::Door => things.push(Thing::Door),
            Object::Switch => things.push(Thing::Switch),
            Object::Button => things.push(Thing::Button),
            Object::Light | Object::Handle => {
                let only = Request {
                    objects: vec![*object],
                    ..request.clone()
                };
                things.push(match the_object(&only, scene)? {
                    Object::Drawer => Thing::Drawer,
                    Object::Door => Thing::Door,
                    Object::Switch => Thing::Switch,
                    _ => Thing::Button,
                });
            }
            Object::Block if !request.colours.is_empty() => {
                things.extend(request.colours.iter().cloned().map(Thing::Block));
            }
            Object::Block => things.extend(uncoloured(request, in_use, scene)?),
        }
    }
    Ok(things)
}

/// "The blocks" are all; "the block" is the only one there is, or the only one that is left.
fn uncoloured(
    request: &Request,
    in_use: &[Thing],
    scene: &Scene,
) -> Result<Vec<Thing>, AuthorError> {
    let blocks: Vec<Thing> = scene
        .block_colours()
        .into_iter()
        .map(Thing::Block)
        .collect();
    if request.plural || blocks.len() == 1 {
        return Ok(blocks);
    }
    let rest = blocks.iter().filter(|block| !in_use.contains(block));
    match rest.cloned().collect::<Vec<_>>() {
        rest if rest.len() == 1 => Ok(rest),
        _ => Err(AuthorError::Ambiguous {
            phrase: request.instruction.clone(),
            choices: blocks
                .iter()
                .map(|block| format!("leave the {} alone", block.name()))
                .collect(),
        }),
    }
}

/// What is to be left alone has to be seen, or nobody could.
fn present(things: Vec<Thing>, scene: &Scene) -> Result<Vec<Thing>, AuthorError> {
    let is_unseen = |thing: &&Thing| scene.find(&thing.keypoint()).is_none();
    match things.iter().find(is_unseen) {
        None => Ok(things),
        Some(thing) => Err(AuthorError::ObjectNotInScene {
            object: thing.keypoint(),
            can: scene.abilities(),
        }),
    }
}
