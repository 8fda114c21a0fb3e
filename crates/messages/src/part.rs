//! How one field of a message becomes its Arrow columns, and back: most are one column, a pose or an
//! action layout is several.

use arrow::array::{ArrayRef, StructArray};
use arrow::datatypes::Field;
use tiller_core::{
    ActionLayout, ActionMode, ArmColumns, Continuation, GripperColumn, JOINTS, Pose,
    RotationColumns, RotationKind,
};

use crate::MessageError;
use crate::column::Column;
use crate::message::field;

/// A field of a message.
pub(crate) trait Part: Sized {
    /// Its columns.
    fn fields(name: &'static str) -> Vec<Field>;
    /// Appends its columns.
    fn write(&self, columns: &mut Vec<ArrayRef>);
    /// Reads it from a row.
    fn read(
        message: &'static str,
        row: &StructArray,
        name: &'static str,
    ) -> Result<Self, MessageError>;
    /// The first column with a number that is not finite, and that number. Layouts are checked as
    /// they are read.
    fn not_finite(&self, _name: &'static str) -> Option<(&'static str, String)> {
        None
    }
}

impl<C: Column> Part for C {
    fn fields(name: &'static str) -> Vec<Field> {
        vec![Field::new(name, C::data_type(), C::NULLABLE)]
    }

    fn write(&self, columns: &mut Vec<ArrayRef>) {
        columns.push(Column::write(self));
    }

    fn read(
        message: &'static str,
        row: &StructArray,
        name: &'static str,
    ) -> Result<Self, MessageError> {
        field(message, row, name)
    }

    fn not_finite(&self, name: &'static str) -> Option<(&'static str, String)> {
        Column::not_finite(self).map(|found| (name, found))
    }
}

/// The columns of a pose whose field has this name.
fn pose_columns(name: &'static str) -> [&'static str; 2] {
    match name {
        "tcp" => ["tcp_position_m", "tcp_quaternion_wxyz"],
        "step_start" => ["step_start_position_m", "step_start_quaternion_wxyz"],
        _ => ["anchor_position_m", "anchor_quaternion_wxyz"],
    }
}

impl Part for Pose {
    fn fields(name: &'static str) -> Vec<Field> {
        let [position, quaternion] = pose_columns(name);
        let mut fields = <[f64; 3] as Part>::fields(position);
        fields.extend(<[f64; 4] as Part>::fields(quaternion));
        fields
    }

    fn write(&self, columns: &mut Vec<ArrayRef>) {
        Part::write(&self.position_m, columns);
        Part::write(&self.quaternion_wxyz, columns);
    }

    fn read(
        message: &'static str,
        row: &StructArray,
        name: &'static str,
    ) -> Result<Self, MessageError> {
        let [position, quaternion] = pose_columns(name);
        Ok(Self {
            position_m: field(message, row, position)?,
            quaternion_wxyz: field(message, row, quaternion)?,
        })
    }

    fn not_finite(&self, name: &'static str) -> Option<(&'static str, String)> {
        let [position, quaternion] = pose_columns(name);
        Part::not_finite(&self.position_m, position)
            .or_else(|| Part::not_finite(&self.quaternion_wxyz, quaternion))
    }
}

impl Part for Option<Continuation> {
    fn fields(_: &'static str) -> Vec<Field> {
        let mut fields = <Option<u64> as Part>::fields("continues_seq");
        fields.extend(<u32 as Part>::fields("continues_step"));
        fields.extend(<u32 as Part>::fields("frozen_steps"));
        fields
    }

    fn write(&self, columns: &mut Vec<ArrayRef>) {
        Part::write(&self.map(|c| c.seq), columns);
        Part::write(&self.map_or(0, |c| c.step), columns);
        Part::write(&self.map_or(0, |c| c.frozen_steps), columns);
    }

