use std::fs;
use std::path::Path;

use image::{Rgb, RgbImage};
use serde_json::{Value, json};
use tempfile::TempDir;
use tiller_report::{Outcome, Picture, Recorder, RunInfo};

use super::html::{escape, page};
use super::input::Input;
use super::model::Report;
use super::write;
use crate::Subjects;

fn worlds() -> Subjects {
    Subjects::new().with(
        tiller_playtable::kind(),
        tiller_playtable_author::EmbeddedAuthor,
    )
}

/// Numbers that look random and are the same everywhere (a linear congruential generator).
struct Chance(u64);

impl Chance {
    fn below(&mut self, share: f64) -> bool {
        self.next() < share
    }

    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f64 / (1u64 << 24) as f64
    }
}

fn episode(task: &str, method: &str, seed: u64, success: bool) -> Value {
    let suite = if task.starts_with("push") {
        "movable"
    } else {
        "articulated"
    };
    json!({
        "task": task, "suite": suite, "variation": null, "seed": seed, "method": method,
        "steered": method != "unsteered", "instruction": null, "policy": "flow", "provider": "cpu",
        "success": success, "reason": if success { "the task is achieved" } else { "out of time after 400 steps" },
        "failure": if success { Value::Null } else { json!(if seed.is_multiple_of(3) { "time out" } else { "stalled in stage 2" }) },
        "pictures": null, "steps": 120, "chunks": 15, "cpu_s": 2.5,
        "time": {
            "simulate_s": 0.5, "render_s": 1.0, "ground_s": 0.25, "author_s": 0.0, "encode_s": 0.75,
            "plan_s": 0.6, "denoise_s": 0.45, "stage_s": 0.0, "wall_s": 4.0 + seed as f64 * 0.01
        },
        "settings": {"policy": "flow", "policy_sha256": "ab".repeat(32), "provider": "cpu", "max_steps": 400}
    })
}

fn put(folder: &Path, name: &str, lines: &[Value]) {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    fs::write(folder.join(name), text).unwrap();
}

fn report(folder: &TempDir) -> Report {
    Report::of(Input::read(folder.path()).unwrap(), &worlds())
}

#[test]
fn what_an_operator_has_judged_counts_with_the_last_word_on_each_episode() {
    let folder = tempfile::tempdir().unwrap();
    let line = |run: &str, episode: u64, verdict: &str, note: &str| {
        json!({
            "time_s": 1.5, "run": run, "episode": episode, "instruction": "tidy up", "seed": 4, "tasks": [],
            "verdict": verdict, "note": note, "oracle": null, "author": "openai/m", "duration_s": 12.5,
        })
    };
    let lines = [
        line("a", 1, "fail", "a slip of the key"),
        line("a", 1, "success", ""),
        line("b", 3, "fail", "dropped it"),
        line("b", 2, "cancel", ""),
    ];
    put(folder.path(), "evaluation.jsonl", &lines);
    put(
        folder.path(),
        "bench.jsonl",
        &[episode("drawer_open", "full", 1, true)],
    );
    let input = Input::read(folder.path()).unwrap();
    assert!(input.notes.is_empty(), "{:?}", input.notes);
    let judged: Vec<_> = input
        .episodes
        .iter()
        .filter(|episode| episode.suite == "judged")
        .map(|episode| (episode.success, episode.failure.as_deref()))
        .collect();
    assert_eq!(judged, [(true, None), (false, Some("dropped it"))]);
    assert_eq!(input.episodes.len(), 3);
    let html = page(&report(&folder));
    assert!(html.contains("tidy up") && html.contains("openai/m"));
}

