//! Tensors whose elements are nodes of the scalar graph, with PyTorch's view semantics.

use std::cell::RefCell;
use std::rc::Rc;

use crate::graph::NodeId;

/// Element types, in the order of promotion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DType {
    Bool,
    Int,
    Float,
}

impl DType {
    pub(crate) fn name(self) -> &'static str {
        match self {
            DType::Bool => "bool",
            DType::Int => "int64",
            DType::Float => "float",
        }
    }
}

/// A strided view of shared storage; writing through one view shows in all others.
#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    pub(crate) shape: Vec<usize>,
    pub(crate) dtype: DType,
    storage: Rc<RefCell<Vec<NodeId>>>,
    /// Where each element lies in the storage, row-major.
    index: Rc<Vec<u32>>,
}

impl Tensor {
    /// Fresh storage. `nodes` is row-major and as long as `shape` says.
    pub(crate) fn new(shape: Vec<usize>, nodes: Vec<NodeId>, dtype: DType) -> Self {
        debug_assert_eq!(count(&shape), nodes.len());
        let index = Rc::new((0..nodes.len() as u32).collect());
        Self {
            shape,
            dtype,
            storage: Rc::new(RefCell::new(nodes)),
            index,
        }
    }

    pub(crate) fn scalar(node: NodeId, dtype: DType) -> Self {
        Self::new(Vec::new(), vec![node], dtype)
    }

    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    pub(crate) fn rank(&self) -> usize {
        self.shape.len()
    }

    /// The elements, row-major.
    pub(crate) fn nodes(&self) -> Vec<NodeId> {
        let storage = self.storage.borrow();
        self.index.iter().map(|&i| storage[i as usize]).collect()
    }

    /// A view: element `i` of the result is element `positions[i]` of this tensor.
    pub(crate) fn view(&self, shape: Vec<usize>, positions: &[usize]) -> Self {
        debug_assert_eq!(count(&shape), positions.len());
        let index = Rc::new(positions.iter().map(|&p| self.index[p]).collect());
        Self {
            shape,
            dtype: self.dtype,
            storage: Rc::clone(&self.storage),
            index,
        }
    }

    /// The same elements under another shape of the same size.
    pub(crate) fn reshaped(&self, shape: Vec<usize>) -> Self {
        debug_assert_eq!(count(&shape), self.len());
        Self {
            shape,
            ..self.clone()
        }
    }

    /// Overwrites the elements, in this view and in every other view of the storage.
    pub(crate) fn write(&self, nodes: &[NodeId]) {
        let mut storage = self.storage.borrow_mut();
        for (&place, &node) in self.index.iter().zip(nodes) {
            storage[place as usize] = node;
        }
    }

    /// What tells one storage from another.
    pub(crate) fn storage_key(&self) -> usize {
        Rc::as_ptr(&self.storage).addr()
    }

    /// All that the storage holds, beyond this view too.
    pub(crate) fn storage(&self) -> Vec<NodeId> {
        self.storage.borrow().clone()
    }

    /// Puts `nodes` in the place of all that the storage holds.
    pub(crate) fn restore(&self, nodes: &[NodeId]) {
        self.storage.borrow_mut().copy_from_slice(nodes);
    }

    /// Whether both are one view of one storage.
    pub(crate) fn is_same_view(&self, other: &Self) -> bool {
        self.shape == other.shape
            && self.dtype == other.dtype
            && Rc::ptr_eq(&self.storage, &other.storage)
            && (Rc::ptr_eq(&self.index, &other.index) || self.index == other.index)
    }

    /// Whether two elements share one place, as after `expand`.
    pub(crate) fn overlaps_itself(&self) -> bool {
        let mut places: Vec<u32> = self.index.to_vec();
        places.sort_unstable();
        places.windows(2).any(|pair| pair[0] == pair[1])
    }

    /// Whether the elements lie one after another in the storage.
    pub(crate) fn is_contiguous(&self) -> bool {
        self.index
            .windows(2)
            .all(|pair| pair[0].checked_add(1) == Some(pair[1]))
    }

    pub(crate) fn with_dtype(mut self, dtype: DType) -> Self {
        self.dtype = dtype;
        self
    }
}

/// Elements of a shape.
pub(crate) fn count(shape: &[usize]) -> usize {
    shape
        .iter()
        .fold(1_usize, |product, &size| product.saturating_mul(size))
}

