//! What an operator may ask for, one JSON object a line.

use serde_json::Value;
use tiller_core::{MAX_INSTRUCTION, visible_line};

/// Characters of a request that a refusal quotes.
const MAX_QUOTED: usize = 60;

/// A request that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Say {
    /// What the robot is to do.
    pub(crate) instruction: String,
    /// Seed of all randomness.
    pub(crate) seed: u64,
}

/// Reads a line.
///
/// # Errors
/// What was expected and what was found.
pub(crate) fn read(line: &str) -> Result<Say, String> {
    let value: Value =
        serde_json::from_str(line).map_err(|error| format!("expected a JSON object: {error}"))?;
    let Value::Object(fields) = value else {
        let found = visible_line(&value.to_string(), MAX_QUOTED);
        return Err(format!("expected a JSON object, found {found}"));
    };
    if let Some(unknown) = fields
        .keys()
        .find(|key| !["say", "seed"].contains(&key.as_str()))
    {
        let unknown = visible_line(unknown, MAX_QUOTED);
        return Err(format!(
            "expected the keys `say` and `seed`, found `{unknown}`"
        ));
    }
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
    Ok(Say { instruction, seed })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instruction_is_read() {
        let say = read(r#"{"say": " open the drawer ", "seed": 7}"#).unwrap();
        assert_eq!((say.instruction.as_str(), say.seed), ("open the drawer", 7));
        assert_eq!(read(r#"{"say": "x"}"#).unwrap().seed, 0);
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