/// Three methods on two tasks, and one task in scenes unlike those of training.
fn benchmark(folder: &Path) {
    let mut chance = Chance(7);
    let mut plain = Vec::new();
    let mut ablations = Vec::new();
    let mut varied = Vec::new();
    for seed in 5000..5020 {
        for task in ["drawer_open", "push_red"] {
            let full = episode(task, "full", seed, chance.below(0.9));
            plain.push(full.clone());
            plain.push(episode(task, "unsteered", seed, chance.below(0.15)));
            // The full method is part of the ablations as well: it must not count twice.
            ablations.push(full);
            ablations.push(episode(task, "no_gradient", seed, chance.below(0.5)));
        }
        for strength in 1..=3 {
            for (method, rate) in [("full", 0.9), ("unsteered", 0.2)] {
                let success = chance.below(rate / f64::from(strength));
                let mut line = episode("push_red", method, seed, success);
                line["suite"] = json!("ood-position");
                line["variation"] = json!({"axis": "position", "strength": strength});
                varied.push(line);
            }
        }
    }
    put(folder, "ablations.jsonl", &ablations);
    put(folder, "baselines.jsonl", &plain);
    fs::create_dir(folder.join("ood")).unwrap();
    put(&folder.join("ood"), "position.jsonl", &varied);
}

#[test]
fn the_report_of_a_benchmark() {
    let folder = TempDir::new().unwrap();
    benchmark(folder.path());
    insta::assert_snapshot!(report(&folder).text());
}

#[test]
fn tallies_by_hand() {
    let folder = TempDir::new().unwrap();
    let mut lines = Vec::new();
    for seed in 0..20 {
        lines.push(episode("drawer_open", "full", seed, seed != 4));
        lines.push(episode("drawer_open", "unsteered", seed, seed < 5));
        lines.push(episode("drawer_open", "gradient", seed, seed >= 6));
    }
    put(folder.path(), "a.jsonl", &lines);
    let report = report(&folder);
    let headline = &report.headline[0];
    assert_eq!(
        (headline.steered.successes, headline.steered.trials),
        (19, 20)
    );
    assert_eq!(headline.ratio(), Some(19.0 / 5.0));
    // Wilson's interval of 19 out of 20 is 76.4 to 99.1 %.
    assert!(report.headline_text().contains("19/20, 95 % (76 to 99)"));
    let gradient = report
        .methods
        .iter()
        .find(|row| row.method == "gradient")
        .unwrap();
    let pairs = gradient.pairs;
    assert_eq!(
        (pairs.both, pairs.gained, pairs.lost, pairs.neither),
        (14, 0, 5, 1)
    );
    assert_eq!(gradient.difference.unwrap().value, -0.25);
    let causes = report
        .causes
        .iter()
        .find(|row| row.method == "unsteered")
        .unwrap();
    // Seeds 5 to 19 failed; 6, 9, 12, 15 and 18 are divisible by 3.
    let expected = [
        ("stalled in stage 2".to_owned(), 10),
        ("time out".to_owned(), 5),
    ];
    assert_eq!(causes.counts, expected);
    let cost = &report.costs[0];
    assert!((cost.wall_s - 4.095).abs() < 1e-9 && cost.cpu_s == Some(2.5));
    let policy = cost
        .shares
        .iter()
        .find(|(name, _)| *name == "policy")
        .unwrap();
    assert!((policy.1 - 1.2 / 4.095).abs() < 1e-9);
    assert!((cost.shares.iter().map(|(_, share)| share).sum::<f64>() - 1.0).abs() < 1e-12);
    let steering = report
        .latencies
        .iter()
        .find(|row| row.phase == "steering")
        .unwrap();
    assert!(
        (steering.ms.median - 10.0).abs() < 1e-9,
        "150 ms over 15 chunks"
    );
    let command = "tiller bench playtable --policy flow --task drawer_open --method full --method unsteered \
                   --method gradient --seed 0 --episodes 20 --max-steps 400 --json a.jsonl";
    assert_eq!(report.origins[0].commands, [command]);
}