    fn read(
        message: &'static str,
        row: &StructArray,
        _: &'static str,
    ) -> Result<Self, MessageError> {
        let seq: Option<u64> = field(message, row, "continues_seq")?;
        let (step, frozen_steps) = (
            field(message, row, "continues_step")?,
            field(message, row, "frozen_steps")?,
        );
        if seq.is_none() && (step, frozen_steps) != (0, 0) {
            return Err(MessageError::Value {
                message,
                column: "continues_seq",
                expected: "the chunk that is carried on".to_owned(),
                found: format!("null with step {step} and {frozen_steps} frozen steps"),
            });
        }
        Ok(seq.map(|seq| Continuation {
            seq,
            step,
            frozen_steps,
        }))
    }
}

/// The columns of a layout, in the order in which they are written.
struct LayoutColumns {
    action_dim: u32,
    mode: String,
    position_columns: Vec<u32>,
    rotation_columns: Vec<u32>,
    rotation_kind: Option<String>,
    joint_columns: Vec<u32>,
    gripper_column: Option<u32>,
    gripper_open: Option<f64>,
    gripper_closed: Option<f64>,
    position_m_per_unit: f64,
    rotation_rad_per_unit: f64,
    clip: Option<f64>,
    rate_hz: f64,
    ignored_columns: Vec<u32>,
}

macro_rules! layout_columns {
    ($( $field:ident : $type:ty ),* $(,)?) => {
        impl Part for LayoutColumns {
            fn fields(_: &'static str) -> Vec<Field> {
                let mut fields = Vec::new();
                $( fields.extend(<$type as Part>::fields(stringify!($field))); )*
                fields
            }

            fn write(&self, columns: &mut Vec<ArrayRef>) {
                $( Part::write(&self.$field, columns); )*
            }

            fn read(
                message: &'static str,
                row: &StructArray,
                _: &'static str,
            ) -> Result<Self, MessageError> {
                Ok(Self { $( $field: field(message, row, stringify!($field))?, )* })
            }
        }
    };
}

layout_columns! {
    action_dim: u32, mode: String, position_columns: Vec<u32>, rotation_columns: Vec<u32>,
    rotation_kind: Option<String>, joint_columns: Vec<u32>, gripper_column: Option<u32>,
    gripper_open: Option<f64>, gripper_closed: Option<f64>, position_m_per_unit: f64,
    rotation_rad_per_unit: f64, clip: Option<f64>, rate_hz: f64, ignored_columns: Vec<u32>,
}

fn numbers(columns: &[usize]) -> Vec<u32> {
    columns
        .iter()
        .map(|column| u32::try_from(*column).unwrap_or(u32::MAX))
        .collect()
}

fn indices(columns: &[u32]) -> Vec<usize> {
    columns.iter().map(|column| *column as usize).collect()
}

impl From<&ActionLayout> for LayoutColumns {
    fn from(layout: &ActionLayout) -> Self {
        let (position, rotation, joints) = match &layout.arm {
            ArmColumns::Pose { position, rotation } => {
                (numbers(position), rotation.as_ref(), Vec::new())
            }
            ArmColumns::Joints(joints) => (Vec::new(), None, numbers(joints)),
        };
        Self {
            action_dim: u32::try_from(layout.dim).unwrap_or(u32::MAX),
            mode: layout.mode.as_str().to_owned(),
            position_columns: position,
            rotation_columns: rotation.map(|r| numbers(&r.columns)).unwrap_or_default(),
            rotation_kind: rotation.map(|r| r.kind.as_str().to_owned()),
            joint_columns: joints,
            gripper_column: layout.gripper.map(|g| numbers(&[g.column])[0]),
            gripper_open: layout.gripper.map(|g| g.open),
            gripper_closed: layout.gripper.map(|g| g.closed),
            position_m_per_unit: layout.position_m_per_unit,
            rotation_rad_per_unit: layout.rotation_rad_per_unit,
            clip: layout.clip,
            rate_hz: layout.rate_hz,
            ignored_columns: numbers(&layout.ignored),
        }
    }
}

impl LayoutColumns {
    /// The layout, if it makes sense.
    fn layout(self, message: &'static str) -> Result<ActionLayout, MessageError> {
        let wrong = |column: &'static str, expected: String, found: String| MessageError::Value {
            message,
            column,
            expected,
            found,
        };
        let mode = ActionMode::from_name(&self.mode).ok_or_else(|| {
            let words: Vec<_> = ActionMode::ALL.iter().map(|mode| mode.as_str()).collect();
            wrong(
                "mode",
                format!("one of {}", words.join(", ")),
                self.mode.clone(),
            )
        })?;
        let foreign = match mode.is_joints() {
            true => vec![
                ("position_columns", &self.position_columns),
                ("rotation_columns", &self.rotation_columns),
            ],
            false => vec![("joint_columns", &self.joint_columns)],
        };
        if let Some((column, found)) = foreign.into_iter().find(|(_, found)| !found.is_empty()) {
            let expected = format!("no columns with mode `{}`", mode.as_str());
            return Err(wrong(column, expected, format!("{found:?}")));
        }
        let arm = if mode.is_joints() {
            let columns: [usize; JOINTS] =
                indices(&self.joint_columns)
                    .try_into()
                    .map_err(|v: Vec<_>| {
                        wrong(
                            "joint_columns",
                            format!("{JOINTS} columns"),
                            v.len().to_string(),
                        )
                    })?;
            ArmColumns::Joints(columns)
        } else {
            let position: [usize; 3] =
                indices(&self.position_columns)
                    .try_into()
                    .map_err(|v: Vec<_>| {
                        wrong(
                            "position_columns",
                            "3 columns".to_owned(),
                            v.len().to_string(),
                        )
                    })?;
            ArmColumns::Pose {
                position,
                rotation: self.rotation(message)?,
            }
        };
        let gripper = match (self.gripper_column, self.gripper_open, self.gripper_closed) {
            (None, None, None) => None,
            (Some(column), Some(open), Some(closed)) => Some(GripperColumn {
                column: column as usize,
                open,
                closed,
            }),
            found => {
                return Err(wrong(
                    "gripper_column, gripper_open, gripper_closed",
                    "all three or none".to_owned(),
                    format!("{found:?}"),
                ));
            }
        };
        let layout = ActionLayout {
            dim: self.action_dim as usize,
            arm,
            gripper,
            mode,
            position_m_per_unit: self.position_m_per_unit,
            rotation_rad_per_unit: self.rotation_rad_per_unit,
            clip: self.clip,
            rate_hz: self.rate_hz,
            ignored: indices(&self.ignored_columns),
        };
        match layout.problems() {
            problems if problems.is_empty() => Ok(layout),
            problems => Err(wrong(
                "layout",
                "a sound layout".to_owned(),
                problems.to_string(),
            )),
        }
    }

