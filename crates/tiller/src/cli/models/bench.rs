//! `tiller models bench`.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use eyre::Result;
use serde_json::json;

use super::eye::EyeArgs;
use super::{say, say_json};

/// Time a detector: opening, and one look at a picture with all that follows until there are keypoints.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct BenchArgs {
    #[command(flatten)]
    eye: EyeArgs,
    /// Looks.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    calls: u64,
    /// Print it as JSON.
    #[arg(long)]
    json: bool,
}

impl BenchArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        let mut eye = self.eye.open()?;
        let mut times = Vec::new();
        for _ in 0..self.calls {
            let begun = Instant::now();
            eye.look()?;
            times.push(begun.elapsed());
        }
        times.sort();
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let (opening, least, median) = (ms(eye.opening), ms(times[0]), ms(times[times.len() / 2]));
        let [width, height] = eye.size();
        if self.json {
            let value = json!({
                "width": width,
                "height": height,
                "opening_ms": opening,
                "look": { "least_ms": least, "median_ms": median },
            });
            say_json(&value.to_string())?;
        } else {
            say(&format!(
                "opening {opening:.1} ms\none look at {width} x {height}: least {least:.2} ms, median {median:.2} ms"
            ))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
