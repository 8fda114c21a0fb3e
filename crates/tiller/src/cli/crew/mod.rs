//! Workers through dora: a dataflow of a scheduler and workers, started here, whose lines come by a socket.

mod dataflow;
mod places;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use eyre::{Result, WrapErr, bail, ensure};
use tiller_bench::NamedJob;
use tiller_bench::fleet::{Answer, Crew, FromScheduler, Plan, ToScheduler};
use tiller_core::file::here_or_above;
use tiller_core::visible_block;

use self::dataflow::{Dataflow, TYPES};
pub(super) use self::places::{Asked, Places};

/// dora as set-up installs it, else that of the search path.
const DORA: &str = ".venv/bin/dora";
/// How often it is looked whether dora runs and whether to stop.
const POLL: Duration = Duration::from_millis(100);
/// How long dora may take to start the scheduler.
const START: Duration = Duration::from_secs(120);
/// How long it may take to end by itself, and once it was asked to.
const END: Duration = Duration::from_secs(20);
/// Lines of dora's log that are shown when it has failed.
const SHOWN_LINES: usize = 12;

/// Workers that dora runs.
pub(super) struct DoraCrew {
    places: Places,
    here: Option<Asked>,
    dora: PathBuf,
    scheduler: PathBuf,
    worker: PathBuf,
}

impl DoraCrew {
    /// A crew at these places, whose programs lie beside this one.
    ///
    /// # Errors
    /// When they do not.
    pub(super) fn new(
        places: Places,
        here: Option<Asked>,
        worker: Option<PathBuf>,
    ) -> Result<Self> {
        let is_local = matches!(places, Places::Here(_));
        ensure!(
            !is_local || here.is_none(),
            "--here: expected with machines in --workers, found a number"
        );
        let this = std::env::current_exe().wrap_err("where this program is")?;
        let beside = |name: &str| -> Result<PathBuf> {
            let path = this.with_file_name(name);
            ensure!(path.is_file(), "there is no {}: build it", path.display());
            Ok(path)
        };
        Ok(Self {
            places,
            here,
            dora: here_or_above(DORA).unwrap_or_else(|| "dora".into()),
            scheduler: beside("bench-scheduler")?,
            worker: match worker {
                Some(path) => path,
                None => beside("bench-worker")?,
            },
        })
    }

    /// Starts the dataflow; dora's log is a file in the folder.
    fn start(&self, folder: &Path, socket: &Path) -> Result<Running> {
        let text = Dataflow {
            scheduler: &self.scheduler,
            here: self.here.as_ref(),
            socket,
            worker: &self.worker,
            workers: self.places.workers(),
        }
        .text();
        let file = folder.join("bench.yml");
        fs::write(&file, text).wrap_err("the dataflow")?;
        fs::create_dir_all(folder.join("types/tiller")).wrap_err("the dataflow's types")?;
        fs::write(folder.join("types/tiller/v1.yml"), TYPES).wrap_err("the dataflow's types")?;
        let log = folder.join("dora.log");
        let out = File::create(&log).wrap_err("dora's log")?;
        let arguments: &[&str] = match self.places {
            Places::Here(_) => &["run"],
            Places::Machines(_) => &["start", "--attach"],
        };
        let child = Command::new(&self.dora)
            .args(arguments)
            .arg(&file)
            .env("RUST_BACKTRACE", "0")
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(out.try_clone().wrap_err("dora's log")?)
            .stderr(out)
            // Ctrl-C is for this program: running episodes end first.
            .process_group(0)
            .spawn()
            .wrap_err_with(|| format!("cannot start {}", self.dora.display()))?;
        Ok(Running { child, log })
    }
}

impl Crew for DoraCrew {
    fn run(
        &mut self,
        plan: &Plan,
        jobs: &[NamedJob],
        stop: &AtomicBool,
        each: &mut dyn FnMut(Answer) -> Result<()>,
    ) -> Result<()> {
        let folder = Folder::new()?;
        let socket = folder.path.join("link.sock");
        let listener = UnixListener::bind(&socket)
            .wrap_err_with(|| format!("cannot listen on {}", socket.display()))?;
        let mut dora = self.start(&folder.path, &socket)?;
        let ended = Link::accept(&listener, &mut dora, stop).and_then(|link| match link {
            None => Ok(None),
            Some(mut link) => link.follow(plan, jobs, stop, each),
        });
        match ended {
            Ok(None) => {
                dora.end();
                folder.remove();
                Ok(())
            }
            Ok(Some(error)) => {
                dora.end();
                bail!("{error} (dora's log: {})", dora.log.display())
            }
            Err(error) => {
                dora.kill();
                Err(error.wrap_err(format!("the workers did not end well\n{}", dora.said())))
            }
        }
    }
}

