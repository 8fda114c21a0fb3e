//! Answers in every manner, and what of them counts.

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
fn thoughts_never_count_whatever_marks_them() {
    let mut cases = Vec::new();
    let pairs = [
        ("<think>", "</think>"),
        ("<THINK>", "</THINK>"),
        ("<thinking>", "</thinking>"),
        ("<reasoning>", "</reasoning>"),
        ("<thought>", "</thought>"),
        ("<scratchpad>", "</scratchpad>"),
        ("<analysis type=\"deep\">", "</analysis>"),
        ("<reflection>", "</reflection>"),
        ("<seed:think>", "</seed:think>"),
        ("<chain-of-thought>", "</chain-of-thought>"),
        ("[THINK]", "[/THINK]"),
        ("<|begin_of_thought|>", "<|end_of_thought|>"),
        ("<|START_THINKING|>", "<|END_THINKING|>"),
        ("<|thinking|>", "<|/thinking|>"),
        ("\u{25c1}think\u{25b7}", "\u{25c1}/think\u{25b7}"),
        ("<|channel>thought", "<channel|>"),
        (
            "<|channel|>analysis<|message|>",
            "<|end|><|start|>assistant<|channel|>final<|message|>",
        ),
        ("analysis", "assistantfinal"),
    ];
    for (open, close) in pairs {
        for (draft, answer) in [
            (fenced(DRAFT), fenced(ANSWER)),
            (DRAFT.to_owned(), ANSWER.to_owned()),
        ] {
            cases.push((open, format!("{open}\n{draft}\n{close}\n{answer}\n")));
            cases.push((
                open,
                format!("{open}Maybe this:\n{draft}\nGood.{close}\n\n{answer}\nDone.\n"),
            ));
            cases.push((
                open,
                format!("{open}\nSo:\n{draft}\nIt's fine {close}{answer}\n"),
            ));
        }
        // A fence in the thoughts that is never closed.
        cases.push((
            open,
            format!("{open}\n```python\n{DRAFT}\n{close}\n{}\n", fenced(ANSWER)),
        ));
    }
    assert_answered(&cases);
}

#[test]
fn thoughts_are_told_from_what_only_looks_like_them() {
    let (draft, answer) = (fenced(DRAFT), fenced(ANSWER));
    let with_line = |line: &str| ANSWER.replace("# Stage 2: push\n", line);
    let cases = [
        (
            "a stray end in prose",
            format!("<think>\n{draft}\n</think>\n{answer}\n\nMy notes ended at </think> above.\n"),
        ),
        (
            "no beginning",
            format!("So I try\n{draft}\n</think>\n{answer}\n"),
        ),
        (
            "no beginning, unfenced",
            format!("I try\n{DRAFT}\nGood.</think>\n{ANSWER}"),
        ),
        (
            "no beginning, on the line of the answer",
            format!("I try\n{draft}\nGood. </think> Here it is:\n{answer}\n"),
        ),
        (
            "nested",
            format!("<think>\na <think>\nb\n</think>\n{draft}\n</think>\n{answer}"),
        ),
        (
            "nested in vain",
            format!("<think>\n<think>\n{draft}\n</think>\n{answer}"),
        ),
        (
            "in a sentence",
            format!("Well. <think>Hmm\n{draft}\n</think>\n{answer}"),
        ),
        ("a mention", format!("I use no <think> tags.\n{answer}")),
        (
            "a mention, unfenced",
            format!("I use no <think> tags here, and no `</think>`.\n{ANSWER}"),
        ),
        (
            "two mentions",
            format!("`<think>` is left out.\n{answer}\nSo is `</think>`.\n"),
        ),
        (
            "mentions around the answer",
            format!("There is no <think> here.\n{answer}\nNor is there a </think> anywhere.\n"),
        ),
        (
            "in a comment",
            fenced(&with_line("# </think> and <think> are only words\n")),
        ),
        (
            "in a comment, unfenced",
            with_line("# </think>\n#<think>\n"),
        ),
        (
            "in a string",
            fenced(&with_line(
                "NOTE = \"\"\"\n<think>\n\"\"\"\nWORD = '</think>'\n",
            )),
        ),
        (
            "in a string, unfenced",
            with_line("NOTE = \"\"\"\n<think>\n\"\"\"\nWORD = '</think>'\n"),
        ),
        (
            "a fence of thoughts",
            format!("```thinking\n{DRAFT}```\n{answer}"),
        ),
        (
            "all of it in a fence",
            format!("```\n<think>\n{DRAFT}</think>\n{ANSWER}```\n"),
        ),
        (
            "the end forgotten",
            format!("<think>\n{draft}\nBetter:\n{answer}\n"),
        ),
        (
            "the end forgotten, in a channel",
            format!("<|channel|>analysis<|message|>{draft}\nBetter:\n{answer}\n"),
        ),
        (
            "an answer's mark ends them",
            format!("<think>\n{draft}\n<answer>\n{ANSWER}</answer>\n"),
        ),
        (
            "an answer in thoughts",
            format!("<think>\n<answer>{DRAFT}</answer>\n</think>\n<answer>{ANSWER}</answer>\n"),
        ),
        (
            "an answer's mark alone",
            format!("{draft}\n<answer>\n{answer}\n</answer>\nI also tried:\n{draft}\n"),
        ),
        ("a marked answer", format!("[ANSWER]\n{ANSWER}[/ANSWER]\n")),
        (
            "a solution",
            format!(
                "<|begin_of_thought|>\n{DRAFT}<|end_of_thought|>\n<|begin_of_solution|>\n{ANSWER}<|end_of_solution|>\n"
            ),
        ),
        (
            "frames",
            format!("<|im_start|>assistant\n{ANSWER}<|im_end|>\n"),
        ),
        (
            "a frame at the end",
            format!("{}<|eot_id|></s>", ANSWER.trim_end()),
        ),
        (
            "two thoughts",
            format!("<think>a</think>\n<think>\n{draft}\n</think>\n{answer}"),
        ),
        (
            "thoughts after the answer",
            format!("{answer}\n<think>\nOr rather\n{draft}\n</think>\n"),
        ),
        (
            "thoughts cut off after the answer",
            format!("{answer}\n<think>\nOr rather\n{draft}\nHm"),
        ),
    ];
    assert_answered(&cases);
}

