//! The judge of what an arm is told: nothing of it comes from the code that it judges. Kinematics from
//! the robot's URDF, limits and shapes typed in from their sources, rates by finite differences.

/// The robots, as Franka Robotics' interface specifications have them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Robot {
    low_rad: [f64; 7],
    high_rad: [f64; 7],
    rate: [f64; 7],
    acceleration: [f64; 7],
    jerk: [f64; 7],
    /// m/s, m/s2, rad/s, rad/s2.
    tool: [f64; 4],
}

pub(crate) const PANDA: Robot = Robot {
    low_rad: [
        -2.8973, -1.7628, -2.8973, -3.0718, -2.8973, -0.0175, -2.8973,
    ],
    high_rad: [2.8973, 1.7628, 2.8973, -0.0698, 2.8973, 3.7525, 2.8973],
    rate: [2.1750, 2.1750, 2.1750, 2.1750, 2.6100, 2.6100, 2.6100],
    acceleration: [15.0, 7.5, 10.0, 12.5, 15.0, 20.0, 20.0],
    jerk: [7500.0, 3750.0, 5000.0, 6250.0, 7500.0, 10000.0, 10000.0],
    tool: [1.7, 13.0, 2.5, 25.0],
};

pub(crate) const FR3: Robot = Robot {
    low_rad: [-2.3476, -1.5454, -2.4937, -2.7714, -2.5100, 0.7773, -2.7045],
    high_rad: [2.3476, 1.5454, 2.4937, -0.4226, 2.5100, 4.2841, 2.7045],
    rate: [2.0, 1.0, 1.5, 1.25, 3.0, 1.5, 3.0],
    acceleration: [10.0; 7],
    jerk: [5000.0; 7],
    tool: [3.0, 9.0, 2.5, 17.0],
};

/// What is set for one life of an arm.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    pub(crate) robot: Robot,
    /// Shares of speed, acceleration and jerk that may be used.
    pub(crate) share: [f64; 3],
    pub(crate) min_m: [f64; 3],
    pub(crate) max_m: [f64; 3],
    pub(crate) table_m: Option<f64>,
}

/// Least distance of links, of links over the table, and of fingertips, m.
const BETWEEN_LINKS_M: f64 = 0.02;
const OVER_TABLE_M: f64 = 0.01;
const FINGERTIPS_M: f64 = 0.001;

/// How far the tool may leave the box between waypoints, m.
const WALL_M: f64 = 0.005;

/// What keeping away from things may be off by, m: a twentieth of the distance between links.
const OFF_M: f64 = 0.001;

type Vector = [f64; 3];
type Matrix = [[f64; 3]; 3];

/// Joint origins of the URDF: xyz, and roll (the other two angles are 0).
const JOINTS: [(Vector, f64); 7] = {
    const QUARTER: f64 = std::f64::consts::FRAC_PI_2;
    [
        ([0.0, 0.0, 0.333], 0.0),
        ([0.0, 0.0, 0.0], -QUARTER),
        ([0.0, -0.316, 0.0], QUARTER),
        ([0.0825, 0.0, 0.0], QUARTER),
        ([-0.0825, 0.384, 0.0], -QUARTER),
        ([0.0, 0.0, 0.0], QUARTER),
        ([0.088, 0.0, 0.0], QUARTER),
    ]
};

/// Links as capsules: link, middle, half of the line, radius. 8 is the hand.
const BODY: [(usize, Vector, Vector, f64); 13] = [
    (0, [-0.04, 0.0, 0.05], [0.04, 0.0, 0.0], 0.10),
    (1, [0.0, 0.0, -0.1915], [0.0, 0.0, 0.1415], 0.06),
    (2, [0.0, 0.0, 0.0], [0.0, 0.0, 0.06], 0.06),
    (3, [0.0, 0.0, -0.145], [0.0, 0.0, 0.075], 0.06),
    (4, [0.0, 0.0, 0.0], [0.0, 0.0, 0.06], 0.06),
    (5, [0.0, 0.0, -0.26], [0.0, 0.0, 0.05], 0.06),
    (5, [0.0, 0.07, -0.10], [0.0, 0.0, 0.07], 0.045),
    (6, [0.0, 0.0, -0.03], [0.0, 0.0, 0.04], 0.055),
    (7, [0.0, 0.0, 0.01], [0.0, 0.0, 0.07], 0.047),
    (
        7,
        [0.042_45, 0.042_45, 0.082],
        [0.003_55, 0.003_55, 0.0],
        0.03,
    ),
    (8, [0.0, 0.0, 0.02], [0.0, 0.055, 0.0], 0.052),
    (8, [0.0, 0.0, 0.085], [0.0, 0.045, 0.0], 0.02),
    (8, [0.0, 0.0, 0.1018], [0.0, 0.055, 0.0], 0.0105),
];

