//! What a refusal is about.

use std::collections::BTreeMap;

use serde_json::Value;

use super::complaint::{Complaint, complaints};
use super::{Change, EFFORT, LIMITS, Refused, limit};

/// Words that say that something is not taken.
const REFUSALS: [&str; 38] = [
    "unsupported",
    "not supported",
    "no longer supported",
    "does not support",
    "doesn't support",
    "don't support",
    "do not support",
    "isn't supported",
    "aren't supported",
    "unrecognized",
    "unrecognised",
    "not recognized",
    "unknown",
    "unexpected",
    "not permitted",
    "not allowed",
    "not accepted",
    "does not accept",
    "not enabled",
    "not available",
    "not implemented",
    "not compatible",
    "incompatible",
    "disabled",
    "deprecated",
    "extra_forbidden",
    "extra inputs",
    "extra fields",
    "extraneous",
    "additional properties",
    "cannot find field",
    "cannot be used",
    "no such field",
    "may only be set to 1",
    "only the default",
    "is allowed for this model",
    "invalid field",
    "instead of",
];
/// The same as codes.
const REFUSAL_CODES: [&str; 8] = [
    "unsupported_parameter",
    "unsupported_value",
    "unknown_parameter",
    "unknown_field",
    "unrecognized_parameter",
    "unrecognized_request_argument",
    "extra_forbidden",
    "value_error.extra",
];
/// Codes of refusals that no other request would help against.
const OTHER_MATTERS: [&str; 12] = [
    "content_filter",
    "content_policy",
    "responsibleai",
    "moderation",
    "safety",
    "api_key",
    "authentication",
    "permission",
    "quota",
    "billing",
    "rate_limit",
    "model_not_found",
];
/// Bytes between a name and the words that refuse it.
const NEAR: usize = 80;
/// Fields without which a request is none.
const VITAL: [&str; 20] = [
    "model",
    "messages",
    "role",
    "content",
    "type",
    "text",
    "image_url",
    "url",
    "source",
    "media_type",
    "data",
    "system",
    "contents",
    "parts",
    "inlineData",
    "mimeType",
    "systemInstruction",
    "generationConfig",
    "input",
    "instructions",
];
/// Most changes of the limit's value or name.
const MOST_OF_A_KIND: usize = 3;

/// The change that a refusal asks for, if it is clear and not made yet.
pub(super) fn decide(refused: Refused<'_>, made: &[Change], has_second: bool) -> Option<Change> {
    if matches!(refused.status, 404 | 405) {
        let words = refused.body.to_lowercase();
        let is_of_path = !["model", "deployment", "image", "endpoint"]
            .iter()
            .any(|word| words.contains(word));
        let change = (has_second && is_of_path).then_some(Change::Second);
        return change.filter(|change| !made.contains(change));
    }
    // Some servers trip over a field, or over a chat's template, and answer 500; others have said 200 by then.
    if !matches!(refused.status, 200 | 400 | 416 | 422 | 500 | 501) {
        return None;
    }
    let complaints = complaints(refused.body, refused.sent);
    let is_other = |one: &Complaint| OTHER_MATTERS.iter().any(|code| one.code.contains(code));
    if complaints.iter().any(is_other) {
        return None;
    }
    let names = names(refused, made);
    let is_new = |change: &Change| !made.contains(change);
    complaints
        .iter()
        .find_map(|one| new_limit(one, refused, made).filter(is_new))
        .or_else(|| {
            complaints
                .iter()
                .find_map(|one| streaming(one, refused, made).filter(is_new))
        })
        .or_else(|| {
            complaints
                .iter()
                .find_map(|one| system(one, refused).filter(is_new))
        })
        .or_else(|| {
            complaints
                .iter()
                .find_map(|one| field(one, refused, &names, made).filter(is_new))
        })
}

fn current_limit(sent: &Value) -> Option<u32> {
    let names = LIMITS.iter().find_map(|name| sent.get(name));
    let limit = names.or_else(|| sent.pointer("/generationConfig/maxOutputTokens"));
    u32::try_from(limit?.as_u64()?).ok()
}

fn new_limit(complaint: &Complaint, refused: Refused<'_>, made: &[Change]) -> Option<Change> {
    if made
        .iter()
        .filter(|one| matches!(one, Change::Limit(_)))
        .count()
        >= MOST_OF_A_KIND
    {
        return None;
    }
    let field = complaint.field.as_deref().unwrap_or_default();
    let words = format!("{field}: {}", complaint.message);
    limit::asked(&words, current_limit(refused.sent)?).map(Change::Limit)
}

fn streaming(complaint: &Complaint, refused: Refused<'_>, made: &[Change]) -> Option<Change> {
    let words = complaint.message.to_lowercase();
    // OpenAI asks for a proof of who one is before it streams some models.
    if refused.stream && words.contains("verified to stream") {
        return Some(Change::Whole);
    }
    let wanted = [
        "only support stream",
        "only supports stream",
        "must have stream=true",
        "stream must be true",
        "stream must be set to true",
        "must be streamed",
        "requires stream",
        "streaming is required",
        "please enable the stream",
        "non-streaming is not supported",
        "non-streaming requests are not supported",
        "non-streaming responses are not supported",
    ];
    let is_wanted = wanted.iter().any(|words_of| words.contains(words_of));
    (!refused.stream && is_wanted && !made.contains(&Change::Whole)).then_some(Change::Streamed)
}