    fn rotation(&self, message: &'static str) -> Result<Option<RotationColumns>, MessageError> {
        let Some(word) = &self.rotation_kind else {
            if self.rotation_columns.is_empty() {
                return Ok(None);
            }
            return Err(MessageError::Value {
                message,
                column: "rotation_kind",
                expected: "a kind for the rotation columns".to_owned(),
                found: "null".to_owned(),
            });
        };
        let kind = RotationKind::from_name(word).ok_or_else(|| {
            let words: Vec<_> = RotationKind::ALL.iter().map(|kind| kind.as_str()).collect();
            MessageError::Value {
                message,
                column: "rotation_kind",
                expected: format!("one of {}", words.join(", ")),
                found: word.clone(),
            }
        })?;
        Ok(Some(RotationColumns {
            columns: indices(&self.rotation_columns),
            kind,
        }))
    }
}

impl Part for ActionLayout {
    fn fields(name: &'static str) -> Vec<Field> {
        LayoutColumns::fields(name)
    }

    fn write(&self, columns: &mut Vec<ArrayRef>) {
        LayoutColumns::from(self).write(columns);
    }

    fn read(
        message: &'static str,
        row: &StructArray,
        name: &'static str,
    ) -> Result<Self, MessageError> {
        LayoutColumns::read(message, row, name)?.layout(message)
    }
}
