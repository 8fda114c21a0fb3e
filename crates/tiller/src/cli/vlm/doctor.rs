//! `tiller vlm doctor`.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use eyre::Result;
use image::{ImageFormat, Rgb, RgbImage};
use serde_json::json;
use tiller_core::visible_under;
use tiller_vlm::exchange::{Background, Exchange};
use tiller_vlm::provider::{Adaptation, Outcome, Picture, Purpose, Query, Role, Turn};
use tiller_vlm::settings::Ready;

use super::provider::{ProviderArgs, ask};
use crate::cli::{say, say_json};

/// Side of the picture that the model is shown, pixels.
const SIDE: u32 = 640;

/// Check settings, key, endpoint, model and whether the model sees pictures.
///
/// Two short questions are asked, which cost a few thousand tokens at most. What the server turned out
/// not to take is left out or renamed, and the settings to use are printed, as variables for
/// `dora run`. Exit code 0: all is well; 1: something is wrong, and what to do about it is said.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct DoctorArgs {
    /// One line of JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    provider: ProviderArgs,
}

/// One thing that was looked at.
struct Check {
    name: &'static str,
    /// `None`: could not be looked at.
    ok: Option<bool>,
    text: String,
}

fn check(name: &'static str, ok: impl Into<Option<bool>>, text: impl Into<String>) -> Check {
    Check {
        name,
        ok: ok.into(),
        text: text.into(),
    }
}

impl DoctorArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        let (checks, adaptations, settings) = match self.provider.ready() {
            Err(error) => {
                let wrong = check("settings", false, format!("{error:#}"));
                (vec![wrong], Vec::new(), Vec::new())
            }
            Ok(ready) => {
                let checks = examine(&ready)?;
                let adaptations = ready.provider.adaptations();
                let settings = self.provider.settings_to_use(&adaptations);
                (checks, adaptations, settings)
            }
        };
        let is_well = checks.iter().all(|check| check.ok == Some(true));
        if self.json {
            let list: Vec<_> = checks
                .iter()
                .map(|check| json!({"check": check.name, "ok": check.ok, "text": check.text}))
                .collect();
            let changes: Vec<_> = adaptations.iter().map(|change| &change.what).collect();
            let settings: BTreeMap<_, _> = settings.into_iter().collect();
            let found =
                json!({"ok": is_well, "checks": list, "adapted": changes, "settings": settings});
            say_json(&found.to_string())?;
        } else {
            for Check { name, ok, text } in &checks {
                let word = match ok {
                    Some(true) => "ok",
                    Some(false) => "WRONG",
                    None => "?",
                };
                let text = visible_under(text, &" ".repeat(16));
                say(&format!("{word:<6}{name:<10}{text}"))?;
            }
            for Adaptation { what, .. } in &adaptations {
                say(&format!("note  {:<10}{what}", "requests"))?;
            }
            if checks
                .iter()
                .any(|check| check.name == "model" && check.ok == Some(true))
            {
                say("settings to use:")?;
                for (variable, value) in &settings {
                    say(&format!("  {variable}={}", quoted(value)))?;
                }
            }
        }
        Ok(ExitCode::from(if is_well { 0 } else { 1 }))
    }
}

fn examine(ready: &Ready) -> Result<Vec<Check>> {
    let name = ready.name();
    let mut checks = vec![check("settings", true, format!("provider {name}"))];
    if !ready.provider.is_remote() {
        checks.push(match name.as_str() {
            "files" => check("answers", true, "recorded answers are there"),
            _ => check(
                "endpoint",
                true,
                "the embedded author needs neither key nor network",
            ),
        });
        return Ok(checks);
    }
    let mut background = Background::start(Arc::new(ready.client()))?;
    let words = ask(
        ready,
        &mut background,
        question("Answer with the one word: ready", None),
    )?;
    let host = ready.provider.identity().host.clone().unwrap_or_default();
    checks.extend(diagnose(ready, &host, &words));
    if words.result.is_err() {
        checks.push(check("pictures", None, "not tried"));
        return Ok(checks);
    }
    let asks = "The picture has two halves. Answer with two words: the colour of its left half, then the colour of its right half.";
    let seen = ask(ready, &mut background, question(asks, Some(two_halves()?)))?;
    checks.push(sight(&seen));
    Ok(checks)
}

