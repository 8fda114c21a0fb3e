use super::*;
use crate::author::{Answer, AuthorError, SceneKeypoint};
use crate::provider::Usage;

const GOOD: &str = "num_stages = 1\n# Stage 1: go\ndef stage1_guidance(keypoints, action_sequence):\n    return -torch.norm(action_sequence - keypoints[0], dim=-1).mean()\n";
const BAD: &str = "num_stages = 1\n# Stage 1: go\ndef stage1_guidance(keypoints, action_sequence):\n    return -torch.norm(action_sequence - keypoints[7], dim=-1).mean()\n";

/// Understands one instruction.
#[derive(Debug)]
struct Embedded;

impl Author for Embedded {
    fn author(&self, request: &AuthorRequest) -> Result<Answer, AuthorError> {
        if request.instruction != "open the drawer" {
            return Err(AuthorError::UnknownVerb {
                phrase: request.instruction.clone(),
                can: Default::default(),
            });
        }
        Ok(Answer {
            text: GOOD.to_owned(),
            source: "embedded".to_owned(),
            understood: None,
        })
    }
}

fn task(instruction: &str) -> AuthoringTask {
    AuthoringTask {
        request: AuthorRequest {
            hand: tiller_reward::HandAccess::POSITIONS,
            instruction: instruction.to_owned(),
            keypoints: vec![SceneKeypoint {
                index: 0,
                name: "drawer handle".to_owned(),
                position_m: [0.58, -0.3, 0.06],
            }],
        },
        picture: Some(Picture::new(b"\xff\xd8\xff".to_vec()).unwrap()),
        options: CompileOptions::new(1, 17),
        source: "test/model".to_owned(),
        embedded: Some(Arc::new(Embedded)),
    }
}

fn reply(text: &str) -> Result<Reply, ProviderError> {
    Ok(Reply {
        text: text.to_owned(),
        model: "m".to_owned(),
        usage: Usage::default(),
    })
}

/// Plays the answers; gives the end and every question.
fn play(
    instruction: &str,
    policy: AuthoringPolicy,
    answers: impl IntoIterator<Item = Result<Reply, ProviderError>>,
) -> (Authored, Vec<Query>) {
    let prompts = Arc::new(PromptSet::load(None).unwrap());
    let mut step = Authoring::begin(prompts, task(instruction), policy);
    let mut answers = answers.into_iter();
    let mut queries = Vec::new();
    loop {
        match step {
            Step::Done(authored) => {
                assert!(answers.next().is_none(), "an answer is left over");
                return (authored, queries);
            }
            Step::Ask(authoring, query) => {
                queries.push(query);
                step = authoring.take(answers.next().expect("one question too many"));
            }
        }
    }
}

fn policy(max_repairs: u32, fallback: Fallback) -> AuthoringPolicy {
    AuthoringPolicy {
        max_repairs,
        fallback,
    }
}

#[test]
fn a_sound_first_answer_is_taken() {
    let (authored, queries) = play("open the drawer", policy(2, Fallback::Hold), [reply(GOOD)]);
    assert_eq!(
        (authored.status, authored.cause),
        (AuthoringStatus::Ok, None)
    );
    assert_eq!(authored.message, "ok: 1 stages by test/model in answer 1");
    let written = authored.written.unwrap();
    assert_eq!(
        (written.text.as_str(), written.source.as_str()),
        (GOOD, "test/model")
    );
    assert_eq!(queries[0].purpose, Purpose::Reward);
    assert!(queries[0].picture.is_some());
}

#[test]
fn mistakes_go_back_with_their_lines_and_the_mended_answer_is_taken() {
    let (authored, queries) = play(
        "open the drawer",
        policy(2, Fallback::Hold),
        [reply(BAD), reply(GOOD)],
    );
    assert_eq!(
        (authored.status, authored.answers),
        (AuthoringStatus::Repaired, 2)
    );
    let roles: Vec<Role> = queries[1].turns.iter().map(|turn| turn.role).collect();
    assert_eq!(roles, [Role::User, Role::Model, Role::User]);
    assert_eq!(queries[1].turns[0], queries[0].turns[0]);
    assert_eq!(queries[1].turns[1].text, BAD);
    let told = &queries[1].turns[2].text;
    for part in [
        "error[keypoint-index]",
        "there is no keypoint 7",
        "--> line 4",
        "^",
        "after that one: 1",
    ] {
        assert!(told.contains(part), "`{part}` is missing in\n{told}");
    }
}

const DOUBTFUL: &str = "num_stages = 1\n# Stage 1: go\ndef stage1_guidance(keypoints, action_sequence):\n    return torch.norm(action_sequence - keypoints[0], dim=-1).mean()\n";

#[test]
fn a_likely_slip_is_asked_about_once_and_the_second_thought_is_taken() {
    let (authored, queries) = play(
        "open the drawer",
        policy(2, Fallback::Hold),
        [reply(DOUBTFUL), reply(GOOD)],
    );
    assert_eq!(
        (authored.status, authored.answers),
        (AuthoringStatus::Repaired, 2)
    );
    assert_eq!(authored.written.unwrap().text, GOOD);
    let told = &queries[1].turns[2].text;
    for part in ["warning[repelled]", "can be run", "after that one: 1"] {
        assert!(told.contains(part), "`{part}` is missing in\n{told}");
    }
}

