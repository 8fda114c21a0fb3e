//! The cause of a failure, in the same words for all episodes that failed alike.

use crate::episode::{Ending, EpisodeResult, StageEntry};

/// A stage that has had this long and did not end counts as stalled, seconds.
const STALLED_S: f64 = 8.0;
/// Executed policy steps a second.
const STEPS_PER_S: f64 = 10.0;

/// Why an episode failed, as far as its end and the decisions about its stages tell; `None` after a
/// success.
pub(crate) fn failure(result: &EpisodeResult, ending: Ending) -> Option<String> {
    if result.success {
        return None;
    }
    let cause = match ending {
        Ending::NotUnderstood => "not understood".to_owned(),
        Ending::ProgramRefused => "program refused".to_owned(),
        Ending::GroundingFailed => "grounding failed".to_owned(),
        Ending::RewardFailed => "reward failed".to_owned(),
        Ending::PlanningFailed => "planning failed".to_owned(),
        Ending::Achieved | Ending::ProgramOver | Ending::OutOfTime => by_stages(result),
    };
    Some(cause)
}

fn by_stages(result: &EpisodeResult) -> String {
    let entries = &result.stages;
    let Some(last) = entries.last() else {
        return "time out".to_owned();
    };
    if last.kind == "finished" {
        return "finished without success".to_owned();
    }
    if entries.iter().rev().take(2).any(is_slip) {
        return "grasp slipped".to_owned();
    }
    // A visit afresh of the same stage goes on with what stalled.
    let since = entries
        .iter()
        .rev()
        .take_while(|entry| entry.stage == last.stage)
        .last()
        .map_or(last.time_s, |entry| entry.time_s);
    let spent_s = result.steps as f64 / STEPS_PER_S - since;
    if last.kind == "give_up" || spent_s >= STALLED_S {
        format!("stalled in stage {}", last.stage)
    } else {
        "time out".to_owned()
    }
}

/// Whether something that had been reached was lost again.
fn is_slip(entry: &StageEntry) -> bool {
    entry.kind == "back" && entry.reason.starts_with("progress slipped")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(time_s: f64, stage: u32, kind: &str, reason: &str) -> StageEntry {
        StageEntry {
            time_s,
            stage,
            visit: 1,
            kind: kind.to_owned(),
            reason: reason.to_owned(),
        }
    }

    fn cause(stages: Vec<StageEntry>, ending: Ending) -> Option<String> {
        let result = EpisodeResult {
            steps: 400,
            stages,
            ..EpisodeResult::default()
        };
        failure(&result, ending)
    }

    #[test]
    fn causes_follow_from_the_end_and_the_stages() {
        let start = entry(0.0, 1, "advance", "");
        let over = |stages| cause(stages, Ending::OutOfTime).unwrap();
        assert_eq!(over(vec![]), "time out");
        assert_eq!(over(vec![start.clone()]), "stalled in stage 1");
        let second = entry(30.0, 2, "advance", "");
        let afresh = entry(37.0, 2, "stay", "stage 2 took 7.0 s");
        let stages = vec![start.clone(), second.clone(), afresh];
        assert_eq!(over(stages), "stalled in stage 2");
        let late = entry(35.0, 2, "advance", "");
        assert_eq!(over(vec![start.clone(), late]), "time out");
        let slip = entry(35.0, 1, "back", "progress slipped from above 0.8 to 0.50");
        assert_eq!(over(vec![start.clone(), second, slip]), "grasp slipped");
        let end = entry(20.0, 1, "finished", "done value 0.1");
        let finished = cause(vec![start, end], Ending::ProgramOver);
        assert_eq!(finished.as_deref(), Some("finished without success"));
        let mute = cause(vec![], Ending::NotUnderstood);
        assert_eq!(mute.as_deref(), Some("not understood"));
    }

    #[test]
    fn a_success_has_no_cause() {
        let result = EpisodeResult {
            success: true,
            ..EpisodeResult::default()
        };
        assert_eq!(failure(&result, Ending::Achieved), None);
    }
}
