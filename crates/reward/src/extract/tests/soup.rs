//! Whatever marks, tags, fences and letters stand together, a program or a reason comes out.

use proptest::prelude::*;

use super::super::extract;
use crate::diagnostic::Span;

/// What answers are made of, and letters of one to four bytes.
const PIECES: [&str; 56] = [
    "num_stages = 1\n",
    "def stage1_guidance(k, a):\n",
    "    return a.sum()\n",
    "stage",
    "```",
    "```python",
    "~~~",
    "\n",
    "\n",
    "\n",
    "\r",
    "\r\n",
    "\t",
    " ",
    " ",
    "\u{b}",
    "\u{a0}",
    "\u{3000}",
    "\u{feff}",
    "\u{2028}",
    "\0",
    "<",
    ">",
    "</",
    "/>",
    "<div class=\"\u{e9}\">",
    "<code>",
    "</code>",
    "<br />",
    "<![CDATA[",
    "]]>",
    "<?xml",
    "?>",
    "&lt;",
    "&",
    "<think>",
    "</think>",
    "<|channel|>",
    "[THINK]",
    "\u{25c1}think\u{25b7}",
    ">>>",
    "...",
    "> ",
    "In [1]:",
    "12| ",
    "1\u{2502}",
    "{\"code\": \"",
    "\"}",
    "[\"",
    "\\n",
    "\\",
    "\\ud83d",
    "\"\"\"",
    "#",
    "\u{e9}",
    "\u{1f916}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn any_soup_of_marks_gives_a_program_or_a_reason(
        pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..40),
    ) {
        let text = pieces.concat();
        let Ok(extracted) = extract(&text) else {
            return Ok(());
        };
        let length = extracted.python().len() as u32;
        for start in 0..=length {
            let end = (start + 3).min(length);
            let range = extracted.original(Span { start, end }, &text);
            prop_assert!(text.get(range).is_some(), "{start} to {end}");
        }
    }
}
