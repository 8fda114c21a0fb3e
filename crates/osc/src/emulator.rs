//! A controller that is not there, for tests and trials: an arm with the Franka's joints that comes a
//! share of the way to its goal in a period. It listens on the loopback interface only.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nalgebra::{Isometry3, Matrix6, Translation3, UnitQuaternion, Vector3, Vector6};
use tiller_core::Pose;
use tiller_motion::kinematics::{Chain, HOME_Q, JointVector};

use crate::wire::{Fault, FromController, FromDriver, Hello, State, StepLine, VERSION};

/// How long a step is waited for once one has come: below every driver's patience.
const WAIT: Duration = Duration::from_millis(100);

/// Between two looks at whether anybody connects.
const LOOK: Duration = Duration::from_millis(2);

/// Damping of the joints' motion near singular postures, m2.
const DAMPING: f64 = 1e-6;

/// Solutions for the joints, each from where the one before has led.
const ITERATIONS: usize = 3;

/// Speed of the fingers, m/s.
const FINGERS_M_S: f64 = 0.1;

/// What the controller is like.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Port; 0, the default, for any that is free.
    pub port: u16,
    /// What it says of itself. Default: 20 Hz, 0.05 m, 0.5 rad, as robosuite's.
    pub hello: Hello,
    /// Share of the way to its goal that it comes in a period. Default: a third.
    pub share: f64,
    /// Whether it keeps real time; else it goes on as soon as a step has come. Default: yes.
    pub is_paced: bool,
    /// Where its joints begin, rad.
    pub q_rad: JointVector,
    /// Where the point is that it controls, seen from the tool. Default: there.
    pub tool_from_controlled: Pose,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: 0,
            hello: Hello {
                version: VERSION,
                rate_hz: 20.0,
                most_m: 0.05,
                most_rad: 0.5,
                joints: true,
                gripper_m: [0.0, 0.08],
            },
            share: 1.0 / 3.0,
            is_paced: true,
            q_rad: HOME_Q,
            tool_from_controlled: Pose::IDENTITY,
        }
    }
}

/// What is wrong with the arm, and what was asked of it.
#[derive(Debug)]
struct Shared {
    fault: Mutex<Fault>,
    is_silent: AtomicBool,
    is_ending: AtomicBool,
    steps: AtomicU64,
    refused: AtomicU64,
    last: Mutex<Option<StepLine>>,
}

/// A running controller; dropping it ends it.
#[derive(Debug)]
pub struct Emulator {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Emulator {
    /// Starts one.
    ///
    /// # Errors
    /// When its port cannot be had.
    pub fn start(config: &Config) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, config.port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            fault: Mutex::new(Fault::None),
            is_silent: AtomicBool::new(false),
            is_ending: AtomicBool::new(false),
            steps: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            last: Mutex::new(None),
        });
        let mut controller = Controller {
            body: Body::new(config),
            config: config.clone(),
            shared: Arc::clone(&shared),
            seq: 0,
        };
        let thread = thread::Builder::new()
            .name("osc-emulator".to_owned())
            .spawn(move || controller.run(&listener))?;
        Ok(Self {
            address,
            shared,
            thread: Some(thread),
        })
    }

    /// What a driver connects to.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// From now on the arm is said not to move for this reason, and it does not.
    pub fn fault(&self, fault: Fault) {
        *lock(&self.shared.fault) = fault;
    }

    /// From now on nothing is said, or everything again.
    pub fn silence(&self, is_silent: bool) {
        self.shared.is_silent.store(is_silent, Ordering::Release);
    }

    /// Steps that were taken.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.shared.steps.load(Ordering::Acquire)
    }

    /// Steps that were refused, for being longer than it takes.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.shared.refused.load(Ordering::Acquire)
    }

    /// The newest step.
    #[must_use]
    pub fn last_step(&self) -> Option<StepLine> {
        *lock(&self.shared.last)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.shared.is_ending.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // One that panicked has said so.
            let _ = thread.join();
        }
    }
}

