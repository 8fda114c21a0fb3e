//! Bundles for tests: the tiny one of `tests/data`, whole or damaged.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tiller_policy::{Bundle, BundleError, Condition, ImageView, Observation};

/// Pixels along a side of the tiny bundle's pictures.
pub(crate) const SIDE: usize = 4;

/// The committed tiny bundle.
pub(crate) fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// A copy of the tiny bundle that may be damaged; removed when dropped.
pub(crate) struct Copy {
    folder: TempDir,
}

impl Copy {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in ["policy.toml", "encoder.onnx", "denoiser.onnx"] {
            std::fs::copy(data().join(file), folder.path().join(file)).unwrap();
        }
        Self { folder }
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// Replaces text in the manifest; it must be there exactly once.
    pub(crate) fn edit(&self, from: &str, to: &str) {
        let path = self.path("policy.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches(from).count(), 1, "`{from}` in the manifest");
        std::fs::write(path, text.replace(from, to)).unwrap();
    }

    /// Puts other bytes in a graph's place and writes their fingerprint into the manifest.
    pub(crate) fn replace(&self, file: &str, bytes: &[u8]) {
        let old = tiller_core::sha256(&std::fs::read(self.path(file)).unwrap());
        std::fs::write(self.path(file), bytes).unwrap();
        self.edit(&old, &tiller_core::sha256(bytes));
    }

    pub(crate) fn load(&self) -> Result<Bundle, BundleError> {
        Bundle::load(self.folder.path())
    }

    /// The message of loading, with the folder's changing name taken out.
    pub(crate) fn message(&self) -> String {
        let folder = self.folder.path().display().to_string();
        self.load().unwrap_err().to_string().replace(&folder, "DIR")
    }
}

/// An observation of one brightness everywhere, in the mean state.
pub(crate) fn grey(brightness: u8, mut show: impl FnMut(&Observation<'_>)) {
    let pixels = [brightness; SIDE * SIDE * 3];
    let view = |name| ImageView {
        name,
        width: SIDE,
        height: SIDE,
        rgb: &pixels,
    };
    show(&Observation {
        images: &[view("static"), view("wrist")],
        state: &[0.4, 0.0, 0.2, 0.04],
        environment: &[],
        instruction: "",
    });
}

/// The numbers of the first condition, the only one of most bundles.
pub(crate) fn floats(conditions: &[Condition]) -> Vec<f32> {
    conditions[0].floats().unwrap().to_vec()
}
