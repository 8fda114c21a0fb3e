//! The node's loop: publish a state, wait for the command that answers it, run it; or go where the client
//! of an emulated robot has it go.

use std::time::{Duration, Instant};

use eyre::{Result, bail};
use tiller_core::EpisodeId;
use tiller_messages::{
    ArmCommand, Episode as EpisodeMessage, ExecutionMode, ExecutionState, Level, Proposal,
    ProposalState, StageCommand, Status, TaskStatus,
};
use tiller_node_kit::{Inbox, Input, Next, Outbox, Refused, Stream, robot_clock_ns};
use tiller_world::EpisodeSpec;

use crate::config::Settings;
use crate::episode::{Episode, Over};
use crate::images::{Images, PERIOD_NS};
use crate::lockstep::Lockstep;
use crate::pacer::Pacer;
use crate::robot::Robot;

mod franka;

use franka::Franka;

/// Without commands the arm cannot be held.
pub const ESSENTIAL: &[&str] = &["arm_command"];

const INPUTS: &[&str] = &[
    "tick",
    "arm_command",
    "stage",
    "reward_status",
    "episode",
    "execution_state",
    "proposal",
];

/// With these codes an author says that there will be no program.
const NO_PROGRAM: [&str; 3] = ["refused", "invalid_program", "hold"];

/// Wall time after which a state without an answer is sent again.
const ANSWER_LIMIT: Duration = Duration::from_millis(500);

/// How far a command may lie from the state that is to be answered and still be one that is merely
/// late, ns: a new scene begins up to a camera's period after the last one.
const LATE_NS: u64 = 2 * PERIOD_NS;

/// How soon a picture that is ready is sent: dora's inputs alone wake the loop.
const READY: Duration = Duration::from_millis(1);

/// Wall time after which an actuator that does not answer is named.
const ACTUATOR_LIMIT: Duration = Duration::from_millis(900);

/// Runs episodes until the last one is over.
///
/// # Errors
/// When an episode ended without success, so that whoever started the dataflow finds it in its exit
/// status; when the world does not start or fails, an input is no message of its kind, or dora does not take
/// what is sent.
pub fn run(settings: &Settings, inbox: &mut Inbox, outbox: &mut Outbox) -> Result<()> {
    outbox.check_inputs(INPUTS)?;
    let world = Lockstep::new(settings.kind.as_ref())?;
    let images = Images::new(settings.kind.info(), settings.image_side);
    let mut node = Node {
        settings,
        world,
        images,
        episode: Episode::new(settings.episode_ns),
        pacer: Pacer::new(settings.speed),
        streams: Streams::default(),
        answer: None,
        asked_at: Instant::now(),
        waiting_since: Instant::now(),
        waiting_told: false,
        begun: 0,
        unsuccessful: None,
        last_id: EpisodeId(outbox.session()),
        is_over: false,
        is_paused: false,
        status: None,
        said: None,
        franka: match &settings.robot {
            Robot::Lockstep => None,
            Robot::Fci(fci) => Some(Franka::new(fci)),
        },
    };
    node.begin(settings.instruction.clone(), settings.tasks.clone(), outbox)?;
    node.start_robot(outbox)?;
    let started = Instant::now();
    loop {
        match inbox.wait_at_most(node.time_left(Instant::now())) {
            Next::Input(input) => node.take(&input, outbox)?,
            Next::Idle | Next::Ended(_) => {}
            Next::End(end) => {
                tracing::info!("{end}");
                return node.let_go(outbox);
            }
        }
        node.images.send_ready(outbox)?;
        if let Some(said) = node.said.take() {
            node.on_said(said, outbox)?;
        }
        let wall_limit = settings.wall_limit;
        if wall_limit.is_some_and(|limit| started.elapsed() >= limit) {
            node.sum_up(outbox)?;
            node.report(Some(Over::WallClock), outbox)?;
            node.leave(outbox)?;
            return node.result();
        }
        if let Some(over) = node.go_on(outbox)? {
            let time_s = node.world.episode_ns() as f64 * 1e-9;
            tracing::info!("{} after {time_s:.1} s", over.reason());
            if node.is_last() {
                node.leave(outbox)?;
                return node.result();
            }
            node.next(outbox)?;
        }
        outbox.repeat_latched()?;
    }
}

