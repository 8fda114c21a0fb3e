use proptest::prelude::*;
use tiller_core::is_hidden;
use tiller_messages::ProposalState;

use crate::StageReward;

use super::*;

const NOW: Duration = Duration::from_secs(10);

fn episode(id: u64) -> Episode {
    Episode {
        id: EpisodeId(id),
        instruction: format!("task {id}"),
        ..Default::default()
    }
}

fn proposal(id: u64, episode: u64, state: ProposalState) -> Proposal {
    Proposal {
        id: ProgramId(id),
        episode: EpisodeId(episode),
        state,
        descriptions: vec!["reach".into()],
        ..Default::default()
    }
}

fn section(page: &Page, name: &str) -> Value {
    let sections = page.sections(None, NOW);
    let found = sections.into_iter().find(|section| section.name == name);
    found.unwrap_or_else(|| panic!("no section `{name}`")).value
}

#[test]
fn a_new_episode_voids_what_was_shown_of_the_one_before() {
    let mut page = Page::default();
    page.on_episode(episode(1), NOW);
    page.on_proposal(proposal(5, 1, ProposalState::Approved));
    page.on_stage(StageCommand {
        program: ProgramId(5),
        stage: 1,
        visit: 2,
        ..Default::default()
    });
    assert!(page.is_under_way(ProgramId(5), 2));
    assert!(!page.is_under_way(ProgramId(5), 1));
    assert_eq!(section(&page, "proposal")["state"], "approved");
    page.on_episode(episode(1), NOW);
    assert_eq!(section(&page, "proposal")["id"], "5", "told again");
    page.on_episode(episode(2), NOW);
    assert_eq!(section(&page, "proposal"), Value::Null);
    assert_eq!(section(&page, "stage"), Value::Null);
    page.on_proposal(proposal(6, 1, ProposalState::Proposed));
    assert_eq!(section(&page, "proposal"), Value::Null, "of an older one");
    let told = section(&page, "instructions");
    assert_eq!(told["history"], json!(["task 2", "task 1"]));
}

#[test]
fn a_program_that_comes_before_its_episode_stays() {
    let mut page = Page::default();
    page.on_episode(episode(1), NOW);
    page.on_proposal(proposal(7, 2, ProposalState::Proposed));
    page.on_episode(episode(2), NOW);
    assert_eq!(section(&page, "proposal")["id"], "7");
}

#[test]
fn rewards_are_shown_beside_their_own_program() {
    let mut page = Page::default();
    page.on_proposal(proposal(7, 1, ProposalState::Proposed));
    let stages = vec![
        StageReward {
            is_guided: true,
            best_m: Some([0.5, 0.0, 0.1]),
            reward: Some(f64::INFINITY),
            is_at_edge: false,
        },
        StageReward::default(),
    ];
    let program = ProgramId(7);
    page.on_rewards(Rewards {
        program,
        stages,
        problem: None,
    });
    let shown = section(&page, "rewards");
    assert_eq!(shown["stages"][0]["picture"], "reward 7 1");
    assert_eq!(shown["stages"][0]["reward"], Value::Null, "no number");
    assert_eq!(shown["stages"][1]["picture"], Value::Null);
    page.on_proposal(proposal(8, 1, ProposalState::Proposed));
    assert_eq!(section(&page, "rewards"), Value::Null);
}

#[test]
fn a_dry_plan_is_shown_while_its_program_waits_for_a_word() {
    let mut page = Page::default();
    page.on_dry_plan(DryPlan {
        program: ProgramId(7),
        stage: 1,
        particles: 2,
        points: 1,
        xyz_m: vec![0.0; 6],
        rewards: vec![-0.5, -0.25],
        ..Default::default()
    });
    assert_eq!(section(&page, "dry"), Value::Null, "nothing is proposed");
    page.on_proposal(proposal(7, 1, ProposalState::Proposed));
    let shown = section(&page, "dry");
    assert_eq!(
        (&shown["particles"], &shown["rewards"]),
        (&json!(2), &json!([-0.5, -0.25]))
    );
    page.on_proposal(proposal(7, 1, ProposalState::Approved));
    assert_eq!(section(&page, "dry"), Value::Null, "what moves is shown");
    page.on_proposal(proposal(8, 1, ProposalState::Proposed));
    assert_eq!(section(&page, "dry"), Value::Null, "of another program");
    page.on_dry_plan(DryPlan {
        program: ProgramId(8),
        problem: "no\u{202e}".into(),
        ..Default::default()
    });
    let shown = section(&page, "dry");
    assert_eq!(shown["problem"], "no\\u{202e}");
    assert_eq!(shown["rewards"], Value::Null);
}

#[test]
fn why_rewards_are_not_drawn_is_told_beside_what_they_want() {
    let mut page = Page::default();
    page.on_proposal(proposal(7, 1, ProposalState::Proposed));
    page.on_rewards(Rewards {
        program: ProgramId(7),
        stages: vec![StageReward {
            is_guided: true,
            best_m: Some([0.5, 0.0, 0.1]),
            ..Default::default()
        }],
        problem: Some("nobody knows where the camera stands".into()),
    });
    let shown = section(&page, "rewards");
    assert_eq!(shown["problem"], "nobody knows where the camera stands");
    assert_eq!(shown["stages"][0]["picture"], Value::Null);
    assert_eq!(shown["stages"][0]["is_guided"], true);
    assert_eq!(shown["stages"][0]["best_m"][0], 0.5);
}

