//! The `tiller` command line.

use std::borrow::Cow;
use std::process::ExitCode;

use clap::Parser;
use tiller_cli::cli::Cli;
use tiller_core::{show_panics, visible_block, visible_under};

fn main() -> ExitCode {
    show_panics();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refused(&error),
    };
    match cli.run() {
        Ok(code) => code,
        Err(error) => {
            // The whole chain on one line each: the first says what failed, the last why.
            eprintln!("error: {}", visible_under(&error.to_string(), "  "));
            for cause in error.chain().skip(1) {
                eprintln!("  because: {}", visible_under(&cause.to_string(), "    "));
            }
            ExitCode::from(2)
        }
    }
}

/// Says what is wrong with the arguments, or what was asked to be said instead of work.
fn refused(error: &clap::Error) -> ExitCode {
    match visible_block(&error.to_string()) {
        // In colours.
        Cow::Borrowed(_) => error.exit(),
        Cow::Owned(shown) => {
            eprint!("{shown}");
            ExitCode::from(2)
        }
    }
}
