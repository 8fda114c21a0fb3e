//! What a model can make of a question as it comes over the wire.

use serde_json::Value;
use tiller_vlm::{Author, AuthorRequest, SceneKeypoint};

/// Every text in a request's body, the conversation's in order.
fn texts(request: &str) -> Vec<String> {
    fn collect(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::String(text) => found.push(text.clone()),
            Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
            Value::Object(fields) => fields.values().for_each(|field| collect(field, found)),
            _ => {}
        }
    }
    let body = request.split_once("\r\n\r\n").unwrap().1;
    let mut found = Vec::new();
    collect(&serde_json::from_str(body).unwrap(), &mut found);
    found
}

/// Whether a request asks for a stage, not for a program.
pub fn is_advice(request: &str) -> bool {
    texts(request)
        .iter()
        .any(|text| text.contains("Which stage should it be in?"))
}

/// Whether a request shows a refused answer to its author.
pub fn is_repair(request: &str) -> bool {
    texts(request)
        .iter()
        .any(|text| text.contains("Your program was refused"))
}

/// Instruction and keypoints of a question for a program, read off its words.
pub fn request_of(request: &str) -> AuthorRequest {
    let question = texts(request)
        .into_iter()
        .find(|text| text.contains("<keypoints>") && text.contains("<instruction>"))
        .expect("a question for a program");
    let section = |name: &str| {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let start = question.find(&open).unwrap() + open.len();
        let end = start + question[start..].find(&close).unwrap();
        question[start..end].trim().to_owned()
    };
    let unquoted = |text: &str| serde_json::from_str::<String>(text.trim()).unwrap();
    let keypoint = |line: &str| {
        let [index, name, position]: [&str; 3] =
            line.split('|').collect::<Vec<_>>().try_into().ok()?;
        let numbers: Vec<f64> = position
            .split(',')
            .filter_map(|number| number.trim().parse().ok())
            .collect();
        Some(SceneKeypoint {
            index: index.trim().parse().ok()?,
            name: unquoted(name),
            position_m: numbers.try_into().ok()?,
        })
    };
    AuthorRequest {
        hand: tiller_vlm::HandAccess::POSITIONS,
        instruction: unquoted(&section("instruction")),
        keypoints: section("keypoints").lines().filter_map(keypoint).collect(),
    }
}

/// The answer of `author` to a question for a program, in a model's manner.
pub fn write(request: &str, author: &dyn Author) -> String {
    let answer = author.author(&request_of(request)).unwrap();
    format!("Here is the program.\n\n```python\n{}```\n", answer.text)
}
