//! Python's own `sorted`, `min` and `max`.

use std::cmp::Ordering;
use std::rc::Rc;

use super::expression::number;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind, Span};
use crate::op::Op;

/// What `sorted` compares.
enum Key {
    Number(f64),
    Text(Rc<str>),
}

impl Key {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Key::Number(a), Key::Number(b)) => a.partial_cmp(b).unwrap_or(Ordering::Equal),
            (Key::Text(a), Key::Text(b)) => a.cmp(b),
            (Key::Number(_), Key::Text(_)) => Ordering::Less,
            (Key::Text(_), Key::Number(_)) => Ordering::Greater,
        }
    }
}

fn compare_keys(a: &[Key], b: &[Key]) -> Ordering {
    let mut pairs = a.iter().zip(b);
    pairs
        .find_map(|(a, b)| Some(a.cmp(b)).filter(|order| order.is_ne()))
        .unwrap_or(a.len().cmp(&b.len()))
}

impl Lower<'_> {
    /// `sorted`: stable, by keys that are known now.
    pub(super) fn sorted(
        &mut self,
        items: Vec<Value>,
        key: Option<Value>,
        is_reversed: bool,
        span: Span,
    ) -> Lowered<Value> {
        let keys = self.keys(&items, key, span)?;
        if let Some(keys) = self.open_keys(&keys, span)? {
            return self.sorted_open(keys, items, is_reversed, span);
        }
        let mut keyed = Vec::with_capacity(items.len());
        for (key, item) in keys.iter().zip(items) {
            keyed.push((self.sort_key(key, span)?, item));
        }
        let length = keyed.len();
        self.charge(length * (usize::BITS - length.leading_zeros()) as usize)?;
        // Python keeps the order of equals in both directions.
        keyed.sort_by(|(a, _), (b, _)| {
            if is_reversed {
                compare_keys(b, a)
            } else {
                compare_keys(a, b)
            }
        });
        let items = keyed.into_iter().map(|(_, item)| item).collect();
        Ok(self.new_list(items))
    }

    fn keys(&mut self, items: &[Value], key: Option<Value>, span: Span) -> Lowered<Vec<Value>> {
        let Some(function) = key else {
            self.charge(items.len())?;
            return Ok(items.to_vec());
        };
        let keys = items.iter();
        keys.map(|item| self.apply(&function, vec![item.clone()], span))
            .collect()
    }

    fn sort_key(&mut self, key: &Value, span: Span) -> Lowered<Vec<Key>> {
        let parts = match key {
            Value::Tuple(items) => items.items.to_vec(),
            one => vec![one.clone()],
        };
        self.charge(parts.len())?;
        let mut keys = Vec::with_capacity(parts.len());
        for part in parts {
            keys.push(match part {
                Value::Str(text) => {
                    self.charge(text.len())?;
                    Key::Text(text)
                }
                part => match self.known_number(&part) {
                    Some(value) => Key::Number(value),
                    None => {
                        return Err(self.fail(
                            Draft::new(
                                Kind::DynamicControl,
                                span,
                                "this order is not known before the robot moves",
                            )
                            .found(part.describe())
                            .help("use `torch.sort` or `torch.topk` on a tensor"),
                        ));
                    }
                },
            });
        }
        Ok(keys)
    }

    /// Python's `min` and `max` of several values: the first of equals is returned.
    pub(super) fn extreme(
        &mut self,
        name: &str,
        items: Vec<Value>,
        key: Option<Value>,
        span: Span,
    ) -> Lowered<Value> {
        if key.is_some() && !items.is_empty() {
            let keys = self.keys(&items, key.clone(), span)?;
            if let Some(keys) = self.open_keys(&keys, span)? {
                return self.extreme_open(&keys, &items, name == "max", span);
            }
            let sorted = self.sorted(items, key, name == "max", span)?;
            let first = self.iterate(sorted, span)?.into_iter().next();
            return Ok(first.unwrap_or(Value::None));
        }
        let mut items = items.into_iter();
        let Some(mut best) = items.next() else {
            return Err(self.fail(Draft::new(
                Kind::Argument,
                span,
                format!("`{name}` of nothing has no value"),
            )));
        };
        for item in items {
            best = match (number(&best), number(&item)) {
                (Some(a), Some(b)) => {
                    let better = if name == "max" { b > a } else { b < a };
                    if better { item } else { best }
                }
                _ => {
                    let a = self.tensor_of(best, span)?;
                    let b = self.tensor_of(item, span)?;
                    if a.len() != 1 || b.len() != 1 {
                        let function = if name == "max" { "maximum" } else { "minimum" };
                        return Err(self.fail(
                            Draft::new(
                                Kind::Shape,
                                span,
                                format!("Python's `{name}` compares single numbers"),
                            )
                            .help(format!(
                                "use `torch.{function}` for two tensors, `torch.{name}` for one"
                            )),
                        ));
                    }
                    let op = if name == "max" {
                        Op::MaxLeft
                    } else {
                        Op::MinLeft
                    };
                    Value::Tensor(self.binary(op, &a, &b, span)?)
                }
            };
        }
        Ok(best)
    }
}
