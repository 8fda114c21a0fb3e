//! A pause in mid-motion: the arm rests, and time with it.

use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::browser::Browser;
use crate::common::start_dataflow;
use crate::operator::{address, until};
use crate::{keep, milliseconds, mode_is, opened};

/// Longer than a stage may take, and with the rest of the episode longer than that may.
const PAUSE: Duration = Duration::from_secs(18);

/// Program, stage and visit, and the chunk under way.
fn where_it_is(sections: &Value) -> [Value; 5] {
    let (stage, arm) = (&sections["stage"], &sections["arm"]);
    [
        stage["program"].clone(),
        stage["stage"].clone(),
        stage["visit"].clone(),
        arm["chunk_seq"].clone(),
        arm["mode"].clone(),
    ]
}

#[test]
fn a_pause_in_mid_motion_holds_arm_stage_and_time_and_it_goes_on_to_success() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let settings = [
        ("TILLER_INSTRUCTION", "open the drawer"),
        ("TILLER_SEED", "1"),
        ("TILLER_EPISODES", "0"),
        ("TILLER_EPISODE_S", "20"),
        ("TILLER_STAGE_TIMEOUT_S", "6"),
        ("TILLER_CONSOLE_ADDRESS", "127.0.0.1:0"),
    ];
    let running = start_dataflow(&settings, 300);
    let browser = &mut browser;
    let tab = &opened(browser, &running);
    browser.wait(tab, &mode_is("executing"));
    thread::sleep(Duration::from_millis(700));
    browser.key(tab, "p");
    browser.wait(tab, &mode_is("paused"));
    browser.wait(
        tab,
        "document.querySelector('#order-state').textContent.includes('at rest after')",
    );
    let told = browser.text(tab, "#order-state");
    let times = milliseconds(&told);
    eprintln!("pause in motion: {told}");
    assert!(told.contains("Pause acknowledged"), "{told}");
    assert!(times[0] <= times[1], "{times:?}");
    let host = address(running.folder.path());
    let is_paused =
        |sections: &Value| sections["arm"]["mode"] == "paused" && !sections["stage"].is_null();
    let before = where_it_is(&until(&host, "a pause", is_paused));
    keep(browser, tab, "paused");
    thread::sleep(PAUSE);
    let after = where_it_is(&until(&host, "a pause", is_paused));
    assert_eq!(after, before, "nothing has moved or changed");
    browser.key(tab, "p");
    browser.wait(
        tab,
        "document.querySelector('#after').textContent.includes('says: achieved')",
    );
    let seen = until(&host, "an end", |sections| {
        sections["episode"]["is_over"] == true
    });
    assert_eq!(seen["episode"]["oracle"], true);
    let run = running.stop();
    let stages = run.summary()["stages"].clone();
    let visits: Vec<_> = stages
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["stage"])
        .collect();
    assert!(
        visits.is_sorted_by_key(|stage| stage.as_u64()),
        "never back: {stages}"
    );
}
