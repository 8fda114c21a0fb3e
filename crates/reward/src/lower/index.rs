//! Indexing: integers, slices, `...`, `None`, integer tensors and constant masks.

use super::gather::wrap_index;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind, Span};
use crate::graph::NodeId;
use crate::op::Op;
use crate::syntax::{Expr, ExprSlice};
use crate::tensor::{DType, Form, Tensor, count};

/// One item of a subscript.
pub(super) enum Item {
    Int(i64, Span),
    Slice {
        lower: Option<i64>,
        upper: Option<i64>,
        step: i64,
    },
    Ellipsis,
    NewAxis,
    Tensor(Tensor, Span),
}

impl<'a> Lower<'a> {
    pub(super) fn subscript(
        &mut self,
        base: Value,
        base_expression: &'a Expr,
        index: &'a Expr,
        span: Span,
    ) -> Lowered<Value> {
        match base {
            Value::Tensor(tensor) => {
                let items = self.items(index)?;
                let items = self.items_for(&tensor, items);
                self.check_keypoint(&tensor, base_expression, &items)?;
                self.index(&tensor, items, span).map(Value::Tensor)
            }
            Value::Pair(values, indices) => match self.expression(index)? {
                Value::Int(0 | -2) => Ok(Value::Tensor(values)),
                Value::Int(1 | -1) => Ok(Value::Tensor(indices)),
                other => Err(self.fail(
                    Draft::new(Kind::Index, span, "a (values, indices) pair has two parts")
                        .expected("[0] or [1]")
                        .found(other.describe()),
                )),
            },
            Value::ListRef(_) | Value::Tuple(_) | Value::Range { .. } => {
                self.sequence_item(base, index, span)
            }
            Value::Named(named) => {
                self.sequence_item(Value::Tuple(named.items.clone()), index, span)
            }
            Value::Builtin(name @ ("np.r_" | "np.c_")) => self.laid_out(name, index, span),
            Value::Dict(dict) => {
                let key = self.expression(index)?;
                let span = Span::of(index);
                self.each_option(&key, span, &mut |lower, key| {
                    lower.check_key(key, span)?;
                    match lower.entry(dict, key)? {
                        Some(value) => Ok(value),
                        None => Err(lower.no_such_key(dict, key, span)),
                    }
                })
            }
            other => Err(self.fail(
                Draft::new(Kind::Type, span, "this cannot be indexed").found(other.describe()),
            )),
        }
    }

    pub(super) fn items(&mut self, index: &'a Expr) -> Lowered<Vec<Item>> {
        match index {
            Expr::Tuple(tuple) => tuple.elts.iter().map(|item| self.item(item)).collect(),
            Expr::Slice(_) => Ok(vec![self.item(index)?]),
            single => {
                let span = Span::of(single);
                match self.expression(single)? {
                    // A tuple by name, or from `np.triu_indices`, is one index a dimension.
                    Value::Tuple(items) => {
                        let items = items.items.iter();
                        items
                            .map(|item| self.index_item(item.clone(), span))
                            .collect()
                    }
                    value => Ok(vec![self.index_item(value, span)?]),
                }
            }
        }
    }

