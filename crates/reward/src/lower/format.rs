//! Text made of values: f-strings, `%`, `.format`, `str` and `repr`.
//!
//! What is known now becomes the string that Python would make; all else is a string whose text
//! is unknown, which is enough for messages.

use std::fmt::Write;

use super::containers::CHARACTERS;
use super::value::Value;
use super::{Lower, Lowered, MAX_CONTAINER_DEPTH, Stop};
use crate::diagnostic::{Draft, Kind, Span};
use crate::syntax::{
    ConversionFlag, ExprFString, FStringPart, InterpolatedStringElement, InterpolatedStringElements,
};

/// Characters of one string that is put together.
const MAX_TEXT: usize = 4096;

/// `[[fill]align][sign][#][0][width][,][.precision][type]`.
#[derive(Default)]
struct Spec {
    fill: Option<char>,
    align: Option<char>,
    sign: Option<char>,
    has_zeros: bool,
    width: usize,
    is_grouped: bool,
    precision: Option<usize>,
    kind: Option<char>,
}

impl Spec {
    fn parse(text: &str) -> Option<Self> {
        let mut spec = Self::default();
        let chars: Vec<char> = text.chars().collect();
        let is_align = |c: Option<&char>| matches!(c, Some('<' | '>' | '^'));
        let mut at = 0;
        if is_align(chars.get(1)) {
            (spec.fill, spec.align) = (Some(chars[0]), Some(chars[1]));
            at = 2;
        } else if is_align(chars.first()) {
            spec.align = Some(chars[0]);
            at = 1;
        }
        if let Some(sign @ ('+' | '-' | ' ')) = chars.get(at).copied() {
            spec.sign = Some(sign);
            at += 1;
        }
        if chars.get(at) == Some(&'0') {
            spec.has_zeros = true;
            at += 1;
        }
        let number = |at: &mut usize| {
            let start = *at;
            while chars.get(*at).is_some_and(char::is_ascii_digit) {
                *at += 1;
            }
            let digits: String = chars[start..*at].iter().collect();
            digits.parse::<usize>().ok().filter(|&n| n <= 200)
        };
        let has_width = chars.get(at).is_some_and(char::is_ascii_digit);
        if has_width {
            spec.width = number(&mut at)?;
        }
        if chars.get(at) == Some(&',') {
            spec.is_grouped = true;
            at += 1;
        }
        if chars.get(at) == Some(&'.') {
            at += 1;
            spec.precision = Some(number(&mut at)?);
        }
        spec.kind = chars.get(at).copied();
        (at + usize::from(spec.kind.is_some()) == chars.len()).then_some(spec)
    }

    fn apply(&self, value: &Value) -> Option<String> {
        let (text, is_number) = match (value, self.kind) {
            (Value::Str(text), None | Some('s')) => {
                let length = self.precision.unwrap_or(MAX_TEXT);
                (text.chars().take(length).collect(), false)
            }
            (Value::Int(number), None | Some('d')) => {
                let text = number.to_string();
                (
                    if self.is_grouped {
                        grouped(&text)
                    } else {
                        text
                    },
                    true,
                )
            }
            (Value::Bool(flag), Some('d')) => (u8::from(*flag).to_string(), true),
            (Value::Int(_) | Value::Float(_), kind) => {
                let number = super::expression::number(value)?;
                (self.real(number, kind)?, true)
            }
            (other, None | Some('s')) if self.precision.is_none() => (plain(other)?, false),
            _ => return None,
        };
        let text = match self.sign {
            Some(sign @ ('+' | ' ')) if is_number && !text.starts_with('-') => {
                format!("{sign}{text}")
            }
            _ => text,
        };
        Some(self.padded(text, is_number))
    }

