//! Values with stamps.

/// Values in the order of their stamps, ns. What is not newer than the newest one is left out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Series<T> {
    values: Vec<(u64, T)>,
}

impl<T> Default for Series<T> {
    fn default() -> Self {
        Self { values: Vec::new() }
    }
}

impl<T> Series<T> {
    pub(crate) fn push(&mut self, stamp_ns: u64, value: T) {
        if self.values.last().is_none_or(|(last, _)| *last < stamp_ns) {
            self.values.push((stamp_ns, value));
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// The newest value of that moment.
    pub(crate) fn newest(&self, at_ns: u64) -> Option<&T> {
        let count = self.values.partition_point(|(stamp, _)| *stamp <= at_ns);
        let newest = self.values.get(count.checked_sub(1)?);
        newest.map(|(_, value)| value)
    }

    /// First and last stamp from `from_ns` on and before `to_ns`.
    pub(crate) fn ends(&self, from_ns: u64, to_ns: u64) -> Option<[u64; 2]> {
        let begin = self.values.partition_point(|(stamp, _)| *stamp < from_ns);
        let end = self.values.partition_point(|(stamp, _)| *stamp < to_ns);
        let within = self.values.get(begin..end)?;
        Some([within.first()?.0, within.last()?.0])
    }

    /// The middle one of the pauses between stamps, ns.
    pub(crate) fn period_ns(&self) -> Option<u64> {
        let pairs = self.values.windows(2);
        let mut pauses: Vec<u64> = pairs.map(|pair| pair[1].0 - pair[0].0).collect();
        pauses.sort_unstable();
        pauses.get(pauses.len() / 2).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_value_is_never_one_of_the_future() {
        let mut series = Series::default();
        for (stamp, value) in [(10, 'a'), (20, 'b'), (20, 'x'), (15, 'y'), (30, 'c')] {
            series.push(stamp, value);
        }
        assert_eq!(series.len(), 3);
        let found: Vec<_> = [9, 10, 29, 99].map(|at| series.newest(at).copied()).into();
        assert_eq!(found, [None, Some('a'), Some('b'), Some('c')]);
        assert_eq!(series.ends(11, 30), Some([20, 20]));
        assert_eq!(series.ends(31, 99), None);
        assert_eq!(series.period_ns(), Some(10));
    }
}