#[test]
fn a_text_that_ends_in_thoughts_has_no_answer() {
    let cases = [
        (
            "<think>\nLet me think.",
            "cut off: nothing ends the `<think>`",
        ),
        (
            &format!("<think>\n{}\nBut then", fenced(DRAFT)),
            "cut off: nothing ends the `<think>`",
        ),
        (&format!("<think>\n```python\n{DRAFT}"), "cut off"),
        (&format!("[THINK]\n{DRAFT}"), "nothing ends the `[THINK]`"),
        (
            &format!("<|channel|>analysis<|message|>Try\n{DRAFT}"),
            "cut off",
        ),
        (
            &format!("<think>\n{DRAFT}</think>\nThat is all."),
            "thoughts without an answer",
        ),
        (
            &format!("<think>\n{}\n</think>\n", fenced(DRAFT)),
            "thoughts without an answer",
        ),
        (
            &format!("{}\n</think>\n", fenced(DRAFT)),
            "thoughts without an answer",
        ),
    ];
    for (text, found) in cases {
        let draft = extract(text).expect_err(text);
        assert!(draft.found.as_ref().unwrap().contains(found), "{draft:?}");
    }
}

#[test]
fn of_several_drafts_the_last_complete_one_counts_as_a_whole() {
    let (draft, answer) = (fenced(DRAFT), fenced(ANSWER));
    let (head, rest) = ANSWER.split_at("num_stages = 2\n".len());
    let (first, second) = rest.split_at(rest.find("# Stage 2").unwrap());
    let cases = [
        ("two blocks", format!("{draft}\nBetter:\n{answer}\n")),
        (
            "prose between",
            format!("{DRAFT}\nThat is wrong. Better:\n\n{ANSWER}"),
        ),
        (
            "one block",
            fenced(&format!(
                "# Draft\n{DRAFT}\n# Final version\nGAIN = 2.0\n{ANSWER}"
            )),
        ),
        ("nothing between", format!("{DRAFT}{ANSWER}")),
        (
            "a draft with a mistake",
            format!("```python\n{}```\n{answer}", DRAFT.replace("(2)", "(((2")),
        ),
        (
            "a draft that is cut",
            format!("```python\n{}\n```\n{answer}", &DRAFT[..150]),
        ),
        (
            "a remark after it",
            format!(
                "{answer}\nWith three stages you would write\n```python\nnum_stages = 3\n```\n"
            ),
        ),
        (
            "a shorter remark after it",
            format!("{answer}\nOr only the first:\n```python\nnum_stages = 1\n```\n"),
        ),
        (
            "a part of a draft",
            format!(
                "{}\nNo.\n{answer}",
                fenced(&DRAFT[..DRAFT.find("# Stage 2").unwrap()])
            ),
        ),
        (
            "a block for each stage",
            format!(
                "{draft}\nBetter:\n{}\n{}\n{}\n",
                fenced(head),
                fenced(first),
                fenced(second)
            ),
        ),
        (
            "the number with the first stage",
            format!(
                "{draft}\nBetter:\n{}\nand\n{}\n",
                fenced(&format!("{head}{first}")),
                fenced(second)
            ),
        ),
        (
            "partly without a fence",
            format!("{}\n{second}", fenced(&format!("{head}{first}"))),
        ),
    ];
    assert_answered(&cases);
}