    fn real(&self, number: f64, kind: Option<char>) -> Option<String> {
        if !number.is_finite() {
            return Some(real_repr(number));
        }
        let precision = self.precision.unwrap_or(6);
        let text = match kind {
            Some('f' | 'F') => format!("{number:.precision$}"),
            Some('%') => format!("{:.precision$}%", number * 100.0),
            Some('e') => exponent_form(number, precision),
            Some('g') => general(number, precision.max(1)),
            None => match self.precision {
                Some(_) => return None,
                None => real_repr(number),
            },
            _ => return None,
        };
        Some(if self.is_grouped {
            grouped(&text)
        } else {
            text
        })
    }

    fn padded(&self, text: String, is_number: bool) -> String {
        let length = text.chars().count();
        let Some(missing) = self.width.checked_sub(length).filter(|&n| n > 0) else {
            return text;
        };
        if self.has_zeros && self.align.is_none() && is_number {
            let (sign, digits) = match text.strip_prefix(['-', '+', ' ']) {
                Some(digits) => (&text[..1], digits),
                None => ("", text.as_str()),
            };
            return format!("{sign}{}{digits}", "0".repeat(missing));
        }
        let fill = |count: usize| self.fill.unwrap_or(' ').to_string().repeat(count);
        match self.align.unwrap_or(if is_number { '>' } else { '<' }) {
            '<' => text + &fill(missing),
            '^' => fill(missing / 2) + &text + &fill(missing - missing / 2),
            _ => fill(missing) + &text,
        }
    }
}

fn grouped(text: &str) -> String {
    let start = usize::from(text.starts_with('-'));
    let end = text.find('.').unwrap_or(text.len());
    let mut out = text[..start].to_owned();
    for (position, digit) in text[start..end].chars().enumerate() {
        if position > 0 && (end - start - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out + &text[end..]
}

fn exponent_form(number: f64, precision: usize) -> String {
    let text = format!("{number:.precision$e}");
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let (sign, size) = match exponent.strip_prefix('-') {
                Some(size) => ('-', size),
                None => ('+', exponent),
            };
            format!("{digits}e{sign}{size:0>2}")
        }
        None => text,
    }
}

/// Significant digits without trailing zeros.
fn general(number: f64, digits: usize) -> String {
    let rounded = format!("{number:.*e}", digits - 1);
    let exponent: i32 = rounded
        .split_once('e')
        .and_then(|(_, exponent)| exponent.parse().ok())
        .unwrap_or(0);
    let trim = |text: String| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    };
    if exponent < -4 || exponent >= digits as i32 {
        let text = exponent_form(number, digits - 1);
        let (mantissa, rest) = text.split_once('e').unwrap_or((&text, "+00"));
        return format!("{}e{rest}", trim(mantissa.to_owned()));
    }
    let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
    trim(format!("{number:.decimals$}"))
}

/// `repr` of a float.
fn real_repr(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let size = number.abs();
    if size != 0.0 && !(1e-4..1e16).contains(&size) {
        let text = format!("{number:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, size) = match exponent.strip_prefix('-') {
            Some(size) => ('-', size),
            None => ('+', exponent),
        };
        return format!("{mantissa}e{sign}{size:0>2}");
    }
    format!("{number:?}")
}

/// `str` of a value that holds no other.
fn plain(value: &Value) -> Option<String> {
    Some(match value {
        Value::None => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => real_repr(*number),
        Value::Str(text) => text.to_string(),
        _ => return None,
    })
}

impl<'a> Lower<'a> {
    /// An f-string.
    pub(super) fn interpolated(&mut self, string: &'a ExprFString) -> Lowered<Value> {
        let mut text = Some(String::new());
        for part in &string.value {
            match part {
                FStringPart::Literal(literal) => push(&mut text, Some(literal.as_str())),
                FStringPart::FString(inner) => self.elements_of(&inner.elements, &mut text)?,
            }
        }
        self.text_value(text)
    }