/// As a shell takes it.
fn quoted(value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@+,".contains(c);
    match !value.is_empty() && value.chars().all(is_plain) {
        true => value.to_owned(),
        false => format!("'{}'", value.replace('\'', "'\\''")),
    }
}

fn question(text: &str, picture: Option<Picture>) -> Query {
    Query {
        purpose: Purpose::Plan,
        system: "You are asked whether you work. Answer in as few words as possible.".to_owned(),
        turns: vec![Turn {
            role: Role::User,
            text: text.to_owned(),
        }],
        picture,
        scene: None,
    }
}

/// Red on the left, blue on the right.
fn two_halves() -> Result<Picture> {
    let picture = RgbImage::from_fn(SIDE, SIDE, |x, _| match x < SIDE / 2 {
        true => Rgb([220, 20, 20]),
        false => Rgb([20, 20, 220]),
    });
    let mut bytes = Vec::new();
    picture.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)?;
    Ok(Picture::new(bytes)?)
}

/// What the end of a question says of endpoint, key and model.
fn diagnose(ready: &Ready, host: &str, exchange: &Exchange) -> Vec<Check> {
    let key = match (&ready.key_origin, ready.key_remark) {
        (Some(origin), None) => format!("from {origin}"),
        (Some(origin), Some(remark)) => format!("from {origin}; {remark}"),
        (None, _) => "none, and the server wants none".to_owned(),
    };
    let error = match &exchange.result {
        Ok(reply) => {
            let took = exchange.duration.as_secs_f64();
            return vec![
                check("endpoint", true, host),
                check("key", true, key),
                check(
                    "model",
                    true,
                    format!("{} answers in {took:.1} s", reply.model),
                ),
            ];
        }
        Err(error) => error,
    };
    let text = error.to_string();
    let [endpoint, key_ok, model] = match error.outcome {
        Outcome::TimeoutConnect
        | Outcome::Unreachable
        | Outcome::Redirected
        | Outcome::BlockedByProxy => [Some(false), None, None],
        Outcome::ModelLoading | Outcome::Overloaded => [Some(true), Some(true), None],
        Outcome::Unauthorised => [Some(true), Some(false), None],
        // Which of the two it is, the server does not say.
        Outcome::NotFound => [None, None, Some(false)],
        Outcome::RateLimited | Outcome::QuotaExhausted => [Some(true), Some(true), None],
        Outcome::MalformedAnswer => [Some(false), None, None],
        _ => [Some(true), None, Some(false)],
    };
    let said = |name, ok: Option<bool>, fine: &str| match ok {
        Some(true) => check(name, true, fine),
        Some(false) => check(name, false, text.clone()),
        None => check(name, None, "unknown"),
    };
    let mut checks = vec![
        said("endpoint", endpoint, host),
        said("key", key_ok, &key),
        said("model", model, "answers"),
    ];
    // What is nobody's fault here has to be said all the same.
    if checks.iter().all(|check| check.ok != Some(false)) {
        checks.push(check("account", false, text));
    }
    checks
}

fn sight(exchange: &Exchange) -> Check {
    match &exchange.result {
        Ok(reply) => {
            let answer = reply.text.to_lowercase();
            let places = (answer.find("red"), answer.find("blue"));
            match places {
                (Some(red), Some(blue)) if red < blue => check("pictures", true, "are seen"),
                _ => {
                    let start: String = answer.chars().take(80).collect();
                    let text = format!(
                        "are taken but not seen: expected `red blue`, found {start:?}; choose a model with vision"
                    );
                    check("pictures", false, text)
                }
            }
        }
        Err(error) => check("pictures", false, error.to_string()),
    }
}
