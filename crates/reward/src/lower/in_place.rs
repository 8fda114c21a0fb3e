//! Methods with a trailing underscore: they write into the storage that a tensor views.

use super::arguments::Bound;
use super::gather::wrap_index;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind, Span};
use crate::syntax::Operator;
use crate::tensor::{Form, Tensor, show_shape};

impl Lower<'_> {
    /// Writes what the method without the underscore gives, where PyTorch would.
    pub(super) fn write_back(
        &mut self,
        place: &Tensor,
        result: &Tensor,
        name: &str,
        span: Span,
    ) -> Lowered<()> {
        if result.shape != place.shape {
            return Err(self.fail(
                Draft::new(
                    Kind::Shape,
                    span,
                    format!("`{name}` cannot change the shape"),
                )
                .expected(format!("shape {}", show_shape(&place.shape)))
                .found(format!("shape {}", show_shape(&result.shape)))
                .help("use the form without the underscore and assign its result"),
            ));
        }
        if result.dtype > place.dtype {
            return Err(self.fail(
                Draft::new(
                    Kind::Type,
                    span,
                    format!("`{name}` cannot change the dtype"),
                )
                .expected(place.dtype.name())
                .found(result.dtype.name())
                .help("use `.float()` first, or the form without the underscore"),
            ));
        }
        self.check_writable(place, span)?;
        self.put(place, &result.nodes())
    }

    /// Refuses to write where the libraries do.
    pub(super) fn check_writable(&mut self, place: &Tensor, span: Span) -> Lowered<()> {
        self.charge(place.len())?;
        let (what, help) = if place.is_read_only {
            ("this array is read-only", "copy it first: `x.copy()`")
        } else if place.overlaps_itself() {
            (
                "this would write several elements to one place",
                "copy it first: `x.clone()`",
            )
        } else {
            return Ok(());
        };
        Err(self.fail(
            Draft::new(Kind::Shape, span, what)
                .found(format!("a view of shape {}", show_shape(&place.shape)))
                .help(help),
        ))
    }

    /// What `left += right` gives, and whether it changes `left` itself.
    pub(super) fn augment(
        &mut self,
        op: Operator,
        left: &Value,
        right: Value,
        span: Span,
    ) -> Lowered<(Value, bool)> {
        let form = |value: &Value| match value {
            Value::Tensor(tensor) => Some(tensor.form),
            _ => None,
        };
        // Neither a tensor nor an array takes the other one in: Python makes a new tensor.
        let is_new = matches!(
            (form(left), form(&right)),
            (Some(Form::Tensor), Some(Form::Array)) | (Some(Form::Array), Some(Form::Tensor))
        );
        let result = self.binary_operator(op, left.clone(), right, span)?;
        let in_place = match (left, &result) {
            (Value::Tensor(old), Value::Tensor(new)) if !is_new => {
                self.changes_in_place(old, new, span)?
            }
            _ => false,
        };
        Ok((result, in_place))
    }

    /// Whether `x += y` changes `x` itself; numbers get a new value instead.
    fn changes_in_place(&mut self, old: &Tensor, new: &Tensor, span: Span) -> Lowered<bool> {
        if matches!(old.form, Form::Number | Form::Scalar) {
            return Ok(false);
        }
        self.check_dtype(old, new, span)?;
        if old.shape != new.shape || old.dtype != new.dtype {
            return Ok(false);
        }
        if old.is_read_only {
            self.check_writable(old, span)?;
        }
        Ok(!old.overlaps_itself())
    }

    /// Refuses arithmetic in place whose result the dtype of the place cannot hold.
    fn check_dtype(&mut self, place: &Tensor, result: &Tensor, span: Span) -> Lowered<()> {
        if result.dtype <= place.dtype || matches!(place.form, Form::Number | Form::Scalar) {
            return Ok(());
        }
        let (found, dtype) = (result.dtype.name(), place.dtype.name());
        Err(self.fail(
            Draft::new(
                Kind::Type,
                span,
                format!("arithmetic in place cannot make {dtype} elements {found}"),
            )
            .expected(dtype)
            .found(found)
            .help("write `x = x + ...`, or make it float from the start: `dtype=torch.float32`"),
        ))
    }
}

/// The method `fill` of arrays.
pub(super) fn fill(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, value) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let value = lower.broadcast_to(&value, &x.shape, b.span_of(1))?;
    lower.check_writable(&x, b.span)?;
    lower.overwrite(&x, &value, b.span)?;
    Ok(Value::None)
}

/// The method `put(indices, values)` of arrays: at places of the flattened array, the values
/// repeated as often as needed.
pub(super) fn put(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, values) = (b.tensor(lower, 0)?, b.tensor(lower, 2)?);
    let indices = b.integers(lower, 1)?;
    lower.check_writable(&x, b.span)?;
    if values.len() == 0 {
        return Ok(Value::None);
    }
    let (mut places, mut sources) = (Vec::new(), Vec::new());
    for (position, &index) in indices.iter().enumerate() {
        let Some(place) = wrap_index(index, x.len()) else {
            return Err(lower.fail(
                Draft::new(
                    Kind::Index,
                    b.span_of(1),
                    format!("index {index} is out of range"),
                )
                .found(format!("{} elements", x.len())),
            ));
        };
        let source = position % values.len();
        // The last of several values for one place stays.
        match places.iter().position(|&known| known == place) {
            Some(known) => sources[known] = source,
            None => {
                lower.charge(places.len() / 16)?;
                places.push(place);
                sources.push(source);
            }
        }
    }
    let place = x.view(vec![places.len()], &places);
    let values = values.view(vec![sources.len()], &sources);
    lower.overwrite(&place, &values, b.span)?;
    Ok(Value::None)
}
