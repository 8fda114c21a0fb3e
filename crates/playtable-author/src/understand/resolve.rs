//! From the parts of a request to the one goal that they mean.

use tiller_vlm::AuthorError;

use super::goal::{Direction, Goal, Thing, Way};
use super::lexicon::{Object, Particle, Verb};
use super::parse::Request;
use crate::scene::Scene;

/// Finds the goal, then makes sure that its object is there.
pub(super) fn resolve(request: Request, scene: &Scene) -> Result<Goal, AuthorError> {
    let object = the_object(&request, scene)?;
    if request.verbs.is_empty() && !says_enough(&request, object) {
        let missing = format!("what to do with the {}", object.word());
        let instruction = request.instruction;
        return Err(AuthorError::Incomplete {
            instruction,
            missing,
            can: scene.abilities(),
        });
    }
    if object != Object::Block
        && let Some(colour) = request.colours.first()
    {
        // Names say nothing about the furniture's colour, so it cannot be checked here.
        let words = vec![colour.clone()];
        let instruction = request.instruction;
        return Err(AuthorError::NotUnderstood {
            words,
            instruction,
            can: scene.abilities(),
        });
    }
    let first = request.verbs.first().map_or("use", |verb| verb.word());
    let mut resolver = Resolver {
        request,
        scene,
        object,
        used: Vec::new(),
    };
    let goal = match object {
        Object::Drawer => resolver.drawer(),
        Object::Door => resolver.door(),
        Object::Switch => resolver.switch(),
        Object::Button => resolver.button(),
        Object::Block => resolver.block(),
        Object::Light | Object::Handle => Err(resolver.unsupported(first)),
    }?;
    resolver.check_particles()?;
    resolver.check_destination(&goal)?;
    let mut needed = goal.things().into_iter().map(|thing| thing.keypoint());
    match needed.find(|object| scene.find(object).is_none()) {
        None => Ok(goal),
        Some(object) => Err(AuthorError::ObjectNotInScene {
            object,
            can: scene.abilities(),
        }),
    }
}

/// Whether a thing and what is said of it make a request without a verb: "door left", "lever on".
fn says_enough(request: &Request, object: Object) -> bool {
    let has = |wanted: &[Particle]| {
        request
            .particles
            .iter()
            .any(|(particle, _)| wanted.contains(particle))
    };
    match object {
        Object::Drawer => has(&[Particle::In, Particle::Out]),
        Object::Door => has(&[Particle::Left, Particle::Right]),
        Object::Switch => has(&[Particle::On, Particle::Off]),
        Object::Block => {
            request.destination.is_some()
                || has(&[
                    Particle::Left,
                    Particle::Right,
                    Particle::Up,
                    Particle::Near,
                    Particle::Away,
                ])
        }
        Object::Button | Object::Light | Object::Handle => false,
    }
}

/// The one object that is meant.
pub(super) fn the_object(request: &Request, scene: &Scene) -> Result<Object, AuthorError> {
    let is_weak = |object: &Object| matches!(object, Object::Light | Object::Handle);
    let mut strong: Vec<Object> = request
        .objects
        .iter()
        .copied()
        .filter(|object| !is_weak(object))
        .collect();
    strong.sort_by_key(|object| object.word());
    strong.dedup();
    let instruction = || request.instruction.clone();
    match strong.as_slice() {
        [object] => Ok(*object),
        [] => match request.objects.first() {
            Some(weak) => weak_object(*weak, request, scene),
            None => {
                let verb = request.verbs.first().map_or("do", |verb| verb.word());
                let colour = request.colours.first();
                let missing = match colour {
                    Some(colour) => format!("which {colour} thing to {verb}"),
                    None => format!("what to {verb}"),
                };
                let can = scene.abilities();
                Err(AuthorError::Incomplete {
                    instruction: instruction(),
                    missing,
                    can,
                })
            }
        },
        several => {
            let found = several
                .iter()
                .map(|object| format!("the {}", object.word()))
                .collect();
            Err(AuthorError::SeveralTasks {
                instruction: instruction(),
                found,
            })
        }
    }
}

