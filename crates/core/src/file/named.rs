//! Folders that people ask for by path or by name.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

/// There is no such folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoFolder {
    /// From where it was looked for.
    pub from: PathBuf,
    /// The names that there are, sorted.
    pub known: Vec<String>,
}

/// A folder that is asked for by path or by name.
///
/// A path, seen from `from`, that is a folder wins. Otherwise `name` is looked up below `shelf`, such as
/// `models/policies`, in `from` and then in each folder above it. Names are those of folders that hold `file`.
///
/// # Errors
/// [`NoFolder`], with the names that there are.
pub fn find_folder(shelf: &str, file: &str, name: &str, from: &Path) -> Result<PathBuf, NoFolder> {
    // Folders above a relative path are found once it is absolute.
    let from = std::path::absolute(from).unwrap_or_else(|_| from.to_path_buf());
    let path = from.join(name);
    if !name.is_empty() && path.is_dir() {
        return Ok(path);
    }
    let places: Vec<_> = from.ancestors().map(|folder| folder.join(shelf)).collect();
    let mut parts = Path::new(name).components();
    let is_name = matches!(parts.next(), Some(Component::Normal(_))) && parts.next().is_none();
    let named = places.iter().map(|place| place.join(name));
    if let Some(found) = named.into_iter().find(|path| is_name && path.is_dir()) {
        return Ok(found);
    }
    let known: BTreeSet<String> = places
        .iter()
        .filter_map(|place| std::fs::read_dir(place).ok())
        .flatten()
        .flatten()
        .filter(|entry| entry.path().join(file).is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    let known = known.into_iter().collect();
    Err(NoFolder { from, known })
}
