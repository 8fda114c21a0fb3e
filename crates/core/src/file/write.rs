//! Files of one's own: written whole and new, or line by line, and never through a link.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::{FileError, flags, kind, or_here};

/// Rights of a private file.
pub(super) const PRIVATE_FILE: u32 = 0o600;
/// Rights of a private folder.
const PRIVATE_FOLDER: u32 = 0o700;
/// Rights of any other file, which the user's mask narrows.
const ORDINARY_FILE: u32 = 0o666;
/// Random names that are tried before there is something wrong.
const MAX_NAMES: u32 = 16;

/// Makes a folder for its owner alone. Those above it that are missing get the rights that the user's
/// mask leaves, for they may become the home of other things; what is there keeps its rights, see
/// [`keep_private`].
///
/// # Errors
/// [`FileError::Io`].
pub fn create_private_dir_all(folder: &Path) -> Result<(), FileError> {
    let folder = or_here(folder);
    let make = || {
        if let Some(above) = folder.parent() {
            fs::create_dir_all(or_here(above))?;
        }
        match DirBuilder::new().mode(PRIVATE_FOLDER).create(folder) {
            Err(_) if folder.is_dir() => Ok(()),
            made => made,
        }
    };
    make().map_err(FileError::io(folder, "make"))
}

/// Takes the rights of all others away from a folder that is ours alone: we own it, it has no special
/// bits (as `/tmp` has), and nothing lies in it but what `is_ours` knows by name. Another folder is
/// left as it is, for others may need it: somebody may well have named his home or a folder that a
/// group shares. Gives whether the folder is closed to others now.
///
/// # Errors
/// [`FileError::Io`] if it cannot be looked at.
pub fn keep_private(folder: &Path, is_ours: impl Fn(&str) -> bool) -> Result<bool, FileError> {
    let folder = or_here(folder);
    let failed = || FileError::io(folder, "read");
    // Rights are changed through what was looked at, not through its path.
    let open = OpenOptions::new()
        .read(true)
        .custom_flags(flags(OFlags::DIRECTORY | OFlags::NONBLOCK))
        .open(folder)
        .map_err(failed())?;
    let facts = open.metadata().map_err(failed())?;
    if facts.mode() & 0o077 == 0 {
        return Ok(true);
    }
    let is_own = facts.uid() == rustix::process::geteuid().as_raw() && facts.mode() & 0o7000 == 0;
    if !is_own {
        return Ok(false);
    }
    for entry in fs::read_dir(folder).map_err(failed())? {
        let entry = entry.map_err(failed())?;
        if !entry.file_name().to_str().is_some_and(&is_ours) {
            return Ok(false);
        }
    }
    Ok(open
        .set_permissions(fs::Permissions::from_mode(PRIVATE_FOLDER))
        .is_ok())
}

/// Writes a file that its owner alone can read, in a folder that is made for the owner alone where it
/// is missing. Readers see all of it, or what was there before: it is written under a random new name
/// and put in place. What is in place, be it a link to a file, is replaced and never followed.
///
/// # Errors
/// [`FileError::Io`], and [`FileError::InTheWay`] where a folder, a device, a pipe or a link to one is.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    if let Some(folder) = path.parent() {
        create_private_dir_all(folder)?;
    }
    put(path, bytes, PRIVATE_FILE).map(drop)
}

/// Writes a file that need not be private as [`write_private`] does, with the rights that the user's
/// mask leaves, and no more than the file has whose place it takes; its folder must be there.
///
/// # Errors
/// [`FileError::Io`] and [`FileError::InTheWay`].
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    put(path, bytes, ORDINARY_FILE).map(drop)
}

/// Whether files can be written into a folder, which is made for its owner alone where it is missing.
///
/// # Errors
/// [`FileError::Io`] if not.
pub fn probe_private(folder: &Path) -> Result<(), FileError> {
    create_private_dir_all(folder)?;
    let folder = or_here(folder);
    let failed = FileError::io(folder, "write into");
    let probe = create_new(folder, PRIVATE_FILE)
        .and_then(|(mut file, path)| file.write_all(b"probe").and(fs::remove_file(path)));
    probe.map_err(failed)
}

