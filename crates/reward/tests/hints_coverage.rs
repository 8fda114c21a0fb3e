//! No help text goes untried: each one in the sources is met by a program of `mended.txt`, whose
//! help lines `hints.rs` follows.
//!
//! The texts are the string literals that stand where help is given: in `.help(...)`, in
//! `help = ...;`, in the constants named there, and in [`GIVERS`]. Every line of `mended.txt` must in
//! turn come from one of them, so that a way to give help which the collection misses is noticed.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Functions that give help texts: as their result, or as the last part of a pair.
const GIVERS: &[&str] = &[
    "help",
    "mend",
    "mismatch",
    "parameter_of_another",
    "singular_values",
    "stack_help",
    "substitute",
    "unavailable",
    "unsupported",
];
/// Functions whose last argument is a help text.
const TAKERS: &[&str] = &["no_common", "no_program"];
/// Methods that look for text, and whose argument is therefore none.
const QUESTIONS: &[&str] = &["contains", "starts_with", "ends_with", "has", "part"];

#[derive(Default)]
struct Texts {
    /// Each text, and the files that hold it.
    found: BTreeMap<String, BTreeSet<PathBuf>>,
    /// Constants that stand where help is given.
    named: BTreeSet<String>,
    constants: BTreeMap<String, (String, PathBuf)>,
    file: PathBuf,
}

fn is_word(tree: Option<&TokenTree>, words: &[&str]) -> bool {
    matches!(tree, Some(TokenTree::Ident(ident)) if words.contains(&ident.to_string().as_str()))
}

fn is_sign(tree: Option<&TokenTree>, sign: char) -> bool {
    matches!(tree, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}

/// The value of a string literal; `None` for other literals.
fn string(literal: &str) -> Option<String> {
    let inner = literal.strip_prefix('"')?.strip_suffix('"')?;
    let mut text = String::new();
    let mut rest = inner.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => match rest.next().unwrap() {
                'n' => text.push('\n'),
                '\n' => rest = rest.as_str().trim_start().chars(),
                other => text.push(other),
            },
            _ => text.push(c),
        }
    }
    Some(text)
}

impl Texts {
    /// Looks for places where help is given.
    fn search(&mut self, trees: &[TokenTree]) {
        for (at, tree) in trees.iter().enumerate() {
            let before = at.checked_sub(1).map(|at| &trees[at]);
            let next = trees.get(at + 1);
            if let TokenTree::Group(group) = tree {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                if is_word(before, TAKERS) {
                    self.last_part(&inner);
                } else if is_word(before, &["help"]) && at >= 2 && is_sign(trees.get(at - 2), '.') {
                    self.collect(&inner);
                }
                self.search(&inner);
            } else if is_word(Some(tree), GIVERS) && is_word(before, &["fn"]) {
                let body = trees[at..].iter().find_map(|tree| match tree {
                    TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                        Some(group.stream())
                    }
                    _ => None,
                });
                self.collect(&body.unwrap().into_iter().collect::<Vec<_>>());
            } else if is_word(Some(tree), &["help"]) {
                // `help = ...;`, `(what, help) = ...;`, but no comparison.
                let after = &trees[at + 1..];
                if is_sign(next, '=') && !is_sign(after.get(1), '=') {
                    self.statement(after);
                }
            } else if is_word(Some(tree), &["const"])
                && let [TokenTree::Ident(name), rest @ ..] = &trees[at + 1..]
            {
                let text = rest.iter().take_while(|tree| !is_sign(Some(tree), ';'));
                let text = text.filter_map(|tree| string(&tree.to_string())).last();
                let text = text.map(|text| (name.to_string(), (text, self.file.clone())));
                self.constants.extend(text);
            }
            let is_pair = |group: &proc_macro2::Group| {
                group
                    .stream()
                    .into_iter()
                    .any(|tree| is_word(Some(&tree), &["help"]))
            };
            if let (TokenTree::Group(group), Some(before)) = (tree, before)
                && is_word(Some(before), &["let"])
                && is_pair(group)
            {
                self.statement(&trees[at + 1..]);
            }
        }
    }

    fn statement(&mut self, trees: &[TokenTree]) {
        let end = trees.iter().position(|tree| is_sign(Some(tree), ';'));
        self.collect(&trees[..end.unwrap_or(trees.len())]);
    }

    /// The part behind the last comma, but for one that ends the list.
    fn last_part(&mut self, trees: &[TokenTree]) {
        let end = trees.len() - usize::from(is_sign(trees.last(), ','));
        let start = trees[..end]
            .iter()
            .rposition(|tree| is_sign(Some(tree), ','));
        self.collect(&trees[start.map_or(0, |at| at + 1)..end]);
    }

    /// Takes the literals of an expression that gives a help text.
    fn collect(&mut self, trees: &[TokenTree]) {
        let mut in_question = false;
        for (at, tree) in trees.iter().enumerate() {
            let before = at.checked_sub(1).map(|at| &trees[at]);
            let next = trees.get(at + 1);
            match tree {
                TokenTree::Ident(ident) if ident == "if" => in_question = true,
                TokenTree::Ident(ident) => {
                    let name = ident.to_string();
                    if name.len() > 2 && name.chars().all(|c| c.is_ascii_uppercase() || c == '_') {
                        self.named.insert(name);
                    }
                }
                TokenTree::Group(group) => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    let is_call =
                        matches!(before, Some(TokenTree::Ident(_))) || is_sign(before, '!');
                    let is_asked = in_question || is_word(before, QUESTIONS);
                    if group.delimiter() == Delimiter::Brace {
                        in_question = false;
                        self.collect(&inner);
                    } else if is_call && !is_asked {
                        self.collect(&inner);
                    } else if !is_asked {
                        self.last_part(&inner);
                    }
                }
                // A pattern, or a comparison.
                TokenTree::Literal(_)
                    if in_question
                        || is_sign(next, '|')
                        || is_sign(before, '|')
                        || is_sign(next, '=') => {}
                TokenTree::Literal(literal) => {
                    if let Some(text) = string(&literal.to_string()) {
                        self.found
                            .entry(text)
                            .or_default()
                            .insert(self.file.clone());
                    }
                }
                TokenTree::Punct(punct) => {
                    in_question &= !(punct.as_char() == '>' && is_sign(before, '='));
                }
            }
        }
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

