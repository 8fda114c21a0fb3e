//! Both plans of every moment, side by side, as a page that needs nothing else.

use std::fmt::Write as _;

use crate::replan::Changes;
use crate::report::Verdict;
use crate::what_if::{Alternative, Plans, Sketch};

/// Side of a drawing, px, and the margin inside of it, which holds its words.
const SIDE: f64 = 220.0;
const MARGIN: f64 = 22.0;

/// The least that a drawing shows from one edge to the other, m: smaller differences are no differences.
const LEAST_SPAN_M: f32 = 0.05;

const STYLE: &str = "body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:1080px;padding:0 1rem;color:#1c2330;\
background:#fff}h1{font-size:1.35rem;margin-bottom:.2rem}.key b{font-weight:600}.then{color:#6b7686}.now{color:#c2410c}\
.plans{display:grid;grid-template-columns:repeat(auto-fill,minmax(490px,1fr));gap:14px}\
.plan{border:1px solid #d9dee6;border-radius:8px;padding:.6rem .8rem}.plan h2{font-size:1rem;margin:0 0 .3rem}\
.plan p{margin:.2rem 0;font-variant-numeric:tabular-nums}svg{background:#f6f8fa;border-radius:6px;margin-right:6px}\
text{font:11px system-ui,sans-serif;fill:#6b7686}.bad{color:#b91c1c}";

/// The page.
#[must_use]
pub fn page(title: &str, changes: &Changes, plans: &Plans) -> String {
    let mut html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Replay of {title}</title>\
         <style>{STYLE}</style><h1>Replay of {title}</h1>",
        title = escaped(title)
    );
    let apart: Vec<f64> = plans.plans.iter().filter_map(|plan| plan.apart_m).collect();
    let furthest = apart.iter().copied().fold(0.0, f64::max) * 1e3;
    let mean = apart.iter().sum::<f64>() / apart.len().max(1) as f64 * 1e3;
    // Writing to a String cannot fail.
    let _ = write!(
        html,
        "<p class=\"key\">{} plans; <b class=\"then\">as recorded</b> and <b class=\"now\">with {}</b>. Each moment by itself: \
         what the robot had done until then is as it was. Paths are {mean:.1} mm apart in the mean of plans at their furthest \
         points, {furthest:.1} mm at most.</p>",
        plans.plans.len(),
        escaped(&described(changes)),
    );
    for program in &plans.programs {
        let class = match program.verdict {
            Verdict::Same => "then",
            Verdict::Differs | Verdict::NotCompared => "bad",
        };
        let text = escaped(&program.to_string());
        let _ = write!(html, "<p class=\"{class}\">{text}</p>");
    }
    for missing in &plans.missing {
        let _ = write!(html, "<p class=\"bad\">missing: {}</p>", escaped(missing));
    }
    html += "<div class=\"plans\">";
    for plan in &plans.plans {
        html += &drawn(plan);
    }
    html += "</div></html>\n";
    html
}

fn described(changes: &Changes) -> String {
    let set = changes
        .set
        .iter()
        .map(|(name, value)| format!("{name} = {value}"));
    let policy = changes
        .policy
        .iter()
        .map(|policy| format!("policy {}", policy.display()));
    let program = changes.program.iter().map(|_| "another program".to_owned());
    set.chain(policy)
        .chain(program)
        .collect::<Vec<_>>()
        .join(", ")
}

fn drawn(plan: &Alternative) -> String {
    let mut html = format!(
        "<div class=\"plan\"><h2>chunk {}, {}</h2>",
        plan.chunk,
        match plan.stage {
            0 => "unsteered".to_owned(),
            stage => format!("stage {stage}"),
        }
    );
    for (what, across, up) in [
        ("from above", [0, 1], "x, y"),
        ("from the side", [0, 2], "x, z"),
    ] {
        html += &view(plan, across, &format!("{what} ({up})"));
    }
    for (class, sketch) in [("then", &plan.recorded), ("now", &plan.changed)] {
        let _ = match sketch {
            Ok(sketch) => write!(
                html,
                "<p class=\"{class}\">reward {:.4}, strength {:.2}, ESS {:.1}</p>",
                sketch.reward, sketch.strength, sketch.ess
            ),
            Err(why) => write!(html, "<p class=\"{class}\">no plan: {}</p>", escaped(why)),
        };
    }
    if let Some(apart) = plan.apart_m {
        let _ = write!(html, "<p>furthest apart {:.1} mm</p>", apart * 1e3);
    }
    html + "</div>"
}