    /// `lower:upper:step`, where they are given.
    pub(super) fn slice(
        &mut self,
        slice: &'a ExprSlice,
    ) -> Lowered<(Option<i64>, Option<i64>, i64)> {
        let mut bound = |expression: &'a Option<Box<Expr>>| match expression {
            Some(expression) => match self.expression(expression)? {
                Value::None => Ok(None),
                value => self
                    .integer_argument(&value, Span::of(&**expression))
                    .map(Some),
            },
            None => Ok(None),
        };
        let (lower, upper) = (bound(&slice.lower)?, bound(&slice.upper)?);
        Ok((lower, upper, bound(&slice.step)?.unwrap_or(1)))
    }

    fn item(&mut self, item: &'a Expr) -> Lowered<Item> {
        let span = Span::of(item);
        if let Expr::Slice(slice) = item {
            let (lower, upper, step) = self.slice(slice)?;
            return Ok(Item::Slice { lower, upper, step });
        }
        let value = self.expression(item)?;
        self.index_item(value, span)
    }

    fn index_item(&mut self, value: Value, span: Span) -> Lowered<Item> {
        match value {
            Value::Int(value) => Ok(Item::Int(value, span)),
            Value::Tensor(tensor)
                if tensor.dtype == DType::Int
                    && tensor.rank() == 0
                    && tensor.form != Form::Array
                    && self.constants_of(&tensor).is_some() =>
            {
                let values = self.constants_of(&tensor).unwrap_or_default();
                Ok(Item::Int(values[0] as i64, span))
            }
            Value::None => Ok(Item::NewAxis),
            Value::Ellipsis => Ok(Item::Ellipsis),
            Value::Tensor(tensor) if tensor.dtype != DType::Float => Ok(Item::Tensor(tensor, span)),
            Value::Bool(_) => Err(self.fail(
                Draft::new(Kind::Type, span, "a single bool is not an index").help(
                    "choose with `a if condition else b`, or with `torch.where(condition, a, b)`",
                ),
            )),
            value @ (Value::ListRef(_) | Value::Tuple(_) | Value::Range { .. }) => {
                let items = self.iterate(value, span)?;
                let tensor = self.tensor_of(Value::tuple(items), span)?;
                if tensor.dtype == DType::Float {
                    return Err(self.not_an_index(&Value::Tensor(tensor), span));
                }
                Ok(Item::Tensor(tensor, span))
            }
            other => Err(self.not_an_index(&other, span)),
        }
    }

    fn not_an_index(&mut self, value: &Value, span: Span) -> super::Stop {
        self.fail(
            Draft::new(Kind::Type, span, "this is not an index")
                .expected("integers, slices, `...`, `None` or integer tensors")
                .found(value.describe())
                .help(match value {
                    Value::Float(number) if number.fract() == 0.0 => {
                        format!("write `{number}` without a decimal point, or `//` for a division")
                    }
                    Value::Str(_) => "keypoints have numbers, no names: `keypoints[0]`".to_owned(),
                    _ => "use an integer such as `0` or `-1`".to_owned(),
                }),
        )
    }

    /// A better message for the most common slip: a keypoint that the scene does not have.
    pub(super) fn check_keypoint(
        &mut self,
        tensor: &Tensor,
        base: &Expr,
        items: &[Item],
    ) -> Lowered<()> {
        let Expr::Name(name) = base else {
            return Ok(());
        };
        let count = tensor.shape.first().copied().unwrap_or(0);
        if !self
            .keypoint_names
            .iter()
            .any(|known| known == name.id.as_str())
        {
            return Ok(());
        }
        let (index, span) = match items.first() {
            Some(&Item::Int(index, span)) => (Some(index), span),
            Some(Item::Tensor(tensor, span)) if tensor.dtype == DType::Int => {
                let values = self.constants_of(tensor).unwrap_or_default();
                let bad = values.into_iter().map(|v| v as i64);
                (
                    bad.into_iter().find(|&v| wrap_index(v, count).is_none()),
                    *span,
                )
            }
            _ => return Ok(()),
        };
        let Some(index) = index.filter(|&index| wrap_index(index, count).is_none()) else {
            return Ok(());
        };
        let expected = match count {
            0 => "no index: the scene has no keypoints".to_owned(),
            _ => format!("0 to {} (the scene has {count} keypoints)", count - 1),
        };
        Err(self.fail(
            Draft::new(
                Kind::KeypointIndex,
                span,
                format!("there is no keypoint {index}"),
            )
            .expected(expected)
            .found(format!("{index}"))
            .help("use one of the numbers drawn in the image; `len(keypoints)` counts them"),
        ))
    }

    /// The items as the library of the indexed tensor takes them: an array of one integer is an
    /// integer to PyTorch, and an array to NumPy.
    pub(super) fn items_for(&self, tensor: &Tensor, items: Vec<Item>) -> Vec<Item> {
        let known = |item: &Item| match item {
            Item::Tensor(index, span) if index.dtype == DType::Int && index.rank() == 0 => {
                let values = self.constants_of(index)?;
                Some(Item::Int(values[0] as i64, *span))
            }
            _ => None,
        };
        if tensor.form.is_numpy() {
            return items;
        }
        let items = items.into_iter();
        items.map(|item| known(&item).unwrap_or(item)).collect()
    }

    /// `tensor[items]`. An index that depends on positions becomes a choice among all entries.
    fn index(&mut self, tensor: &Tensor, mut items: Vec<Item>, span: Span) -> Lowered<Tensor> {
        let dynamic = items.iter().position(|item| match item {
            Item::Tensor(index, _) => self.constants_of(index).is_none(),
            _ => false,
        });
        let Some(at) = dynamic else {
            let copies = items.iter().any(|item| matches!(item, Item::Tensor(..)));
            let is_element = tensor.form.is_numpy() && !has_ellipsis(&items);
            let view = self.gather(tensor, items, span)?;
            // Only basic indexing shares storage, and no single element of an array.
            return Ok(if is_element && view.rank() == 0 {
                view.copied().with_form(Form::Scalar)
            } else if copies {
                view.copied()
            } else {
                view
            });
        };
        let Item::Tensor(index, index_span) = &items[at] else {
            return self.gather(tensor, items, span);
        };
        let (index, index_span) = (index.clone(), *index_span);
        if index.dtype == DType::Bool {
            let source = self.dependence(&index);
            return Err(self.fail(
                Draft::new(
                    Kind::DynamicControl,
                    index_span,
                    format!("a mask that depends on {source} has no fixed shape"),
                )
                .help(
                    "keep the shape: a sum over the mask is `torch.where(mask, x, 0.0).sum()`; a mean \
                     divides it by `mask.sum().clamp(min=1)`",
                ),
            ));
        }
        let size = self.indexed_size(tensor, &items, at, span)?;
        let chosen = self.counted_from_front(&index, size, index_span)?;
        // Which element of the index each element of the result comes from: the same subscript
        // on a tensor that holds the positions along the dimension.
        let origin = {
            let dim = indexed_dim(tensor, &items, at);
            let mut shape = tensor.shape.clone();
            shape[dim] = index.len();
            self.allow(&shape)?;
            let inner: usize = shape[dim + 1..].iter().product();
            let places = (0..count(&shape))
                .map(|i| (i / inner.max(1) % index.len().max(1)) as u32)
                .collect();
            let places = Tensor::new(shape, places, DType::Int);
            let mut items = clone_items(&items);
            for (position, item) in items.iter_mut().enumerate() {
                if let Item::Tensor(other, span) = item
                    && other.dtype == DType::Int
                {
                    let values = (0..other.len()).map(|i| if position == at { i } else { 0 });
                    let fixed = self.integers(other.shape.clone(), values)?;
                    *item = Item::Tensor(fixed, *span);
                }
            }
            self.gather(&places, items, span)?.nodes()
        };
        let mut result: Option<Tensor> = None;
        for candidate in 0..size {
            let fixed = std::iter::repeat_n(candidate, index.len());
            let fixed = self.integers(index.shape.clone(), fixed)?;
            items[at] = Item::Tensor(fixed, index_span);
            let part = self.index(tensor, clone_items(&items), span)?;
            result = Some(match result {
                None => part,
                Some(so_far) => {
                    let candidate = self.constant(candidate as f64)?;
                    let mut is_it = Vec::with_capacity(origin.len());
                    for &place in &origin {
                        is_it.push(self.node(Op::Equal, &[chosen[place as usize], candidate])?);
                    }
                    let is_it =
                        Tensor::new(part.shape.clone(), is_it, DType::Bool).with_form(Form::Number);
                    self.choose(&is_it, &part, &so_far, span)?
                }
            });
        }
        result.ok_or_else(|| self.too_many_indices(tensor, span))
    }

    /// The size of the dimension that item `at` indexes.
    fn indexed_size(
        &mut self,
        tensor: &Tensor,
        items: &[Item],
        at: usize,
        span: Span,
    ) -> Lowered<usize> {
        let used: usize = items.iter().map(dims_used).sum();
        if used > tensor.rank() {
            return Err(self.too_many_indices(tensor, span));
        }
        Ok(tensor.shape[indexed_dim(tensor, items, at)])
    }

    /// A computed index with negative values counted from the front.
    fn counted_from_front(
        &mut self,
        index: &Tensor,
        size: usize,
        span: Span,
    ) -> Lowered<Vec<NodeId>> {
        let nodes = index.nodes();
        self.charge(nodes.len())?;
        if nodes.iter().all(|&node| self.is_nonnegative(node)) {
            return Ok(nodes);
        }
        let size = self.static_scalar(size as f64, DType::Int)?;
        let zero = self.static_scalar(0.0, DType::Int)?;
        let is_negative = self.binary(Op::Less, index, &zero, span)?;
        let wrapped = self.binary(Op::Add, index, &size, span)?;
        Ok(self.choose(&is_negative, &wrapped, index, span)?.nodes())
    }

    /// Whether a value is a choice among constants of which none is negative, as of `argmin`.
    fn is_nonnegative(&self, node: NodeId) -> bool {
        let mut open = vec![node];
        for _ in 0..256 {
            let Some(node) = open.pop() else {
                return true;
            };
            match (self.graph.node(node).op, self.graph.constant_value(node)) {
                (_, Some(value)) if value >= 0.0 => {}
                (Op::Where, None) => open.extend(&self.graph.operands(node)[1..]),
                _ => return false,
            }
        }
        false
    }

    fn integers(
        &mut self,
        shape: Vec<usize>,
        values: impl Iterator<Item = usize>,
    ) -> Lowered<Tensor> {
        self.allow(&shape)?;
        let nodes = values
            .map(|value| self.constant(value as f64))
            .collect::<Lowered<Vec<_>>>()?;
        Ok(Tensor::new(shape, nodes, DType::Int))
    }
}

