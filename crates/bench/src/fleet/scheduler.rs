//! Who runs which job: a machine that hears reports and the clock, and says what to send.

use std::collections::VecDeque;
use std::time::Duration;

use super::Answer;
use super::words::{At, Build, Plan, Report, Work};
use crate::NamedJob;

/// Workers that a job is given to before it is given up.
const TRIES: usize = 3;
/// A worker that reports each second and is silent for this long has its job given to another one.
const SILENT: Duration = Duration::from_secs(15);
/// Starting may take longer.
const START: Duration = Duration::from_secs(60);
/// Nobody has been heard for this long: nothing will come any more.
const ALL_SILENT: Duration = Duration::from_secs(120);
/// What has been sent and has changed nothing is sent again after this.
const AGAIN: Duration = Duration::from_millis(800);

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Send a worker what it is to do.
    Send {
        /// Which worker, from 0.
        worker: usize,
        /// What.
        work: Work,
    },
    /// Hand on what came of a job.
    Answer(Answer),
    /// Tell people.
    Note(String),
    /// Nothing more will come; with an error when nobody is left to work.
    Over {
        /// What went wrong.
        error: Option<String>,
    },
}

/// The jobs and who works on them. Times are since any one moment.
pub struct Scheduler {
    plan: Plan,
    jobs: Vec<Job>,
    queue: VecDeque<usize>,
    workers: Vec<Worker>,
    is_stopping: bool,
    is_over: bool,
    effects: Vec<Effect>,
}

struct Job {
    name: NamedJob,
    is_closed: bool,
    /// Who had it, and why nothing came of it.
    failures: Vec<(usize, String)>,
}

struct Worker {
    name: String,
    /// Tells one start of it from another.
    session: u64,
    /// What it works on, as far as is known.
    job: Option<usize>,
    /// Whether it could be given a job.
    is_ready: bool,
    /// The job whose answer it repeats until it is told what is next.
    holds: Option<usize>,
    heard: Option<Duration>,
    is_silent: bool,
    /// Why it works no more.
    out: Option<String>,
    sent: Option<(Sent, Duration)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    Load,
    Run(usize),
    Rest,
}

impl Scheduler {
    /// All jobs are open, and no worker of these names has been heard.
    #[must_use]
    pub fn new(plan: Plan, jobs: Vec<NamedJob>, workers: Vec<String>) -> Self {
        let worker = |name| Worker {
            name,
            session: 0,
            job: None,
            is_ready: false,
            holds: None,
            heard: None,
            is_silent: false,
            out: None,
            sent: None,
        };
        let job = |name| Job {
            name,
            is_closed: false,
            failures: Vec::new(),
        };
        let jobs: Vec<Job> = jobs.into_iter().map(job).collect();
        Self {
            plan,
            queue: (0..jobs.len()).collect(),
            jobs,
            workers: workers.into_iter().map(worker).collect(),
            is_stopping: false,
            is_over: false,
            effects: Vec::new(),
        }
    }

    /// What is to be done since it was asked last.
    pub fn effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// A worker has said where it stands, in a session that is larger after every start of it.
    pub fn hear(&mut self, index: usize, session: u64, report: Report, now: Duration) {
        let Some(worker) = self.workers.get_mut(index) else {
            return;
        };
        if session < worker.session || self.is_over {
            return;
        }
        worker.heard = Some(now);
        if session > worker.session {
            let is_first = worker.session == 0;
            worker.session = session;
            worker.sent = None;
            worker.out = None;
            self.name(index, &report);
            if !is_first {
                self.lose(index, "it was started anew");
            }
        }
        if std::mem::take(&mut self.workers[index].is_silent) {
            self.note(index, "is heard again");
        }
        if self.workers[index].out.is_some() {
            return;
        }
        if let Some(reason) = misfit(&self.plan.build, &report) {
            return self.put_out(index, &reason, "is refused");
        }
        let worker = &mut self.workers[index];
        (worker.is_ready, worker.holds) = (false, None);
        match report.at {
            At::Loading => {}
            At::New => self.send(index, Sent::Load, now),
            At::Unfit { reason } => self.put_out(index, &reason, "cannot work"),
            At::Working { job } => {
                let before = self.workers[index].job.replace(job);
                if let Some(other) = before.filter(|other| *other != job) {
                    self.wait_again(other);
                }
            }
            At::Ready => self.workers[index].is_ready = true,
            At::Done { job, line, record } => {
                self.has_ended(index, job);
                if self.close(job) {
                    let answer = Answer::Line { job, line, record };
                    self.effects.push(Effect::Answer(answer));
                }
                self.serve(index, now);
            }
            At::Failed { job, error } => {
                // It says so until it is told what is next; that counts once.
                if self.has_ended(index, job) {
                    self.fail(index, job, &error);
                }
                self.serve(index, now);
            }
        }
        self.serve_all(now);
        self.look_for_the_end(now);
    }

