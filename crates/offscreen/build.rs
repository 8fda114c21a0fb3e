//! Lets the tests and examples of this package find MuJoCo without any variable set.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let manifest = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    if let Some(workspace) = Path::new(&manifest).ancestors().nth(2) {
        let library = workspace.join(".native/mujoco");
        println!("cargo::rustc-link-arg=-Wl,-rpath,{}", library.display());
    }
}
