//! Planning on a thread of its own: a policy that takes a second does not keep the node from
//! progress, stage changes or stopping.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use eyre::{Result, WrapErr, eyre};
use tiller_closed_loop::{PlanFailure, PlanReport, PlanRequest, Planner, Seen, policy_state};
use tiller_core::StateComponent;
use tiller_messages::ArmState;
use tiller_policy::{Fitted, Fitter, ImageView, Observation, Observer, Policy};

use crate::cameras::{Moment, views};

/// What the thread is to do.
enum Job {
    Observe(Moment, ArmState),
    Plan(Moment, Box<PlanRequest>),
    /// A plan that leaves no trace.
    Rehearse(Moment, Box<PlanRequest>),
    Forget,
}

/// What has come of a job.
pub(crate) enum Report {
    /// Of a plan.
    Plan(PlanReport),
    /// Of a rehearsal.
    Rehearsal(PlanReport),
}

/// Jobs that wait. A new plan takes the place of one that has not begun, and of a rehearsal; observations
/// are kept, up to as many as the policy can see.
#[derive(Default)]
struct Mailbox {
    jobs: VecDeque<Job>,
    closed: bool,
}

/// The thread and the ways to and from it.
pub(crate) struct Planning {
    mailbox: Arc<(Mutex<Mailbox>, Condvar)>,
    reports: Receiver<Report>,
    thread: Option<JoinHandle<()>>,
    history: usize,
    in_flight: usize,
}

struct Worker {
    policy: Policy,
    /// What the policy is told of the arm, and room for it.
    told: (Vec<StateComponent>, Vec<f32>),
    planner: Planner,
    observer: Observer,
    cameras: Vec<String>,
    fitter: Fitter,
    /// What the policy's history holds, the newest last.
    seen: VecDeque<Seen>,
    reports: Sender<Report>,
}

impl Planning {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives none.
    pub(crate) fn start(
        policy: Policy,
        planner: Planner,
        cameras: &[String],
        fitter: Fitter,
    ) -> Result<Self> {
        let history = policy.manifest().observation_steps;
        let (sender, reports) = channel();
        let mailbox = Arc::<(Mutex<Mailbox>, Condvar)>::default();
        let worker = Worker {
            told: (policy.manifest().robot_state(), Vec::new()),
            policy,
            planner,
            observer: Observer::default(),
            cameras: cameras.to_vec(),
            fitter,
            seen: VecDeque::new(),
            reports: sender,
        };
        let shared = Arc::clone(&mailbox);
        let thread = thread::Builder::new()
            .name("planning".to_owned())
            .spawn(move || worker.run(&shared))
            .wrap_err("cannot start the planning thread")?;
        Ok(Self {
            mailbox,
            reports,
            thread: Some(thread),
            history,
            in_flight: 0,
        })
    }

    /// Plans; a plan that has not begun is dropped.
    pub(crate) fn plan(&mut self, moment: Moment, request: Box<PlanRequest>) {
        self.change(|mailbox| {
            let is_plan = |job: &Job| matches!(job, Job::Plan(..) | Job::Rehearse(..));
            mailbox.jobs.retain(|job| !is_plan(job));
            mailbox.jobs.push_back(Job::Plan(moment, request));
        });
        self.in_flight = 1;
    }

    /// Plans what nobody executes; the policy's history and whatever else plans are made from stay as they are.
    pub(crate) fn rehearse(&mut self, moment: Moment, request: Box<PlanRequest>) {
        self.change(|mailbox| {
            let is_rehearsal = |job: &Job| matches!(job, Job::Rehearse(..));
            mailbox.jobs.retain(|job| !is_rehearsal(job));
            mailbox.jobs.push_back(Job::Rehearse(moment, request));
        });
    }

    /// Shows the policy a moment between two plans.
    pub(crate) fn observe(&mut self, moment: Moment, arm: ArmState) {
        let history = self.history;
        self.change(|mailbox| {
            let is_observation = |job: &Job| matches!(job, Job::Observe(..));
            if mailbox
                .jobs
                .iter()
                .filter(|job| is_observation(job))
                .count()
                >= history
                && let Some(oldest) = mailbox.jobs.iter().position(is_observation)
            {
                mailbox.jobs.remove(oldest);
            }
            mailbox.jobs.push_back(Job::Observe(moment, arm));
        });
    }

    /// Forgets what the policy was shown.
    pub(crate) fn forget(&mut self) {
        self.change(|mailbox| {
            mailbox.jobs.clear();
            mailbox.jobs.push_back(Job::Forget);
        });
    }

    /// Whether a plan is being made.
    pub(crate) fn is_busy(&self) -> bool {
        self.in_flight > 0
    }

    /// The next result, if there is one.
    ///
    /// # Errors
    /// When the thread has died.
    pub(crate) fn take_report(&mut self) -> Result<Option<Report>> {
        match self.reports.try_recv() {
            Ok(report) => {
                if matches!(report, Report::Plan(_)) {
                    self.in_flight = 0;
                }
                Ok(Some(report))
            }
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(eyre!("the planning thread has died")),
        }
    }

