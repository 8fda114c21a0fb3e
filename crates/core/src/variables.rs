//! The variables by which a dataflow is set, and those that nobody reads.

use std::collections::BTreeSet;

use crate::{Problems, nearest};

/// What the names of all our variables begin with.
const PREFIX: &str = "TILLER_";

/// What `dataflow.yml` reads.
const OF_THE_DATAFLOW: [&str; 112] = [
    "TILLER_ACCELERATION_SHARE",
    "TILLER_APPROVAL",
    "TILLER_ARMING",
    "TILLER_CALIBRATION",
    "TILLER_COLLISION_N",
    "TILLER_COLLISION_NM",
    "TILLER_CONSOLE_ADDRESS",
    "TILLER_CONSOLE_PICTURE_RATE_HZ",
    "TILLER_CONSOLE_TASKS",
    "TILLER_COUNTS",
    "TILLER_DETECTOR",
    "TILLER_DETECTOR_MODEL",
    "TILLER_EPISODES",
    "TILLER_EPISODE_S",
    "TILLER_EVALUATION",
    "TILLER_FRAME_TOLERANCE_MS",
    "TILLER_FRANKA_ADDRESS",
    "TILLER_FRANKA_HAND",
    "TILLER_FRANKA_HAND_ADDRESS",
    "TILLER_GRASP_FORCE_N",
    "TILLER_GRIPPER_SCALE",
    "TILLER_GRIPPER_SPEED_M_S",
    "TILLER_GUIDE",
    "TILLER_GUIDE_SCALE",
    "TILLER_HOME_HAND",
    "TILLER_IGNORED",
    "TILLER_INSTRUCTION",
    "TILLER_JERK_SHARE",
    "TILLER_JOURNAL",
    "TILLER_LINK_CLEARANCE_M",
    "TILLER_MAX_CHUNK_AGE_MS",
    "TILLER_MERGE_M",
    "TILLER_MIN_PIXELS",
    "TILLER_MOTION",
    "TILLER_NO_CAMERA_MS",
    "TILLER_NO_CHUNK_MS",
    "TILLER_NO_KEYPOINTS_MS",
    "TILLER_NO_SAMPLER_MS",
    "TILLER_ON_NO_CAMERA",
    "TILLER_ON_NO_CHUNK",
    "TILLER_ON_NO_KEYPOINTS",
    "TILLER_ON_NO_SAMPLER",
    "TILLER_ON_OVERRUN",
    "TILLER_OPERATING_SHARE",
    "TILLER_OSC_ADDRESS",
    "TILLER_OSC_GAIN",
    "TILLER_OSC_LEAD",
    "TILLER_OSC_ROBOT",
    "TILLER_OSC_SILENCE_MS",
    "TILLER_OVERRUN_MS",
    "TILLER_PARTICLES",
    "TILLER_PICTURE_FIT",
    "TILLER_PLANE_HEIGHT_M",
    "TILLER_PLAN_AHEAD_STEPS",
    "TILLER_POLICY",
    "TILLER_PROMPTS",
    "TILLER_REACH",
    "TILLER_REAL_TIME",
    "TILLER_RECOVERY",
    "TILLER_RECOVERY_DELAY_MS",
    "TILLER_RECOVERY_MOST",
    "TILLER_RUN_DIR",
    "TILLER_SEED",
    "TILLER_SPEED",
    "TILLER_STAGE_TIMEOUT_S",
    "TILLER_STEER",
    "TILLER_TABLE_CLEARANCE_M",
    "TILLER_TABLE_HEIGHT_M",
    "TILLER_TASK",
    "TILLER_THREADS",
    "TILLER_TOOL_SPEED_M_S",
    "TILLER_TOOL_TURN_RAD_S",
    "TILLER_TRACKER",
    "TILLER_VELOCITY_SHARE",
    "TILLER_VLM_ADVICE",
    "TILLER_VLM_ALLOW_PLAIN_HTTP",
    "TILLER_VLM_ANSWERS",
    "TILLER_VLM_API_VERSION",
    "TILLER_VLM_BASE_URL",
    "TILLER_VLM_CACHE_DIR",
    "TILLER_VLM_CONNECT_TIMEOUT_S",
    "TILLER_VLM_ENVIRONMENT_PROXY",
    "TILLER_VLM_EXTRA_BODY",
    "TILLER_VLM_FALLBACK",
    "TILLER_VLM_FIRST_BYTE_TIMEOUT_S",
    "TILLER_VLM_HEADERS",
    "TILLER_VLM_INPUT_USD_PER_MILLION",
    "TILLER_VLM_KEY_FILE",
    "TILLER_VLM_KEY_HEADER",
    "TILLER_VLM_MATCHING",
    "TILLER_VLM_MAX_COST_USD",
    "TILLER_VLM_MAX_OUTPUT_TOKENS",
    "TILLER_VLM_MAX_QUERIES",
    "TILLER_VLM_MAX_REPAIRS",
    "TILLER_VLM_MAX_TOKENS",
    "TILLER_VLM_MODEL",
    "TILLER_VLM_OUTPUT_USD_PER_MILLION",
    "TILLER_VLM_PICTURE_DETAIL",
    "TILLER_VLM_PICTURE_TOKENS",
    "TILLER_VLM_PROGRAM_TIMEOUT_S",
    "TILLER_VLM_PROMPT_DIR",
    "TILLER_VLM_PROVIDER",
    "TILLER_VLM_REASONING_EFFORT",
    "TILLER_VLM_SCENE_NOTES",
    "TILLER_VLM_STREAM",
    "TILLER_VLM_TEMPERATURE",
    "TILLER_VLM_TOKEN_LIMIT_NAME",
    "TILLER_VLM_TOTAL_TIMEOUT_S",
    "TILLER_VLM_TRIES",
    "TILLER_WALL_LIMIT_S",
    "TILLER_WORKSPACE",
    "TILLER_WORLD",
];

