//! `tiller models verify`.

use std::process::ExitCode;

use clap::Args;
use eyre::Result;
use tiller_grounding::GroundingError;

use super::eye::EyeArgs;
use super::say;

/// Check that a detector is whole and that it runs.
///
/// Reads its files and checks their fingerprints, opens the graphs, and has it look at a picture: a grey one, or yours, of which
/// it then says what it finds. Exit code 1: something is wrong with the detector.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    eye: EyeArgs,
}

impl VerifyArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        let found = self.eye.open().and_then(|mut eye| Ok(eye.look()?));
        match found {
            Ok(keypoints) => {
                let names: Vec<&str> = keypoints.iter().map(|it| it.name.as_str()).collect();
                let seen = if names.is_empty() {
                    "nothing".to_owned()
                } else {
                    names.join(", ")
                };
                say(&format!("the detector is whole, and runs; it finds {seen}"))?;
                Ok(ExitCode::SUCCESS)
            }
            Err(error) if is_of_detector(&error) => {
                say(&format!("{error:#}"))?;
                Ok(ExitCode::from(1))
            }
            Err(error) => Err(error),
        }
    }
}

fn is_of_detector(error: &eyre::Report) -> bool {
    matches!(
        error.downcast_ref::<GroundingError>(),
        Some(GroundingError::Model { .. } | GroundingError::Detection(_))
    )
}