#[test]
fn an_episode_is_as_old_as_its_stamp_says_and_else_at_least_as_old_as_it_is_known() {
    let mut page = Page::default();
    page.on_episode(
        Episode {
            stamp_ns: 60_000_000_000,
            ..episode(1)
        },
        NOW,
    );
    let shown = section(&page, "episode");
    assert_eq!(
        (&shown["age_s"], &shown["is_age_least"]),
        (&json!(0), &json!(true))
    );
    let state = |stamp_s: u64| ExecutionState {
        stamp_ns: stamp_s * 1_000_000_000,
        ..Default::default()
    };
    page.on_execution(state(97), NOW);
    let shown = section(&page, "episode");
    assert_eq!(
        (&shown["age_s"], &shown["is_age_least"]),
        (&json!(37), &json!(false))
    );
    page.on_episode(
        Episode {
            stamp_ns: 97_000_000_000,
            ..episode(2)
        },
        NOW,
    );
    assert_eq!(section(&page, "episode")["age_s"], 0);
}

#[test]
fn a_pause_is_told_and_a_recording_is_called_one() {
    let mut page = Page::default().of_recording(Some("runs/x.drec"));
    assert!(page.is_recording() && !Page::default().is_recording());
    assert_eq!(section(&page, "recording"), "runs/x.drec");
    let paused = ExecutionState {
        mode: ExecutionMode::Paused,
        ..Default::default()
    };
    page.on_execution(paused, NOW);
    assert!(page.is_paused());
    assert_eq!(section(&page, "arm")["mode"], "paused");
}

#[test]
fn the_world_judges_its_own_episode_only() {
    let mut page = Page::default();
    page.on_episode(episode(3), NOW);
    let verdict = |episode, tasks: &[&str]| TaskStatus {
        episode: EpisodeId(episode),
        tasks: tasks.iter().map(|&task| task.into()).collect(),
        success: true,
        ..Default::default()
    };
    page.on_task(verdict(2, &["a"]));
    assert_eq!(section(&page, "episode")["oracle"], Value::Null);
    page.on_task(verdict(3, &[]));
    assert_eq!(section(&page, "episode")["oracle"], Value::Null);
    page.on_task(verdict(3, &["a"]));
    assert_eq!(section(&page, "episode")["oracle"], true);
}

#[test]
fn what_is_said_again_and_again_is_one_event() {
    let mut page = Page::default();
    let status = Status {
        node: "vlm-reward".into(),
        level: Level::Warning,
        code: "waiting".into(),
        text: "for keypoints".into(),
        ..Default::default()
    };
    (0..100).for_each(|_| page.on_status(&status, NOW));
    for n in 0..2 * MOST_EVENTS {
        let text = n.to_string();
        let event = SafetyEvent {
            kind: "stale_chunk".into(),
            text,
            ..Default::default()
        };
        page.on_safety(&event, NOW);
        if n == 0 {
            let events = section(&page, "events");
            assert_eq!(events[1]["times"], 100);
        }
    }
    assert_eq!(
        section(&page, "events").as_array().unwrap().len(),
        MOST_EVENTS
    );
}

#[test]
fn lags_are_by_the_arms_clock() {
    let mut page = Page::default();
    let state = ExecutionState {
        stamp_ns: 90_000_000,
        ..Default::default()
    };
    page.on_execution(state, NOW);
    page.mark("image", Some(50_000_000), NOW);
    let later = NOW + Duration::from_millis(250);
    let sections = page.sections(None, later).into_iter();
    let mut ages = sections.filter(|section| section.name == "ages");
    let ages = ages.next().unwrap().value;
    assert_eq!(ages["image"]["lag_ms"], 40.0);
    assert_eq!(ages["image"]["age_ms"], 250);
}

proptest! {
    /// Whatever a model or a node writes, nothing hidden leaves: line breaks and tabs of programs aside.
    #[test]
    fn nothing_hidden_leaves(text in "(\\PC|[\u{0}-\u{1f}\u{7f}-\u{9f}\u{200b}-\u{202e}\u{e0041}]){0,60}") {
        let mut page = Page::default();
        page.on_episode(Episode { instruction: text.clone(), tasks: vec![text.clone()], ..episode(1) }, NOW);
        page.on_proposal(Proposal {
            text: text.clone(),
            source: text.clone(),
            descriptions: vec![text.clone()],
            diagnostics: vec![text.clone()],
            ..proposal(1, 1, ProposalState::Unsound)
        });
        page.on_stage(StageCommand { reason: text.clone(), kind: text.clone(), ..Default::default() });
        page.on_status(&Status { node: text.clone(), code: text.clone(), text, ..Default::default() }, NOW);
        for section in page.sections(None, NOW) {
            let mut texts = Vec::new();
            collect(&section.value, &mut texts);
            for text in texts {
                let hidden: Vec<_> = text.char_indices().filter(|(at, c)| {
                    let is_selector = *c == '\u{fe0f}' && *at > 0;
                    is_hidden(*c) && !['\n', '\t'].contains(c) && !is_selector
                }).collect();
                prop_assert!(hidden.is_empty(), "{}: {text:?}", section.name);
            }
        }
    }
}

fn collect<'v>(value: &'v Value, texts: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(values) => values.iter().for_each(|value| collect(value, texts)),
        Value::Object(fields) => fields.values().for_each(|value| collect(value, texts)),
        _ => {}
    }
}
