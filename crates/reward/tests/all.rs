//! The language's tests in one program, which compiles the evaluator once for all of them; those that measure
//! memory are programs of their own.

#![allow(
    clippy::unwrap_used,
    reason = "a test that panics has failed, as it should"
)]

mod algebra;
mod common;
mod diagnostics;
mod finite_differences;
mod functions;
mod golden;
mod hand;
mod hints;
mod hints_coverage;
mod language;
mod others;
mod probes;
mod purpose;
mod values;

#[test]
fn no_file_of_tests_is_forgotten() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let mut count = 0;
    for entry in std::fs::read_dir(root.join("tests")).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        if let Some(name) = name.strip_suffix(".rs") {
            let is_module = include_str!("all.rs").contains(&format!("\nmod {name};\n"));
            let is_program = manifest.contains(&format!("name = \"{name}\"\n"));
            assert!(is_module || is_program, "nothing runs tests/{name}.rs");
            count += 1;
        }
    }
    assert!(count > 10);
}
