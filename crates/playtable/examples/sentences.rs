//! What fraction of the sentences that its writer has not seen the embedded author understands.
//!
//! ```sh
//! cargo run --release -p tiller-playtable --example sentences         # or `seen`: those that it was made better with
//! ```

#![allow(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::collections::BTreeMap;

use tiller_playtable::{Unseen, interpret, seen, unseen};

/// How sentences of one kind fared.
#[derive(Default)]
struct Row {
    right: usize,
    refused: usize,
    /// Something else would be done than what was said.
    wrong: usize,
}

fn main() {
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    let mut others = Vec::new();
    let list: Vec<Unseen> = match std::env::args().nth(1).as_deref() {
        Some("seen") => seen().collect(),
        _ => unseen().collect(),
    };
    for said in list {
        let found = interpret(said.sentence);
        let is_right = said.is_understood(found.as_deref());
        for kind in [kind(&said), "together"] {
            let row = rows.entry(kind).or_default();
            let count = match (is_right, &found) {
                (true, _) => &mut row.right,
                (false, None) => &mut row.refused,
                (false, Some(_)) => &mut row.wrong,
            };
            *count += 1;
        }
        if !is_right {
            let found = found.map_or_else(|| "refused".to_owned(), |ids| ids.join(","));
            let expected = said.expected.unwrap_or("refused");
            others.push(format!("{found} instead of {expected}: {}", said.sentence));
        }
    }
    println!(
        "{:<20} {:>9} {:>8} {:>8} {:>8}",
        "", "sentences", "right", "refused", "wrong"
    );
    for (kind, row) in &rows {
        let all = row.right + row.refused + row.wrong;
        let (right, refused, wrong) = (row.right, row.refused, row.wrong);
        println!("{kind:<20} {all:>9} {right:>8} {refused:>8} {wrong:>8}");
    }
    println!("\n{}", others.join("\n"));
}

fn kind(said: &Unseen) -> &'static str {
    match said.expected {
        None => "to be refused",
        Some(ids) if ids.contains(":avoid=") => "with care",
        Some(ids) if ids.contains(',') => "several",
        Some(ids) if ids.contains(':') => "push somewhere",
        Some(ids) if ids.contains("_in_") => "into the drawer",
        Some(_) => "one of the thirteen",
    }
}
