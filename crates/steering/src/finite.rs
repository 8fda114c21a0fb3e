//! Finding numbers that are none.

/// Whether all values are numbers and not infinite. Looks at every one: where most are, that is
/// faster than to stop at the first that is not.
pub(crate) fn all_finite(values: &[f32]) -> bool {
    values
        .iter()
        .fold(true, |finite, value| finite & value.is_finite())
}
