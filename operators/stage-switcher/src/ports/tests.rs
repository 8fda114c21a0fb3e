use tiller_closed_loop::journal::{Entry, read};
use tiller_core::{EpisodeId, ProgramId};
use tiller_messages::{
    ArmState, Episode, ExecutionMode, Progress, RewardProgram, StageAdvice, StageCommand,
    StageQuery, Status,
};
use tiller_node_kit::testing::{Damage, message_damages};

use super::*;
use crate::settings;

const FRAME_NS: u64 = 100_000_000;
const PROGRAM: ProgramId = ProgramId(4);

/// Without a journal, so that every output is an answer.
fn ports() -> Ports {
    let off = |name: &str| (name == "JOURNAL").then(|| "off".to_owned());
    Ports::new(settings::read(off).unwrap()).unwrap()
}

fn program() -> RewardProgram {
    RewardProgram {
        seq: 1,
        id: PROGRAM,
        generation: 3,
        num_stages: 2,
        descriptions: vec!["reach the handle".into(), "pull".into()],
        has_done: vec![true, true],
        unguided: vec![false, false],
        ..Default::default()
    }
}

fn progress(seq: u64, stage: u32, visit: u32, done: f64) -> Progress {
    Progress {
        seq,
        stamp_ns: seq * FRAME_NS,
        program: PROGRAM,
        stage,
        visit,
        done: Some(done),
        ..Default::default()
    }
}

fn state(seq: u64) -> ArmState {
    ArmState {
        seq,
        stamp_ns: seq * FRAME_NS,
        ..Default::default()
    }
}

fn going(seq: u64) -> ExecutionState {
    ExecutionState {
        seq,
        mode: ExecutionMode::Executing,
        ..Default::default()
    }
}

fn advice(seq: u64, visit: u32) -> StageAdvice {
    StageAdvice {
        seq,
        program: PROGRAM,
        visit,
        stage: 2,
        reason: "it is there".into(),
        ..Default::default()
    }
}

fn all<M: Message>(outputs: &[Output], wanted: &str) -> Vec<M> {
    let of = outputs.iter().filter(|(port, _)| *port == wanted);
    of.map(|(_, array)| M::from_arrow(array).unwrap()).collect()
}

fn commands(ports: &mut Ports, id: &str, message: &impl Message) -> Vec<StageCommand> {
    all(&ports.take(id, &message.to_arrow()), "stage")
}

#[test]
fn a_program_starts_at_its_first_stage_and_done_advances() {
    let mut ports = ports();
    let first = commands(&mut ports, "reward_program", &program());
    assert_eq!(
        (first[0].seq, first[0].stage, first[0].program),
        (1, 1, PROGRAM)
    );
    assert!(first[0].guidance && first[0].kind == "advance");

    assert!(commands(&mut ports, "progress", &progress(1, 1, 1, -0.1)).is_empty());
    assert!(commands(&mut ports, "progress", &progress(2, 1, 1, 0.1)).is_empty());
    let second = commands(&mut ports, "progress", &progress(3, 1, 1, 0.1));
    assert_eq!((second[0].seq, second[0].stage, second[0].visit), (2, 2, 2));
    commands(&mut ports, "progress", &progress(4, 2, 2, 0.1));
    let last = commands(&mut ports, "progress", &progress(5, 2, 2, 0.1));
    assert!(last[0].finished && !last[0].guidance);
}

#[test]
fn a_repeated_message_is_not_counted_twice() {
    let mut ports = ports();
    commands(&mut ports, "reward_program", &program());
    commands(&mut ports, "progress", &progress(2, 1, 1, 0.1));
    assert!(commands(&mut ports, "progress", &progress(2, 1, 1, 0.1)).is_empty());
}

/// Feeds states at ten a second; gives the stages that come of them.
fn states(ports: &mut Ports, numbers: std::ops::RangeInclusive<u64>) -> Vec<StageCommand> {
    let mut stages: Vec<_> = numbers
        .flat_map(|seq| commands(ports, "arm_state", &state(seq)))
        .collect();
    // The same is sent again every second for whoever joins.
    stages.dedup();
    stages
}

#[test]
fn without_progress_readings_guidance_pauses() {
    let mut ports = ports();
    states(&mut ports, 1..=1);
    commands(&mut ports, "reward_program", &program());
    let stages = states(&mut ports, 2..=60);
    let paused = stages.last().unwrap();
    assert_eq!(
        (paused.kind.as_str(), paused.guidance),
        ("guidance_off", false)
    );
    commands(&mut ports, "progress", &progress(60, 1, 1, -0.1));
    let stages = states(&mut ports, 61..=61);
    let resumed = stages.last().unwrap();
    assert_eq!((resumed.kind.as_str(), resumed.visit), ("guidance_on", 1));
}

