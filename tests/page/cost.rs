//! What it costs the control loop that two browsers show the page, and that a run is recorded.

use std::fs;
use std::path::Path;
use std::thread::JoinHandle;
use std::time::Instant;

use serde_json::{Value, json};

use crate::browser::{Browser, Tab};
use crate::common::{start_dataflow, start_recorded};
use crate::operator::{address, live};

/// Demos of each kind, unless `COST_DEMOS` says otherwise.
const DEMOS: u32 = 6;

/// What is compared with nothing.
const KINDS: [&str; 2] = [PAGE, RECORDING];
const PAGE: &str = "page";
const RECORDING: &str = "recording";
const NOTHING: &str = "nothing";

/// How many look, each a program of its own if it is a browser.
const BROWSERS: usize = 2;

/// Episodes of a demo: one alone may be over before a browser that waits for everybody else is connected.
const EPISODES: &str = "3";

/// What is compared, of the control period, ms.
const FIGURES: [&str; 4] = ["p50_ms", "p95_ms", "p99_ms", "longest_ms"];

/// Ways of a picture to the arm that are told beside, as the summary calls them.
const HOPS: [&str; 5] = [
    "image_to_keypoints",
    "planning",
    "image_to_chunk",
    "chunk_to_execution",
    "image_to_execution",
];

/// Counts pictures as the page unpacks them.
const COUNT: &str = "window.pictures = 0; const unpack = window.createImageBitmap.bind(window); \
                     window.createImageBitmap = (...all) => { window.pictures += 1; return unpack(...all); };";

/// Somebody who looks at the page.
enum Looker {
    /// A browser at a blank page, which it goes back to after each demo.
    Browser(Box<(Browser, Tab)>),
    /// Takes what a page is told and draws nothing, as if a browser on another machine did; counts pictures.
    Socket(Option<JoinHandle<u64>>),
}

impl Looker {
    /// Browsers wait for everybody else unless they compete. None where there is no browser.
    fn start(how: &str) -> Option<Self> {
        let mut browser = match how {
            "behind" => Browser::start_behind_all()?,
            "compete" => Browser::start()?,
            "sockets" => return Some(Self::Socket(None)),
            _ => panic!("COST_LOOKERS: expected `behind`, `compete` or `sockets`, found `{how}`"),
        };
        let tab = browser.open("about:blank", 1400, 1000);
        let count = json!({ "source": COUNT });
        browser.call(Some(&tab), "Page.addScriptToEvaluateOnNewDocument", count);
        Some(Self::Browser(Box::new((browser, tab))))
    }

    /// Opens the page of a run.
    fn look(&mut self, host: &str) {
        match self {
            Self::Browser(browser) => {
                let (browser, tab) = &mut **browser;
                go(browser, tab, &format!("http://{host}/"));
                let is_connected = "document.querySelector('#link')?.textContent === 'connected'";
                browser.wait(tab, is_connected);
            }
            Self::Socket(listening) => {
                let mut socket = live(host);
                *listening = Some(std::thread::spawn(move || {
                    let mut shown = 0;
                    while let Ok(message) = socket.read() {
                        if message.is_binary() {
                            shown += 1;
                            // The page may have ended meanwhile.
                            let _ = socket.send("drawn".into());
                        }
                    }
                    shown
                }));
            }
        }
    }

    /// Closes it; gives how many pictures were shown.
    fn leave(&mut self) -> u64 {
        match self {
            Self::Browser(browser) => {
                let (browser, tab) = &mut **browser;
                let shown = browser.value(tab, "window.pictures");
                go(browser, tab, "about:blank");
                shown.as_u64().unwrap_or(0)
            }
            Self::Socket(listening) => listening.take().unwrap().join().unwrap(),
        }
    }
}

fn go(browser: &mut Browser, tab: &Tab, url: &str) {
    browser.call(Some(tab), "Page.navigate", json!({ "url": url }));
}

fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let first = text.split(' ').next().unwrap_or_default();
    first.parse().unwrap_or(f64::NAN)
}

