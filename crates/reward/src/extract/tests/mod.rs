//! Answers in every manner, and what of them counts.

mod drafts;
mod soup;
mod thoughts;

use super::extract;
use crate::diagnostic::Span;

#[test]
fn takes_the_program_out_of_a_chat_answer() {
    let text = "Sure!\r\n\r\n1. Do this:\n   ```python\n   num_stages = 1\n   def stage1_guidance(k, a):\n       return a\n   ```\nHope it helps.\n```bash\nls\n```\n";
    let extracted = extract(text).unwrap();
    assert_eq!(
        extracted.python(),
        "num_stages = 1\ndef stage1_guidance(k, a):\n    return a\n"
    );
    let start = extracted.python().find("return").unwrap() as u32;
    let range = extracted.original(
        Span {
            start,
            end: start + 6,
        },
        text,
    );
    assert_eq!(&text[range], "return");
}

#[test]
fn prose_without_fences_is_left_out() {
    let text = "Here is the program you asked for\nnum_stages = 1\ndef stage1_guidance(k, a):\n  return 0\n\nThis keeps the arm still.\n";
    let extracted = extract(text).unwrap();
    assert!(extracted.python().starts_with("num_stages"));
    assert!(extracted.python().trim_end().ends_with("return 0"));
}

#[test]
fn several_blocks_are_joined_and_an_open_fence_runs_on() {
    let text = "```\nnum_stages = 2\n```\nand\n~~~py\ndef stage1_guidance(k, a):\n    return 0\n";
    let extracted = extract(text).unwrap();
    assert_eq!(
        extracted.python(),
        "num_stages = 2\ndef stage1_guidance(k, a):\n    return 0\n"
    );
}

#[test]
fn programs_are_found_in_every_kind_of_answer() {
    const PROGRAM: &str = "num_stages = 1\ndef stage1_guidance(k, a):\n    return a.sum()\n";
    let fenced = |open: &str, close: &str| format!("Sure.\n{open}\n{PROGRAM}{close}\nDone.");
    let nbsp = PROGRAM.replace("    return a", "\u{a0}\u{a0}\u{a0}\u{a0}return\u{a0}a");
    let prose = "Let\u{2019}s go\u{a0}\u{2013} here\u{2019}s \u{201c}it\u{201d}:";
    let cases = [
        ("bare", PROGRAM.to_owned()),
        ("python", fenced("```python", "```")),
        ("py", fenced("```py", "```")),
        ("Python", fenced("```Python", "```")),
        (
            "python3 with attributes",
            fenced("```python3 title=\"x\"", "```"),
        ),
        ("no language", fenced("```", "```")),
        ("tildes", fenced("~~~", "~~~")),
        ("longer fence", fenced("````python", "````")),
        ("space before the language", fenced("``` python", "```  ")),
        ("unclosed", format!("```python\n{PROGRAM}")),
        ("indented", fenced("  ```python", "  ```")),
        ("byte order mark", format!("\u{feff}{PROGRAM}")),
        (
            "byte order mark and fence",
            format!("\u{feff}```python\n{PROGRAM}```"),
        ),
        (
            "typographic prose",
            format!("{prose}\n```python\n{PROGRAM}```\n{prose}"),
        ),
        (
            "typographic prose without fences",
            format!("{prose}\n{PROGRAM}\n{prose}\n"),
        ),
        (
            "inline code before",
            format!("Use ```num_stages = 1``` first.\n{PROGRAM}"),
        ),
        (
            "other blocks",
            format!("```bash\nls\n```\n```python\n{PROGRAM}```\n```\n1\n```"),
        ),
        (
            "thoughts",
            format!("<think>\n```python\nnum_stages = 7\n```\n</think>\n{PROGRAM}"),
        ),
        (
            "thoughts without fences",
            format!("<thinking>num_stages = 7\n</thinking>\n{PROGRAM}"),
        ),
        (
            "bullets",
            format!("- first, reach\n* then stop\n1. done\n{PROGRAM}"),
        ),
        ("non-breaking spaces in the code", nbsp),
    ];
    for (name, text) in cases {
        let extracted = extract(&text).unwrap();
        assert_eq!(extracted.python().trim_end(), PROGRAM.trim_end(), "{name}");
        let start = extracted.python().find("a.sum").unwrap() as u32;
        let span = Span {
            start,
            end: start + 5,
        };
        assert_eq!(&text[extracted.original(span, &text)], "a.sum", "{name}");
    }
}