#[test]
fn the_stage_is_sent_again_for_whoever_joins() {
    let mut ports = ports();
    states(&mut ports, 1..=1);
    let first = commands(&mut ports, "reward_program", &program());
    let again: Vec<_> = (2..=32)
        .flat_map(|seq| commands(&mut ports, "arm_state", &state(seq)))
        .collect();
    assert!((2..=3).contains(&again.len()), "{again:?}");
    assert!(again.iter().all(|stage| *stage == first[0]), "{again:?}");
}

#[test]
fn a_stage_that_drags_on_is_asked_about_once_and_advice_is_taken() {
    let mut ports = ports();
    commands(&mut ports, "reward_program", &program());
    let mut queries: Vec<StageQuery> = Vec::new();
    for seq in 1..70 {
        let outputs = ports.take("arm_state", &state(seq).to_arrow());
        assert!(all::<Status>(&outputs, "status").is_empty());
        queries.extend(all::<StageQuery>(&outputs, "stage_query"));
        let outputs = ports.take("progress", &progress(seq, 1, 1, -0.1).to_arrow());
        queries.extend(all::<StageQuery>(&outputs, "stage_query"));
    }
    assert_eq!(queries.len(), 1);
    assert_eq!((queries[0].program, queries[0].stage), (PROGRAM, 1));
    let visit = queries[0].visit;
    assert!(
        commands(&mut ports, "stage_advice", &advice(1, visit + 5)).is_empty(),
        "for another visit"
    );
    let foreign = StageAdvice {
        program: ProgramId(9),
        ..advice(2, visit)
    };
    assert!(
        commands(&mut ports, "stage_advice", &foreign).is_empty(),
        "for another program"
    );
    let taken = commands(&mut ports, "stage_advice", &advice(3, visit));
    assert_eq!(taken[0].stage, 2);
}

#[test]
fn another_episode_voids_the_program() {
    let mut ports = ports();
    commands(&mut ports, "reward_program", &program());
    let episode = Episode {
        seq: 1,
        id: EpisodeId(2),
        ..Default::default()
    };
    commands(&mut ports, "episode", &episode);
    assert!(
        states(&mut ports, 1..=30).is_empty(),
        "there is no stage any more"
    );
    let next = RewardProgram {
        seq: 2,
        id: ProgramId(5),
        episode: EpisodeId(2),
        ..program()
    };
    let stages = commands(&mut ports, "reward_program", &next);
    assert_eq!((stages[0].episode, stages[0].stage), (EpisodeId(2), 1));
}

#[test]
fn a_foreign_message_is_told_with_the_inputs_name() {
    let outputs = ports().take("progress", &program().to_arrow());
    let statuses: Vec<Status> = all(&outputs, "status");
    assert_eq!(outputs.len(), 1);
    assert_eq!(statuses[0].code, "message_refused");
    let text = &statuses[0].text;
    assert!(
        text.contains("`progress`") && text.contains("Progress"),
        "{text}"
    );
    let outputs = ports().take("joystick", &program().to_arrow());
    let statuses: Vec<Status> = all(&outputs, "status");
    assert!(statuses[0].text.contains("`joystick`"), "{statuses:?}");
}

#[test]
fn a_journal_says_what_was_told_and_answered() {
    let mut ports = Ports::new(settings::read(|_| None).unwrap()).unwrap();
    let first: Vec<Journal> = all(
        &ports.take("reward_program", &program().to_arrow()),
        "journal",
    );
    assert!(!first[0].header.is_empty() && first[0].offset == 0);
    ports.take("progress", &progress(1, 1, 1, -0.1).to_arrow());
    let (port, rest) = ports.rest().unwrap();
    let rest = Journal::from_arrow(&rest).unwrap();
    assert_eq!((port, rest.seq, rest.offset), ("journal", 2, 0));
    let entries = rest.entries;
    assert!(entries.starts_with(&first[0].entries));
    let entries: Vec<Entry<SwitcherEvent>> = read(entries.as_slice()).unwrap();
    assert!(matches!(entries[0].event, SwitcherEvent::Program(_)) && entries.len() == 2);
}

#[test]
fn refusals_are_told_at_once_and_then_seldom() {
    let mut ports = ports();
    let damage = message_damages(&progress(2, 1, 1, 0.1), &progress(3, 1, 1, 0.1)).remove(0);
    let told: usize = (0..100)
        .map(|_| ports.take("progress", damage.array.as_ref()).len())
        .sum();
    assert_eq!(told, 1);
    // Another input is another matter.
    assert_eq!(ports.take("episode", damage.array.as_ref()).len(), 1);
}

#[test]
fn a_stage_does_not_end_while_the_arm_is_paused() {
    does_not_end_in(ExecutionMode::Paused);
}

