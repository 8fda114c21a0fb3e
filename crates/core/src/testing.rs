//! For tests.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

/// Makes a program of a script, which can be run at once.
///
/// Another process writes it: what other tests start meanwhile would inherit a file that this one has open for
/// writing, and a program that anybody has open so cannot be run.
///
/// # Errors
/// When it cannot be made.
pub fn write_program(path: &Path, script: &str) -> io::Result<()> {
    let mut maker = Command::new("install")
        .args(["-m", "755", "/dev/stdin"])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()?;
    if let Some(mut text) = maker.stdin.take() {
        text.write_all(script.as_bytes())?;
    }
    let status = maker.wait()?;
    match status.success() {
        true => Ok(()),
        false => Err(io::Error::other(format!(
            "cannot make {}: {status}",
            path.display()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_run_while_others_are_made_and_run() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for maker in 0..16 {
                let folder = folder.path();
                scope.spawn(move || {
                    for number in 0..100 {
                        let path = folder.join(format!("{maker}-{number}"));
                        write_program(&path, &format!("#!/bin/sh\necho {number}\n")).unwrap();
                        let said = Command::new(&path).output().unwrap().stdout;
                        assert_eq!(said, format!("{number}\n").into_bytes());
                    }
                });
            }
        });
        assert!(write_program(&folder.path().join("no/such"), "").is_err());
    }
}
