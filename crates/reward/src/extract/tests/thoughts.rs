//! Thoughts never count, whatever marks them.

use super::super::extract;
use super::{ANSWER, DRAFT, assert_answered, fenced};

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
