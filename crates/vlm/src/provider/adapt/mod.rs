//! Requests that change once to what a server says it takes.
//!
//! Servers that speak the same format know different fields: the newer name of the token limit, no
//! temperature, no system role. What one refuses in words that leave no doubt is done differently
//! from then on; everything else stays an error.

mod complaint;
mod decide;
mod limit;

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::wire::thinking_tokens;

/// Names of the token limit in OpenAI's formats.
const LIMITS: [&str; 3] = ["max_completion_tokens", "max_tokens", "max_output_tokens"];
/// Where a request says how hard the model is to think.
const EFFORT: [&str; 5] = [
    "/reasoning_effort",
    "/reasoning",
    "/thinking",
    "/output_config/effort",
    "/generationConfig/thinkingConfig",
];

/// What is done differently because the server asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adaptation {
    /// What is done now.
    pub what: String,
    /// The setting that makes it so from the start, such as `STREAM=off`; none if there is no such one.
    pub setting: Option<String>,
}

/// One change of requests.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Change {
    /// The token limit goes by another name.
    Rename {
        from: &'static str,
        to: &'static str,
    },
    /// No more tokens than this.
    Limit(u32),
    /// The answer is asked for in one piece.
    Whole,
    /// The answer is asked for as a stream.
    Streamed,
    /// The system's words come from the developer.
    Developer,
    /// The system's words stand before the user's.
    Folded,
    /// Anthropic's newer way to say how hard the model thinks.
    Adaptive,
    NoEffort,
    NoDetail,
    /// Without the field at this path.
    Without(Vec<String>),
    /// The other of two likely paths of the URL.
    Second,
}

/// What is known of a server so far.
#[derive(Debug, Default)]
pub(super) struct Adaptations {
    changes: Mutex<Vec<Change>>,
    /// The word for how hard the model is to think.
    effort: Option<String>,
    /// The other URL, if there are two likely ones.
    second_url: Option<String>,
}

/// A request that a server did not take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refused<'a> {
    pub(super) status: u16,
    /// The words of the server.
    pub(super) body: &'a str,
    /// The request's body.
    pub(super) sent: &'a Value,
    pub(super) stream: bool,
}

impl Adaptations {
    pub(super) fn new(effort: Option<&str>, second_url: Option<String>) -> Self {
        Self {
            changes: Mutex::default(),
            effort: effort.map(str::to_owned),
            second_url,
        }
    }

    fn changes(&self) -> MutexGuard<'_, Vec<Change>> {
        // Every state of the list is a sound one.
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many changes there are by now.
    pub(super) fn count(&self) -> usize {
        self.changes().len()
    }

    /// Whether the answer is asked for as a stream.
    pub(super) fn stream(&self, wanted: bool) -> bool {
        let changes = self.changes();
        (wanted || changes.contains(&Change::Streamed)) && !changes.contains(&Change::Whole)
    }

    /// Whether the other of two likely URLs is asked.
    pub(super) fn second(&self) -> bool {
        self.changes().contains(&Change::Second)
    }

    /// Changes a request's body to what the server takes.
    pub(super) fn apply(&self, body: &mut Value) {
        for change in self.changes().iter() {
            change.apply(body, self.effort.as_deref());
        }
    }

    /// Learns from a refusal. Gives what is done differently from now on, or nothing if there is
    /// nothing to learn; no change is ever learnt twice.
    pub(super) fn learn(&self, refused: Refused<'_>) -> Option<Adaptation> {
        let mut changes = self.changes();
        let change = decide::decide(refused, &changes, self.second_url.is_some())?;
        let adaptation = self.describe(&change);
        changes.push(change);
        Some(adaptation)
    }

    /// What is done differently, each thing once.
    pub(super) fn list(&self) -> Vec<Adaptation> {
        let changes = self.changes();
        let is_last = |at: usize| {
            let later = &changes[at + 1..];
            match &changes[at] {
                Change::Rename { .. } => {
                    !later.iter().any(|one| matches!(one, Change::Rename { .. }))
                }
                Change::Limit(_) => !later.iter().any(|one| matches!(one, Change::Limit(_))),
                Change::Developer => !later.contains(&Change::Folded),
                Change::Adaptive => !later.contains(&Change::NoEffort),
                _ => true,
            }
        };
        let last = (0..changes.len()).filter(|at| is_last(*at));
        last.map(|at| self.describe(&changes[at])).collect()
    }

    fn describe(&self, change: &Change) -> Adaptation {
        let (what, setting) = match change {
            Change::Rename { to, .. } => (
                format!("the token limit is sent as `{to}`"),
                Some(format!("TOKEN_LIMIT_NAME={to}")),
            ),
            Change::Limit(tokens) => (
                format!("answers have at most {tokens} tokens"),
                Some(format!("MAX_OUTPUT_TOKENS={tokens}")),
            ),
            Change::Whole => (
                "answers are asked for in one piece".to_owned(),
                Some("STREAM=off".to_owned()),
            ),
            Change::Streamed => (
                "answers are asked for as a stream".to_owned(),
                Some("STREAM=on".to_owned()),
            ),
            Change::Developer => (
                "the system prompt is sent in the role `developer`".to_owned(),
                None,
            ),
            Change::Folded => (
                "the system prompt stands at the head of the question".to_owned(),
                None,
            ),
            Change::Adaptive => (
                "the effort is sent in `output_config`, with adaptive thinking".to_owned(),
                None,
            ),
            Change::NoEffort => (
                "the reasoning effort is left to the server".to_owned(),
                Some("REASONING_EFFORT=".to_owned()),
            ),
            Change::NoDetail => (
                "the picture's detail is left to the server".to_owned(),
                Some("PICTURE_DETAIL=".to_owned()),
            ),
            Change::Without(path) if path.last().is_some_and(|name| name == "temperature") => (
                "the temperature is left to the server".to_owned(),
                Some("TEMPERATURE=".to_owned()),
            ),
            Change::Without(path) => {
                let field = path
                    .iter()
                    .rev()
                    .fold(Value::Null, |inner, name| json!({name: inner}));
                (
                    format!("`{}` is left out", path.join(".")),
                    Some(format!("EXTRA_BODY={field}")),
                )
            }
            Change::Second => (
                "another path of the server is asked".to_owned(),
                self.second_url
                    .as_ref()
                    .map(|url| format!("BASE_URL={url}")),
            ),
        };
        Adaptation { what, setting }
    }
}

