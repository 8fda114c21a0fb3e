//! With a Python that only pretends: it notes its arguments and does as files beside it say.

use tempfile::TempDir;
use tiller_core::testing::write_program;

use super::*;

const PYTHON: &str = r#"#!/bin/sh
here=FOLDER
echo "$*" >> "$here/log"
case "$1 $2" in
"-m venv")
    [ -e "$here/no-venv" ] && { echo "No module named venv"; exit 1; }
    mkdir -p "$3/bin" "$3/lib/python3.11/site-packages"
    cp "$0" "$3/bin/python" ;;
"-m pip")
    echo "Collecting some-package==1.0 (from -r requirements.txt)"
    echo "Installing collected packages: some-package"
    [ -e "$here/pip-says" ] && { cat "$here/pip-says" >&2; exit 1; }
    exit 0 ;;
"-c import sys"*) cat "$here/version" ;;
"-c "*) [ -e "$here/broken" ] && { echo "ImportError: some_package" >&2; exit 1; }; exit 0 ;;
esac
"#;

/// Tiller's folder with a pretended Python beside it.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        for name in ["libero", "calvin"] {
            let node = desk.path(&format!("nodes/{name}"));
            fs::create_dir_all(&node).unwrap();
            fs::write(node.join("requirements.txt"), "some-package==1.0\n").unwrap();
        }
        desk.put("version", "3.11\n");
        let python = PYTHON.replace("FOLDER", &desk.folder.path().display().to_string());
        write_program(&desk.path("python"), &python).unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn request(&self, simulator: Simulator) -> Request {
        Request {
            simulator,
            root: self.folder.path().to_path_buf(),
            into: self.path(".sim"),
            checkout: None,
            python: self.path("python"),
            needs_bytes: 0,
        }
    }

    /// The outcome and what was told.
    fn install(&self, request: &Request) -> (Result<Outcome>, String) {
        let mut told = String::new();
        let outcome = install(request, &mut |line| told += &format!("{line}\n"));
        (outcome, told)
    }

    fn error(&self, request: &Request) -> String {
        format!("{:#}", self.install(request).0.err().expect("refused"))
    }

    fn runs(&self) -> usize {
        fs::read_to_string(self.path("log")).map_or(0, |log| log.lines().count())
    }
}

#[test]
fn licences_come_first_and_a_second_time_does_nothing() {
    let desk = Desk::new();
    let request = desk.request(Simulator::Libero);
    let (outcome, told) = desk.install(&request);
    let outcome = outcome.unwrap();
    assert!(outcome.made && outcome.python.exists());
    let places = [
        "MIT",
        "CC BY 4.0",
        "owners' terms",
        "making",
        "some-package==1.0",
        "checking",
    ];
    let found: Vec<_> = places.map(|place| told.find(place).expect(place)).into();
    assert!(found.is_sorted(), "{told}");
    let paths = outcome
        .folder
        .join("lib/python3.11/site-packages/tiller_libero.pth");
    let paths = fs::read_to_string(paths).unwrap();
    assert_eq!(
        paths.trim(),
        desk.path("nodes/libero").display().to_string()
    );

    let runs = desk.runs();
    let (again, told) = desk.install(&request);
    assert!(!again.unwrap().made);
    assert!(told.is_empty() && desk.runs() == runs, "{told}");
}

#[test]
fn other_packages_are_installed_into_what_is_there() {
    let desk = Desk::new();
    let request = desk.request(Simulator::Libero);
    desk.install(&request).0.unwrap();
    desk.put("nodes/libero/requirements.txt", "some-package==2.0\n");
    assert!(desk.install(&request).0.unwrap().made);
    let log = fs::read_to_string(desk.path("log")).unwrap();
    assert_eq!(log.matches("-m venv").count(), 1, "{log}");
    assert_eq!(log.matches("-m pip").count(), 2, "{log}");
}

#[test]
fn what_was_interrupted_is_not_taken_for_complete() {
    let desk = Desk::new();
    let request = desk.request(Simulator::Libero);
    desk.put(
        "pip-says",
        "NewConnectionError: Temporary failure in name resolution\n",
    );
    let error = desk.error(&request);
    assert!(
        error.contains("network") && error.contains("again"),
        "{error}"
    );
    fs::remove_file(desk.path("pip-says")).unwrap();
    desk.put("broken", "");
    let error = desk.error(&request);
    assert!(error.contains("ImportError"), "{error}");
    fs::remove_file(desk.path("broken")).unwrap();
    assert!(desk.install(&request).0.unwrap().made);
    // Packages that fail to change leave nothing that counts as complete.
    desk.put("nodes/libero/requirements.txt", "some-package==2.0\n");
    desk.put("broken", "");
    desk.error(&request);
    desk.put("nodes/libero/requirements.txt", "some-package==1.0\n");
    fs::remove_file(desk.path("broken")).unwrap();
    assert!(desk.install(&request).0.unwrap().made);
}

#[test]
fn a_python_that_does_not_do_is_named() {
    let desk = Desk::new();
    let mut request = desk.request(Simulator::Libero);
    desk.put("version", "3.13\n");
    let error = desk.error(&request);
    assert!(
        error.contains("expected Python 3.11, found `3.13`"),
        "{error}"
    );
    desk.put("version", "3.11\n");
    desk.put("no-venv", "");
    let error = desk.error(&request);
    assert!(
        error.contains("python3.11-venv") && error.contains("No module"),
        "{error}"
    );
    request.python = desk.path("nowhere");
    let error = desk.error(&request);
    assert!(
        error.contains("was not found") && error.contains("--python"),
        "{error}"
    );
}

#[test]
fn calvin_wants_a_git_checkout() {
    let desk = Desk::new();
    let mut request = desk.request(Simulator::Calvin);
    assert!(desk.error(&request).contains("git clone"));
    let checkout = desk.path("calvin_env");
    request.checkout = Some(checkout.clone());
    assert!(desk.error(&request).contains("there is no"));
    fs::create_dir_all(checkout.join("calvin_env/envs")).unwrap();
    assert!(desk.error(&request).contains("play_table_env.py"));
    fs::write(checkout.join("calvin_env/envs/play_table_env.py"), "").unwrap();
    assert!(desk.error(&request).contains("no git checkout"));
    fs::create_dir_all(checkout.join(".git")).unwrap();
    let outcome = desk.install(&request).0.unwrap();
    let paths = outcome
        .folder
        .join("lib/python3.11/site-packages/tiller_calvin.pth");
    let paths = fs::read_to_string(paths).unwrap();
    let checkout = fs::canonicalize(checkout).unwrap();
    assert!(paths.contains(&checkout.display().to_string()), "{paths}");

    let mut request = desk.request(Simulator::Libero);
    request.checkout = Some(checkout);
    assert!(desk.error(&request).contains("takes none"));
}

#[test]
fn a_full_disk_is_named_before_anything_is_made() {
    let desk = Desk::new();
    let mut request = desk.request(Simulator::Libero);
    request.needs_bytes = 5_000_000_000_000_000_000;
    let error = desk.error(&request);
    assert!(error.contains("expected 5000000000.0 GB, found"), "{error}");
    assert!(!desk.path(".sim/libero").exists());
}
