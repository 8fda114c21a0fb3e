use tiller_closed_loop::journal::{Header, Pieces};
use tiller_messages::{Episode, Keypoints, ProgramContract};
use tiller_vlm::exchange::{Background, Client, Recorder};
use tiller_vlm::{Answer, AuthorError, AuthorRequest};

use super::*;

/// Writes a program for the first keypoint, at the place where it stands.
#[derive(Debug)]
struct Sage;

impl Author for Sage {
    fn author(&self, request: &AuthorRequest) -> Result<Answer, AuthorError> {
        Ok(Answer {
            text: text(request.keypoints[0].position_m[0]),
            source: EMBEDDED.to_owned(),
            understood: None,
        })
    }
}

fn text(x_m: f64) -> String {
    format!(
        "num_stages = 1\n\n# Stage 1: go there\ndef stage1_guidance(keypoints, action_sequence):\n    return -torch.norm(action_sequence - torch.tensor([{x_m}, 0.0, 0.1]), dim=-1).mean()\n"
    )
}

const MODEL: &str = "openai/m";

fn header(source: &str) -> AuthorHeader {
    AuthorHeader {
        world: "meadow".to_owned(),
        source: source.to_owned(),
        max_repairs: 1,
        fallback: "hold".to_owned(),
        prompt_dir: None,
        prompts_sha256: PromptSet::built_in().sha256(),
        scene_notes: "a meadow".to_owned(),
        pictures: "eye/annotated_image".to_owned(),
    }
}

fn commission() -> Commission {
    Commission {
        id: ProgramId(5),
        episode: Episode {
            id: EpisodeId(3),
            instruction: "go there".to_owned(),
            ..Episode::default()
        },
        keypoints: Keypoints {
            generation: 1,
            names: vec!["flower".to_owned()],
            xyz_m: vec![0.437, 0.0, 0.1],
            visible: vec![true],
            ..Keypoints::default()
        },
        contract: ProgramContract {
            points: 17,
            ..ProgramContract::default()
        },
        picture_ns: None,
    }
}

/// The journal of a node that asked, and what came of it; `tamper` changes what is written down.
fn recorded(
    source: &str,
    answers: &[&str],
    tamper: impl Fn(&mut DeskEvent, &mut Option<DeskEffect>),
) -> (Stories, Vec<RewardProgram>) {
    let header = header(source);
    let policy = AuthoringPolicy {
        max_repairs: header.max_repairs,
        fallback: Fallback::Hold,
    };
    let prompts = PromptSet::built_in().with_scene_notes(&header.scene_notes);
    let mut desk = Desk::new(Arc::new(prompts), policy, source.to_owned(), Arc::new(Sage));
    let header = Header {
        software: env!("CARGO_PKG_VERSION").to_owned(),
        machine: Machine::Author(Box::new(header)),
    };
    let (mut recorder, mut pieces) = Pieces::new(&header).unwrap();
    let mut sent = Vec::new();
    let mut write = |mut event: DeskEvent, next: Next| {
        let mut effect = Some(next.effect());
        tamper(&mut event, &mut effect);
        if let Some(DeskEffect::Program(program)) = &effect {
            sent.push((**program).clone());
        }
        recorder.record(7, &event, effect.as_slice()).unwrap();
    };
    let next = desk.begin(commission(), None);
    write(DeskEvent::Begin(Box::new(commission())), next);
    for answer in answers {
        let reply = Reply {
            text: (*answer).to_owned(),
            model: EMBEDDED.to_owned(),
            usage: tiller_vlm::provider::Usage::default(),
        };
        let next = desk.answer(Ok(reply.clone())).unwrap();
        write(DeskEvent::Answer(Answered::Reply(reply)), next);
    }
    let story = Story {
        node: "vlm-reward".to_owned(),
        session: 4,
        header,
        bytes: pieces.rest().unwrap().entries,
        missing: None,
    };
    let stories = Stories {
        recording: "/nowhere.drec".into(),
        stories: vec![story],
        missing: Vec::new(),
    };
    (stories, sent)
}

fn as_it_was(_: &mut DeskEvent, _: &mut Option<DeskEffect>) {}

fn checked(stories: &Stories, heard: &[RewardProgram], exchanges: Option<&Path>) -> Report {
    let authors: [(&str, Arc<dyn Author>); 1] = [("meadow", Arc::new(Sage))];
    let means = Means {
        here: Path::new("."),
        authors: &authors,
        exchanges,
    };
    let mut report = Report::default();
    compare(stories, heard, &means, &Frames::default(), &mut report).unwrap();
    report
}