/// What the dataflows of other worlds, and of hardware, read beside it.
const OF_OTHER_WORLDS: [&str; 19] = [
    "TILLER_ARM",
    "TILLER_CAMERAS",
    "TILLER_CAMERA_AT_END",
    "TILLER_CAMERA_BLACK_LEVEL",
    "TILLER_CAMERA_FROZEN_MS",
    "TILLER_CAMERA_LATE_MS",
    "TILLER_CAMERA_RATE_HZ",
    "TILLER_CAMERA_SIZE",
    "TILLER_FCI_CLOCK",
    "TILLER_FCI_FAULTS",
    "TILLER_FCI_GRIPPER_PORT",
    "TILLER_FCI_PORT",
    "TILLER_FCI_ROBOT",
    "TILLER_FFMPEG",
    "TILLER_FIRST_STATE",
    "TILLER_RECORDING",
    "TILLER_REPLAY_SPEED",
    "TILLER_SCENE",
    "TILLER_SUITE",
];

/// What is read elsewhere: folders of what a world needs, the filter of the logs, what a recorder and a viewer do, and what tests are
/// asked to keep or to leave out.
const OTHERS: [&str; 12] = [
    "TILLER_LIBERO_PACKS",
    "TILLER_LIBERO_VENV",
    "TILLER_LOG",
    "TILLER_PICTURES",
    "TILLER_RECORD_ON_LOSS",
    "TILLER_REPORT_KEEP",
    "TILLER_TEST_WITHOUT_EGL",
    "TILLER_VIEW",
    "TILLER_VIEW_ADDRESS",
    "TILLER_VIEW_FIELD",
    "TILLER_VIEW_HEAVY_HZ",
    "TILLER_VIEW_PICTURES_HZ",
];

/// Every variable of ours that anything reads.
#[must_use]
pub fn known_variables() -> BTreeSet<&'static str> {
    let dataflows = OF_THE_DATAFLOW.into_iter().chain(OF_OTHER_WORLDS);
    dataflows.chain(OTHERS).collect()
}

/// Notes every variable of ours in this process's environment that nobody reads.
#[must_use]
pub fn unknown_variables_here() -> Problems {
    let names: Vec<_> = std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .collect();
    unknown_variables(names.iter().map(String::as_str), &known_variables())
}

/// The variables of ours that a dataflow file reads, as `${TILLER_SEED:-0}`.
///
/// ```
/// let text = "SEED: \"${TILLER_SEED:-0}\" # and ${HOME}";
/// let names: Vec<_> = tiller_core::variables_of(text).into_iter().collect();
/// assert_eq!(names, ["TILLER_SEED"]);
/// ```
#[must_use]
pub fn variables_of(dataflow: &str) -> BTreeSet<&str> {
    let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let after = dataflow.split("${").skip(1);
    after
        .map(|rest| &rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())])
        .filter(|name| name.starts_with(PREFIX))
        .collect()
}

/// Notes every name of ours in `set` that is not `known`, with the known one that it resembles.
/// Their values are not looked at.
#[must_use]
pub fn unknown_variables<'a>(
    set: impl IntoIterator<Item = &'a str>,
    known: &BTreeSet<&str>,
) -> Problems {
    let mut problems = Problems::default();
    let ours = set.into_iter().filter(|name| name.starts_with(PREFIX));
    for name in ours.filter(|name| !known.contains(name)) {
        // What all share says nothing about which one was meant.
        let ends = known.iter().filter_map(|name| name.strip_prefix(PREFIX));
        let meant = nearest(&name[PREFIX.len()..], ends);
        let expected = match meant {
            Some(end) => format!("a variable that is read, such as {PREFIX}{end}"),
            None => format!("a variable that is read: names with {PREFIX} are Tiller's own"),
        };
        problems.push(name, expected, "one that nobody reads");
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_variable_is_refused_with_the_nearest_one_and_without_its_value() {
        let known = variables_of("${TILLER_SEED:-0} ${TILLER_VLM_MODEL} ${TILLER_VLM_BASE_URL:-}");
        let set = ["TILLER_SEED", "TILLER_VLM_MODLE", "PATH", "TILLER_COLOUR"];
        let problems = unknown_variables(set, &known);
        let lines: Vec<_> = problems.found.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "TILLER_VLM_MODLE: expected a variable that is read, such as TILLER_VLM_MODEL, found one that nobody reads",
                "TILLER_COLOUR: expected a variable that is read: names with TILLER_ are Tiller's own, found one that nobody reads",
            ]
        );
    }

    #[test]
    fn the_list_is_what_the_dataflow_reads() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../dataflow.yml");
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(BTreeSet::from(OF_THE_DATAFLOW), variables_of(&text));
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../dataflows");
        let mut others = BTreeSet::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "yml") {
                let text = std::fs::read_to_string(&path).unwrap();
                let read = variables_of(&text).into_iter().map(ToOwned::to_owned);
                others.extend(read.filter(|name| !OF_THE_DATAFLOW.contains(&&**name)));
            }
        }
        assert_eq!(others, OF_OTHER_WORLDS.map(ToOwned::to_owned).into());
    }

    #[test]
    fn a_name_ends_where_its_characters_end() {
        let found = variables_of("${TILLER_A}${TILLER_B:-${TILLER_C}} $TILLER_D ${TILLER_");
        let names: Vec<_> = found.into_iter().collect();
        assert_eq!(names, ["TILLER_", "TILLER_A", "TILLER_B", "TILLER_C"]);
    }
}