#[test]
fn a_stage_does_not_end_before_the_arm_is_armed() {
    does_not_end_in(ExecutionMode::Idle);
}

fn does_not_end_in(mode: ExecutionMode) {
    let mut ports = ports();
    commands(&mut ports, "reward_program", &program());
    let paused = |seq, mode| ExecutionState {
        seq,
        mode,
        ..Default::default()
    };
    let pause = paused(1, mode);
    commands(&mut ports, "execution_state", &pause);
    for seq in 1..=200 {
        commands(&mut ports, "arm_state", &state(seq));
        for stage in commands(&mut ports, "progress", &progress(seq, 1, 1, 0.1)) {
            assert_eq!((stage.stage, stage.visit), (1, 1));
        }
    }
    let resumed = paused(2, ExecutionMode::Ready);
    commands(&mut ports, "execution_state", &resumed);
    let ended = (201..=203).flat_map(|seq| {
        commands(&mut ports, "arm_state", &state(seq));
        commands(&mut ports, "progress", &progress(seq, 1, 1, 0.1))
    });
    let ended: Vec<_> = ended.map(|stage| stage.stage).collect();
    assert_eq!(ended.last(), Some(&2), "{ended:?}");
}

/// A switcher in its first stage, with messages up to number 20.
fn under_way() -> Ports {
    let mut ports = ports();
    let program = RewardProgram {
        seq: 5,
        ..program()
    };
    for seq in 1..=20 {
        commands(&mut ports, "arm_state", &state(seq));
        commands(&mut ports, "progress", &progress(seq, 1, 1, -0.1));
        commands(&mut ports, "execution_state", &going(seq));
    }
    commands(&mut ports, "reward_program", &program);
    let seen = Episode {
        seq: 5,
        ..Default::default()
    };
    commands(&mut ports, "episode", &seen);
    commands(&mut ports, "stage_advice", &advice(5, 40));
    commands(&mut ports, "operator_advice", &advice(5, 40));
    ports
}

/// What one damage does wrong, if anything.
fn fault(input: &str, damage: &Damage) -> Option<String> {
    let mut ports = under_way();
    let outputs = ports.take(input, damage.array.as_ref());
    let texts: Vec<_> = all::<Status>(&outputs, "status")
        .into_iter()
        .filter(|status| status.code.ends_with("_refused"))
        .map(|status| status.text)
        .collect();
    let told = match &damage.told {
        None => texts.is_empty(),
        Some(words) => {
            texts.len() == 1 && words.iter().all(|word| texts[0].contains(word.as_str()))
        }
    };
    if !told {
        return Some(format!(
            "{input}: {}: {:?}, found {texts:?}",
            damage.what, damage.told
        ));
    }
    // What is done after it ends the stage as ever.
    let mut last = None;
    for seq in 30..=32 {
        commands(&mut ports, "arm_state", &state(seq));
        let stages = commands(&mut ports, "progress", &progress(seq, 1, 1, 0.1));
        last = stages.last().map(|stage| stage.stage).or(last);
    }
    (last != Some(2)).then(|| format!("{input}: {}: stage {last:?} after it", damage.what))
}

#[test]
fn every_damage_of_every_input_is_told_and_the_next_message_is_taken() {
    const HOUR_NS: u64 = 3_600_000_000_000;
    let stamp = ["arm_state", "expected a stamp", "found"];
    let mut arms = message_damages(&state(20), &state(21));
    arms.push(Damage::stamped(&state(21), HOUR_NS, &stamp));
    arms.push(Damage::stamped(&state(21), 0, &stamp));
    let reading = |seq| progress(seq, 1, 1, -0.1);
    let mut readings = message_damages(&reading(20), &reading(21));
    // Readings have no say about the time: the arm's clock has.
    readings.push(Damage::stamped(&reading(21), HOUR_NS, &[]));
    readings.push(Damage::stamped(&reading(21), 0, &[]));
    let program = |seq| RewardProgram { seq, ..program() };
    let episode = |seq| Episode {
        seq,
        ..Default::default()
    };
    let tables = [
        ("arm_state", arms),
        ("execution_state", message_damages(&going(20), &going(21))),
        ("progress", readings),
        ("reward_program", message_damages(&program(5), &program(6))),
        ("episode", message_damages(&episode(5), &episode(6))),
        (
            "stage_advice",
            message_damages(&advice(5, 40), &advice(6, 40)),
        ),
        (
            "operator_advice",
            message_damages(&advice(5, 40), &advice(6, 40)),
        ),
    ];
    let faults: Vec<_> = tables
        .iter()
        .flat_map(|(input, damages)| damages.iter().filter_map(|damage| fault(input, damage)))
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
}
