use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::*;

const LIMIT: u64 = 8;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let mut names: Vec<_> = entries
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

/// What happens within a second; a read that waits for a pipe would wait for ever.
fn at_once<T: Send + 'static>(what: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = channel();
    thread::spawn(move || sender.send(what()));
    let result = receiver.recv_timeout(Duration::from_secs(10));
    result.expect("it does not wait")
}

#[test]
fn a_regular_file_is_read_up_to_its_limit() {
    let folder = folder();
    let path = folder.path().join("file");
    for (bytes, fits) in [(0, true), (8, true), (9, false), (4096, false)] {
        fs::write(&path, vec![b'x'; bytes]).unwrap();
        match read_regular(&path, LIMIT) {
            Ok(read) => assert!(fits && read.len() == bytes),
            Err(error) => {
                assert!(!fits);
                let expected = format!("it has {bytes} bytes or more, expected at most 8");
                assert_eq!(error.reason(), expected);
                assert!(error.to_string().contains("/file: it has"), "{error}");
            }
        }
    }
    // Reports no length, and has some.
    assert!(
        !read_regular(Path::new("/proc/self/stat"), 4096)
            .unwrap()
            .is_empty()
    );
    assert!(matches!(
        read_regular(Path::new("/proc/self/stat"), 3),
        Err(FileError::TooLong {
            found_bytes: 4,
            limit_bytes: 3,
            ..
        })
    ));
    fs::write(&path, b"caf\xe9").unwrap();
    let error = read_regular_text(&path, LIMIT).unwrap_err();
    assert_eq!(
        error.reason(),
        "it is not UTF-8 text, the byte at offset 3 is wrong"
    );
    let missing = read_regular(&folder.path().join("none"), LIMIT).unwrap_err();
    assert!(missing.is_not_found() && !error.is_not_found());
    assert!(missing.to_string().contains("/none: No such file"));
}

#[test]
fn a_link_that_a_person_names_is_followed() {
    let folder = folder();
    let [file, link] = ["file", "link"].map(|name| folder.path().join(name));
    fs::write(&file, "text").unwrap();
    symlink(&file, &link).unwrap();
    assert_eq!(read_regular_text(&link, LIMIT).unwrap(), "text");
    assert_eq!(open_regular(&link).unwrap().metadata().unwrap().len(), 4);
}

#[test]
fn what_is_no_regular_file_is_refused_at_once_and_named() {
    let folder = folder();
    let [fifo, socket, link] = ["fifo", "socket", "link"].map(|name| folder.path().join(name));
    pipe(&fifo);
    let _listener = UnixListener::bind(&socket).unwrap();
    symlink(&fifo, &link).unwrap();
    for (path, kind) in [
        (Path::new("/dev/zero"), "a device"),
        (Path::new("/dev/null"), "a device"),
        (&fifo, "a pipe"),
        (&link, "a pipe"),
        (&socket, "a socket"),
        (folder.path(), "a folder"),
    ] {
        let of = path.to_owned();
        let error = at_once(move || read_regular(&of, u64::MAX).unwrap_err());
        let expected = format!("it is not a regular file but {kind}");
        assert_eq!(error.reason(), expected, "{}", path.display());
        assert!(error.to_string().contains(&expected));
    }
}

#[test]
fn names_from_elsewhere_do_not_lead_out_of_their_folder() {
    let folder = folder();
    let root = folder.path().join("answers");
    fs::create_dir_all(root.join("deep")).unwrap();
    fs::write(folder.path().join("secret"), "s").unwrap();
    fs::write(root.join("deep/file"), "inside").unwrap();
    symlink("deep/file", root.join("inner")).unwrap();
    symlink("../secret", root.join("outer")).unwrap();
    symlink(folder.path().join("secret"), root.join("absolute")).unwrap();
    symlink("..", root.join("up")).unwrap();
    pipe(&root.join("pipe"));
    // A sibling whose name begins alike is outside as well.
    fs::create_dir(folder.path().join("answers2")).unwrap();
    fs::write(folder.path().join("answers2/file"), "no").unwrap();
    symlink("../answers2/file", root.join("sibling")).unwrap();
    let read = |name: &str| read_text_within(&root, name, LIMIT);
    for name in ["deep/file", "inner"] {
        assert_eq!(read(name).unwrap(), "inside", "{name}");
    }
    let absolute = folder.path().join("secret").display().to_string();
    for name in [
        "../secret",
        "deep/../../secret",
        "..",
        "",
        "/dev/zero",
        &absolute,
        "outer",
        "absolute",
        "up/secret",
        "sibling",
    ] {
        let error = read(name).unwrap_err();
        assert!(
            matches!(error, FileError::Outside { .. }),
            "{name}: {error}"
        );
        assert_eq!(error.reason(), "it leads out of its folder");
    }
    let pipe = {
        let root = root.clone();
        at_once(move || read_within(&root, "pipe", LIMIT))
    };
    assert!(matches!(pipe, Err(FileError::NotRegular { .. })));
    assert!(read("none").unwrap_err().is_not_found());
    // The folder itself may be a link.
    let link = folder.path().join("link");
    symlink(&root, &link).unwrap();
    assert_eq!(read_text_within(&link, "inner", LIMIT).unwrap(), "inside");
}