    /// A worker has ended, and will not be started again.
    pub fn ended(&mut self, index: usize, why: &str, now: Duration) {
        if index < self.workers.len() && self.workers[index].out.is_none() && !self.is_over {
            self.put_out(index, why, "has ended");
            self.serve_all(now);
            self.look_for_the_end(now);
        }
    }

    /// No further job is begun; what is under way is waited for.
    pub fn stop(&mut self, now: Duration) {
        self.is_stopping = true;
        self.look_for_the_end(now);
    }

    /// Time goes by; once a second is enough.
    pub fn tick(&mut self, now: Duration) {
        for index in 0..self.workers.len() {
            let worker = &mut self.workers[index];
            let limit = worker.heard.map_or(START, |heard| heard + SILENT);
            if now < limit || worker.is_silent || worker.out.is_some() {
                continue;
            }
            (worker.is_silent, worker.is_ready) = (true, false);
            let seconds = (now - worker.heard.unwrap_or_default()).as_secs();
            let why = format!("nothing was heard of it for {seconds} s");
            self.note(index, &why);
            self.lose(index, &why);
        }
        self.serve_all(now);
        self.look_for_the_end(now);
    }

    fn name(&mut self, index: usize, report: &Report) {
        let worker = &mut self.workers[index];
        let id = worker.name.split(' ').next().unwrap_or_default();
        worker.name = format!("{id} ({})", report.host);
    }

    fn note(&mut self, index: usize, what: &str) {
        let note = format!("{}: {what}", self.workers[index].name);
        self.effects.push(Effect::Note(note));
    }

    /// A worker works no more.
    fn put_out(&mut self, index: usize, why: &str, what: &str) {
        self.note(index, &format!("{what}: {why}"));
        self.lose(index, why);
        let worker = &mut self.workers[index];
        (worker.out, worker.is_ready) = (Some(why.to_owned()), false);
    }

    /// Nothing will come of what a worker was doing.
    fn lose(&mut self, index: usize, why: &str) {
        if let Some(job) = self.workers[index].job.take() {
            self.fail(index, job, why);
        }
    }

    /// A worker is through with a job; whether it was the one that it was given.
    fn has_ended(&mut self, index: usize, job: usize) -> bool {
        let worker = &mut self.workers[index];
        (worker.is_ready, worker.holds) = (true, Some(job));
        let is_its = worker.job == Some(job);
        if is_its {
            worker.job = None;
        }
        is_its
    }

    /// A job waits again, unless it is closed or somebody else has it. Soon: later ones wait for it to be written
    /// down.
    fn wait_again(&mut self, job: usize) {
        let is_open = self.jobs.get(job).is_some_and(|job| !job.is_closed);
        let is_elsewhere = self.workers.iter().any(|worker| worker.job == Some(job));
        if is_open && !is_elsewhere && !self.queue.contains(&job) {
            self.queue.push_front(job);
        }
    }

    /// Whether it was open.
    fn close(&mut self, job: usize) -> bool {
        self.queue.retain(|waiting| *waiting != job);
        let job = self.jobs.get_mut(job);
        job.is_some_and(|job| !std::mem::replace(&mut job.is_closed, true))
    }

