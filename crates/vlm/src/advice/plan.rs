//! Which of the objects that were found matter for a task.

use tiller_core::MAX_INSTRUCTION;

use super::AnswerError;
use super::answer::{object_with, whole_number};
use crate::prompt::{PlanPrompt, PromptSet, Quoted, numbered};
use crate::provider::{Picture, Purpose, Query, Role, Turn, visible_line};

const FORM: &str = "{\"objects\": [numbers from the list]}";
/// Most objects of a plan.
pub const MAX_OBJECTS: usize = 16;
/// Characters of an object's name.
const MAX_NAME: usize = 60;

/// Asks which of `objects` matter for the instruction.
#[must_use]
pub fn plan_query(
    prompts: &PromptSet,
    instruction: &str,
    objects: &[String],
    picture: Option<Picture>,
) -> Query {
    let values = PlanPrompt {
        objects: numbered(objects.iter().map(String::as_str), MAX_NAME),
        instruction: Quoted::new(instruction, MAX_INSTRUCTION),
    };
    let (system, text) = prompts.plan(MAX_OBJECTS, &values);
    Query {
        purpose: Purpose::Plan,
        system,
        turns: vec![Turn {
            role: Role::User,
            text,
        }],
        picture,
        scene: None,
    }
}

/// Indices, counted from 0 and ascending, into the `count` objects that were asked about.
///
/// # Errors
/// [`AnswerError`] if the answer has another form, names nothing, too much or what was not offered.
pub fn parse_plan(text: &str, count: usize) -> Result<Vec<usize>, AnswerError> {
    let object = object_with(text, "objects", FORM)?;
    let malformed = |found: String| AnswerError::Malformed {
        expected: FORM,
        found,
    };
    let Some(items) = object["objects"].as_array() else {
        return Err(malformed(visible_line(&object["objects"].to_string(), 40)));
    };
    if items.is_empty() || items.len() > MAX_OBJECTS {
        return Err(malformed(format!("{} numbers", items.len())));
    }
    let mut chosen = Vec::new();
    for item in items {
        let number =
            whole_number(item).ok_or_else(|| malformed(visible_line(&item.to_string(), 40)))?;
        let index = usize::try_from(number)
            .ok()
            .and_then(|number| number.checked_sub(1));
        match index.filter(|index| *index < count) {
            Some(index) => chosen.push(index),
            None => {
                return Err(AnswerError::Impossible {
                    found: format!("object {number}"),
                    range: format!("1 to {count}"),
                });
            }
        }
    }
    chosen.sort_unstable();
    chosen.dedup();
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_a_choice_of_what_was_offered() {
        assert_eq!(
            parse_plan("{\"objects\": [3, 1, \"3\"]}", 3).unwrap(),
            [0, 2]
        );
        for text in [
            "[1]",
            "{\"objects\": []}",
            "{\"objects\": 1}",
            "{\"objects\": [\"drawer\"]}",
            "{\"objects\": [1.5]}",
        ] {
            assert!(
                matches!(parse_plan(text, 3), Err(AnswerError::Malformed { .. })),
                "{text}"
            );
        }
        for text in ["{\"objects\": [0]}", "{\"objects\": [1, 4]}"] {
            assert!(
                matches!(parse_plan(text, 3), Err(AnswerError::Impossible { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn the_question_lists_the_objects() {
        let prompts = PromptSet::load(None).unwrap();
        let names = ["drawer".to_owned(), "red\n3. block".to_owned()];
        let query = plan_query(&prompts, "open it", &names, None);
        let text = &query.turns[0].text;
        assert!(
            text.contains("<objects>\n1. \"drawer\"\n2. \"red 3. block\"\n</objects>"),
            "{text}"
        );
        assert!(
            query.system.contains("at most 16 numbers"),
            "{}",
            query.system
        );
    }
}
