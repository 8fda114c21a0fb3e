//! The operator's page in a browser, beside the real dataflow.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

#[path = "page/browser.rs"]
mod browser;
mod common;
#[path = "page/cost.rs"]
mod cost;
#[path = "page/operator.rs"]
mod operator;
#[path = "page/pause.rs"]
mod pause;
#[path = "page/recording.rs"]
mod recording;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use browser::{Browser, Tab};
use common::{Running, process, signal, start_dataflow};
use serde_json::Value;

/// Settings under which nothing moves before somebody has approved it.
const SETTINGS: [(&str, &str); 5] = [
    ("TILLER_INSTRUCTION", "press the button"),
    ("TILLER_SEED", "1"),
    ("TILLER_EPISODES", "0"),
    ("TILLER_APPROVAL", "required"),
    ("TILLER_CONSOLE_ADDRESS", "127.0.0.1:0"),
];

/// Where pictures go; none where nobody wants them.
fn pictures() -> Option<PathBuf> {
    std::env::var_os("PAGE_PICTURES").map(PathBuf::from)
}

/// The page's address, once it is served.
fn url(running: &Running) -> String {
    format!("http://{}/", operator::address(running.folder.path()))
}

/// A page of a run, once it is connected.
fn opened(browser: &mut Browser, running: &Running) -> Tab {
    let tab = browser.open(&url(running), 1400, 1000);
    browser.wait(
        &tab,
        "document.querySelector('#link')?.textContent === 'connected'",
    );
    tab
}

/// Gives an instruction as a person does: by keys alone.
fn instruct(browser: &mut Browser, tab: &Tab, instruction: &str) {
    browser.key(tab, "i");
    browser.type_text(tab, instruction);
    browser.key(tab, "Enter");
    browser.wait(
        tab,
        &format!("document.querySelector('#asked').textContent.includes('{instruction}')"),
    );
}

/// Keeps pictures of what is shown, in both themes.
fn keep(browser: &mut Browser, tab: &Tab, name: &str) {
    let Some(folder) = pictures() else { return };
    // What was said for a moment is gone, and all that is to be decided about is there.
    browser.wait(tab, "document.querySelector('#said').hidden");
    browser.resize(tab, 1400, if name == "before" { 1400 } else { 1000 });
    for theme in ["light", "dark"] {
        browser.theme(tab, theme);
        thread::sleep(Duration::from_millis(300));
        browser.picture(tab, &folder.join(format!("page-{name}-{theme}.png")));
    }
    browser.resize(tab, 400, 860);
    thread::sleep(Duration::from_millis(300));
    browser.picture(tab, &folder.join(format!("page-{name}-narrow.png")));
    browser.resize(tab, 3840, 2160);
    thread::sleep(Duration::from_millis(300));
    browser.picture(tab, &folder.join(format!("page-{name}-4k.png")));
    browser.resize(tab, 1400, 1000);
    browser.theme(tab, "light");
}

fn is_shown(id: &str) -> String {
    format!("!document.querySelector('#{id}').hidden")
}

fn proposal_is(state: &str) -> String {
    format!("document.querySelector('#proposal-state').dataset.kind === '{state}'")
}

fn mode_is(mode: &str) -> String {
    format!("document.querySelector('#mode').dataset.kind === '{mode}'")
}

