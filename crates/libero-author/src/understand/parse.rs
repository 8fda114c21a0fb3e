//! From words to goals.

use tiller_vlm::AuthorError;
use tiller_vlm::words::{Instruction, JOINTS, QUESTIONS, Reader, quoted};

use super::goal::{Goal, Place};
use super::phrase::{Phrase, phrase};
use super::words::{Towards, VERBS, Verb, WAYS};
use crate::scene::{Kind, Level, Point, Scene};

/// Understands an instruction in a scene: its goals, first things first.
pub(crate) fn parse(instruction: &str, scene: &Scene) -> Result<Vec<Goal>, AuthorError> {
    let Instruction { text, words } = Instruction::read(instruction, || scene.abilities())?;
    let mut meaning = Meaning {
        scene,
        instruction: text,
        goals: Vec::new(),
        drawer: None,
        thing: None,
    };
    let mut reader = Reader::new(&words);
    loop {
        while reader.takes_any(&JOINTS) || reader.takes_any(&QUESTIONS) {}
        if reader.rest().is_empty() {
            break;
        }
        let goal = meaning.clause(&mut reader)?;
        meaning.add(goal);
        if !reader.ends() {
            return Err(meaning.not_understood(reader.rest()));
        }
    }
    Ok(meaning.goals)
}

/// What has been understood so far.
struct Meaning<'s> {
    scene: &'s Scene,
    instruction: String,
    goals: Vec<Goal>,
    /// The drawer that was opened: where `inside` is.
    drawer: Option<Point>,
    /// The thing that was named last: what `it` is.
    thing: Option<Point>,
}

