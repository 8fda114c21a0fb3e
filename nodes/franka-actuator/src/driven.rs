//! An arm with a driver: a thread of its own reads, limits and commands it once a millisecond. It waits
//! for nobody but the arm, and asks for memory only where there is something out of the ordinary.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use eyre::{Result, WrapErr, bail, eyre};
use tiller_closed_loop::journal::{JournalError, Pending, Recorder};
use tiller_closed_loop::{
    ActuatorEffect, ActuatorEvent, Guard, LimitedArm, LimitedArmError, Notice, SETPOINTS,
};
use tiller_motion::ActuatorConfig;
use tiller_node_kit::robot_clock_ns;

use crate::arms::Driver;
use crate::node::Machine;
use crate::realtime::{self, RealTime};
use crate::rings::Rings;
use crate::signals;

const PERIOD: Duration = Duration::from_millis(1);

/// Being further behind than this, the thread does not catch up: the arm would be hurried.
const LOST: Duration = Duration::from_millis(10);

/// How long the arm may take to come to rest at the end.
const REST_LIMIT: Duration = Duration::from_secs(3);

/// A journal that a thread can own.
pub type Journal = Recorder<Pending>;

/// An arm that moves on a thread of its own.
pub struct Driven {
    rings: Arc<Rings>,
    thread: Option<JoinHandle<()>>,
}

impl Driven {
    /// Takes over the arm; its thread asks for real time as `real_time` says.
    ///
    /// # Errors
    /// When the thread cannot be started, or is refused what is required.
    pub fn new(
        driver: Driver,
        config: ActuatorConfig,
        guard: &Guard,
        real_time: RealTime,
        journal: Option<Journal>,
    ) -> Result<Self> {
        let rings = Arc::new(Rings::new());
        let (sender, granted) = sync_channel(1);
        let course = Course {
            arm: LimitedArm::new(driver, config, journal).guarded(guard),
            rings: Arc::clone(&rings),
            is_journal_lost: false,
        };
        let thread = thread::Builder::new()
            .name("arm".to_owned())
            .spawn(move || {
                let granted = (real_time != RealTime::Without).then(realtime::ask);
                let goes_on = granted
                    .as_ref()
                    .is_none_or(|granted| real_time.judge(granted).is_ok());
                let is_heard = sender.send(granted).is_ok();
                if goes_on && is_heard {
                    course.run();
                }
            })
            .wrap_err("cannot start the arm's thread")?;
        let granted = granted.recv().wrap_err("the arm's thread has ended")?;
        if let Some(granted) = granted
            && let Some(text) = real_time.judge(&granted)?
        {
            let text = format!("the arm's thread: {text}");
            rings.tell(ActuatorEffect::Tell(if granted.is_all() {
                Notice::info("real_time", text)
            } else {
                Notice::warning("real_time", text)
            }));
        }
        Ok(Self {
            rings,
            thread: Some(thread),
        })
    }

    fn collect(&self, effects: &mut Vec<ActuatorEffect>) {
        effects.extend(std::iter::from_fn(|| self.rings.collect()));
        let lost = self.rings.take_lost();
        if lost > 0 {
            let text = format!("{lost} words of the arm's thread were lost: this node was busy");
            effects.push(ActuatorEffect::Tell(Notice::warning("effects_lost", text)));
        }
    }

    fn send(&self, event: ActuatorEvent) -> Result<()> {
        if self.thread.as_ref().is_none_or(JoinHandle::is_finished) {
            bail!("the arm's thread has ended");
        }
        if !self.rings.send(event) {
            bail!("the arm's thread does not listen any more");
        }
        Ok(())
    }
}

impl Machine for Driven {
    /// What the thread tells wakes nobody.
    fn patience(&self) -> Duration {
        Duration::from_millis(5)
    }