struct Node<'a> {
    settings: &'a Settings,
    world: Lockstep,
    images: Images,
    episode: Episode,
    pacer: Pacer,
    streams: Streams,
    /// The command that answers the present state, until its time has come.
    answer: Option<ArmCommand>,
    asked_at: Instant,
    /// Since when no answer has come, and whether that was told.
    waiting_since: Instant,
    waiting_told: bool,
    /// Episodes so far.
    begun: u64,
    /// How many of them ended without success, and why the last one of these did.
    unsuccessful: Option<(u64, Over)>,
    last_id: EpisodeId,
    /// The episode is over and the next instruction is being waited for.
    is_over: bool,
    /// An operator has the arm rest: the episode's time stands.
    is_paused: bool,
    /// Success and completed tasks, as last told.
    status: Option<(bool, Vec<String>)>,
    /// An instruction that came while the world was running.
    said: Option<EpisodeMessage>,
    /// The robot whose client moves the arm; none where commands do.
    franka: Option<Franka>,
}

#[derive(Default)]
struct Streams {
    commands: Stream<ArmCommand>,
    stages: Stream<StageCommand>,
    authors: Stream<Status>,
    episodes: Stream<EpisodeMessage>,
    executions: Stream<ExecutionState>,
    proposals: Stream<Proposal>,
}