    fn fail(&mut self, index: usize, number: usize, why: &str) {
        let who = self.workers[index].name.clone();
        let Some(job) = self.jobs.get_mut(number).filter(|job| !job.is_closed) else {
            return;
        };
        job.failures.push((index, format!("{who}: {why}")));
        let tries = job.failures.len();
        let note = format!("{}: {who}: {why} (try {tries} of {TRIES})", job.name);
        let whys = job.failures.iter().map(|(_, why)| why.as_str());
        let why = whys.collect::<Vec<_>>().join("; ");
        self.effects.push(Effect::Note(note));
        if tries >= TRIES {
            self.close(number);
            let answer = Answer::GivenUp { job: number, why };
            self.effects.push(Effect::Answer(answer));
        } else {
            self.wait_again(number);
        }
    }

    fn serve_all(&mut self, now: Duration) {
        for index in 0..self.workers.len() {
            if self.workers[index].is_ready {
                self.serve(index, now);
            }
        }
    }

    /// Tells a worker what is next, and one that holds the answer of a job in any case that it has come.
    fn serve(&mut self, index: usize, now: Duration) {
        let is_open = |job: &usize| self.jobs.get(*job).is_some_and(|job| !job.is_closed);
        let under_way = self.workers[index].job.filter(is_open);
        self.workers[index].job = under_way.or_else(|| self.take_for(index));
        match (self.workers[index].job, self.workers[index].holds) {
            (Some(job), _) => self.send(index, Sent::Run(job), now),
            (None, Some(_)) => self.send(index, Sent::Rest, now),
            (None, None) => {}
        }
    }

    /// The next job for a worker: one that failed here goes to one where it has not, if there is one, and is not begun anew
    /// before the worker has let go of its failure.
    fn take_for(&mut self, index: usize) -> Option<usize> {
        if self.is_stopping {
            return None;
        }
        let works =
            |worker: &Worker| worker.heard.is_some() && worker.out.is_none() && !worker.is_silent;
        let working: Vec<_> = (0..self.workers.len())
            .filter(|other| works(&self.workers[*other]))
            .collect();
        let fits = |job: &usize| {
            let failed_at = |who: usize| self.jobs[*job].failures.iter().any(|it| it.0 == who);
            let is_better_elsewhere =
                failed_at(index) && working.iter().any(|other| !failed_at(*other));
            !is_better_elsewhere && self.workers[index].holds != Some(*job)
        };
        let place = self.queue.iter().position(fits)?;
        self.queue.remove(place)
    }

    fn send(&mut self, index: usize, what: Sent, now: Duration) {
        let sent = &mut self.workers[index].sent;
        if sent.is_some_and(|(before, when)| before == what && now < when + AGAIN) {
            return;
        }
        *sent = Some((what, now));
        let work = match what {
            Sent::Load => Work::Load(Box::new(self.plan.clone())),
            Sent::Rest => Work::Rest,
            Sent::Run(job) => Work::Run {
                job,
                name: self.jobs[job].name.clone(),
            },
        };
        let worker = index;
        self.effects.push(Effect::Send { worker, work });
    }

    fn look_for_the_end(&mut self, now: Duration) {
        if self.is_over {
            return;
        }
        let is_open = |job: usize| self.jobs.get(job).is_some_and(|job| !job.is_closed);
        let is_done = match self.is_stopping {
            false => self.jobs.iter().all(|job| job.is_closed),
            true => {
                let under_way = self.workers.iter().filter_map(|worker| worker.job);
                !under_way.into_iter().any(is_open)
            }
        };
        let out: Vec<_> = self
            .workers
            .iter()
            .filter_map(|worker| Some(format!("{}: {}", worker.name, worker.out.as_ref()?)))
            .collect();
        let last = self.workers.iter().filter_map(|worker| worker.heard).max();
        let error = if is_done {
            None
        } else if out.len() == self.workers.len() {
            Some(format!("no worker is left: {}", out.join("; ")))
        } else if now > last.unwrap_or_default() + ALL_SILENT {
            let seconds = ALL_SILENT.as_secs();
            Some(format!("no worker has been heard for {seconds} s"))
        } else {
            return;
        };
        self.is_over = true;
        self.effects.push(Effect::Over { error });
    }
}

/// Why a worker cannot do what is planned.
fn misfit(wanted: &Build, report: &Report) -> Option<String> {
    let found = &report.build;
    (found != wanted).then(|| format!("expected the build {wanted}, found {found}"))
}