impl Change {
    fn apply(&self, body: &mut Value, effort: Option<&str>) {
        match self {
            Change::Rename { from, to } => {
                if let Some(limit) = remove(body, &[from]) {
                    body[*to] = limit;
                }
            }
            Change::Limit(tokens) => set_limit(body, *tokens),
            // The field itself may be what the server does not know.
            Change::Whole => drop(remove(body, &["stream"])),
            Change::Streamed | Change::Second => {}
            Change::Developer => {
                if let Some(role) = body
                    .pointer_mut("/messages/0/role")
                    .filter(|role| *role == "system")
                {
                    *role = json!("developer");
                }
            }
            Change::Folded => fold(body),
            Change::Adaptive => {
                if body.get("thinking").is_some() {
                    body["thinking"] = json!({"type": "adaptive"});
                    body["output_config"]["effort"] = json!(adaptive_effort(effort));
                }
            }
            Change::NoEffort => {
                for pointer in EFFORT {
                    let path: Vec<&str> = pointer.split('/').skip(1).collect();
                    remove(body, &path);
                }
            }
            Change::NoDetail => {
                remove(body, &["generationConfig", "mediaResolution"]);
                without_detail(body);
            }
            Change::Without(path) => {
                let path: Vec<&str> = path.iter().map(String::as_str).collect();
                remove(body, &path);
            }
        }
    }
}

/// Anthropic's word for an effort that may be a number of tokens.
fn adaptive_effort(effort: Option<&str>) -> &'static str {
    match effort.and_then(thinking_tokens).unwrap_or(8192) {
        0..=4095 => "low",
        4096..=12_287 => "medium",
        12_288..=28_671 => "high",
        _ => "max",
    }
}

/// Removes a field and the objects that are empty without it.
fn remove(body: &mut Value, path: &[&str]) -> Option<Value> {
    let (name, rest) = path.split_first()?;
    let fields = body.as_object_mut()?;
    if rest.is_empty() {
        return fields.remove(*name);
    }
    let inner = fields.get_mut(*name)?;
    let removed = remove(inner, rest)?;
    if inner.as_object().is_some_and(serde_json::Map::is_empty) {
        fields.remove(*name);
    }
    Some(removed)
}

fn set_limit(body: &mut Value, tokens: u32) {
    let pointers = [
        "/max_completion_tokens",
        "/max_tokens",
        "/max_output_tokens",
        "/generationConfig/maxOutputTokens",
    ];
    for pointer in pointers {
        if let Some(limit) = body.pointer_mut(pointer) {
            *limit = json!(tokens);
        }
    }
    // Thoughts are part of the answer, and Anthropic takes no fewer than 1024 tokens for them.
    let room = tokens / 4 * 3;
    if body
        .pointer("/thinking/budget_tokens")
        .and_then(Value::as_u64)
        > Some(room.into())
    {
        match room {
            0..1024 => drop(remove(body, &["thinking"])),
            _ => body["thinking"]["budget_tokens"] = json!(room),
        }
    }
}

/// Puts the system's words before the user's first ones, in whichever format.
fn fold(body: &mut Value) {
    let system = match body.get("messages").and_then(Value::as_array) {
        Some(messages)
            if matches!(
                messages.first().and_then(|first| first["role"].as_str()),
                Some("system" | "developer")
            ) =>
        {
            body["messages"]
                .as_array_mut()
                .map(|messages| messages.remove(0)["content"].take())
        }
        _ => ["system", "instructions", "systemInstruction"]
            .iter()
            .find_map(|name| remove(body, &[name])),
    };
    let system = match system {
        Some(Value::String(text)) => text,
        Some(parts) => match parts.pointer("/parts/0/text").and_then(Value::as_str) {
            Some(text) => text.to_owned(),
            None => return,
        },
        None => return,
    };
    let text = [
        "/messages/0/content",
        "/contents/0/parts/0/text",
        "/input/0/content",
    ]
    .iter()
    .find(|pointer| body.pointer(pointer).is_some())
    .and_then(|pointer| body.pointer_mut(pointer));
    let text = match text {
        Some(Value::Array(parts)) => parts.iter_mut().find_map(|part| part.get_mut("text")),
        other => other,
    };
    if let Some(Value::String(text)) = text {
        *text = format!("{system}\n\n{text}");
    }
}

/// Removes `detail` wherever a picture stands.
fn without_detail(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(without_detail),
        Value::Object(fields) => {
            let is_picture = fields.get("type").is_some_and(|kind| kind == "input_image")
                || fields.get("url").is_some_and(Value::is_string);
            if is_picture {
                fields.remove("detail");
            }
            fields.values_mut().for_each(without_detail);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