impl Node<'_> {
    /// How long nothing but an input can happen: until the pending command may run, or the state has
    /// waited long enough for its answer, or a picture may be ready.
    fn time_left(&mut self, now: Instant) -> Duration {
        if self.franka.is_some() {
            return Duration::ZERO;
        }
        let left = match self.answer {
            Some(_) => self.pacer.time_left(self.world.time_ns(), now),
            None => ANSWER_LIMIT.saturating_sub(now.duration_since(self.asked_at)),
        };
        match self.images.are_being_drawn() {
            true => left.min(READY),
            false => left,
        }
    }

    /// Takes an input. Ticks only wake the loop.
    fn take(&mut self, input: &Input, outbox: &mut Outbox) -> Result<()> {
        match input.id.as_str() {
            "arm_command" => {
                let read = self.streams.commands.read(input);
                let taken = read.and_then(|read| match read {
                    Some(command) => self.take_command(command),
                    None => Ok(()),
                });
                outbox.accept(taken.map(Some))?;
            }
            "stage" => {
                let read = self.streams.stages.read(input);
                if let Some(stage) = outbox.accept(read)?
                    && stage.episode == self.last_id
                {
                    let now_ns = self.world.episode_ns();
                    self.episode.on_program(stage.is_over(), now_ns);
                }
            }
            "reward_status" => {
                let read = self.streams.authors.read(input);
                if let Some(status) = outbox.accept(read)?
                    && status.level == Level::Error
                    && NO_PROGRAM.contains(&status.code.as_str())
                {
                    self.episode.on_refusal();
                }
            }
            "episode" => {
                let read = self.streams.episodes.read(input);
                if let Some(episode) = outbox.accept(read)? {
                    self.said = Some(episode);
                }
            }
            "execution_state" => {
                let read = self.streams.executions.read(input);
                if let Some(state) = outbox.accept(read)? {
                    self.is_paused = state.mode == ExecutionMode::Paused;
                }
            }
            "proposal" => {
                let read = self.streams.proposals.read(input);
                if let Some(proposal) = outbox.accept(read)?
                    && proposal.episode == self.last_id
                {
                    let is_awaited = proposal.state == ProposalState::Proposed;
                    self.episode.on_proposal(is_awaited);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn take_command(&mut self, command: ArmCommand) -> Result<(), Refused> {
        if self.franka.is_some() {
            let reason = "expected none with ROBOT=fci, whose client moves the arm, found one";
            return Err(Refused::new("arm_command", reason));
        }
        let (now_ns, stamp_ns) = (self.world.time_ns(), command.stamp_ns);
        if stamp_ns == now_ns {
            self.answer = Some(command);
            return Ok(());
        }
        if stamp_ns.abs_diff(now_ns) <= LATE_NS {
            // The answer to a state that was sent twice and has had its answer, or the way to rest
            // that an actuator sends as it ends.
            tracing::debug!("a command for {stamp_ns} ns came late");
            return Ok(());
        }
        let reason =
            format!("ArmCommand.stamp_ns: expected the state's, {now_ns} ns, found {stamp_ns} ns");
        Err(Refused::new("arm_command", reason))
    }

    /// A scene of its own for the next episode.
    fn begin(
        &mut self,
        instruction: String,
        tasks: Vec<String>,
        outbox: &mut Outbox,
    ) -> Result<()> {
        let seed = self.settings.seed.wrapping_add(self.begun);
        let id = EpisodeId(self.last_id.0 + 1);
        self.world.begin(
            id,
            &EpisodeSpec {
                tasks: tasks.clone(),
                seed,
                variation: None,
                instruction: Some(instruction.clone()),
            },
        )?;
        self.announce(id, seed, instruction, tasks, outbox)
    }

    fn announce(
        &mut self,
        id: EpisodeId,
        seed: u64,
        instruction: String,
        tasks: Vec<String>,
        outbox: &mut Outbox,
    ) -> Result<()> {
        // Those of the episode before.
        self.images.finish(outbox)?;
        if tasks.is_empty() && !instruction.is_empty() {
            let text =
                format!("`{instruction}` is no task that the world knows: no success will be seen");
            outbox.tell(Level::Warning, "unknown_task", text)?;
        }
        self.last_id = id;
        self.begun += 1;
        self.is_over = false;
        self.status = None;
        self.answer = None;
        self.episode = Episode::new(self.settings.episode_ns);
        let message = EpisodeMessage {
            id,
            stamp_ns: self.stamp_ns(),
            instruction,
            seed,
            tasks,
            last: self.is_last(),
            ..Default::default()
        };
        outbox.latch("episode", message)?;
        self.publish(outbox)
    }

    /// Whether no episode follows this one.
    fn is_last(&self) -> bool {
        self.settings
            .episodes
            .is_some_and(|most| self.begun >= most)
    }

    /// After an episode: another scene, or the next instruction is waited for.
    fn next(&mut self, outbox: &mut Outbox) -> Result<()> {
        if self.settings.episodes.is_some() {
            let (instruction, tasks) = (&self.settings.instruction, &self.settings.tasks);
            return self.begin(instruction.clone(), tasks.clone(), outbox);
        }
        self.is_over = true;
        outbox.tell(
            Level::Info,
            "ready",
            "the episode is over; `tiller say` gives the next instruction".to_owned(),
        )?;
        self.publish(outbox)
    }

    /// The next instruction, in the scene as it is if the world can do that.
    fn on_said(&mut self, said: EpisodeMessage, outbox: &mut Outbox) -> Result<()> {
        let id = EpisodeId(said.id.0.max(self.last_id.0 + 1));
        let tasks = match said.tasks.as_slice() {
            [] => {
                let kind = self.settings.kind.as_ref();
                kind.interpret(&said.instruction).unwrap_or_default()
            }
            tasks => tasks.to_vec(),
        };
        match self.world.go_on(id, &tasks) {
            Ok(()) => self.announce(id, said.seed, said.instruction, tasks, outbox),
            Err(error) => {
                let text = format!("`{}` is not taken: {error}", said.instruction);
                outbox.tell(Level::Warning, "episode_refused", text)
            }
        }
    }

    /// Runs the pending command if its time has come, and publishes what comes of it.
    fn go_on(&mut self, outbox: &mut Outbox) -> Result<Option<Over>> {
        if self.franka.is_some() {
            return self.live(outbox);
        }
        let Some(command) = self.answer.take() else {
            return self.ask_again(outbox).map(|()| None);
        };
        let left = self.pacer.time_left(self.world.time_ns(), Instant::now());
        if !left.is_zero() {
            self.answer = Some(command);
            return Ok(None);
        }
        self.waiting_since = Instant::now();
        if std::mem::take(&mut self.waiting_told) {
            outbox.tell(
                Level::Info,
                "waiting_over",
                "arm_command: it goes on".to_owned(),
            )?;
        }
        self.world.run(&command)?;
        self.judge(outbox)
    }

    /// After a piece of time: what came of it, and what is seen now.
    fn judge(&mut self, outbox: &mut Outbox) -> Result<Option<Over>> {
        let over = self
            .episode
            .pass(self.world.episode_ns(), self.is_paused)
            .check(self.world.episode_ns(), self.world.verdict())
            .filter(|_| !self.is_over);
        if over.is_some() {
            self.sum_up(outbox)?;
        }
        self.report(over, outbox)?;
        if over.is_none() {
            self.publish(outbox)?;
        }
        Ok(over)
    }

    /// The time in messages: the world's, or with a robot the machine's, by which that lives too.
    fn stamp_ns(&self) -> u64 {
        match &self.franka {
            None => self.world.time_ns(),
            Some(_) => robot_clock_ns(),
        }
    }

    fn publish(&mut self, outbox: &mut Outbox) -> Result<()> {
        if self.franka.is_none() {
            self.send_state(outbox)?;
        }
        if self.world.time_ns().is_multiple_of(PERIOD_NS) {
            let started = Instant::now();
            let since_reset_ns = self.world.time_ns() - self.world.origin_ns();
            let origin_ns = self.stamp_ns().saturating_sub(since_reset_ns);
            self.images.take(self.world.world(), origin_ns, outbox)?;
            // Where pictures had to be waited for, nobody listened for the answer meanwhile.
            self.asked_at = Instant::now();
            self.waiting_since += started.elapsed();
        }
        Ok(())
    }

    fn send_state(&mut self, outbox: &mut Outbox) -> Result<()> {
        self.asked_at = Instant::now();
        outbox.send("sim_arm_state", self.world.arm_state())
    }

    fn ask_again(&mut self, outbox: &mut Outbox) -> Result<()> {
        if self.waiting_since.elapsed() >= ACTUATOR_LIMIT && !self.waiting_told {
            self.waiting_told = true;
            let text = "waiting for arm_command: the actuator does not answer".to_owned();
            outbox.tell(Level::Warning, "waiting", text)?;
        }
        if self.asked_at.elapsed() < ANSWER_LIMIT {
            return Ok(());
        }
        // Nobody may have seen the first images either: the actuator starts with the rest.
        if self.world.episode_ns() == 0 {
            self.publish(outbox)
        } else {
            self.send_state(outbox)
        }
    }

    /// Whether all episodes ended in success.
    fn result(&self) -> Result<()> {
        let Some((count, over)) = self.unsuccessful else {
            return Ok(());
        };
        let (all, reason) = (self.begun, over.reason());
        match all {
            1 => bail!("no success: {reason}"),
            _ => bail!("no success in {count} of {all} episodes; the last of them: {reason}"),
        }
    }

    /// Sends the world's verdict when it changes and when the episode ends.
    fn report(&mut self, over: Option<Over>, outbox: &mut Outbox) -> Result<()> {
        if let Some(over) = over.filter(|over| *over != Over::Success) {
            let before = self.unsuccessful.map_or(0, |(count, _)| count);
            self.unsuccessful = Some((before + 1, over));
        }
        let verdict = self.world.verdict();
        let is_news = self.status.as_ref().is_none_or(|(success, completed)| {
            (*success, completed) != (verdict.success, &verdict.completed)
        });
        if over.is_none() && !is_news {
            return Ok(());
        }
        let status = TaskStatus {
            stamp_ns: self.stamp_ns(),
            episode: self.last_id,
            tasks: verdict.tasks.clone(),
            success: verdict.success,
            completed: verdict.completed.clone(),
            collateral: verdict.collateral.iter().map(ToString::to_string).collect(),
            episode_over: over.is_some(),
            reason: over
                .map(|over| over.reason().to_owned())
                .unwrap_or_default(),
            ..Default::default()
        };
        self.status = Some((verdict.success, verdict.completed.clone()));
        if over.is_some() {
            for collateral in &verdict.collateral {
                tracing::warn!("collateral: {collateral}");
            }
        }
        outbox.send("task_status", status)
    }
}

#[cfg(test)]
mod tests;
