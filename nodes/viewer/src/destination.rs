//! Where the view goes.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use eyre::{Result, WrapErr};
use rerun::{RecordingStream, RecordingStreamBuilder, SpawnOptions};

use crate::config::Destination;

/// The viewer's program.
const PROGRAM: &str = "rerun";

/// How to come by it, in the version that the SDK has.
const INSTALL: &str = "`pip install rerun-sdk==0.36.3` brings it";

/// Where views are sent, and what is to be known of that.
pub(crate) struct Opened {
    pub(crate) recording: RecordingStream,
    /// What is otherwise than was asked for, and what to do about it.
    pub(crate) problem: Option<String>,
    /// A viewer that was started, and has not been heard of.
    pub(crate) awaited: Option<Awaited>,
}

/// Opens what the settings name. Where no viewer can be started the view goes to a file: nobody who
/// watches may end the run, and what was to be seen is not lost.
pub(crate) fn open(destination: &Destination) -> Result<Opened> {
    let builder = RecordingStreamBuilder::new("tiller");
    let (recording, problem, awaited) = match destination {
        Destination::File(path) => (save(builder, path)?, None, None),
        Destination::Connect(address) => {
            let connected = builder.connect_grpc_opts(address.as_str());
            let what = || format!("VIEW_ADDRESS: cannot connect to `{address}`");
            (connected.wrap_err_with(what)?, None, None)
        }
        Destination::Spawn(file) => {
            let options = SpawnOptions::default();
            let started = match is_heard(options.connect_addr()) {
                // One that runs already is taken, and needs nothing of this process.
                true => Ok(()),
                false => lacking(|name| env::var_os(name)).and_then(|()| {
                    let started = rerun::spawn(&options).map(|_| ());
                    started.map_err(|error| error.to_string())
                }),
            };
            match started {
                Ok(()) => {
                    let address = options.connect_addr();
                    let url = format!("rerun+http://{address}/proxy");
                    let what = || format!("VIEW=spawn: cannot connect to `{url}`");
                    let connected = builder.connect_grpc_opts(url.as_str());
                    let recording = connected.wrap_err_with(what)?;
                    (recording, None, Some(Awaited::new(address)))
                }
                Err(reason) => {
                    let text = format!(
                        "VIEW=spawn: no viewer was started: {reason}. The view goes to {} instead: open it with `{PROGRAM}` \
                         where there is a display, or have a viewer run there and set VIEW=connect and VIEW_ADDRESS",
                        file.display()
                    );
                    (save(builder, file)?, Some(text), None)
                }
            }
        }
    };
    Ok(Opened {
        recording,
        problem,
        awaited,
    })
}

fn save(builder: RecordingStreamBuilder, path: &Path) -> Result<RecordingStream> {
    let what = || format!("cannot write `{}`", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).wrap_err_with(what)?;
    }
    tracing::info!("the view goes to {}", path.display());
    builder.save(path).wrap_err_with(what)
}

/// All that a viewer needs to be started and is not there, with what to do.
fn lacking(variable: impl Fn(&str) -> Option<OsString>) -> Result<(), String> {
    let mut lacking = Vec::new();
    let is_set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
    if !is_set("DISPLAY") && !is_set("WAYLAND_DISPLAY") {
        lacking.push("expected a display (DISPLAY or WAYLAND_DISPLAY), found none".to_owned());
    }
    let path = variable("PATH").unwrap_or_default();
    let is_program = |path: &Path| {
        let facts = fs::metadata(path);
        facts.is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o111 != 0)
    };
    if !env::split_paths(&path).any(|folder| is_program(&folder.join(PROGRAM))) {
        lacking.push(format!(
            "expected the program `{PROGRAM}` in PATH, found none ({INSTALL})"
        ));
    }
    match lacking.is_empty() {
        true => Ok(()),
        false => Err(lacking.join("; ")),
    }
}

/// Whether somebody listens there.
fn is_heard(address: SocketAddr) -> bool {
    TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok()
}

/// How long a viewer may take to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// A viewer that was started and should listen soon.
pub(crate) struct Awaited {
    address: SocketAddr,
    since: Instant,
}

impl Awaited {
    fn new(address: SocketAddr) -> Self {
        Self {
            address,
            since: Instant::now(),
        }
    }

    /// Nothing while it may still come; then whether it did, else what to say of that.
    pub(crate) fn settled(&self, now: Instant) -> Option<Result<(), String>> {
        if is_heard(self.address) {
            return Some(Ok(()));
        }
        (now.duration_since(self.since) >= PATIENCE).then(|| {
            Err(format!(
                "VIEW=spawn: the viewer was started, and nobody listens at {} after {} s: it may have ended for want of a \
                 display or of graphics that it can use, and says so in this log. The run goes on unseen; VIEW=file leaves a \
                 file to be looked at later",
                self.address,
                PATIENCE.as_secs()
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// What is lacking where these variables are set.
    fn found(variables: &[(&str, &Path)]) -> Result<(), String> {
        lacking(|name| {
            let known = variables.iter().find(|(known, _)| *known == name);
            known.map(|(_, value)| value.as_os_str().to_owned())
        })
    }

    #[test]
    fn all_that_a_viewer_lacks_is_named_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = ("PATH", folder.path());
        let display = ("DISPLAY", Path::new(":0"));
        let neither = found(&[path, ("DISPLAY", Path::new(""))]).unwrap_err();
        assert!(neither.contains("WAYLAND_DISPLAY") && neither.contains("`rerun` in PATH"));
        let program = folder.path().join(PROGRAM);
        fs::write(&program, "").unwrap();
        let text = found(&[path, display]).unwrap_err();
        assert!(
            text.contains("pip install rerun-sdk==") && !text.contains("display"),
            "{text}"
        );
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(found(&[path, display]), Ok(()));
        assert_eq!(
            found(&[path, ("WAYLAND_DISPLAY", Path::new("wayland-0"))]),
            Ok(())
        );
        assert!(found(&[path]).is_err() && found(&[display]).is_err());
    }

    #[test]
    fn the_version_to_install_is_the_one_that_is_built_with() {
        assert!(include_str!("../Cargo.toml").contains("version = \"=0.36.3\""));
        assert!(INSTALL.contains("0.36.3"));
    }

    #[test]
    fn a_viewer_is_waited_for_and_its_absence_told() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let awaited = Awaited::new(listener.local_addr().unwrap());
        assert_eq!(awaited.settled(awaited.since), Some(Ok(())));
        drop(listener);
        assert_eq!(awaited.settled(awaited.since), None);
        let told = awaited
            .settled(awaited.since + PATIENCE)
            .unwrap()
            .unwrap_err();
        assert!(told.contains("nobody listens at 127.0.0.1:"), "{told}");
    }
}
