//! The `tiller` command line.

use std::process::ExitCode;

use clap::Parser;
use tiller_cli::cli::Cli;

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            // The whole chain on one line each: the first says what failed, the last why.
            eprintln!("error: {error}");
            for cause in error.chain().skip(1) {
                eprintln!("  because: {cause}");
            }
            ExitCode::from(2)
        }
    }
}