#[test]
fn hostile_text_stays_text() {
    let folder = TempDir::new().unwrap();
    let hostile = "<script>alert(1)</script>\"'&";
    let mut line = episode(hostile, hostile, 1, false);
    for key in [
        "suite",
        "policy",
        "provider",
        "instruction",
        "reason",
        "failure",
    ] {
        line[key] = json!(hostile);
    }
    line["settings"]["policy_sha256"] = json!(hostile);
    let mut full = line.clone();
    full["method"] = json!("full");
    let mut varied = full.clone();
    varied["variation"] = json!({"axis": hostile, "strength": 2});
    put(folder.path(), "<b>.jsonl", &[line, full, varied]);
    fs::write(
        folder.path().join("x.jsonl"),
        "{\"task\": \"<script>\", \"seed\": \"<script>\"}\n",
    )
    .unwrap();
    let html = page(&report(&folder));
    assert!(
        !html.contains("<script") && !html.contains("<b>.jsonl"),
        "{html}"
    );
    assert!(html.contains("&lt;script&gt;alert(1)"));
    assert_eq!(
        escape("<a href='x'>&\"</a>"),
        "&lt;a href=&#39;x&#39;&gt;&amp;&quot;&lt;/a&gt;"
    );
}

#[test]
fn a_page_hides_nothing() {
    assert_eq!(
        escape("a\u{202e}<\u{1b}\u{200b}\u{e0041}\n\u{0}"),
        r"a\u{202e}&lt;\u{1b}\u{200b}\u{e0041}".to_owned() + "\n" + r"\u{0}"
    );
    let folder = TempDir::new().unwrap();
    let hidden = "open\u{202e} the\u{1b}[2J\u{200b} drawer\u{9b}\u{2066}\u{e0041}\u{e000}";
    let mut line = episode("drawer_open", "full", 1, false);
    for key in [
        "task",
        "suite",
        "method",
        "instruction",
        "policy",
        "provider",
        "reason",
        "failure",
    ] {
        line[key] = json!(hidden);
    }
    line["settings"]["policy_sha256"] = json!(hidden);
    let mut varied = line.clone();
    varied["method"] = json!("full");
    varied["variation"] = json!({"axis": hidden, "strength": 2});
    put(folder.path(), "\u{202e}x.jsonl", &[line, varied]);
    fs::write(folder.path().join("\u{2067}y.jsonl"), "{\"\u{202e}\n").unwrap();
    let report = report(&folder);
    let html = page(&report);
    let found = html
        .chars()
        .find(|&c| c != '\n' && tiller_core::is_hidden(c));
    assert_eq!(found, None, "{html}");
    assert!(html.contains(r"open\u{202e} the\u{1b}[2J"));
    let headline = report.headline_text();
    let found = headline
        .chars()
        .find(|&c| c != '\n' && tiller_core::is_hidden(c));
    assert_eq!(found, None, "{headline}");
}

#[test]
fn broken_lines_are_named_and_skipped() {
    let folder = TempDir::new().unwrap();
    let good = episode("drawer_open", "full", 1, true).to_string();
    let mut bytes = format!("{good}\nnot json\n\n{{\"task\": \"drawer_open\"}}\n").into_bytes();
    bytes.extend(b"\xff\xfe\n");
    // The last line was cut off as it was written.
    bytes.extend(&good.as_bytes()[..40]);
    fs::write(folder.path().join("a.jsonl"), bytes).unwrap();
    let written = write(folder.path(), &folder.path().join("report.html"), &worlds()).unwrap();
    assert_eq!(written.episodes, 1);
    let starts: Vec<&str> = written
        .notes
        .iter()
        .filter_map(|note| note.split(": ").next())
        .collect();
    assert_eq!(starts, ["a.jsonl:2", "a.jsonl:4", "a.jsonl:5", "a.jsonl:6"]);
    assert!(
        written.notes[1].contains("missing field `seed`"),
        "{:?}",
        written.notes
    );
    let html = fs::read_to_string(written.path).unwrap();
    assert!(
        html.contains("a.jsonl:2: skipped"),
        "the page names them too"
    );
}

