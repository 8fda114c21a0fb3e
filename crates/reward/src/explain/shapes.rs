//! Shapes: what their dimensions mean and how operands are brought into line.

use super::Text;
use super::names::bindings;
use crate::diagnostic::{Draft, Kind, Span};
use crate::syntax::Expr;
use crate::tensor::{broadcast, show_shape};

pub(super) fn explain(draft: &mut Draft, text: &Text<'_>) {
    if draft.details.shapes.is_empty() {
        return;
    }
    // The one shape of a result is that of the whole expression.
    let operands = match (draft.kind, draft.details.shapes.len()) {
        (Kind::Result, 1) => Vec::new(),
        _ => operands(draft, text),
    };
    let parts: Vec<String> = draft
        .details
        .shapes
        .iter()
        .enumerate()
        .map(|(position, shape)| {
            let shape = described(shape, text);
            match operands.get(position) {
                Some(&span) => format!("{} of shape {shape}", text.quoted(span)),
                None => format!("a tensor of shape {shape}"),
            }
        })
        .collect();
    draft.found = Some(parts.join(" and "));
    if draft.kind == Kind::Shape && draft.help.is_none() {
        let name = |position: usize| match operands.get(position) {
            Some(span) => plain(span.text(text.python)),
            None => "x",
        };
        let shapes = &draft.details.shapes;
        let pairs = (0..shapes.len()).flat_map(|i| (0..i).map(move |j| (j, i)));
        let unfit = pairs
            .into_iter()
            .find(|&(i, j)| broadcast(&shapes[i], &shapes[j]).is_none());
        draft.help =
            unfit.and_then(|(i, j)| mismatch(&shapes[i], &shapes[j], [name(i), name(j)], text));
    }
    for (span, shape) in operands.iter().zip(&draft.details.shapes) {
        let name = span.text(text.python);
        if !is_name(name) {
            continue;
        }
        let function = text.function(*span);
        let made = bindings(name, text).into_iter().rfind(|binding| {
            let is_same = match (binding.function, function) {
                (Some(a), Some(b)) => std::ptr::eq(a, b),
                _ => false,
            };
            is_same && binding.span.end < span.start
        });
        if let Some(made) = made {
            let shape = described(shape, text);
            let note = (made.span, format!("`{name}` gets its shape {shape} here"));
            if !draft.details.notes.contains(&note) {
                draft.details.notes.push(note);
            }
        }
    }
}

/// The sources of the operands whose shapes were found: both sides of an operator, or a call's
/// receiver and arguments.
fn operands(draft: &Draft, text: &Text<'_>) -> Vec<Span> {
    let spans = match text.expression(draft.span) {
        Some(Expr::BinOp(binary)) => vec![Span::of(&*binary.left), Span::of(&*binary.right)],
        Some(Expr::Compare(compare)) if compare.comparators.len() == 1 => {
            vec![Span::of(&*compare.left), Span::of(&compare.comparators[0])]
        }
        Some(Expr::Call(call)) => {
            let arguments: Vec<Span> = match &*call.arguments.args {
                [Expr::List(list)] => list.elts.iter().map(Span::of).collect(),
                [Expr::Tuple(tuple)] => tuple.elts.iter().map(Span::of).collect(),
                args => args.iter().map(Span::of).collect(),
            };
            let receiver = match &*call.func {
                Expr::Attribute(attribute) if arguments.len() < draft.details.shapes.len() => {
                    Some(Span::of(&*attribute.value))
                }
                _ => None,
            };
            receiver.into_iter().chain(arguments).collect()
        }
        _ => Vec::new(),
    };
    if spans.len() >= draft.details.shapes.len() {
        spans
    } else {
        Vec::new()
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// A short operand as it is, a long one as `x`.
fn plain(text: &str) -> &str {
    if is_name(text) { text } else { "x" }
}

/// `(1, 15, 3) = (batch, points, xyz)`.
fn described(shape: &[usize], text: &Text<'_>) -> String {
    let shown = show_shape(shape);
    match meaning(shape, text) {
        Some(names) => format!("{shown} = ({})", names.join(", ")),
        None => shown,
    }
}

/// What each dimension counts, if all can be told.
fn meaning(shape: &[usize], text: &Text<'_>) -> Option<Vec<&'static str>> {
    if shape.is_empty() {
        return None;
    }
    let names = shape.iter().enumerate().map(|(dim, &size)| {
        let is_last = dim + 1 == shape.len();
        if dim == 0 && size == 1 && !is_last {
            Some("batch")
        } else if is_last && size == 3 {
            Some("xyz")
        } else if size == text.points {
            Some("points")
        } else if size + 1 == text.points {
            Some("steps")
        } else if size == text.keypoints {
            Some("keypoints")
        } else {
            None
        }
    });
    names.collect()
}

/// How two operands that do not broadcast are brought into line.
fn mismatch(a: &[usize], b: &[usize], names: [&str; 2], text: &Text<'_>) -> Option<String> {
    let ([name_a, name_b], points) = (names, text.points);
    // Differences of neighbours are one fewer than the points.
    if a.len() == b.len()
        && let Some(dim) = (0..a.len()).find(|&dim| a[dim] != b[dim])
        && (a[dim].abs_diff(b[dim]), a[dim].max(b[dim])) == (1, points)
    {
        let long = if a[dim] > b[dim] { name_a } else { name_b };
        let index = format!("{}1:", ":, ".repeat(dim));
        return Some(format!(
            "{points} points have {} steps between them: drop the first point, `{long}[{index}]`",
            points - 1
        ));
    }
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    let (name_long, name_short) = if a.len() >= b.len() {
        (name_a, name_b)
    } else {
        (name_b, name_a)
    };
    if let (&[rows, 3], &[_, time, 3]) = (short, long)
        && rows != time
    {
        return Some(format!(
            "take one point, `{name_short}[0]`, or compare with all of them: `{name_long}[:, :, None] - {name_short}`"
        ));
    }
    if long.len() == short.len() + 1 && long.starts_with(short) {
        return Some(format!(
            "give `{name_short}` a last dimension of size 1: `{name_short}[..., None]`"
        ));
    }
    if let &[size] = short {
        if long.last() == Some(&points) {
            return Some(format!(
                "make one number for each of the {points} points: `torch.linspace(0, 1, action_sequence.shape[1])`"
            ));
        }
        if long.last() == Some(&3) && size == points {
            return Some(format!(
                "give `{name_short}` a last dimension: `{name_short}[:, None]`"
            ));
        }
    }
    if long.last() != short.last() && (long.last() == Some(&3) || short.last() == Some(&3)) {
        return Some("a position has three numbers, x, y and z".to_owned());
    }
    None
}
