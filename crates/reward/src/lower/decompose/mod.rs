//! Decompositions of small matrices.
//!
//! Values come from a fixed number of steps on nodes that carry no gradient (cyclic Jacobi
//! rotations, Householder reflections). Where a matrix depends on the trajectory, the first-order
//! change of every result is added as a form whose value is zero: the derivative is then the exact
//! one of the decomposition, whatever steps led to it, and costs a few products.

mod eigen;
mod householder;
mod jacobi;
mod least_squares;
mod matrix;
mod singular;

use std::rc::Rc;

use super::arguments::Bound;
use super::value::{Named, Value};
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind};
use crate::tensor::{DType, Tensor, show_shape};
pub(super) use eigen::{eig, eigh, eigvals, eigvalsh};
pub(super) use householder::{numpy_qr, qr};
pub(super) use least_squares::{cholesky, cond, lstsq, matrix_rank, numpy_lstsq, pinv};
use matrix::Matrix;
pub(super) use singular::{old_svd, svd, svdvals};

/// Rows and columns of the largest matrix that is decomposed: the smaller number and the larger.
const MAX_SIZES: (usize, usize) = (6, 64);

/// The matrices of a batch, and the sizes of the batch.
struct Batch {
    matrices: Vec<Matrix>,
    sizes: Vec<usize>,
}

impl Lower<'_> {
    /// The matrices in the last two dimensions of argument `position`.
    fn batch(&mut self, b: &Bound, position: usize) -> Lowered<Batch> {
        let x = b.tensor(self, position)?;
        let found = format!("shape {}", show_shape(&x.shape));
        let &[ref sizes @ .., rows, columns] = x.shape.as_slice() else {
            return Err(self.fail(
                Draft::new(Kind::Shape, b.span, format!("`{}` needs a matrix", b.name))
                    .expected("(..., rows, columns)")
                    .found(found),
            ));
        };
        if rows == 0 || columns == 0 {
            return Err(self.fail(
                Draft::new(Kind::Shape, b.span, "an empty matrix cannot be decomposed")
                    .found(found),
            ));
        }
        if rows.min(columns) > MAX_SIZES.0 || rows.max(columns) > MAX_SIZES.1 {
            return Err(self.fail(
                Draft::new(
                    Kind::Unsupported,
                    b.span,
                    "this matrix is too large to be decomposed",
                )
                .expected(format!(
                    "at most {0} x {0}, or {1} rows of {0}",
                    MAX_SIZES.0, MAX_SIZES.1
                ))
                .found(found)
                .help("where it means the same, decompose the 3 x 3 matrix `A.T @ A`"),
            ));
        }
        self.charge(x.len())?;
        let matrices = x
            .nodes()
            .chunks_exact(rows * columns)
            .map(|nodes| Matrix::new(rows, columns, nodes.to_vec()))
            .collect();
        Ok(Batch {
            matrices,
            sizes: sizes.to_vec(),
        })
    }

    /// The same of square matrices.
    fn square_batch(&mut self, b: &Bound, position: usize) -> Lowered<Batch> {
        let x = b.tensor(self, position)?;
        self.square_size(&x, b)?;
        self.batch(b, position)
    }
}

/// Matrices of one size as a tensor.
fn gathered(sizes: &[usize], parts: &[Matrix], (rows, columns): (usize, usize)) -> Value {
    let nodes = parts
        .iter()
        .flat_map(|part| part.nodes().to_vec())
        .collect();
    let shape = [sizes, &[rows, columns]].concat();
    Value::Tensor(Tensor::new(shape, nodes, DType::Float))
}

/// Rows of numbers of one length as a tensor.
fn gathered_rows(sizes: &[usize], parts: &[Vec<u32>], length: usize) -> Value {
    let shape = [sizes, &[length]].concat();
    Value::Tensor(Tensor::new(shape, parts.concat(), DType::Float))
}

/// What a function returns whose results have names.
fn named(name: &'static str, fields: &'static [&'static str], items: Vec<Value>) -> Value {
    Value::Named(Rc::new(Named::new(name, fields, items)))
}