/// Elements of a shape whose empty dimensions count as one: what rearranging it can cost, since
/// the other dimensions may outlive the empty ones.
pub(crate) fn extent(shape: &[usize]) -> usize {
    shape.iter().fold(1_usize, |product, &size| {
        product.saturating_mul(size.max(1))
    })
}

/// A shape as PyTorch prints it.
pub(crate) fn show_shape(shape: &[usize]) -> String {
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    match sizes.as_slice() {
        [one] => format!("({one},)"),
        _ => format!("({})", sizes.join(", ")),
    }
}

/// The shape that `a` and `b` broadcast to.
pub(crate) fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let size = |shape: &[usize], dim: usize| match (dim + shape.len()).checked_sub(rank) {
        Some(own) => shape[own],
        None => 1,
    };
    (0..rank)
        .map(|dim| match (size(a, dim), size(b, dim)) {
            (x, y) if x == y => Some(x),
            (1, y) => Some(y),
            (x, 1) => Some(x),
            _ => None,
        })
        .collect()
}

/// Row-major strides of a shape.
pub(crate) fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for dim in (1..shape.len()).rev() {
        strides[dim - 1] = strides[dim] * shape[dim];
    }
    strides
}

/// For every element of `target`, row-major, the position in a tensor of shape `shape` that
/// broadcasts to it.
pub(crate) fn broadcast_positions(shape: &[usize], target: &[usize]) -> Vec<usize> {
    let lead = target.len() - shape.len();
    let own = strides(shape);
    let steps: Vec<usize> = (0..target.len())
        .map(|dim| {
            if dim < lead || shape[dim - lead] == 1 {
                0
            } else {
                own[dim - lead]
            }
        })
        .collect();
    strided_positions(target, &steps, 0)
}

/// Positions `offset + sum(i_d * steps_d)` for all indices of `shape`, row-major.
pub(crate) fn strided_positions(shape: &[usize], steps: &[usize], offset: usize) -> Vec<usize> {
    let total = count(shape);
    let mut positions = Vec::with_capacity(total);
    if total == 0 {
        return positions;
    }
    let mut index = vec![0; shape.len()];
    let mut at = offset;
    loop {
        positions.push(at);
        let mut dim = shape.len();
        loop {
            if dim == 0 {
                return positions;
            }
            dim -= 1;
            index[dim] += 1;
            at += steps[dim];
            if index[dim] < shape[dim] {
                break;
            }
            at -= steps[dim] * shape[dim];
            index[dim] = 0;
        }
    }
}

/// The elements of a tensor grouped for a reduction over `dims`: for every remaining element,
/// row-major, the positions that are reduced, row-major.
pub(crate) fn reduction_groups(shape: &[usize], dims: &[usize]) -> (Vec<usize>, Vec<Vec<usize>>) {
    let own = strides(shape);
    let pick = |reduced: bool| -> (Vec<usize>, Vec<usize>) {
        (0..shape.len())
            .filter(|dim| dims.contains(dim) == reduced)
            .map(|dim| (shape[dim], own[dim]))
            .unzip()
    };
    let (kept_shape, kept_steps) = pick(false);
    let (reduced_shape, reduced_steps) = pick(true);
    let groups = strided_positions(&kept_shape, &kept_steps, 0)
        .into_iter()
        .map(|start| strided_positions(&reduced_shape, &reduced_steps, start))
        .collect();
    (kept_shape, groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broadcasting_follows_numpy() {
        assert_eq!(broadcast(&[1, 15, 3], &[3]), Some(vec![1, 15, 3]));
        assert_eq!(broadcast(&[4, 1], &[1, 5]), Some(vec![4, 5]));
        assert_eq!(broadcast(&[2, 3], &[3, 2]), None);
        assert_eq!(broadcast_positions(&[2, 1], &[2, 3]), [0, 0, 0, 1, 1, 1]);
    }

    #[test]
    fn views_share_storage() {
        let tensor = Tensor::new(vec![2, 2], vec![10, 11, 12, 13], DType::Float);
        let column = tensor.view(vec![2], &[1, 3]);
        column.write(&[20, 21]);
        assert_eq!(tensor.nodes(), [10, 20, 12, 21]);
    }

    #[test]
    fn reductions_group_elements() {
        let (shape, groups) = reduction_groups(&[2, 3], &[1]);
        assert_eq!(shape, [2]);
        assert_eq!(groups, [vec![0, 1, 2], vec![3, 4, 5]]);
        let (shape, groups) = reduction_groups(&[2, 3], &[0, 1]);
        assert!(shape.is_empty());
        assert_eq!(groups, [vec![0, 1, 2, 3, 4, 5]]);
    }
}
