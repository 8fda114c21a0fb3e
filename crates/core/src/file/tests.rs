use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::write::{PRIVATE_FILE, create_new};
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

#[test]
fn what_is_no_file_is_never_replaced_nor_written() {
    let folder = folder();
    let [fifo, socket, file] = ["fifo", "socket", "file"].map(|name| folder.path().join(name));
    pipe(&fifo);
    let _listener = UnixListener::bind(&socket).unwrap();
    fs::write(&file, "old").unwrap();
    let link = |name: &str, to: &Path| {
        let path = folder.path().join(name);
        symlink(to, &path).unwrap();
        path
    };
    let null = Path::new("/dev/null");
    let to_null = link("to-null", null);
    let to_open = link("to-open", Path::new("/proc/self/exe"));
    type Write = fn(&Path) -> Result<(), FileError>;
    let writers: [Write; 3] = [
        |path| write_whole(path, b"new"),
        |path| write_private(path, b"new"),
        |path| create_in_place(path).map(drop),
    ];
    for (path, found) in [
        (null, "a device"),
        (&fifo, "a pipe"),
        (&socket, "a socket"),
        (folder.path(), "a folder"),
        (&to_null, "a device"),
        (&to_open, "a link to an open file"),
        (&link("to-fifo", &fifo), "a pipe"),
        (&link("to-folder", folder.path()), "a folder"),
    ] {
        for write in writers {
            let path = path.to_owned();
            let error = at_once(move || write(&path).unwrap_err());
            let expected = format!("expected a regular file or none, found {found}");
            assert_eq!(error.reason(), expected);
            assert!(error.to_string().starts_with("cannot write "), "{error}");
        }
    }
    for (path, found) in [
        (null, "a device"),
        (&fifo, "a pipe"),
        (&socket, "a socket"),
        (folder.path(), "a folder"),
        (&to_null, "a link"),
        (&link("to-file", &file), "a link"),
        (&link("to-nothing", Path::new("nothing")), "a link"),
    ] {
        let path = path.to_owned();
        let error = at_once(move || open_to_append(&path).unwrap_err());
        let expected = format!("expected a regular file or none, found {found}");
        assert_eq!(error.reason(), expected);
    }
    assert_eq!(fs::read(&file).unwrap(), b"old");
    assert!(!folder.path().join("nothing").exists());
    assert!(fs::symlink_metadata(&to_null).unwrap().is_symlink());
    assert!(!names(folder.path()).iter().any(|name| is_draft(name)));
}

#[test]
fn a_file_that_grows_takes_the_place_of_another_and_of_a_link() {
    let folder = folder();
    let [file, link] = ["file", "link"].map(|name| folder.path().join(name));
    fs::write(&file, "old").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    symlink("file", &link).unwrap();
    for path in [&link, &file] {
        let before = fs::read(&file).unwrap();
        let mut growing = create_in_place(path).unwrap();
        assert_eq!(fs::read(path).unwrap(), b"");
        assert_eq!(path == &link, fs::read(&file).unwrap() == before);
        growing.write_all(b"one ").unwrap();
        growing.write_all(b"two").unwrap();
        assert_eq!(fs::read(path).unwrap(), b"one two");
    }
    // What others could not read they cannot read now.
    assert_eq!(mode(&file), 0o600);
    write_whole(&file, b"new").unwrap();
    assert_eq!(mode(&file), 0o600);
    let mut end = open_to_append(&file).unwrap();
    end.write_all(b"er").unwrap();
    assert_eq!(fs::read(&file).unwrap(), b"newer");
    open_to_append(&folder.path().join("made")).unwrap();
    assert_eq!(names(folder.path()), ["file", "link", "made"]);
}

/// What `Lines` makes of a text: lines, `!` before a torn one and `>` for one that is too long.
fn lines(text: &[u8], line_bytes: usize, file_bytes: u64) -> Result<Vec<String>, FileError> {
    let folder = folder();
    let path = folder.path().join("lines");
    fs::write(&path, text).unwrap();
    let mut lines = Lines::new(open_regular(&path)?, &path, line_bytes, file_bytes)?;
    let mut found = Vec::new();
    while let Some(line) = lines.next_line()? {
        found.push(match line {
            Line::Whole(line) => String::from_utf8_lossy(line).into_owned(),
            Line::Torn(line) => format!("!{}", String::from_utf8_lossy(line)),
            Line::TooLong => ">".to_owned(),
        });
        assert_eq!(lines.number(), found.len());
    }
    assert_eq!(lines.read_bytes(), text.len() as u64);
    Ok(found)
}

#[test]
fn lines_are_read_one_by_one_and_bounded() {
    for (text, expected) in [
        ("", &[][..]),
        ("\n", &[""]),
        ("a\n\nb\n", &["a", "", "b"]),
        ("a\nb", &["a", "!b"]),
        ("abcdefgh\n", &["abcdefgh"]),
        ("abcdefghi\nb\n", &[">", "b"]),
        ("a\nabcdefghi", &["a", ">"]),
    ] {
        assert_eq!(
            lines(text.as_bytes(), 8, 100).unwrap(),
            expected,
            "{text:?}"
        );
    }
    // Longer than what is read at a time.
    let long = [vec![b'x'; 100_000], b"\ny\n".to_vec()].concat();
    assert_eq!(lines(&long, 8, 1 << 20).unwrap(), [">", "y"]);
    assert_eq!(lines(&long, 1 << 20, 1 << 20).unwrap()[0].len(), 100_000);
    let error = lines(&long, 8, 1000).unwrap_err();
    assert_eq!(
        error.reason(),
        "it has 100003 bytes or more, expected at most 1000"
    );
    // Reports no length and goes on.
    let path = Path::new("/proc/self/maps");
    let mut endless = Lines::new(open_regular(path).unwrap(), path, 8, 100).unwrap();
    let error = loop {
        match endless.next_line() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("it is longer"),
            Err(error) => break error,
        }
    };
    assert!(matches!(
        error,
        FileError::TooLong {
            limit_bytes: 100,
            ..
        }
    ));
}