#[test]
fn prose_between_functions_is_left_out() {
    let text = "num_stages = 2\n\nFirst, the reach:\n\ndef stage1_guidance(k, a):\n    \
        x = [\n1,\n]\n    return a.sum()\n\nNow the second one (it is short):\n  - lower it\n\
        def stage2_guidance(k, a):\n    \"\"\"Doc\nstring here\n\"\"\"\n    return 0\n\nGood luck!\n";
    let extracted = extract(text).unwrap();
    let python = extracted.python();
    for kept in [
        "num_stages = 2",
        "\n1,\n]",
        "string here",
        "def stage2",
        "return 0",
    ] {
        assert!(python.contains(kept), "{kept} in {python}");
    }
    for gone in ["First", "Now", "lower", "Good"] {
        assert!(!python.contains(gone), "{gone} in {python}");
    }
}

#[test]
fn plain_text_is_not_a_program() {
    assert!(extract("I cannot do that.").is_err());
    assert!(extract("").is_err());
}

/// A program that reads keypoint 0, and a draft of one that reads keypoint 2 and has a `done`.
const ANSWER: &str = "num_stages = 2\n# Stage 1: above\ndef stage1_guidance(keypoints, action_sequence):\n    return -(action_sequence - keypoints[0]).norm()\n# Stage 2: push\ndef stage2_guidance(keypoints, action_sequence):\n    return -(action_sequence - keypoints[0]).abs().sum()\n";
const DRAFT: &str = "num_stages = 2\n# Stage 1: draft\ndef stage1_guidance(keypoints, action_sequence):\n    return -(action_sequence - keypoints[2]).norm()\ndef stage1_done(keypoints, start_keypoints, end_effector):\n    return 0.5 - (end_effector - keypoints[2]).norm()\n# Stage 2: draft\ndef stage2_guidance(keypoints, action_sequence):\n    return -(action_sequence - keypoints[2]).norm()\n";

fn fenced(code: &str) -> String {
    format!("```python\n{code}```")
}

/// That the answer counts in every text of `cases`, and nothing of the draft.
fn assert_answered(cases: &[(&str, String)]) {
    for (name, text) in cases {
        let extracted = extract(text).unwrap_or_else(|draft| panic!("{name}: {draft:?}\n{text}"));
        let python = extracted.python();
        assert!(
            python.contains("stage1") && python.contains("abs()"),
            "{name}: {python}"
        );
        for gone in ["keypoints[2]", "_done"] {
            assert!(!python.contains(gone), "{name}: {python}");
        }
        let start = python.find("keypoints[0]).abs").unwrap() as u32;
        let span = Span {
            start,
            end: start + 12,
        };
        assert_eq!(
            &text[extracted.original(span, text)],
            "keypoints[0]",
            "{name}"
        );
    }
}