impl Meaning<'_> {
    fn not_understood(&self, words: &[String]) -> AuthorError {
        AuthorError::NotUnderstood {
            words: words.to_vec(),
            instruction: self.instruction.clone(),
            can: self.scene.abilities(),
        }
    }

    /// Takes a goal in; picking a thing up is the beginning of putting it somewhere.
    fn add(&mut self, goal: Goal) {
        if let (Some(Goal::Lift(held)), Goal::Put(thing, _)) = (self.goals.last(), &goal)
            && held == thing
        {
            self.goals.pop();
        }
        match &goal {
            Goal::Open(drawer) => self.drawer = Some(drawer.clone()),
            Goal::Put(thing, _) | Goal::Lift(thing) => self.thing = Some(thing.clone()),
            Goal::Close(_) | Goal::Turn(..) => {}
        }
        self.goals.push(goal);
    }

    fn clause(&self, reader: &mut Reader<'_>) -> Result<Goal, AuthorError> {
        let words = reader.rest();
        let Some(verb) = reader.takes_verb(&VERBS) else {
            let phrase = quoted(&words.join(" "));
            let can = self.scene.abilities();
            return Err(AuthorError::UnknownVerb { phrase, can });
        };
        let said = words[..words.len() - reader.rest().len()].join(" ");
        match verb {
            Verb::TurnOn => self.turn(reader, Some(true)),
            Verb::TurnOff => self.turn(reader, Some(false)),
            Verb::Turn => self.turn(reader, None),
            Verb::Open | Verb::Close => {
                let phrase = self.noun(reader, &said)?;
                let drawer = self.drawer(&phrase, &said)?;
                reader.takes_any(&["up", "out", "open", "shut", "closed"]);
                Ok(if verb == Verb::Open {
                    Goal::Open(drawer)
                } else {
                    Goal::Close(drawer)
                })
            }
            Verb::Lift => {
                let phrase = self.noun(reader, &said)?;
                let thing = self.loose(&phrase, &said)?;
                reader.takes("up");
                // "take the bowl to the plate".
                match self.place(reader, &thing)? {
                    Some(place) => Ok(Goal::Put(thing, place)),
                    None => Ok(Goal::Lift(thing)),
                }
            }
            Verb::Put | Verb::Pull | Verb::Push => {
                let phrase = self.noun(reader, &said)?;
                if let Phrase::Drawer(..) = phrase
                    && verb != Verb::Put
                {
                    return self.slide(reader, &phrase, verb, &said);
                }
                let thing = self.loose(&phrase, &said)?;
                match self.place(reader, &thing)? {
                    Some(place) => Ok(Goal::Put(thing, place)),
                    None if reader.rest().is_empty() => Err(AuthorError::Incomplete {
                        instruction: self.instruction.clone(),
                        missing: format!("where to {said} the {}", thing.name),
                        can: self.scene.abilities(),
                    }),
                    None => Err(self.not_understood(reader.rest())),
                }
            }
        }
    }

    /// A noun phrase that has to come next.
    fn noun(&self, reader: &mut Reader<'_>, said: &str) -> Result<Phrase, AuthorError> {
        if let Some(phrase) = phrase(reader, self.scene) {
            return Ok(phrase);
        }
        let can = self.scene.abilities();
        if reader.rest().is_empty() {
            return Err(AuthorError::Incomplete {
                instruction: self.instruction.clone(),
                missing: format!("what to {said}"),
                can,
            });
        }
        let phrase = quoted(&reader.rest().join(" "));
        Err(AuthorError::UnknownObject { phrase, can })
    }

    /// `turn on the stove`, `turn the stove on`, `turn the knob off`.
    fn turn(&self, reader: &mut Reader<'_>, on: Option<bool>) -> Result<Goal, AuthorError> {
        let states = [("on", true), ("off", false)];
        let phrase = self.noun(reader, "turn")?;
        let on = on.or_else(|| reader.takes_one(&states));
        let Phrase::Thing(kind @ (Kind::Stove | Kind::Burner | Kind::Knob), told) = phrase else {
            return Err(self.unsupported("turn on", &phrase));
        };
        let Some(on) = on else {
            return Err(AuthorError::Ambiguous {
                phrase: self.instruction.clone(),
                choices: vec![
                    "turn on the stove".to_owned(),
                    "turn off the stove".to_owned(),
                ],
            });
        };
        let stove = self.one(Kind::Stove, &told).or_else(|error| {
            if kind == Kind::Stove {
                Err(error)
            } else {
                self.one(kind, &told)
            }
        })?;
        if self.scene.part(&stove, Kind::Knob).is_none() {
            return Err(self.missing(&format!("knob of the {}", stove.name)));
        }
        Ok(Goal::Turn(stove, on))
    }

    /// A drawer that is pulled or pushed: out or in.
    fn slide(
        &self,
        reader: &mut Reader<'_>,
        phrase: &Phrase,
        verb: Verb,
        said: &str,
    ) -> Result<Goal, AuthorError> {
        let drawer = self.drawer(phrase, said)?;
        let ends = [
            ("open", true),
            ("out", true),
            ("closed", false),
            ("shut", false),
            ("in", false),
        ];
        let opens = reader.takes_one(&ends).unwrap_or(verb == Verb::Pull);
        Ok(if opens {
            Goal::Open(drawer)
        } else {
            Goal::Close(drawer)
        })
    }

    /// Where to, if anything says so.
    fn place(&self, reader: &mut Reader<'_>, thing: &Point) -> Result<Option<Place>, AuthorError> {
        let Some(towards) = reader.takes_one(&WAYS) else {
            return Ok(None);
        };
        let phrase = phrase(reader, self.scene);
        let place = match (towards, phrase) {
            (Towards::In, None) if reader.ends() => Place::Drawer(self.open_drawer()?),
            (Towards::In, Some(Phrase::Pronoun)) => Place::Drawer(self.open_drawer()?),
            (Towards::Front, Some(Phrase::Thing(Kind::Stove, told)))
            | (Towards::On, Some(Phrase::Front(told))) => {
                Place::FrontOfStove(self.one(Kind::Stove, &told)?)
            }
            (Towards::On | Towards::In, Some(Phrase::Thing(kind, told))) => {
                self.on(kind, &told, towards)?
            }
            (Towards::On, Some(Phrase::Top(told) | Phrase::Drawer(None, told))) => {
                Place::CabinetTop(self.one(Kind::Cabinet, &told)?)
            }
            (Towards::In, Some(phrase @ Phrase::Drawer(..))) => {
                Place::Drawer(self.drawer(&phrase, "use")?)
            }
            (_, None) => {
                let can = self.scene.abilities();
                let phrase = quoted(&reader.rest().join(" "));
                return Err(AuthorError::UnknownObject { phrase, can });
            }
            (_, Some(phrase)) => return Err(self.unsupported("put things on", &phrase)),
        };
        let is_itself = matches!(&place, Place::On(point) if point == thing);
        if is_itself {
            let phrase = Phrase::Thing(thing.kind, Vec::new());
            return Err(self.unsupported("put it on", &phrase));
        }
        Ok(Some(place))
    }

    /// The place that a kind of thing is.
    fn on(&self, kind: Kind, told: &[String], towards: Towards) -> Result<Place, AuthorError> {
        match kind {
            Kind::Bowl | Kind::Plate => Ok(Place::On(self.one(kind, told)?)),
            Kind::Stove => Ok(Place::Stove(self.one(kind, told)?)),
            Kind::Burner => Ok(Place::Stove(self.one(Kind::Stove, told)?)),
            Kind::Rack => Ok(Place::Rack(self.one(kind, told)?)),
            Kind::Cabinet if towards == Towards::On => Ok(Place::CabinetTop(self.one(kind, told)?)),
            Kind::Cabinet => Err(self.which_drawer()),
            Kind::Cheese | Kind::Bottle | Kind::Knob | Kind::Drawer(_) => {
                let phrase = Phrase::Thing(kind, told.to_vec());
                Err(self.unsupported("put things on", &phrase))
            }
        }
    }

    fn open_drawer(&self) -> Result<Point, AuthorError> {
        self.drawer.clone().ok_or_else(|| self.which_drawer())
    }

    fn which_drawer(&self) -> AuthorError {
        let levels = Level::ALL.into_iter().map(Kind::Drawer);
        let found = levels.filter(|kind| self.scene.of(*kind).next().is_some());
        let choices: Vec<_> = found.map(|kind| format!("the {}", kind.word())).collect();
        if choices.is_empty() {
            return self.missing("drawer");
        }
        AuthorError::Ambiguous {
            phrase: self.instruction.clone(),
            choices,
        }
    }

    /// The drawer that is meant.
    fn drawer(&self, phrase: &Phrase, action: &str) -> Result<Point, AuthorError> {
        match phrase {
            Phrase::Drawer(Some(level), told) => self.one(Kind::Drawer(*level), told),
            Phrase::Pronoun => self.open_drawer(),
            Phrase::Drawer(None, _) | Phrase::Thing(Kind::Cabinet, _) => {
                let levels = Level::ALL.into_iter().map(Kind::Drawer);
                let found: Vec<_> = levels.flat_map(|kind| self.scene.of(kind)).collect();
                match found.as_slice() {
                    [drawer] => Ok((*drawer).clone()),
                    _ => Err(self.which_drawer()),
                }
            }
            _ => Err(self.unsupported(action, phrase)),
        }
    }

    /// The thing that is meant and can be carried.
    fn loose(&self, phrase: &Phrase, action: &str) -> Result<Point, AuthorError> {
        match phrase {
            Phrase::Thing(kind, told) if kind.is_loose() => self.one(*kind, told),
            Phrase::Pronoun => self.thing.clone().ok_or_else(|| AuthorError::Incomplete {
                instruction: self.instruction.clone(),
                missing: "what `it` is".to_owned(),
                can: self.scene.abilities(),
            }),
            _ => Err(self.unsupported(action, phrase)),
        }
    }

    /// The only thing of a kind that is called so.
    fn one(&self, kind: Kind, told: &[String]) -> Result<Point, AuthorError> {
        let called = |point: &&Point| told.iter().all(|word| point.is_called(word));
        let found: Vec<_> = self.scene.of(kind).filter(called).collect();
        let name = || {
            let words = told.iter().map(String::as_str).chain([kind.word()]);
            words.collect::<Vec<_>>().join(" ")
        };
        match found.as_slice() {
            [point] => Ok((*point).clone()),
            [] => Err(self.missing(&name())),
            several => Err(AuthorError::Ambiguous {
                phrase: name(),
                choices: several.iter().map(|point| point.name.clone()).collect(),
            }),
        }
    }

    fn missing(&self, object: &str) -> AuthorError {
        AuthorError::ObjectNotInScene {
            object: object.to_owned(),
            can: self.scene.abilities(),
        }
    }

    fn unsupported(&self, action: &str, phrase: &Phrase) -> AuthorError {
        let object = match phrase {
            Phrase::Thing(kind, _) => kind.word(),
            Phrase::Drawer(Some(level), _) => Kind::Drawer(*level).word(),
            Phrase::Drawer(None, _) => "drawer",
            Phrase::Top(_) => "top of the cabinet",
            Phrase::Front(_) => "front of the stove",
            Phrase::Pronoun => "thing",
        };
        AuthorError::Unsupported {
            action: action.to_owned(),
            object: object.to_owned(),
            can: self.scene.abilities(),
        }
    }
}
