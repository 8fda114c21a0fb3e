//! What the columns of an action mean.

use crate::error::ConfigError;

/// How positions in an action are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionMode {
    /// Displacements, integrated from the anchor.
    Delta,
    /// Positions in the base frame.
    Absolute,
}

/// The layout and the scale of a policy's actions.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionSpace {
    /// Columns `D` of an action.
    pub dim: usize,
    /// The columns that hold the position x, y, z. Only these are ever guided.
    pub position_columns: [usize; 3],
    /// The column of the gripper, never guided.
    pub gripper_column: Option<usize>,
    /// The columns of the rotation, if there are any. Rewards see positions only, so these have no
    /// gradient and are the policy's own.
    pub rotation_columns: Vec<usize>,
    /// Per column: `action = normalised * scale + offset` (metres for positions).
    pub scale: Vec<f32>,
    /// Per column, see `scale`.
    pub offset: Vec<f32>,
    /// Whether positions are displacements or absolute.
    pub mode: ActionMode,
}

impl ActionSpace {
    /// The action space of a policy whose actions were min-max normalised to `[-1, 1]`.
    ///
    /// The number of columns is the shorter of the two lists; [`Self::validate`] tells the rest.
    #[must_use]
    pub fn from_min_max(
        position_columns: [usize; 3],
        gripper_column: Option<usize>,
        min: &[f32],
        max: &[f32],
        mode: ActionMode,
    ) -> Self {
        let ranges = min.iter().zip(max);
        Self {
            dim: ranges.len(),
            position_columns,
            gripper_column,
            rotation_columns: Vec::new(),
            scale: ranges.clone().map(|(lo, hi)| (hi - lo) / 2.0).collect(),
            offset: ranges.map(|(lo, hi)| (hi + lo) / 2.0).collect(),
            mode,
        }
    }

    /// The action space of a policy whose actions were normalised to mean 0 and deviation 1.
    ///
    /// The number of columns is the shorter of the two lists; [`Self::validate`] tells the rest.
    #[must_use]
    pub fn from_mean_std(
        position_columns: [usize; 3],
        gripper_column: Option<usize>,
        mean: &[f32],
        std: &[f32],
        mode: ActionMode,
    ) -> Self {
        let dim = mean.len().min(std.len());
        Self {
            dim,
            position_columns,
            gripper_column,
            rotation_columns: Vec::new(),
            scale: std[..dim].to_vec(),
            offset: mean[..dim].to_vec(),
            mode,
        }
    }

    /// Writes the actions that normalised values stand for; both are `[.., D]`.
    pub fn unnormalise(&self, normalised: &[f32], actions: &mut [f32]) {
        for (row, out) in normalised
            .chunks_exact(self.dim)
            .zip(actions.chunks_exact_mut(self.dim))
        {
            for (column, value) in out.iter_mut().enumerate() {
                *value = row[column] * self.scale[column] + self.offset[column];
            }
        }
    }

    /// Checks the layout.
    ///
    /// # Errors
    /// Every mistake at once.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let mut mistakes = Vec::new();
        if self.dim == 0 {
            mistakes.push("action.dim must be at least 1, found 0".to_owned());
        }
        for (axis, &column) in ["x", "y", "z"].iter().zip(&self.position_columns) {
            if column >= self.dim {
                mistakes.push(format!(
                    "action.position_columns: {axis} must be a column below {}, found {column}",
                    self.dim
                ));
            }
        }
        let [x, y, z] = self.position_columns;
        if x == y || y == z || x == z {
            mistakes.push(format!(
                "action.position_columns must be three different columns, found [{x}, {y}, {z}]"
            ));
        }
        if let Some(column) = self.gripper_column
            && (column >= self.dim || self.position_columns.contains(&column))
        {
            mistakes.push(format!(
                "action.gripper_column must be a column below {} that holds no position, found \
                 {column}",
                self.dim
            ));
        }
        for (index, &column) in self.rotation_columns.iter().enumerate() {
            let taken = self.position_columns.contains(&column)
                || self.gripper_column == Some(column)
                || self.rotation_columns[..index].contains(&column);
            if column >= self.dim || taken {
                mistakes.push(format!(
                    "action.rotation_columns must be columns below {} that hold nothing else, \
                     found {column}",
                    self.dim
                ));
            }
        }
        for (name, values) in [("scale", &self.scale), ("offset", &self.offset)] {
            if values.len() != self.dim {
                mistakes.push(format!(
                    "action.{name} must have one number per column ({}), found {}",
                    self.dim,
                    values.len()
                ));
            }
            if let Some(bad) = values.iter().find(|v| !v.is_finite()) {
                mistakes.push(format!("action.{name} must be finite, found {bad}"));
            }
        }
        if mistakes.is_empty() {
            Ok(())
        } else {
            Err(ConfigError { mistakes })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn min_max_maps_the_ends_of_the_range() {
        let space = ActionSpace::from_min_max(
            [0, 1, 2],
            Some(3),
            &[-0.03, 0.0, -1.0, -1.0],
            &[0.03, 0.1, 3.0, 1.0],
            ActionMode::Delta,
        );
        let mut out = [0.0; 8];
        space.unnormalise(&[-1.0, -1.0, -1.0, -1.0, 1.0, 1.0, 1.0, 1.0], &mut out);
        let expected = [-0.03, 0.0, -1.0, -1.0, 0.03, 0.1, 3.0, 1.0];
        for (found, expected) in out.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
        }
        assert_eq!(space.validate(), Ok(()));
    }

    #[test]
    fn mean_and_std_are_offset_and_scale() {
        let (mean, std) = ([0.5, 0.0, 0.1, 0.2], [2.0, 1.0, 3.0, 1.0]);
        let space =
            ActionSpace::from_mean_std([0, 1, 2], Some(3), &mean, &std, ActionMode::Absolute);
        let mut out = [0.0; 4];
        space.unnormalise(&[1.0, 0.0, -1.0, 2.0], &mut out);
        assert_eq!(out, [2.5, 0.0, -2.9, 2.2]);
        assert_eq!(space.validate(), Ok(()));
    }

    #[test]
    fn every_mistake_is_reported() {
        let space = ActionSpace {
            dim: 4,
            position_columns: [0, 0, 9],
            gripper_column: Some(0),
            rotation_columns: vec![3, 3],
            scale: vec![1.0; 3],
            offset: vec![0.0, 0.0, f32::NAN, 0.0],
            mode: ActionMode::Absolute,
        };
        let mistakes = space.validate().unwrap_err().mistakes;
        assert_eq!(mistakes.len(), 6, "{mistakes:?}");
    }
}
