//! A world in lockstep: one command, one piece of simulated time. Time goes on from episode to
//! episode.

use eyre::{Result, bail};
use tiller_core::EpisodeId;
use tiller_messages::{ArmCommand, ArmState};
use tiller_motion::Setpoint;
use tiller_world::{
    ArmMeasurement, Command, EpisodeSpec, SETPOINT_NS, Verdict, World, WorldError, WorldKind,
};

use crate::images::PERIOD_NS;

/// The world and its place in time.
pub(crate) struct Lockstep {
    world: Box<dyn World>,
    /// The node's time at which the world's began, ns.
    origin_ns: u64,
    /// When the present task was asked for, ns.
    begun_ns: u64,
    episode: EpisodeId,
    setpoints: Vec<Setpoint>,
}

impl Lockstep {
    /// A world without an episode.
    pub(crate) fn new(kind: &dyn WorldKind) -> Result<Self> {
        Ok(Self {
            world: kind.make()?,
            origin_ns: 0,
            begun_ns: 0,
            episode: EpisodeId(0),
            setpoints: Vec::new(),
        })
    }

    /// Begins an episode in a scene of its own.
    pub(crate) fn begin(&mut self, id: EpisodeId, spec: &EpisodeSpec) -> Result<()> {
        // Images are due at multiples of their period in both clocks.
        let now_ns = self.time_ns().next_multiple_of(PERIOD_NS);
        self.world.reset(spec)?;
        self.origin_ns = now_ns;
        self.begun_ns = now_ns;
        self.episode = id;
        Ok(())
    }

    /// Begins an episode in the scene as it is.
    pub(crate) fn go_on(&mut self, id: EpisodeId, tasks: &[String]) -> Result<(), WorldError> {
        self.world.ask(tasks)?;
        self.begun_ns = self.time_ns();
        self.episode = id;
        Ok(())
    }

    /// Simulated time over all episodes, ns.
    pub(crate) fn time_ns(&self) -> u64 {
        self.origin_ns + self.world.time_ns()
    }

    /// Simulated time since the episode began, ns.
    pub(crate) fn episode_ns(&self) -> u64 {
        self.time_ns() - self.begun_ns
    }

    /// The world, for the cameras.
    pub(crate) fn world(&mut self) -> &mut dyn World {
        self.world.as_mut()
    }

    /// What is to be added to the world's own stamps, ns.
    pub(crate) fn origin_ns(&self) -> u64 {
        self.origin_ns
    }

    /// How the episode stands.
    pub(crate) fn verdict(&self) -> &Verdict {
        self.world.verdict()
    }

    /// Runs the command's set-points.
    pub(crate) fn run(&mut self, command: &ArmCommand) -> Result<()> {
        if command.stamp_ns != self.time_ns() {
            let (now, stamp) = (self.time_ns(), command.stamp_ns);
            bail!("arm command: expected stamp {now} ns, found {stamp} ns");
        }
        self.setpoints.clear();
        self.setpoints
            .extend(command.setpoints().map(|q_rad| Setpoint {
                q_rad,
                gripper_width_m: command.gripper_width_m,
            }));
        self.world.run(&Command::Joints(&self.setpoints))?;
        Ok(())
    }

    /// Runs setpoints, one a millisecond: a whole number of the world's steps.
    pub(crate) fn follow(&mut self, setpoints: &[Setpoint]) -> Result<()> {
        Ok(self.world.run(&Command::Joints(setpoints))?)
    }

    /// What the arm measures, and where its tool is.
    pub(crate) fn arm(&self) -> ArmMeasurement {
        self.world.arm()
    }

    /// Milliseconds of one step of the world.
    pub(crate) fn step_ms(&self) -> usize {
        (self.world.info().robot.step_ns / SETPOINT_NS) as usize
    }

    /// What the arm's sensors say.
    pub(crate) fn arm_state(&self) -> ArmState {
        let arm = self.world.arm();
        ArmState {
            stamp_ns: self.time_ns(),
            episode: self.episode,
            q_rad: arm.reading.q_rad,
            dq_rad_s: arm.reading.dq_rad_s,
            tcp: arm.base_from_tool,
            gripper_width_m: arm.reading.gripper_width_m,
            ..Default::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lockstep() -> Lockstep {
        let mut lockstep = Lockstep::new(&tiller_playtable::kind()).unwrap();
        lockstep
            .begin(EpisodeId(1), &EpisodeSpec::default())
            .unwrap();
        lockstep
    }

    fn command(state: &ArmState) -> ArmCommand {
        ArmCommand {
            stamp_ns: state.stamp_ns,
            q_rad: state.q_rad.repeat(20),
            gripper_width_m: 0.08,
            ..Default::default()
        }
    }

    #[test]
    fn twenty_setpoints_take_twenty_milliseconds() {
        let mut lockstep = lockstep();
        let state = lockstep.arm_state();
        lockstep.run(&command(&state)).unwrap();
        let after = lockstep.arm_state();
        assert_eq!(after.stamp_ns, state.stamp_ns + 20_000_000);
    }

    #[test]
    fn a_command_for_another_time_is_an_error() {
        let mut lockstep = lockstep();
        let command = ArmCommand {
            stamp_ns: 1,
            ..command(&lockstep.arm_state())
        };
        let error = lockstep.run(&command).unwrap_err().to_string();
        assert!(error.contains("expected stamp 0 ns, found 1 ns"), "{error}");
    }

    #[test]
    fn time_never_goes_back_from_one_episode_to_the_next() {
        let mut lockstep = lockstep();
        let state = lockstep.arm_state();
        lockstep.run(&command(&state)).unwrap();
        let tasks = ["button_press".to_owned()];
        lockstep.go_on(EpisodeId(2), &tasks).unwrap();
        assert_eq!(lockstep.time_ns(), 20_000_000, "the scene goes on");
        assert_eq!(lockstep.verdict().tasks, tasks);
        assert_eq!(lockstep.episode_ns(), 0);
        lockstep
            .begin(EpisodeId(3), &EpisodeSpec::default())
            .unwrap();
        assert_eq!(lockstep.time_ns(), PERIOD_NS);
        assert_eq!(lockstep.arm_state().episode, EpisodeId(3));
    }
}
