//! One value for two: what a name or an element is after an `if` on positions.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::choices::Choice;
use super::fork::State;
use super::gate::Side;
use super::scope::Names;
use super::value::{Named, Value};
use super::{Lower, Lowered, MAX_CONTAINER_DEPTH};
use crate::diagnostic::{Draft, Kind, Span};
use crate::graph::NodeId;
use crate::op::Op;
use crate::tensor::{DType, Form, Tensor, show_shape};

/// Units of work for the reason why a value is absent.
const ABSENCE: usize = 16;

const OPEN_LENGTH: &str = "how many items this has depends on positions";
const OPEN_KEYS: &str = "which keys are there depends on positions";
const SAME_KEYS: &str = "set the same keys on both ways, in the same order";

/// How values are chosen between.
pub(super) struct Merge {
    condition: NodeId,
    span: Span,
    yes: Side,
    no: Side,
}

type Entries = Vec<(Value, Value)>;

impl Lower<'_> {
    pub(super) fn new_merge(&mut self, condition: NodeId, span: Span) -> Lowered<Merge> {
        let not = self.guard_node(Op::Not, &[condition])?;
        let (mut yes, mut no) = (condition, not);
        if let Some(path) = self.path {
            yes = self.guard_node(Op::And, &[path, yes])?;
            no = self.guard_node(Op::And, &[path, no])?;
        }
        Ok(Merge {
            condition,
            span,
            yes: Side::new(yes),
            no: Side::new(no),
        })
    }

    /// A value that is a mistake where it is used.
    fn absent(&mut self, draft: Draft) -> Lowered<Value> {
        self.charge(ABSENCE)?;
        self.absences.push((draft, false));
        Ok(Value::Absent(self.absences.len() - 1))
    }

    fn no_common(&mut self, merge: &Merge, what: String, help: &str) -> Lowered<Value> {
        self.absent(
            Draft::new(Kind::DynamicControl, merge.span, what)
                .note(merge.span, "which one it is depends on positions")
                .help(help),
        )
    }

    /// `a` where the condition holds, else `b`.
    pub(super) fn merge_pair(
        &mut self,
        condition: NodeId,
        a: &Value,
        b: &Value,
        span: Span,
        state: Option<&State>,
    ) -> Lowered<Value> {
        let mut merge = self.new_merge(condition, span)?;
        self.merge_values(&mut merge, state, a, b, MAX_CONTAINER_DEPTH)
    }

    /// The names of a frame after both ways: `theirs` where the condition holds, else `ours`.
    pub(super) fn merge_names(
        &mut self,
        merge: &mut Merge,
        state: &State,
        theirs: &Names,
        ours: &Names,
    ) -> Lowered<Names> {
        let all: BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
        self.charge(all.len() / 4)?;
        let mut merged = Names::with_capacity(all.len());
        for name in all {
            let value = match (theirs.get(name), ours.get(name)) {
                (Some(Some(a)), Some(Some(b))) => {
                    Some(self.merge_values(merge, Some(state), a, b, MAX_CONTAINER_DEPTH)?)
                }
                (Some(None), _) | (_, Some(None)) => None,
                _ => Some(
                    self.absent(
                        Draft::new(
                            Kind::DynamicControl,
                            merge.span,
                            format!("`{name}` has a value on one way through the `if` only"),
                        )
                        .note(merge.span, "which way is taken depends on positions")
                        .help(format!("give `{name}` a value before this `if`")),
                    )?,
                ),
            };
            merged.insert(name.clone(), value);
        }
        Ok(merged)
    }

    pub(super) fn merge_items(
        &mut self,
        merge: &mut Merge,
        state: &State,
        theirs: &[Value],
        ours: &[Value],
    ) -> Lowered<Vec<Value>> {
        if theirs.len() != ours.len() {
            let what = format!(
                "this list has {} or {} items, depending on positions",
                theirs.len(),
                ours.len()
            );
            let draft = Draft::new(Kind::DynamicControl, merge.span, what)
                .note(merge.span, "which one it is depends on positions")
                .help(
                    "append on both ways: the term, or 0 where it does not count, with `torch.where`",
                );
            return Ok(vec![self.absent(draft)?]);
        }
        let mut merged = Vec::with_capacity(ours.len());
        for (a, b) in theirs.iter().zip(ours) {
            merged.push(self.merge_values(merge, Some(state), a, b, MAX_CONTAINER_DEPTH)?);
        }
        Ok(merged)
    }

    pub(super) fn merge_entries(
        &mut self,
        merge: &mut Merge,
        state: &State,
        theirs: &Entries,
        ours: &Entries,
    ) -> Lowered<Entries> {
        let mut merged = Vec::with_capacity(ours.len());
        for (key, ours) in ours {
            self.charge(1)?;
            let mut other = None;
            for (candidate, value) in theirs {
                if self.equal(candidate, key)? == Some(true) {
                    other = Some(value);
                    break;
                }
            }
            let value = match other {
                Some(theirs) => {
                    self.merge_values(merge, Some(state), theirs, ours, MAX_CONTAINER_DEPTH)?
                }
                None => self.no_common(
                    merge,
                    "this key is there on one way only".to_owned(),
                    "set it on both ways",
                )?,
            };
            merged.push((key.clone(), value));
        }
        if merged.len() != theirs.len() {
            let absent = self.no_common(merge, OPEN_KEYS.to_owned(), SAME_KEYS)?;
            return Ok(vec![(absent.clone(), absent)]);
        }
        Ok(merged)
    }

    fn merge_values(
        &mut self,
        merge: &mut Merge,
        state: Option<&State>,
        a: &Value,
        b: &Value,
        depth: u8,
    ) -> Lowered<Value> {
        self.charge(1)?;
        if is_same(a, b) {
            return Ok(a.clone());
        }
        let theirs = |list: usize| state.and_then(|state| state.lists.get(list)).cloned();
        let their_entries = |dict: usize| state.and_then(|state| state.dicts.get(dict)).cloned();
        match (a, b) {
            (Value::Absent(_), _) => return Ok(a.clone()),
            (_, Value::Absent(_)) => return Ok(b.clone()),
            (Value::Str(_) | Value::Text(_), Value::Str(_) | Value::Text(_)) => {
                return self.merge_texts(merge.condition, a, b);
            }
            (Value::Tuple(a), Value::Tuple(b)) if a.items.len() == b.items.len() && depth > 0 => {
                let mut items = Vec::with_capacity(a.items.len());
                for (a, b) in a.items.iter().zip(b.items.iter()) {
                    items.push(self.merge_values(merge, state, a, b, depth - 1)?);
                }
                return Ok(Value::tuple(items));
            }
            (Value::Pair(v, i), Value::Pair(w, j)) if v.shape == w.shape && i.shape == j.shape => {
                let values = self.merge_tensors(merge, v, w)?;
                let indices = self.merge_tensors(merge, i, j)?;
                return Ok(Value::Pair(values, indices));
            }
            (Value::Named(a), Value::Named(b)) if a.name == b.name && depth > 0 => {
                let mut items = Vec::with_capacity(a.items.items.len());
                for (x, y) in a.items.items.iter().zip(b.items.items.iter()) {
                    items.push(self.merge_values(merge, state, x, y, depth - 1)?);
                }
                return Ok(Value::Named(Rc::new(Named::new(a.name, a.fields, items))));
            }
            (Value::ListRef(x), Value::ListRef(y)) if depth > 0 => {
                let theirs = theirs(*x).unwrap_or_else(|| self.lists[*x].clone());
                let ours = self.lists[*y].clone();
                if theirs.len() == ours.len() {
                    let mut items = Vec::with_capacity(ours.len());
                    for (a, b) in theirs.iter().zip(ours.iter()) {
                        items.push(self.merge_values(merge, state, a, b, depth - 1)?);
                    }
                    let merged = self.new_list(items);
                    self.double_lists.extend([*x, *y, self.lists.len() - 1]);
                    return Ok(merged);
                }
            }
            (Value::Dict(x), Value::Dict(y)) if depth > 0 => {
                let theirs = their_entries(*x).unwrap_or_else(|| self.dicts[*x].clone());
                let ours = self.dicts[*y].clone();
                if let Some(entries) = self.merge_fields(merge, state, &theirs, &ours, depth - 1)? {
                    let merged = self.new_dict(entries);
                    self.double_dicts.extend([*x, *y, self.dicts.len() - 1]);
                    return Ok(merged);
                }
            }
            (
                Value::Object { class, fields: x },
                Value::Object {
                    class: other,
                    fields: y,
                },
            ) if class == other && depth > 0 => {
                let theirs = their_entries(*x).unwrap_or_else(|| self.dicts[*x].clone());
                let ours = self.dicts[*y].clone();
                if let Some(entries) = self.merge_fields(merge, state, &theirs, &ours, depth - 1)? {
                    let merged = self.new_object(*class, entries);
                    self.double_dicts.extend([*x, *y, self.dicts.len() - 1]);
                    return Ok(merged);
                }
            }
            _ => {
                if let (Some(x), Some(y)) = (self.as_tensor(a)?, self.as_tensor(b)?) {
                    return self.merge_shapes(merge, x, y);
                }
            }
        }
        let kinds = |a: &Value, b: &Value| {
            let (a, b) = (a.describe(), b.describe());
            format!("this is {a} or {b}, depending on positions")
        };
        let (what, help) = match (a, b) {
            (Value::None, _) | (_, Value::None) => {
                (kinds(a, b), "start with a number, such as 0.0")
            }
            (Value::Dict(_), Value::Dict(_)) if depth > 0 => (OPEN_KEYS.to_owned(), SAME_KEYS),
            (Value::ListRef(_), Value::ListRef(_)) | (Value::Tuple(_), Value::Tuple(_))
                if depth > 0 =>
            {
                (OPEN_LENGTH.to_owned(), "give it as many items on both ways")
            }
            _ => (kinds(a, b), "give it the same kind of value on both ways"),
        };
        self.no_common(merge, what, help)
    }

    /// Entries with the same keys in the same order.
    fn merge_fields(
        &mut self,
        merge: &mut Merge,
        state: Option<&State>,
        theirs: &Entries,
        ours: &Entries,
        depth: u8,
    ) -> Lowered<Option<Entries>> {
        if theirs.len() != ours.len() {
            return Ok(None);
        }
        let mut merged = Vec::with_capacity(ours.len());
        for ((key, a), (other, b)) in theirs.iter().zip(ours) {
            if self.equal(key, other)? != Some(true) {
                return Ok(None);
            }
            merged.push((key.clone(), self.merge_values(merge, state, a, b, depth)?));
        }
        Ok(Some(merged))
    }

    /// A tensor, or a number as one.
    fn as_tensor(&mut self, value: &Value) -> Lowered<Option<Tensor>> {
        let (number, dtype) = match value {
            Value::Tensor(tensor) => return Ok(Some(tensor.clone())),
            Value::Bool(value) => (f64::from(u8::from(*value)), DType::Bool),
            Value::Int(value) => (*value as f64, DType::Int),
            Value::Float(value) => (*value, DType::Float),
            _ => return Ok(None),
        };
        let tensor = Tensor::scalar(self.constant(number)?, dtype);
        Ok(Some(tensor.with_form(Form::Number)))
    }

    fn merge_shapes(&mut self, merge: &mut Merge, a: Tensor, b: Tensor) -> Lowered<Value> {
        // One element is one element, however many dimensions say so.
        let (a, b) = match (a.len(), b.len()) {
            (1, 1) if a.rank() < b.rank() => (a.reshaped(b.shape.clone()), b),
            (1, 1) => {
                let shape = a.shape.clone();
                (a, b.reshaped(shape))
            }
            _ => (a, b),
        };
        if a.shape == b.shape {
            let chosen = self.merge_tensors(merge, &a, &b)?;
            self.new_choices
                .push(Choice::new(merge.condition, &chosen, &a, &b));
            return Ok(Value::Tensor(chosen));
        }
        let what = format!(
            "this has shape {} or {}, depending on positions",
            show_shape(&a.shape),
            show_shape(&b.shape)
        );
        self.no_common(merge, what, "give it the same shape on both ways")
    }

    fn merge_tensors(&mut self, merge: &mut Merge, a: &Tensor, b: &Tensor) -> Lowered<Tensor> {
        let nodes = self.choose_nodes(merge, &a.nodes(), &b.nodes())?;
        let form = Form::of_result([a.form, b.form], a.rank());
        let chosen = Tensor::new(a.shape.clone(), nodes, a.dtype.max(b.dtype));
        Ok(chosen.with_form(form))
    }

    /// Element by element; no gradient comes from the way that is not taken.
    pub(super) fn choose_nodes(
        &mut self,
        merge: &mut Merge,
        a: &[NodeId],
        b: &[NodeId],
    ) -> Lowered<Vec<NodeId>> {
        self.charge(a.len())?;
        let mut merged = b.to_vec();
        let differing: Vec<usize> = (0..a.len()).filter(|&i| a[i] != b[i]).collect();
        let pick = |nodes: &[NodeId]| differing.iter().map(|&i| nodes[i]).collect::<Vec<_>>();
        let (yes, no) = (pick(a), pick(b));
        self.reach(&mut merge.yes, &yes)?;
        self.reach(&mut merge.no, &no)?;
        let yes = self.gated(&mut merge.yes, &merge.no, &yes)?;
        let no = self.gated(&mut merge.no, &merge.yes, &no)?;
        for ((&i, a), b) in differing.iter().zip(yes).zip(no) {
            merged[i] = self.guard_node(Op::Where, &[merge.condition, a, b])?;
        }
        Ok(merged)
    }
}

