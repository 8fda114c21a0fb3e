//! A folder for each run of a dataflow, and a link to the newest.

use std::fs;
use std::io::{Error, ErrorKind};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// A folder of this name stands for the newest run's.
const LATEST: &str = "latest";

/// The folder of a run where the settings name one: `runs/latest` is `runs/ID`, with the dataflow's own
/// number, so that two that run at once share nothing, and `runs/latest` becomes a link to it. Any other
/// name is taken as it is.
///
/// All nodes of a dataflow may call it. The first one makes folder and link: a node that is started anew
/// after another dataflow began leaves the link to that one.
///
/// # Errors
/// When folder or link cannot be made.
pub(crate) fn own_run_folder(named: &Path, dataflow: &str) -> Result<PathBuf, Error> {
    let (Some(runs), true) = (named.parent(), named.ends_with(LATEST)) else {
        return Ok(named.to_owned());
    };
    let folder = runs.join(dataflow);
    // For an empty path, which is the folder that one is in.
    if !runs.as_os_str().is_empty() {
        fs::create_dir_all(runs)?;
    }
    match fs::create_dir(&folder) {
        Ok(()) => link_to(named, dataflow)?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    Ok(folder)
}

/// Makes `named` a link to its neighbour, in one step for whoever looks there.
fn link_to(named: &Path, neighbour: &str) -> Result<(), Error> {
    if let Ok(found) = fs::symlink_metadata(named)
        && !found.is_symlink()
    {
        // Somebody's results under the very name: they are kept.
        let since = UNIX_EPOCH.elapsed().map_or(0, |since| since.as_millis());
        fs::rename(
            named,
            named.with_file_name(format!("{LATEST}-until-{since}")),
        )?;
    }
    let fresh = named.with_file_name(format!(".{LATEST}-{neighbour}"));
    symlink(neighbour, &fresh)?;
    fs::rename(&fresh, named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_dataflows_have_two_folders_and_the_link_is_the_newer_ones() {
        let runs = tempfile::tempdir().unwrap();
        let named = runs.path().join("deep/runs/latest");
        let first = own_run_folder(&named, "a").unwrap();
        fs::write(first.join("summary.json"), "first").unwrap();
        assert_eq!(
            fs::read_to_string(named.join("summary.json")).unwrap(),
            "first"
        );
        let second = own_run_folder(&named, "b").unwrap();
        assert_ne!(first, second);
        // A node of the first is started anew.
        assert_eq!(own_run_folder(&named, "a").unwrap(), first);
        assert_eq!(fs::read_link(&named).unwrap(), Path::new("b"));
        assert_eq!(
            fs::read_to_string(first.join("summary.json")).unwrap(),
            "first"
        );
    }

    #[test]
    fn what_stood_under_the_name_is_kept() {
        let runs = tempfile::tempdir().unwrap();
        let named = runs.path().join("latest");
        fs::create_dir(&named).unwrap();
        fs::write(named.join("summary.json"), "old").unwrap();
        own_run_folder(&named, "a").unwrap();
        let mut kept = fs::read_dir(runs.path()).unwrap().flatten();
        assert!(kept.any(|entry| {
            let text = fs::read_to_string(entry.path().join("summary.json"));
            text.is_ok_and(|text| text == "old")
        }));
        assert!(named.is_symlink());
    }

    #[test]
    fn a_folder_of_another_name_is_taken_as_it_is() {
        let named = Path::new("runs/demo");
        assert_eq!(own_run_folder(named, "a").unwrap(), named);
        assert!(!named.exists());
    }
}