/// Pairs of links that could touch.
const COULD_TOUCH: [(usize, usize); 14] = [
    (0, 5),
    (0, 6),
    (0, 7),
    (0, 8),
    (1, 5),
    (1, 6),
    (1, 7),
    (1, 8),
    (2, 5),
    (2, 6),
    (2, 7),
    (2, 8),
    (3, 8),
    (5, 8),
];

/// The most that was used of everything, and the least that was left.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extremes {
    /// Samples judged.
    pub(crate) samples: u64,
    /// Shares of the robot's own speed, acceleration and jerk of any joint.
    pub(crate) joints: [f64; 3],
    /// Shares of the tool's speed, acceleration, turning speed and turning acceleration.
    pub(crate) tool: [f64; 4],
    /// Least distance between links, height of links and of fingertips over the table, m.
    pub(crate) least_m: [f64; 3],
    /// Furthest outside the box, m; negative inside.
    pub(crate) outside_m: f64,
}

impl Extremes {
    pub(crate) const NONE: Self = Self {
        samples: 0,
        joints: [0.0; 3],
        tool: [0.0; 4],
        least_m: [f64::INFINITY; 3],
        outside_m: f64::NEG_INFINITY,
    };
}

/// Judges one life, sample by sample.
pub(crate) struct Checker {
    cell: Cell,
    q: [f64; 7],
    rate: [f64; 7],
    acceleration: [f64; 7],
    tool: (Vector, Matrix),
    velocity: Vector,
    turning: Vector,
}

impl Checker {
    /// An arm at rest.
    pub(crate) fn new(cell: Cell, q: [f64; 7]) -> Self {
        let frames = frames(&q);
        Self {
            cell,
            q,
            rate: [0.0; 7],
            acceleration: [0.0; 7],
            tool: tool(&frames),
            velocity: [0.0; 3],
            turning: [0.0; 3],
        }
    }

    /// How far inside everything a posture is, m: box, links, table.
    pub(crate) fn room(cell: &Cell, q: &[f64; 7]) -> f64 {
        let frames = frames(q);
        let tcp = tool(&frames).0;
        let inside =
            (0..3).map(|axis| (tcp[axis] - cell.min_m[axis]).min(cell.max_m[axis] - tcp[axis]));
        let body = body(&frames);
        let [links, heights, tips] = least(&body, cell.table_m, f64::INFINITY);
        inside
            .fold(f64::INFINITY, f64::min)
            .min(links - BETWEEN_LINKS_M)
            .min(heights - OVER_TABLE_M)
            .min(tips - FINGERTIPS_M)
    }

    /// A millisecond later, which is not judged: for an arm that is met in motion.
    #[allow(dead_code, reason = "for recordings, which may have gaps")]
    pub(crate) fn follow(&mut self, q: &[f64; 7]) {
        const HZ: f64 = 1000.0;
        let tool = tool(&frames(q));
        for (j, &angle) in q.iter().enumerate() {
            let rate = (angle - self.q[j]) * HZ;
            let acceleration = (rate - self.rate[j]) * HZ;
            (self.q[j], self.rate[j], self.acceleration[j]) = (angle, rate, acceleration);
        }
        self.velocity = scaled(&minus(&tool.0, &self.tool.0), HZ);
        self.turning = scaled(&turn(&self.tool.1, &tool.1), HZ);
        self.tool = tool;
    }

