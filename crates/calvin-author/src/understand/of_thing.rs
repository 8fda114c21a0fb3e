//! What a verb asks of each kind of thing.

use tiller_vlm::AuthorError;
use tiller_vlm::words::{ARTICLES, Reader};

use super::goal::{Goal, Side};
use super::means::Means;
use super::parse::{Half, Meaning, Said};
use super::phrase::Phrase;
use super::words::{ENDS, INTO, INTO_IT, PLACES_BEFORE, QUARTER_TURN, SIDES, SPOTS, TOWARDS, Verb};
use crate::scene::{Kind, Point, Spot};

impl Meaning<'_> {
    /// What a verb asks of what a phrase means.
    pub(super) fn of_thing(
        &mut self,
        said: &Said,
        phrase: &Phrase,
        reader: &mut Reader<'_>,
    ) -> Result<Half, AuthorError> {
        let told = match phrase {
            Phrase::Thing(_, told) => told.as_slice(),
            _ => &[],
        };
        let takes_height = match phrase {
            Phrase::Thing(Kind::Switch, _) => true,
            Phrase::Thing(Kind::Button, _) => said.up == Some(false),
            Phrase::Thing(Kind::Block, _) => said.up == Some(true),
            _ => false,
        };
        if let (Some(up), false) = (said.up, takes_height) {
            let word = if up { "up" } else { "down" };
            return Err(self.not_understood(&[word.to_owned()]));
        }
        match phrase {
            Phrase::Thing(Kind::Block, _) => self.block(said, told, reader),
            Phrase::Thing(Kind::Drawer | Kind::DrawerHandle, _) => {
                let handle = self.named(Kind::DrawerHandle, told)?;
                self.drawer(said, phrase, handle, reader)
            }
            Phrase::Thing(Kind::Slide | Kind::SlideHandle, _) => {
                let handle = self.named(Kind::SlideHandle, told)?;
                self.slide(said, phrase, handle, reader)
            }
            Phrase::Handle => self.handle(said, reader),
            Phrase::Thing(Kind::Button, _) => match said.verb {
                Verb::Press | Verb::Push | Verb::Toggle | Verb::Use => {
                    Ok(Half::Means(Means::Button(self.named(Kind::Button, told)?)))
                }
                _ => Err(self.unsupported(said, phrase)),
            },
            Phrase::Thing(Kind::Switch, _) => self.switch(said, told, reader),
            Phrase::Thing(kind @ (Kind::Led | Kind::Bulb), _) => {
                self.light(said, *kind, told, reader)
            }
            Phrase::AnyLight | Phrase::Pronoun => {
                let state = match said.verb {
                    Verb::TurnOff => "off",
                    _ => "on",
                };
                Err(self.ambiguous(
                    &["led", "light bulb"].map(|light| format!("turn {state} the {light}")),
                ))
            }
        }
    }

    fn drawer(
        &mut self,
        said: &Said,
        phrase: &Phrase,
        handle: Point,
        reader: &mut Reader<'_>,
    ) -> Result<Half, AuthorError> {
        let end = reader.takes_one(&ENDS);
        let opens = match (said.verb, end) {
            (Verb::Open, None | Some(true)) => true,
            (Verb::Close, None | Some(false)) => false,
            (Verb::Pull | Verb::Push | Verb::Move, Some(opens)) => opens,
            (Verb::Pull | Verb::Push, None) => {
                let pulled = said.verb == Verb::Pull;
                return Ok(Half::Means(Means::Handle(Some(handle), Some(pulled))));
            }
            (Verb::Grasp | Verb::Use, None) => {
                return Ok(Half::Means(Means::Handle(Some(handle), None)));
            }
            (Verb::Move, None) => {
                let choices = ["open the drawer", "close the drawer"];
                return Err(self.ambiguous(&choices.map(ToOwned::to_owned)));
            }
            _ => return Err(self.unsupported(said, phrase)),
        };
        let goal = if opens { Goal::Open } else { Goal::Close };
        Ok(Half::Goal(goal(handle)))
    }

    fn slide(
        &mut self,
        said: &Said,
        phrase: &Phrase,
        handle: Point,
        reader: &mut Reader<'_>,
    ) -> Result<Half, AuthorError> {
        let side = takes_side(reader);
        match (said.verb, side) {
            (Verb::Pull | Verb::Push | Verb::Move | Verb::Open | Verb::Close, Some(side)) => {
                Ok(Half::Goal(Goal::Slide(handle, side)))
            }
            (Verb::Pull | Verb::Push | Verb::Move | Verb::Grasp | Verb::Use, None) => {
                let pulled = match said.verb {
                    Verb::Grasp | Verb::Use => None,
                    verb => Some(verb == Verb::Pull),
                };
                Ok(Half::Means(Means::Handle(Some(handle), pulled)))
            }
            (Verb::Open | Verb::Close, None) => Err(self.which_side("move the slide")),
            _ => Err(self.unsupported(said, phrase)),
        }
    }

    /// A handle of which it is not said whose it is.
    fn handle(&mut self, said: &Said, reader: &mut Reader<'_>) -> Result<Half, AuthorError> {
        if let Some(side) = takes_side(reader) {
            return match said.verb {
                Verb::Pull | Verb::Push | Verb::Move => {
                    let handle = self.named(Kind::SlideHandle, &[])?;
                    Ok(Half::Goal(Goal::Slide(handle, side)))
                }
                _ => Err(self.unsupported(said, &Phrase::Handle)),
            };
        }
        let pulled = match said.verb {
            Verb::Pull => Some(true),
            Verb::Push => Some(false),
            Verb::Grasp | Verb::Use | Verb::Move => None,
            _ => return Err(self.unsupported(said, &Phrase::Handle)),
        };
        Ok(Half::Means(Means::Handle(None, pulled)))
    }

    fn switch(
        &mut self,
        said: &Said,
        told: &[String],
        reader: &mut Reader<'_>,
    ) -> Result<Half, AuthorError> {
        let switch = self.named(Kind::Switch, told)?;
        let up = match said.verb {
            Verb::TurnOn => Some(true),
            Verb::TurnOff => Some(false),
            Verb::Turn => reader.takes_one(&STATES),
            Verb::Lift => Some(true),
            Verb::Push
            | Verb::Pull
            | Verb::Move
            | Verb::Press
            | Verb::Toggle
            | Verb::Grasp
            | Verb::Use => said.up,
            Verb::Open | Verb::Close | Verb::Rotate => {
                let phrase = Phrase::Thing(Kind::Switch, told.to_vec());
                return Err(self.unsupported(said, &phrase));
            }
        };
        if said.up.is_some() && said.up != up {
            return Err(self.not_understood(std::slice::from_ref(&said.text)));
        }
        Ok(Half::Means(Means::Switch(switch, up)))
    }

    fn light(
        &mut self,
        said: &Said,
        kind: Kind,
        told: &[String],
        reader: &mut Reader<'_>,
    ) -> Result<Half, AuthorError> {
        let by = match kind {
            Kind::Led => Kind::Button,
            _ => Kind::Switch,
        };
        let (by, _) = (self.named(by, &[])?, self.named(kind, told)?);
        let on = match said.verb {
            Verb::TurnOn => Some(true),
            Verb::TurnOff => Some(false),
            Verb::Turn => reader.takes_one(&STATES),
            Verb::Toggle => None,
            _ => return Err(self.unsupported(said, &Phrase::Thing(kind, told.to_vec()))),
        };
        match (kind, on) {
            (Kind::Led, Some(on)) => Ok(Half::Goal(Goal::Led(by, on))),
            (Kind::Led, None) if said.verb == Verb::Toggle => Ok(Half::Means(Means::Button(by))),
            (_, Some(on)) => Ok(Half::Goal(Goal::Bulb(by, on))),
            (_, None) => {
                let light = if kind == Kind::Led {
                    "led"
                } else {
                    "light bulb"
                };
                Err(self.ambiguous(&["on", "off"].map(|state| format!("turn {state} the {light}"))))
            }
        }
    }

    fn block(
        &mut self,
        said: &Said,
        told: &[String],
        reader: &mut Reader<'_>,
    ) -> Result<Half, AuthorError> {
        let phrase = Phrase::Thing(Kind::Block, told.to_vec());
        let along = matches!(said.verb, Verb::Push | Verb::Move | Verb::Pull);
        let mut spot = None;
        if !(along && reader.clone().takes_any(&INTO)) {
            spot = takes_spot(reader);
        }
        let before = self.thing.take();
        let into_it = before.filter(|thing| thing.kind == Kind::DrawerHandle);
        let block = self.one_block(told, spot)?;
        let half = match said.verb {
            Verb::Lift => Half::Goal(Goal::Lift(block)),
            Verb::Grasp => Half::Means(Means::Block(block)),
            Verb::Turn | Verb::Rotate => {
                let quarter = reader.takes_any(&QUARTER_TURN);
                let side = takes_side(reader);
                if !quarter {
                    reader.takes_any(&QUARTER_TURN);
                }
                let what = format!("rotate the {}", block.name);
                let side = side.ok_or_else(|| self.which_side(&what))?;
                Half::Goal(Goal::Rotate(block, side))
            }
            Verb::Push | Verb::Move | Verb::Pull => {
                if reader.takes_any(&INTO) || into_it.is_some() && reader.takes_any(&INTO_IT) {
                    let handle = self.named(Kind::DrawerHandle, &[])?;
                    return Ok(Half::Goal(Goal::PushInto(block, handle)));
                }
                let what = format!("push the {}", block.name);
                let side = takes_side(reader).ok_or_else(|| {
                    if reader.ends() {
                        self.which_side(&what)
                    } else {
                        self.not_understood(reader.rest())
                    }
                })?;
                Half::Goal(Goal::Push(block, side))
            }
            _ => return Err(self.unsupported(said, &phrase)),
        };
        if said.up.is_some() && !matches!(half, Half::Goal(Goal::Lift(_)) | Half::Means(_)) {
            return Err(self.not_understood(&["up".to_owned()]));
        }
        Ok(half)
    }

    /// The only block that is called so and lies there.
    fn one_block(&mut self, told: &[String], spot: Option<Spot>) -> Result<Point, AuthorError> {
        let lies = |point: &Point| spot.is_none_or(|spot| Spot::of(point) == spot);
        let found = self.called(Kind::Block, told);
        let place = spot
            .map(|spot| format!(" {}", spot.word()))
            .unwrap_or_default();
        let found = found.into_iter().filter(lies).collect();
        self.one(found, told, Kind::Block, &place)
    }

    /// The only thing of a kind that is called so. It is what `it` means from then on.
    fn named(&mut self, kind: Kind, told: &[String]) -> Result<Point, AuthorError> {
        let found = self.called(kind, told);
        self.one(found, told, kind, "")
    }

    fn called(&self, kind: Kind, told: &[String]) -> Vec<Point> {
        let is_called = |point: &&Point| told.iter().all(|word| point.is_called(word));
        self.scene.of(kind).filter(is_called).cloned().collect()
    }

    fn one(
        &mut self,
        found: Vec<Point>,
        told: &[String],
        kind: Kind,
        place: &str,
    ) -> Result<Point, AuthorError> {
        let mut words: Vec<&str> = told.iter().map(String::as_str).collect();
        words.retain(|word| !kind.word().split(' ').any(|part| part == *word));
        words.push(kind.word());
        let name = words.join(" ") + place;
        match found.as_slice() {
            [point] => {
                self.thing = Some(point.clone());
                Ok(point.clone())
            }
            [] => Err(AuthorError::ObjectNotInScene {
                object: name,
                can: self.scene.abilities(),
            }),
            several => Err(AuthorError::Ambiguous {
                phrase: name,
                choices: several.iter().map(|point| point.name.clone()).collect(),
            }),
        }
    }

    fn unsupported(&self, said: &Said, phrase: &Phrase) -> AuthorError {
        AuthorError::Unsupported {
            action: said.text.clone(),
            object: phrase.word().to_owned(),
            can: self.scene.abilities(),
        }
    }
}

/// What comes after `turn`.
const STATES: [(&str, bool); 2] = [("on", true), ("off", false)];

/// `left`, `to the left side`, `all the way to the left`.
fn takes_side(reader: &mut Reader<'_>) -> Option<Side> {
    let from = reader.at;
    reader.takes_any(&TOWARDS);
    let side = reader.takes_one(&SIDES);
    if side.is_none() {
        reader.at = from;
    }
    side
}

/// `from the table`, `lying in the drawer`.
fn takes_spot(reader: &mut Reader<'_>) -> Option<Spot> {
    let from = reader.at;
    let led_up = reader.takes_any(&PLACES_BEFORE);
    if led_up {
        reader.takes_any(&ARTICLES);
        if let Some(spot) = reader.takes_one(&SPOTS) {
            return Some(spot);
        }
    }
    reader.at = from;
    None
}
