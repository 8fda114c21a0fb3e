//! Finding and starting ONNX Runtime, once a process.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use ort::environment::Environment;

use crate::error::PolicyError;
use crate::provider::Provider;

/// File name of ONNX Runtime's shared library on this platform.
pub const LIBRARY_FILE: &str = if cfg!(target_os = "macos") {
    "libonnxruntime.dylib"
} else if cfg!(target_os = "windows") {
    "onnxruntime.dll"
} else {
    "libonnxruntime.so"
};

/// Environment variable that names the library.
const LIBRARY_VARIABLE: &str = "ORT_DYLIB_PATH";

/// How graphs are run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeOptions {
    /// Threads that one graph may use, at least 1. One is often the fastest on a machine that also
    /// simulates, renders and controls.
    pub threads: usize,
    /// Processor that runs the graphs. One that cannot be had is an error.
    pub provider: Provider,
    /// ONNX Runtime's shared library. `None`: `ORT_DYLIB_PATH`, else `.native/onnxruntime/` of the
    /// workspace, else beside the executable. The first policy that a process opens decides; one
    /// process holds one runtime.
    pub library_path: Option<PathBuf>,
}

impl Default for RuntimeOptions {
    fn default() -> Self {
        Self {
            threads: 1,
            provider: Provider::Cpu,
            library_path: None,
        }
    }
}

/// The running ONNX Runtime and where it came from.
#[derive(Clone)]
pub(crate) struct Runtime {
    pub(crate) environment: Environment,
    pub(crate) library: PathBuf,
}

/// The process's only runtime; ONNX Runtime allows no second one.
static RUNTIME: Mutex<Option<Runtime>> = Mutex::new(None);

impl Runtime {
    /// The running ONNX Runtime, started at the first call.
    pub(crate) fn start(options: &RuntimeOptions) -> Result<Self, PolicyError> {
        let mut started = match RUNTIME.lock() {
            Ok(started) => started,
            // A panic elsewhere leaves either nothing or a complete runtime here.
            Err(poisoned) => poisoned.into_inner(),
        };
        if let Some(runtime) = started.as_ref() {
            return Ok(runtime.clone());
        }
        let library = find_library(options.library_path.as_deref())?;
        let unusable = |reason: String| PolicyError::Library {
            path: library.clone(),
            reason,
        };
        let environment = ort::init_from(&library)
            .map_err(|error| unusable(error.to_string()))?
            .with_name("tiller")
            .with_telemetry(false)
            .build()
            .map_err(|error| unusable(error.to_string()))?;
        tracing::debug!(library = %library.display(), "ONNX Runtime started");
        let runtime = Self {
            environment,
            library,
        };
        Ok(started.insert(runtime).clone())
    }
}

/// ONNX Runtime's shared library, as a policy would find it.
///
/// # Errors
/// With the places that were looked at.
pub fn find_runtime() -> Result<PathBuf, PolicyError> {
    find_library(None)
}

/// The library to load. What was named explicitly is used or refused, never replaced by a guess.
fn find_library(named: Option<&Path>) -> Result<PathBuf, PolicyError> {
    let named = named
        .map(Path::to_path_buf)
        .or_else(|| std::env::var_os(LIBRARY_VARIABLE).map(PathBuf::from));
    let candidates = match named {
        Some(path) => vec![path],
        None => default_places(),
    };
    match candidates.iter().find(|path| path.is_file()) {
        Some(path) => Ok(path.clone()),
        None => Err(PolicyError::LibraryMissing { looked: candidates }),
    }
}

/// Where set-up puts the library, and where a packaged executable carries it.
fn default_places() -> Vec<PathBuf> {
    let prepared = Path::new(".native/onnxruntime").join(LIBRARY_FILE);
    // The workspace that this was compiled in: crates/policy lies two levels below its root.
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut places = vec![
        workspace
            .canonicalize()
            .unwrap_or(workspace)
            .join(&prepared),
    ];
    if let Ok(executable) = std::env::current_exe() {
        // target/release/x: a checkout that was moved after it was compiled is still found.
        let root = executable
            .ancestors()
            .nth(3)
            .map(|root| root.join(&prepared));
        let beside = executable.parent().map(|folder| folder.join(LIBRARY_FILE));
        places.extend(root.into_iter().chain(beside));
    }
    places.dedup();
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_named_explicitly_is_never_replaced_by_a_guess() {
        let named = Path::new("/nowhere/libonnxruntime.so");
        let error = find_library(Some(named)).unwrap_err();
        let PolicyError::LibraryMissing { looked } = &error else {
            panic!("{error}");
        };
        assert_eq!(looked, &[named.to_path_buf()]);
        assert!(error.to_string().contains("cargo xtask setup"), "{error}");
    }

    #[test]
    fn the_workspace_is_looked_at_before_the_executable() {
        let places = default_places();
        assert!(places[0].ends_with(Path::new(".native/onnxruntime").join(LIBRARY_FILE)));
        assert!(places.len() >= 2, "{places:?}");
    }
}