fn lock<T>(cell: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    cell.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Controller {
    config: Config,
    body: Body,
    shared: Arc<Shared>,
    seq: u64,
}

impl Controller {
    fn run(&mut self, listener: &TcpListener) {
        while !self.is_ending() {
            match listener.accept() {
                // A driver that goes has gone; the next one may come.
                Ok((stream, _)) => drop(self.serve(&stream)),
                Err(_) => thread::sleep(LOOK),
            }
            self.body.stop();
        }
    }

    fn is_ending(&self) -> bool {
        self.shared.is_ending.load(Ordering::Acquire)
    }

    fn serve(&mut self, mut stream: &TcpStream) -> std::io::Result<()> {
        stream.set_nonblocking(false)?;
        stream.set_nodelay(true)?;
        say(&mut stream, &FromController::Hello(self.config.hello))?;
        let (sender, steps) = channel();
        let reader = BufReader::new(stream.try_clone()?);
        let listening = thread::spawn(move || {
            for line in reader.lines().map_while(Result::ok) {
                match serde_json::from_str(&line) {
                    Ok(FromDriver::Step(step)) if sender.send(step).is_ok() => {}
                    Ok(FromDriver::Hello { version: VERSION }) => {}
                    _ => return,
                }
            }
        });
        let served = self.states(&mut stream, &steps);
        let _is_closed_already = stream.shutdown(std::net::Shutdown::Both);
        let _has_said_so = listening.join();
        served
    }

    fn states(
        &mut self,
        stream: &mut &TcpStream,
        steps: &Receiver<StepLine>,
    ) -> std::io::Result<()> {
        let period = Duration::from_secs_f64(self.config.hello.period_ms() * 1e-3);
        let mut due = Instant::now();
        let mut is_led = false;
        while !self.is_ending() {
            let fault = *lock(&self.shared.fault);
            if !self.shared.is_silent.load(Ordering::Acquire) {
                self.seq += 1;
                say(
                    stream,
                    &FromController::State(self.body.state(self.seq, fault)),
                )?;
            }
            due = (due + period).max(Instant::now());
            let patience = match is_led && fault == Fault::None {
                true => WAIT.max(period),
                false if self.config.is_paced => period,
                false => LOOK,
            };
            match steps.recv_timeout(patience) {
                Ok(step) => {
                    is_led = true;
                    self.take(&step);
                }
                Err(RecvTimeoutError::Timeout) => is_led = false,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            if self.config.is_paced {
                thread::sleep(due.saturating_duration_since(Instant::now()));
            }
            if fault != Fault::None {
                self.body.stop();
            }
            self.body.advance();
        }
        Ok(())
    }

    fn take(&mut self, step: &StepLine) {
        *lock(&self.shared.last) = Some(*step);
        let length = |way: [f64; 3]| Vector3::from(way).norm();
        let hello = &self.config.hello;
        let is_short = length(step.translation_m) <= hello.most_m;
        if is_short && length(step.rotation_rad) <= hello.most_rad {
            self.shared.steps.fetch_add(1, Ordering::AcqRel);
            self.body.take(step);
        } else {
            self.shared.refused.fetch_add(1, Ordering::AcqRel);
        }
    }
}

fn say(stream: &mut &TcpStream, what: &FromController) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    stream.write_all(&line)
}

/// The arm and where its controller leads it.
struct Body {
    period_s: f64,
    share: f64,
    tool_from_controlled: Isometry3<f64>,
    q_rad: JointVector,
    dq_rad_s: JointVector,
    /// Where the controlled point is to be.
    goal: Isometry3<f64>,
    width_m: f64,
    wanted_m: f64,
    clock_ns: u64,
}

impl Body {
    fn new(config: &Config) -> Self {
        let [_, open_m] = config.hello.gripper_m;
        let mut body = Self {
            period_s: config.hello.period_ms() * 1e-3,
            share: config.share,
            tool_from_controlled: config.tool_from_controlled.isometry(),
            q_rad: config.q_rad,
            dq_rad_s: [0.0; 7],
            goal: Isometry3::identity(),
            width_m: open_m,
            wanted_m: open_m,
            clock_ns: 0,
        };
        body.stop();
        body
    }

    fn controlled(&self) -> Isometry3<f64> {
        Chain::new(&self.q_rad).pose().isometry() * self.tool_from_controlled
    }

    fn stop(&mut self) {
        self.goal = self.controlled();
        self.wanted_m = self.width_m;
    }

    fn take(&mut self, step: &StepLine) {
        let here = self.controlled();
        let turn = UnitQuaternion::from_scaled_axis(Vector3::from(step.rotation_rad));
        self.goal = Isometry3::from_parts(
            Translation3::from(here.translation.vector + Vector3::from(step.translation_m)),
            turn * here.rotation,
        );
        self.wanted_m = step.gripper_width_m;
    }

    /// A period: a share of the way to the goal, by damped least squares in the joints.
    fn advance(&mut self) {
        let before = self.q_rad;
        let here = self.controlled();
        let turn = (self.goal.rotation * here.rotation.inverse()).scaled_axis() * self.share;
        let way = (self.goal.translation.vector - here.translation.vector) * self.share;
        let wanted = Isometry3::from_parts(
            Translation3::from(here.translation.vector + way),
            UnitQuaternion::from_scaled_axis(turn) * here.rotation,
        ) * self.tool_from_controlled.inverse();
        for _ in 0..ITERATIONS {
            let chain = Chain::new(&self.q_rad);
            let tool = chain.pose().isometry();
            let way = wanted.translation.vector - tool.translation.vector;
            let turn = (wanted.rotation * tool.rotation.inverse()).scaled_axis();
            let jacobian = chain.jacobian();
            let damped = jacobian * jacobian.transpose() + Matrix6::identity() * DAMPING;
            let twist = Vector6::new(way.x, way.y, way.z, turn.x, turn.y, turn.z);
            if let Some(solved) = damped.lu().solve(&twist) {
                let moved = jacobian.transpose() * solved;
                for (q_rad, by) in self.q_rad.iter_mut().zip(moved.iter()) {
                    *q_rad += by;
                }
            }
        }
        for ((rate, after), before) in self.dq_rad_s.iter_mut().zip(self.q_rad).zip(before) {
            *rate = (after - before) / self.period_s;
        }
        let most_m = FINGERS_M_S * self.period_s;
        self.width_m += (self.wanted_m - self.width_m).clamp(-most_m, most_m);
        self.clock_ns += (self.period_s * 1e9).round() as u64;
    }

    fn state(&self, seq: u64, fault: Fault) -> State {
        let controlled = self.controlled();
        let pose = Pose::from_parts(controlled.translation.vector, &controlled.rotation);
        State {
            seq,
            clock_ns: self.clock_ns,
            q_rad: self.q_rad,
            dq_rad_s: self.dq_rad_s,
            tool_position_m: pose.position_m,
            tool_quaternion_wxyz: pose.quaternion_wxyz,
            gripper_width_m: self.width_m,
            fault,
        }
    }
}