#[test]
fn private_files_are_their_owners_alone_and_replace_links() {
    let folder = folder();
    let path = folder.path().join("a/b/file");
    write_private(&path, b"one").unwrap();
    write_private(&path, b"two").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
    assert_eq!(mode(&path), 0o600);
    assert!(!others_may_read(&path));
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    // With what the mask leaves, as the folder that holds other things as well.
    let plain = folder.path().join("plain");
    fs::create_dir(&plain).unwrap();
    assert_eq!(mode(&folder.path().join("a")), mode(&plain));
    assert_eq!(names(&folder.path().join("a/b")), ["file"]);

    let victim = folder.path().join("victim");
    fs::write(&victim, "untouched").unwrap();
    fs::set_permissions(&victim, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(others_may_read(&victim));
    for target in ["victim", "nowhere"] {
        let link = folder.path().join(format!("to-{target}"));
        symlink(target, &link).unwrap();
        write_private(&link, b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_file());
        assert_eq!(
            (mode(&link), fs::read(&link).unwrap()),
            (0o600, b"new".to_vec())
        );
    }
    assert_eq!(fs::read(&victim).unwrap(), b"untouched");
    assert!(!folder.path().join("nowhere").exists());
    // What was readable by all is not, once it has been written anew.
    write_private(&victim, b"new").unwrap();
    assert_eq!(mode(&victim), 0o600);
    write_whole(&victim, b"public").unwrap();
    assert_eq!(fs::read(&victim).unwrap(), b"public");
}

#[test]
fn what_cannot_be_written_leaves_nothing() {
    let folder = folder();
    let file = folder.path().join("file");
    fs::write(&file, "a file").unwrap();
    for below in ["below", "far/below"] {
        let error = write_private(&file.join(below), b"x").unwrap_err();
        assert!(error.to_string().contains("/file"), "{error}");
        let error = probe_private(&file.join(below)).unwrap_err();
        assert!(error.to_string().starts_with("cannot make "), "{error}");
    }
    assert!(probe_private(Path::new("/proc/tiller")).is_err());
    fs::create_dir(folder.path().join("taken")).unwrap();
    let error = write_private(&folder.path().join("taken"), b"x").unwrap_err();
    assert!(error.to_string().starts_with("cannot write "), "{error}");
    probe_private(&folder.path().join("new")).unwrap();
    assert_eq!(mode(&folder.path().join("new")), 0o700);
    assert_eq!(names(folder.path()), ["file", "new", "taken"]);
    assert!(names(&folder.path().join("new")).is_empty());
}

#[test]
fn many_writers_leave_one_whole_file() {
    let folder = folder();
    let path = folder.path().join("new/file");
    thread::scope(|scope| {
        for writer in 0..8_u8 {
            let path = &path;
            scope.spawn(move || {
                for _ in 0..50 {
                    write_private(path, &[writer; 4096]).unwrap();
                    let read = read_regular(path, 4096).unwrap();
                    assert!(read.len() == 4096 && read.iter().all(|byte| *byte == read[0]));
                }
            });
        }
    });
    assert_eq!(names(path.parent().unwrap()), ["file"]);
}

#[test]
fn only_a_folder_that_is_ours_alone_is_closed_to_others() {
    let folder = folder();
    let is_ours = |name: &str| name.ends_with(".json") || is_draft(name);
    let make = |name: &str, rights: u32, files: &[&str]| {
        let path = folder.path().join(name);
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(rights)).unwrap();
        for file in files {
            fs::write(path.join(file), "").unwrap();
        }
        path
    };
    for (name, rights, files, is_closed) in [
        ("closed", 0o700, &["a.json", "diary"][..], true),
        ("ours", 0o755, &["a.json", ".0123456789abcdef.tmp"], true),
        ("empty", 0o775, &[], true),
        ("shared", 0o755, &["a.json", "diary"], false),
        ("sticky", 0o1777, &[], false),
        ("group", 0o2775, &["a.json"], false),
    ] {
        let path = make(name, rights, files);
        assert_eq!(keep_private(&path, is_ours).unwrap(), is_closed, "{name}");
        let expected = if is_closed { 0o700 } else { rights };
        assert_eq!(mode(&path), expected, "{name}");
    }
    assert!(keep_private(&folder.path().join("none"), is_ours).is_err());
}

#[test]
fn drafts_are_known_by_their_names() {
    assert!(is_draft(".0123456789abcdef.tmp"));
    for other in [
        ".tmp",
        ".0123456789abcdeg.tmp",
        "0123456789abcdef.tmp",
        ".1.tmp",
        "a.json",
    ] {
        assert!(!is_draft(other), "{other}");
    }
    let folder = folder();
    let (_, path) = create_new(folder.path(), PRIVATE_FILE).unwrap();
    assert!(is_draft(path.file_name().unwrap().to_str().unwrap()));
    assert_eq!(mode(&path), 0o600);
}
