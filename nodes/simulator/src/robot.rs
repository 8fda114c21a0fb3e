//! Settings of the robot: who moves the world's arm, and how.

use tiller_fci_emulator::{Clock, Config, FciVersion, PlannedFault};
use tiller_node_kit::Environment;

/// Who moves the arm.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Robot {
    /// The actuator, in lockstep: each state is answered by a command.
    Lockstep,
    /// A client of the Franka Control Interface, whose other side is emulated here.
    Fci(FciSettings),
}

/// Of the emulated interface.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FciSettings {
    /// Ports, version, clock.
    pub(crate) config: Config,
    /// What goes wrong, and when.
    pub(crate) faults: Vec<PlannedFault>,
}

impl Robot {
    /// Reads and checks what of the settings concerns the robot; `seed` is also that of lost packets.
    pub(crate) fn read(env: &mut Environment, seed: u64) -> Self {
        if env.choice("ROBOT", "lockstep", &[("lockstep", true), ("fci", false)]) {
            return Self::Lockstep;
        }
        let versions = [("fr3", FciVersion::V10), ("panda", FciVersion::V5)];
        let clocks = [
            ("lockstep", Clock::Lockstep),
            ("real-time", Clock::RealTime),
        ];
        let config = Config {
            version: env.choice("FCI_ROBOT", "fr3", &versions),
            clock: env.choice("FCI_CLOCK", "lockstep", &clocks),
            robot_port: env.number("FCI_PORT", 1337, 0..=u16::MAX),
            gripper_port: env.number("FCI_GRIPPER_PORT", 1338, 0..=u16::MAX),
            seed,
            ..Config::default()
        };
        let text = env.text("FCI_FAULTS", "");
        let faults = PlannedFault::list(&text).unwrap_or_else(|error| {
            env.refuse("FCI_FAULTS", error.expected, Some(error.found));
            Vec::new()
        });
        Self::Fci(FciSettings { config, faults })
    }

    /// Refuses what a robot with a clock of its own cannot do.
    pub(crate) fn check(&self, env: &mut Environment, speed: f64, episodes: Option<u64>) {
        let Self::Fci(fci) = self else {
            return;
        };
        let is_slowed = fci.config.clock == Clock::Lockstep;
        let expected = match is_slowed {
            true => "0.1 to 1 with ROBOT=fci: nothing drives a robot faster than its clock",
            false => "1 with FCI_CLOCK=real-time",
        };
        if speed > 1.0 || (!is_slowed && speed < 1.0) {
            env.refuse_as("SPEED", expected, &speed.to_string());
        }
        if let Some(found) = episodes.filter(|episodes| *episodes > 1) {
            // Between two scenes a simulated arm is put elsewhere, which nobody does with a robot.
            let expected = "1 with ROBOT=fci, or 0: further ones are said, in the scene as it is";
            env.refuse_as("EPISODES", expected, &found.to_string());
        }
    }
}
