//! Reads the one JSON object that an answer should hold.

use serde_json::{Deserializer, Map, Value};

use super::AnswerError;
use crate::provider::visible_line;

/// Bytes of an answer that are looked at; a good one has less than a hundred.
const MAX_BYTES: usize = 16 * 1024;
/// Objects that are tried.
const MAX_OBJECTS: usize = 64;

/// The objects of a text that have the field. Prose and code fences around them are common.
fn objects(text: &str, field: &str) -> Vec<Map<String, Value>> {
    let mut found = Vec::new();
    let mut at = 0;
    for _ in 0..MAX_OBJECTS {
        let Some(start) = text[at..].find('{').map(|offset| at + offset) else {
            break;
        };
        let mut values = Deserializer::from_str(&text[start..]).into_iter::<Value>();
        at = match values.next() {
            Some(Ok(Value::Object(object))) => {
                let end = start + values.byte_offset();
                if object.contains_key(field) {
                    found.push(object);
                }
                end
            }
            _ => start + 1,
        };
    }
    found
}

/// The object that the answer consists of; several are fine as long as they agree on the field.
pub(super) fn object_with(
    text: &str,
    field: &'static str,
    expected: &'static str,
) -> Result<Map<String, Value>, AnswerError> {
    let malformed = |found: String| AnswerError::Malformed { expected, found };
    if text.len() > MAX_BYTES {
        return Err(malformed(format!("{} bytes", text.len())));
    }
    let mut found = objects(text, field);
    let Some(last) = found.pop() else {
        return Err(malformed(format!("`{}`", visible_line(text, 80))));
    };
    if found.iter().any(|other| other[field] != last[field]) {
        return Err(malformed("several that contradict each other".to_owned()));
    }
    Ok(last)
}

/// A whole number, also if a model has put it into quotes.
pub(super) fn whole_number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text)
            if text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            text.parse().ok()
        }
        _ => None,
    }
}