    /// A millisecond later.
    pub(crate) fn sample(&mut self, q: &[f64; 7], extremes: &mut Extremes) -> Result<(), String> {
        const HZ: f64 = 1000.0;
        let (robot, share) = (&self.cell.robot, &self.cell.share);
        extremes.samples += 1;
        for (j, &angle) in q.iter().enumerate() {
            if !(robot.low_rad[j]..=robot.high_rad[j]).contains(&angle) {
                return Err(format!("joint {} at {}", j + 1, angle));
            }
            let rate = (angle - self.q[j]) * HZ;
            let acceleration = (rate - self.rate[j]) * HZ;
            let jerk = (acceleration - self.acceleration[j]) * HZ;
            // What is left of 53 bits after three differences of angles, at 1 kHz.
            let rounding = [1e-9, 1e-6, 1e-2];
            let found = [
                (rate, robot.rate[j]),
                (acceleration, robot.acceleration[j]),
                (jerk, robot.jerk[j]),
            ];
            for (order, (value, most)) in found.into_iter().enumerate() {
                extremes.joints[order] = extremes.joints[order].max(value.abs() / most);
                if value.abs() > most * share[order] + rounding[order] {
                    let what = ["rate", "acceleration", "jerk"][order];
                    return Err(format!("{what} of joint {}: {value} of {most}", j + 1));
                }
            }
            (self.q[j], self.rate[j], self.acceleration[j]) = (angle, rate, acceleration);
        }
        let frames = frames(q);
        self.sample_tool(&frames, extremes)?;
        let limit_m = BETWEEN_LINKS_M + 0.01;
        let found = least(&body(&frames), self.cell.table_m, limit_m);
        let most = [BETWEEN_LINKS_M, OVER_TABLE_M, FINGERTIPS_M];
        for (index, (found_m, least_m)) in found.into_iter().zip(most).enumerate() {
            extremes.least_m[index] = extremes.least_m[index].min(found_m);
            if found_m < least_m - OFF_M {
                let what = [
                    "links",
                    "a link over the table",
                    "fingertips over the table",
                ][index];
                return Err(format!("{what}: {found_m} m of {least_m}"));
            }
        }
        Ok(())
    }

    fn sample_tool(
        &mut self,
        frames: &[(Vector, Matrix); 8],
        extremes: &mut Extremes,
    ) -> Result<(), String> {
        const HZ: f64 = 1000.0;
        let tool = tool(frames);
        let velocity = scaled(&minus(&tool.0, &self.tool.0), HZ);
        let turning = scaled(&turn(&self.tool.1, &tool.1), HZ);
        let found = [
            length(&velocity),
            length(&minus(&velocity, &self.velocity)) * HZ,
            length(&turning),
            length(&minus(&turning, &self.turning)) * HZ,
        ];
        for (index, value) in found.into_iter().enumerate() {
            let most = self.cell.robot.tool[index];
            extremes.tool[index] = extremes.tool[index].max(value / most);
            if value > most {
                let what = ["speed", "acceleration", "turning", "turning's acceleration"];
                return Err(format!("{} of the tool: {value} of {most}", what[index]));
            }
        }
        (self.tool, self.velocity, self.turning) = (tool, velocity, turning);
        for axis in 0..3 {
            let (low, high) = (self.cell.min_m[axis], self.cell.max_m[axis]);
            let outside = (low - tool.0[axis]).max(tool.0[axis] - high);
            extremes.outside_m = extremes.outside_m.max(outside);
            if outside > WALL_M + OFF_M {
                return Err(format!("the tool {outside} m outside along axis {axis}"));
            }
        }
        Ok(())
    }
}

/// Frames of links 1 to 7 and of the hand: where, and columns of axes as rows of the transpose.
fn frames(q: &[f64; 7]) -> [(Vector, Matrix); 8] {
    let mut frames = [([0.0; 3], [[0.0; 3]; 3]); 8];
    let mut at = [0.0; 3];
    let mut axes: Matrix = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    for (joint, (origin, roll)) in JOINTS.iter().enumerate() {
        at = placed(&(at, axes), origin);
        let [x, y, z] = axes;
        let (sin, cos) = roll.sin_cos();
        let rolled = [x, along(&y, cos, &z, sin), along(&z, cos, &y, -sin)];
        axes = about_z(&rolled, q[joint]);
        frames[joint] = (at, axes);
    }
    at = placed(&(at, axes), &[0.0, 0.0, 0.107]);
    frames[7] = (at, about_z(&axes, -std::f64::consts::FRAC_PI_4));
    frames
}

fn tool(frames: &[(Vector, Matrix); 8]) -> (Vector, Matrix) {
    let hand = &frames[7];
    (placed(hand, &[0.0, 0.0, 0.1034]), hand.1)
}

