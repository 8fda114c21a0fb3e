//! Tensors that are allocated once and reused.

use std::fmt::Debug;

use ort::memory::Allocator;
use ort::value::PrimitiveTensorElementType;
use ort::value::Tensor;

use crate::error::PolicyError;
use crate::graph::Dimension;

pub(crate) fn batch_of_one(shape: &[usize]) -> Vec<Dimension> {
    [1].iter()
        .chain(shape)
        .map(|size| Dimension::Fixed(*size))
        .collect()
}

pub(crate) fn zeros<T: PrimitiveTensorElementType + Clone + Debug + Default>(
    allocator: &Allocator,
    shape: &[usize],
    graph: &'static str,
) -> Result<Tensor<T>, PolicyError> {
    let mut tensor =
        Tensor::<T>::new(allocator, shape).map_err(|error| run_error(graph, &error))?;
    // The allocator hands out memory as it is.
    tensor_mut(&mut tensor).fill(T::default());
    Ok(tensor)
}

pub(crate) fn tensor_mut<T: PrimitiveTensorElementType + Debug>(
    tensor: &mut Tensor<T>,
) -> &mut [T] {
    tensor.extract_tensor_mut().1
}

pub(crate) fn run_error(graph: &'static str, error: &ort::Error) -> PolicyError {
    PolicyError::Run {
        graph,
        reason: error.to_string(),
    }
}
