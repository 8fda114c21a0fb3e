//! Tensors whose elements are nodes of the scalar graph, with PyTorch's and NumPy's views.

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

/// Whose value a tensor is, in the order in which operands decide about a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Form {
    /// A number of Python's, or a list of them.
    Number,
    /// A number of NumPy's: it has no dimensions and never changes.
    Scalar,
    /// A NumPy array.
    Array,
    /// A torch tensor.
    Tensor,
}

impl Form {
    /// Of what is computed from operands of these forms.
    pub(crate) fn of_result(forms: impl IntoIterator<Item = Form>, rank: usize) -> Self {
        match forms.into_iter().max().unwrap_or(Form::Tensor) {
            Form::Array if rank == 0 => Form::Scalar,
            Form::Scalar if rank > 0 => Form::Array,
            form => form,
        }
    }

    /// Whether NumPy gives its methods their meaning.
    pub(crate) fn is_numpy(self) -> bool {
        matches!(self, Form::Scalar | Form::Array)
    }
}

/// The elements that tensors share.
#[derive(Debug)]
struct Storage {
    nodes: Vec<NodeId>,
    /// The same elements as aliases read them whose gradient goes another way, as after
    /// `.detach()`. Elements that an alias does not reach are [`ABSENT`].
    aliases: Vec<Vec<NodeId>>,
}

/// An element that an alias does not reach.
pub(crate) const ABSENT: NodeId = NodeId::MAX;

/// A strided view of shared storage; writing through one view shows in all others.
#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    pub(crate) shape: Vec<usize>,
    pub(crate) dtype: DType,
    pub(crate) form: Form,
    /// Whether NumPy forbids writing, as to what `np.broadcast_to` gives.
    pub(crate) is_read_only: bool,
    /// 0 for the storage's own nodes, else one more than the alias.
    channel: usize,
    storage: Rc<RefCell<Storage>>,
    /// Where each element lies in the storage, row-major.
    index: Rc<Vec<u32>>,
}