/// Where the dataflow is written.
struct Folder {
    path: PathBuf,
}

impl Folder {
    fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("tiller-bench-{}", std::process::id()));
        let made = fs::DirBuilder::new().mode(0o700).create(&path);
        made.wrap_err_with(|| format!("cannot make {}", path.display()))?;
        Ok(Self { path })
    }

    fn remove(&self) {
        // What is left of a benchmark that went well is of no use; that it cannot be removed is no failure of it.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// dora while it runs.
struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Whether it still runs.
    fn is_there(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until it has ended; one that does not end by itself is ended.
    fn end(&mut self) {
        if !self.wait(END) {
            self.kill();
        }
    }

    fn wait(&mut self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while self.is_there() {
            if Instant::now() > deadline {
                return false;
            }
            thread::sleep(POLL);
        }
        true
    }

    /// As Ctrl-C does.
    fn interrupt(&self) {
        if let Some(pid) = rustix::process::Pid::from_raw(self.child.id().cast_signed()) {
            // It may have ended in this moment.
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::INT);
        }
    }

    /// Ends it whatever it says.
    fn kill(&mut self) {
        self.interrupt();
        if !self.wait(END) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    /// Its last words.
    fn said(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let last = lines.iter().skip(lines.len().saturating_sub(SHOWN_LINES));
        let last: String = last.map(|line| format!("  {line}\n")).collect();
        let place = self.log.display();
        format!("the end of {place}:\n{}", visible_block(&last))
    }
}

/// The scheduler, by its socket.
struct Link {
    stream: UnixStream,
    words: Receiver<FromScheduler>,
}

impl Link {
    /// Waits for the scheduler; none if it is to stop first.
    fn accept(
        listener: &UnixListener,
        dora: &mut Running,
        stop: &AtomicBool,
    ) -> Result<Option<Self>> {
        listener.set_nonblocking(true).wrap_err("the socket")?;
        let deadline = Instant::now() + START;
        let stream = loop {
            match listener.accept() {
                Ok((stream, _)) => break stream,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error).wrap_err("the socket"),
            }
            if stop.load(Ordering::SeqCst) {
                dora.interrupt();
                return Ok(None);
            }
            ensure!(dora.is_there(), "dora has ended before the scheduler began");
            let seconds = START.as_secs();
            ensure!(
                Instant::now() < deadline,
                "no scheduler came within {seconds} s"
            );
            thread::sleep(POLL);
        };
        stream.set_nonblocking(false).wrap_err("the socket")?;
        let lines = BufReader::new(stream.try_clone().wrap_err("the socket")?);
        let (sender, words) = channel();
        thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let word = serde_json::from_str(&line).unwrap_or_else(|error| {
                    let error = Some(format!(
                        "the scheduler says what is not understood: {error}"
                    ));
                    FromScheduler::Over { error }
                });
                if sender.send(word).is_err() {
                    return;
                }
            }
        });
        Ok(Some(Self { stream, words }))
    }

    fn say(&mut self, word: &ToScheduler) -> Result<()> {
        let mut line = serde_json::to_string(word)?;
        line.push('\n');
        let said = self.stream.write_all(line.as_bytes());
        said.wrap_err("the scheduler has gone")
    }

    /// Hands on what comes until all is over; what the scheduler says if that is not well.
    fn follow(
        &mut self,
        plan: &Plan,
        jobs: &[NamedJob],
        stop: &AtomicBool,
        each: &mut dyn FnMut(Answer) -> Result<()>,
    ) -> Result<Option<String>> {
        self.say(&ToScheduler::Begin {
            plan: Box::new(plan.clone()),
            jobs: jobs.to_vec(),
        })?;
        let mut has_stopped = false;
        loop {
            if stop.load(Ordering::SeqCst) && !has_stopped {
                has_stopped = true;
                self.say(&ToScheduler::Stop)?;
            }
            match self.words.recv_timeout(POLL) {
                Ok(FromScheduler::Answer(answer)) => each(answer)?,
                Ok(FromScheduler::Note(text)) => eprintln!("{}", visible_block(&text)),
                Ok(FromScheduler::Over { error }) => return Ok(error),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    bail!("the scheduler has gone before all episodes were there")
                }
            }
        }
    }
}