#[test]
fn parts_of_one_program_stay_together() {
    let (head, rest) = ANSWER.split_at("num_stages = 2\n".len());
    let (first, second) = rest.split_at(rest.find("# Stage 2").unwrap());
    let helper = "def lift(x):\n    return x + 0.1\n";
    let using = second.replace("keypoints[0]).abs", "lift(keypoints[0])).abs");
    let cases = [
        (
            "the number last",
            format!("{}\n{}\n{}", fenced(first), fenced(second), fenced(head)),
            "",
        ),
        (
            "helpers first",
            format!(
                "{}\nthen\n{}",
                fenced(helper),
                fenced(&format!("{head}{first}{using}"))
            ),
            "def lift",
        ),
        (
            "helpers last",
            format!(
                "{}\nwith\n{}",
                fenced(&format!("{head}{first}{using}")),
                fenced(helper)
            ),
            "def lift",
        ),
        (
            "helpers of a later draft",
            format!(
                "{}\nNo:\n{}\n{}",
                fenced(DRAFT),
                fenced(helper),
                fenced(&format!("{head}{first}{using}"))
            ),
            "def lift",
        ),
        (
            "constants apart",
            format!("GAIN = 2.0\n\nNow the program.\n\n{ANSWER}"),
            "GAIN = 2.0",
        ),
        (
            "constants of several kinds",
            format!(
                "Sure, here it is (x = 5 cm above):\n\n# Constants\nA, B = 0, 1\nGAIN: float = 2.0\nTABLE: dict[str, float] = {{\n    'a': 1.0,\n}}\n\n{ANSWER}"
            ),
            "TABLE: dict",
        ),
        (
            "constants apart in a fence",
            format!(
                "{}\n{}",
                fenced("GAIN = 2.0\n"),
                fenced(&ANSWER.replace("norm()", "norm() * GAIN"))
            ),
            "GAIN = 2.0",
        ),
        (
            "a new third stage",
            format!(
                "{}\nAnd a third:\n{}",
                fenced(ANSWER),
                fenced(
                    "num_stages = 3\ndef stage3_guidance(keypoints, action_sequence):\n    return action_sequence.sum()\n"
                )
            ),
            "def stage3",
        ),
    ];
    for (name, text, wanted) in cases {
        let extracted = extract(&text).unwrap();
        let python = extracted.python();
        for part in ["num_stages", "def stage1", "def stage2", wanted] {
            assert!(python.contains(part), "{name}: {part} in {python}");
        }
        assert!(
            !python.contains("_done") && !python.contains("Sure"),
            "{name}: {python}"
        );
    }
    let other = format!(
        "{}\nTry it:\n```python\nkeypoints = torch.rand(3, 3)\n```\n```bash\nstage1 = 2\n```\n",
        fenced(ANSWER)
    );
    assert!(!extract(&other).unwrap().python().contains("rand"));
}

#[test]
fn a_correction_replaces_functions_of_the_draft() {
    let done = "def stage1_done(keypoints, start_keypoints, end_effector):\n    return 0.1\n";
    let one =
        "def stage1_guidance(keypoints, action_sequence):\n    return action_sequence.max()\n";
    let text = format!("{}\nCorrection:\n{}", fenced(DRAFT), fenced(one));
    let python = extract(&text).unwrap().python().to_owned();
    assert!(
        python.find("max()") > python.find("keypoints[2]"),
        "{python}"
    );
    assert!(python.contains("stage2_guidance") && python.contains("0.5 -"));
    let text = format!("{DRAFT}\nCorrection: it was too far.\n\n{one}{done}");
    let python = extract(&text).unwrap().python().to_owned();
    assert!(python.find("return 0.1") > python.find("0.5 -"), "{python}");
    // Several rewards for one, and one for several, are not added to what they replace.
    let numbered = one.replace("guidance", "guidance1");
    for (draft, correction) in [(one, &numbered), (&numbered, &one.to_owned())] {
        let text = format!(
            "{}\nCorrection:\n{}",
            fenced(&format!("num_stages = 1\n{draft}{done}")),
            fenced(&correction.replace("max", "min")),
        );
        let python = extract(&text).unwrap().python().to_owned();
        assert!(
            python.contains("min()") && !python.contains("max()"),
            "{python}"
        );
        assert!(python.contains("stage1_done"));
    }
}

#[test]
fn a_last_draft_that_breaks_off_is_not_replaced_by_the_one_before() {
    let cut = &ANSWER[..ANSWER.find("# Stage 2").unwrap()];
    for text in [
        format!("{}\nBetter:\n```python\n{cut}", fenced(DRAFT)),
        format!("{DRAFT}\nThat is wrong. Better:\n\n{cut}"),
    ] {
        let extracted = extract(&text).unwrap();
        assert!(!extracted.python().contains("keypoints[2]"), "{text}");
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