impl Tensor {
    /// Fresh storage. `nodes` is row-major and as long as `shape` says.
    pub(crate) fn new(shape: Vec<usize>, nodes: Vec<NodeId>, dtype: DType) -> Self {
        debug_assert_eq!(count(&shape), nodes.len());
        let index = Rc::new((0..nodes.len() as u32).collect());
        let aliases = Vec::new();
        Self {
            shape,
            dtype,
            form: Form::Tensor,
            is_read_only: false,
            channel: 0,
            storage: Rc::new(RefCell::new(Storage { nodes, aliases })),
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
        self.nodes_of(self.channel)
    }

    fn nodes_of(&self, channel: usize) -> Vec<NodeId> {
        let storage = self.storage.borrow();
        let nodes = match channel.checked_sub(1) {
            Some(alias) => &storage.aliases[alias],
            None => &storage.nodes,
        };
        self.index.iter().map(|&i| nodes[i as usize]).collect()
    }

    /// A view: element `i` of the result is element `positions[i]` of this tensor.
    pub(crate) fn view(&self, shape: Vec<usize>, positions: &[usize]) -> Self {
        debug_assert_eq!(count(&shape), positions.len());
        let index = Rc::new(positions.iter().map(|&p| self.index[p]).collect());
        Self {
            shape,
            index,
            ..self.clone()
        }
    }

    /// The same elements under another shape of the same size, however they lie.
    pub(crate) fn reshaped(&self, shape: Vec<usize>) -> Self {
        debug_assert_eq!(count(&shape), self.len());
        Self {
            shape,
            ..self.clone()
        }
    }

    /// The same elements under another shape, if strides can tell where they lie.
    pub(crate) fn viewed(&self, shape: Vec<usize>) -> Option<Self> {
        let viewed = self.reshaped(shape);
        (self.is_contiguous() || viewed.is_strided()).then_some(viewed)
    }

    /// Fresh storage with the same elements in order.
    pub(crate) fn copied(&self) -> Self {
        Self::new(self.shape.clone(), self.nodes(), self.dtype).with_form(self.form)
    }

    /// The same memory, read as `nodes` from now on: a tensor with a gradient of its own.
    pub(crate) fn aliased(&self, nodes: &[NodeId]) -> Self {
        let mut storage = self.storage.borrow_mut();
        let mut alias = vec![ABSENT; storage.nodes.len()];
        for (&place, &node) in self.index.iter().zip(nodes) {
            alias[place as usize] = node;
        }
        storage.aliases.push(alias);
        Self {
            channel: storage.aliases.len(),
            ..self.clone()
        }
    }

    /// Elements of the storage.
    pub(crate) fn storage_len(&self) -> usize {
        self.storage.borrow().nodes.len()
    }

    /// The same elements as every other alias reads them.
    pub(crate) fn others(&self) -> Vec<(Self, Vec<NodeId>)> {
        let channels = self.storage.borrow().aliases.len() + 1;
        (0..channels)
            .filter(|&channel| channel != self.channel)
            .map(|channel| {
                let nodes = self.nodes_of(channel);
                let other = Self {
                    channel,
                    ..self.clone()
                };
                (other, nodes)
            })
            .collect()
    }

    /// Overwrites the elements, in this view and in every other view of the storage; aliases
    /// keep what they have.
    pub(crate) fn write(&self, nodes: &[NodeId]) {
        let mut storage = self.storage.borrow_mut();
        let storage = &mut *storage;
        let own = match self.channel.checked_sub(1) {
            Some(alias) => &mut storage.aliases[alias],
            None => &mut storage.nodes,
        };
        for (&place, &node) in self.index.iter().zip(nodes) {
            own[place as usize] = node;
        }
    }

    /// What tells one storage from another.
    pub(crate) fn storage_key(&self) -> usize {
        Rc::as_ptr(&self.storage).addr()
    }

    /// All that the storage holds, beyond this view too.
    pub(crate) fn storage(&self) -> Vec<NodeId> {
        let storage = self.storage.borrow();
        let aliases = storage.aliases.iter().flatten();
        storage.nodes.iter().chain(aliases).copied().collect()
    }

    /// Puts `nodes` in the place of all that the storage held when it gave them: aliases that are
    /// newer keep what they have, for nothing of that time reaches them.
    pub(crate) fn restore(&self, nodes: &[NodeId]) {
        let storage = &mut *self.storage.borrow_mut();
        let own = std::iter::once(&mut storage.nodes).chain(&mut storage.aliases);
        let mut rest = nodes;
        for place in own {
            let Some((first, others)) = rest.split_at_checked(place.len()) else {
                return;
            };
            place.copy_from_slice(first);
            rest = others;
        }
    }

    /// Whether both are one view of one storage.
    pub(crate) fn is_same_view(&self, other: &Self) -> bool {
        self.shape == other.shape
            && self.dtype == other.dtype
            && self.form == other.form
            && self.channel == other.channel
            && Rc::ptr_eq(&self.storage, &other.storage)
            && (Rc::ptr_eq(&self.index, &other.index) || self.index == other.index)
    }

    /// Whether two elements share one place, as after `expand`.
    pub(crate) fn overlaps_itself(&self) -> bool {
        if self.index.windows(2).all(|pair| pair[0] < pair[1]) {
            return false;
        }
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

    /// How far apart neighbours along each dimension lie; 0 where there are none.
    fn steps(&self) -> Vec<i64> {
        let own = strides(&self.shape);
        let at = |place: usize| i64::from(self.index[place]);
        (0..self.rank())
            .map(|dim| match self.shape[dim] > 1 && !self.index.is_empty() {
                true => at(own[dim]) - at(0),
                false => 0,
            })
            .collect()
    }

    /// Whether every element lies where the steps of its dimensions lead.
    fn is_strided(&self) -> bool {
        let steps = self.steps();
        let mut index = vec![0; self.rank()];
        let Some(&first) = self.index.first() else {
            return true;
        };
        let mut at = i64::from(first);
        for &place in self.index.iter() {
            if i64::from(place) != at {
                return false;
            }
            for dim in (0..self.rank()).rev() {
                index[dim] += 1;
                at += steps[dim];
                if index[dim] < self.shape[dim] {
                    break;
                }
                at -= steps[dim] * self.shape[dim] as i64;
                index[dim] = 0;
            }
        }
        true
    }

    /// Fresh elements laid out in memory as both libraries lay out what they compute from
    /// `operands`, element by element: a transposed operand gives a transposed result.
    pub(crate) fn laid_out_as(self, operands: &[&Tensor]) -> Self {
        if operands.iter().all(|operand| operand.is_contiguous()) {
            return self;
        }
        let order = memory_order(&self.shape, operands);
        if order.is_sorted() {
            return self;
        }
        let inner: Vec<usize> = order.iter().map(|&dim| self.shape[dim]).collect();
        let inner = strides(&inner);
        let mut steps = vec![0; self.rank()];
        for (&dim, step) in order.iter().zip(inner) {
            steps[dim] = step;
        }
        let places = strided_positions(&self.shape, &steps, 0);
        let mut laid_out = self.clone();
        laid_out.index = Rc::new(places.iter().map(|&place| place as u32).collect());
        laid_out.write(&self.nodes());
        laid_out
    }

    pub(crate) fn with_dtype(mut self, dtype: DType) -> Self {
        self.dtype = dtype;
        self
    }

    pub(crate) fn with_form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }
}

/// The dimensions of a result from the widest to the narrowest step in memory. Operands of
/// PyTorch decide one after the other; among NumPy's the usual order wins where they disagree.
fn memory_order(shape: &[usize], operands: &[&Tensor]) -> Vec<usize> {
    let rank = shape.len();
    let steps: Vec<Vec<i64>> = operands
        .iter()
        .map(|operand| {
            let lead = rank - operand.rank();
            let mut steps = vec![0; lead];
            steps.extend(operand.steps().iter().map(|step| step.abs()));
            steps
        })
        .collect();
    let is_numpy = operands.iter().all(|operand| operand.form != Form::Tensor);
    // Whether the step along `a` is the narrower one: `None` where no operand tells.
    let narrower = |a: usize, b: usize| {
        let mut told = steps.iter().filter(|s| s[a] != 0 && s[b] != 0);
        if is_numpy {
            let told: Vec<bool> = told.map(|s| s[a] < s[b]).collect();
            return (!told.is_empty()).then(|| told.iter().all(|&is_narrower| is_narrower));
        }
        told.find(|s| s[a] != s[b] || shape[b] > shape[a])
            .map(|s| s[a] <= s[b])
    };
    let mut order: Vec<usize> = Vec::with_capacity(rank);
    // An insertion from the last dimension on, as both libraries do it.
    for dim in (0..rank).rev() {
        let mut at = 0;
        for (place, &other) in order.iter().enumerate() {
            match narrower(dim, other) {
                Some(true) => at = place + 1,
                Some(false) => break,
                None => {}
            }
        }
        order.insert(at, dim);
    }
    order
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

    #[test]
    fn a_transposed_matrix_is_no_line_but_a_slice_of_rows_is() {
        let matrix = Tensor::new(vec![3, 4], (0..12).collect(), DType::Float);
        let turned = matrix.view(vec![4, 3], &strided_positions(&[4, 3], &[1, 4], 0));
        assert!(turned.viewed(vec![12]).is_none());
        assert!(turned.viewed(vec![2, 2, 3]).is_some());
        let rows = matrix.view(vec![2, 4], &(4..12).collect::<Vec<_>>());
        assert!(rows.viewed(vec![8]).is_some());
    }

    #[test]
    fn results_lie_in_memory_as_their_operands_do() {
        let matrix = Tensor::new(vec![3, 4], (0..12).collect(), DType::Float);
        let turned = matrix.view(vec![4, 3], &strided_positions(&[4, 3], &[1, 4], 0));
        let fresh = || Tensor::new(vec![4, 3], (20..32).collect(), DType::Float);
        let other = fresh();
        let result = fresh().laid_out_as(&[&turned, &other]);
        assert_eq!(result.nodes(), fresh().nodes());
        assert!(!result.is_contiguous());
        assert!(fresh().laid_out_as(&[&other, &turned]).is_contiguous());
    }

    #[test]
    fn an_alias_reads_its_own_nodes() {
        let tensor = Tensor::new(vec![2], vec![10, 11], DType::Float);
        let alias = tensor.aliased(&[20, 21]);
        tensor.write(&[12, 13]);
        assert_eq!(alias.nodes(), [20, 21]);
        assert_eq!(alias.others()[0].1, [12, 13]);
    }
}
