//! Files that somebody else names: regular ones, read up to a limit; and files of one's own, written
//! whole, new and, where they are private, readable by their owner alone.
//!
//! A path from a person, a setting or a record may be that of a pipe that never speaks, of a device
//! that never ends, or of a link that leads elsewhere. Nothing here waits for a pipe, reads without a
//! limit, or writes through a link.

mod lines;
mod named;
mod write;

use std::ffi::OsStr;
use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

use rustix::fs::OFlags;
use thiserror::Error;

use crate::shown;

pub use lines::{Line, Lines};
pub use named::{NoFolder, find_folder};
pub use write::{
    create_in_place, create_private_dir_all, is_draft, keep_private, open_to_append, probe_private,
    write_private, write_whole,
};

/// Why a file is not read or not written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FileError {
    /// The operating system refuses.
    #[error("cannot {doing} {}: {cause}", shown(&.path.to_string_lossy()))]
    Io {
        /// File or folder.
        path: PathBuf,
        /// `read`, `write` or `make`.
        doing: &'static str,
        /// The operating system's error.
        cause: io::Error,
    },
    /// A folder, a pipe, a socket or a device.
    #[error("cannot read {}: it is not a regular file but {found}", shown(&.path.to_string_lossy()))]
    NotRegular {
        /// What was named.
        path: PathBuf,
        /// What it is.
        found: &'static str,
    },
    /// What is in the place of a file to be written is something else, and stays.
    #[error(
        "cannot write {}: expected a regular file or none, found {found}",
        shown(&.path.to_string_lossy())
    )]
    InTheWay {
        /// The place.
        path: PathBuf,
        /// What is there.
        found: &'static str,
    },
    /// More than is read.
    #[error(
        "cannot read {}: it has {found_bytes} bytes or more, expected at most {limit_bytes}",
        shown(&.path.to_string_lossy())
    )]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Bytes that are there at least.
        found_bytes: u64,
        /// Bytes that are read at most.
        limit_bytes: u64,
    },
    /// Not text.
    #[error(
        "cannot read {}: it is not UTF-8 text, the byte at offset {at} is wrong",
        shown(&.path.to_string_lossy())
    )]
    NotText {
        /// The file.
        path: PathBuf,
        /// The first byte that is wrong.
        at: usize,
    },
    /// A name or a link that leads out of its folder.
    #[error("cannot read {}: it leads out of its folder", shown(&.path.to_string_lossy()))]
    Outside {
        /// The folder, with the name below it.
        path: PathBuf,
    },
}

impl FileError {
    /// What is wrong, without the path: for those whose path is nobody's business or is told already.
    #[must_use]
    pub fn reason(&self) -> String {
        let path = match self {
            Self::Io { cause, .. } => return cause.to_string(),
            Self::NotRegular { path, .. }
            | Self::InTheWay { path, .. }
            | Self::TooLong { path, .. }
            | Self::NotText { path, .. }
            | Self::Outside { path } => path,
        };
        let text = self.to_string();
        let path = shown(&path.to_string_lossy());
        let heads = ["read", "write"].map(|doing| format!("cannot {doing} {path}: "));
        let reason = heads.iter().find_map(|head| text.strip_prefix(head));
        reason.unwrap_or(&text).to_owned()
    }

    /// Whether there is no such file.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { cause, .. } if cause.kind() == io::ErrorKind::NotFound)
    }

    fn io(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::Io { path, doing, cause }
    }
}

impl From<FileError> for io::Error {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Io { cause, .. } => cause,
            other => Self::other(other.reason()),
        }
    }
}

/// Opens a regular file for reading, without waiting for anything.
///
/// # Errors
/// [`FileError::Io`], and [`FileError::NotRegular`] for folders, pipes, sockets and devices.
pub fn open_regular(path: &Path) -> Result<File, FileError> {
    open(path, path, OFlags::empty())
}

/// Reads a regular file of at most `limit_bytes`.
///
/// # Errors
/// As [`open_regular`], and [`FileError::TooLong`].
pub fn read_regular(path: &Path, limit_bytes: u64) -> Result<Vec<u8>, FileError> {
    read(open_regular(path)?, path, limit_bytes)
}

/// Reads a regular file of text of at most `limit_bytes`.
///
/// # Errors
/// As [`read_regular`], and [`FileError::NotText`].
pub fn read_regular_text(path: &Path, limit_bytes: u64) -> Result<String, FileError> {
    text(read_regular(path, limit_bytes)?, path)
}