    fn elements_of(
        &mut self,
        elements: &'a InterpolatedStringElements,
        text: &mut Option<String>,
    ) -> Lowered<()> {
        let mut is_whole = true;
        for element in elements {
            self.charge(1)?;
            match element {
                InterpolatedStringElement::Literal(literal) => push(text, Some(&literal.value)),
                InterpolatedStringElement::Interpolation(field) => {
                    let value = self.expression(&field.expression);
                    let value = self.despite(value)?;
                    let mut spec = Some(String::new());
                    if let Some(format) = &field.format_spec {
                        self.elements_of(&format.elements, &mut spec)?;
                    }
                    let Some(value) = value else {
                        is_whole = false;
                        continue;
                    };
                    let value = match field.conversion {
                        ConversionFlag::Repr | ConversionFlag::Ascii => self.repr(&value)?,
                        ConversionFlag::Str => self.string_of(&value)?,
                        ConversionFlag::None => value,
                    };
                    let piece = match (spec, &field.debug_text) {
                        (Some(spec), None) => self.formatted(&value, &spec)?,
                        _ => None,
                    };
                    push(text, piece.as_deref());
                }
            }
        }
        if is_whole {
            Ok(())
        } else {
            Err(Stop::Reported)
        }
    }

    /// `format(value, spec)`, where the text is known.
    pub(super) fn formatted(&mut self, value: &Value, spec: &str) -> Lowered<Option<String>> {
        let value = match value {
            Value::Tensor(tensor) if tensor.rank() == 0 => {
                match self.constants_of(tensor).as_deref() {
                    Some(&[number]) => Value::Float(number),
                    _ => return Ok(None),
                }
            }
            Value::Int(_) | Value::Float(_) | Value::Str(_) => value.clone(),
            other if spec.is_empty() => self.string_of(other)?,
            other => other.clone(),
        };
        Ok(Spec::parse(spec).and_then(|spec| spec.apply(&value)))
    }

    pub(super) fn text_value(&mut self, text: Option<String>) -> Lowered<Value> {
        match text {
            Some(text) if text.len() <= MAX_TEXT => {
                self.charge(text.len() / CHARACTERS)?;
                Ok(Value::Str(text.into()))
            }
            _ => Ok(Value::Text(None)),
        }
    }

    /// `str(value)`.
    pub(super) fn string_of(&mut self, value: &Value) -> Lowered<Value> {
        match value {
            Value::Str(_) => Ok(value.clone()),
            other => self.repr(other),
        }
    }

    /// `repr(value)`.
    pub(super) fn repr(&mut self, value: &Value) -> Lowered<Value> {
        let mut text = String::new();
        let known = self.write_repr(value, &mut text, MAX_CONTAINER_DEPTH)?;
        self.text_value(known.then_some(text))
    }

    /// Appends `repr(value)`; whether its text is known.
    fn write_repr(&mut self, value: &Value, text: &mut String, depth: u8) -> Lowered<bool> {
        self.charge(1)?;
        if text.len() > MAX_TEXT {
            return Ok(false);
        }
        let (open, close) = match value {
            Value::Str(inner) => {
                let quote = if inner.contains('\'') && !inner.contains('"') {
                    '"'
                } else {
                    '\''
                };
                let _ = write!(text, "{quote}{inner}{quote}");
                return Ok(inner
                    .chars()
                    .all(|c| c != '\\' && c != quote && !c.is_control()));
            }
            Value::ListRef(_) => ("[", "]"),
            Value::Tuple(items) if items.items.len() == 1 => ("(", ",)"),
            Value::Tuple(_) => ("(", ")"),
            other => {
                let known = plain(other);
                text.push_str(known.as_deref().unwrap_or_default());
                return Ok(known.is_some());
            }
        };
        if depth == 0 {
            return Ok(false);
        }
        let span = self.graph.span;
        text.push_str(open);
        for (position, item) in self.iterate(value.clone(), span)?.iter().enumerate() {
            if position > 0 {
                text.push_str(", ");
            }
            if !self.write_repr(item, text, depth - 1)? {
                return Ok(false);
            }
        }
        text.push_str(close);
        Ok(true)
    }

