//! From words to goals.

use tiller_vlm::AuthorError;
use tiller_vlm::words::{Instruction, JOINTS, QUESTIONS, Reader, quoted};

use super::goal::Goal;
use super::means::Means;
use super::phrase::{Phrase, phrase};
use super::words::{HEIGHTS, PURPOSES, VERBS, Verb};
use crate::scene::{Kind, Point, Scene};

/// What may stand before a request and changes nothing.
const SETTING_OUT: [&str; 2] = ["go and", "go"];

/// Understands an instruction in a scene: its goals, first things first.
pub(crate) fn parse(instruction: &str, scene: &Scene) -> Result<Vec<Goal>, AuthorError> {
    let Instruction { text, words } = Instruction::read(instruction, || scene.abilities())?;
    let mut meaning = Meaning {
        scene,
        instruction: text,
        goals: Vec::new(),
        thing: None,
        means: None,
    };
    let mut reader = Reader::new(&words);
    loop {
        while [&JOINTS[..], &QUESTIONS, &SETTING_OUT]
            .iter()
            .any(|words| reader.takes_any(words))
        {}
        if reader.rest().is_empty() {
            break;
        }
        let half = meaning.clause(&mut reader)?;
        if !reader.ends() {
            return Err(meaning.not_understood(reader.rest()));
        }
        meaning.add(half)?;
    }
    meaning.settle()?;
    Ok(meaning.goals)
}

/// What a clause says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Half {
    /// What is to be.
    Goal(Goal),
    /// By what, for a purpose that may follow.
    Means(Means),
}

/// A verb as it was said, and whether `up` or `down` came with it.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) verb: Verb,
    pub(super) text: String,
    pub(super) up: Option<bool>,
}

/// What has been understood so far.
pub(super) struct Meaning<'s> {
    pub(super) scene: &'s Scene,
    pub(super) instruction: String,
    goals: Vec<Goal>,
    /// The thing that was named last: what `it` is.
    pub(super) thing: Option<Point>,
    /// Means without a purpose yet.
    pub(super) means: Option<Means>,
}