#[test]
fn code_is_found_in_json_and_markup() {
    let json = |text: &str| serde_json::to_string(text).unwrap();
    let code = json(ANSWER);
    let (head, rest) = ANSWER.split_at("num_stages = 2\n".len());
    let (first, second) = rest.split_at(rest.find("# Stage 2").unwrap());
    let lines: Vec<&str> = ANSWER.lines().collect();
    let lines = serde_json::to_string_pretty(&lines).unwrap();
    let inner = json(&format!("{{\"code\": {code}}}"));
    let escaped = ANSWER.replace('<', "&lt;").replace('>', "&gt;");
    let cases = [
        (
            "a key",
            format!("{{\"thought\": \"reach\", \"code\": {code}}}"),
        ),
        (
            "any key",
            format!("{{\"my_program\": {code}, \"n\": [1, {{}}]}}"),
        ),
        (
            "nested",
            format!("{{\"a\": {{\"b\": [{{\"c\": {code}}}]}}}}"),
        ),
        (
            "prose around",
            format!("Sure {{ok}} [1]:\n{{\"code\": {code}}}\nDone."),
        ),
        (
            "in a fence",
            format!("```json\n{{\n  \"code\": {code}\n}}\n```\n"),
        ),
        (
            "a key for each function",
            format!(
                "{{\"num_stages\": 2, \"stage1_guidance\": {}, \"stage2_guidance\": {}}}",
                json(first),
                json(second)
            ),
        ),
        (
            "the number last",
            format!(
                "{{\"stages\": [{{\"code\": {}}}, {{\"code\": {}}}], \"num_stages\": 2}}",
                json(first),
                json(second)
            ),
        ),
        (
            "the number in a string",
            format!("{{\"head\": {}, \"body\": {}}}", json(head), json(rest)),
        ),
        ("lines", format!("{{\"code\": {lines}}}")),
        ("lines alone", lines.clone()),
        (
            "a tool's arguments",
            format!("{{\"name\": \"write\", \"arguments\": {inner}}}"),
        ),
        (
            "a fence in a string",
            format!(
                "{{\"text\": {}}}",
                json(&format!("Here:\n{}\n", fenced(ANSWER)))
            ),
        ),
        (
            "a draft in its thoughts",
            format!("{{\"thoughts\": [{}], \"code\": {code}}}", json(DRAFT)),
        ),
        (
            "thoughts after it",
            format!(
                "{{\"code\": {code}, \"reasoning\": {{\"draft\": {}}}}}",
                json(DRAFT)
            ),
        ),
        (
            "thoughts before it",
            format!(
                "<think>\n{{\"code\": {}}}\n</think>\n{{\"code\": {code}}}",
                json(DRAFT)
            ),
        ),
        ("tags", format!("<code>{ANSWER}</code>")),
        (
            "tags with attributes",
            format!("<p>Here:</p>\n<pre><code class=\"language-python\">\n{ANSWER}</code></pre>"),
        ),
        ("python tags", format!("<python>\n{ANSWER}</python>")),
        (
            "cdata",
            format!("<program><![CDATA[\n{ANSWER}]]></program>"),
        ),
        ("entities", format!("<pre>{escaped}</pre>")),
        (
            "a tag around a fence",
            format!("<answer>\n{}\n</answer>", fenced(ANSWER)),
        ),
        (
            "quoted",
            ANSWER.lines().map(|line| format!("> {line}\n")).collect(),
        ),
        (
            "a quoted fence",
            fenced(ANSWER)
                .lines()
                .map(|line| format!("> {line}\n"))
                .collect(),
        ),
        (
            "indented",
            format!(
                "Here:\n\n{}\nDone.\n",
                ANSWER
                    .lines()
                    .map(|line| format!("    {line}\n"))
                    .collect::<String>()
            ),
        ),
        ("tildes", format!("~~~python\n{ANSWER}~~~\n")),
        ("windows", ANSWER.replace('\n', "\r\n")),
        ("old macintosh", ANSWER.replace('\n', "\r")),
        (
            "numbered lines",
            fenced(
                &ANSWER
                    .lines()
                    .zip(1..)
                    .map(|(line, n)| format!("{n:2} | {line}\n"))
                    .collect::<String>(),
            ),
        ),
        (
            "odd blanks",
            ANSWER.replace("    return", "\u{a0}\u{202f}\u{2007}\u{3000}return"),
        ),
    ];
    assert_answered(&cases);
}
