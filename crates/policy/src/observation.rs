//! What the robot sees, and how it becomes the encoder's numbers.

use tiller_core::{Problem, Problems};

use crate::manifest::{ENVIRONMENT_STATE, ObservationInput, ObservationKind, ROBOT_STATE};

/// A picture from one camera, borrowed where it lies.
#[derive(Debug, Clone, Copy)]
pub struct ImageView<'a> {
    /// The camera's name, as in the manifest's `source`: `static` or `wrist`.
    pub name: &'a str,
    /// Pixels a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `height * width * 3` bytes, row by row from the top, red green blue.
    pub rgb: &'a [u8],
}

/// Everything that a policy is shown. Tiller's own policies see pictures and the robot's own state,
/// never object poses.
#[derive(Debug, Clone, Copy)]
pub struct Observation<'a> {
    /// One picture for each camera that the manifest names; others are ignored.
    pub images: &'a [ImageView<'a>],
    /// The robot state, what [`Manifest::robot_state`](crate::Manifest::robot_state) asks for: TCP x, y,
    /// z and gripper width in metres if the bundle does not say.
    pub state: &'a [f32],
    /// The environment's state in the manifest's units, e.g. poses of objects in a simulation; empty
    /// where there is none, which only a policy that wants one minds.
    pub environment: &'a [f32],
    /// What the robot is told to do; empty where nobody has told it, which only a policy that reads minds.
    pub instruction: &'a str,
}

/// What a program can show a policy, to be compared with what the policy wants before the first
/// observation ([`Bundle::check_supply`](crate::Bundle::check_supply)).
#[derive(Debug, Clone, Copy)]
pub struct Supply<'a> {
    /// Names of the cameras.
    pub cameras: &'a [&'a str],
    /// Numbers in the robot state of a policy that does not name its components; 0 where there is no
    /// robot state. Whoever has one can make every component of it.
    pub state: usize,
    /// Numbers in the environment's state; 0 where there is none.
    pub environment: usize,
    /// Whether the robot is told what to do.
    pub instruction: bool,
}

impl Supply<'_> {
    /// Notes what is missing for an input.
    pub(crate) fn check(&self, input: &ObservationInput, problems: &mut Problems) {
        let at = |field: &str| format!("observation `{}`.{field}", input.name);
        let source = &input.source;
        let nothing = || format!("`{source}`, which nothing here shows");
        let numbers = match (input.kind, source.as_str()) {
            (ObservationKind::Image, _) => {
                let known = self.cameras.contains(&source.as_str());
                let expected = format!("one of the cameras {:?}", self.cameras);
                problems.require(at("source"), known, expected, nothing());
                return;
            }
            (ObservationKind::Text, _) => {
                let expected = "no text, as nobody says here what to do";
                problems.require(at("source"), self.instruction, expected, nothing());
                if let Some(written) = &input.state {
                    let numbers = written.mean.len();
                    let is_had =
                        self.state > 0 && (written.components.is_some() || self.state == numbers);
                    let expected = format!("{} numbers, what `{ROBOT_STATE}` has here", self.state);
                    problems.require(at("state"), is_had, expected, numbers);
                }
                return;
            }
            (ObservationKind::State, ENVIRONMENT_STATE) => self.environment,
            (ObservationKind::State, _) if self.state > 0 && input.components.is_some() => return,
            (ObservationKind::State, _) => self.state,
        };
        if numbers == 0 {
            let known = [
                (self.state, ROBOT_STATE),
                (self.environment, ENVIRONMENT_STATE),
            ];
            let known: Vec<_> = known.iter().filter(|(count, _)| *count > 0).collect();
            let names: Vec<_> = known.iter().map(|(_, name)| format!("`{name}`")).collect();
            problems.push(at("source"), names.join(" or "), nothing());
            return;
        }
        let expected = format!("[{numbers}], what `{source}` has here");
        let found = format!("{:?}", input.shape);
        problems.require(at("shape"), input.shape == [numbers], expected, found);
    }
}

/// Writes `input`'s share of the observation, normalised, into `out` (the input's shape, flat). A text is
/// read by its [`Reader`](crate::text::Reader).
pub(crate) fn normalise(
    input: &ObservationInput,
    observation: &Observation<'_>,
    out: &mut [f32],
) -> Result<(), Problem> {
    match input.kind {
        ObservationKind::Image => normalise_image(input, observation, out),
        _ if input.source == ENVIRONMENT_STATE => {
            normalise_state("environment state", input, observation.environment, out)
        }
        _ => normalise_state("robot state", input, observation.state, out),
    }
}

fn normalise_image(
    input: &ObservationInput,
    observation: &Observation<'_>,
    out: &mut [f32],
) -> Result<(), Problem> {
    let (height, width) = (input.shape[1], input.shape[2]);
    let at = || format!("image `{}`", input.source);
    let expected = || format!("{width} x {height} pixels of rgb8");
    let Some(image) = observation
        .images
        .iter()
        .find(|image| image.name == input.source)
    else {
        let names: Vec<_> = observation.images.iter().map(|image| image.name).collect();
        return Err(Problem::new(
            at(),
            expected(),
            format!("only the images {names:?}"),
        ));
    };
    if (image.width, image.height) != (width, height) || image.rgb.len() != width * height * 3 {
        return Err(Problem::new(
            at(),
            expected(),
            format!(
                "{} x {} in {} bytes",
                image.width,
                image.height,
                image.rgb.len()
            ),
        ));
    }
    // Pixels interleave the channels; the network wants one plane a channel. A table of the 256
    // possible values replaces the arithmetic.
    for (channel, plane) in out.chunks_exact_mut(width * height).enumerate() {
        let (mean, std) = (input.mean[channel], input.std[channel]);
        let table: [f32; 256] = std::array::from_fn(|value| (value as f32 / 255.0 - mean) / std);
        for (number, pixel) in plane.iter_mut().zip(image.rgb.chunks_exact(3)) {
            *number = table[usize::from(pixel[channel])];
        }
    }
    Ok(())
}

fn normalise_state(
    what: &str,
    input: &ObservationInput,
    state: &[f32],
    out: &mut [f32],
) -> Result<(), Problem> {
    let count = input.shape[0];
    if state.len() != count || state.iter().any(|number| !number.is_finite()) {
        return Err(Problem::new(
            what,
            format!("{count} finite numbers"),
            format!("{state:?}"),
        ));
    }
    for (index, number) in out.iter_mut().enumerate() {
        *number = (state[index] - input.mean[index]) / input.std[index];
    }
    Ok(())
}