#[test]
fn endless_lines_and_files_are_bounded_and_links_stay_what_they_are() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    let good = episode("drawer_open", "full", 1, true).to_string();
    let long = format!("{{\"task\": \"{}\"}}", "x".repeat(2 << 20));
    let wordy = format!("{{\"task\": 1, \"seed\": \"{}\"}}", "x".repeat(1000));
    let odd = "odd\n".repeat(30);
    fs::write(at("a.jsonl"), format!("{long}\n{good}\n{wordy}\n{odd}")).unwrap();
    fs::write(at("victim"), "untouched").unwrap();
    std::os::unix::fs::symlink("victim", at("report.html")).unwrap();
    let written = write(folder.path(), &at("report.html"), &worlds()).unwrap();
    assert_eq!((written.episodes, written.notes.len()), (1, 21));
    let first = "a.jsonl:1: skipped, not an episode: it has more than 1048576 bytes";
    assert_eq!(written.notes[0], first);
    assert!(written.notes.iter().all(|note| note.len() < 300));
    assert_eq!(written.notes[20], "12 more lines skipped");
    assert_eq!(fs::read(at("victim")).unwrap(), b"untouched");
    assert!(fs::symlink_metadata(at("report.html")).unwrap().is_file());

    // A page is no matter of devices, and a file of a terabyte none of results.
    let error = write(folder.path(), Path::new("/dev/null"), &worlds()).unwrap_err();
    assert!(error.to_string().contains("found a device"), "{error}");
    let sparse = fs::File::create(at("b.jsonl")).unwrap();
    sparse.set_len(1 << 40).unwrap();
    let error = write(folder.path(), &at("report.html"), &worlds()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("b.jsonl: it has 1099511627776 bytes"),
        "{error}"
    );
}

#[test]
fn nothing_to_show_is_said() {
    let folder = TempDir::new().unwrap();
    let html = page(&report(&folder));
    assert!(html.contains("no episodes to show") && html.contains("holds no .jsonl file"));
    assert!(!html.contains("<section"), "{html}");
    let error = write(&folder.path().join("none"), Path::new("x"), &worlds()).unwrap_err();
    assert!(error.to_string().contains("is no folder"), "{error}");
}

#[test]
fn older_files_get_defaults() {
    let folder = TempDir::new().unwrap();
    let line = |seed: u64, steered: bool| {
        json!({"task": "push_red", "suite": "movable", "seed": seed, "steered": steered,
               "policy": "/some/where/flow/", "success": steered, "reason": "out of time after 200 steps"})
    };
    let mut far = line(2, true);
    far["variation"] = json!({"axis": "scene", "strength": 4});
    let free = json!({"task": "any", "suite": "any", "seed": 1, "steered": false, "success": true});
    put(
        folder.path(),
        "a.jsonl",
        &[line(1, true), line(1, false), far, free],
    );
    let report = report(&folder);
    assert_eq!(report.policies, ["flow"]);
    assert_eq!(report.episodes, 2);
    let methods: Vec<&str> = report
        .methods
        .iter()
        .map(|row| row.method.as_str())
        .collect();
    assert_eq!(methods, ["full", "unsteered"]);
    assert_eq!(report.causes[1].counts, [("time out".to_owned(), 1)]);
    assert_eq!(report.headline[0].ratio(), None);
    assert!(
        report.notes[0].contains("1 free runs"),
        "{:?}",
        report.notes
    );
    assert!(
        report.notes[1].contains("strength 1 to 3"),
        "{:?}",
        report.notes
    );
    assert!(page(&report).contains("not recorded"));
}