/// Whether a name is one under which a file is written before it is put in place. A process that was
/// killed leaves it.
#[must_use]
pub fn is_draft(name: &str) -> bool {
    let middle = name
        .strip_prefix('.')
        .and_then(|name| name.strip_suffix(".tmp"));
    middle.is_some_and(|middle| {
        middle.len() == 16 && middle.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// An empty file in place of the one that is there, for what is written as it comes about. As with
/// [`write_whole`] no link is followed and no other writer of the old file is disturbed.
///
/// # Errors
/// As [`write_whole`].
pub fn create_in_place(path: &Path) -> Result<File, FileError> {
    put(path, b"", ORDINARY_FILE)
}

/// Opens a file for reading and for writing at its end, and makes it where there is none.
///
/// # Errors
/// [`FileError::Io`], and [`FileError::InTheWay`] for a link, to whatever it leads, and for all that is
/// no regular file.
pub fn open_to_append(path: &Path) -> Result<File, FileError> {
    let in_the_way = |found| FileError::InTheWay {
        path: path.to_owned(),
        found,
    };
    let failed = || FileError::io(path, "write");
    // To open a device may already do something.
    match fs::symlink_metadata(path) {
        Ok(facts) if !facts.is_file() => return Err(in_the_way(kind(facts.file_type()))),
        _ => {}
    }
    let file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .custom_flags(flags(OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY))
        .open(path)
        .map_err(failed())?;
    let facts = file.metadata().map_err(failed())?;
    match facts.is_file() {
        true => Ok(file),
        false => Err(in_the_way(kind(facts.file_type()))),
    }
}

fn put(path: &Path, bytes: &[u8], mode: u32) -> Result<File, FileError> {
    let mode = mode & rights_there(path)?;
    let folder = or_here(path.parent().unwrap_or(Path::new("")));
    let written = create_new(folder, mode).and_then(|(mut file, draft)| {
        file.write_all(bytes)
            .and_then(|()| fs::rename(&draft, path))
            .inspect_err(|_| drop(fs::remove_file(&draft)))
            .map(|()| file)
    });
    written.map_err(FileError::io(path, "write"))
}

/// Rights of the file whose place another one takes; all of them where there is none. Refuses what is
/// no file and not to be lost: who may write into `/dev` would else replace a device.
fn rights_there(path: &Path) -> Result<u32, FileError> {
    let in_the_way = |found| {
        Err(FileError::InTheWay {
            path: path.to_owned(),
            found,
        })
    };
    match fs::symlink_metadata(path) {
        Ok(facts) if facts.is_file() => Ok(facts.mode()),
        Ok(facts) if facts.is_symlink() => {
            // `/dev/stdout` leads to what is open, be that a file.
            let is_open_file = fs::read_link(path).is_ok_and(|to| to.starts_with("/proc"));
            match fs::metadata(path) {
                Ok(target) if !target.is_file() => in_the_way(kind(target.file_type())),
                _ if is_open_file => in_the_way("a link to an open file"),
                _ => Ok(u32::MAX),
            }
        }
        Ok(facts) => in_the_way(kind(facts.file_type())),
        Err(_) => Ok(u32::MAX),
    }
}

/// A new file under a random name.
pub(super) fn create_new(folder: &Path, mode: u32) -> io::Result<(File, PathBuf)> {
    let mut options = OpenOptions::new();
    options
        .write(true)
        .create_new(true)
        .mode(mode)
        .custom_flags(flags(OFlags::NOFOLLOW));
    let mut tries = 0;
    loop {
        // Seeded by the operating system, anew for each.
        let random = RandomState::new().hash_one(tries);
        let path = folder.join(format!(".{random:016x}.tmp"));
        match options.open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tries < MAX_NAMES => {
                tries += 1;
            }
            opened => return opened.map(|file| (file, path)),
        }
    }
}