/// Whether `...` stands among the items: of an array it gives a view even of one element.
pub(super) fn has_ellipsis(items: &[Item]) -> bool {
    items.iter().any(|item| matches!(item, Item::Ellipsis))
}

/// Dimensions of the tensor that an item uses up.
pub(super) fn dims_used(item: &Item) -> usize {
    match item {
        Item::Int(..) | Item::Slice { .. } => 1,
        Item::Tensor(mask, _) if mask.dtype == DType::Bool => mask.rank(),
        Item::Tensor(..) => 1,
        Item::Ellipsis | Item::NewAxis => 0,
    }
}

/// The dimension that item `at` indexes.
fn indexed_dim(tensor: &Tensor, items: &[Item], at: usize) -> usize {
    let before: usize = items[..at].iter().map(dims_used).sum();
    let hidden = if has_ellipsis(&items[..at]) {
        let used: usize = items.iter().map(dims_used).sum();
        tensor.rank().saturating_sub(used)
    } else {
        0
    };
    before + hidden
}

fn clone_items(items: &[Item]) -> Vec<Item> {
    items
        .iter()
        .map(|item| match item {
            Item::Int(index, span) => Item::Int(*index, *span),
            Item::Slice { lower, upper, step } => Item::Slice {
                lower: *lower,
                upper: *upper,
                step: *step,
            },
            Item::Ellipsis => Item::Ellipsis,
            Item::NewAxis => Item::NewAxis,
            Item::Tensor(tensor, span) => Item::Tensor(tensor.clone(), *span),
        })
        .collect()
}