    fn change(&self, change: impl FnOnce(&mut Mailbox)) {
        let (mailbox, wake) = &*self.mailbox;
        change(&mut lock(mailbox));
        wake.notify_one();
    }
}

impl Drop for Planning {
    fn drop(&mut self) {
        self.change(|mailbox| mailbox.closed = true);
        if let Some(thread) = self.thread.take() {
            // A panic has been printed by the thread itself.
            let _ = thread.join();
        }
    }
}

/// A thread that panicked with the lock has left nothing half done in it.
fn lock(mailbox: &Mutex<Mailbox>) -> MutexGuard<'_, Mailbox> {
    mailbox.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Worker {
    fn run(mut self, shared: &(Mutex<Mailbox>, Condvar)) {
        let (mailbox, wake) = shared;
        loop {
            let mut waiting = lock(mailbox);
            let job = loop {
                if waiting.closed {
                    return;
                }
                match waiting.jobs.pop_front() {
                    Some(job) => break job,
                    None => {
                        waiting = wake.wait(waiting).unwrap_or_else(PoisonError::into_inner);
                    }
                }
            };
            drop(waiting);
            match job {
                Job::Forget => {
                    self.seen.clear();
                    self.observer.forget(&mut self.policy);
                }
                Job::Observe(moment, arm) => self.observe(&moment, &arm),
                Job::Plan(moment, request) => {
                    let report = Report::Plan(self.report(&moment, &request));
                    if self.reports.send(report).is_err() {
                        return;
                    }
                }
                Job::Rehearse(moment, request) => {
                    let report = Report::Rehearsal(self.rehearse(&moment, &request));
                    if self.reports.send(report).is_err() {
                        return;
                    }
                }
            }
        }
    }

    fn report(&mut self, moment: &Moment, request: &PlanRequest) -> PlanReport {
        let started = Instant::now();
        let outcome = self.plan(moment, request);
        PlanReport {
            id: request.id,
            spent_ns: u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX),
            seen: self.seen.iter().cloned().collect(),
            outcome,
        }
    }

    /// As if it were the plan of that moment, which afterwards nobody has seen.
    fn rehearse(&mut self, moment: &Moment, request: &PlanRequest) -> PlanReport {
        let history = self.policy.history();
        let (observer, seen) = (self.observer.clone(), self.seen.clone());
        let report = self.report(moment, request);
        self.policy.restore(&history);
        (self.observer, self.seen) = (observer, seen);
        report
    }

    fn observe(&mut self, moment: &Moment, arm: &ArmState) {
        let views = views(&self.cameras, moment);
        let fitted = self.fitter.fit(&views);
        let views: Vec<ImageView<'_>> = fitted.iter().map(Fitted::view).collect();
        let (components, state) = &mut self.told;
        policy_state(components, arm, state);
        let observation = Observation {
            images: &views,
            state,
            environment: &[],
            // Nobody who reads has a history.
            instruction: "",
        };
        match self
            .observer
            .observe(&mut self.policy, moment.stamp_ns, &observation)
        {
            Ok(()) => self.note(moment, arm),
            // It says so again, and to more effect, at the next plan.
            Err(error) => tracing::debug!("the policy cannot take the observation: {error}"),
        }
    }

    /// Notes what the policy has seen, for replays.
    fn note(&mut self, moment: &Moment, arm: &ArmState) {
        if self
            .seen
            .back()
            .is_some_and(|last| last.stamp_ns == moment.stamp_ns)
        {
            return;
        }
        if self.seen.len() >= self.policy.manifest().observation_steps.max(1) {
            self.seen.pop_front();
        }
        self.seen.push_back(Seen {
            stamp_ns: moment.stamp_ns,
            frames_ns: moment
                .frames
                .iter()
                .map(|frame| frame.header().stamp_ns)
                .collect(),
            arm_ns: arm.stamp_ns,
        });
    }

    fn plan(
        &mut self,
        moment: &Moment,
        request: &PlanRequest,
    ) -> Result<Box<tiller_closed_loop::Plan>, PlanFailure> {
        let views = views(&self.cameras, moment);
        let fitted = self.fitter.fit(&views);
        let views: Vec<ImageView<'_>> = fitted.iter().map(Fitted::view).collect();
        let (components, state) = &mut self.told;
        policy_state(components, &request.arm, state);
        let observation = Observation {
            images: &views,
            state,
            environment: &[],
            instruction: &request.instruction,
        };
        self.observer
            .encode(&mut self.policy, moment.stamp_ns, &observation)
            .map_err(|error| PlanFailure {
                code: "no_observation".to_owned(),
                text: format!(
                    "the policy cannot take the observation: {error}{}",
                    self.fitter.advice(&views)
                ),
            })?;
        self.note(moment, &request.arm);
        self.planner
            .plan(&mut self.policy, request)
            .map(Box::new)
            .map_err(|error| PlanFailure {
                code: error.code().to_owned(),
                text: format!("planning failed: {error}"),
            })
    }
}
