//! What the embedded author understands of sentences, one a line on standard input, on the whole play table.
//!
//! ```sh
//! echo "pls opne the drawer" | cargo run --release -p tiller-playtable-author --example understand
//! ```

#![allow(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::io::BufRead;

use tiller_playtable_author::EmbeddedAuthor;
use tiller_vlm::{AuthorRequest, HandAccess, SceneKeypoint};

const NAMES: [&str; 7] = [
    "drawer handle",
    "door handle",
    "switch",
    "button",
    "red block",
    "blue block",
    "pink block",
];

fn main() -> std::io::Result<()> {
    for line in std::io::stdin().lock().lines() {
        let point = |(index, name): (usize, &&str)| SceneKeypoint {
            index,
            name: (*name).to_owned(),
            position_m: [0.5, 0.05 * index as f64, 0.05],
        };
        let request = AuthorRequest {
            instruction: line?,
            keypoints: NAMES.iter().enumerate().map(point).collect(),
            hand: HandAccess::POSITIONS,
        };
        match EmbeddedAuthor.understand_all(&request) {
            Ok(spec) => println!("{spec}\t{}", request.instruction),
            Err(error) => println!("refused\t{}\t{error}", request.instruction),
        }
    }
    Ok(())
}
