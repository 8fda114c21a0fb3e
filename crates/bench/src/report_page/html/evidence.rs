//! Pictures, and how to get the results again.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{escape, section};
use crate::report_page::model::Report;
use crate::report_page::strips::Run;

pub(super) fn pictures(report: &Report) -> String {
    let strips: String = report
        .strips
        .iter()
        .map(|strip| {
            format!(
                "<div class=\"strip\"><h4>{}</h4>{}{}</div>\n",
                escape(&strip.task),
                run(strip.success.as_ref(), true),
                run(strip.failure.as_ref(), false)
            )
        })
        .collect();
    section(
        "pictures",
        "What it looks like",
        "For each task an episode that succeeded and one that failed, from left to right in time. Failures are the \
         full method's where there is one with pictures, else the unsteered policy's.",
        &strips,
    )
}

fn run(run: Option<&Run>, success: bool) -> String {
    let verdict = if success { "success" } else { "failure" };
    let Some(run) = run else {
        return format!("<p class=\"verdict none\">no {verdict} with pictures</p>");
    };
    let pictures: String = run
        .pictures
        .iter()
        .enumerate()
        .map(|(index, bytes)| {
            format!(
                "<img alt=\"moment {} of {}\" width=\"192\" height=\"192\" src=\"data:image/jpeg;base64,{}\">",
                index + 1,
                run.pictures.len(),
                STANDARD.encode(bytes)
            )
        })
        .collect();
    let instruction = run.instruction.as_ref().map_or_else(String::new, |text| {
        format!(" &ldquo;{}&rdquo;", escape(text))
    });
    format!(
        "<figure class=\"{verdict}\"><div class=\"moments\">{pictures}</div><figcaption><b class=\"verdict\">{verdict}</b>\
         {instruction} {} <small>{}, {}, seed {}</small></figcaption></figure>\n",
        escape(&run.words),
        escape(&run.policy),
        escape(&run.method),
        run.seed
    )
}

pub(super) fn origins(report: &Report) -> String {
    let body: String = report
        .origins
        .iter()
        .map(|origin| {
            let hash = origin.policy_sha256.as_ref().map_or_else(
                || "not recorded".to_owned(),
                |hash| format!("<code>{}</code>", escape(hash)),
            );
            let range = |&(first, last): &(u64, u64)| match first == last {
                true => first.to_string(),
                false => format!("{first} to {last}"),
            };
            let seeds: Vec<String> = origin.seeds.iter().map(range).collect();
            let settings = origin.settings.as_ref().map_or_else(String::new, |text| {
                format!("<details><summary>All settings</summary><pre>{}</pre></details>", escape(text))
            });
            format!(
                "<div class=\"origin\"><h4>{} <small>{} episodes</small></h4><pre class=\"commands\">{}</pre>\
                 <p>Policy <b>{}</b> on {}, SHA-256 of its manifest: {hash}. Methods: {}. Seeds: {}.</p>{settings}</div>\n",
                escape(&origin.file),
                origin.episodes,
                commands(&origin.commands),
                escape(&origin.policy),
                escape(&origin.provider),
                escape(&origin.methods.join(", ")),
                seeds.join(", ")
            )
        })
        .collect();
    section(
        "reproduce",
        "How to get these results again",
        &format!(
            "The same seeds give the same episodes, whatever the number of jobs. This is tiller {}.",
            env!("CARGO_PKG_VERSION")
        ),
        &body,
    )
}

/// Commands a line each, in words that are broken only where they fit no line.
fn commands(commands: &[String]) -> String {
    let line = |command: &String| {
        let words = command
            .split(' ')
            .map(|word| format!("<span>{}</span>", escape(word)));
        words.collect::<Vec<_>>().join(" ")
    };
    commands.iter().map(line).collect::<Vec<_>>().join("\n")
}
