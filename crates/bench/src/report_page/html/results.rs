//! How often which policy succeeded.

use super::{by_policy, escape, legend, section, short};
use crate::report_page::chart;
use crate::report_page::model::{Comparison, Curve, FULL, Report, STRENGTHS};
use crate::report_page::stats::p_value;
use crate::report_page::text::{rate_words, ratio_words};
use crate::{Cell, Method};

pub(super) fn headline(report: &Report) -> String {
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

pub(super) fn tasks(report: &Report) -> String {
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

pub(super) fn methods(report: &Report) -> String {
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
        "Dots: success less that of the full method in the same scenes, in percentage points, with Newcombe's paired \
         95&nbsp;% interval, and McNemar's exact test. An interval that holds 0 leaves open whether there is a difference.",
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
                "<b>{}</b> <small>{} to {}; {} pairs, {} gained, {} lost, p {}</small>",
                points(found.value),
                points(found.low),
                points(found.high),
                row.pairs.trials(),
                row.pairs.gained,
                row.pairs.lost,
                escape(&p_value(row.pairs.exact_p()))
            ),
        ),
        None if row.method == FULL => (String::new(), "<small>reference</small>".to_owned()),
        None => (
            String::new(),
            "<small>no scene in common with full</small>".to_owned(),
        ),
    };
    let name = match row.scenes.as_str() {
        "" => row.method.clone(),
        scenes => format!("{scenes}: {}", row.method),
    };
    format!(
        "<div class=\"row\"><span class=\"name\">{}<small>{}</small></span>{}<span class=\"num\">{}</span>\
         <span class=\"plot\">{plot}</span><span class=\"num wide\">{words}</span></div>\n",
        escape(&name),
        escape(&about),
        chart::bar(row.rate, &row.method),
        short(row.rate)
    )
}

/// A difference in percentage points with its sign: `+3`, `−12`, `0`.
fn points(difference: f64) -> String {
    match (100.0 * difference).round() as i64 {
        0 => "0".to_owned(),
        value if value < 0 => format!("&minus;{}", -value),
        value => format!("+{value}"),
    }
}

pub(super) fn curves(report: &Report) -> String {
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
