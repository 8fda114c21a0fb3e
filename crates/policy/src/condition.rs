//! What the encoder makes of an observation and the denoiser takes: named tensors of any rank.

use ort::memory::Allocator;
use ort::session::{IoBinding, Session};
use ort::value::{DynValue, Tensor, TensorElementType, ValueType};
use tiller_core::Problems;

use crate::error::PolicyError;
use crate::graph::{Dimension, Port};
use crate::tensor::{run_error, tensor_mut, zeros};

/// Most numbers in one condition: bounds what a graph can make the process allocate.
const MAX_NUMBERS: usize = 1 << 28;

/// One condition tensor, with the leading axis of 1 that all particles share.
#[derive(Debug)]
pub struct Condition {
    name: String,
    shape: Vec<usize>,
    values: Values,
}

#[derive(Debug)]
enum Values {
    Float32(Tensor<f32>),
    Int64(Tensor<i64>),
    Int32(Tensor<i32>),
    Bool(Tensor<bool>),
}

/// The same without its values, as the encoder's graph declares it.
#[derive(Debug, Clone)]
pub(crate) struct Declared {
    name: String,
    kind: TensorElementType,
    shape: Vec<usize>,
}

impl Declared {
    /// All outputs of an encoder; notes those that no condition can be.
    pub(crate) fn read(session: &Session, problems: &mut Problems) -> Vec<Self> {
        let outputs = session.outputs().iter();
        outputs
            .filter_map(|output| {
                let found = Self::of(output.name(), output.dtype());
                if found.is_none() {
                    problems.push(
                        format!("output `{}`", output.name()),
                        "float32, int64, int32 or bool of fixed shape [1, ..]",
                        output.dtype(),
                    );
                }
                found
            })
            .collect()
    }

    fn of(name: &str, declared: &ValueType) -> Option<Self> {
        use TensorElementType::{Bool, Float32, Int32, Int64};
        let ValueType::Tensor { ty, shape, .. } = declared else {
            return None;
        };
        let sizes: Option<Vec<usize>> = shape
            .iter()
            .map(|size| usize::try_from(*size).ok().filter(|size| *size > 0))
            .collect();
        let shape = sizes.filter(|sizes| sizes.first() == Some(&1))?;
        let numbers = shape
            .iter()
            .try_fold(1_usize, |numbers, size| numbers.checked_mul(*size))?;
        let known = matches!(ty, Float32 | Int64 | Int32 | Bool);
        (known && numbers <= MAX_NUMBERS).then(|| Self {
            name: name.to_owned(),
            kind: *ty,
            shape,
        })
    }

    /// The input that the denoiser must have for it.
    pub(crate) fn port(&self) -> Port {
        Port {
            name: self.name.clone(),
            kind: self.kind,
            shape: self.shape.iter().copied().map(Dimension::Fixed).collect(),
        }
    }
}

impl Condition {
    /// Room for one, in memory that the denoiser reads directly.
    pub(crate) fn new(allocator: &Allocator, declared: Declared) -> Result<Self, PolicyError> {
        let Declared { name, kind, shape } = declared;
        let values = match kind {
            TensorElementType::Int64 => Values::Int64(zeros(allocator, &shape, "denoiser")?),
            TensorElementType::Int32 => Values::Int32(zeros(allocator, &shape, "denoiser")?),
            TensorElementType::Bool => Values::Bool(zeros(allocator, &shape, "denoiser")?),
            _ => Values::Float32(zeros(allocator, &shape, "denoiser")?),
        };
        Ok(Self {
            name,
            shape,
            values,
        })
    }

    /// Name of the encoder's output and of the denoiser's input.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sizes of all axes, the leading 1 included.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The numbers, row-major, if they are of single precision.
    #[must_use]
    pub fn floats(&self) -> Option<&[f32]> {
        match &self.values {
            Values::Float32(tensor) => Some(tensor.extract_tensor().1),
            _ => None,
        }
    }

    /// Takes what the encoder wrote.
    pub(crate) fn take(&mut self, output: &DynValue) -> Result<(), PolicyError> {
        let failed = |error: ort::Error| run_error("encoder", &error);
        match &mut self.values {
            Values::Float32(own) => {
                let (_, numbers) = output.try_extract_tensor::<f32>().map_err(failed)?;
                // A number that is none would spoil every particle, so it is refused where it arises.
                if let Some(index) = numbers.iter().position(|number| !number.is_finite()) {
                    return Err(PolicyError::NotFinite {
                        condition: self.name.clone(),
                        index,
                        count: numbers.len(),
                    });
                }
                tensor_mut(own).copy_from_slice(numbers);
            }
            Values::Int64(own) => {
                tensor_mut(own).copy_from_slice(output.try_extract_tensor().map_err(failed)?.1);
            }
            Values::Int32(own) => {
                tensor_mut(own).copy_from_slice(output.try_extract_tensor().map_err(failed)?.1);
            }
            Values::Bool(own) => {
                tensor_mut(own).copy_from_slice(output.try_extract_tensor().map_err(failed)?.1);
            }
        }
        Ok(())
    }

    /// Hands it to the denoiser: copies to the device; on the CPU nothing is copied.
    pub(crate) fn bind(&self, binding: &mut IoBinding) -> Result<(), PolicyError> {
        let name = self.name.as_str();
        match &self.values {
            Values::Float32(tensor) => binding.bind_input(name, tensor),
            Values::Int64(tensor) => binding.bind_input(name, tensor),
            Values::Int32(tensor) => binding.bind_input(name, tensor),
            Values::Bool(tensor) => binding.bind_input(name, tensor),
        }
        .map_err(|error| run_error("denoiser", &error))
    }
}
