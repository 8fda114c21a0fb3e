//! The parameters of stage functions: the usual ones by position, further ones by name.

use crate::diagnostic::{Draft, Kind, Span};
use crate::lower::{Carried, Input, Source};
use crate::options::{Access, CompileOptions};
use crate::syntax::StmtFunctionDef;

/// A parameter that a stage function may have beside the usual ones, by its name.
struct Further {
    name: &'static str,
    access: Access,
    input: Input,
}

/// What the parameters of a kind of function are bound to.
pub(crate) struct Signature {
    /// Bound by position, whatever a program calls them.
    usual: Vec<(&'static str, Input)>,
    /// Bound by name, in any order.
    further: Vec<Further>,
}

fn uniform(first: usize, shape: &[usize]) -> Input {
    Input {
        source: Source::Uniform,
        first,
        shape: shape.to_vec(),
        is_keypoints: false,
        carried: None,
    }
}

fn keypoints(first: usize, count: usize) -> Input {
    Input {
        is_keypoints: true,
        ..uniform(first, &[count, 3])
    }
}

fn further(name: &'static str, input: Input) -> Further {
    Further {
        name,
        access: Access::Guide,
        input,
    }
}

/// A part of the trajectory: among the varying inputs, positions come first, then rotations, then
/// openings.
fn path(access: Access, first: usize, shape: &[usize]) -> Input {
    Input {
        source: if access == Access::Guide {
            Source::Moved
        } else {
            Source::Held
        },
        ..uniform(first, shape)
    }
}

impl Signature {
    /// `stageI_guidance(keypoints, action_sequence)` and `rotations`, `gripper`, `keypoint_axes`.
    pub(crate) fn guidance(options: &CompileOptions) -> Self {
        let (count, points, hand) = (options.keypoints, options.points, options.hand);
        let rotations = path(hand.rotations, 3 * points, &[1, points, 3, 3]);
        let gripper = path(hand.gripper, 12 * points, &[1, points]);
        Self {
            usual: vec![
                ("keypoints", keypoints(0, count)),
                ("action_sequence", path(Access::Guide, 0, &[1, points, 3])),
            ],
            further: vec![
                Further {
                    access: hand.rotations,
                    ..further("rotations", rotations)
                },
                Further {
                    access: hand.gripper,
                    ..further("gripper", gripper)
                },
                further("keypoint_axes", uniform(3 * count, &[count, 3, 3])),
            ],
        }
    }

    /// `stageI_done(keypoints, start_keypoints, end_effector)` and `rotation`, `gripper_width_m`,
    /// `keypoint_axes`; in the order of [`crate::Moment::number`].
    pub(crate) fn done(options: &CompileOptions) -> Self {
        let count = options.keypoints;
        let hand = 6 * count;
        Self {
            usual: vec![
                ("keypoints", keypoints(0, count)),
                ("start_keypoints", keypoints(3 * count, count)),
                ("end_effector", uniform(hand, &[3])),
            ],
            further: vec![
                further("rotation", uniform(hand + 3, &[3, 3])),
                further("gripper_width_m", uniform(hand + 12, &[])),
                further("keypoint_axes", uniform(hand + 13, &[count, 3, 3])),
            ],
        }
    }

    /// ReKep's `(end_effector, keypoints)` with the hand at `point` of the trajectory and the keypoints
    /// that it carries. `is_swapped`: the keypoints come first.
    pub(crate) fn constraint(
        options: &CompileOptions,
        point: usize,
        carried: &[usize],
        is_swapped: bool,
    ) -> Self {
        let first = 3 * point;
        let moves = point > 0 && !carried.is_empty();
        let carried = moves.then(|| Carried {
            keypoints: carried.to_vec(),
            point: first,
        });
        let scene = Input {
            carried,
            ..keypoints(0, options.keypoints)
        };
        Self::of_constraint(path(Access::Guide, first, &[3]), scene, is_swapped)
    }

