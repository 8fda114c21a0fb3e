//! A worker: loads what a plan says and runs one job after the other, on a thread of its own.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;

use eyre::{Result, WrapErr};

use super::words::{At, Build, Plan, Report, Work};
use crate::job::Job;
use crate::run::settings;
use crate::station::Station;
use crate::{NamedJob, Subjects};

/// A job and its number.
type Numbered = (usize, NamedJob);

/// The part of a worker that speaks; episodes run on its thread.
pub struct Worker {
    subjects: fn() -> Subjects,
    at: At,
    jobs: Option<Sender<Numbered>>,
    news: Receiver<At>,
    tell: Sender<At>,
}

impl Worker {
    /// A worker in these worlds, which are looked for once a plan says where.
    #[must_use]
    pub fn new(subjects: fn() -> Subjects) -> Self {
        let (tell, news) = channel();
        Self {
            subjects,
            at: At::New,
            jobs: None,
            news,
            tell,
        }
    }

    /// Does what it is told; what it does already, or cannot do now, changes nothing.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn take(&mut self, work: Work) -> Result<()> {
        self.look();
        match (work, &self.at) {
            (Work::Load(plan), At::New) => {
                self.at = At::Loading;
                let (sender, jobs) = channel();
                self.jobs = Some(sender);
                let (subjects, tell) = (self.subjects, self.tell.clone());
                thread::Builder::new()
                    .name("episodes".to_owned())
                    .spawn(move || episodes(&plan, subjects, &jobs, &tell))
                    .wrap_err("cannot start a thread for the episodes")?;
            }
            (Work::Run { job, name }, at) if can_begin(at, job) => {
                let sender = self.jobs.as_ref();
                let is_taken = sender.is_some_and(|jobs| jobs.send((job, name)).is_ok());
                self.at = match is_taken {
                    true => At::Working { job },
                    false => At::Unfit {
                        reason: "the thread of the episodes has ended".to_owned(),
                    },
                };
            }
            (Work::Rest, At::Done { .. } | At::Failed { .. }) => self.at = At::Ready,
            _ => {}
        }
        Ok(())
    }

    /// Whether it stands elsewhere than when it was looked at last.
    pub fn look(&mut self) -> bool {
        let mut is_new = false;
        loop {
            match self.news.try_recv() {
                Ok(at) => (self.at, is_new) = (at, true),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return is_new,
            }
        }
    }

    /// What it says of itself.
    #[must_use]
    pub fn report(&self) -> Report {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Report {
            build: Build::this(),
            host: host.trim().to_owned(),
            at: self.at.clone(),
        }
    }
}

/// A job that is done is not done again: its answer is on its way.
fn can_begin(at: &At, next: usize) -> bool {
    match at {
        At::Ready => true,
        At::Done { job, .. } | At::Failed { job, .. } => *job != next,
        At::New | At::Loading | At::Working { .. } | At::Unfit { .. } => false,
    }
}

/// The thread.
fn episodes(plan: &Plan, subjects: fn() -> Subjects, jobs: &Receiver<Numbered>, tell: &Sender<At>) {
    let ended = follow(plan, subjects, jobs, tell);
    if let Err(error) = ended {
        // Nobody listens only when the worker ends.
        let _ = tell.send(At::Unfit {
            reason: format!("{error:#}"),
        });
    }
}

fn follow(
    plan: &Plan,
    subjects: fn() -> Subjects,
    jobs: &Receiver<Numbered>,
    tell: &Sender<At>,
) -> Result<()> {
    go_to(&plan.folder)?;
    let config = plan.config(&subjects())?;
    let settings = settings(&config)?;
    let mut station = Station::new(&config, &settings)?;
    if tell.send(At::Ready).is_err() {
        return Ok(());
    }
    while let Ok((job, name)) = jobs.recv() {
        let line = Job::from_name(config.subject.kind.as_ref(), &name);
        let at = match line.and_then(|named| station.run(&named)) {
            Ok(mut line) => {
                let record = line.result.record.take().filter(|_| plan.records);
                let line = Box::new(line);
                At::Done { job, line, record }
            }
            Err(error) => {
                // What failed once may have left world or policy in any state.
                station = Station::new(&config, &settings)?;
                let error = format!("{error:#}");
                At::Failed { job, error }
            }
        };
        if tell.send(at).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// Paths that somebody gave mean the same there; a machine without that folder has its own.
fn go_to(folder: &Path) -> Result<()> {
    let place = match folder.is_dir() {
        true => folder.to_owned(),
        false => {
            let program = std::env::current_exe().wrap_err("where this program is")?;
            let place = program.parent().unwrap_or(&program);
            place.to_owned()
        }
    };
    std::env::set_current_dir(&place).wrap_err_with(|| format!("cannot go to {}", place.display()))
}
