//! What an assignment to `x[...]` writes to: part of a tensor, or an item of a container.

use super::gather::wrap_index;
use super::index::{Item, has_ellipsis};
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind, Span};
use crate::syntax::ExprSubscript;
use crate::tensor::{DType, Form, Tensor};

pub(super) enum Place {
    /// Elements of a tensor, as a view of it.
    View(Tensor),
    /// The elements of a tensor where a mask holds that is known only on a trajectory.
    Masked {
        tensor: Tensor,
        mask: Tensor,
    },
    ListItem {
        list: usize,
        position: usize,
    },
    Entry {
        dict: usize,
        key: Value,
    },
}

impl<'a> Lower<'a> {
    /// Evaluates the target of an assignment, once.
    pub(super) fn place(&mut self, target: &'a ExprSubscript) -> Lowered<Place> {
        let span = Span::of(target);
        match self.expression(&target.value)? {
            Value::Tensor(tensor) => {
                let items = self.items(&target.slice)?;
                let items = self.items_for(&tensor, items);
                self.check_keypoint(&tensor, &target.value, &items)?;
                self.tensor_place(tensor, items, Span::of(&*target.slice))
            }
            Value::ListRef(list) => {
                let value = self.expression(&target.slice)?;
                let index = self.integer_argument(&value, Span::of(&*target.slice))?;
                let length = self.lists[list].len();
                match wrap_index(index, length) {
                    Some(position) => Ok(Place::ListItem { list, position }),
                    None => Err(self.out_of_range(index, length, Span::of(&*target.slice))),
                }
            }
            Value::Dict(dict) => {
                let key = self.expression(&target.slice)?;
                self.check_key(&key, Span::of(&*target.slice))?;
                self.fill_in(dict, &key, span)?;
                Ok(Place::Entry { dict, key })
            }
            other => Err(self.fail(
                Draft::new(Kind::Type, span, "the items of this cannot be assigned")
                    .found(other.describe())
                    .help("build a new list or tensor instead"),
            )),
        }
    }

    fn tensor_place(&mut self, tensor: Tensor, items: Vec<Item>, span: Span) -> Lowered<Place> {
        for item in &items {
            let Item::Tensor(chosen, span) = item else {
                continue;
            };
            if self.constants_of(chosen).is_some() {
                continue;
            }
            if items.len() == 1
                && chosen.dtype == DType::Bool
                && tensor.shape.starts_with(&chosen.shape)
            {
                let mut shape = chosen.shape.clone();
                shape.resize(tensor.rank(), 1);
                let mask = chosen.reshaped(shape);
                self.check_writable(&tensor, *span)?;
                return Ok(Place::Masked { tensor, mask });
            }
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
        let is_view = !items.iter().any(|item| matches!(item, Item::Tensor(..)));
        let is_element = tensor.form == Form::Array && !has_ellipsis(&items);
        let view = self.gather(&tensor, items, span)?;
        // Of several values for one place, as index tensors may give, the last stays.
        self.check_writable(if is_view { &view } else { &tensor }, span)?;
        Ok(Place::View(if is_element && view.rank() == 0 {
            view.with_form(Form::Scalar)
        } else {
            view
        }))
    }

    /// What stands at a place now. A missing entry reads as `None`.
    pub(super) fn read(&mut self, place: &Place) -> Lowered<Value> {
        Ok(match place {
            Place::View(tensor) | Place::Masked { tensor, .. } => Value::Tensor(tensor.clone()),
            Place::ListItem { list, position } => self.lists[*list][*position].clone(),
            Place::Entry { dict, key } => self.entry(*dict, key)?.unwrap_or(Value::None),
        })
    }

    /// Behind a mask whose length is unknown only one number for all has a meaning.
    pub(super) fn check_masked_operand(
        &mut self,
        place: &Place,
        value: &Value,
        span: Span,
    ) -> Lowered<()> {
        if let Place::Masked { mask, .. } = place {
            let source = self.dependence(mask);
            if self.tensor_of(value.clone(), span)?.len() != 1 {
                return Err(self.fail(
                    Draft::new(
                        Kind::DynamicControl,
                        span,
                        format!("how many values this takes depends on {source}"),
                    )
                    .found(value.describe())
                    .help("use `x = torch.where(mask, value, x)`"),
                ));
            }
        }
        Ok(())
    }

    /// Assigns to a place.
    pub(super) fn write(&mut self, place: &Place, value: Value, span: Span) -> Lowered<()> {
        self.check_masked_operand(place, &value, span)?;
        self.rewrite(place, value, span)
    }

    /// Assigns what was computed from the place itself.
    pub(super) fn rewrite(&mut self, place: &Place, value: Value, span: Span) -> Lowered<()> {
        match place {
            Place::View(tensor) => {
                let value = self.tensor_of(value, span)?;
                let value = self.broadcast_to(&value, &tensor.shape, span)?;
                self.overwrite(tensor, &value, span)
            }
            Place::Masked { tensor, mask } => {
                let value = self.tensor_of(value, span)?;
                let value = if value.len() == 1 {
                    value.reshaped(Vec::new())
                } else {
                    value
                };
                let chosen = self.choose(mask, &value, tensor, span)?;
                self.overwrite(tensor, &chosen, span)
            }
            Place::ListItem { list, position } => {
                let items = self.list_mut(*list)?;
                let length = items.len();
                // What was assigned may have shortened the list.
                match items.get_mut(*position) {
                    Some(item) => *item = value,
                    None => return Err(self.out_of_range(*position as i64, length, span)),
                }
                Ok(())
            }
            Place::Entry { dict, key } => self.insert(*dict, key.clone(), value, span),
        }
    }

    /// Writes `value`, of the same shape, into a view: cast to the view's element type.
    pub(super) fn overwrite(&mut self, view: &Tensor, value: &Tensor, span: Span) -> Lowered<()> {
        if self.is_detached && self.is_differentiable(view) {
            return Err(self.fail(
                Draft::new(
                    Kind::Unsupported,
                    span,
                    "a tensor with a gradient is changed under `torch.no_grad`",
                )
                .help("do this outside of `torch.no_grad`"),
            ));
        }
        let value = if value.dtype > view.dtype {
            self.cast(value, view.dtype)?
        } else {
            value.clone()
        };
        self.put(view, &value.nodes())
    }

    /// `del` of an item.
    pub(super) fn remove(&mut self, place: &Place, span: Span) -> Lowered<()> {
        match place {
            Place::ListItem { list, position } => {
                self.charge(self.lists[*list].len())?;
                self.list_mut(*list)?.remove(*position);
                Ok(())
            }
            Place::Entry { dict, key } => self.take_entry(*dict, key, span).map(|_| ()),
            Place::View(_) | Place::Masked { .. } => Err(self.fail(
                Draft::new(Kind::Type, span, "elements of a tensor cannot be deleted")
                    .help("use `torch.cat` of the parts that stay"),
            )),
        }
    }
}