/// Both paths, seen along one axis, to one scale.
fn view(plan: &Alternative, [across, up]: [usize; 2], label: &str) -> String {
    let sketches = [("#6b7686", &plan.recorded), ("#c2410c", &plan.changed)];
    let points = || {
        sketches
            .iter()
            .filter_map(|(_, sketch)| sketch.as_ref().ok())
            .flat_map(|s| &s.path_m)
    };
    let range = |axis: usize| {
        let values = || points().map(move |point| point[axis]);
        (
            values().fold(f32::INFINITY, f32::min),
            values().fold(f32::NEG_INFINITY, f32::max),
        )
    };
    let (left, right) = range(across);
    let (bottom, top) = range(up);
    let span = (right - left).max(top - bottom).max(LEAST_SPAN_M);
    let (x0, y0) = ((left + right - span) / 2.0, (bottom + top - span) / 2.0);
    let scale = (SIDE - 2.0 * MARGIN) / f64::from(span);
    let place = |point: &[f32; 3]| {
        let x = MARGIN + f64::from(point[across] - x0) * scale;
        let y = SIDE - MARGIN - f64::from(point[up] - y0) * scale;
        (x, y)
    };
    let mut svg =
        format!("<svg width=\"{SIDE}\" height=\"{SIDE}\" role=\"img\" aria-label=\"{label}\">");
    for (colour, sketch) in sketches {
        if let Ok(Sketch { path_m, .. }) = sketch {
            let line: Vec<_> = path_m
                .iter()
                .map(place)
                .map(|(x, y)| format!("{x:.1},{y:.1}"))
                .collect();
            let _ = write!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
                line.join(" ")
            );
            if let Some((x, y)) = path_m.first().map(place) {
                let _ = write!(
                    svg,
                    "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{colour}\"/>"
                );
            }
        }
    }
    let bar = 0.01 * scale;
    let _ = write!(
        svg,
        "<path d=\"M{MARGIN} {y}h{bar:.1}\" stroke=\"#6b7686\"/><text x=\"{MARGIN}\" y=\"{t}\">1 cm</text>\
         <text x=\"{MARGIN}\" y=\"14\">{label}</text></svg>",
        y = SIDE - 5.0,
        t = SIDE - 8.0,
    );
    svg
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::ProgramReport;

    #[test]
    fn both_plans_are_drawn_and_nothing_of_a_text_becomes_markup() {
        let sketch = |y: f32| Sketch {
            path_m: vec![[0.4, 0.0, 0.2], [0.45, y, 0.2]],
            reward: 0.5,
            strength: 1.0,
            ess: 9.0,
        };
        let plan = |changed| Alternative {
            chunk: 3,
            stage: 2,
            observation_ns: 7,
            recorded: Ok(sketch(0.0)),
            changed,
            apart_m: Some(0.03),
        };
        let plans = Plans {
            plans: vec![plan(Ok(sketch(0.03))), plan(Err("lost <all>".to_owned()))],
            programs: vec![ProgramReport {
                program: 7,
                source: "embedded".to_owned(),
                instruction: String::new(),
                verdict: Verdict::Differs,
                why: Some("text, line 1: `<b>` then, `c` now".to_owned()),
            }],
            missing: Vec::new(),
        };
        let changes = Changes {
            set: vec![("guide_scale".to_owned(), "0.3".to_owned())],
            ..Changes::default()
        };
        let html = page("a<b>.drec", &changes, &plans);
        // Two views of two paths, and two of one.
        assert_eq!(html.matches("<polyline").count(), 6);
        assert!(html.contains("guide_scale = 0.3") && html.contains("furthest apart 30.0 mm"));
        let program = "<p class=\"bad\">program 7 by `embedded`: written again, NOT the same: text, line 1: `&lt;b&gt;` then";
        assert!(html.contains(program), "{html}");
        assert!(html.contains("no plan: lost &lt;all&gt;") && !html.contains("a<b>"));
        assert!(!html.contains("NaN") && !html.contains("inf"));
    }
}
