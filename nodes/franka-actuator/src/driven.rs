//! An arm with a driver: a thread of its own reads, limits and commands once a millisecond.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use eyre::{Result, WrapErr, eyre};
use tiller_closed_loop::journal::Recorder;
use tiller_closed_loop::{ActuatorEffect, ActuatorEvent, LimitedArm, Notice, SETPOINTS};
use tiller_motion::ActuatorConfig;
use tiller_node_kit::robot_clock_ns;

use crate::arms::Driver;
use crate::node::Machine;

const PERIOD: Duration = Duration::from_millis(1);

/// Being further behind than this, the thread does not catch up: the arm would be hurried.
const LOST: Duration = Duration::from_millis(10);

/// How long the arm may take to come to rest at the end.
const REST_LIMIT: Duration = Duration::from_secs(3);

/// A journal that a thread can own.
pub(crate) type Journal = Recorder<Box<dyn Write + Send>>;

/// An arm that moves on a thread of its own.
pub(crate) struct Driven {
    events: Option<Sender<ActuatorEvent>>,
    effects: Receiver<ActuatorEffect>,
    is_stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Driven {
    /// Takes over the arm.
    pub(crate) fn new(
        driver: Driver,
        config: ActuatorConfig,
        journal: Option<Journal>,
    ) -> Result<Self> {
        let (events, heard) = channel();
        let (tell, effects) = channel();
        let is_stopped = Arc::new(AtomicBool::new(true));
        let course = Course {
            arm: LimitedArm::new(driver, config, journal),
            heard,
            tell,
            is_stopped: Arc::clone(&is_stopped),
        };
        let thread = thread::Builder::new()
            .name("arm".to_owned())
            .spawn(move || course.run())
            .wrap_err("cannot start the arm's thread")?;
        Ok(Self {
            events: Some(events),
            effects,
            is_stopped,
            thread: Some(thread),
        })
    }

    fn collect(&self, effects: &mut Vec<ActuatorEffect>) {
        effects.extend(self.effects.try_iter());
    }

    fn send(&self, event: ActuatorEvent) -> Result<()> {
        let events = self.events.as_ref();
        if events.is_some_and(|events| events.send(event).is_ok()) {
            return Ok(());
        }
        Err(eyre!("the arm's thread has ended"))
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
        self.is_stopped.load(Ordering::Acquire)
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
        // Without anybody to hear, the thread ends as soon as the arm is at rest.
        self.events = None;
        if let Some(thread) = self.thread.take() {
            thread
                .join()
                .map_err(|_| eyre!("the arm's thread panicked"))?;
        }
        self.collect(effects);
        Ok(())
    }
}

/// What the thread does.
struct Course {
    arm: LimitedArm<Driver>,
    heard: Receiver<ActuatorEvent>,
    tell: Sender<ActuatorEffect>,
    is_stopped: Arc<AtomicBool>,
}

impl Course {
    fn run(mut self) {
        let mut due = Instant::now();
        let mut ending: Option<Instant> = None;
        let mut rested: u64 = 0;
        loop {
            let now_ns = robot_clock_ns();
            if ending.is_none() && !self.listen(now_ns) {
                ending = Some(Instant::now());
                self.take(stop("nobody commands the arm any more"), now_ns);
            }
            let has_waited = self.tick(now_ns) && self.arm.keeps_time();
            self.is_stopped
                .store(self.arm.is_stopped(), Ordering::Release);
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
                // Told to nobody only where the node has ended.
                let _ = self.tell.send(ActuatorEffect::Tell(notice));
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

    /// Takes in what has come; false once nothing more can.
    fn listen(&mut self, now_ns: u64) -> bool {
        loop {
            match self.heard.try_recv() {
                Ok(event) => self.take(event, now_ns),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn take(&mut self, event: ActuatorEvent, now_ns: u64) {
        let tell = &self.tell;
        let result = self.arm.on(event, now_ns, |effect| drop(tell.send(effect)));
        if let Err(error) = result {
            self.fail(&error);
        }
    }

    /// A millisecond; false where something went wrong.
    fn tick(&mut self, now_ns: u64) -> bool {
        let tell = &self.tell;
        let result = self.arm.tick(now_ns, |effect| drop(tell.send(effect)));
        if let Err(error) = &result {
            self.fail(error);
        }
        result.is_ok()
    }

    /// Tells of a failure as the machine tells of what it refuses: the arm is commanded all the same.
    fn fail(&mut self, error: &dyn std::error::Error) {
        let cause = error.source().map(|cause| format!(": {cause}"));
        let text = format!("{error}{}", cause.unwrap_or_default());
        let kind = "arm_failed".to_owned();
        let event = tiller_messages::SafetyEvent {
            kind,
            text,
            ..Default::default()
        };
        let _ = self.tell.send(ActuatorEffect::Safety(event));
    }
}

fn stop(reason: &str) -> ActuatorEvent {
    ActuatorEvent::Stop {
        reason: reason.to_owned(),
    }
}