/// Complaints about who says the system's words.
fn system(complaint: &Complaint, refused: Refused<'_>) -> Option<Change> {
    let role = refused
        .sent
        .pointer("/messages/0/role")
        .and_then(Value::as_str);
    let is_apart = ["system", "instructions", "systemInstruction"]
        .iter()
        .any(|name| refused.sent.get(name).is_some());
    let role = match role {
        Some(role @ ("system" | "developer")) => role,
        _ if is_apart => "system",
        _ => return None,
    };
    let words = complaint.message.to_lowercase();
    let field = complaint
        .field
        .as_deref()
        .unwrap_or_default()
        .to_lowercase();
    let refuses = is_refusal(&words, &complaint.code);
    let has = |list: &[&str]| list.iter().any(|part| words.contains(part));
    let quoted = ["'", "\"", "`"]
        .iter()
        .any(|quote| words.contains(&format!("{quote}{role}{quote}")));
    let last = field.rsplit(['.', ']']).next().unwrap_or_default();
    let is_of_role = (words.contains("role") && quoted && refuses)
        || (last == "role" && (refuses || words.contains("'user'") || words.contains("\"user\"")))
        || ([
            "system",
            "instructions",
            "systeminstruction",
            "system_instruction",
        ]
        .contains(&last)
            && refuses)
        || (has(&[
            "unknown name \"systeminstruction\"",
            "unknown name \"system_instruction\"",
        ]))
        || ["role", "message", "prompt", "instruction"]
            .iter()
            .any(|kind| {
                let names = ["system", "developer"].map(|who| format!("{who} {kind}"));
                names.iter().any(|name| is_refused_nearby(&words, name))
            })
        || has(&[
            "does not support system",
            "doesn't support system",
            "role system is not supported",
            "unexpected role 'system'",
            "only user and assistant roles",
            "only user, assistant and tool roles",
        ])
        || (words.contains("roles must alternate user/assistant")
            && !words.contains("optional system message"));
    if !is_of_role {
        return None;
    }
    let takes_developer = ["'developer'", "\"developer\"", "`developer`"]
        .iter()
        .any(|name| words.contains(name));
    Some(
        match role == "system" && takes_developer && refused.sent.get("messages").is_some() {
            true => Change::Developer,
            false => Change::Folded,
        },
    )
}

/// Whether words that refuse stand close to a name, in the same sentence.
fn is_refused_nearby(words: &str, name: &str) -> bool {
    words.match_indices(name).any(|(start, _)| {
        let end = start + name.len();
        REFUSALS
            .iter()
            .flat_map(|refusal| words.match_indices(refusal))
            .any(|(at, refusal)| {
                let (from, to) = match at >= end {
                    true => (end, at),
                    false => (at + refusal.len(), start),
                };
                from <= to && to - from <= NEAR / 2 && !words[from..to].contains(". ")
            })
    })
}

/// What each name of a field, without underscores and in lower case, would change, and whether it is
/// also a plain word, which must be marked as a name to count.
type Names = BTreeMap<String, (Change, bool)>;

fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| *c != '_')
        .collect::<String>()
        .to_lowercase()
}

fn names(refused: Refused<'_>, made: &[Change]) -> Names {
    let sent = refused.sent;
    let mut names = Names::new();
    collect(sent, &mut Vec::new(), &mut names);
    let mut add = |name: &str, change: Change, is_word: bool| {
        names.insert(plain(name), (change, is_word));
    };
    if refused.stream {
        add("stream", Change::Whole, true);
        add("streaming", Change::Whole, false);
    }
    if EFFORT.iter().any(|pointer| sent.pointer(pointer).is_some()) {
        for name in [
            "reasoning_effort",
            "thinking",
            "thinking_budget",
            "thinking_level",
            "thinking_config",
            "budget_tokens",
        ] {
            add(name, Change::NoEffort, false);
        }
        for name in ["reasoning", "effort", "think", "output_config"] {
            add(name, Change::NoEffort, true);
        }
    }
    if has_detail(sent) {
        add("detail", Change::NoDetail, true);
        add("media_resolution", Change::NoDetail, false);
    }
    // The formats with a choice of names.
    let is_open = sent.get("input").is_some()
        || (sent.get("messages").is_some() && sent.get("system").is_none());
    let renames = made
        .iter()
        .filter(|one| matches!(one, Change::Rename { .. }))
        .count();
    let current = LIMITS.iter().find(|name| sent.get(**name).is_some());
    if let (Some(current), true) = (current, is_open && renames < MOST_OF_A_KIND) {
        add(
            current,
            Change::Rename {
                from: current,
                to: current,
            },
            false,
        );
    }
    names
}

