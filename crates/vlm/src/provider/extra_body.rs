//! Fields of one's own in a request's body.

use serde_json::{Map, Value, json};

use super::ConfigError;
use super::config::described;

/// Most bytes of the extra body.
const LIMIT_BYTES: usize = 64 * 1024;

/// Fields that have a setting of their own, or on which question, answer and budget depend.
const OWNED: [(&str, &str); 20] = [
    ("/model", "MODEL"),
    ("/stream", "STREAM"),
    ("/max_tokens", "MAX_OUTPUT_TOKENS"),
    ("/max_completion_tokens", "MAX_OUTPUT_TOKENS"),
    ("/max_output_tokens", "MAX_OUTPUT_TOKENS"),
    ("/generationConfig/maxOutputTokens", "MAX_OUTPUT_TOKENS"),
    ("/generation_config/max_output_tokens", "MAX_OUTPUT_TOKENS"),
    ("/generationConfig/max_output_tokens", "MAX_OUTPUT_TOKENS"),
    ("/generation_config/maxOutputTokens", "MAX_OUTPUT_TOKENS"),
    ("/messages", "the prompts"),
    ("/contents", "the prompts"),
    ("/input", "the prompts"),
    ("/instructions", "the prompts"),
    ("/system", "the prompts"),
    ("/systemInstruction", "the prompts"),
    ("/system_instruction", "the prompts"),
    ("/n", "one answer a question"),
    ("/best_of", "one answer a question"),
    ("/generationConfig/candidateCount", "one answer a question"),
    (
        "/generation_config/candidate_count",
        "one answer a question",
    ),
];

/// Reads the setting `EXTRA_BODY`: a JSON object that is merged into every request's body last. A
/// field that is `null` is left out of the request.
///
/// # Errors
/// [`ConfigError::Setting`] if it is no JSON object, or takes away what other settings decide. The
/// text itself is in no message.
pub fn parse_extra_body(text: &str) -> Result<Map<String, Value>, ConfigError> {
    match serde_json::from_str(text.trim()) {
        Ok(Value::Object(fields)) => check(&fields).map(|()| fields),
        Ok(other) => Err(wrong(format!("{} in JSON", kind(&other)))),
        Err(error) => Err(wrong(format!(
            "{} with a mistake in line {}, column {}",
            described(text),
            error.line(),
            error.column()
        ))),
    }
}

fn wrong(found: String) -> ConfigError {
    ConfigError::Setting {
        name: "EXTRA_BODY",
        expected: "a JSON object, such as {\"top_p\": 0.9}".to_owned(),
        found,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Whether the fields leave alone what other settings decide.
pub(super) fn check(fields: &Map<String, Value>) -> Result<(), ConfigError> {
    let bytes = Value::Object(fields.clone()).to_string().len();
    if bytes > LIMIT_BYTES {
        return Err(ConfigError::Setting {
            name: "EXTRA_BODY",
            expected: format!("at most {LIMIT_BYTES} bytes"),
            found: format!("{bytes} bytes"),
        });
    }
    for (pointer, owner) in OWNED {
        let names: Vec<&str> = pointer.trim_start_matches('/').split('/').collect();
        let mut sample = names
            .iter()
            .rev()
            .fold(json!("untouched"), |inner, name| json!({*name: inner}));
        let before = sample.clone();
        merge(&mut sample, fields);
        if sample.pointer(pointer) != before.pointer(pointer) {
            return Err(ConfigError::Setting {
                name: "EXTRA_BODY",
                expected: format!("nothing for `{}`, which {owner} decides", names.join(".")),
                found: format!("an object of {} fields", fields.len()),
            });
        }
    }
    Ok(())
}

/// Merges fields into a body, objects into objects; what is `null` goes.
pub(super) fn merge(body: &mut Value, fields: &Map<String, Value>) {
    if !body.is_object() {
        *body = json!({});
    }
    let Some(into) = body.as_object_mut() else {
        return;
    };
    for (name, value) in fields {
        match value {
            Value::Null => drop(into.remove(name)),
            Value::Object(inner) => merge(into.entry(name).or_insert_with(|| json!({})), inner),
            other => drop(into.insert(name.clone(), other.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn objects_merge_deeply_and_null_removes() {
        let mut body = json!({"a": 1, "b": {"c": 2, "d": 3}, "e": [1], "f": 4});
        let text = r#"{"a": null, "b": {"d": null, "x": {"y": null, "z": 5}}, "e": [2], "f": {"g": 6}, "new": true}"#;
        merge(&mut body, &parse_extra_body(text).unwrap());
        assert_eq!(
            body,
            json!({"b": {"c": 2, "x": {"z": 5}}, "e": [2], "f": {"g": 6}, "new": true})
        );
    }

    #[test]
    fn only_an_object_that_leaves_the_rest_alone_is_taken() {
        for good in [
            "{}",
            " {\"stream_options\": null} ",
            "{\"generationConfig\": {\"topK\": 3}}",
            "{\"reasoning\": {\"exclude\": true}}",
        ] {
            parse_extra_body(good).unwrap();
        }
        for (bad, says) in [
            (
                "sk-secret-4711",
                "a text of 14 characters with a mistake in line 1",
            ),
            ("\"sk-secret-4711\"", "a text in JSON"),
            ("[\"sk-secret-4711\"]", "a list in JSON"),
            ("null", "null in JSON"),
            ("{\"sk-secret-4711\": 1", "with a mistake"),
            (
                "{\"model\": \"sk-secret-4711\"}",
                "`model`, which MODEL decides",
            ),
            ("{\"max_tokens\": null}", "which MAX_OUTPUT_TOKENS decides"),
            (
                "{\"generationConfig\": null}",
                "`generationConfig.maxOutputTokens`",
            ),
            (
                "{\"generationConfig\": 7}",
                "`generationConfig.maxOutputTokens`",
            ),
            ("{\"n\": 100}", "one answer a question"),
            ("{\"messages\": []}", "the prompts"),
        ] {
            let error = parse_extra_body(bad).unwrap_err().to_string();
            assert!(error.contains(says), "{bad}: {error}");
            assert!(!error.contains("4711"), "{error}");
        }
        let long = format!("{{\"a\": \"{}\"}}", "x".repeat(LIMIT_BYTES));
        assert!(
            parse_extra_body(&long)
                .unwrap_err()
                .to_string()
                .contains("at most 65536")
        );
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(json!(null)),
            any::<bool>().prop_map(Value::from),
            any::<i8>().prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            proptest::collection::btree_map("[abc]", inner, 0..3)
                .prop_map(|fields| Value::Object(fields.into_iter().collect()))
        })
    }

    proptest! {
        /// Merging the same fields again changes nothing, and no `null` of theirs is left.
        #[test]
        fn merging_is_idempotent(mut body in value(), fields in value()) {
            let fields = fields.as_object().cloned().unwrap_or_default();
            merge(&mut body, &fields);
            let once = body.clone();
            merge(&mut body, &fields);
            prop_assert_eq!(&body, &once);
            for (name, _) in fields.iter().filter(|(_, value)| value.is_null()) {
                prop_assert!(body.get(name).is_none());
            }
        }
    }
}
