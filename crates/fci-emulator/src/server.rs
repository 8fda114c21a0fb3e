//! The robot on its ports: one thread lives its milliseconds, one serves each port.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use franka::wire::HeaderLayout;
use thiserror::Error;
use tiller_core::JOINTS;
use tiller_core::kinematics::HOME_Q;
use tiller_motion::ArmReading;

use crate::FciVersion;
use crate::arm::{EmulatedArm, KinematicArm};
use crate::connection::{self, Service};
use crate::faults::{Fault, Line, Trouble};
use crate::gripper::{Hand, WIDEST_M};
use crate::log::Entry;
use crate::plan::PlannedFault;
use crate::reference::Peaks;
use crate::robot::{Late, Robot};
use crate::wire::{self, Answer};

mod life;
mod ports;

use life::Life;
use ports::{HandPort, RobotPort};

/// What a millisecond of the robot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// A millisecond: a client that is late has missed its cycle.
    RealTime,
    /// While a motion is commanded, as long as the client takes to answer: nobody is ever late, and
    /// what is lost is lost by a [`Fault`] alone. For tests on machines that have other things to do.
    Lockstep,
}

/// Settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Which robot it is. Default: version 10, an FR3; version 5 is a Panda.
    pub version: FciVersion,
    /// Default: real time.
    pub clock: Clock,
    /// Port of the robot on the loopback interface; 0, the default, for any that is free.
    pub robot_port: u16,
    /// Port of the gripper, the same way.
    pub gripper_port: u16,
    /// Where the arm is at first, rad.
    pub q_rad: [f64; JOINTS],
    /// Width of the thing between the fingers, m; 0, the default, for none.
    pub object_m: f64,
    /// Seed of the losses.
    pub seed: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            version: FciVersion::V10,
            clock: Clock::RealTime,
            robot_port: 0,
            gripper_port: 0,
            q_rad: HOME_Q,
            object_m: 0.0,
            seed: 0,
        }
    }
}

/// Why an emulator did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// A port is not to be had.
    #[error("the {port} cannot listen on port {number} of the loopback interface")]
    Port {
        /// Whose.
        port: &'static str,
        /// Which.
        number: u16,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The operating system gave no socket or thread.
    #[error("the emulator's sockets and threads cannot be made")]
    System(#[from] io::Error),
    /// The robot's description cannot be read.
    #[error("the robot's description cannot be read: {0}")]
    Model(String),
}

/// What was counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Counters {
    /// The robot's milliseconds.
    pub cycles: u64,
    /// Commands that were taken.
    pub commands: u64,
    /// Cycles of commanded motions without a command.
    pub missed: u64,
    /// The share of the limits that commands used.
    pub peaks: Peaks,
}

/// A fault that waits for its moment.
struct Scheduled {
    /// Milliseconds into the first motion that gets so far.
    commanded_ms: u64,
    fault: Fault,
}

/// Everything that the threads share.
struct World {
    robot: Robot,
    hand: Hand,
    line: Line,
    robot_peer: Option<connection::Peer>,
    hand_peer: Option<connection::Peer>,
    scheduled: Vec<Scheduled>,
}

impl World {
    /// Answers a request that was left open.
    fn tell(&mut self, late: Option<Late>, version: FciVersion) {
        if let (Some(late), Some(peer)) = (late, &mut self.robot_peer) {
            let command = match late.answer {
                Answer::Recovery(_) => wire::recovery_command(version),
                _ => wire::MOVE,
            };
            peer.answer(command, late.request, &wire::answer(version, &late.answer));
        }
    }

    fn suffer(&mut self, fault: Fault, version: FciVersion) {
        let trouble = match fault {
            Fault::Loss { states, commands } => return self.line.lose(states, commands),
            Fault::Stall { ms } => return self.line.stall(ms),
            Fault::Drop => {
                for peer in [&mut self.robot_peer, &mut self.hand_peer]
                    .into_iter()
                    .flatten()
                {
                    peer.cut();
                    peer.states_to = None;
                }
                return;
            }
            Fault::Reflex(flag) => Trouble::Reflex(flag),
            Fault::UserStop(is_pressed) => Trouble::UserStop(is_pressed),
            Fault::Stuck(is_stuck) => Trouble::Stuck(is_stuck),
        };
        let late = self.robot.suffer(trouble);
        self.tell(late, version);
    }
}

/// Shared between the threads and the handle.
struct Shared {
    world: Mutex<World>,
    is_ending: AtomicBool,
    version: FciVersion,
}

