//! A world in one file: an ideal Panda, exactly where its set-points are, at a table with two flat discs
//! that its tool pushes. No physics engine, no renderer.

use std::sync::{Arc, LazyLock};

use tiller_core::Pose;
use tiller_motion::kinematics::{self, HOME_Q};
use tiller_motion::{ArmReading, Setpoint};
use tiller_world::{
    ArmMeasurement, CameraGeometry, CameraInfo, Channels, Command, CommandLevel, Episode,
    EpisodeSpec, Frame, GroupInfo, RobotInfo, SETPOINT_NS, TaskInfo, Verdict, World, WorldError,
    WorldInfo, WorldKind,
};

pub(crate) const NAME: &str = "discs";
const COLOURS: [(&str, [u8; 3]); 2] = [("amber", [240, 180, 40]), ("green", [60, 170, 90])];
const RADIUS_M: f64 = 0.03;
/// The tool is a rod of this radius; it pushes what lies on the table when it is this low.
const TOOL_M: f64 = 0.01;
const LOW_M: f64 = 0.05;
/// A disc is pushed when it has moved this far.
const PUSHED_M: f64 = 0.06;
const STEP_NS: u64 = 4_000_000;
const CAMERA_HEIGHT_M: f64 = 1.0;

static INFO: LazyLock<WorldInfo> = LazyLock::new(|| WorldInfo {
    name: NAME,
    about: "a table with two discs",
    robot: RobotInfo {
        name: "panda",
        level: CommandLevel::Joints,
        step_ns: STEP_NS,
        turns_hand: false,
        workspace: tiller_motion::Limits::panda().workspace,
    },
    cameras: [("static", Channels::ALL), ("wrist", Channels::COLOUR)]
        .map(|(name, channels)| CameraInfo {
            name,
            size: [256; 2],
            max_size: [256; 2],
            channels,
        })
        .to_vec(),
    labels: vec![
        (1, "amber disc".to_owned()),
        (2, "green disc".to_owned()),
        (3, "robot".to_owned()),
    ],
    without_keypoints: Vec::new(),
    keypoint_counts: Vec::new(),
    detector: None,
    tasks: COLOURS
        .map(|(colour, _)| TaskInfo {
            id: format!("push_{colour}"),
            instruction: format!("push the {colour} disc"),
            group: "pushing",
            shown: 1,
        })
        .to_vec(),
    groups: vec![GroupInfo {
        name: "pushing",
        about: "pushing discs",
        strengths: Vec::new(),
    }],
    axes: Vec::new(),
    look_ns: 100_000_000,
    episode_ns: 20 * tiller_core::SECOND_NS,
});

pub(crate) struct DiscsKind;

impl WorldKind for DiscsKind {
    fn info(&self) -> &WorldInfo {
        &INFO
    }

    fn make(&self) -> Result<Box<dyn World>, WorldError> {
        let mut discs = Discs {
            start_m: [[0.0; 2]; 2],
            discs_m: [[0.0; 2]; 2],
            setpoints: Arc::new([]),
            commanded_ns: 0,
            q_rad: HOME_Q,
            dq_rad_s: [0.0; 7],
            gripper_width_m: 0.0,
            time_ns: 0,
            asked: Vec::new(),
            episode: Episode::new(Vec::new()),
        };
        discs.reset(&EpisodeSpec::default())?;
        Ok(Box::new(discs))
    }

    fn interpret(&self, instruction: &str) -> Option<Vec<String>> {
        let found = INFO
            .tasks
            .iter()
            .find(|task| task.instruction == instruction);
        found.map(|task| vec![task.id.clone()])
    }
}

/// Where the discs of a seed lie, m.
pub(crate) fn scene(seed: u64) -> [[f64; 2]; 2] {
    let jitter = |factor: u64| (seed.wrapping_mul(factor) % 7) as f64 * 0.005;
    [
        [0.46 + jitter(3), -0.10 - jitter(5)],
        [0.46 + jitter(2), 0.10 + jitter(4)],
    ]
}

struct Discs {
    start_m: [[f64; 2]; 2],
    discs_m: [[f64; 2]; 2],
    setpoints: Arc<[Setpoint]>,
    commanded_ns: u64,
    q_rad: [f64; 7],
    dq_rad_s: [f64; 7],
    gripper_width_m: f64,
    time_ns: u64,
    /// Indices of the discs that are to be pushed.
    asked: Vec<usize>,
    episode: Episode,
}

impl Discs {
    fn tool(&self) -> Pose {
        let tool = kinematics::forward(&self.q_rad);
        Pose {
            position_m: tool.position_m,
            quaternion_wxyz: tool.quaternion_wxyz,
        }
    }

    fn moved_m(&self, disc: usize) -> f64 {
        let ([x, y], [x0, y0]) = (self.discs_m[disc], self.start_m[disc]);
        (x - x0).hypot(y - y0)
    }

    /// Discs give way to the tool.
    fn push(&mut self) {
        let [x, y, z] = self.tool().position_m;
        for disc in self.discs_m.iter_mut().filter(|_| z < LOW_M) {
            let away = [disc[0] - x, disc[1] - y];
            let distance_m = away[0].hypot(away[1]);
            let reach_m = RADIUS_M + TOOL_M;
            if distance_m < reach_m && distance_m > 0.0 {
                *disc = [0, 1].map(|axis| [x, y][axis] + away[axis] * reach_m / distance_m);
            }
        }
    }