impl Meaning<'_> {
    /// Takes a clause in. What was taken hold of before is for this, if it can be.
    fn add(&mut self, half: Half) -> Result<(), AuthorError> {
        if let Some(means) = self.means.take() {
            let goal = match &half {
                Half::Goal(goal) => Some(goal.clone()),
                Half::Means(next) => self.by_itself(next).ok(),
            };
            if let Some(goal) = goal.filter(|goal| means.fits(goal)) {
                self.goals.push(goal);
                return Ok(());
            }
            let before = self.by_itself(&means)?;
            self.goals.push(before);
        }
        match half {
            Half::Goal(goal) => self.goals.push(goal),
            Half::Means(means) => self.means = Some(means),
        }
        Ok(())
    }

    /// Nothing follows.
    fn settle(&mut self) -> Result<(), AuthorError> {
        if let Some(means) = self.means.take() {
            let goal = self.by_itself(&means)?;
            self.goals.push(goal);
        }
        Ok(())
    }

    /// What means are for when nothing says it.
    fn by_itself(&self, means: &Means) -> Result<Goal, AuthorError> {
        match means {
            Means::Block(block) => Ok(Goal::Lift(block.clone())),
            Means::Button(button) => Ok(Goal::Press(button.clone())),
            Means::Switch(switch, Some(up)) => Ok(Goal::Bulb(switch.clone(), *up)),
            Means::Switch(_, None) => Err(self.ambiguous(&[
                "turn on the light bulb".to_owned(),
                "turn off the light bulb".to_owned(),
            ])),
            Means::Handle(Some(handle), Some(pulled)) if handle.kind == Kind::DrawerHandle => {
                let goal = if *pulled { Goal::Open } else { Goal::Close };
                Ok(goal(handle.clone()))
            }
            Means::Handle(Some(_), Some(_)) => Err(self.which_side("move the slide")),
            Means::Handle(None, Some(_)) => Err(self.ambiguous(&[
                "pull or push the drawer handle".to_owned(),
                "move the slide handle left or right".to_owned(),
            ])),
            Means::Handle(_, None) => {
                Err(self.incomplete(format!("what to do with the {}", means.word())))
            }
        }
    }

    fn clause(&mut self, reader: &mut Reader<'_>) -> Result<Half, AuthorError> {
        let half = self.act(reader)?;
        let at = reader.at;
        let is_for = reader.takes_any(&PURPOSES) && reader.clone().takes_verb(&VERBS).is_some();
        if !is_for {
            reader.at = at;
            return Ok(half);
        }
        // What it is for decides, and must be what these means can do.
        let means = match &half {
            Half::Means(means) => Some(means.clone()),
            Half::Goal(_) => None,
        };
        let before = std::mem::replace(&mut self.means, means.clone());
        let purpose = self.clause(reader)?;
        self.means = before;
        let goal = match purpose {
            Half::Goal(goal) => goal,
            Half::Means(means) => self.by_itself(&means)?,
        };
        let fits = means.is_some_and(|means| means.fits(&goal)) || half == Half::Goal(goal.clone());
        if fits {
            return Ok(Half::Goal(goal));
        }
        Err(self.not_understood(&[format!("to {goal}")]))
    }

    /// A verb and what it is about, up to a purpose.
    fn act(&mut self, reader: &mut Reader<'_>) -> Result<Half, AuthorError> {
        let from = reader.at;
        let Some(mut verb) = reader.takes_verb(&VERBS) else {
            return Err(AuthorError::UnknownVerb {
                phrase: quoted(&reader.rest().join(" ")),
                can: self.scene.abilities(),
            });
        };
        // "grasp and lift".
        let mut ahead = reader.clone();
        if verb == Verb::Grasp
            && ahead.takes("and")
            && let Some(next) = ahead.takes_verb(&VERBS)
        {
            (verb, *reader) = (next, ahead);
        }
        let mut said = Said {
            verb,
            text: reader.since(from),
            up: reader.takes_one(&HEIGHTS),
        };
        if verb == Verb::Press {
            reader.takes("on");
        }
        let phrase = self.noun(reader, &said.text)?;
        let phrase = self.meant(phrase)?;
        if said.up.is_none() {
            said.up = reader.takes_one(&HEIGHTS);
        }
        self.of_thing(&said, &phrase, reader)
    }

    /// A noun phrase that has to come next.
    fn noun(&self, reader: &mut Reader<'_>, said: &str) -> Result<Phrase, AuthorError> {
        if let Some(phrase) = phrase(reader) {
            return Ok(phrase);
        }
        if reader.rest().is_empty() {
            return Err(self.incomplete(format!("what to {said}")));
        }
        Err(AuthorError::UnknownObject {
            phrase: quoted(&reader.rest().join(" ")),
            can: self.scene.abilities(),
        })
    }

    /// What `it` is, and which light where the means say so.
    fn meant(&self, phrase: Phrase) -> Result<Phrase, AuthorError> {
        match (&phrase, &self.thing, &self.means) {
            (Phrase::Pronoun, Some(thing), _) => {
                let words = thing.name.split(' ').map(ToOwned::to_owned).collect();
                Ok(Phrase::Thing(thing.kind, words))
            }
            (Phrase::Pronoun, None, _) => Err(self.incomplete("what `it` is".to_owned())),
            (Phrase::AnyLight, _, Some(Means::Button(_))) => {
                Ok(Phrase::Thing(Kind::Led, Vec::new()))
            }
            (Phrase::AnyLight, _, Some(Means::Switch(..))) => {
                Ok(Phrase::Thing(Kind::Bulb, Vec::new()))
            }
            _ => Ok(phrase),
        }
    }

    pub(super) fn not_understood(&self, words: &[String]) -> AuthorError {
        AuthorError::NotUnderstood {
            words: words.to_vec(),
            instruction: self.instruction.clone(),
            can: self.scene.abilities(),
        }
    }

    pub(super) fn incomplete(&self, missing: String) -> AuthorError {
        AuthorError::Incomplete {
            instruction: self.instruction.clone(),
            missing,
            can: self.scene.abilities(),
        }
    }

    pub(super) fn ambiguous(&self, choices: &[String]) -> AuthorError {
        AuthorError::Ambiguous {
            phrase: self.instruction.clone(),
            choices: choices.to_vec(),
        }
    }

    pub(super) fn which_side(&self, what: &str) -> AuthorError {
        self.ambiguous(&[format!("{what} left"), format!("{what} right")])
    }
}
