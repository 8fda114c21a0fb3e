//! What programs ask of PyTorch itself: precision, devices, modes. There is one device, and
//! nothing is recorded or drawn at random.

use std::rc::Rc;

use super::arguments::{Bound, Call};
use super::value::{Named, Value};
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind, Span};
use crate::tensor::DType;

/// Functions of `torch.cuda` and `torch.backends`, all of which say that there is no such device.
const DEVICES: [&str; 2] = ["torch.cuda.is_available", "torch.cuda.device_count"];

impl Lower<'_> {
    /// `torch.cuda.name` or `torch.backends.*.name`.
    pub(super) fn device_function(&mut self, name: &str, span: Span) -> Lowered<Value> {
        let known = DEVICES
            .iter()
            .find(|known| known.rsplit('.').next() == Some(name));
        match known {
            Some(known) => Ok(Value::Builtin(known)),
            None => Err(self.fail(
                Draft::new(
                    Kind::UnknownOperation,
                    span,
                    format!("`{name}` of a device is not available to rewards"),
                )
                .help("remove it: everything is computed in one place"),
            )),
        }
    }

    /// Calls what [`Self::device_function`] gave.
    pub(super) fn call_device(&mut self, name: &str) -> Value {
        if name == DEVICES[0] {
            Value::Bool(false)
        } else {
            Value::Int(0)
        }
    }

    /// `torch.device('cuda:0')`.
    pub(super) fn device(&mut self, call: Call) -> Lowered<Value> {
        let b = Bound::new(self, call, "type? index?")?;
        let (kind, index) = match b.get(0) {
            Some(Value::Str(name)) => match name.split_once(':') {
                Some((kind, index)) => (kind.to_owned(), index.parse().ok()),
                None => (name.to_string(), None),
            },
            Some(Value::Named(known)) if known.name == "device" => {
                return Ok(Value::Named(Rc::clone(known)));
            }
            _ => ("cpu".to_owned(), None),
        };
        Ok(device_of(&kind, index))
    }
}

/// A device as `torch.device` and `x.device` give it.
pub(super) fn device_of(kind: &str, index: Option<i64>) -> Value {
    let index = index.map_or(Value::None, Value::Int);
    Value::Named(Rc::new(Named::new(
        "device",
        &["type", "index"],
        vec![Value::Str(kind.into()), index],
    )))
}

/// `finfo(dtype)`: the rounding of double precision, which PyTorch has in `tiller reward eval`, and
/// a range that stays finite in single precision, too.
pub(super) fn finfo(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    if let Some(Value::DType(dtype @ (DType::Int | DType::Bool))) = b.get(0) {
        return Err(lower.fail(
            Draft::new(Kind::Type, b.span_of(0), "`finfo` takes a dtype of floats")
                .found(format!("the dtype {}", dtype.name()))
                .help("use `iinfo`"),
        ));
    }
    let numbers = [
        f64::EPSILON,
        f64::from(f32::MAX),
        f64::from(f32::MIN),
        f64::from(f32::MIN_POSITIVE),
        f64::from(f32::MIN_POSITIVE),
        1e-15,
    ];
    let mut items: Vec<Value> = numbers.into_iter().map(Value::Float).collect();
    items.push(Value::Int(64));
    Ok(Value::Named(Rc::new(Named::new(
        "finfo",
        &[
            "eps",
            "max",
            "min",
            "tiny",
            "smallest_normal",
            "resolution",
            "bits",
        ],
        items,
    ))))
}

/// `iinfo(dtype)` of 64 bits.
pub(super) fn iinfo(_: &mut Lower<'_>, _: &Bound) -> Lowered<Value> {
    let items = vec![Value::Int(i64::MAX), Value::Int(i64::MIN), Value::Int(64)];
    Ok(Value::Named(Rc::new(Named::new(
        "iinfo",
        &["max", "min", "bits"],
        items,
    ))))
}

/// Settings that change no value: seeds, default dtypes.
pub(super) fn nothing(_: &mut Lower<'_>, _: &Bound) -> Lowered<Value> {
    Ok(Value::None)
}

pub(super) fn get_default_dtype(_: &mut Lower<'_>, _: &Bound) -> Lowered<Value> {
    Ok(Value::DType(DType::Float))
}

pub(super) fn is_grad_enabled(lower: &mut Lower<'_>, _: &Bound) -> Lowered<Value> {
    Ok(Value::Bool(!lower.is_detached))
}

/// `requires_grad_(...)`: the tensor itself.
pub(super) fn itself(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    b.tensor(lower, 0).map(Value::Tensor)
}
