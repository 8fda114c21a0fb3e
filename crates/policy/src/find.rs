//! Finding a bundle by its name.

use std::path::{Path, PathBuf};

use tiller_core::file::find_folder;

use crate::bundle::MANIFEST_FILE;
use crate::error::BundleError;

/// Where bundles are found by name, in the workspace's root and in any folder above the caller's.
const POLICIES: &str = "models/policies";

/// The folder of a bundle, which is asked for by path or by name below `models/policies`. Whether it holds a sound
/// bundle is for [`Bundle::load`](crate::Bundle::load) to say.
///
/// # Errors
/// [`BundleError::NotFound`], with the names that there are.
pub fn find_bundle(name: &str, from: &Path) -> Result<PathBuf, BundleError> {
    find_folder(POLICIES, MANIFEST_FILE, name, from).map_err(|missing| BundleError::NotFound {
        name: name.to_owned(),
        from: missing.from,
        known: missing.known,
    })
}