    /// ReKep's `(end_effector, keypoints)` at one moment, with the inputs of [`Signature::done`].
    pub(crate) fn constraint_now(options: &CompileOptions, is_swapped: bool) -> Self {
        let count = options.keypoints;
        let hand = uniform(6 * count, &[3]);
        Self::of_constraint(hand, keypoints(0, count), is_swapped)
    }

    fn of_constraint(hand: Input, scene: Input, is_swapped: bool) -> Self {
        let mut usual = vec![("end_effector", hand), ("keypoints", scene)];
        if is_swapped {
            usual.reverse();
        }
        Self {
            usual,
            further: Vec::new(),
        }
    }

    /// What each parameter of `function` is bound to, in the order of the parameters; nothing where its
    /// default, or `None`, stands.
    ///
    /// # Errors
    ///
    /// Parameters that a function of its kind does not get.
    pub(crate) fn bind(
        &self,
        function: &StmtFunctionDef,
        python: &str,
    ) -> Result<Vec<Option<Input>>, Draft> {
        let parameters = &function.parameters;
        let plain_count = parameters.posonlyargs.len() + parameters.args.len();
        let mut bound = Vec::new();
        let mut usual = self.usual.iter();
        let mut found = Vec::new();
        let mut fits = true;
        for (position, parameter) in parameters.iter_non_variadic_params().enumerate() {
            let name = parameter.parameter.name.as_str();
            let has_default = parameter.default.is_some();
            if let Some(known) = self.further.iter().find(|further| further.name == name) {
                if known.access == Access::Absent && !has_default {
                    return Err(absent(name, Span::of(&parameter.parameter)));
                }
                let input = (known.access != Access::Absent).then(|| known.input.clone());
                bound.push(input);
                continue;
            }
            found.push(name);
            let next = if position < plain_count {
                usual.next()
            } else {
                None
            };
            fits &= next.is_some() || has_default;
            bound.push(next.map(|(_, input)| input.clone()));
        }
        fits &= usual.next().is_none();
        // Other names are fine, but not the expected ones in another order.
        let is_swapped = found.iter().enumerate().any(|(position, name)| {
            let expected = self.usual.iter().position(|(expected, _)| expected == name);
            expected.is_some_and(|expected| expected != position)
        });
        if fits && !is_swapped {
            return Ok(bound);
        }
        let what = if is_swapped && fits {
            "has its parameters in another order"
        } else {
            "has the wrong parameters"
        };
        let usual: Vec<&str> = self.usual.iter().map(|(name, _)| *name).collect();
        let expected = format!("({})", usual.join(", "));
        let more: Vec<&str> = self.further.iter().map(|further| further.name).collect();
        let more = match more.as_slice() {
            [] => String::new(),
            names => format!(", and by name {}", names.join(", ")),
        };
        let span = Span::of(&**parameters);
        let is_done = usual.contains(&"end_effector");
        let help = format!("write `def {}{expected}:`", function.name);
        let help = if is_done && found.contains(&"action_sequence") {
            format!("{help}; the hand is at `end_effector`")
        } else {
            help
        };
        Err(
            Draft::new(Kind::Signature, span, format!("`{}` {what}", function.name))
                .expected(format!("{expected}{more}"))
                .found(span.text(python))
                .help(help),
        )
    }
}

/// A parameter that means a part of the action which the policy does not have.
fn absent(name: &str, span: Span) -> Draft {
    let (what, help) = match name {
        "gripper" => (
            "a gripper in the policy's actions",
            "leave `gripper` out: this policy decides itself when to close its fingers",
        ),
        _ => (
            "a rotation in the policy's actions",
            "leave `rotations` out: this policy keeps the hand as it is",
        ),
    };
    Draft::new(
        Kind::Signature,
        span,
        format!("`{name}` is not there with this policy"),
    )
    .expected(what)
    .found("actions without")
    .help(help)
}
