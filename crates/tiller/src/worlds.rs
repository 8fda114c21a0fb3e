//! The worlds that the command line knows, a line each, with the author that steers in them; the first one
//! is the default.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use tiller_bench::{Subject, Subjects};
use tiller_calvin_author::EmbeddedAuthor as CalvinAuthor;
use tiller_core::file::here_or_above;
use tiller_libero_author::EmbeddedAuthor as LiberoAuthor;
use tiller_playtable_author::EmbeddedAuthor as PlayTableAuthor;
use tiller_vlm::Author;

/// Parameters that were tuned for LIBERO.
const TUNED_FOR_LIBERO: &str = include_str!("../../../benchmarks/libero.toml");
/// Parameters for CALVIN.
const TUNED_FOR_CALVIN: &str = include_str!("../../../benchmarks/calvin.toml");
/// The environment of the official package, in Tiller's folder.
const LIBERO_PYTHON: &str = ".sim/libero/bin/python";

/// All of them, with what each lacks to be there.
#[must_use]
pub fn worlds() -> Subjects {
    // Some read files.
    static WORLDS: LazyLock<Subjects> = LazyLock::new(|| {
        let playtable = Subjects::new().with(tiller_playtable::kind(), PlayTableAuthor);
        with_calvin(with_libero(playtable))
    });
    WORLDS.clone()
}

/// The authors that need no network, by the names of their worlds, which need not be there.
#[must_use]
pub(crate) fn authors() -> [(&'static str, Arc<dyn Author>); 3] {
    [
        ("playtable", Arc::new(PlayTableAuthor)),
        ("libero", Arc::new(LiberoAuthor)),
        ("calvin", Arc::new(CalvinAuthor)),
    ]
}

fn with_libero(worlds: Subjects) -> Subjects {
    match tiller_libero::installed() {
        Ok(kind) => worlds.and(Subject {
            policy: "libero-flow",
            tuned: TUNED_FOR_LIBERO,
            referee: Some(referee()),
            ..Subject::new(kind, LiberoAuthor)
        }),
        Err(absent) => worlds.without(absent),
    }
}

fn with_calvin(worlds: Subjects) -> Subjects {
    match tiller_calvin::installed() {
        Ok(kind) => worlds.and(Subject {
            policy: "calvin-flow",
            tuned: TUNED_FOR_CALVIN,
            ..Subject::new(kind, CalvinAuthor)
        }),
        Err(absent) => worlds.without(absent),
    }
}

/// The official environment, which does again what was done here.
fn referee() -> Vec<OsString> {
    let venv = std::env::var_os("TILLER_LIBERO_VENV");
    let venv = venv.map(|venv| PathBuf::from(venv).join("bin/python"));
    let python = venv.or_else(|| here_or_above(LIBERO_PYTHON));
    let python = python.unwrap_or_else(|| LIBERO_PYTHON.into());
    let arguments = ["-m", "tiller_libero.referee", "-"].map(OsString::from);
    [python.into_os_string()]
        .into_iter()
        .chain(arguments)
        .collect()
}
