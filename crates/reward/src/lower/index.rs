//! Indexing: integers, slices, `...`, `None`, integer tensors and constant masks.

use ruff_python_ast::Expr;

use super::gather::wrap_index;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind, Span};
use crate::op::Op;
use crate::tensor::{DType, Tensor};

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
            Value::List(items) => self.sequence_item(&items.items, index, span, Value::list),
            Value::Tuple(items) => self.sequence_item(&items.items, index, span, Value::tuple),
            Value::Range { .. } => {
                let items = self.iterate(base, span)?;
                self.sequence_item(&items, index, span, Value::list)
            }
            other => Err(self.fail(
                Draft::new(Kind::Type, span, "this cannot be indexed").found(other.describe()),
            )),
        }
    }

    fn sequence_item(
        &mut self,
        items: &[Value],
        index: &'a Expr,
        span: Span,
        wrap: fn(Vec<Value>) -> Value,
    ) -> Lowered<Value> {
        if let Expr::Slice(_) = index
            && let Some(Item::Slice { lower, upper, step }) = self.items(index)?.pop()
        {
            let (first, length) = self.slice_bounds(items.len(), lower, upper, step, span)?;
            self.charge(length)?;
            let picked = (0..length as i64)
                .map(|i| items[(first + i * step) as usize].clone())
                .collect();
            return Ok(wrap(picked));
        }
        let value = self.expression(index)?;
        let position = self.integer_argument(&value, Span::of(index))?;
        match wrap_index(position, items.len()) {
            Some(position) => Ok(items[position].clone()),
            None => Err(self.fail(
                Draft::new(Kind::Index, Span::of(index), "this index is out of range")
                    .expected(format!("an index into {} items", items.len()))
                    .found(format!("{position}")),
            )),
        }
    }

    /// The view that an assignment to `base[index]` writes to.
    pub(super) fn place(
        &mut self,
        tensor: &Tensor,
        base_expression: &'a Expr,
        index: &'a Expr,
    ) -> Lowered<Tensor> {
        let span = Span::of(index);
        let items = self.items(index)?;
        self.check_keypoint(tensor, base_expression, &items)?;
        for item in &items {
            if let Item::Tensor(chosen, span) = item
                && self.constants_of(chosen).is_none()
            {
                let source = self.dependence(chosen);
                return Err(self.fail(
                    Draft::new(
                        Kind::DynamicControl,
                        *span,
                        format!("where this writes depends on {source}"),
                    )
                    .help("use `x = torch.where(mask, value, x)`"),
                ));
            }
        }
        self.gather(tensor, items, span)
    }

    fn items(&mut self, index: &'a Expr) -> Lowered<Vec<Item>> {
        match index {
            Expr::Tuple(tuple) => tuple.elts.iter().map(|item| self.item(item)).collect(),
            single => Ok(vec![self.item(single)?]),
        }
    }

    fn item(&mut self, item: &'a Expr) -> Lowered<Item> {
        let span = Span::of(item);
        if let Expr::Slice(slice) = item {
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
            let step = bound(&slice.step)?.unwrap_or(1);
            return Ok(Item::Slice { lower, upper, step });
        }
        match self.expression(item)? {
            Value::Int(value) => Ok(Item::Int(value, span)),
            Value::None => Ok(Item::NewAxis),
            Value::Ellipsis => Ok(Item::Ellipsis),
            Value::Tensor(tensor) if tensor.dtype != DType::Float => Ok(Item::Tensor(tensor, span)),
            Value::Bool(_) => Err(self.fail(
                Draft::new(Kind::Type, span, "a single bool is not an index")
                    .help("use `torch.where`"),
            )),
            value @ (Value::List(_) | Value::Tuple(_) | Value::Range { .. }) => {
                let items = self.iterate(value, span)?;
                let tensor = self.tensor_of(Value::list(items), span)?;
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
                .found(value.describe()),
        )
    }

    /// A better message for the most common slip: a keypoint that the scene does not have.
    fn check_keypoint(&mut self, tensor: &Tensor, base: &Expr, items: &[Item]) -> Lowered<()> {
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
            .help("use one of the numbers in the annotated image"),
        ))
    }

    /// `tensor[items]`. An index that depends on positions becomes a choice among all entries.
    fn index(&mut self, tensor: &Tensor, mut items: Vec<Item>, span: Span) -> Lowered<Tensor> {
        let dynamic = items.iter().position(|item| match item {
            Item::Tensor(index, _) => self.constants_of(index).is_none(),
            _ => false,
        });
        let Some(at) = dynamic else {
            let copies = items.iter().any(|item| matches!(item, Item::Tensor(..)));
            let view = self.gather(tensor, items, span)?;
            // Only basic indexing shares storage.
            return Ok(if copies {
                Tensor::new(view.shape.clone(), view.nodes(), view.dtype)
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
                .help("use `torch.where(mask, x, 0.0)` and keep the shape"),
            ));
        }
        if index.len() != 1 {
            return Err(self.fail(
                Draft::new(
                    Kind::Unsupported,
                    index_span,
                    "several computed indices at once are not supported",
                )
                .help("compute with weights, for example `torch.softmax`, or index one by one"),
            ));
        }
        let dim = items[..at]
            .iter()
            .filter(|item| matches!(item, Item::Int(..) | Item::Slice { .. } | Item::Tensor(..)))
            .count();
        let has_ellipsis = items[..at]
            .iter()
            .any(|item| matches!(item, Item::Ellipsis));
        let used = items
            .iter()
            .filter(|i| !matches!(i, Item::Ellipsis | Item::NewAxis))
            .count();
        let dim = if has_ellipsis {
            dim + tensor.rank().saturating_sub(used)
        } else {
            dim
        };
        let size = tensor.shape.get(dim).copied().unwrap_or(0);
        let chosen = index.nodes()[0];
        let mut result: Option<Tensor> = None;
        for candidate in 0..size {
            let fixed = self.constant(candidate as f64)?;
            let fixed_index = Tensor::new(index.shape.clone(), vec![fixed], DType::Int);
            items[at] = Item::Tensor(fixed_index, index_span);
            let part = self.gather(tensor, clone_items(&items), span)?;
            result = Some(match result {
                None => part,
                Some(so_far) => {
                    let is_it = self.node(Op::Equal, &[chosen, fixed])?;
                    let is_it = Tensor::scalar(is_it, DType::Bool);
                    self.choose(&is_it, &part, &so_far, span)?
                }
            });
        }
        result.ok_or_else(|| self.too_many_indices(tensor, span))
    }
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