    fn on(
        &mut self,
        event: ActuatorEvent,
        _: u64,
        effects: &mut Vec<ActuatorEffect>,
    ) -> Result<()> {
        // The thread has a clock of its own.
        if !matches!(event, ActuatorEvent::Time) {
            self.send(event)?;
        }
        self.collect(effects);
        Ok(())
    }

    fn is_stopped(&self) -> bool {
        self.rings.is_stopped()
    }

    fn finish(
        &mut self,
        reason: Option<String>,
        _: u64,
        effects: &mut Vec<ActuatorEffect>,
    ) -> Result<()> {
        if let Some(reason) = reason {
            self.send(ActuatorEvent::Stop { reason })?;
        }
        self.rings.end();
        if let Some(thread) = self.thread.take() {
            thread
                .join()
                .map_err(|_| eyre!("the arm's thread panicked"))?;
        }
        self.collect(effects);
        Ok(())
    }
}

impl Drop for Driven {
    /// An arm that nobody commands any more is brought to rest.
    fn drop(&mut self) {
        self.rings.end();
        if let Some(thread) = self.thread.take() {
            // One that panicked has said so.
            let _ = thread.join();
        }
    }
}

/// What the thread does.
struct Course {
    arm: LimitedArm<Driver>,
    rings: Arc<Rings>,
    is_journal_lost: bool,
}

impl Course {
    fn run(mut self) {
        let mut due = Instant::now();
        let mut ending: Option<Instant> = None;
        let mut rested: u64 = 0;
        loop {
            let now_ns = robot_clock_ns();
            // What was sent before the end is heard before it.
            let is_ending = self.rings.is_ending();
            while let Some(event) = self.rings.hear() {
                self.take(event, now_ns);
            }
            if ending.is_none() && is_ending {
                ending = Some(Instant::now());
                let reason = "nobody commands the arm any more".to_owned();
                self.take(ActuatorEvent::Stop { reason }, now_ns);
            }
            if signals::is_stop_asked() {
                self.take(signals::stop(), now_ns);
            }
            let has_waited = self.tick() && self.arm.keeps_time();
            self.rings.note_stopped(self.arm.is_stopped());
            // Some ticks longer: until it was told that the arm is at rest.
            rested = if self.arm.is_stopped() { rested + 1 } else { 0 };
            if let Some(since) = ending
                && (rested > SETPOINTS || since.elapsed() > REST_LIMIT)
            {
                let notice = if self.arm.is_stopped() {
                    Notice::info("at_rest", "the arm is at rest".to_owned())
                } else {
                    Notice::error("not_at_rest", format!("not at rest after {REST_LIMIT:?}"))
                };
                self.rings.tell(ActuatorEffect::Tell(notice));
                return;
            }
            if has_waited {
                // The robot's clock is the arm's.
                due = Instant::now();
                continue;
            }
            due += PERIOD;
            let now = Instant::now();
            if now > due + LOST {
                due = now;
            }
            thread::sleep(due.saturating_duration_since(now));
        }
    }

    fn take(&mut self, event: ActuatorEvent, now_ns: u64) {
        let rings = &self.rings;
        let result = self.arm.on(event, now_ns, |effect| rings.tell(effect));
        self.judge(result);
    }

    /// A millisecond; false where something went wrong, which the machine tells.
    fn tick(&mut self) -> bool {
        let rings = &self.rings;
        match self.arm.tick(robot_clock_ns, |effect| rings.tell(effect)) {
            Err(LimitedArmError::Journal(error)) => {
                self.judge(Err(error));
                false
            }
            result => result.is_ok(),
        }
    }

    /// A record that cannot be written is told once, and moves nothing.
    fn judge(&mut self, recorded: Result<(), JournalError>) {
        if let Err(error) = recorded
            && !std::mem::replace(&mut self.is_journal_lost, true)
        {
            let notice = Notice::error("journal_lost", error.to_string());
            self.rings.tell(ActuatorEffect::Tell(notice));
        }
    }
}

#[cfg(test)]
mod tests;
