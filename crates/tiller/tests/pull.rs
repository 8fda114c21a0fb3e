//! `tiller policy pull` with the official client, against a hub of our own.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a failed unwrap is a failed test"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tempfile::TempDir;
use tiller_core::testing::write_program;

const REPO: &str = "lab/pusher";
const FIRST: &str = "1111111111111111111111111111111111111111";
const SECOND: &str = "2222222222222222222222222222222222222222";

/// What a hub has: files by commit, and where `main` is.
struct Shelf {
    main: &'static str,
    commits: BTreeMap<&'static str, BTreeMap<&'static str, Vec<u8>>>,
    /// Served in place of the weights.
    instead: Option<Vec<u8>>,
    asked: usize,
}

/// A hub at an address of this machine, and a folder for what comes from it.
struct Lab {
    shelf: Arc<Mutex<Shelf>>,
    address: String,
    folder: TempDir,
    /// Tiller's folder.
    root: PathBuf,
    python: PathBuf,
}

impl Lab {
    /// None where the client is not installed.
    fn new() -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .unwrap();
        let python = root.join(".venv/bin/python");
        let found = Command::new(&python)
            .args(["-c", "import huggingface_hub"])
            .output();
        if !found.is_ok_and(|output| output.status.success()) {
            eprintln!(
                "skipped: {} has no huggingface_hub; `cargo xtask test` installs it",
                python.display()
            );
            return None;
        }
        let files = |word: &str| {
            let weights = format!("{word} weights").repeat(1000).into_bytes();
            let config = json!({ "type": "diffusion", "word": word })
                .to_string()
                .into_bytes();
            BTreeMap::from([
                ("config.json", config),
                ("model.safetensors", weights),
                ("training_state/optimizer.bin", vec![0; 9]),
            ])
        };
        let shelf = Arc::new(Mutex::new(Shelf {
            main: FIRST,
            commits: BTreeMap::from([(FIRST, files("first")), (SECOND, files("second"))]),
            instead: None,
            asked: 0,
        }));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let served = Arc::clone(&shelf);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let shelf = Arc::clone(&served);
                std::thread::spawn(move || answer(&stream.unwrap(), &shelf));
            }
        });
        Some(Self {
            shelf,
            address,
            folder: tempfile::tempdir().unwrap(),
            root: root.to_owned(),
            python,
        })
    }

    fn out(&self, name: &str) -> PathBuf {
        self.folder.path().join("pusher").join(name)
    }

    fn pull(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_tiller"))
            .args(["policy", "pull"])
            .args(arguments)
            .arg("--out")
            .arg(self.out(""))
            .arg("--python")
            .arg(&self.python)
            .current_dir(&self.root)
            .env("HF_ENDPOINT", format!("http://{}", self.address))
            .env("HF_HOME", self.folder.path().join("home"))
            .env("HF_HUB_DISABLE_TELEMETRY", "1")
            .env("NO_PROXY", "*")
            .env_remove("HF_HUB_OFFLINE")
            .output()
            .unwrap()
    }

    /// What it prints for machines.
    fn pulled(&self, arguments: &[&str]) -> Value {
        let output = self.pull(&[arguments, &["--json"]].concat());
        let (out, err) = (&output.stdout, String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{err}");
        serde_json::from_slice(out).unwrap()
    }

    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.pull(arguments);
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    fn asked(&self) -> usize {
        self.shelf.lock().unwrap().asked
    }
}

/// Answers one request as the hub does: about a revision, or with a file of a commit.
fn answer(stream: &TcpStream, shelf: &Mutex<Shelf>) {
    let mut lines = BufReader::new(stream).lines();
    let Some(Ok(request)) = lines.next() else {
        return;
    };
    // The request's headers, to the empty line.
    lines
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .for_each(drop);
    let mut words = request.split(' ');
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let path = path.split('?').next().unwrap();
    let mut shelf = shelf.lock().unwrap();
    shelf.asked += 1;
    let (status, headers, body) = found(&shelf, path).unwrap_or_else(|code| {
        (
            "404 Not Found",
            format!("X-Error-Code: {code}\r\n"),
            Vec::new(),
        )
    });
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n"
    );
    let mut stream = stream;
    let _ = stream.write_all(head.as_bytes());
    if method != "HEAD" {
        let _ = stream.write_all(&body);
    }
}