    /// `"%.2f of %s" % values`.
    pub(super) fn percent(&mut self, pattern: &str, values: &Value) -> Lowered<Value> {
        let items = match values {
            Value::Tuple(items) => items.items.to_vec(),
            Value::Dict(_) => return Ok(Value::Text(None)),
            one => vec![one.clone()],
        };
        let mut items = items.iter();
        let mut text = Some(String::new());
        let mut rest = pattern;
        while let Some(at) = rest.find('%') {
            self.charge(1)?;
            push(&mut text, Some(&rest[..at]));
            rest = &rest[at + 1..];
            let Some(end) = rest.find(|c: char| c.is_ascii_alphabetic() || c == '%') else {
                return Ok(Value::Text(None));
            };
            let (flags, kind) = (&rest[..end], rest.as_bytes()[end]);
            rest = &rest[end + 1..];
            if kind == b'%' {
                push(&mut text, Some("%"));
                continue;
            }
            let Some(value) = items.next() else {
                return Ok(Value::Text(None));
            };
            let (align, flags) = match flags.strip_prefix('-') {
                Some(flags) => ("<", flags),
                None => (">", flags),
            };
            let piece = match (kind, value) {
                (b's', value) => {
                    let value = self.string_of(value)?;
                    self.formatted(&value, &format!("{align}{flags}"))?
                }
                (b'r', value) => {
                    let value = self.repr(value)?;
                    self.formatted(&value, &format!("{align}{flags}"))?
                }
                (b'd' | b'i', Value::Float(number)) if number.abs() < 9e15 => {
                    let whole = Value::Int(number.trunc() as i64);
                    self.formatted(&whole, flags)?
                }
                (b'd' | b'i', value) => self.formatted(value, flags)?,
                (kind, value) => self.formatted(value, &format!("{flags}{}", char::from(kind)))?,
            };
            push(&mut text, piece.as_deref());
        }
        push(&mut text, Some(rest));
        self.text_value(text)
    }

    /// `"{} of {name:.2f}".format(...)`.
    pub(super) fn format_method(
        &mut self,
        pattern: &str,
        positional: &[Value],
        keywords: &[(String, Value, Span)],
    ) -> Lowered<Value> {
        let mut text = Some(String::new());
        let mut rest = pattern;
        let mut automatic = 0;
        while let Some(at) = rest.find(['{', '}']) {
            self.charge(1)?;
            push(&mut text, Some(&rest[..at]));
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                push(&mut text, Some(brace));
                rest = after;
                continue;
            }
            let Some(end) = rest.find('}') else {
                return Ok(Value::Text(None));
            };
            let (field, spec) = rest[..end].split_once(':').unwrap_or((&rest[..end], ""));
            rest = &rest[end + 1..];
            let value = match field.parse::<usize>() {
                Ok(position) => positional.get(position),
                Err(_) if field.is_empty() => {
                    automatic += 1;
                    positional.get(automatic - 1)
                }
                Err(_) => keywords
                    .iter()
                    .find(|(name, ..)| name == field)
                    .map(|(_, value, _)| value),
            };
            let piece = match value {
                Some(value) => self.formatted(&value.clone(), spec)?,
                None => None,
            };
            push(&mut text, piece.as_deref());
        }
        push(&mut text, Some(rest));
        self.text_value(text)
    }

    /// A string on positions where its text matters.
    pub(super) fn open_text(&mut self, span: Span) -> Stop {
        self.fail(
            Draft::new(
                Kind::DynamicControl,
                span,
                "the text of this string depends on positions",
            )
            .help("compare the numbers themselves"),
        )
    }
}

/// Appends a piece; an unknown one makes the whole unknown.
fn push(text: &mut Option<String>, piece: Option<&str>) {
    match (&mut *text, piece) {
        (Some(known), Some(piece)) if known.len() <= MAX_TEXT => known.push_str(piece),
        _ => *text = None,
    }
}
