//! Python's syntax: the only place that knows which parser reads it.
//!
//! The parser's typed tree is what the rest of the crate walks, under the names that are listed
//! here, so that another version of the parser is met in this folder.

mod parse;

pub(crate) use parse::{Failure, Mark, SyntaxError, parse};
pub(crate) use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
pub(crate) use ruff_python_ast::{
    Alias, BoolOp, CmpOp, Comprehension, ConversionFlag, ElifElseClause, ExceptHandler,
    ExceptHandlerExceptHandler, Expr, ExprCall, ExprCompare, ExprContext, ExprDict, ExprFString,
    ExprIf, ExprSlice, ExprSubscript, FStringPart, Identifier, InterpolatedStringElement,
    InterpolatedStringElements, Number, Operator, Parameters, Pattern, Singleton, Stmt, StmtAssert,
    StmtAugAssign, StmtClassDef, StmtFor, StmtFunctionDef, StmtIf, StmtMatch, StmtRaise, StmtTry,
    StmtWhile, StmtWith, Suite, UnaryOp, WithItem,
};

use ruff_text_size::Ranged;

use crate::diagnostic::Span;

impl Span {
    /// Where a piece of the tree stands in the text.
    pub(crate) fn of(piece: &impl Ranged) -> Self {
        let range = piece.range();
        Self {
            start: range.start().to_u32(),
            end: range.end().to_u32(),
        }
    }
}

/// A whole number as it is written.
pub(crate) fn integer(expression: &Expr) -> Option<i64> {
    match expression {
        Expr::NumberLiteral(literal) => match &literal.value {
            Number::Int(int) => int.as_i64(),
            _ => None,
        },
        Expr::UnaryOp(unary) if unary.op == UnaryOp::USub => integer(&unary.operand).map(|n| -n),
        _ => None,
    }
}