/// The fields that a request can do without, by their names.
fn collect(value: &Value, path: &mut Vec<String>, names: &mut Names) {
    for (name, inner) in value.as_object().into_iter().flatten() {
        path.push(name.clone());
        let is_limit =
            LIMITS.contains(&name.as_str()) || name == "maxOutputTokens" || name == "stream";
        if !is_limit && !VITAL.contains(&name.as_str()) {
            let is_word =
                name.bytes().all(|byte| byte.is_ascii_lowercase()) && name != "temperature";
            names.insert(plain(name), (Change::Without(path.clone()), is_word));
        }
        if !matches!(name.as_str(), "messages" | "contents" | "input") {
            collect(inner, path, names);
        }
        path.pop();
    }
}

fn has_detail(value: &Value) -> bool {
    match value {
        Value::Array(values) => values.iter().any(has_detail),
        Value::Object(fields) => {
            fields.contains_key("detail")
                || fields.contains_key("mediaResolution")
                || fields.values().any(has_detail)
        }
        _ => false,
    }
}

fn is_refusal(words: &str, code: &str) -> bool {
    REFUSALS.iter().any(|refusal| words.contains(refusal))
        || REFUSAL_CODES.iter().any(|refusal| code.contains(refusal))
}

/// Complaints about a field.
fn field(
    complaint: &Complaint,
    refused: Refused<'_>,
    names: &Names,
    made: &[Change],
) -> Option<Change> {
    let words = complaint.message.to_lowercase();
    let named = |path: &str| {
        let parts = path.split(['.', '[', ']']).rev();
        parts.map(plain).find_map(|part| names.get(&part))
    };
    let change = match &complaint.field {
        // The server says which field it means.
        Some(field) if is_refusal(&words, &complaint.code) => {
            named(field).map(|(change, _)| change)
        }
        Some(_) => None,
        None => nearest(&complaint.message, &words, &named),
    }?;
    match change {
        Change::Rename { from, .. } => rename(from, &words, refused, made),
        Change::NoEffort
            if refused
                .sent
                .pointer("/thinking/type")
                .is_some_and(|kind| kind == "enabled")
                && words.contains("adaptive") =>
        {
            Some(Change::Adaptive)
        }
        change => Some(change.clone()),
    }
}

/// The other name of the token limit: the one that the server mentions, or else one that was not tried.
fn rename(
    from: &'static str,
    words: &str,
    refused: Refused<'_>,
    made: &[Change],
) -> Option<Change> {
    let is_responses = refused.sent.get("input").is_some();
    let tried = |name: &str| {
        name == from
            || made
                .iter()
                .any(|one| matches!(one, Change::Rename { from, .. } if *from == name))
    };
    let untried = || LIMITS.iter().copied().filter(|name| !tried(name));
    let usual = |name: &&str| is_responses || *name != "max_output_tokens";
    let to = untried()
        .find(|name| words.contains(name))
        .or_else(|| untried().find(usual))?;
    Some(Change::Rename { from, to })
}

/// The field whose name stands next to words that refuse it, in the same sentence.
fn nearest<'n>(
    message: &str,
    lower: &str,
    named: &impl Fn(&str) -> Option<&'n (Change, bool)>,
) -> Option<&'n Change> {
    if message.len() != lower.len() {
        return None;
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_-.[]".contains(c);
    let mut tokens: Vec<(usize, usize, &Change)> = Vec::new();
    let mut start = 0;
    for piece in message.split_inclusive(|c: char| !is_part(c)) {
        let word = piece.trim_end_matches(|c: char| !is_part(c));
        let path = word.trim_matches(['.', '[', ']', '-']);
        let begin = start + word.find(path).unwrap_or(0);
        let end = begin + path.len();
        if let Some((change, is_word)) = named(path) {
            let (before, after) = (&lower[..begin], &lower[end..]);
            let kinds = [
                "parameter",
                "argument",
                "field",
                "option",
                "property",
                "key",
            ];
            let is_marked = path.contains(['.', '_'])
                || before.ends_with(['\'', '"', '`', '.', '(', '['])
                || before.ends_with(": ")
                || after.starts_with(['=', ':'])
                || (before.is_empty() && after.starts_with(' '))
                || kinds.iter().any(|kind| {
                    before.trim_end().ends_with(kind) || after.trim_start().starts_with(kind)
                });
            if is_marked || !is_word {
                tokens.push((begin, end, change));
            }
        }
        start += piece.len();
    }
    let is_apart = |from: usize, to: usize| {
        let between = &message[from..to];
        between.len() > NEAR || [". ", "; ", "! "].iter().any(|stop| between.contains(stop))
    };
    let distance = |at: usize, end: usize, token: &(usize, usize, &Change)| match token {
        (begin, token_end, _) if *token_end <= at && !is_apart(*token_end, at) => {
            Some(at - token_end)
        }
        (begin, _, _) if *begin >= end && !is_apart(end, *begin) => Some(begin - end),
        _ => None,
    };
    REFUSALS
        .iter()
        .flat_map(|refusal| lower.match_indices(refusal))
        .filter_map(|(at, refusal)| {
            let end = at + refusal.len();
            tokens
                .iter()
                .filter_map(|token| Some((distance(at, end, token)?, token.2)))
                .min_by_key(|(distance, _)| *distance)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, change)| change)
}