#[test]
fn bundles_of_one_name_are_told_apart() {
    let folder = TempDir::new().unwrap();
    let mut other = episode("push_red", "full", 1, true);
    other["settings"]["policy_sha256"] = json!("cd".repeat(32));
    put(
        folder.path(),
        "a.jsonl",
        &[episode("push_red", "full", 1, true), other],
    );
    let report = report(&folder);
    assert_eq!(
        report.policies,
        ["flow (abababababab)", "flow (cdcdcdcdcdcd)"]
    );
    assert!(report.origins[0].commands[0].contains("--policy flow "));
}

fn record(folder: &Path, frames: u64) {
    let mut recorder = Recorder::new(RunInfo {
        instruction: "open the drawer".to_owned(),
        policy: "flow".to_owned(),
        seed: 1,
        steered: true,
    });
    for index in 0..frames {
        let image = RgbImage::from_pixel(8, 8, Rgb([20 * index as u8, 90, 40]));
        recorder.add_frame(
            index * 100_000_000,
            Picture::new(image.as_raw(), 8, 8).unwrap(),
        );
    }
    let outcome = Outcome {
        success: true,
        reason: String::new(),
        completed: Vec::new(),
    };
    recorder.write(folder, &outcome).unwrap();
}

#[test]
fn pictures_are_found_beside_the_file_and_missing_ones_are_named() {
    let folder = TempDir::new().unwrap();
    let mut lines: Vec<Value> = (0..4)
        .map(|seed| episode("drawer_open", "full", seed, seed < 3))
        .collect();
    for (seed, place) in ["gone", "long", "short", "broken"].iter().enumerate() {
        lines[seed]["pictures"] = json!(format!("pictures/{place}"));
    }
    put(folder.path(), "a.jsonl", &lines);
    let pictures = folder.path().join("pictures");
    record(&pictures.join("long"), 12);
    record(&pictures.join("short"), 2);
    fs::create_dir(pictures.join("broken")).unwrap();
    fs::write(pictures.join("broken/contact_sheet.png"), "no picture").unwrap();
    let first = report(&folder);
    let strip = &first.strips[0];
    let success = strip.success.as_ref().unwrap();
    assert_eq!((success.seed, success.pictures.len()), (1, 6));
    assert_eq!(strip.failure, None);
    let missing = |place: &str| {
        first
            .notes
            .iter()
            .any(|note| note.contains(&format!("{place}/contact_sheet.png")))
    };
    assert!(missing("gone") && missing("broken"), "{:?}", first.notes);
    let html = page(&first);
    assert_eq!(html.matches("data:image/jpeg;base64,/9j/").count(), 6);
    assert!(html.contains("no failure with pictures"));
    // A short episode has fewer moments, none of them twice.
    fs::remove_dir_all(pictures.join("long")).unwrap();
    let strips = report(&folder).strips;
    assert_eq!(strips[0].success.as_ref().unwrap().pictures.len(), 2);
}

#[test]
fn the_page_needs_nothing_else() {
    let folder = TempDir::new().unwrap();
    benchmark(folder.path());
    let html = page(&report(&folder));
    let section = |id: &str| html.contains(&format!("<section id=\"{id}\">"));
    for id in [
        "success",
        "tasks",
        "methods",
        "ood",
        "failures",
        "latency",
        "cost",
        "reproduce",
    ] {
        assert!(section(id), "{id}");
    }
    assert!(!section("pictures"), "there are none");
    for outside in ["http:", "https:", "<script", "<link", "@import", "url("] {
        assert!(!html.contains(outside), "{outside}");
    }
    for part in [
        "section", "div", "svg", "table", "details", "g", "td", "th", "tr", "span", "h4",
    ] {
        let open =
            html.matches(&format!("<{part}>")).count() + html.matches(&format!("<{part} ")).count();
        assert_eq!(open, html.matches(&format!("</{part}>")).count(), "{part}");
    }
    assert!(!html.contains("NaN") && !html.contains("inf%"));
    assert_eq!(
        html,
        page(&report(&folder)),
        "the same files give the same page"
    );
}