/// The verdict on the only program, and what is said of it.
fn verdict(report: &Report) -> (Verdict, &str) {
    let [program] = report.programs.as_slice() else {
        panic!("{report:?}");
    };
    let counted = report.compared["programs"];
    let of = [counted.same, counted.differing, counted.not_compared];
    let expected = match program.verdict {
        Verdict::Same => [1, 0, 0],
        Verdict::Differs => [0, 1, 0],
        Verdict::NotCompared => [0, 0, 1],
    };
    assert_eq!((counted.recorded, of), (1, expected));
    (program.verdict, program.why.as_deref().unwrap_or_default())
}

#[test]
fn an_author_that_writes_the_same_again_is_the_same() {
    let (stories, heard) = recorded(EMBEDDED, &[&text(0.437)], as_it_was);
    let report = checked(&stories, &heard, None);
    assert_eq!(verdict(&report), (Verdict::Same, ""));
    assert_eq!(
        (report.machines[0].events, report.machines[0].differing),
        (2, 0)
    );
    assert_eq!(report.machines[0].machine, "author");
    assert!(report.missing.is_empty(), "{report:?}");
}

#[test]
fn a_program_that_was_tampered_with_is_told() {
    // In the journal and in what was heard alike: only its author knows better.
    let tamper = |event: &mut DeskEvent, effect: &mut Option<DeskEffect>| {
        if let DeskEvent::Answer(Answered::Reply(reply)) = event {
            reply.text = text(0.438);
        }
        if let Some(DeskEffect::Program(program)) = effect {
            program.text = text(0.438);
        }
    };
    let (stories, heard) = recorded(EMBEDDED, &[&text(0.437)], tamper);
    let report = checked(&stories, &heard, None);
    let (what, why) = verdict(&report);
    assert_eq!(what, Verdict::Differs);
    assert!(
        why.starts_with("text, line 5: `return -torch.norm("),
        "{why}"
    );
    assert_eq!(report.machines[0].differing, 1, "{report:?}");

    // A word of what is said of it is enough.
    let tamper = |_: &mut DeskEvent, effect: &mut Option<DeskEffect>| {
        if let Some(DeskEffect::Program(program)) = effect {
            program.descriptions[0].push('.');
        }
    };
    let (stories, heard) = recorded(EMBEDDED, &[&text(0.437)], tamper);
    let report = checked(&stories, &heard, None);
    assert_eq!(verdict(&report), (Verdict::Differs, "descriptions"));

    // On its way to the sampler.
    let (stories, mut heard) = recorded(EMBEDDED, &[&text(0.437)], as_it_was);
    heard[0].has_done[0] = true;
    let report = checked(&stories, &heard, None);
    let expected = "another was heard than was sent: has_done";
    assert_eq!(verdict(&report), (Verdict::Differs, expected));
}

#[test]
fn answers_of_a_model_are_played_back_from_the_recording() {
    let answers = ["num_stages = 1", &text(0.5)];
    let (stories, heard) = recorded(MODEL, &answers, as_it_was);
    let report = checked(&stories, &heard, None);
    assert_eq!(verdict(&report), (Verdict::Same, ""));
    let questions = report.compared["questions"];
    assert_eq!((questions.recorded, questions.same), (2, 2));

    let tamper = |event: &mut DeskEvent, _: &mut Option<DeskEffect>| {
        if let DeskEvent::Answer(Answered::Reply(reply)) = event {
            reply.text = reply.text.replace("0.5", "0.6");
        }
    };
    let (stories, heard) = recorded(MODEL, &answers, tamper);
    let report = checked(&stories, &heard, None);
    assert_eq!(verdict(&report).0, Verdict::Differs);
    // Where an answer was sound at once, nothing went back.
    let tamper = |event: &mut DeskEvent, _: &mut Option<DeskEffect>| {
        if let DeskEvent::Answer(Answered::Reply(reply)) = event {
            reply.text = text(0.5);
        }
    };
    let (stories, heard) = recorded(MODEL, &answers, tamper);
    let report = checked(&stories, &heard, None);
    assert_eq!(
        verdict(&report),
        (Verdict::Differs, "no program comes of it")
    );
}

