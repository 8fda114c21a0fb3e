//! What is written about the dimensions of the trajectory and does not mean what it seems to mean.
//!
//! `action_sequence` is `(1, points, 3)`: the first dimension counts particles. Programs that take it
//! for time compile, since there is one particle.

use std::collections::{BTreeSet, HashSet};

use crate::diagnostic::{Draft, Kind, Span};
use crate::syntax::{
    Expr, ExprCall, ExprSubscript, Stmt, StmtFunctionDef, Visitor, integer, walk_expr, walk_stmt,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// `x[1:]`, `x[:-1]`, `x.diff(dim=0)`: nothing is left of one particle.
    Steps,
    /// `x.shape[0]` as a number of points.
    Count,
    /// `x[-1]` as the last point.
    LastParticle,
    /// `x[:, 0]`: sound, but no action changes it.
    CurrentPoint,
}

/// Something that is probably a slip.
pub(crate) struct Slip {
    what: What,
    span: Span,
    /// The trajectory as the program calls it there.
    path: String,
}

impl Slip {
    /// Whether it leaves nothing of the trajectory.
    pub(super) fn empties(&self) -> bool {
        matches!(self.what, What::Steps | What::Count)
    }

    pub(super) fn is_current_point(&self) -> bool {
        self.what == What::CurrentPoint
    }

    /// Whether it is worth a word where it does no visible harm.
    pub(super) fn is_remarked(&self) -> bool {
        self.what != What::CurrentPoint
    }

    fn message(&self) -> String {
        let path = &self.path;
        match self.what {
            What::Steps => "these steps go along the particles, of which there is one".to_owned(),
            What::Count => "this is the number of particles, 1, and not of points".to_owned(),
            What::LastParticle => {
                format!("`{path}[-1]` is the last particle's whole trajectory, not its last point")
            }
            What::CurrentPoint => "this is where the hand is now, before any action".to_owned(),
        }
    }

    fn help(&self) -> String {
        let path = &self.path;
        match self.what {
            What::Steps => format!(
                "time is the second dimension: `{path}[:, 1:] - {path}[:, :-1]`, or `torch.diff({path}, dim=1)`"
            ),
            What::Count => format!("time is the second dimension: `{path}.shape[1]`"),
            What::LastParticle => {
                format!("the last point is `{path}[:, -1]`, with one row for each particle")
            }
            What::CurrentPoint => {
                format!("use `{path}[:, -1]`, where the actions lead, or all points")
            }
        }
    }

    /// A mistake that this slip has led to.
    pub(super) fn explain(&self, draft: Draft) -> Draft {
        draft.note(self.span, self.message()).help(self.help())
    }

    /// The slip where it does no harm that is seen.
    pub(super) fn remark(&self) -> Draft {
        Draft::new(Kind::BatchAxis, self.span, self.message())
            .expected("(particles, points, xyz), with one particle: (1, points, 3)")
            .help(self.help())
    }
}

/// The slips of a guidance function, in the order of the text.
pub(super) fn find(function: &StmtFunctionDef) -> Vec<Slip> {
    let names = function.parameters.iter_non_variadic_params();
    let mut usual = names
        .map(|parameter| parameter.name().as_str())
        .filter(|name| !["rotations", "gripper", "keypoint_axes"].contains(name));
    let Some(path) = usual.nth(1) else {
        return Vec::new();
    };
    let mut finder = Finder {
        paths: BTreeSet::from([path]),
        counts: HashSet::new(),
        indexed: HashSet::new(),
        slips: Vec::new(),
    };
    let mut indexed = Indexed(HashSet::new());
    indexed.visit_body(&function.body);
    finder.indexed = indexed.0;
    finder.visit_body(&function.body);
    finder.slips.sort_by_key(|slip| slip.span);
    finder.slips
}

/// Names that are indexed somewhere.
struct Indexed<'a>(HashSet<&'a str>);

impl<'a> Visitor<'a> for Indexed<'a> {
    fn visit_expr(&mut self, expression: &'a Expr) {
        if let Expr::Subscript(subscript) = expression
            && let Expr::Name(name) = &*subscript.value
        {
            self.0.insert(name.id.as_str());
        }
        walk_expr(self, expression);
    }
}

struct Finder<'a> {
    /// Names of the whole trajectory, in order.
    paths: BTreeSet<&'a str>,
    /// Names of the number of particles.
    counts: HashSet<&'a str>,
    indexed: HashSet<&'a str>,
    slips: Vec<Slip>,
}