fn texts() -> BTreeMap<String, BTreeSet<PathBuf>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    sources(&root.join("src"), &mut paths);
    let mut texts = Texts::default();
    for path in paths {
        let stream: TokenStream = fs::read_to_string(&path).unwrap().parse().unwrap();
        texts.file = path.strip_prefix(root).unwrap().to_owned();
        texts.search(&stream.into_iter().collect::<Vec<_>>());
    }
    for name in &texts.named {
        if let Some((text, file)) = texts.constants.get(name) {
            let files = texts.found.entry(text.clone()).or_default();
            files.insert(file.clone());
        }
    }
    // Names and separators are parts of other texts.
    let is_advice = |text: &str| text.contains(' ') && text.contains(char::is_alphabetic);
    texts.found.retain(|text, _| is_advice(text));
    texts.found
}

/// The fixed parts of a text, between its placeholders.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((part, behind)) = rest.split_once('{') {
        parts.push(part);
        rest = behind.split_once('}').unwrap().1;
    }
    parts.push(rest);
    parts
}

/// Whether `line` is `text` with something in place of its placeholders, which stand for code
/// without a grave accent.
fn is_made_from(line: &str, parts: &[&str]) -> bool {
    match parts {
        [] => false,
        [last] => line == *last,
        [first, rest @ ..] => line.strip_prefix(first).is_some_and(|behind| {
            let code = behind.split('`').next().unwrap_or_default();
            let ends = (0..=code.len()).filter(|&at| code.is_char_boundary(at));
            ends.rev().any(|at| is_made_from(&behind[at..], rest))
        }),
    }
}

#[test]
fn every_help_text_is_met_by_a_program_that_follows_it() {
    let texts = texts();
    let mended = include_str!("resources/mended.txt");
    let (_, mended) = mended.split_once("\n\n[").unwrap();
    let (_, list) = mended.split_once("\n\n[").unwrap();
    let lines = list.lines().filter_map(|line| line.strip_prefix("help: "));
    let mut met: BTreeSet<&str> = BTreeSet::new();
    let mut unknown = BTreeSet::new();
    for mut line in lines {
        // A text that begins with a placeholder goes on after another one.
        for text in texts.keys().filter(|text| text.starts_with('{')) {
            if let Some(before) = line.strip_suffix(parts(text).concat().as_str())
                && !before.is_empty()
            {
                met.insert(text);
                line = before;
            }
        }
        // `torch.stack` is no `torch.{name}`: the text that says most itself is meant.
        let fixed = |text: &str| parts(text).concat().len();
        let made = texts.keys().filter(|text| is_made_from(line, &parts(text)));
        match made.max_by_key(|text| fixed(text)) {
            Some(text) => {
                met.insert(text);
            }
            None => {
                unknown.insert(line);
            }
        }
    }
    let unmet: Vec<String> = texts
        .iter()
        .filter(|(text, _)| !met.contains(text.as_str()))
        .map(|(text, files)| format!("{text}    {files:?}"))
        .collect();
    assert!(
        unmet.is_empty() && unknown.is_empty(),
        "{} of {} help texts are met by no program:\n{}\nnot found in the sources:\n{unknown:#?}",
        unmet.len(),
        texts.len(),
        unmet.join("\n"),
    );
}
