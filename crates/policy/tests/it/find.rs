//! Bundles are found by path and by name, from any folder of a workspace.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tiller_policy::{BundleError, find_bundle};

/// A workspace with two bundles, a folder that is none, and a deep folder to look from.
fn workspace() -> (TempDir, PathBuf) {
    let root = TempDir::new().unwrap();
    let folders = [
        "models/policies/flow",
        "models/policies/diffusion",
        "models/policies/old",
        "a/b",
    ];
    for folder in folders {
        std::fs::create_dir_all(root.path().join(folder)).unwrap();
    }
    for name in ["flow", "diffusion"] {
        let manifest = root
            .path()
            .join("models/policies")
            .join(name)
            .join("policy.toml");
        std::fs::write(manifest, "").unwrap();
    }
    let deep = root.path().join("a/b");
    (root, deep)
}

fn ends_with(found: &Path, end: &str) -> bool {
    found.is_dir() && found.ends_with(end)
}

#[test]
fn a_name_is_found_here_and_from_below() {
    let (root, deep) = workspace();
    for from in [root.path(), &deep] {
        let found = find_bundle("diffusion", from).unwrap();
        assert_eq!(found, root.path().join("models/policies/diffusion"));
    }
}

#[test]
fn a_path_that_is_a_folder_wins_over_a_name() {
    let (root, deep) = workspace();
    std::fs::create_dir(deep.join("flow")).unwrap();
    assert_eq!(find_bundle("flow", &deep).unwrap(), deep.join("flow"));
    let found = find_bundle("models/policies/flow", root.path()).unwrap();
    assert!(ends_with(&found, "models/policies/flow"));
    let absolute = root.path().join("models/policies/flow");
    let found = find_bundle(absolute.to_str().unwrap(), &deep).unwrap();
    assert_eq!(found, absolute);
    assert!(
        find_bundle("../../models/policies/flow", &deep)
            .unwrap()
            .is_dir()
    );
}

#[test]
fn the_nearest_of_two_folders_of_policies_wins_and_both_are_listed() {
    let (root, deep) = workspace();
    let near = deep.join("models/policies/flow");
    std::fs::create_dir_all(&near).unwrap();
    assert_eq!(find_bundle("flow", &deep).unwrap(), near);
    let found = find_bundle("diffusion", &deep).unwrap();
    assert_eq!(found, root.path().join("models/policies/diffusion"));
}

#[test]
fn what_is_not_there_is_answered_with_what_is() {
    let (_root, deep) = workspace();
    for name in ["flaw", "", "a/flow", "policies/flow", "/nowhere/flow"] {
        let error = find_bundle(name, &deep).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "no policy `{name}`: expected a folder, or a name below models/policies in `{}` or \
                 a folder above it; known: `diffusion`, `flow`",
                deep.display()
            )
        );
    }
    let empty = TempDir::new().unwrap();
    let error = find_bundle("flow", empty.path()).unwrap_err();
    assert!(matches!(&error, BundleError::NotFound { known, .. } if known.is_empty()));
    assert!(
        error.to_string().ends_with("; there are no named ones"),
        "{error}"
    );
}
