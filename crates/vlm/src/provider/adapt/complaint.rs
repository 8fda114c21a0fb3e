//! What a server says about a request that it did not take, in the shapes that servers use.

use std::collections::HashSet;

use serde_json::Value;

/// Bytes of a message that are looked at.
const MESSAGE_BYTES: usize = 4000;
/// Complaints of one answer that are looked at.
const MOST: usize = 16;
/// Bytes in a row that a message shares with the question only by quoting it.
const QUOTED: usize = 20;
/// Bytes of the question that a quotation is looked for in.
const QUESTION_BYTES: usize = 200_000;
/// Parts of an error that repeat the request.
const ECHOES: [&str; 7] = [
    "input", "ctx", "url", "body", "request", "prompt", "messages",
];

/// One complaint.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Complaint {
    /// The words, on one line, without what they quote of the question.
    pub(super) message: String,
    /// The field that it is about, if that is given apart from the words.
    pub(super) field: Option<String>,
    /// All codes, types and states, in lower case.
    pub(super) code: String,
}

/// The complaints in the body of an answer to the request `sent`.
pub(super) fn complaints(body: &str, sent: &Value) -> Vec<Complaint> {
    let mut found = Vec::new();
    match serde_json::from_str(body) {
        Ok(value) => collect(&value, 6, &mut found),
        // A page of a proxy says nothing about fields.
        Err(_) if body.trim_start().starts_with('<') => {}
        Err(_) => found.push(Complaint {
            message: body.to_owned(),
            ..Complaint::default()
        }),
    }
    found.truncate(MOST);
    let mut question = String::new();
    collect_texts(sent, &mut question);
    let windows: HashSet<&[u8]> = question.as_bytes().windows(QUOTED).collect();
    for complaint in &mut found {
        complaint.message = without_quotations(&one_line(&complaint.message), &windows);
    }
    found
}

fn collect(value: &Value, depth: usize, found: &mut Vec<Complaint>) {
    if depth == 0 || found.len() >= MOST {
        return;
    }
    match value {
        Value::Array(values) => values
            .iter()
            .for_each(|value| collect(value, depth - 1, found)),
        Value::String(text) if text.trim_start().starts_with(['{', '[']) => {
            match serde_json::from_str(text) {
                Ok(value) => collect(&value, depth - 1, found),
                Err(_) => found.push(Complaint {
                    message: text.clone(),
                    ..Complaint::default()
                }),
            }
        }
        Value::String(text) => found.push(Complaint {
            message: text.clone(),
            ..Complaint::default()
        }),
        Value::Object(fields) => {
            let text = |name: &str| fields.get(name).and_then(Value::as_str);
            let message = ["message", "msg", "error", "detail", "description"]
                .iter()
                .find_map(|name| {
                    text(name).filter(|text| !text.trim_start().starts_with(['{', '[']))
                });
            let place = |parts: &Vec<Value>| {
                let parts = parts.iter().map(|part| match part {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                });
                parts.collect::<Vec<_>>().join(".")
            };
            let field = text("param").map(str::to_owned);
            let field = field.or_else(|| fields.get("loc")?.as_array().map(place));
            let codes = ["code", "type", "status"]
                .iter()
                .filter_map(|name| text(name));
            let complaint = Complaint {
                message: message.unwrap_or_default().to_owned(),
                field: field.filter(|field| !field.trim().is_empty()),
                code: codes.collect::<Vec<_>>().join(" ").to_lowercase(),
            };
            if !complaint.message.is_empty() || complaint.field.is_some() {
                found.push(complaint);
            }
            for (name, value) in fields {
                let is_nested = match value {
                    Value::String(text) => text.trim_start().starts_with(['{', '[']),
                    other => other.is_object() || other.is_array(),
                };
                if is_nested && name != "loc" && !ECHOES.contains(&name.as_str()) {
                    collect(value, depth - 1, found);
                }
            }
        }
        _ => {}
    }
}

