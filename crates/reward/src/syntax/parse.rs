//! From text to statements.

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{ModModule, PySourceType};
use ruff_python_parser::{
    LexicalErrorType, ParseError, ParseErrorType, Parsed, parse_unchecked_source,
};

use super::Suite;
use crate::diagnostic::Span;

/// The statements of a module's text.
pub(crate) fn parse(python: &str) -> Result<Suite, Failure> {
    let parsed = parse_unchecked_source(python, PySourceType::Python);
    if parsed.errors().is_empty() {
        Ok(parsed.into_suite())
    } else {
        Err(Failure(parsed))
    }
}

/// A text that is not Python, with what tells why.
pub(crate) struct Failure(Parsed<ModModule>);

impl Failure {
    /// The parser's errors in the order of the text.
    pub(crate) fn errors(&self) -> impl Iterator<Item = SyntaxError<'_>> {
        self.0.errors().iter().map(SyntaxError)
    }

    /// Brackets and function definitions in the order of the text.
    pub(crate) fn marks(&self) -> impl Iterator<Item = (Mark, Span)> {
        self.0.tokens().iter().filter_map(|token| {
            let mark = match token.kind() {
                TokenKind::Lpar => Mark::Bracket('('),
                TokenKind::Rpar => Mark::Bracket(')'),
                TokenKind::Lsqb => Mark::Bracket('['),
                TokenKind::Rsqb => Mark::Bracket(']'),
                TokenKind::Lbrace => Mark::Bracket('{'),
                TokenKind::Rbrace => Mark::Bracket('}'),
                TokenKind::Def => Mark::Def,
                _ => return None,
            };
            Some((mark, Span::of(token)))
        })
    }
}

/// A token that tells where brackets begin and end.
#[derive(Clone, Copy)]
pub(crate) enum Mark {
    Bracket(char),
    Def,
}

/// One error of the parser.
#[derive(Clone, Copy)]
pub(crate) struct SyntaxError<'a>(&'a ParseError);

impl SyntaxError<'_> {
    pub(crate) fn span(self) -> Span {
        Span::of(&self.0.location)
    }

    /// The parser's own words.
    pub(crate) fn reason(self) -> String {
        self.0.error.to_string()
    }

    /// The letter that no token begins with, if that is the error.
    pub(crate) fn foreign_letter(self) -> Option<char> {
        match &self.0.error {
            ParseErrorType::Lexical(LexicalErrorType::UnrecognizedToken { tok }) => Some(*tok),
            _ => None,
        }
    }
}