fn about_z([x, y, z]: &Matrix, angle: f64) -> Matrix {
    let (sin, cos) = angle.sin_cos();
    [along(x, cos, y, sin), along(y, cos, x, -sin), *z]
}

fn body(frames: &[(Vector, Matrix); 8]) -> [(Vector, Vector); 13] {
    BODY.map(|(link, middle, half, _)| {
        let ends = [
            [
                middle[0] - half[0],
                middle[1] - half[1],
                middle[2] - half[2],
            ],
            [
                middle[0] + half[0],
                middle[1] + half[1],
                middle[2] + half[2],
            ],
        ];
        match link {
            0 => (ends[0], ends[1]),
            link => (
                placed(&frames[link - 1], &ends[0]),
                placed(&frames[link - 1], &ends[1]),
            ),
        }
    })
}

/// Least distance of links, as far as it is below `limit_m`, and heights over the table.
fn least(body: &[(Vector, Vector); 13], table_m: Option<f64>, limit_m: f64) -> [f64; 3] {
    let mut links = limit_m;
    for (a, (link_a, .., radius_a)) in BODY.iter().enumerate() {
        for (b, (link_b, .., radius_b)) in BODY.iter().enumerate().skip(a + 1) {
            if COULD_TOUCH.contains(&(*link_a, *link_b)) {
                let radii = radius_a + radius_b;
                // Nothing of a line is further from its middle than its half.
                let middle = to_line(&middle(&body[a]), &body[b]);
                if middle - 0.5 * size(&body[a]) - radii < links {
                    links = links.min(apart(&body[a], &body[b]) - radii);
                }
            }
        }
    }
    let height = |index: usize| {
        let (from, to) = &body[index];
        from[2].min(to[2]) - BODY[index].3 - table_m.unwrap_or(f64::NEG_INFINITY)
    };
    let of_links = (0..12).filter(|index| BODY[*index].0 >= 3).map(height);
    [links, of_links.fold(f64::INFINITY, f64::min), height(12)]
}

/// Distance of two lines: the distance of a point of one from the other is convex, so that thirds find
/// its least.
fn apart(a: &(Vector, Vector), b: &(Vector, Vector)) -> f64 {
    let of = |part: f64| to_line(&along(&scaled(&a.0, 1.0 - part), 1.0, &a.1, part), b);
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..28 {
        let third = (high - low) / 3.0;
        if of(low + third) < of(high - third) {
            high -= third;
        } else {
            low += third;
        }
    }
    of(0.5 * (low + high)).min(of(0.0)).min(of(1.0))
}

fn to_line(point: &Vector, (from, to): &(Vector, Vector)) -> f64 {
    let way = minus(to, from);
    let part = dot(&minus(point, from), &way) / dot(&way, &way);
    length(&minus(point, &along(from, 1.0, &way, part.clamp(0.0, 1.0))))
}

/// The turn from one orientation to another that is near, by the antisymmetric part.
fn turn(from: &Matrix, to: &Matrix) -> Vector {
    let mut sum = [0.0; 3];
    for axis in 0..3 {
        let (a, b) = (&from[axis], &to[axis]);
        sum[0] += 0.5 * (a[1] * b[2] - a[2] * b[1]);
        sum[1] += 0.5 * (a[2] * b[0] - a[0] * b[2]);
        sum[2] += 0.5 * (a[0] * b[1] - a[1] * b[0]);
    }
    sum
}

fn placed((at, [x, y, z]): &(Vector, Matrix), point: &Vector) -> Vector {
    std::array::from_fn(|i| at[i] + x[i] * point[0] + y[i] * point[1] + z[i] * point[2])
}

fn along(a: &Vector, share: f64, b: &Vector, other: f64) -> Vector {
    std::array::from_fn(|i| a[i] * share + b[i] * other)
}

fn minus(a: &Vector, b: &Vector) -> Vector {
    along(a, 1.0, b, -1.0)
}

fn scaled(a: &Vector, by: f64) -> Vector {
    a.map(|value| value * by)
}

fn middle((from, to): &(Vector, Vector)) -> Vector {
    along(from, 0.5, to, 0.5)
}

fn size((from, to): &(Vector, Vector)) -> f64 {
    length(&minus(to, from))
}

fn dot(a: &Vector, b: &Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn length(a: &Vector) -> f64 {
    dot(a, a).sqrt()
}
