//! Finding a bundle by its name.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use crate::bundle::MANIFEST_FILE;
use crate::error::BundleError;

/// Where bundles are found by name, in the workspace's root and in any folder above the caller's.
const POLICIES: &str = "models/policies";

/// The folder of a bundle, which is asked for by path or by name.
///
/// A path, seen from `from`, that is a folder wins. Otherwise `name` is looked up below
/// `models/policies` in `from` and then in each folder above it. Whether the folder holds a sound
/// bundle is for [`Bundle::load`](crate::Bundle::load) to say.
///
/// # Errors
/// [`BundleError::NotFound`], with the names that there are.
pub fn find_bundle(name: &str, from: &Path) -> Result<PathBuf, BundleError> {
    // Folders above a relative path are found once it is absolute.
    let from = std::path::absolute(from).unwrap_or_else(|_| from.to_path_buf());
    let path = from.join(name);
    if !name.is_empty() && path.is_dir() {
        return Ok(path);
    }
    let places: Vec<_> = from
        .ancestors()
        .map(|folder| folder.join(POLICIES))
        .collect();
    let mut parts = Path::new(name).components();
    let is_name = matches!(parts.next(), Some(Component::Normal(_))) && parts.next().is_none();
    let named = places.iter().map(|place| place.join(name));
    if let Some(found) = named.into_iter().find(|path| is_name && path.is_dir()) {
        return Ok(found);
    }
    Err(BundleError::NotFound {
        name: name.to_owned(),
        known: known(&places),
        from,
    })
}

/// The names of all bundles in these folders, sorted.
fn known(places: &[PathBuf]) -> Vec<String> {
    let names: BTreeSet<String> = places
        .iter()
        .filter_map(|place| std::fs::read_dir(place).ok())
        .flatten()
        .flatten()
        .filter(|entry| entry.path().join(MANIFEST_FILE).is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.into_iter().collect()
}