impl Shared {
    /// A thread that panicked has left a robot that still answers.
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running emulator; it ends when dropped.
pub struct Emulator {
    shared: Arc<Shared>,
    robot_at: SocketAddr,
    gripper_at: SocketAddr,
    threads: Vec<JoinHandle<()>>,
}

impl Emulator {
    /// Starts one with an arm that is where it is told to be.
    ///
    /// # Errors
    /// When a port, a socket or a thread is not to be had.
    pub fn start(config: &Config) -> Result<Self, StartError> {
        let arm = KinematicArm::new(config.version, config.q_rad, WIDEST_M, config.object_m)?;
        Self::start_with(config, Box::new(arm))
    }

    /// Starts one that moves `arm`; `config.q_rad` and `config.object_m` are then of no account.
    ///
    /// # Errors
    /// When a port, a socket or a thread is not to be had.
    pub fn start_with(config: &Config, arm: Box<dyn EmulatedArm>) -> Result<Self, StartError> {
        let robot_listener = listen("robot", config.robot_port)?;
        let gripper_listener = listen("gripper", config.gripper_port)?;
        let robot_at = robot_listener.local_addr()?;
        let gripper_at = gripper_listener.local_addr()?;
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let width_m = arm.reading().gripper_width_m;
        let pace = arm.pace();
        let shared = Arc::new(Shared {
            world: Mutex::new(World {
                robot: Robot::new(config.version, arm)?,
                hand: Hand::new(width_m),
                line: Line::new(config.seed),
                robot_peer: None,
                hand_peer: None,
                scheduled: Vec::new(),
            }),
            is_ending: AtomicBool::new(false),
            version: config.version,
        });
        let mut emulator = Self {
            shared: Arc::clone(&shared),
            robot_at,
            gripper_at,
            threads: Vec::new(),
        };
        let life = Life::new(Arc::clone(&shared), socket, config.clock, pace)?;
        emulator.spawn("fci-robot", move || life.run())?;
        emulator.serve(
            robot_listener,
            HeaderLayout::Robot,
            RobotPort(Arc::clone(&shared)),
        )?;
        emulator.serve(gripper_listener, HeaderLayout::Gripper, HandPort(shared))?;
        Ok(emulator)
    }

    fn serve(
        &mut self,
        listener: TcpListener,
        layout: HeaderLayout,
        mut service: impl Service,
    ) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        self.spawn("fci-port", move || {
            connection::serve(&listener, layout, &mut service, &shared.is_ending);
        })
    }

    fn spawn(&mut self, name: &str, task: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let builder = thread::Builder::new().name(name.to_owned());
        self.threads.push(builder.spawn(task)?);
        Ok(())
    }

    /// Where the robot listens, `127.0.0.1:port`.
    #[must_use]
    pub fn address(&self) -> String {
        self.robot_at.to_string()
    }

    /// Where the gripper listens.
    #[must_use]
    pub fn gripper_address(&self) -> String {
        self.gripper_at.to_string()
    }

    /// Something goes wrong now.
    pub fn fault(&self, fault: Fault) {
        self.shared.world().suffer(fault, self.shared.version);
    }

    /// Something goes wrong once a motion has been commanded for `commanded_ms`.
    pub fn fault_at(&self, commanded_ms: u64, fault: Fault) {
        self.shared.world().scheduled.push(Scheduled {
            commanded_ms,
            fault,
        });
    }

    /// What happened so far, oldest first.
    #[must_use]
    pub fn log(&self) -> Vec<Entry> {
        self.log_since(0)
    }

    /// The same without the first `known` entries.
    #[must_use]
    pub fn log_since(&self, known: usize) -> Vec<Entry> {
        self.shared.world().robot.log.since(known).to_vec()
    }

    /// Does what is planned: now, or at its moment.
    pub fn plan(&self, planned: &PlannedFault) {
        match planned.commanded_ms {
            Some(commanded_ms) => self.fault_at(commanded_ms, planned.fault),
            None => self.fault(planned.fault),
        }
    }

    /// What was counted so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let world = self.shared.world();
        let (cycles, commands, missed) = world.robot.counts();
        Counters {
            cycles,
            commands,
            missed,
            peaks: world.robot.joints().peaks,
        }
    }

    /// What the robot measures now.
    #[must_use]
    pub fn reading(&self) -> ArmReading {
        self.shared.world().robot.arm().reading()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.shared.is_ending.store(true, Ordering::Release);
        for thread in self.threads.drain(..) {
            // One that panicked has said so.
            let _ = thread.join();
        }
    }
}

fn listen(port: &'static str, number: u16) -> Result<TcpListener, StartError> {
    connection::listen(number).map_err(|source| StartError::Port {
        port,
        number,
        source,
    })
}
