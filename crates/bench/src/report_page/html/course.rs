//! Why episodes failed, how long they took.

use super::{by_policy, escape, section};
use crate::report_page::chart;
use crate::report_page::cost::{Cost, Latency};
use crate::report_page::model::{Causes, FULL, Report, UNSTEERED};

pub(super) fn causes(report: &Report) -> String {
    let with_failures = |policy: &str, full: bool| -> String {
        report
            .causes
            .iter()
            .filter(|row| row.policy == policy && !row.counts.is_empty())
            .filter(|row| (row.method == FULL) == full)
            .map(cause_card)
            .collect()
    };
    let body = by_policy(report, |policy| {
        let (full, others) = (with_failures(policy, true), with_failures(policy, false));
        let mut text = String::new();
        let has_run = |row: &Causes| row.policy == policy && row.method == FULL;
        if !full.is_empty() {
            text.push_str(&format!("<div class=\"cards\">{full}</div>\n"));
        } else if report.causes.iter().any(has_run) {
            text.push_str("<p>The full method never failed.</p>\n");
        }
        if !others.is_empty() {
            text.push_str(&format!(
                "<details><summary>The other methods</summary><div class=\"cards\">{others}</div></details>\n"
            ));
        }
        text
    });
    section(
        "failures",
        "Why episodes failed",
        "Causes as the stage log tells them, counted.",
        &body,
    )
}

fn cause_card(row: &Causes) -> String {
    let failures: usize = row.counts.iter().map(|(_, count)| count).sum();
    let rows: String = row
        .counts
        .iter()
        .map(|(cause, count)| {
            format!(
                "<div class=\"cause\"><span>{}</span><span class=\"num\">{count}</span>\
                 <meter min=\"0\" max=\"{failures}\" value=\"{count}\"></meter></div>",
                escape(cause)
            )
        })
        .collect();
    let suite = if row.suite == "all" {
        "scenes as trained"
    } else {
        &row.suite
    };
    format!(
        "<div class=\"card\"><h4>{} <small>{}: {failures} of {} failed</small></h4>{rows}</div>\n",
        escape(&row.method),
        escape(suite),
        row.episodes
    )
}

pub(super) fn latencies(report: &Report) -> String {
    let body = by_policy(report, |policy| {
        let of_policy: Vec<&Latency> = report
            .latencies
            .iter()
            .filter(|row| row.policy == policy)
            .collect();
        let cards: String = of_policy.iter().map(|row| latency_card(row)).collect();
        if cards.is_empty() {
            cards
        } else {
            format!("<div class=\"cards narrow\">{cards}</div>\n")
        }
    });
    section(
        "latency",
        "Latency of a chunk",
        "Wall time in milliseconds, each episode's mean over its chunks. Solid mark: median; dashed: 95 % of the \
         episodes are below. Episodes that ran side by side share the machine.",
        &body,
    )
}

fn latency_card(row: &Latency) -> String {
    let beyond = match row.ms.beyond {
        0 => String::new(),
        count => format!("; {count} beyond"),
    };
    format!(
        "<div class=\"card\"><h4>{} <small>{}, {}</small></h4>{}<p class=\"num\">median <b>{}</b>, p95 <b>{}</b> ms \
         <small>{} episodes{beyond}</small></p></div>\n",
        row.phase,
        escape(&row.method),
        escape(&row.provider),
        chart::histogram(&row.ms, &row.method),
        chart::number(row.ms.median),
        chart::number(row.ms.p95),
        row.ms.count
    )
}

pub(super) fn costs(report: &Report) -> String {
    let Some(first) = report.costs.first() else {
        return String::new();
    };
    let names: String = first
        .shares
        .iter()
        .enumerate()
        .map(|(index, (name, _))| format!("<span class=\"chip s{index}\"><i></i>{name}</span>"))
        .collect();
    let body = by_policy(report, |policy| {
        let of_policy = report.costs.iter().filter(|row| row.policy == policy);
        let (main, others): (Vec<&Cost>, Vec<&Cost>) =
            of_policy.partition(|row| [FULL, UNSTEERED].contains(&row.method.as_str()));
        let cards = |rows: Vec<&Cost>| rows.into_iter().map(cost_card).collect::<String>();
        let (main, others) = (cards(main), cards(others));
        if others.is_empty() {
            return main;
        }
        format!("{main}<details><summary>The other methods</summary>{others}</details>\n")
    });
    section(
        "cost",
        "What an episode costs",
        "Means over the episodes. Processor time is that of the episode's own thread.",
        &format!("<p class=\"legend\">{names}</p>\n{body}"),
    )
}

fn cost_card(row: &Cost) -> String {
    let share = |(name, share): &(&str, f64)| match 100.0 * share {
        // A part that is small is what some readers look for.
        percent if percent < 2.0 => format!("{name} {percent:.1} %"),
        percent => format!("{name} {percent:.0} %"),
    };
    let shares: Vec<String> = row.shares.iter().map(share).collect();
    let cpu = row.cpu_s.map_or_else(
        || "not measured".to_owned(),
        |cpu_s| format!("{} s", chart::number(cpu_s)),
    );
    format!(
        "<div class=\"cost\"><h4>{} <small>{}, {} episodes</small></h4>\
         <p class=\"num\"><b>{} s</b> wall, <b>{cpu}</b> processor, {:.1} s simulated, {:.1} chunks; \
         <b>{:.1}</b> episodes a minute and worker</p>{}<p class=\"shares\">{}</p></div>\n",
        escape(&row.method),
        escape(&row.provider),
        row.episodes,
        chart::number(row.wall_s),
        row.simulated_s,
        row.chunks,
        row.per_minute(),
        chart::shares(&row.shares),
        shares.join(", ")
    )
}