/// A light or a handle by itself belongs to one of two things; only the scene can tell which.
fn weak_object(weak: Object, request: &Request, scene: &Scene) -> Result<Object, AuthorError> {
    let owners: [(Object, &str); 2] = match weak {
        // What goes on and off by the same motion is the button's.
        Object::Light if request.verbs == [Verb::Toggle] && request.particles.is_empty() => {
            return Ok(Object::Button);
        }
        Object::Light => [(Object::Switch, "switch"), (Object::Button, "button")],
        // Only the drawer goes in and out, and only the door to the sides.
        _ if moves(request, &[Particle::In, Particle::Out, Particle::Near]) => {
            return Ok(Object::Drawer);
        }
        _ if moves(request, &[Particle::Left, Particle::Right]) => return Ok(Object::Door),
        _ => [
            (Object::Drawer, "drawer handle"),
            (Object::Door, "door handle"),
        ],
    };
    let present: Vec<&(Object, &str)> = owners
        .iter()
        .filter(|(_, name)| scene.find(name).is_some())
        .collect();
    match present.as_slice() {
        [(object, _)] => Ok(*object),
        [] => Err(AuthorError::ObjectNotInScene {
            object: weak.word().to_owned(),
            can: scene.abilities(),
        }),
        _ => {
            let objects: Vec<Object> = owners.iter().map(|(object, _)| *object).collect();
            let choices = scene.abilities_with(|goal| {
                objects
                    .iter()
                    .any(|object| goal.object().starts_with(object.word()))
            });
            let phrase = request.instruction.clone();
            Err(AuthorError::Ambiguous {
                phrase,
                choices: choices.0,
            })
        }
    }
}

fn moves(request: &Request, ways: &[Particle]) -> bool {
    request
        .particles
        .iter()
        .any(|(particle, _)| ways.contains(particle))
}

/// A request about one object, and which of its particles have been made use of.
struct Resolver<'a> {
    request: Request,
    scene: &'a Scene,
    object: Object,
    used: Vec<Particle>,
}