/// Some episodes while this is done beside; gives the control period's figures, and how many pictures each who looks
/// was shown.
fn demo(seed: u32, what: &str, lookers: &mut [Looker]) -> Value {
    let (seed_text, before) = (seed.to_string(), load());
    let settings = [
        ("TILLER_INSTRUCTION", "open the drawer"),
        ("TILLER_SEED", seed_text.as_str()),
        ("TILLER_EPISODES", EPISODES),
        ("TILLER_CONSOLE_ADDRESS", "127.0.0.1:0"),
    ];
    let begin = Instant::now();
    let running = match what {
        RECORDING => start_recorded(Path::new("dataflow.yml"), &settings, 300),
        _ => start_dataflow(&settings, 300),
    };
    let host = address(running.folder.path());
    let looking = if what == PAGE { lookers.len() } else { 0 };
    let lookers = &mut lookers[..looking];
    for looker in &mut *lookers {
        looker.look(&host);
    }
    let run = running.end();
    let shown: Vec<_> = lookers.iter_mut().map(Looker::leave).collect();
    let summary = run.summary();
    json!({
        "seed": seed,
        "what": what,
        "period": summary["control"]["period"],
        "latencies": summary["latencies"],
        "outcome": summary["outcome"],
        "pictures": shown,
        "load_before": before,
        "wall_s": begin.elapsed().as_secs_f64(),
    })
}

/// Lowest, middle and highest.
fn spread(rows: &[Value], what: &str, of: impl Fn(&Value) -> Option<f64>) -> [f64; 3] {
    let rows = rows.iter().filter(|row| row["what"] == what);
    let mut values: Vec<_> = rows.filter_map(of).collect();
    values.sort_by(f64::total_cmp);
    let count = values.len();
    assert!(count > 0, "{what}: no figures");
    let median = (values[(count - 1) / 2] + values[count / 2]) / 2.0;
    [values[0], median, values[count - 1]]
}

/// Mean of the logarithms, and the error of that mean.
fn of_logarithms(ratios: &[f64]) -> (f64, f64) {
    let count = ratios.len() as f64;
    let mean = ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / count;
    let squares = ratios.iter().map(|ratio| (ratio.ln() - mean).powi(2));
    (
        mean,
        (squares.sum::<f64>() / (count - 1.0).max(1.0) / count).sqrt(),
    )
}

/// By figure: without it, with it, and how much more that is; pair by pair too, for demos of one seed are alike.
fn compared(rows: &[Value], what: &str) -> Value {
    let by_figure = FIGURES.map(|figure| {
        let [without, with] =
            [NOTHING, what].map(|what| spread(rows, what, |row| row["period"][figure].as_f64()));
        let of = |seed: &Value, what: &str| {
            let mut rows = rows.iter();
            let row = rows.find(|row| row["seed"] == *seed && row["what"] == what);
            row.and_then(|row| row["period"][figure].as_f64())
        };
        let seeds = rows
            .iter()
            .filter(|row| row["what"] == NOTHING)
            .map(|row| &row["seed"]);
        let pairs = seeds.filter_map(|seed| of(seed, NOTHING).zip(of(seed, what)));
        let mut ratios: Vec<_> = pairs.map(|(without, with)| with / without).collect();
        ratios.sort_by(f64::total_cmp);
        let paired = (ratios[(ratios.len() - 1) / 2] + ratios[ratios.len() / 2]) / 2.0;
        let (mean, spread) = of_logarithms(&ratios);
        let factor = |sigmas: f64| (mean + sigmas * spread).exp();
        let told = json!({
            "without": without,
            "with": with,
            "more_by_medians": with[1] / without[1] - 1.0,
            "more_by_pairs": paired - 1.0,
            "factor": [factor(-1.96), factor(0.0), factor(1.96)],
        });
        (figure.to_owned(), told)
    });
    Value::Object(by_figure.into_iter().collect())
}

/// How long a picture takes to the arm, hop by hop: medians of the demos' p50 and p99, ms.
fn hops(rows: &[Value], kinds: &[&str]) -> String {
    let mut lines = vec!["latency, ms: p50, p99".to_owned()];
    for hop in HOPS {
        let mut line = format!("{hop:<20}");
        for kind in kinds {
            let [p50, p99] = ["p50_ms", "p99_ms"].map(|figure| {
                let [_, median, _] =
                    spread(rows, kind, |row| row["latencies"][hop][figure].as_f64());
                median
            });
            line += &format!("  {kind} {p50:.0}, {p99:.0}");
        }
        lines.push(line);
    }
    lines.join("\n")
}

