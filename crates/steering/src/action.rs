//! What the columns of an action mean, and how they were normalised.

use tiller_core::{ActionLayout, Problems};

/// The layout of a policy's actions and their normalisation.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionSpace {
    /// What each of the `D` columns means.
    pub layout: ActionLayout,
    /// Per column: `action = normalised * scale + offset`, in the layout's units.
    pub scale: Vec<f32>,
    /// Per column, see `scale`.
    pub offset: Vec<f32>,
}

impl ActionSpace {
    /// The space of a policy whose actions were min-max normalised to `[-1, 1]`.
    #[must_use]
    pub fn from_min_max(layout: ActionLayout, min: &[f32], max: &[f32]) -> Self {
        let ranges = min.iter().zip(max);
        Self {
            layout,
            scale: ranges.clone().map(|(lo, hi)| (hi - lo) / 2.0).collect(),
            offset: ranges.map(|(lo, hi)| (hi + lo) / 2.0).collect(),
        }
    }

    /// The space of a policy whose actions were normalised to mean 0 and deviation 1.
    #[must_use]
    pub fn from_mean_std(layout: ActionLayout, mean: &[f32], std: &[f32]) -> Self {
        Self {
            layout,
            scale: std.to_vec(),
            offset: mean.to_vec(),
        }
    }

    /// The space of a policy that works in the layout's own units.
    #[must_use]
    pub fn plain(layout: ActionLayout) -> Self {
        let dim = layout.dim;
        Self {
            layout,
            scale: vec![1.0; dim],
            offset: vec![0.0; dim],
        }
    }

    /// Columns `D` of an action.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.layout.dim
    }

    /// Writes the actions that normalised values stand for, in the layout's units; both are `[.., D]`.
    pub fn unnormalise(&self, normalised: &[f32], actions: &mut [f32]) {
        let dim = self.dim();
        for (row, out) in normalised
            .chunks_exact(dim)
            .zip(actions.chunks_exact_mut(dim))
        {
            for (column, value) in out.iter_mut().enumerate() {
                *value = row[column] * self.scale[column] + self.offset[column];
            }
        }
    }

    /// Checks the layout and the normalisation.
    ///
    /// # Errors
    /// Every mistake at once.
    pub fn validate(&self) -> Result<(), Problems> {
        let mut problems = Problems::default();
        problems.extend("action.", self.layout.problems());
        problems.numbers("action.scale", &self.scale, self.dim());
        problems.numbers("action.offset", &self.offset, self.dim());
        problems.finish(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(dim: usize, gripper: Option<usize>) -> ActionLayout {
        ActionLayout::position_deltas(dim, [0, 1, 2], gripper, 10.0)
    }

    #[test]
    fn min_max_maps_the_ends_of_the_range() {
        let space = ActionSpace::from_min_max(
            layout(4, Some(3)),
            &[-0.03, 0.0, -1.0, -1.0],
            &[0.03, 0.1, 3.0, 1.0],
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
        let space = ActionSpace::from_mean_std(layout(4, Some(3)), &mean, &std);
        let mut out = [0.0; 4];
        space.unnormalise(&[1.0, 0.0, -1.0, 2.0], &mut out);
        assert_eq!(out, [2.5, 0.0, -2.9, 2.2]);
        assert_eq!(space.validate(), Ok(()));
    }

    #[test]
    fn every_mistake_is_reported() {
        let space = ActionSpace {
            layout: layout(4, Some(2)),
            scale: vec![1.0; 3],
            offset: vec![0.0, 0.0, f32::NAN, 0.0],
        };
        let problems = space.validate().unwrap_err();
        let names: Vec<_> = problems.found.iter().map(|p| p.name.as_str()).collect();
        // Column 2 twice, column 3 nowhere, three scales, no number.
        let expected = [
            "action.gripper",
            "action.ignored",
            "action.scale",
            "action.offset",
        ];
        assert_eq!(names, expected, "{problems}");
    }
}
