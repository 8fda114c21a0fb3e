//! Methods, items and slices of strings.

use std::collections::HashSet;

use super::arguments::{Bound, Call};
use super::containers::{CHARACTERS, NOT_THERE};
use super::gather::wrap_index;
use super::table;
use super::value::Value;
use super::{Lower, Lowered, Stop};
use crate::diagnostic::{Draft, Kind, Span};
use crate::syntax::Expr;
use crate::tensor::Form;

impl<'a> Lower<'a> {
    /// `text[index]`.
    pub(super) fn string_item(
        &mut self,
        text: &str,
        index: &'a Expr,
        span: Span,
    ) -> Lowered<Value> {
        self.charge(text.len() / CHARACTERS + 1)?;
        let chars: Vec<char> = text.chars().collect();
        if let Expr::Slice(slice) = index {
            let (lower, upper, step) = self.slice(slice)?;
            let (first, length) = self.slice_bounds(chars.len(), lower, upper, step, span)?;
            self.charge(length / CHARACTERS)?;
            let picked: String = (0..length as i64)
                .map(|i| chars[(first + i * step) as usize])
                .collect();
            return Ok(Value::Str(picked.into()));
        }
        let value = self.expression(index)?;
        let position = self.integer_argument(&value, Span::of(index))?;
        match wrap_index(position, chars.len()) {
            Some(position) => Ok(Value::Str(chars[position].to_string().into())),
            None => Err(self.out_of_range(position, chars.len(), Span::of(index))),
        }
    }

    /// A method that a value does not have.
    pub(super) fn no_method(&mut self, base: &Value, method: &str, place: Span) -> Stop {
        self.fail(
            Draft::new(
                Kind::UnknownOperation,
                place,
                format!("`.{method}` does not exist here"),
            )
            .found(base.describe())
            .help(match base {
                Value::ListRef(list)
                    if table::find_method(method, Form::Tensor).is_some()
                        && self.lists[*list]
                            .iter()
                            .all(|item| matches!(item, Value::Int(_) | Value::Float(_))) =>
                {
                    "make a tensor of it first: `torch.tensor(xs)`"
                }
                Value::ListRef(_) | Value::Tuple(_)
                    if table::find_method(method, Form::Tensor).is_some() =>
                {
                    "make a tensor of it first: `torch.stack(xs)`"
                }
                Value::ListRef(_) => {
                    "lists have `append`, `extend`, `insert`, `pop`, `remove`, `index`, `count`, `sort` and `reverse`"
                }
                _ => "use comprehensions, `sorted` and indexing",
            }),
        )
    }

