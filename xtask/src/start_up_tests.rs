use crate::start_up::StartUp;

const STARTED: &str = "\
02:06:48 DEBUG  console: daemon::spawner spawning node
02:06:48 DEBUG  stage-switcher: daemon::spawner spawning node
02:06:48 INFO   [dora]: dora daemon finished building nodes, spawning...
02:06:48 INFO   console: spawner spawning `/a/target/release/console` in `/a`
02:06:48 DEBUG  console: spawner spawned node with pid 26595
02:06:48 INFO   stage-switcher: spawner spawning `/a/.venv/bin/python` in `/a`
02:06:48 DEBUG  stage-switcher: spawner spawned node with pid 26611
";
const CONSOLE: &str = "02:06:49 INFO   console: daemon node is ready\n";
const SWITCHER: &str = "02:06:49 INFO   stage-switcher: daemon node is ready\n";

#[test]
fn a_host_that_alone_is_missing_is_named() {
    let after = |later: &[&str]| StartUp::read(&format!("{STARTED}{}", later.concat()));
    let missing = StartUp::HostsMissing(vec!["stage-switcher".to_owned()]);
    assert_eq!(after(&[CONSOLE]), missing);
    assert_eq!(after(&[CONSOLE, SWITCHER]), StartUp::Begun);
    // What else is missing is a matter of its own, and so is a daemon that has just begun.
    assert_eq!(after(&[SWITCHER]), StartUp::Waiting);
    assert_eq!(after(&[]), StartUp::Waiting);
    assert_eq!(StartUp::read(""), StartUp::Waiting);
}