fn table(what: &str, comparison: &Value) -> String {
    let mut lines = vec![format!(
        "{:<12}{:>30}{:>26}{:>10}{:>10}  {}",
        what,
        "without (least, median, most)",
        "with",
        "medians",
        "pairs",
        "times, geometric mean [95 %]"
    )];
    for figure in FIGURES {
        let row = &comparison[figure];
        let three = |name: &str| {
            let values = row[name].as_array().unwrap().iter();
            let values: Vec<_> = values
                .map(|it| format!("{:.2}", it.as_f64().unwrap()))
                .collect();
            values.join(" ")
        };
        let percent = |name: &str| format!("{:+.1} %", 100.0 * row[name].as_f64().unwrap());
        let factor = |index: usize| row["factor"][index].as_f64().unwrap();
        lines.push(format!(
            "{figure:<12}{:>30}{:>26}{:>10}{:>10}  {:.3} [{:.3}, {:.3}]",
            three("without"),
            three("with"),
            percent("more_by_medians"),
            percent("more_by_pairs"),
            factor(1),
            factor(0),
            factor(2)
        ));
    }
    lines.join("\n")
}

/// What a variable says, if it does.
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[test]
#[ignore = "a quarter of a minute a demo: by hand, on a quiet machine (nodes/console/README.md)"]
fn what_is_done_beside_costs_the_control_loop_little() {
    let demos = setting("COST_DEMOS");
    let demos = demos.map_or(DEMOS, |count| count.parse().expect("COST_DEMOS: a count"));
    let how = setting("COST_LOOKERS");
    let how = how.as_deref().unwrap_or("behind");
    let wanted = setting("COST_OF").unwrap_or_else(|| KINDS.join(","));
    let kinds: Vec<&str> = wanted.split(',').collect();
    assert!(
        kinds.iter().all(|kind| KINDS.contains(kind)),
        "COST_OF: expected some of {KINDS:?}, found `{wanted}`"
    );
    let lookers = if kinds.contains(&PAGE) { BROWSERS } else { 0 };
    let Some(mut lookers) = (0..lookers)
        .map(|_| Looker::start(how))
        .collect::<Option<Vec<_>>>()
    else {
        return;
    };
    let mut order: Vec<_> = std::iter::once(NOTHING)
        .chain(kinds.iter().copied())
        .collect();
    let all = order.clone();
    let mut rows = Vec::new();
    for number in 0..demos {
        for what in &order {
            let row = demo(100 * number, what, &mut lookers);
            eprintln!("{row}");
            let shown = row["pictures"].as_array().unwrap();
            assert!(shown.iter().all(|count| count.as_u64() > Some(0)), "{row}");
            rows.push(row);
        }
        // What drifts meets all alike: who was first comes last.
        order.rotate_left(1);
    }
    let comparisons = kinds
        .iter()
        .map(|kind| ((*kind).to_owned(), compared(&rows, kind)));
    let comparisons: serde_json::Map<_, _> = comparisons.collect();
    if let Some(path) = setting("COST_JSON") {
        let whole = json!({ "lookers": how, "demos": rows, "period": comparisons });
        fs::write(Path::new(&path), serde_json::to_vec_pretty(&whole).unwrap()).unwrap();
    }
    for (what, comparison) in &comparisons {
        eprintln!("{}", table(what, comparison));
    }
    eprintln!("{}", hops(&rows, &all));
}

#[test]
fn figures_are_compared_over_all_and_pair_by_pair() {
    let row = |seed: u32, what: &str, ms: f64| {
        let period: serde_json::Map<_, _> = FIGURES
            .iter()
            .map(|figure| ((*figure).to_owned(), json!(ms)))
            .collect();
        let latencies = HOPS.map(|hop| {
            let two = json!({ "p50_ms": ms, "p99_ms": 2.0 * ms });
            (hop.to_owned(), two)
        });
        let latencies: serde_json::Map<_, _> = latencies.into_iter().collect();
        json!({ "seed": seed, "what": what, "period": period, "latencies": latencies })
    };
    let rows = [
        row(0, NOTHING, 20.0),
        row(0, PAGE, 21.0),
        row(1, PAGE, 44.0),
        row(1, NOTHING, 40.0),
        row(2, NOTHING, 30.0),
        row(2, PAGE, 30.0),
    ];
    let found = &compared(&rows, PAGE)["p99_ms"];
    assert_eq!(found["without"], json!([20.0, 30.0, 40.0]));
    assert_eq!(found["with"], json!([21.0, 30.0, 44.0]));
    assert_eq!(found["more_by_medians"], 0.0);
    assert!((found["more_by_pairs"].as_f64().unwrap() - 0.05).abs() < 1e-9);
    let factor = found["factor"][1].as_f64().unwrap();
    assert!((factor - (1.05_f64 * 1.1).cbrt()).abs() < 1e-9);
    assert!(table(PAGE, &compared(&rows, PAGE)).contains("+5.0 %"));
    let told = hops(&rows, &[NOTHING, PAGE]);
    let planning = "planning              nothing 30, 60  page 30, 60";
    assert!(told.contains(planning), "{told}");
}
