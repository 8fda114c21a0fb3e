//! Valid programs with random damage: compiled or refused, never a panic, and a program that is
//! accepted evaluates.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

use serde_json::Value;
use tiller_reward::{CompileOptions, EvaluateError, Evaluator, compile};

/// Pieces that damage is made of, beside pieces of the programs themselves.
const PIECES: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    ":",
    ",",
    ".",
    "-1",
    "0",
    "1e308",
    "-",
    "**",
    "None",
    "...",
    "a[0]",
    "k",
    "\n",
    "    ",
    "dim=5",
    "dim=-1",
    "0.0",
    "True",
    "torch.",
    "F.",
    "np.",
    ".T",
    "[None]",
    "[..., 0]",
    "[::2]",
    "[:0]",
    "float('inf')",
    "9999999999",
    "if",
    "for i in k:",
    "return",
    "lambda x: x",
    "*",
    "//",
    "%",
    "@",
    "#",
    "'",
    "\"",
    "\t",
    "\u{feff}",
    "é",
];

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 16) as usize % bound.max(1)
    }

    fn boundary(&mut self, text: &str) -> usize {
        let mut at = self.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}

fn damage(random: &mut Random, text: &mut String, sources: &[String]) {
    let at = random.boundary(text);
    match random.below(4) {
        0 => text.insert_str(at, PIECES[random.below(PIECES.len())]),
        1 => {
            let end = (at + random.below(12)).min(text.len());
            if text.is_char_boundary(end) {
                text.replace_range(at..end, "");
            }
        }
        2 => {
            // A word of another program in the place of a word of this one.
            let other = &sources[random.below(sources.len())];
            let words: Vec<&str> = other.split_inclusive([' ', '(', ')', ',']).collect();
            text.insert_str(at, words[random.below(words.len())]);
        }
        _ => {
            let end = (at + random.below(4)).min(text.len());
            if text.is_char_boundary(end) {
                text.replace_range(at..end, PIECES[random.below(PIECES.len())]);
            }
        }
    }
}

#[test]
fn damaged_programs_never_panic() {
    let golden = [
        include_str!("golden/programs.json"),
        include_str!("golden/operations.json"),
    ];
    let sources: Vec<String> = golden
        .into_iter()
        .flat_map(|text| serde_json::from_str::<Vec<Value>>(text).unwrap())
        .map(|case| case["source"].as_str().unwrap().to_owned())
        .collect();
    // More on demand: MUTATIONS=1000000 cargo test --release ...
    let cases = std::env::var("MUTATIONS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(4_000);
    let options = CompileOptions::new(4, 6);
    let mut random = Random(42);
    let mut accepted = 0;
    for _ in 0..cases {
        let mut text = sources[random.below(sources.len())].clone();
        for _ in 0..=random.below(4) {
            damage(&mut random, &mut text, &sources);
        }
        match compile(&text, &options) {
            Err(mistakes) => {
                assert!(!mistakes.items.is_empty(), "{text}");
                assert!(!mistakes.render(&text).is_empty());
            }
            Ok(program) => {
                accepted += 1;
                let mut evaluator = Evaluator::<f64>::new(&program.stages[0].guidance, 2);
                let path: Vec<f64> = (0..36).map(|i| 0.3 + 0.01 * f64::from(i)).collect();
                let (mut values, mut gradients) = ([0.0; 2], [0.0; 36]);
                let result = evaluator.evaluate(
                    &[[0.4, 0.1, 0.2]; 4],
                    &path,
                    &mut values,
                    Some(&mut gradients),
                );
                assert!(
                    matches!(result, Ok(()) | Err(EvaluateError::NotFinite { .. })),
                    "{text}"
                );
            }
        }
    }
    assert!(
        accepted > cases / 50,
        "only {accepted} of {cases} were accepted"
    );
}