impl<'a> Finder<'a> {
    /// The name under which `expression` is the whole trajectory.
    fn path<'e>(&self, expression: &'e Expr) -> Option<&'e str> {
        match expression {
            Expr::Name(name) => {
                let name = name.id.as_str();
                self.paths.contains(name).then_some(name)
            }
            Expr::Subscript(subscript) => {
                let keeps = match &*subscript.slice {
                    Expr::Tuple(tuple) => match tuple.elts.as_slice() {
                        [Expr::EllipsisLiteral(_), last] => !is_integer(last),
                        [first, second, rest @ ..] => {
                            is_all(first) && is_all(second) && !rest.iter().any(is_integer)
                        }
                        _ => false,
                    },
                    slice => is_all(slice),
                };
                if keeps {
                    self.path(&subscript.value)
                } else {
                    None
                }
            }
            Expr::Call(call) => match &*call.func {
                Expr::Attribute(method)
                    if ["clone", "float", "double", "contiguous", "to"]
                        .contains(&method.attr.as_str()) =>
                {
                    self.path(&method.value)
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// The trajectory whose particles `expression` counts.
    fn counted<'e>(&self, expression: &'e Expr) -> Option<&'e str> {
        match expression {
            Expr::Subscript(subscript) if integer(&subscript.slice) == Some(0) => match &*subscript
                .value
            {
                Expr::Attribute(shape) if shape.attr.as_str() == "shape" => self.path(&shape.value),
                _ => None,
            },
            Expr::Call(call) => match (&*call.func, &*call.arguments.args) {
                (Expr::Attribute(size), [dim])
                    if size.attr.as_str() == "size" && integer(dim) == Some(0) =>
                {
                    self.path(&size.value)
                }
                (Expr::Name(len), [sequence]) if len.id.as_str() == "len" => self.path(sequence),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether `expression` is the number of particles, or one less or more.
    fn is_count(&self, expression: &Expr) -> bool {
        match expression {
            Expr::Name(name) => self.counts.contains(name.id.as_str()),
            Expr::BinOp(binary) => self.is_count(&binary.left) && is_integer(&binary.right),
            other => self.counted(other).is_some(),
        }
    }

    fn add(&mut self, what: What, span: Span, path: &str) {
        let path = path.to_owned();
        self.slips.push(Slip { what, span, path });
    }

    fn any_path(&self) -> String {
        self.paths.first().map_or("x", |path| path).to_owned()
    }

    /// `range`, `linspace` and differences of the number of particles.
    fn call(&mut self, call: &'a ExprCall) {
        let arguments = &*call.arguments.args;
        let name = match &*call.func {
            Expr::Name(name) => name.id.as_str(),
            Expr::Attribute(attribute) => attribute.attr.as_str(),
            _ => return,
        };
        let is_slip = match (name, arguments) {
            ("linspace", [_, _, count, ..]) => self.is_count(count),
            ("range" | "arange", [count]) => {
                matches!(count, Expr::BinOp(_)) && self.is_count(count)
            }
            ("range" | "arange", [first, count, ..]) => {
                integer(first).is_some_and(|first| first > 0) && self.is_count(count)
            }
            _ => false,
        };
        if is_slip {
            let path = self.any_path();
            self.add(What::Count, Span::of(call), &path);
        }
        if name == "diff" {
            let receiver = match (&*call.func, arguments) {
                (_, [first, ..]) if self.path(first).is_some() => Some(first),
                (Expr::Attribute(method), _) => Some(&*method.value),
                _ => None,
            };
            let is_first = call.arguments.keywords.iter().any(|keyword| {
                let name = keyword.arg.as_ref().map(|name| name.as_str());
                matches!(name, Some("dim" | "axis")) && integer(&keyword.value) == Some(0)
            });
            if is_first && let Some(path) = receiver.and_then(|x| self.path(x)) {
                let path = path.to_owned();
                self.add(What::Steps, Span::of(call), &path);
            }
        }
    }

    fn subscript(&mut self, subscript: &'a ExprSubscript) {
        let Some(path) = self.path(&subscript.value).map(str::to_owned) else {
            return;
        };
        let span = Span::of(subscript);
        let (first, rest) = match &*subscript.slice {
            Expr::Tuple(tuple) => match tuple.elts.split_first() {
                Some((first, rest)) => (first, rest),
                None => return,
            },
            slice => (slice, &[][..]),
        };
        if leaves_nothing_of_one(first) {
            self.add(What::Steps, span, &path);
            return;
        }
        let takes_one = integer(first).is_some();
        let second = rest.first();
        // Columns of the last point, if the last particle were one.
        let is_columns = second.is_some_and(
            |second| matches!(second, Expr::Slice(slice) if slice.upper.as_deref().and_then(integer) == Some(3)),
        ) && rest.len() == 1;
        if takes_one && (is_columns || integer(first) == Some(-1) && second.is_none_or(is_all)) {
            self.add(What::LastParticle, span, &path);
            return;
        }
        if (takes_one || is_all(first)) && second.and_then(integer) == Some(0) {
            self.add(What::CurrentPoint, span, &path);
        } else if is_all(first) && second.is_some_and(|second| self.is_count(second)) {
            self.add(What::Count, span, &path);
        }
    }
}

impl<'a> Visitor<'a> for Finder<'a> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::Assign(assign) => {
                self.bind(&assign.targets, &assign.value);
                return;
            }
            Stmt::For(each) => {
                let counts = match &*each.iter {
                    Expr::Call(call) => call.arguments.args.iter().any(|a| self.is_count(a)),
                    _ => false,
                };
                if counts
                    && let Expr::Name(index) = &*each.target
                    && is_time(index.id.as_str())
                {
                    let path = self.any_path();
                    self.add(What::Count, Span::of(&*each.iter), &path);
                    self.visit_body(&each.body);
                    return;
                }
            }
            _ => {}
        }
        walk_stmt(self, statement);
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        match expression {
            Expr::Subscript(outer) => {
                // `x[-1][-1]` is the last point after all, and `x[0][0]` the first one.
                if let Expr::Subscript(inner) = &*outer.value
                    && integer(&inner.slice).is_some()
                    && let Some(path) = self.path(&inner.value).map(str::to_owned)
                {
                    match &*outer.slice {
                        Expr::Slice(slice)
                            if slice.upper.as_deref().and_then(integer) == Some(3) =>
                        {
                            self.add(What::LastParticle, Span::of(outer), &path);
                        }
                        index if integer(index) == Some(0) => {
                            self.add(What::CurrentPoint, Span::of(outer), &path);
                        }
                        _ => {}
                    }
                    self.visit_expr(&outer.slice);
                    return;
                }
                self.subscript(outer);
            }
            Expr::Call(call) => self.call(call),
            _ => {}
        }
        walk_expr(self, expression);
    }
}

