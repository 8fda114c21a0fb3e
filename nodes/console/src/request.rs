//! What an operator may ask for, one JSON object a line.

use serde_json::{Map, Value};
use tiller_core::{MAX_INSTRUCTION, visible_line};
pub(crate) use tiller_page::OrderKind as Kind;

/// Characters of a request that a refusal quotes.
const MAX_QUOTED: usize = 60;

/// A request that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Request {
    /// The robot is to do something.
    Say {
        /// What.
        instruction: String,
        /// Seed of all randomness.
        seed: u64,
    },
    /// The actuator is to do something.
    Order(Kind),
    /// What the actuator is doing.
    Look,
}

/// Reads a line.
///
/// # Errors
/// What was expected and what was found.
pub(crate) fn read(line: &str) -> Result<Request, String> {
    let value: Value =
        serde_json::from_str(line).map_err(|error| format!("expected a JSON object: {error}"))?;
    let Value::Object(fields) = value else {
        let found = visible_line(&value.to_string(), MAX_QUOTED);
        return Err(format!("expected a JSON object, found {found}"));
    };
    let known: &[&str] = if fields.contains_key("order") {
        &["order"]
    } else {
        &["say", "seed"]
    };
    if let Some(unknown) = fields.keys().find(|key| !known.contains(&key.as_str())) {
        let unknown = visible_line(unknown, MAX_QUOTED);
        return Err(format!(
            "expected the keys `say` and `seed`, or `order` alone, found `{unknown}`"
        ));
    }
    match fields.get("order") {
        Some(order) => read_order(order),
        None => read_instruction(&fields),
    }
}

fn read_order(order: &Value) -> Result<Request, String> {
    Ok(match order.as_str() {
        Some("stop") => Request::Order(Kind::Stop),
        Some("pause") => Request::Order(Kind::Pause),
        Some("resume") => Request::Order(Kind::Resume),
        Some("arm") => Request::Order(Kind::Arm),
        Some("look") => Request::Look,
        _ => {
            let found = visible_line(&order.to_string(), MAX_QUOTED);
            return Err(format!(
                "`order`: expected one of `stop`, `pause`, `resume`, `arm`, `look`, found {found}"
            ));
        }
    })
}

fn read_instruction(fields: &Map<String, Value>) -> Result<Request, String> {
    let instruction = match fields.get("say") {
        Some(Value::String(text)) if !text.trim().is_empty() => text.trim().to_owned(),
        found => {
            let found = visible_line(&format!("{found:?}"), MAX_QUOTED);
            return Err(format!("`say`: expected a text, found {found}"));
        }
    };
    let length = instruction.chars().count();
    if length > MAX_INSTRUCTION {
        return Err(format!(
            "`say`: expected at most {MAX_INSTRUCTION} characters, found {length}"
        ));
    }
    let seed = match fields.get("seed") {
        None => 0,
        Some(seed) => seed
            .as_u64()
            .ok_or_else(|| format!("`seed`: expected a number of 0 or more, found {seed}"))?,
    };
    Ok(Request::Say { instruction, seed })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instruction_is_read() {
        let say = |instruction: &str, seed| Request::Say {
            instruction: instruction.to_owned(),
            seed,
        };
        let read_one = |line| read(line).unwrap();
        assert_eq!(
            read_one(r#"{"say": " open the drawer ", "seed": 7}"#),
            say("open the drawer", 7)
        );
        assert_eq!(read_one(r#"{"say": "x"}"#), say("x", 0));
    }

    #[test]
    fn an_order_is_read() {
        for kind in [Kind::Stop, Kind::Pause, Kind::Resume, Kind::Arm] {
            let line = format!(r#"{{"order": "{}"}}"#, kind.as_str());
            assert_eq!(read(&line), Ok(Request::Order(kind)));
        }
        assert_eq!(read(r#"{"order": "look"}"#), Ok(Request::Look));
    }

    #[test]
    fn what_is_no_request_is_refused_by_name() {
        for (line, expected) in [
            ("open the drawer", "JSON object"),
            ("[]", "JSON object"),
            (r#"{"say": ""}"#, "`say`"),
            (r#"{"say": 3}"#, "`say`"),
            (r#"{"say": "x", "seed": -1}"#, "`seed`"),
            (r#"{"say": "x", "run": "rm"}"#, "`run`"),
            (r#"{"order": "dance"}"#, "`resume`"),
            (r#"{"order": 7}"#, "`order`"),
            (r#"{"order": "stop", "seed": 1}"#, "`seed`"),
        ] {
            let error = read(line).unwrap_err();
            assert!(error.contains(expected), "{line}: {error}");
        }
        let long = format!(r#"{{"say": "{}"}}"#, "a".repeat(MAX_INSTRUCTION + 1));
        assert!(read(&long).unwrap_err().contains("characters"));
        let hidden = "\u{202e}x\u{9b}".repeat(9000);
        for line in [
            format!("[\"{hidden}\"]"),
            format!("{{\"{hidden}\": 1}}"),
            format!("{{\"say\": [\"{hidden}\"]}}"),
        ] {
            let error = read(&line).unwrap_err();
            assert!(error.len() < 200, "{error}");
            assert!(
                error.contains("u{202e}x") && !error.contains('\u{202e}'),
                "{error}"
            );
        }
    }
}
