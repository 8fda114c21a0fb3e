//! Messages in, what the switcher's machine says out as messages.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{Array, ArrayRef};
use tiller_closed_loop::journal::{Header, Machine, Pending, Pieces, Recorder};
use tiller_closed_loop::{Movement, Notice, Switcher, SwitcherEffect, SwitcherEvent};
use tiller_core::{MAX_STATUS, clip, visible_block};
use tiller_messages::{
    Arrival, ExecutionState, Journal, Level, Message, MessageError, SequenceCheck, Status,
};

use crate::settings::Settings;

/// Without programs there is nothing to decide, without states no clock.
pub(crate) const ESSENTIAL: &[&str] = &["arm_state", "progress"];

/// The node's name in statuses.
const NAME: &str = "stage-switcher";

/// How often refusals of one kind are told at most.
const REFUSALS: Duration = Duration::from_secs(1);

/// An output's name and its data.
pub(crate) type Output = (&'static str, ArrayRef);

/// The machine with its inputs and outputs.
pub(crate) struct Ports {
    switcher: Switcher,
    session: u64,
    arrivals: Arrivals,
    /// What the arm was doing when the actuator spoke last.
    movement: Movement,
    statuses: u64,
    refusals: BTreeMap<String, Refusals>,
    journal: Option<(Recorder<Pending>, Pieces)>,
    pieces: u64,
    started: Instant,
    effects: Vec<SwitcherEffect>,
}

#[derive(Default)]
struct Refusals {
    count: u64,
    told: Option<Instant>,
}

#[derive(Default)]
struct Arrivals {
    programs: SequenceCheck,
    progress: SequenceCheck,
    states: SequenceCheck,
    executions: SequenceCheck,
    advice: SequenceCheck,
    operator_advice: SequenceCheck,
    episodes: SequenceCheck,
}

impl Ports {
    /// A machine that waits for a program.
    pub(crate) fn new(settings: Settings) -> Result<Self, String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let session = settings.switcher.session;
        let switcher = Switcher::new(settings.switcher.clone()).map_err(|error| text(&error))?;
        let header = settings.journal.then(|| Header {
            software: env!("CARGO_PKG_VERSION").to_owned(),
            machine: Machine::Switcher(settings.switcher.clone()),
        });
        let journal = match header {
            Some(header) => Some(Pieces::new(&header).map_err(|error| text(&error))?),
            None => None,
        };
        Ok(Self {
            switcher,
            session,
            arrivals: Arrivals::default(),
            movement: Movement::default(),
            statuses: 0,
            refusals: BTreeMap::new(),
            journal,
            pieces: 0,
            started: Instant::now(),
            effects: Vec::new(),
        })
    }

    /// Takes an input; gives what is to be sent. What cannot be understood is told and forgotten.
    pub(crate) fn take(&mut self, id: &str, array: &dyn Array) -> Vec<Output> {
        let mut outputs = match self.read(id, array) {
            Ok(Some(event)) => self.on(event),
            Ok(None) => Vec::new(),
            Err(reason) => self.refuse(id, &reason),
        };
        let now_ns = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let due = self
            .journal
            .as_mut()
            .and_then(|(_, pieces)| pieces.due(now_ns));
        outputs.extend(due.map(|piece| self.piece(piece)));
        outputs
    }

    /// What of the journal has not been sent.
    pub(crate) fn rest(&mut self) -> Option<Output> {
        let rest = self
            .journal
            .as_mut()
            .and_then(|(_, pieces)| pieces.rest())?;
        Some(self.piece(rest))
    }

    fn piece(&mut self, mut piece: Journal) -> Output {
        self.pieces += 1;
        piece.number(self.session, self.pieces);
        ("journal", Arc::new(piece.to_arrow()))
    }

    /// Tells that an input was refused.
    pub(crate) fn refuse(&mut self, id: &str, reason: &str) -> Vec<Output> {
        let notice = Notice::warning("message_refused", format!("input `{id}`: {reason}"));
        self.tell_seldom(id, notice).into_iter().collect()
    }

    /// A refusal as a status: at once, then at most once a second for each key.
    fn tell_seldom(&mut self, key: &str, mut notice: Notice) -> Option<Output> {
        let refusals = self.refusals.entry(key.to_owned()).or_default();
        refusals.count += 1;
        let now = Instant::now();
        if refusals
            .told
            .is_some_and(|told| now.duration_since(told) < REFUSALS)
        {
            return None;
        }
        refusals.told = Some(now);
        notice.text = format!("{} ({} refused so far)", notice.text, refusals.count);
        Some(self.status(notice))
    }

    fn read(&mut self, id: &str, array: &dyn Array) -> Result<Option<SwitcherEvent>, String> {
        let arrivals = &mut self.arrivals;
        Ok(match id {
            "reward_program" => fresh(array, &mut arrivals.programs)?.map(SwitcherEvent::Program),
            "progress" => fresh(array, &mut arrivals.progress)?.map(SwitcherEvent::Progress),
            "arm_state" => fresh(array, &mut arrivals.states)?.map(SwitcherEvent::Arm),
            "execution_state" => {
                let state = fresh::<ExecutionState>(array, &mut arrivals.executions)?;
                let movement = state.map(|state| Movement::from(state.mode));
                // Told fifty times a second; what the machine minds is a change.
                let changed = movement.filter(|movement| *movement != self.movement);
                self.movement = changed.unwrap_or(self.movement);
                changed.map(SwitcherEvent::Movement)
            }
            "stage_advice" => fresh(array, &mut arrivals.advice)?.map(SwitcherEvent::Advice),
            "operator_advice" => {
                fresh(array, &mut arrivals.operator_advice)?.map(SwitcherEvent::Advice)
            }
            "episode" => fresh(array, &mut arrivals.episodes)?.map(SwitcherEvent::Episode),
            // A sign of life between dora and the operator's process.
            "heartbeat" => None,
            _ => return Err("this input is unknown".to_owned()),
        })
    }

    fn on(&mut self, event: SwitcherEvent) -> Vec<Output> {
        let recorded = self.journal.as_ref().map(|_| event.clone());
        let mut effects = std::mem::take(&mut self.effects);
        self.switcher.on(event, &mut effects);
        let mut outputs: Vec<Output> = Vec::new();
        if let (Some((journal, _)), Some(event)) = (&mut self.journal, recorded)
            && let Err(error) = journal.record(0, &event, &effects)
        {
            self.journal = None;
            let notice = Notice::warning("journal", format!("no journal any more: {error}"));
            outputs.push(self.status(notice));
        }
        for effect in effects.drain(..) {
            match effect {
                SwitcherEffect::Stage(stage) => {
                    outputs.push(("stage", Arc::new(stage.to_arrow())));
                }
                SwitcherEffect::Query(query) => {
                    outputs.push(("stage_query", Arc::new(query.to_arrow())));
                }
                SwitcherEffect::Tell(notice) => outputs.extend(self.tell(notice)),
            }
        }
        self.effects = effects;
        outputs
    }

    fn tell(&mut self, notice: Notice) -> Option<Output> {
        if notice.level == Level::Warning && notice.code.ends_with("_refused") {
            return self.tell_seldom(&notice.code.clone(), notice);
        }
        Some(self.status(notice))
    }

    fn status(&mut self, notice: Notice) -> Output {
        self.statuses += 1;
        let status = Status {
            session: self.session,
            seq: self.statuses,
            node: NAME.to_owned(),
            level: notice.level,
            code: notice.code,
            text: clip(&visible_block(&notice.text), MAX_STATUS).into_owned(),
        };
        ("status", Arc::new(status.to_arrow()))
    }
}

/// The message, if it is newer than those before.
fn fresh<M: Message>(array: &dyn Array, check: &mut SequenceCheck) -> Result<Option<M>, String> {
    let message = M::from_arrow(array).map_err(|error| error.to_string())?;
    message.check_finite().map_err(|error| error.to_string())?;
    let found = (message.session(), message.seq());
    match check.observe(found.0, found.1) {
        Arrival::Repeated => Ok(None),
        Arrival::Late { last } => {
            let message = M::NAME;
            Err(MessageError::OutOfOrder {
                message,
                last,
                found,
            }
            .to_string())
        }
        _ => Ok(Some(message)),
    }
}

#[cfg(test)]
mod tests;
