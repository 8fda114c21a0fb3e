//! The page. Whatever comes from a file goes through [`escape`].

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::chart;
use super::cost::Latency;
use super::model::{Causes, Comparison, Curve, Report, STRENGTHS};
use super::strips::Run;
use super::text::{rate_words, ratio_words};
use crate::bench::{Cell, Method};

const STYLE: &str = include_str!("style.css");

/// Text that HTML takes as text, between tags and in quoted attributes.
pub(super) fn escape(text: &str) -> String {
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
        "{} episodes with the frozen {} {}. Intervals are Wilson's at 95 %.",
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
    let rate = 100.0 * super::stats::rate(cell);
    format!(
        "<b>{rate:.0} %</b> <small>{}/{}</small>",
        cell.successes, cell.trials
    )
}

fn headline(report: &Report) -> String {
    let cell = |label: &str, cell: Cell, method: &str| {
        let words = rate_words(cell);
        let (rate, interval) = words.split_once(", ").unwrap_or((&words, ""));
        let (share, interval) = interval.split_once(" (").unwrap_or((interval, ""));
        if cell.trials == 0 {
            return format!("<td data-label=\"{label}\" class=\"none\">not run</td>");
        }
        format!(
            "<td data-label=\"{label}\"><span class=\"big\">{share}</span> <small>{rate}, {}</small>{}</td>",
            interval.trim_end_matches(')'),
            chart::bar(cell, method)
        )
    };
    let rows: String = report
        .headline
        .iter()
        .map(|row| {
            format!(
                "<tr{}><th scope=\"row\">{} <span class=\"suite\">{}</span></th>{}{}<td data-label=\"ratio\" class=\"ratio\">{}</td></tr>\n",
                if row.suite == "all" { " class=\"sum\"" } else { "" },
                escape(&row.policy),
                escape(&row.suite),
                cell("steered", row.steered, "full"),
                cell("unsteered", row.unsteered, "unsteered"),
                ratio_words(row.ratio())
            )
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let table = format!(
        "<table class=\"headline\"><thead><tr><th>policy and suite</th><th>steered</th>\
         <th>unsteered</th><th>ratio</th></tr></thead><tbody>\n{rows}</tbody></table>\n"
    );
    section(
        "success",
        "Success, steered and unsteered",
        "The same frozen policy in the same scenes, with the full method and left alone. The ratio says how many \
         times as often the steered policy succeeds; without a success of the unsteered one there is none.",
        &table,
    )
}

fn tasks(report: &Report) -> String {
    let body = by_policy(report, |policy| {
        let cards: String = report
            .tasks
            .iter()
            .filter(|row| row.policy == policy)
            .map(|row| {
                let bars: String = row
                    .rates
                    .iter()
                    .map(|(method, cell)| {
                        format!(
                            "<div class=\"bar\" title=\"{0}\"><span>{1}</span>{2}<span class=\"num\">{3}</span></div>",
                            escape(&rate_words(*cell)),
                            escape(method),
                            chart::bar(*cell, method),
                            short(*cell)
                        )
                    })
                    .collect();
                format!("<div class=\"card\"><h4>{}</h4>{bars}</div>\n", escape(&row.task))
            })
            .collect();
        if cards.is_empty() {
            cards
        } else {
            format!("<div class=\"cards\">{cards}</div>\n")
        }
    });
    section(
        "tasks",
        "Tasks",
        "Success of each task with each method. The thin lines are the intervals.",
        &body,
    )
}

fn methods(report: &Report) -> String {
    // The full method alone has nothing to be compared with.
    let compared = report.methods.iter().any(|row| row.difference.is_some());
    if !compared {
        return String::new();
    }
    let widest = report
        .methods
        .iter()
        .filter_map(|row| row.difference)
        .map(|found| found.low.abs().max(found.high.abs()))
        .fold(0.1, f64::max);
    let reach = (10.0 * widest).ceil() / 10.0;
    let body = by_policy(report, |policy| {
        let rows: Vec<&Comparison> = report
            .methods
            .iter()
            .filter(|row| row.policy == policy)
            .collect();
        if rows.is_empty() {
            return String::new();
        }
        let rows: String = rows.into_iter().map(|row| comparison(row, reach)).collect();
        let points = 100.0 * reach;
        format!(
            "<div class=\"compare\"><div class=\"row head\"><span>method</span><span>success</span><span></span>\
             <span class=\"scale\"><i>&minus;{points:.0}</i><i>difference to full, points</i><i>+{points:.0}</i></span>\
             <span></span></div>\n{rows}</div>\n"
        )
    });
    section(
        "methods",
        "Methods and ablations",
        "Right: success less that of the full method in the same scenes, with Newcombe's paired 95 % interval. An \
         interval that holds 0 shows no difference.",
        &body,
    )
}

fn comparison(row: &Comparison, reach: f64) -> String {
    let about = row
        .method
        .parse::<Method>()
        .map(Method::about)
        .unwrap_or_default();
    let (plot, words) = match row.difference {
        Some(found) => (
            chart::difference(found, reach, &row.method),
            format!(
                "<b>{:+.0}</b> <small>{:+.0} to {:+.0}; {} pairs</small>",
                100.0 * found.value,
                100.0 * found.low,
                100.0 * found.high,
                row.pairs.trials()
            ),
        ),
        None if row.method == super::model::FULL => {
            (String::new(), "<small>reference</small>".to_owned())
        }
        None => (
            String::new(),
            "<small>no scene in common with full</small>".to_owned(),
        ),
    };
    format!(
        "<div class=\"row\"><span class=\"name\">{}<small>{}</small></span>{}<span class=\"num\">{}</span>\
         <span class=\"plot\">{plot}</span><span class=\"num wide\">{words}</span></div>\n",
        escape(&row.method),
        escape(&about),
        chart::bar(row.rate, &row.method),
        short(row.rate)
    )
}

fn curves(report: &Report) -> String {
    let body = by_policy(report, |policy| {
        let of_policy: Vec<&Curve> = report
            .curves
            .iter()
            .filter(|curve| curve.policy == policy)
            .collect();
        let mut axes: Vec<&str> = of_policy.iter().map(|curve| curve.axis.as_str()).collect();
        axes.dedup();
        if axes.is_empty() {
            return String::new();
        }
        let mut methods: Vec<&str> = Vec::new();
        for curve in &of_policy {
            if !methods.contains(&curve.method.as_str()) {
                methods.push(&curve.method);
            }
        }
        let cards: String = axes
            .iter()
            .map(|axis| {
                let of_axis: Vec<&Curve> = of_policy
                    .iter()
                    .copied()
                    .filter(|curve| curve.axis == *axis)
                    .collect();
                format!(
                    "<div class=\"card\"><h4>{}</h4>{}</div>\n",
                    escape(axis),
                    chart::curves(&of_axis)
                )
            })
            .collect();
        format!(
            "{}<div class=\"cards\">{cards}</div>\n{}",
            legend(&methods),
            curve_table(&of_policy)
        )
    });
    section(
        "ood",
        "Out of distribution",
        "Success as the scenes depart further from those of training: strength 1 is mild, 3 strong. Strength 0 \
         counts the same tasks in scenes like those of training.",
        &body,
    )
}

fn curve_table(curves: &[&Curve]) -> String {
    let rows: String = curves
        .iter()
        .map(|curve| {
            let cells: String = curve
                .rates
                .iter()
                .map(|cell| format!("<td>{}</td>", rate_words(*cell)))
                .collect();
            format!(
                "<tr><th>{}</th><th>{}</th>{cells}</tr>\n",
                escape(&curve.axis),
                escape(&curve.method)
            )
        })
        .collect();
    let heads: String = (0..STRENGTHS)
        .map(|strength| format!("<th>strength {strength}</th>"))
        .collect();
    format!(
        "<details><summary>The numbers</summary><div class=\"scroll\"><table class=\"plain\"><thead><tr>\
         <th>axis</th><th>method</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div></details>\n"
    )
}

fn causes(report: &Report) -> String {
    let with_failures = |policy: &str, full: bool| -> String {
        report
            .causes
            .iter()
            .filter(|row| row.policy == policy && !row.counts.is_empty())
            .filter(|row| (row.method == super::model::FULL) == full)
            .map(cause_card)
            .collect()
    };
    let body = by_policy(report, |policy| {
        let (full, others) = (with_failures(policy, true), with_failures(policy, false));
        let mut text = String::new();
        if !full.is_empty() {
            text.push_str(&format!("<div class=\"cards\">{full}</div>\n"));
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

fn pictures(report: &Report) -> String {
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

fn latencies(report: &Report) -> String {
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

fn costs(report: &Report) -> String {
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
        let rows: String = report
            .costs
            .iter()
            .filter(|row| row.policy == policy)
            .map(|row| {
                let shares: Vec<String> = row
                    .shares
                    .iter()
                    .map(|(name, share)| format!("{name} {:.0} %", 100.0 * share))
                    .collect();
                format!(
                    "<div class=\"cost\"><h4>{} <small>{}, {} episodes</small></h4>\
                     <p class=\"num\"><b>{} s</b> wall, <b>{}</b> processor, {:.1} s simulated, {:.1} chunks; \
                     <b>{:.1}</b> episodes a minute and worker</p>{}<p class=\"shares\">{}</p></div>\n",
                    escape(&row.method),
                    escape(&row.provider),
                    row.episodes,
                    chart::number(row.wall_s),
                    row.cpu_s.map_or_else(|| "not measured".to_owned(), |cpu_s| format!("{} s", chart::number(cpu_s))),
                    row.simulated_s,
                    row.chunks,
                    row.per_minute(),
                    chart::shares(&row.shares),
                    shares.join(", ")
                )
            })
            .collect();
        rows
    });
    section(
        "cost",
        "What an episode costs",
        "Means over the episodes. Processor time is that of the episode's own thread.",
        &format!("<p class=\"legend\">{names}</p>\n{body}"),
    )
}

fn origins(report: &Report) -> String {
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
                "<div class=\"origin\"><h4>{} <small>{} episodes</small></h4><pre>{}</pre>\
                 <p>Policy <b>{}</b> on {}, SHA-256 of its manifest: {hash}. Methods: {}. Seeds: {}.</p>{settings}</div>\n",
                escape(&origin.file),
                origin.episodes,
                escape(&origin.commands.join("\n")),
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