/// Reads a regular file below `folder`, whose name comes from somebody else. The name may lead through
/// folders and links, not out of `folder`; that `folder` is a link itself is its owner's choice.
///
/// # Errors
/// As [`read_regular`], and [`FileError::Outside`].
pub fn read_within(
    folder: &Path,
    name: impl AsRef<Path>,
    limit_bytes: u64,
) -> Result<Vec<u8>, FileError> {
    let name = name.as_ref();
    let path = folder.join(name);
    if !is_plain(name) {
        return Err(FileError::Outside { path });
    }
    let resolve = |path: &Path| fs::canonicalize(path);
    let root = resolve(folder).map_err(FileError::io(&path, "read"))?;
    let target = resolve(&root.join(name)).map_err(FileError::io(&path, "read"))?;
    if !target.starts_with(&root) {
        return Err(FileError::Outside { path });
    }
    // The path is resolved: a link in its place is newer than that.
    read(open(&target, &path, OFlags::NOFOLLOW)?, &path, limit_bytes)
}

/// Reads a regular file of text below `folder`, see [`read_within`].
///
/// # Errors
/// As [`read_within`], and [`FileError::NotText`].
pub fn read_text_within(
    folder: &Path,
    name: impl AsRef<Path>,
    limit_bytes: u64,
) -> Result<String, FileError> {
    let name = name.as_ref();
    text(read_within(folder, name, limit_bytes)?, &folder.join(name))
}

/// Whether a name can only mean something below the folder that it stands in: neither absolute nor
/// with `..`, nor empty.
#[must_use]
pub fn is_plain(name: &Path) -> bool {
    let mut parts = name.components().peekable();
    parts.peek().is_some() && parts.all(|part| matches!(part, Component::Normal(_)))
}

/// What stands at this place in the working folder, or in the nearest folder above that has it.
///
/// ```
/// use tiller_core::file::here_or_above;
/// assert!(here_or_above("Cargo.toml").is_some());
/// assert_eq!(here_or_above(".sim/no-such-simulator"), None);
/// ```
#[must_use]
pub fn here_or_above(place: impl AsRef<Path>) -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let mut places = here.ancestors().map(|folder| folder.join(place.as_ref()));
    places.find(|place| place.exists())
}

/// Whether others than the owner may read what is there; no, if nothing is.
#[must_use]
pub fn others_may_read(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|facts| facts.mode() & 0o044 != 0)
}

fn open(path: &Path, told: &Path, more: OFlags) -> Result<File, FileError> {
    let failed = || FileError::io(told, "read");
    // To open a device may already do something, and a socket cannot be opened at all.
    check(&fs::metadata(path).map_err(failed())?, told)?;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags(OFlags::NONBLOCK | OFlags::NOCTTY | more))
        .open(path)
        .map_err(failed())?;
    check(&file.metadata().map_err(failed())?, told)?;
    Ok(file)
}

fn check(facts: &Metadata, path: &Path) -> Result<(), FileError> {
    if facts.is_file() {
        return Ok(());
    }
    Err(FileError::NotRegular {
        path: path.to_owned(),
        found: kind(facts.file_type()),
    })
}

fn kind(kind: FileType) -> &'static str {
    if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_symlink() {
        "a link"
    } else {
        "a device"
    }
}

fn read(file: File, path: &Path, limit_bytes: u64) -> Result<Vec<u8>, FileError> {
    let failed = || FileError::io(path, "read");
    let length = file.metadata().map_err(failed())?.len();
    let too_long = |found_bytes| FileError::TooLong {
        path: path.to_owned(),
        found_bytes,
        limit_bytes,
    };
    if length > limit_bytes {
        return Err(too_long(length));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    // It may have grown since, and some report no length.
    file.take(limit_bytes.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(failed())?;
    match bytes.len() as u64 {
        found if found > limit_bytes => Err(too_long(found)),
        _ => Ok(bytes),
    }
}

fn text(bytes: Vec<u8>, path: &Path) -> Result<String, FileError> {
    String::from_utf8(bytes).map_err(|error| FileError::NotText {
        path: path.to_owned(),
        at: error.utf8_error().valid_up_to(),
    })
}

fn flags(flags: OFlags) -> i32 {
    (flags | OFlags::CLOEXEC).bits().cast_signed()
}

/// The folder of a bare file name is the current one.
fn or_here(folder: &Path) -> &Path {
    match folder.as_os_str() == OsStr::new("") {
        true => Path::new("."),
        false => folder,
    }
}

#[cfg(test)]
mod tests;