    fn judge(&mut self) {
        let pushed = [0, 1].map(|disc| self.moved_m(disc) > PUSHED_M);
        self.episode
            .observe(self.time_ns, self.asked.iter().all(|disc| pushed[*disc]));
        let done = INFO.tasks.iter().zip(pushed).filter(|(_, pushed)| *pushed);
        self.episode
            .completed(done.map(|(task, _)| task.id.as_str()));
        for (disc, (colour, _)) in COLOURS.iter().enumerate() {
            let moved_m = self.moved_m(disc);
            if moved_m > 0.02 && !self.asked.contains(&disc) {
                let what = format!("moved {moved_m:.2} m");
                self.episode.collateral(&format!("{colour} disc"), what);
            }
        }
    }
}

impl World for Discs {
    fn kind(&self) -> &dyn WorldKind {
        &DiscsKind
    }

    fn reset(&mut self, spec: &EpisodeSpec) -> Result<(), WorldError> {
        let index = |id: &String| {
            let found = INFO.tasks.iter().position(|task| task.id == *id);
            found.ok_or_else(|| WorldError::Unknown {
                world: NAME,
                kind: "task",
                expected: "push_amber or push_green".to_owned(),
                found: id.clone(),
            })
        };
        self.asked = spec.tasks.iter().map(index).collect::<Result<_, _>>()?;
        self.start_m = scene(spec.seed);
        self.discs_m = self.start_m;
        (self.q_rad, self.dq_rad_s, self.gripper_width_m) = (HOME_Q, [0.0; 7], 0.0);
        (self.setpoints, self.time_ns) = (Arc::new([]), 0);
        self.episode = Episode::new(spec.tasks.clone());
        Ok(())
    }

    fn time_ns(&self) -> u64 {
        self.time_ns
    }

    fn arm(&self) -> ArmMeasurement {
        ArmMeasurement {
            reading: ArmReading {
                q_rad: self.q_rad,
                dq_rad_s: self.dq_rad_s,
                gripper_width_m: self.gripper_width_m,
            },
            base_from_tool: self.tool(),
        }
    }

    /// Both cameras look straight down from above the table's middle.
    fn look(
        &mut self,
        _camera: &str,
        [width, height]: [usize; 2],
        channels: Channels,
        frame: &mut Frame,
    ) -> Result<(), WorldError> {
        frame.geometry = CameraGeometry {
            focal: [width as f64; 2],
            principal_point: [width as f64 / 2.0, height as f64 / 2.0],
            world_from_camera: [
                1.0,
                0.0,
                0.0,
                0.45,
                0.0,
                -1.0,
                0.0,
                0.0,
                0.0,
                0.0,
                -1.0,
                CAMERA_HEIGHT_M,
                0.0,
                0.0,
                0.0,
                1.0,
            ],
        };
        (frame.width, frame.height, frame.stamp_ns) = (width, height, self.time_ns);
        frame.rgb.clear();
        frame.depth_mm.clear();
        frame.segmentation.clear();
        let tool_m = self.tool().position_m;
        for index in 0..width * height {
            let (column, row) = (index % width, index / width);
            let near = |[x, y]: [f64; 2], depth_m: f64, radius_m: f64| {
                let seen = frame.geometry.unproject(column, row, depth_m);
                (seen[0] - x).hypot(seen[1] - y) < radius_m
            };
            let above_tool_m = CAMERA_HEIGHT_M - tool_m[2];
            let disc = self
                .discs_m
                .iter()
                .position(|at| near(*at, CAMERA_HEIGHT_M, RADIUS_M));
            let (label, colour, depth_m) = if near([tool_m[0], tool_m[1]], above_tool_m, TOOL_M) {
                (3, [220; 3], above_tool_m)
            } else if let Some(disc) = disc {
                (disc as u8 + 1, COLOURS[disc].1, CAMERA_HEIGHT_M)
            } else {
                (0, [90; 3], CAMERA_HEIGHT_M)
            };
            if channels.colour {
                frame.rgb.extend(colour);
            }
            if channels.depth {
                frame.depth_mm.push((1e3 * depth_m) as u16);
            }
            if channels.segmentation {
                frame.segmentation.push(label);
            }
        }
        Ok(())
    }

    fn command(&mut self, command: &Command<'_>) -> Result<(), WorldError> {
        if let Command::Joints(setpoints) = command {
            (self.setpoints, self.commanded_ns) = (Arc::from(*setpoints), self.time_ns);
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), WorldError> {
        self.time_ns += STEP_NS;
        let due = (self.time_ns - self.commanded_ns) / SETPOINT_NS - 1;
        if let Some(at) = self.setpoints.get(due as usize).or(self.setpoints.last()) {
            let rate =
                |joint: usize| (at.q_rad[joint] - self.q_rad[joint]) / (STEP_NS as f64 * 1e-9);
            self.dq_rad_s = std::array::from_fn(rate);
            (self.q_rad, self.gripper_width_m) = (at.q_rad, at.gripper_width_m);
        }
        self.push();
        self.judge();
        Ok(())
    }

    fn verdict(&self) -> &Verdict {
        self.episode.verdict()
    }
}
