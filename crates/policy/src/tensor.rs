//! Tensors that are allocated once and reused.

use ort::memory::Allocator;
use ort::value::Tensor;

use crate::error::PolicyError;
use crate::graph::Dimension;

pub(crate) fn batch_of_one(shape: &[usize]) -> Vec<Dimension> {
    [1].iter()
        .chain(shape)
        .map(|size| Dimension::Fixed(*size))
        .collect()
}

pub(crate) fn zeros(
    allocator: &Allocator,
    shape: &[usize],
    graph: &'static str,
) -> Result<Tensor<f32>, PolicyError> {
    let mut tensor =
        Tensor::<f32>::new(allocator, shape).map_err(|error| run_error(graph, &error))?;
    // The allocator hands out memory as it is.
    tensor_mut(&mut tensor).fill(0.0);
    Ok(tensor)
}

pub(crate) fn tensor_mut(tensor: &mut Tensor<f32>) -> &mut [f32] {
    tensor.extract_tensor_mut().1
}

pub(crate) fn run_error(graph: &'static str, error: &ort::Error) -> PolicyError {
    PolicyError::Run {
        graph,
        reason: error.to_string(),
    }
}
