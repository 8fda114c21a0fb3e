//! Of several drafts one counts, as a whole.

use super::super::extract;
use super::{ANSWER, DRAFT, assert_answered, fenced};

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