impl<'a> Finder<'a> {
    /// What a name stands for from here on.
    fn bind(&mut self, targets: &'a [Expr], value: &'a Expr) {
        let name = match targets {
            [Expr::Name(name)] => Some(name.id.as_str()),
            _ => None,
        };
        let is_path = self.path(value).is_some();
        let counted = self.counted(value).map(str::to_owned);
        // `x[-1]` under a name that is indexed later is a particle's trajectory, as it should be.
        let is_particle = matches!(value, Expr::Subscript(subscript)
            if integer(&subscript.slice).is_some() && self.path(&subscript.value).is_some());
        match (name, &counted) {
            (Some(name), Some(path)) if is_time(name) => {
                self.add(What::Count, Span::of(value), path);
            }
            (Some(name), _) if is_particle && self.indexed.contains(name) => {}
            _ => self.visit_expr(value),
        }
        let Some(name) = name else {
            return;
        };
        self.paths.remove(name);
        self.counts.remove(name);
        if is_path {
            self.paths.insert(name);
        }
        // One slip is told once.
        if counted.is_some() && !is_time(name) {
            self.counts.insert(name);
        }
    }
}

/// Whether a name is one for times or points.
fn is_time(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words = [
        "step", "time", "horizon", "point", "length", "seq_len", "frames",
    ];
    matches!(name.as_str(), "t" | "h" | "len") || words.iter().any(|word| name.contains(word))
}

fn is_integer(expression: &Expr) -> bool {
    integer(expression).is_some()
}

/// `:` or `...`.
fn is_all(expression: &Expr) -> bool {
    match expression {
        Expr::Slice(slice) => {
            slice.lower.is_none() && slice.upper.is_none() && slice.step.is_none()
        }
        Expr::EllipsisLiteral(_) => true,
        _ => false,
    }
}

/// A slice such as `1:` or `:-1`.
fn leaves_nothing_of_one(expression: &Expr) -> bool {
    let Expr::Slice(slice) = expression else {
        return false;
    };
    let bound = |bound: &Option<Box<Expr>>| bound.as_deref().and_then(integer);
    bound(&slice.lower).is_some_and(|lower| lower > 0)
        || bound(&slice.upper).is_some_and(|upper| upper < 0)
}
