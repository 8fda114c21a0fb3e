//! Lets the tests of this package find MuJoCo without any variable set.

use std::path::Path;

fn main() {
    let manifest = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    // In full: a checkout that was moved links anew, with the path that holds now.
    println!("cargo::rerun-if-changed={manifest}/build.rs");
    let library = Path::new(&manifest).join(".native/mujoco");
    println!("cargo::rustc-link-arg=-Wl,-rpath,{}", library.display());
}