impl Resolver<'_> {
    fn has(&self, verb: Verb) -> bool {
        self.request.verbs.contains(&verb)
    }

    /// Whether all verbs are among these.
    fn only(&self, verbs: &[Verb]) -> bool {
        let fits = |verb: &Verb| verbs.contains(verb) || *verb == Verb::Make;
        self.request.verbs.iter().all(fits)
    }

    /// The hand on a thing that does not come off is the means of what else is said.
    fn drop_means(&mut self) {
        if self.request.verbs.iter().any(|verb| *verb != Verb::Grasp)
            || !self.request.particles.is_empty()
        {
            self.request.verbs.retain(|verb| *verb != Verb::Grasp);
        }
    }

    /// Whether the particle is there; it then counts as understood.
    fn take(&mut self, particle: Particle) -> bool {
        let found = self.request.particles.iter().any(|(p, _)| *p == particle);
        if found {
            self.used.push(particle);
        }
        found
    }

    /// One of two opposites: `Ok(None)` if neither is there.
    fn either<T: Copy>(&self, options: [(bool, T, &str); 2]) -> Result<Option<T>, AuthorError> {
        let [(a, on_a, name_a), (b, on_b, name_b)] = options;
        match (a, b) {
            (true, false) => Ok(Some(on_a)),
            (false, true) => Ok(Some(on_b)),
            (false, false) => Ok(None),
            (true, true) => Err(AuthorError::SeveralTasks {
                instruction: self.request.instruction.clone(),
                found: vec![name_a.to_owned(), name_b.to_owned()],
            }),
        }
    }

    fn unsupported(&self, action: &str) -> AuthorError {
        let word = self.object.word();
        let colour = self
            .request
            .colours
            .first()
            .filter(|_| self.object == Object::Block);
        AuthorError::Unsupported {
            action: action.to_owned(),
            object: colour.map_or(word.to_owned(), |colour| format!("{colour} {word}")),
            can: self
                .scene
                .abilities_with(|goal| goal.object().contains(word)),
        }
    }

    /// The first verb that is not among these, as the one to complain about.
    fn complain(&self, verbs: &[Verb]) -> AuthorError {
        let odd = self.request.verbs.iter().find(|verb| !verbs.contains(verb));
        self.unsupported(
            odd.or(self.request.verbs.first())
                .map_or("use", |verb| verb.word()),
        )
    }

    fn ambiguous(&self) -> AuthorError {
        let word = self.object.word();
        AuthorError::Ambiguous {
            phrase: self.request.instruction.clone(),
            choices: self
                .scene
                .abilities_with(|goal| goal.object().contains(word))
                .0,
        }
    }

    /// States ("open", "shut") speak louder than motions ("pull", "push").
    fn drawer(&mut self) -> Result<Goal, AuthorError> {
        self.drop_means();
        let fitting = [
            Verb::Open,
            Verb::Close,
            Verb::Pull,
            Verb::Push,
            Verb::Move,
            Verb::Look,
            Verb::Put,
        ];
        if !self.only(&fitting) {
            return Err(self.complain(&fitting));
        }
        let (open, close) = (Goal::OpenDrawer, Goal::CloseDrawer);
        // "Open it up."
        if self.has(Verb::Open) || self.has(Verb::Close) {
            self.take(Particle::Up);
        }
        let inward = self.take(Particle::In);
        // "Back" is whence it came, for a drawer as much in as out.
        let is_back = |word: &str| matches!(word, "back" | "backward" | "backwards");
        let towards = self
            .request
            .particles
            .iter()
            .any(|(particle, word)| *particle == Particle::Near && !is_back(word));
        self.take(Particle::Near);
        let outward = self.take(Particle::Out) | towards;
        let ways = [
            [
                (self.has(Verb::Open) || self.has(Verb::Look), 0, "opening"),
                (self.has(Verb::Close), 1, "closing"),
            ],
            [(outward, 0, "out"), (inward, 1, "in")],
            [
                (self.has(Verb::Pull), 0, "pulling"),
                (self.has(Verb::Push), 1, "pushing"),
            ],
        ];
        for way in ways {
            match self.either(way)? {
                Some(0) => return Ok(open),
                Some(_) => return Ok(close),
                None => {}
            }
        }
        Err(self.ambiguous())
    }

    fn door(&mut self) -> Result<Goal, AuthorError> {
        self.drop_means();
        let fitting = [Verb::Move, Verb::Push, Verb::Pull, Verb::Open, Verb::Close];
        if !self.only(&fitting) {
            return Err(self.complain(&fitting));
        }
        let (left, right) = (self.take(Particle::Left), self.take(Particle::Right));
        let side = self.either([
            (left, Direction::Left, "the left"),
            (right, Direction::Right, "the right"),
        ])?;
        // "And back to the right."
        if side.is_some() {
            self.take(Particle::Near);
        }
        // Which end counts as open is not for the names to tell.
        side.map(Goal::SlideDoor).ok_or_else(|| self.ambiguous())
    }

    fn switch(&mut self) -> Result<Goal, AuthorError> {
        let fitting = [
            Verb::Turn,
            Verb::Toggle,
            Verb::TurnOn,
            Verb::TurnOff,
            Verb::Push,
            Verb::Move,
            Verb::Press,
            Verb::Put,
            Verb::Pull,
        ];
        self.drop_means();
        let says_state = [Particle::On, Particle::Off].iter().any(|state| {
            self.request
                .particles
                .iter()
                .any(|(particle, _)| particle == state)
        });
        // "Shut the switch off."
        if says_state {
            self.request.verbs.retain(|verb| *verb != Verb::Close);
        }
        if !self.only(&fitting) {
            return Err(self.complain(&fitting));
        }
        let on = self.take(Particle::On) | self.has(Verb::TurnOn);
        let off = self.take(Particle::Off) | self.has(Verb::TurnOff);
        let state = self.either([(on, true, "on"), (off, false, "off")])?;
        // "Push the lever up so that it is on."
        self.take(Particle::Up);
        self.take(Particle::Down);
        state.map(Goal::TurnSwitch).ok_or_else(|| self.ambiguous())
    }

    fn button(&mut self) -> Result<Goal, AuthorError> {
        let fitting = [Verb::Press, Verb::Push, Verb::TurnOn, Verb::Toggle];
        // "press the button to turn on the light": the press is the means.
        let is_means = self.has(Verb::Press) || self.has(Verb::Push);
        if is_means && self.has(Verb::Turn) && self.request.objects.contains(&Object::Light) {
            self.request.verbs.retain(|verb| *verb != Verb::Turn);
            self.take(Particle::On);
        }
        if !self.only(&fitting) {
            return Err(self.complain(&fitting));
        }
        if self.request.verbs.iter().all(|verb| *verb == Verb::Make) {
            return Err(self.unsupported("use"));
        }
        self.take(Particle::Down);
        self.take(Particle::In);
        Ok(Goal::PressButton)
    }

    fn block(&mut self) -> Result<Goal, AuthorError> {
        let says_way = self.request.destination.is_some()
            || moves(
                &self.request,
                &[
                    Particle::Left,
                    Particle::Right,
                    Particle::Near,
                    Particle::Away,
                ],
            );
        let mut pushes = vec![Verb::Push, Verb::Move];
        if says_way {
            pushes.push(Verb::Pull);
        }
        if self.has(Verb::Push) || self.has(Verb::Move) {
            self.request.verbs.retain(|verb| *verb != Verb::Grasp);
        }
        let lifts = [Verb::Lift, Verb::Grasp];
        let is_up = moves(&self.request, &[Particle::Up]);
        let rises = self.only(&[Verb::Lift, Verb::Grasp, Verb::Move, Verb::Pull, Verb::Put]);
        let is_lift = (self.only(&lifts) && lifts.iter().any(|verb| self.has(*verb)))
            || (is_up && rises && self.request.destination.is_none())
            // "Get the red block off the table."
            || (self.only(&lifts) && moves(&self.request, &[Particle::OffTable]));
        let only_makes = self.request.verbs.iter().all(|verb| *verb == Verb::Make);
        let is_push = self.only(&pushes) && (!only_makes || says_way);
        let colour = self.block_colour()?;
        if self.request.inside && matches!(self.request.destination, Some((Object::Drawer, _))) {
            let fitting = [Verb::Push, Verb::Move, Verb::Put, Verb::Drop, Verb::Grasp];
            return if self.only(&fitting) {
                self.take(Particle::In);
                self.take(Particle::Down);
                self.take(Particle::Near);
                Ok(Goal::PutInDrawer { colour })
            } else {
                Err(self.complain(&fitting))
            };
        }
        if is_lift {
            self.take(Particle::Up);
            self.take(Particle::OffTable);
            return Ok(Goal::LiftBlock { colour });
        }
        if !is_push {
            let mixed = lifts.iter().any(|verb| self.has(*verb))
                && pushes.iter().any(|verb| self.has(*verb));
            if mixed {
                let found = vec!["lifting".to_owned(), "pushing".to_owned()];
                let instruction = self.request.instruction.clone();
                return Err(AuthorError::SeveralTasks { instruction, found });
            }
            return Err(self.complain(&[Verb::Push, Verb::Move, Verb::Lift]));
        }
        let ways = [
            (Particle::Left, Direction::Left, "the left"),
            (Particle::Right, Direction::Right, "the right"),
            (Particle::Away, Direction::Away, "forward"),
            (Particle::Near, Direction::Near, "backward"),
        ];
        // "The block on the left" says which one, and not where to.
        let is_place = |word: &str| word.starts_with("on ") || word.starts_with("at ");
        let is_told = self
            .request
            .particles
            .iter()
            .any(|(_, word)| is_place(word));
        if is_told {
            self.check_particles()?;
        }
        let taken: Vec<_> = ways
            .iter()
            .filter(|(particle, ..)| self.take(*particle))
            .collect();
        let way = match taken.as_slice() {
            [] => self.towards(&colour)?,
            [(_, direction, _)] => Some(Way::Along(*direction)),
            several => {
                let found = several
                    .iter()
                    .map(|(.., name)| (*name).to_owned())
                    .collect();
                let instruction = self.request.instruction.clone();
                return Err(AuthorError::SeveralTasks { instruction, found });
            }
        };
        Ok(Goal::PushBlock { colour, way })
    }

    /// The thing that the block is to be pushed towards.
    fn towards(&self, colour: &str) -> Result<Option<Way>, AuthorError> {
        let Some((object, of)) = &self.request.destination else {
            return Ok(None);
        };
        let thing = match (object, of) {
            (Object::Drawer, _) => Thing::Drawer,
            (Object::Door, _) => Thing::Door,
            (Object::Switch, _) => Thing::Switch,
            (Object::Button, _) => Thing::Button,
            (Object::Block, Some(of)) if of != colour => Thing::Block(of.clone()),
            (Object::Block | Object::Light | Object::Handle, _) => {
                return Err(AuthorError::NotUnderstood {
                    words: vec![format!("to the {}", object.word())],
                    instruction: self.request.instruction.clone(),
                    can: self.scene.abilities(),
                });
            }
        };
        Ok(Some(Way::Towards(thing)))
    }

    /// Only a block can be pushed somewhere.
    fn check_destination(&self, goal: &Goal) -> Result<(), AuthorError> {
        let Some((object, _)) = self.request.destination else {
            return Ok(());
        };
        if matches!(goal, Goal::PushBlock { .. } | Goal::PutInDrawer { .. }) {
            return Ok(());
        }
        Err(AuthorError::NotUnderstood {
            words: vec!["to the".to_owned(), object.word().to_owned()],
            instruction: self.request.instruction.clone(),
            can: self.scene.abilities(),
        })
    }

    /// The colour of the block that is meant; without one, the only block there is.
    fn block_colour(&self) -> Result<String, AuthorError> {
        let mut colours = self.request.colours.clone();
        colours.dedup();
        match colours.as_slice() {
            [colour] => Ok(colour.clone()),
            [] => match self.scene.block_colours().as_slice() {
                [colour] => Ok(colour.clone()),
                [] => Err(AuthorError::ObjectNotInScene {
                    object: "block".to_owned(),
                    can: self.scene.abilities(),
                }),
                _ => Err(self.ambiguous()),
            },
            several => Err(AuthorError::SeveralTasks {
                instruction: self.request.instruction.clone(),
                found: several
                    .iter()
                    .map(|colour| format!("the {colour} block"))
                    .collect(),
            }),
        }
    }

    /// A particle without use would have changed the task: "turn the switch off the table".
    fn check_particles(&self) -> Result<(), AuthorError> {
        let unused: Vec<String> = self
            .request
            .particles
            .iter()
            .filter(|(particle, _)| !self.used.contains(particle))
            .map(|(_, word)| word.clone())
            .collect();
        if unused.is_empty() {
            return Ok(());
        }
        Err(AuthorError::NotUnderstood {
            words: unused,
            instruction: self.request.instruction.clone(),
            can: self.scene.abilities(),
        })
    }
}