type Found = (&'static str, String, Vec<u8>);

fn found(shelf: &Shelf, path: &str) -> Result<Found, &'static str> {
    let about = format!("/api/models/{REPO}/revision/");
    let of_files = format!("/{REPO}/resolve/");
    let commit = |name: &str| {
        let name = if name == "main" { shelf.main } else { name };
        let known = shelf.commits.get_key_value(name);
        known.ok_or("RevisionNotFound")
    };
    if let Some(revision) = path.strip_prefix(&about) {
        let (commit, files) = commit(revision)?;
        let siblings: Vec<_> = files
            .iter()
            .map(|(name, bytes)| {
                let mut file =
                    json!({ "rfilename": name, "size": bytes.len(), "blobId": tiller_core::sha256(bytes) });
                if name.ends_with("safetensors") {
                    file["lfs"] =
                        json!({ "sha256": tiller_core::sha256(bytes), "size": bytes.len(), "pointerSize": 1 });
                }
                file
            })
            .collect();
        let text = json!({
            "id": REPO, "sha": commit, "siblings": siblings, "private": false, "tags": [],
            "downloads": 0, "likes": 0,
        });
        let headers = "Content-Type: application/json\r\n".to_owned();
        return Ok(("200 OK", headers, text.to_string().into_bytes()));
    }
    let rest = path.strip_prefix(&of_files).ok_or("RepoNotFound")?;
    let (revision, name) = rest.split_once('/').ok_or("EntryNotFound")?;
    let (commit, files) = commit(revision)?;
    let bytes = files.get(name).ok_or("EntryNotFound")?;
    let served = shelf
        .instead
        .as_ref()
        .filter(|_| name.ends_with("safetensors"));
    let headers = format!(
        "ETag: \"{}\"\r\nX-Repo-Commit: {commit}\r\n",
        tiller_core::sha256(bytes)
    );
    Ok(("200 OK", headers, served.unwrap_or(bytes).clone()))
}

#[test]
fn a_branch_becomes_a_commit_and_stays_it() {
    let Some(lab) = Lab::new() else { return };
    let told = lab.pulled(&[REPO]);
    assert_eq!(
        (&told["revision"], &told["made"]),
        (&json!(FIRST), &json!(true))
    );
    let names: Vec<_> = told["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| &file["path"])
        .collect();
    assert_eq!(
        names,
        ["config.json", "model.safetensors"],
        "no state of the training"
    );
    let weights = fs::read(lab.out("model.safetensors")).unwrap();
    assert_eq!(told["files"][1]["sha256"], tiller_core::sha256(&weights));
    assert!(weights.starts_with(b"first weights"));
    assert!(!lab.out("training_state").exists());

    // Once is enough, wherever `main` goes.
    let asked = lab.asked();
    lab.shelf.lock().unwrap().main = SECOND;
    let told = lab.pulled(&[REPO]);
    assert_eq!(
        (&told["revision"], &told["made"]),
        (&json!(FIRST), &json!(false))
    );
    assert_eq!(lab.asked(), asked, "nobody was asked");

    // What is gone comes again as it was.
    fs::remove_file(lab.out("config.json")).unwrap();
    assert_eq!(lab.pulled(&[REPO])["revision"], FIRST);
    assert!(
        fs::read_to_string(lab.out("config.json"))
            .unwrap()
            .contains("first")
    );

    let told = lab.pulled(&[REPO, "--revision", "main"]);
    assert_eq!(told["revision"], SECOND);
    assert!(
        fs::read(lab.out("model.safetensors"))
            .unwrap()
            .starts_with(b"second")
    );
}

#[test]
fn what_is_not_as_it_should_be_is_told_and_kept() {
    let Some(lab) = Lab::new() else { return };
    assert!(
        lab.refused(&["lab/nobody"])
            .contains("there is no model repository lab/nobody")
    );
    let error = lab.refused(&[REPO, "--revision", "v9"]);
    assert!(error.contains("no revision `v9`"), "{error}");
    let error = lab.refused(&[REPO, "--include", "*.pt"]);
    assert!(
        error.contains("no file of lab/pusher matches *.pt; it has config.json, "),
        "{error}"
    );
    assert!(!lab.out("pulled.json").exists());

    lab.shelf.lock().unwrap().instead = Some(b"other weights".repeat(1000));
    let error = lab.refused(&[REPO]);
    assert!(error.contains("model.safetensors"), "{error}");
    assert!(
        !lab.out("pulled.json").exists(),
        "nothing is called fetched"
    );
    lab.shelf.lock().unwrap().instead = None;
    let _ = fs::remove_file(lab.out("model.safetensors"));
    lab.pulled(&[REPO]);

    fs::write(lab.out("config.json"), "{\"mine\": true}").unwrap();
    let error = lab.refused(&[REPO]);
    assert!(
        error.contains("config.json: expected ") && error.contains("move it away"),
        "{error}"
    );
    assert!(
        fs::read_to_string(lab.out("config.json"))
            .unwrap()
            .contains("mine")
    );
    let error = lab.refused(&[REPO, "--revision", SECOND]);
    assert!(
        error.contains("move it away"),
        "another commit would overwrite it: {error}"
    );
    let error = lab.refused(&["lab/other"]);
    assert!(error.contains("holds lab/pusher"), "{error}");
}

#[test]
fn a_python_without_the_client_is_told_what_to_do() {
    let Some(mut lab) = Lab::new() else { return };
    let python = lab.folder.path().join("python");
    let script = "#!/bin/sh\necho '{\"missing\": \"No module named huggingface_hub\"}'; exit 1\n";
    write_program(&python, script).unwrap();
    lab.python = python;
    let error = lab.refused(&[REPO]);
    assert!(
        error.contains("pip install huggingface_hub==0.35.3"),
        "{error}"
    );
}
