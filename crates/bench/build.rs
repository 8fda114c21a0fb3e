//! Lets the tests of this package find MuJoCo without any variable set, and takes a fingerprint of the sources that decide
//! an episode, so that two processes can tell whether they are the same build.

use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    let manifest = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    // In full: a checkout that was moved links anew, with the path that holds now.
    println!("cargo::rerun-if-changed={manifest}/build.rs");
    if let Some(workspace) = Path::new(&manifest).ancestors().nth(2) {
        let library = workspace.join(".native/mujoco");
        println!("cargo::rustc-link-arg=-Wl,-rpath,{}", library.display());
        let sources = fingerprint(workspace);
        println!("cargo::rustc-env=TILLER_SOURCES={sources:016x}");
    }
}

/// Of all crates and the versions of everything else.
fn fingerprint(workspace: &Path) -> u64 {
    let crates = workspace.join("crates");
    let mut files = Vec::new();
    for entry in fs::read_dir(&crates).into_iter().flatten().flatten() {
        let sources = entry.path().join("src");
        println!("cargo::rerun-if-changed={}", sources.display());
        below(&sources, &mut files);
    }
    let lock = workspace.join("Cargo.lock");
    println!("cargo::rerun-if-changed={}", lock.display());
    files.push(lock);
    files.sort();
    let mut hash = Fnv::default();
    for file in files {
        let name = file.strip_prefix(workspace).unwrap_or(&file);
        hash.add(name.as_os_str().as_encoded_bytes());
        hash.add(&fs::read(&file).unwrap_or_default());
    }
    hash.0
}

fn below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => below(&path, found),
            false => found.push(path),
        }
    }
}

/// FNV-1a of 64 bits: against mix-ups, not against malice.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn add(&mut self, bytes: &[u8]) {
        // The length stands between what follows each other.
        for byte in (bytes.len() as u64).to_le_bytes().iter().chain(bytes) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
