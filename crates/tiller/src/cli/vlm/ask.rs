//! `tiller vlm ask`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use eyre::{Result, WrapErr};
use serde_json::{Value, json};
use tiller_reward::{CompileOptions, compile};
use tiller_vlm::exchange::{Background, Exchange, Recorder};
use tiller_vlm::provider::{Picture, Purpose};
use tiller_vlm::repair::{Authored, Authoring, AuthoringPolicy, AuthoringTask, Fallback, Step};
use tiller_vlm::{AuthorRequest, SceneKeypoint};

use super::provider::{ProviderArgs, ask};
use crate::cli::hand::HandArgs;
use crate::cli::reward::describe;
use crate::cli::scene::Scene;
use crate::cli::{say, say_json};

/// Ask for a reward program, as the dataflow would.
///
/// Prints every answer with what is wrong with it, the program, cost and time. Exit code 0: a sound
/// program; 1: the answers hold none; 2: there was no answer.
///
/// The file of keypoints: {"keypoints": [[x, y, z], ..], "names": ["drawer handle", ..]}, metres in
/// the robot base frame, in the order of the numbers in the picture. A run of the dataflow leaves
/// its picture as annotated.png.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct AskArgs {
    /// The annotated picture, PNG or JPEG
    #[arg(long, value_name = "FILE")]
    image: PathBuf,
    /// The keypoints, JSON; - is standard input
    #[arg(long, value_name = "FILE")]
    keypoints: PathBuf,
    /// What the robot is to do
    #[arg(long, value_name = "TEXT")]
    instruction: String,
    /// Actions in a chunk of the policy
    #[arg(long, default_value_t = 16, value_name = "T")]
    horizon: usize,
    #[command(flatten)]
    hand: HandArgs,
    /// Leave a record of every exchange there, for --provider files
    #[arg(long, value_name = "FOLDER")]
    record: Option<PathBuf>,
    /// One line of JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    provider: ProviderArgs,
}

/// An exchange and what the compiler says of its answer.
struct Round {
    purpose: Purpose,
    exchange: Exchange,
    /// Rendered mistakes, if there is an answer and it is not sound.
    diagnostics: Option<(String, Value)>,
}

impl AskArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        let ready = self.provider.ready()?;
        if let Some(remark) = ready.key_remark {
            eprintln!("warning: {remark}");
        }
        let scene = Scene::read(&self.keypoints)?;
        let picture = Picture::read(&self.image)
            .wrap_err_with(|| format!("{} cannot be shown", self.image.display()))?;
        let options = CompileOptions {
            hand: self.hand.access(),
            ..CompileOptions::new(scene.keypoints.len(), self.horizon + 1)
        };
        let task = AuthoringTask {
            request: AuthorRequest {
                hand: options.hand,
                instruction: self.instruction.clone(),
                keypoints: keypoints(scene),
            },
            picture: Some(picture),
            options,
            source: ready.name(),
            embedded: None,
        };
        let prompts = Arc::new(ready.prompts.clone());
        let mut client = ready.client();
        if let Some(folder) = &self.record {
            client = client.with_recorder(Recorder::new(folder).wrap_err("--record")?);
        }
        let mut background = Background::start(Arc::new(client))?;
        let policy = AuthoringPolicy {
            fallback: Fallback::Hold,
            ..ready.policy
        };
        let started = Instant::now();
        let mut rounds = Vec::new();
        let mut step = Authoring::begin(prompts, task, policy);
        let authored = loop {
            step = match step {
                Step::Done(authored) => break authored,
                Step::Ask(authoring, query) => {
                    let purpose = query.purpose;
                    let exchange = ask(&ready, &mut background, query)?;
                    let answer = exchange.result.as_ref().ok();
                    let diagnostics = answer.and_then(|reply| {
                        let mistakes = compile(&reply.text, &options).err()?;
                        let json = serde_json::from_str(&mistakes.to_json()).unwrap_or_default();
                        Some((mistakes.render(&reply.text), json))
                    });
                    let next = authoring.take(exchange.result.clone());
                    rounds.push(Round {
                        purpose,
                        exchange,
                        diagnostics,
                    });
                    next
                }
            };
        };
        let seconds = started.elapsed().as_secs_f64();
        if self.json {
            say_json(&in_json(&authored, &rounds, seconds).to_string())?;
        } else {
            say(&in_words(&authored, &rounds, &ready.name(), seconds))?;
        }
        let has_answer = rounds.iter().any(|round| round.exchange.result.is_ok());
        Ok(ExitCode::from(match (&authored.written, has_answer) {
            (Some(_), _) => 0,
            (None, true) => 1,
            (None, false) => 2,
        }))
    }
}

