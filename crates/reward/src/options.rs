//! What a program is compiled for, and the bounds on how much of it there may be.

/// An axis-aligned box in the robot base frame, in metres, in which probes are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Workspace {
    /// Lowest corner.
    pub min_m: [f64; 3],
    /// Highest corner.
    pub max_m: [f64; 3],
}

impl Default for Workspace {
    /// The reach of a Panda over a table in front of it.
    fn default() -> Self {
        Self {
            min_m: [0.25, -0.4, 0.0],
            max_m: [0.75, 0.4, 0.5],
        }
    }
}

/// Bounds on a program, so that no input takes more than 100 ms or 64 MiB to be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of text, prose included.
    pub source_bytes: usize,
    /// Open brackets, indentation levels and operators in a row, together.
    pub nesting: usize,
    /// Stages of a program.
    pub stages: usize,
    /// Evaluated expressions, touched elements and weighed scalar operations, over all stages;
    /// bounds loops too.
    pub work: usize,
    /// Elements of one tensor.
    pub elements: usize,
    /// Scalar operations of one stage after folding and sharing.
    pub operations: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            source_bytes: 128 * 1024,
            nesting: 200,
            stages: 16,
            work: 150_000,
            elements: 32_768,
            operations: 40_000,
        }
    }
}

/// What a policy lets rewards do with a part of its action beside the position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The policy's actions do not have it: rewards cannot ask for it.
    Absent,
    /// It is there to be read, and guidance may not move it.
    Read,
    /// Guidance moves it.
    Guide,
}

/// What rewards may ask of the hand beside where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandAccess {
    /// The hand's orientation, `rotations`.
    pub rotations: Access,
    /// The gripper's opening, `gripper`.
    pub gripper: Access,
}

impl HandAccess {
    /// A policy that moves positions alone.
    pub const POSITIONS: Self = Self {
        rotations: Access::Absent,
        gripper: Access::Absent,
    };
    /// A policy whose whole action guidance may move.
    pub const WHOLE: Self = Self {
        rotations: Access::Guide,
        gripper: Access::Guide,
    };
}

/// What to compile for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CompileOptions {
    /// Number of keypoints `K`.
    pub keypoints: usize,
    /// Points of a trajectory: the current position and one for each action, `T + 1`.
    pub points: usize,
    /// What of the hand rewards may read and move; everything by default.
    pub hand: HandAccess,
    /// Where probes are drawn.
    pub workspace: Workspace,
    /// Bounds on the program.
    pub limits: Limits,
    /// Whether a reward must be able to move the hand and a done function to begin and to end, and
    /// what is probably not meant is remarked. Off, expressions can be evaluated for their own sake.
    pub judge_purpose: bool,
}

impl CompileOptions {
    /// Options for `keypoints` keypoints and trajectories of `points` points, with the default
    /// workspace and limits.
    #[must_use]
    pub fn new(keypoints: usize, points: usize) -> Self {
        Self {
            keypoints,
            points,
            hand: HandAccess::WHOLE,
            workspace: Workspace::default(),
            limits: Limits::default(),
            judge_purpose: true,
        }
    }
}
