//! Small matrices of nodes and their arithmetic.

use crate::graph::NodeId;
use crate::lower::{Lower, Lowered};
use crate::op::Op;

/// A matrix of nodes, row-major.
#[derive(Clone, Debug)]
pub(super) struct Matrix {
    pub(super) rows: usize,
    pub(super) columns: usize,
    nodes: Vec<NodeId>,
}

impl Matrix {
    pub(super) fn new(rows: usize, columns: usize, nodes: Vec<NodeId>) -> Self {
        debug_assert_eq!(nodes.len(), rows * columns);
        Self {
            rows,
            columns,
            nodes,
        }
    }

    /// The matrix of these columns.
    pub(super) fn from_columns(columns: &[Vec<NodeId>]) -> Self {
        let rows = columns.first().map_or(0, Vec::len);
        let nodes = (0..rows)
            .flat_map(|row| columns.iter().map(move |column| column[row]))
            .collect();
        Self::new(rows, columns.len(), nodes)
    }

    pub(super) fn nodes(&self) -> &[NodeId] {
        &self.nodes
    }

    pub(super) fn at(&self, row: usize, column: usize) -> NodeId {
        self.nodes[row * self.columns + column]
    }

    pub(super) fn set(&mut self, row: usize, column: usize, node: NodeId) {
        self.nodes[row * self.columns + column] = node;
    }

    pub(super) fn row(&self, row: usize) -> Vec<NodeId> {
        self.nodes[row * self.columns..(row + 1) * self.columns].to_vec()
    }

    pub(super) fn column(&self, column: usize) -> Vec<NodeId> {
        (0..self.rows).map(|row| self.at(row, column)).collect()
    }

    pub(super) fn diagonal(&self) -> Vec<NodeId> {
        let length = self.rows.min(self.columns);
        (0..length).map(|i| self.at(i, i)).collect()
    }

    pub(super) fn transposed(&self) -> Self {
        let columns: Vec<Vec<NodeId>> = (0..self.rows).map(|row| self.row(row)).collect();
        Self::from_columns(&columns)
    }

    /// The first rows.
    pub(super) fn top(&self, rows: usize) -> Self {
        Self::new(
            rows,
            self.columns,
            self.nodes[..rows * self.columns].to_vec(),
        )
    }

    /// The first columns.
    pub(super) fn left(&self, columns: usize) -> Self {
        let parts: Vec<Vec<NodeId>> = (0..columns).map(|column| self.column(column)).collect();
        Self::from_columns(&parts)
    }
}

impl Lower<'_> {
    pub(super) fn add(&mut self, a: NodeId, b: NodeId) -> Lowered<NodeId> {
        self.node(Op::Add, &[a, b])
    }

    pub(super) fn sub(&mut self, a: NodeId, b: NodeId) -> Lowered<NodeId> {
        self.node(Op::Sub, &[a, b])
    }

    fn is_zero(&self, node: NodeId) -> bool {
        self.graph.constant_value(node) == Some(0.0)
    }

    /// A product; zeros of the structure, such as below a triangle, take no operation.
    pub(super) fn mul(&mut self, a: NodeId, b: NodeId) -> Lowered<NodeId> {
        if self.is_zero(a) || self.is_zero(b) {
            return self.constant(0.0);
        }
        self.node(Op::Mul, &[a, b])
    }

    pub(super) fn dot(&mut self, a: &[NodeId], b: &[NodeId]) -> Lowered<NodeId> {
        self.charge(a.len())?;
        let mut terms = Vec::with_capacity(a.len());
        for (&a, &b) in a.iter().zip(b) {
            if !self.is_zero(a) && !self.is_zero(b) {
                terms.push(self.node(Op::Mul, &[a, b])?);
            }
        }
        self.sum_nodes(&terms)
    }

    pub(super) fn product(&mut self, a: &Matrix, b: &Matrix) -> Lowered<Matrix> {
        debug_assert_eq!(a.columns, b.rows);
        let columns: Vec<Vec<NodeId>> = (0..b.columns).map(|column| b.column(column)).collect();
        let mut nodes = Vec::with_capacity(a.rows * b.columns);
        for row in 0..a.rows {
            let row = a.row(row);
            for column in &columns {
                nodes.push(self.dot(&row, column)?);
            }
        }
        Ok(Matrix::new(a.rows, b.columns, nodes))
    }

    pub(super) fn unit_matrix(&mut self, size: usize) -> Lowered<Matrix> {
        let unit = self.identity(size)?;
        Ok(Matrix::new(size, size, unit.nodes()))
    }

    /// Every column times its factor.
    pub(super) fn scaled_columns(&mut self, a: &Matrix, factors: &[NodeId]) -> Lowered<Matrix> {
        let mut result = a.clone();
        for row in 0..a.rows {
            for (column, &factor) in factors.iter().enumerate() {
                let node = self.mul(a.at(row, column), factor)?;
                result.set(row, column, node);
            }
        }
        Ok(result)
    }

    /// `1 / x`, and 0 where `x` is at most `least` away from 0.
    pub(super) fn reciprocal_beyond(&mut self, x: NodeId, least: NodeId) -> Lowered<NodeId> {
        let (zero, one) = (self.constant(0.0)?, self.constant(1.0)?);
        let size = self.node(Op::Abs, &[x])?;
        let is_small = self.node(Op::LessEqual, &[size, least])?;
        let safe = self.node(Op::Where, &[is_small, one, x])?;
        let inverse = self.node(Op::Div, &[one, safe])?;
        self.node(Op::Where, &[is_small, zero, inverse])
    }

    /// Whether a gradient can flow through any element.
    pub(super) fn is_sloped(&self, a: &Matrix) -> bool {
        a.nodes
            .iter()
            .any(|&node| self.graph.node(node).differentiable)
    }

    /// The same values without gradient.
    pub(super) fn held(&mut self, a: &Matrix) -> Lowered<Matrix> {
        let mut result = a.clone();
        for node in &mut result.nodes {
            if self.graph.node(*node).differentiable {
                *node = self.node(Op::Detach, &[*node])?;
            }
        }
        Ok(result)
    }

    /// `value` with the gradient of `form`.
    pub(super) fn with_slope(&mut self, value: NodeId, form: NodeId) -> Lowered<NodeId> {
        if !self.graph.node(form).differentiable {
            return Ok(value);
        }
        let held = self.node(Op::Detach, &[form])?;
        let change = self.sub(form, held)?;
        self.add(value, change)
    }

    /// Every value with the gradient of its form.
    pub(super) fn with_slopes(&mut self, values: &Matrix, forms: &Matrix) -> Lowered<Matrix> {
        let mut result = values.clone();
        for (node, &form) in result.nodes.iter_mut().zip(&forms.nodes) {
            *node = self.with_slope(*node, form)?;
        }
        Ok(result)
    }
}