/// Whether two values are one, so that nothing needs to be chosen.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::None, Value::None)
        | (Value::Ellipsis, Value::Ellipsis)
        | (Value::Text(None), Value::Text(None)) => true,
        (Value::Text(Some(a)), Value::Text(Some(b))) => Rc::ptr_eq(a, b),
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a), Value::Int(b)) => a == b,
        (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
        (Value::Str(a), Value::Str(b)) => a == b,
        (Value::ListRef(a), Value::ListRef(b))
        | (Value::Dict(a), Value::Dict(b))
        | (Value::Set(a), Value::Set(b))
        | (Value::Local(a), Value::Local(b))
        | (Value::Class(a), Value::Class(b))
        | (Value::Absent(a), Value::Absent(b)) => a == b,
        (Value::Object { fields: a, .. }, Value::Object { fields: b, .. }) => a == b,
        (Value::Tensor(a), Value::Tensor(b)) => a.is_same_view(b),
        (Value::Pair(a, b), Value::Pair(c, d)) => a.is_same_view(c) && b.is_same_view(d),
        (Value::Named(a), Value::Named(b)) => Rc::ptr_eq(a, b),
        (Value::Partial(a), Value::Partial(b)) => Rc::ptr_eq(a, b),
        (Value::Endless(a), Value::Endless(b)) => Rc::ptr_eq(a, b),
        (Value::Module(a), Value::Module(b)) => a == b,
        (Value::DType(a), Value::DType(b)) => a == b,
        (Value::Builtin(a), Value::Builtin(b)) => a == b,
        (Value::Function(a), Value::Function(b))
        | (Value::NumpyFunction(a), Value::NumpyFunction(b))
        | (Value::MathFunction(a), Value::MathFunction(b)) => std::ptr::eq(*a, *b),
        (
            Value::Range { start, stop, step },
            Value::Range {
                start: first,
                stop: last,
                step: by,
            },
        ) => (start, stop, step) == (first, last, by),
        _ => false,
    }
}