    /// A method of a string. What depends on an unknown text is unknown too.
    pub(super) fn string_method(
        &mut self,
        base: &Value,
        method: &str,
        place: Span,
        call: Call,
    ) -> Lowered<Value> {
        let span = call.span;
        if let Value::Text(Some(_)) = base {
            return self.each_option(base, span, &mut |lower, base| {
                lower.string_method(base, method, place, call.clone())
            });
        }
        let Value::Str(text) = base else {
            return match method {
                "join" | "format" | "strip" | "lower" | "upper" | "replace" | "ljust" | "rjust"
                | "zfill" | "title" | "capitalize" | "center" => Ok(Value::Text(None)),
                _ => Err(self.open_text(span)),
            };
        };
        self.charge(text.len() / CHARACTERS + 1)?;
        if method == "format" {
            let positional: Vec<Value> = call.positional.into_iter().map(|(v, _)| v).collect();
            return self.format_method(text, &positional, &call.keywords);
        }
        let parameters = match method {
            "startswith" | "endswith" | "find" | "rfind" | "index" | "count" | "join"
            | "removeprefix" | "removesuffix" | "partition" | "rpartition" => "item",
            "split" | "rsplit" => "sep? maxsplit?",
            "strip" | "lstrip" | "rstrip" => "chars?",
            "replace" => "old new count?",
            "zfill" | "ljust" | "rjust" | "center" => "width fill?",
            "lower" | "upper" | "title" | "capitalize" | "casefold" | "isdigit" | "isalpha"
            | "isalnum" | "isnumeric" | "isupper" | "islower" | "isspace" | "splitlines"
            | "isidentifier" => "",
            _ => return Err(self.no_method(base, method, place)),
        };
        let bound = Bound::new(self, call, parameters)?;
        let first = bound.get(0).cloned();
        if method == "join" {
            return self.join(text, first.unwrap_or(Value::None), span);
        }
        if let Some(Value::Text(_)) = first {
            return Err(self.open_text(span));
        }
        if matches!(method, "startswith" | "endswith") {
            let options = match first {
                Some(Value::Tuple(options)) => options.items.to_vec(),
                Some(one) => vec![one],
                None => Vec::new(),
            };
            self.charge(options.len() / 4)?;
            let mut holds = false;
            for option in &options {
                let option = self.string_argument(Some(option), span)?;
                holds |= match method {
                    "startswith" => text.starts_with(option),
                    _ => text.ends_with(option),
                };
            }
            return Ok(Value::Bool(holds));
        }
        let all = |test: fn(char) -> bool| !text.is_empty() && text.chars().all(test);
        let strings = |pieces: Vec<&str>| {
            let pieces: Vec<Value> = pieces.into_iter().map(|p| Value::Str(p.into())).collect();
            pieces
        };
        let string = |text: String| Ok(Value::Str(text.into()));
        match method {
            "lower" | "casefold" => string(text.to_lowercase()),
            "upper" => string(text.to_uppercase()),
            "capitalize" => {
                let mut chars = text.chars();
                let head: String = chars
                    .next()
                    .map_or(String::new(), |c| c.to_uppercase().collect());
                string(head + &chars.as_str().to_lowercase())
            }
            "title" => {
                let mut is_inside = false;
                let mut out = String::new();
                for c in text.chars() {
                    if is_inside {
                        out.extend(c.to_lowercase());
                    } else {
                        out.extend(c.to_uppercase());
                    }
                    is_inside = c.is_alphabetic();
                }
                string(out)
            }
            "isdigit" | "isnumeric" => Ok(Value::Bool(all(|c| c.is_ascii_digit()))),
            "isalpha" => Ok(Value::Bool(all(char::is_alphabetic))),
            "isalnum" => Ok(Value::Bool(all(char::is_alphanumeric))),
            "isspace" => Ok(Value::Bool(all(char::is_whitespace))),
            "isupper" | "islower" => {
                let is_upper = method == "isupper";
                let cased = |c: &char| c.is_uppercase() || c.is_lowercase();
                let mut letters = text.chars().filter(cased).peekable();
                let is_any = letters.peek().is_some();
                Ok(Value::Bool(
                    is_any && letters.all(|c| c.is_uppercase() == is_upper),
                ))
            }
            "isidentifier" => Ok(Value::Bool(
                all(|c| c.is_alphanumeric() || c == '_')
                    && !text.starts_with(|c: char| c.is_ascii_digit()),
            )),
            "strip" | "lstrip" | "rstrip" => {
                let chars: Option<HashSet<char>> = match &first {
                    Some(value) => Some(self.string_argument(Some(value), span)?.chars().collect()),
                    None => None,
                };
                self.charge(chars.as_ref().map_or(0, HashSet::len))?;
                let is_cut = |c: char| match &chars {
                    Some(chars) => chars.contains(&c),
                    None => c.is_whitespace(),
                };
                string(match method {
                    "strip" => text.trim_matches(is_cut).to_owned(),
                    "lstrip" => text.trim_start_matches(is_cut).to_owned(),
                    _ => text.trim_end_matches(is_cut).to_owned(),
                })
            }
            "split" | "rsplit" => {
                let limit = match bound.integer(self, 1, -1)? {
                    limit if limit < 0 => usize::MAX,
                    limit => limit as usize + 1,
                };
                let pieces = match &first {
                    None => text.split_whitespace().collect(),
                    Some(separator) => {
                        let separator = self.string_argument(Some(separator), span)?;
                        if separator.is_empty() {
                            return Err(self.fail(
                                Draft::new(Kind::Arithmetic, span, "this separator is empty")
                                    .help("leave it out, to split at blanks, or give one"),
                            ));
                        }
                        if method == "split" {
                            text.splitn(limit, separator).collect()
                        } else {
                            let mut pieces: Vec<&str> = text.rsplitn(limit, separator).collect();
                            pieces.reverse();
                            pieces
                        }
                    }
                };
                self.charge(pieces.len())?;
                Ok(self.new_list(strings(pieces)))
            }
            "splitlines" => {
                let lines: Vec<&str> = text.lines().collect();
                self.charge(lines.len())?;
                Ok(self.new_list(strings(lines)))
            }
            "partition" | "rpartition" => {
                let separator = self.string_argument(first.as_ref(), span)?;
                let cut = if method == "partition" {
                    text.split_once(separator)
                } else {
                    text.rsplit_once(separator)
                };
                Ok(Value::tuple(strings(match cut {
                    Some((before, after)) => vec![before, separator, after],
                    None if method == "partition" => vec![text, "", ""],
                    None => vec!["", "", text],
                })))
            }
            "replace" => {
                let old = self.string_argument(first.as_ref(), span)?;
                let new = self.string_argument(bound.get(1), span)?;
                let count = match bound.integer(self, 2, -1)? {
                    count if count < 0 => usize::MAX,
                    count => count as usize,
                };
                let grown = text.len().saturating_add(1).saturating_mul(new.len() + 1);
                self.charge(grown / CHARACTERS)?;
                string(text.replacen(old, new, count))
            }
            "zfill" | "ljust" | "rjust" | "center" => {
                let width = bound.integer(self, 0, 0)?.clamp(0, 1000);
                let fill = match bound.get(1) {
                    Some(fill) => self.string_argument(Some(fill), span)?.to_owned(),
                    None => " ".to_owned(),
                };
                let spec = match method {
                    "ljust" => format!("{fill}<{width}"),
                    "center" => format!("{fill}^{width}"),
                    "zfill" => format!("0>{width}"),
                    _ => format!("{fill}>{width}"),
                };
                let padded = self.formatted(base, &spec)?;
                self.text_value(padded)
            }
            "removeprefix" | "removesuffix" => {
                let piece = self.string_argument(first.as_ref(), span)?;
                let rest = if method == "removeprefix" {
                    text.strip_prefix(piece)
                } else {
                    text.strip_suffix(piece)
                };
                string(rest.unwrap_or(text).to_owned())
            }
            _ => {
                let piece = self.string_argument(first.as_ref(), span)?;
                let at = |at: Option<usize>| at.map(|at| text[..at].chars().count() as i64);
                match method {
                    "count" => Ok(Value::Int(text.matches(piece).count() as i64)),
                    "rfind" => Ok(Value::Int(at(text.rfind(piece)).unwrap_or(-1))),
                    "find" => Ok(Value::Int(at(text.find(piece)).unwrap_or(-1))),
                    _ => match at(text.find(piece)) {
                        Some(at) => Ok(Value::Int(at)),
                        None => Err(self.fail(
                            Draft::new(Kind::Index, span, "this is not part of the string")
                                .help(NOT_THERE),
                        )),
                    },
                }
            }
        }
    }

    fn string_argument<'v>(&mut self, value: Option<&'v Value>, span: Span) -> Lowered<&'v str> {
        match value {
            Some(Value::Str(text)) => Ok(text),
            other => {
                let found = other.map_or("None".to_owned(), Value::describe);
                Err(self.fail(Draft::new(Kind::Type, span, "a string is needed here").found(found)))
            }
        }
    }

    /// `separator.join(items)`.
    fn join(&mut self, separator: &str, items: Value, span: Span) -> Lowered<Value> {
        let items = self.iterate(items, span)?;
        let mut text = String::new();
        for (position, item) in items.iter().enumerate() {
            if matches!(item, Value::Text(_)) {
                return Ok(Value::Text(None));
            }
            let piece = self.string_argument(Some(item), span)?;
            self.charge((piece.len() + separator.len()) / CHARACTERS)?;
            if position > 0 {
                text.push_str(separator);
            }
            text.push_str(piece);
        }
        Ok(Value::Str(text.into()))
    }
}