#[test]
fn a_doubtful_program_is_taken_when_its_author_insists_or_fails() {
    let failure = || Err(ProviderError::new(Outcome::TimeoutTotal, "too late"));
    for second in [reply(DOUBTFUL), reply(BAD), failure()] {
        let is_sound = second.as_ref().is_ok_and(|reply| reply.text == DOUBTFUL);
        let answers = [reply(DOUBTFUL), second];
        let (authored, queries) = play("open the drawer", policy(2, Fallback::Hold), answers);
        assert_eq!(queries.len(), 2);
        let written = authored.written.unwrap();
        assert_eq!(written.text, DOUBTFUL);
        assert_eq!(written.program.remarks.len(), 1);
        assert!(authored.message.contains("warning[repelled]"));
        assert_eq!(authored.answers, if is_sound { 2 } else { 1 });
    }
    // Nobody is asked when no answer is left.
    let (authored, queries) = play("open", policy(0, Fallback::Hold), [reply(DOUBTFUL)]);
    assert_eq!((authored.status, queries.len()), (AuthoringStatus::Ok, 1));
}

#[test]
fn the_conversation_does_not_grow_with_the_rounds() {
    let answers = [reply(BAD), reply("no code"), reply(BAD), reply(GOOD)];
    let (_, queries) = play("open the drawer", policy(3, Fallback::Hold), answers);
    assert!(queries[1..].iter().all(|query| query.turns.len() == 3));
    let huge = format!("{GOOD}{}", "# x\n".repeat(100_000));
    let (_, queries) = play(
        "open the drawer",
        policy(1, Fallback::Hold),
        [reply(&huge), reply(GOOD)],
    );
    assert!(queries[1].turns[1].text.len() <= MAX_ANSWER);
}

#[test]
fn rounds_are_bounded_and_every_fallback_has_its_status() {
    let bad = || vec![reply(BAD), reply(BAD)];
    let (held, _) = play("open the drawer", policy(1, Fallback::Hold), bad());
    assert_eq!(
        (held.status, held.cause),
        (AuthoringStatus::FallbackHold, Some(Outcome::ProgramInvalid))
    );
    assert!(held.written.is_none());
    assert!(
        held.message
            .starts_with("fallback_hold: program_invalid: 2 answers"),
        "{}",
        held.message
    );
    let (free, _) = play("open the drawer", policy(1, Fallback::Unsteered), bad());
    assert_eq!(free.status, AuthoringStatus::FallbackUnsteered);
    assert!(free.written.unwrap().program.stages[0].is_unguided);
    let (own, _) = play("open the drawer", policy(1, Fallback::Embedded), bad());
    assert_eq!(own.status, AuthoringStatus::FallbackEmbedded);
    assert_eq!(own.written.unwrap().source, "embedded");
    let (neither, _) = play("make coffee", policy(1, Fallback::Embedded), bad());
    assert_eq!(neither.status, AuthoringStatus::FallbackHold);
    assert!(
        neither.message.contains("I do not know how to make coffee"),
        "{}",
        neither.message
    );
}

#[test]
fn a_provider_that_fails_is_not_asked_again_but_for_a_shorter_answer() {
    let error = |outcome| Err(ProviderError::new(outcome, "so it is"));
    for &outcome in Outcome::ALL
        .iter()
        .filter(|outcome| !matches!(outcome, Outcome::Ok | Outcome::Truncated))
    {
        let (authored, _) = play(
            "open the drawer",
            policy(3, Fallback::Hold),
            [error(outcome)],
        );
        assert_eq!(
            (authored.status, authored.cause),
            (AuthoringStatus::FallbackHold, Some(outcome))
        );
        assert!(
            authored.message.contains(outcome.advice()),
            "{}",
            authored.message
        );
    }
    let answers = [error(Outcome::Truncated), reply(GOOD)];
    let (authored, queries) = play("open the drawer", policy(1, Fallback::Hold), answers);
    assert_eq!(authored.status, AuthoringStatus::Repaired);
    assert!(queries[1].turns[0].text.contains("cut off"));
    let (authored, _) = play(
        "open the drawer",
        policy(0, Fallback::Hold),
        [error(Outcome::Truncated)],
    );
    assert_eq!(authored.cause, Some(Outcome::Truncated));
}

#[test]
fn answers_without_a_program_are_told_from_refusals() {
    let cause = |text: &str| {
        play("open the drawer", policy(0, Fallback::Hold), [reply(text)])
            .0
            .cause
    };
    assert_eq!(cause("Sure, what colour?"), Some(Outcome::NoProgram));
    assert_eq!(
        cause("I\u{2019}m sorry, but I can\u{2019}t help with that."),
        Some(Outcome::RefusedByModel)
    );
    assert_eq!(cause(BAD), Some(Outcome::ProgramInvalid));
}

#[test]
fn a_program_for_another_number_of_points_is_repaired() {
    let text = GOOD.replace("action_sequence -", "action_sequence[:, 16] -");
    let fits = |points: usize| {
        let mut task = task("open the drawer");
        task.options = CompileOptions::new(1, points);
        let prompts = Arc::new(PromptSet::load(None).unwrap());
        Authoring::resume(
            prompts,
            task,
            policy(1, Fallback::Hold),
            reply(&text).unwrap(),
        )
    };
    let Step::Done(same) = fits(17) else {
        panic!("nothing to ask");
    };
    assert_eq!(same.status, AuthoringStatus::Ok);
    let Step::Ask(authoring, query) = fits(9) else {
        panic!("a program that does not fit goes back");
    };
    assert_eq!(query.purpose, Purpose::Repair);
    assert!(query.system.contains("shape (1, 9, 3)"), "{}", query.system);
    assert!(
        query.turns[2].text.contains("16"),
        "{}",
        query.turns[2].text
    );
    let Step::Done(mended) = authoring.take(reply(GOOD)) else {
        panic!("it is sound now");
    };
    assert_eq!(mended.status, AuthoringStatus::Repaired);
}
