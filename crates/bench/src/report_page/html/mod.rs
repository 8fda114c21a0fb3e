//! The page. Whatever comes from a file goes through [`escape`].

mod course;
mod evidence;
mod results;

use tiller_core::visible_block;

use self::course::{causes, costs, latencies};
use self::evidence::{origins, pictures};
use self::results::{curves, headline, methods, tasks};
use super::chart;
use super::model::Report;
use super::stats::rate;
use crate::Cell;

const STYLE: &str = include_str!("../style.css");

/// Text that HTML takes as text, between tags and in quoted attributes, with everything in it visible.
pub(super) fn escape(text: &str) -> String {
    let text = visible_block(text);
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// The whole page.
pub(super) fn page(report: &Report) -> String {
    let sections = [
        notes(report),
        headline(report),
        tasks(report),
        methods(report),
        curves(report),
        causes(report),
        latencies(report),
        costs(report),
        pictures(report),
        origins(report),
    ];
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Play-table benchmark</title>\n<style>\n{STYLE}</style></head>\n<body><main>\n\
         <header><h1>Play-table benchmark</h1>\n<p class=\"lead\">{}</p></header>\n{}\
         <footer>Made by <code>tiller bench report</code>, version {}.</footer>\n</main></body></html>\n",
        lead(report),
        sections.concat(),
        env!("CARGO_PKG_VERSION")
    )
}

fn lead(report: &Report) -> String {
    if report.episodes == 0 {
        return "There are no episodes to show.".to_owned();
    }
    let policies = report
        .policies
        .iter()
        .map(|name| format!("<b>{}</b>", escape(name)));
    format!(
        "{} episodes with the frozen {} {}. Intervals are Wilson's at 95&nbsp;%.",
        report.episodes,
        if report.policies.len() == 1 {
            "policy"
        } else {
            "policies"
        },
        policies.collect::<Vec<_>>().join(" and ")
    )
}

/// A section that links can lead to, unless there is nothing in it.
fn section(id: &str, title: &str, about: &str, body: &str) -> String {
    if body.is_empty() {
        return String::new();
    }
    format!(
        "<section id=\"{id}\"><h2>{title}</h2>\n<p class=\"about\">{about}</p>\n{body}</section>\n"
    )
}

fn notes(report: &Report) -> String {
    if report.notes.is_empty() {
        return String::new();
    }
    let items: String = report
        .notes
        .iter()
        .map(|note| format!("<li>{}</li>", escape(note)))
        .collect();
    format!("<aside class=\"notes\"><b>Please note</b><ul>{items}</ul></aside>\n")
}

/// Name of a policy above its part of a section; nothing when there is one policy only.
fn policy_title(report: &Report, policy: &str) -> String {
    if report.policies.len() < 2 {
        return String::new();
    }
    format!("<h3>{}</h3>\n", escape(policy))
}

/// What belongs to each policy, below its name.
fn by_policy(report: &Report, body: impl Fn(&str) -> String) -> String {
    let part = |policy: &String| match body(policy) {
        text if text.is_empty() => text,
        text => policy_title(report, policy) + &text,
    };
    report.policies.iter().map(part).collect()
}

fn legend(methods: &[&str]) -> String {
    let chip = |method: &&str| {
        format!(
            "<span class=\"chip {}\"><i></i>{}</span>",
            chart::colour(method),
            escape(method)
        )
    };
    let chips: String = methods.iter().map(chip).collect();
    format!("<p class=\"legend\">{chips}</p>\n")
}

/// `19/20` and the rate.
fn short(cell: Cell) -> String {
    let percent = 100.0 * rate(cell);
    format!(
        "<b>{percent:.0} %</b> <small>{}/{}</small>",
        cell.successes, cell.trials
    )
}
