//! Einstein sums.

use super::arguments::Bound;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind};
use crate::graph::NodeId;
use crate::op::Op;
use crate::tensor::{DType, Tensor, count, extent, strided_positions, strides};

/// `...` becomes the bytes below this one, counted from the last dimension that it stands for.
const HIDDEN_END: u8 = 32;

/// The letters of a term, with `...` spelled out as `own` dimensions.
fn spelled(text: &str, own: usize) -> Vec<u8> {
    let mut letters = Vec::new();
    for byte in text.replacen("...", ".", 1).bytes() {
        match byte {
            b'.' => letters.extend((1..=own as u8).rev().map(|i| HIDDEN_END - i)),
            letter => letters.push(letter),
        }
    }
    letters
}

/// `einsum(equation, *operands)`: letters and `...`, with or without `->`.
pub(super) fn einsum(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let equation = match b.get(0) {
        Some(Value::Str(text)) => text.replace(' ', ""),
        _ => return Err(bad_equation(lower, b, "the equation must be a string")),
    };
    let mut operands = match b.get(1) {
        Some(Value::Tuple(items)) => items.items.to_vec(),
        _ => Vec::new(),
    };
    if let [Value::List(inner) | Value::Tuple(inner)] = operands.as_slice() {
        operands = inner.items.to_vec();
    }
    let (inputs, output) = match equation.split_once("->") {
        Some((inputs, output)) => (inputs.to_owned(), Some(output.to_owned())),
        None => (equation.clone(), None),
    };
    let parts: Vec<&str> = inputs.split(',').collect();
    let letters = |text: &str| {
        let plain = text.replacen("...", "", 1);
        plain.bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    if parts.len() != operands.len()
        || !parts.iter().all(|part| letters(part))
        || !output.as_deref().is_none_or(letters)
    {
        return Err(bad_equation(
            lower,
            b,
            "the equation does not fit the operands",
        ));
    }
    let mut sizes: Vec<(u8, usize)> = Vec::new();
    let (mut tensors, mut terms) = (Vec::new(), Vec::new());
    let mut hidden = 0;
    for (part, operand) in parts.iter().zip(operands) {
        let tensor = lower.tensor_of(operand, b.span)?;
        let named = part.bytes().filter(|&byte| byte != b'.').count();
        let own = tensor.rank().checked_sub(named);
        let Some(own) = own.filter(|&own| own == 0 || part.contains('.')) else {
            return Err(bad_equation(
                lower,
                b,
                "an operand has another number of dimensions",
            ));
        };
        hidden = hidden.max(own);
        let term = spelled(part, own);
        for (&letter, &size) in term.iter().zip(&tensor.shape) {
            match sizes.iter_mut().find(|(known, _)| *known == letter) {
                Some((_, known)) if *known == 1 => *known = size,
                Some((_, known)) if *known != size && size != 1 => {
                    return Err(bad_equation(lower, b, "a letter stands for two sizes"));
                }
                Some(_) => {}
                None => sizes.push((letter, size)),
            }
        }
        tensors.push(tensor);
        terms.push(term);
    }
    let output = output.map(|text| spelled(&text, hidden));
    // Without an arrow: what `...` stands for, then the letters that occur once, in alphabetical
    // order. The dimensions of `...` sort before the letters.
    let output: Vec<u8> = output.unwrap_or_else(|| {
        let mut once: Vec<u8> = sizes
            .iter()
            .map(|&(letter, _)| letter)
            .filter(|&letter| {
                let times = terms.iter().flatten().filter(|&&other| other == letter);
                letter < HIDDEN_END || times.count() == 1
            })
            .collect();
        once.sort_unstable();
        once
    });
    if (1..output.len()).any(|place| output[..place].contains(&output[place])) {
        let message = "the result names a letter twice";
        return Err(bad_equation(lower, b, message));
    }
    let size_of = |letter: u8| {
        sizes
            .iter()
            .find(|(known, _)| *known == letter)
            .map(|s| s.1)
    };
    let Some(shape) = output
        .iter()
        .map(|&l| size_of(l))
        .collect::<Option<Vec<usize>>>()
    else {
        return Err(bad_equation(
            lower,
            b,
            "the result names a letter that no operand has",
        ));
    };
    let summed: Vec<(u8, usize)> = sizes
        .iter()
        .copied()
        .filter(|(letter, _)| !output.contains(letter))
        .collect();
    let inner: Vec<usize> = summed.iter().map(|&(_, size)| size).collect();
    lower.allow(&shape)?;
    lower.charge(
        extent(&shape)
            .saturating_mul(extent(&inner))
            .saturating_mul(tensors.len()),
    )?;
    // For each operand, how far a step along an output or summed letter moves.
    let steps_for = |term: &[u8], tensor: &Tensor, letter: u8| -> usize {
        let own = strides(&tensor.shape);
        term.iter()
            .zip(own.iter().zip(&tensor.shape))
            .filter(|&(&l, (_, &size))| l == letter && size != 1)
            .map(|(_, (step, _))| step)
            .sum()
    };
    let plans: Vec<(Vec<usize>, Vec<usize>, Vec<NodeId>)> = terms
        .iter()
        .zip(&tensors)
        .map(|(term, tensor)| {
            let outer: Vec<usize> = output
                .iter()
                .map(|&letter| steps_for(term, tensor, letter))
                .collect();
            let inside: Vec<usize> = summed
                .iter()
                .map(|&(letter, _)| steps_for(term, tensor, letter))
                .collect();
            (
                strided_positions(&shape, &outer, 0),
                strided_positions(&inner, &inside, 0),
                tensor.nodes(),
            )
        })
        .collect();
    let mut nodes = Vec::with_capacity(count(&shape));
    for place in 0..count(&shape) {
        let mut products = Vec::with_capacity(count(&inner));
        for term in 0..count(&inner) {
            let mut product: Option<NodeId> = None;
            for (outer, inside, elements) in &plans {
                let element = elements[outer[place] + inside[term]];
                product = Some(match product {
                    Some(so_far) => lower.node(Op::Mul, &[so_far, element])?,
                    None => element,
                });
            }
            products.extend(product);
        }
        nodes.push(lower.sum_nodes(&products)?);
    }
    Ok(Value::Tensor(Tensor::new(shape, nodes, DType::Float)))
}

fn bad_equation(lower: &mut Lower<'_>, b: &Bound, message: &str) -> super::Stop {
    lower.fail(
        Draft::new(Kind::Argument, b.span, message)
            .expected("letters, one group for each operand, as in 'btd,d->bt'")
            .help("one letter for each dimension: `action_sequence` is 'btd', `keypoints` 'kd'"),
    )
}
