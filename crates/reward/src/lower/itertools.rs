//! What makes items from others, as `itertools` does; every item is paid for.

use super::arguments::{Bound, Call};
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind, Span};

impl Lower<'_> {
    /// Tuples in a list.
    pub(super) fn listed_rows(&mut self, rows: Vec<Vec<Value>>, span: Span) -> Lowered<Value> {
        for row in &rows {
            self.check_depth(row, span)?;
        }
        let rows = rows.into_iter().map(Value::tuple).collect();
        Ok(self.new_list(rows))
    }

    /// `islice(items, stop)` or `islice(items, start, stop, step)`.
    pub(super) fn sliced(&mut self, items: Value, b: &Bound) -> Lowered<Value> {
        let bound = |lower: &mut Self, position: usize, default: Option<usize>| {
            let given = b.get(position).map(|_| b.integer(lower, position, 0));
            match given.transpose()? {
                None => Ok(default),
                Some(bound) => match usize::try_from(bound) {
                    Ok(bound) => Ok(Some(bound)),
                    Err(_) => Err(lower.fail(
                        Draft::new(
                            Kind::Argument,
                            b.span_of(position),
                            "`islice` counts from the front only",
                        )
                        .found(format!("{bound}")),
                    )),
                },
            }
        };
        let (start, stop) = if b.given(2).is_some() {
            (bound(self, 1, Some(0))?, bound(self, 2, None)?)
        } else {
            (Some(0), bound(self, 1, None)?)
        };
        let step = bound(self, 3, Some(1))?.unwrap_or(1).max(1);
        let start = start.unwrap_or(0);
        let taken = match (&items, stop) {
            (Value::Endless(endless), Some(stop)) => {
                self.charge(stop.saturating_sub(start) / step + 1)?;
                let places = (start..stop).step_by(step);
                places.map(|place| endless.item(place)).collect()
            }
            _ => {
                let items = self.iterate(items, b.span_of(0))?;
                let end = stop.unwrap_or(items.len()).min(items.len());
                let start = start.min(end);
                items[start..end].iter().step_by(step).cloned().collect()
            }
        };
        Ok(self.new_list(taken))
    }

    /// Choices of `r` items, in the order of Python.
    pub(super) fn choices(&mut self, name: &str, items: Value, b: &Bound) -> Lowered<Value> {
        let items = self.iterate(items, b.span_of(0))?;
        let length = b.integer(self, 1, items.len() as i64)?;
        let Ok(length) = usize::try_from(length) else {
            return Err(self.fail(
                Draft::new(
                    Kind::Argument,
                    b.span_of(1),
                    "a number of items is not negative",
                )
                .found(format!("{length}")),
            ));
        };
        let (ordered, repeats) = match name {
            "itertools.combinations" => (true, false),
            "itertools.permutations" => (false, false),
            _ => (true, true),
        };
        if length > items.len() && !repeats {
            return Ok(self.new_list(Vec::new()));
        }
        self.charge(length)?;
        let mut rows = Vec::new();
        let mut chosen: Vec<usize> = Vec::with_capacity(length);
        let mut next = 0;
        // Depth first over the places; every step is paid for.
        loop {
            self.charge(1)?;
            if chosen.len() == length {
                self.charge(length)?;
                rows.push(chosen.iter().map(|&i| items[i].clone()).collect());
            } else if let Some(item) =
                (next..items.len()).find(|item| ordered || !chosen.contains(item))
            {
                self.charge(item - next)?;
                chosen.push(item);
                next = match (ordered, repeats) {
                    (true, true) => item,
                    (true, false) => item + 1,
                    (false, _) => 0,
                };
                continue;
            }
            match chosen.pop() {
                Some(last) => next = last + 1,
                None => break,
            }
        }
        self.listed_rows(rows, b.span)
    }

    /// `product(*iterables, repeat=1)`.
    pub(super) fn cartesian(&mut self, call: Call) -> Lowered<Value> {
        let span = call.span;
        let mut columns = Vec::new();
        for (value, span) in call.positional {
            columns.push(self.iterate(value, span)?);
        }
        let mut times = 1;
        for (name, value, span) in call.keywords {
            if name != "repeat" {
                return Err(self.fail(Draft::new(
                    Kind::Argument,
                    span,
                    format!("`product` has no argument `{name}`"),
                )));
            }
            times = self.integer_argument(&value, span)?;
        }
        let own = std::mem::take(&mut columns);
        let size: usize = own.iter().map(Vec::len).sum();
        for _ in 0..times.max(0) {
            self.charge(size + 1)?;
            columns.extend(own.iter().cloned());
        }
        let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
        for column in columns {
            let mut longer = Vec::new();
            for row in &rows {
                for item in &column {
                    self.charge(row.len() + 1)?;
                    let mut row = row.clone();
                    row.push(item.clone());
                    longer.push(row);
                }
            }
            rows = longer;
        }
        self.listed_rows(rows, span)
    }

    /// `zip_longest(*iterables, fillvalue=None)`.
    pub(super) fn zip_longest(&mut self, call: Call) -> Lowered<Value> {
        let span = call.span;
        let mut columns = Vec::new();
        for (value, span) in call.positional {
            columns.push(self.iterate(value, span)?);
        }
        let fill = call
            .keywords
            .into_iter()
            .find(|(name, ..)| name == "fillvalue");
        let fill = fill.map_or(Value::None, |(_, value, _)| value);
        let length = columns.iter().map(Vec::len).max().unwrap_or(0);
        self.charge(length.saturating_mul(columns.len()))?;
        let item = |column: &Vec<Value>, i: usize| column.get(i).unwrap_or(&fill).clone();
        let rows = (0..length)
            .map(|i| columns.iter().map(|column| item(column, i)).collect())
            .collect();
        self.listed_rows(rows, span)
    }
}