#[test]
fn what_is_missing_is_named_and_never_the_same() {
    let (mut stories, heard) = recorded(MODEL, &[&text(0.5)], as_it_was);
    // Its journal.
    let none = Stories {
        stories: Vec::new(),
        ..stories.clone()
    };
    let report = checked(&none, &heard, None);
    let (what, why) = verdict(&report);
    assert_eq!(what, Verdict::NotCompared);
    assert!(why.contains("output `journal`"), "{why}");
    assert!(report.missing[0].starts_with("for program 5 by `openai/m`: "));

    // Its prompts: the questions cannot be put again, and its answers are as good as they were.
    let Machine::Author(header) = &mut stories.stories[0].header.machine else {
        panic!("an author");
    };
    header.prompts_sha256 = "0".repeat(64);
    // What those prompts were would show in the question.
    header.scene_notes = "another meadow".to_owned();
    let report = checked(&stories, &heard, None);
    assert_eq!(verdict(&report), (Verdict::Same, ""));
    assert_eq!(report.compared["questions"].not_compared, 1);
    assert!(report.missing[0].contains("built-in prompts"), "{report:?}");

    // Its world.
    let Machine::Author(header) = &mut stories.stories[0].header.machine else {
        panic!("an author");
    };
    header.world = "desert".to_owned();
    let report = checked(&stories, &heard, None);
    let (what, why) = verdict(&report);
    assert_eq!(what, Verdict::NotCompared);
    assert!(why.contains("`desert`"), "{why}");
}

#[test]
fn a_program_that_an_operator_has_edited_is_compiled_again() {
    let (stories, written) = recorded(EMBEDDED, &[&text(0.437)], as_it_was);
    let commission = commission();
    let source = tiller_authoring::edited_source(EMBEDDED);
    let edit = Edit {
        id: ProgramId(6),
        episode: &commission.episode,
        generation: 1,
        source: &source,
        options: commission.options(),
    };
    let (_, edited) = edit.compile(&text(0.5)).unwrap();
    let last = |stories: &Stories, edited: &RewardProgram| {
        let heard = [written[0].clone(), edited.clone()];
        let report = checked(stories, &heard, None);
        let last = report.programs.last().unwrap();
        assert_eq!(last.source, "embedded, edited by an operator");
        (last.verdict, last.why.clone().unwrap_or_default())
    };
    assert_eq!(last(&stories, &edited), (Verdict::Same, String::new()));
    let mut other = edited.clone();
    other.descriptions[0].push('.');
    let expected = (Verdict::Differs, "descriptions".to_owned());
    assert_eq!(last(&stories, &other), expected);
    "num_stages = 1".clone_into(&mut other.text);
    let (verdict, why) = last(&stories, &other);
    assert_eq!(
        (verdict, why.as_str()),
        (Verdict::Differs, "no program comes of it")
    );
    let none = Stories {
        stories: Vec::new(),
        ..stories
    };
    let (verdict, why) = last(&none, &edited);
    assert_eq!(verdict, Verdict::NotCompared);
    assert!(why.contains("was edited"), "{why}");
}

/// A folder of exchanges, in which a model gave this answer to the question.
fn exchanges(answer: &str, folder: &Path) {
    let prompts = PromptSet::built_in().with_scene_notes("a meadow");
    let policy = AuthoringPolicy {
        max_repairs: 1,
        fallback: Fallback::Hold,
    };
    let mut desk = Desk::new(Arc::new(prompts), policy, MODEL.to_owned(), Arc::new(Sage));
    let Next::Ask(query) = desk.begin(commission(), None) else {
        panic!("a model is asked");
    };
    let client = Client::new(Arc::new(FilesProvider::with_text(answer)));
    let client = client.with_recorder(Recorder::new(folder).unwrap());
    let mut background = Background::start(Arc::new(client)).unwrap();
    background.ask(query);
    let answered = background.wait(std::time::Duration::from_secs(60));
    assert!(answered.unwrap().1.result.is_ok());
}

#[test]
fn answers_of_a_model_are_played_back_from_exchanges() {
    let folder = tempfile::tempdir().unwrap();
    let (same, other) = (folder.path().join("same"), folder.path().join("other"));
    exchanges(&text(0.5), &same);
    exchanges(&text(0.6), &other);
    let (stories, heard) = recorded(MODEL, &[&text(0.5)], as_it_was);
    let report = checked(&stories, &heard, Some(&same));
    assert_eq!(verdict(&report), (Verdict::Same, ""));
    let report = checked(&stories, &heard, Some(&other));
    assert_eq!(verdict(&report).0, Verdict::Differs);

    // What is not there is refused, whoever wrote.
    let means = Means {
        here: Path::new("."),
        authors: &[],
        exchanges: Some(&folder.path().join("none")),
    };
    let frames = Frames::default();
    assert!(compare(&stories, &heard, &means, &frames, &mut Report::default()).is_err());

    // Exchanges about something else hold no answer.
    let tamper = |event: &mut DeskEvent, _: &mut Option<DeskEffect>| {
        if let DeskEvent::Begin(commission) = event {
            commission.keypoints.xyz_m[0] = 0.2;
        }
    };
    let (stories, heard) = recorded(MODEL, &[&text(0.5)], tamper);
    let report = checked(&stories, &heard, Some(&same));
    let (what, why) = verdict(&report);
    assert_eq!(what, Verdict::NotCompared);
    assert!(why.starts_with("an answer among the exchanges: "), "{why}");
}