fn keypoints(scene: Scene) -> Vec<SceneKeypoint> {
    let rows = scene.keypoints.into_iter().zip(scene.names).enumerate();
    rows.map(|(index, (position_m, name))| SceneKeypoint {
        index,
        name,
        position_m,
    })
    .collect()
}

fn in_words(authored: &Authored, rounds: &[Round], source: &str, seconds: f64) -> String {
    let mut text = String::new();
    for (index, round) in rounds.iter().enumerate() {
        let exchange = &round.exchange;
        let took = exchange.duration.as_secs_f64();
        text += &format!("answer {} of {source}: ", index + 1);
        match &exchange.result {
            Err(error) => text += &format!("none after {took:.1} s: {error}\n"),
            Ok(reply) => {
                let usage = reply.usage;
                let about = if usage.estimated { "about " } else { "" };
                text += &format!(
                    "{took:.1} s, {about}{} + {} tokens, {:.4} USD, model {}\n\n{}\n\n",
                    usage.input_tokens,
                    usage.output_tokens,
                    exchange.cost_usd,
                    reply.model,
                    reply.text.trim()
                );
            }
        }
        if let Some((rendered, _)) = &round.diagnostics {
            text += &format!("{}\n\n", rendered.trim_end());
        }
    }
    let cost_usd: f64 = rounds.iter().map(|round| round.exchange.cost_usd).sum();
    match &authored.written {
        Some(written) => {
            text += &format!(
                "ok ({}): {} stages\n",
                authored.status.name(),
                written.program.stages.len()
            );
            for (index, stage) in written.program.stages.iter().enumerate() {
                text += &format!("  {}: {}\n", index + 1, stage.description);
            }
        }
        None => text += &format!("no program: {}\n", authored.message.trim_end()),
    }
    text + &format!(
        "{} questions, {seconds:.1} s, {cost_usd:.4} USD",
        rounds.len()
    )
}

fn in_json(authored: &Authored, rounds: &[Round], seconds: f64) -> Value {
    let exchange = |round: &Round| {
        let Exchange {
            result,
            attempts,
            cost_usd,
            duration,
            ..
        } = &round.exchange;
        let reply = result.as_ref().ok();
        json!({
            "purpose": round.purpose,
            "outcome": round.exchange.outcome().name(),
            "error": result.as_ref().err().map(ToString::to_string),
            "answer": reply.map(|reply| &reply.text),
            "model": reply.map(|reply| &reply.model),
            "usage": reply.map(|reply| reply.usage),
            "cost_usd": cost_usd,
            "duration_s": duration.as_secs_f64(),
            "attempts": attempts,
            "diagnostics": round.diagnostics.as_ref().map(|(_, json)| json),
        })
    };
    let written = authored.written.as_ref();
    let cost_usd: f64 = rounds.iter().map(|round| round.exchange.cost_usd).sum();
    json!({
        "ok": written.is_some(),
        "status": match written {
            Some(_) => authored.status.name(),
            None => authored.cause.map_or("hold", |cause| cause.name()),
        },
        "message": authored.message,
        "source": written.map(|written| &written.source),
        "program": written.map(|written| &written.text),
        "stages": written.map(|written| describe(&written.program).collect::<Vec<_>>()),
        "exchanges": rounds.iter().map(exchange).collect::<Vec<_>>(),
        "cost_usd": cost_usd,
        "duration_s": seconds,
    })
}