/// Every longer text of the request apart from pictures.
fn collect_texts(value: &Value, out: &mut String) {
    match value {
        Value::String(text) if text.len() >= QUOTED && !text.starts_with("data:") => {
            let room = QUESTION_BYTES.saturating_sub(out.len());
            let end = text
                .char_indices()
                .map(|(at, _)| at)
                .take_while(|at| *at <= room)
                .last();
            out.push_str(&one_line(
                &text[..if text.len() <= room {
                    text.len()
                } else {
                    end.unwrap_or(0)
                }],
            ));
            out.push('\n');
        }
        Value::Array(values) => values.iter().for_each(|value| collect_texts(value, out)),
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(name, _)| *name != "data");
            fields.for_each(|(_, value)| collect_texts(value, out));
        }
        _ => {}
    }
}

/// On one line, line ends in the escapes of JSON and Python included.
fn one_line(text: &str) -> String {
    let end = text
        .char_indices()
        .map(|(at, _)| at)
        .find(|at| *at >= MESSAGE_BYTES * 50);
    let text = text[..end.unwrap_or(text.len())]
        .replace("\\n", " ")
        .replace("\\t", " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn without_quotations(message: &str, question: &HashSet<&[u8]>) -> String {
    let mut bytes: Vec<u8> = message.bytes().take(MESSAGE_BYTES).collect();
    let quoted: Vec<usize> = bytes
        .windows(QUOTED)
        .enumerate()
        .filter(|(_, window)| question.contains(window))
        .map(|(start, _)| start)
        .collect();
    for start in quoted {
        bytes[start..start + QUOTED].fill(b'~');
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(body: &str) -> Vec<(String, Option<String>, String)> {
        let all = complaints(
            body,
            &json!({"messages": [{"content": "say why the\nstream_options are unsupported here"}]}),
        );
        all.into_iter()
            .map(|one| (one.message, one.field, one.code))
            .collect()
    }

    #[test]
    fn the_shapes_of_servers_are_read() {
        let one = |message: &str, field: Option<&str>, code: &str| {
            (
                message.to_owned(),
                field.map(str::to_owned),
                code.to_owned(),
            )
        };
        assert_eq!(
            found(r#"{"error": {"message": "no", "type": "T", "param": "stream", "code": "c"}}"#),
            [one("no", Some("stream"), "c t")]
        );
        assert_eq!(
            found(
                r#"{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","max_tokens"],"msg":"no","input":{"message":"echo"}}]},"type":"t","param":null}"#
            ),
            [one("no", Some("body.max_tokens"), "extra_forbidden")]
        );
        assert_eq!(
            found(r#"{"code":"invalid-argument","error":"no"}"#),
            [one("no", None, "invalid-argument")]
        );
        assert_eq!(
            found(
                r#"{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\"error\":{\"message\":\"no\",\"param\":\"stream\"}}"}}}"#
            ),
            [
                one("Provider returned error", None, ""),
                one("no", Some("stream"), "")
            ]
        );
        assert_eq!(
            found(r#"[{"error": {"message": "no", "status": "INVALID_ARGUMENT"}}]"#),
            [one("no", None, "invalid_argument")]
        );
        assert_eq!(found("plain \n words"), [one("plain words", None, "")]);
        assert_eq!(found("<html>unknown field stream</html>"), []);
        assert_eq!(found("7"), []);
    }

    #[test]
    fn quotations_of_the_question_do_not_count() {
        for body in [
            "refused: why the stream_options are unsupported here",
            "{\"error\": {\"message\": \"refused: say why the\\\\nstream_options are unsupported here\"}}",
        ] {
            let message = &found(body)[0].0;
            assert!(message.starts_with("refused:"), "{message}");
            assert!(
                !message.contains("unsupported") && !message.contains("stream_options"),
                "{message}"
            );
        }
    }

    #[test]
    fn long_and_deep_bodies_are_bounded() {
        let deep = format!("{}\"x\"{}", "[".repeat(100), "]".repeat(100));
        assert_eq!(found(&deep), []);
        let many = serde_json::to_string(&vec!["x"; 1000]).unwrap();
        assert_eq!(found(&many).len(), MOST);
        let long = "\u{e4}".repeat(10_000);
        assert!(found(&long)[0].0.len() <= MESSAGE_BYTES + 3);
    }
}