fn verdicts(folder: &Path) -> Vec<Value> {
    let text = fs::read_to_string(folder.join("evaluation.jsonl")).unwrap();
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Number of milliseconds in what is told of a stop, in the order in which they stand there.
fn milliseconds(text: &str) -> Vec<f64> {
    let words: Vec<_> = text.split_whitespace().collect();
    let is_ms = |pair: &&[&str]| pair[1].starts_with("ms");
    let pairs = words.windows(2).filter(is_ms);
    pairs.filter_map(|pair| pair[0].parse().ok()).collect()
}

#[test]
fn an_operator_edits_approves_judges_and_stops_in_a_browser() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let running = start_dataflow(&SETTINGS, 300);
    let browser = &mut browser;
    let tab = &opened(browser, &running);
    // Nothing moves: the program waits, and so does that for the next instruction.
    browser.wait(tab, &proposal_is("proposed"));
    instruct(browser, tab, "open the drawer");
    browser.wait(
        tab,
        "document.querySelector('#program').textContent.includes('drawer')",
    );
    browser.wait(tab, &proposal_is("proposed"));
    assert!(browser.value(tab, &is_shown("before")) == true);
    let stages = browser.value(
        tab,
        "document.querySelectorAll('#proposal-stages li').length",
    );
    assert!(stages.as_u64() >= Some(2), "{stages}");
    browser.wait(
        tab,
        "document.querySelector('#before .cameras canvas')?.width > 0",
    );
    assert_ne!(browser.text(tab, "#mode"), "executing");
    // What each stage wants is drawn over the scene.
    browser.wait(tab, &is_shown("reward"));
    browser.wait(tab, "!document.querySelector('#reward canvas').hidden");
    let first = browser.text(tab, "#reward-title");
    browser.key(tab, "]");
    browser.wait(
        tab,
        &format!("document.querySelector('#reward-title').textContent !== '{first}'"),
    );
    browser.key(tab, "[");
    // And what would be done first, of which nothing is.
    let planned =
        "document.querySelector('#dry-caption').textContent.includes('candidates for stage 1')";
    browser.wait(tab, planned);
    browser.wait(tab, "document.querySelector('#dry canvas')?.width > 0");
    assert_ne!(browser.text(tab, "#mode"), "executing");
    keep(browser, tab, "before");
    // A mistake is shown, and cannot be approved.
    browser.key(tab, "e");
    let spoil = "const editor = document.querySelector('#editor'); window.sound = editor.value; \
                 editor.value = editor.value.replace(/return .*/, 'return keypoints[99, 0] <img src=x>'); \
                 document.querySelector('#check').click()";
    browser.value(tab, spoil);
    browser.wait(tab, &proposal_is("unsound"));
    let diagnostics = browser.text(tab, "#diagnostics");
    assert!(diagnostics.contains("error"), "{diagnostics}");
    assert_eq!(
        browser.value(tab, "document.querySelectorAll('#before img').length"),
        0
    );
    assert!(browser.value(tab, "document.querySelector('#approve').hidden") == true);
    keep(browser, tab, "mistake");
    // Mended and approved, it moves the arm.
    browser.key(tab, "e");
    browser.value(
        tab,
        "document.querySelector('#editor').value = window.sound + '\\n# seen\\n'; \
         document.querySelector('#check').click()",
    );
    browser.wait(tab, &proposal_is("proposed"));
    // It is tried anew, as every program that waits.
    browser.wait(
        tab,
        "!document.querySelector('#dry').hidden && document.querySelector('#program').textContent.includes('# seen')",
    );
    browser.key(tab, "a");
    browser.wait(tab, &is_shown("during"));
    browser.wait(tab, &mode_is("executing"));
    browser.wait(
        tab,
        "document.querySelectorAll('#during .cameras canvas').length === 2",
    );
    thread::sleep(Duration::from_secs(2));
    keep(browser, tab, "during");
    // The world sees it done, and so does the operator.
    browser.wait(tab, &is_shown("after"));
    browser.wait(
        tab,
        "document.querySelector('#after').textContent.includes('says: achieved')",
    );
    browser.key(tab, "y");
    browser.wait(
        tab,
        "document.querySelector('#tallies').textContent.includes('1 of 1')",
    );
    keep(browser, tab, "after");
    let judged = verdicts(running.folder.path());
    assert_eq!(judged.len(), 1);
    assert_eq!(judged[0]["verdict"], "success");
    assert_eq!(judged[0]["instruction"], "open the drawer");
    assert_eq!(judged[0]["author"], "embedded, edited by an operator");
    // The next instruction, and a stop in the middle of its motion.
    instruct(browser, tab, "push the red block");
    browser.wait(tab, &proposal_is("proposed"));
    browser.key(tab, "Escape");
    browser.wait(tab, &mode_is("stopped"));
    browser.key(tab, "p");
    browser.wait(
        tab,
        "document.querySelector('#mode').dataset.kind !== 'stopped'",
    );
    browser.value(tab, "document.querySelector('#approve').click()");
    browser.wait(tab, &mode_is("executing"));
    // Opened anew in the middle, a page shows the same.
    browser.close(tab);
    let tab = &opened(browser, &running);
    browser.wait(tab, &is_shown("during"));
    browser.wait(
        tab,
        "document.querySelector('#asked').textContent.includes('red block')",
    );
    browser.key(tab, "Escape");
    browser.wait(
        tab,
        "document.querySelector('#order-state').textContent.includes('at rest after')",
    );
    let told = milliseconds(&browser.text(tab, "#order-state"));
    eprintln!(
        "stop in motion: taken after {} ms, at rest after {} ms",
        told[0], told[1]
    );
    assert!(told[0] <= told[1], "{told:?}");
    running.stop();
}

#[test]
fn the_page_outlives_an_author_that_hangs_and_says_when_the_actuator_is_gone() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let running = start_dataflow(&SETTINGS, 300);
    let browser = &mut browser;
    let tab = &opened(browser, &running);
    browser.wait(tab, &proposal_is("proposed"));
    let author = process(running.folder.path(), "vlm-reward").unwrap();
    signal("-STOP", &author);
    browser.key(tab, "a");
    // While the author hangs, a stop is obeyed.
    browser.key(tab, "Escape");
    browser.wait(
        tab,
        "document.querySelector('#order-state').dataset.kind === 'acknowledged'",
    );
    browser.key(tab, "p");
    signal("-CONT", &author);
    // The word has reached it now.
    browser.wait(tab, &mode_is("executing"));
    let actuator = process(running.folder.path(), "franka-actuator").unwrap();
    signal("-STOP", &actuator);
    browser.key(tab, "Escape");
    browser.wait(
        tab,
        "document.querySelector('#order-state').dataset.kind === 'unacknowledged'",
    );
    keep(browser, tab, "unacknowledged");
    signal("-KILL", &actuator);
    browser.wait(tab, &is_shown("lost"));
    keep(browser, tab, "lost");
    running.end();
}
