//! The page's requests, as the dataflow gets them.

use std::io::Read as _;
use std::net::TcpStream;

use tiller_core::ProgramId;
use tiller_messages::{Approval, ApprovalDecision, Proposal, StageAdvice, StageCommand};

use super::*;
use crate::web::URL_FILE;

/// Posts a request as the page does; again until it is obeyed, for what it is about may not have come yet.
fn obeyed(folder: &Path, ask: &Value) -> Value {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match post(folder, ask) {
            Some((200, answer)) => return answer,
            last if Instant::now() > deadline => panic!("{ask}: {last:?}"),
            _ => thread::sleep(Duration::from_millis(20)),
        }
    }
}

fn post(folder: &Path, ask: &Value) -> Option<(u16, Value)> {
    let url = fs::read_to_string(folder.join(URL_FILE)).ok()?;
    let host = url
        .strip_prefix("http://")?
        .trim_end_matches('/')
        .to_owned();
    let mut stream = TcpStream::connect(&host).ok()?;
    let body = ask.to_string();
    let length = body.len();
    write!(
        stream,
        "POST /ask HTTP/1.1\r\nHost: {host}\r\nOrigin: {}\r\nContent-Type: application/json\r\n\
         Connection: close\r\nContent-Length: {length}\r\n\r\n{body}",
        url.trim_end_matches('/')
    )
    .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, serde_json::from_str(body).ok()?))
}

/// Runs the node with an episode, a proposal and a stage under way until a client has done something.
fn with_page<T: Send + 'static>(
    folder: &Path,
    client: impl FnOnce(&Path) -> T + Send + 'static,
) -> (T, Sent) {
    let path = folder.to_owned();
    let client = Rc::new(thread::spawn(move || client(&path)));
    let watched = Rc::clone(&client);
    let episode = Episode {
        seq: 1,
        id: EpisodeId(5),
        instruction: "open the drawer".into(),
        ..Default::default()
    };
    let proposal = Proposal {
        seq: 1,
        id: ProgramId(7),
        episode: EpisodeId(5),
        source: "embedded".into(),
        ..Default::default()
    };
    let stage = StageCommand {
        seq: 1,
        program: ProgramId(7),
        stage: 1,
        visit: 3,
        ..Default::default()
    };
    let settings = Settings {
        place: Place::Exactly("127.0.0.1:0".parse().unwrap()),
        ..settings(folder)
    };
    let (result, sent) = Script::new(ESSENTIAL)
        .message("episode", &episode)
        .message("proposal", &proposal)
        .message("stage", &stage)
        .message("task_status", &TaskStatus::default())
        .until("task_status", move |_| watched.is_finished())
        .closed("task_status")
        .run(|inbox, outbox| run(&settings, inbox, outbox))
        .expect("the harness works");
    result.unwrap();
    let client = Rc::into_inner(client).expect("the script is over");
    (client.join().unwrap(), sent)
}

#[test]
fn words_of_the_page_go_to_the_dataflow() {
    let folder = tempfile::tempdir().unwrap();
    let (instructed, sent) = with_page(folder.path(), |folder| {
        obeyed(
            folder,
            &json!({ "ask": "decide", "program": "7", "decision": "edit", "text": "num_stages = 1" }),
        );
        obeyed(
            folder,
            &json!({ "ask": "stage", "program": "7", "visit": 3, "stage": 2 }),
        );
        obeyed(folder, &json!({ "ask": "order", "order": "pause" }));
        obeyed(folder, &json!({ "ask": "order", "order": "stop" }));
        obeyed(
            folder,
            &json!({ "ask": "say", "instruction": "close the drawer", "seed": 3 }),
        )
    });
    let approvals: Vec<Approval> = sent.messages("approval").unwrap();
    assert_eq!(approvals.len(), 1);
    assert_eq!(approvals[0].program, ProgramId(7));
    assert_eq!(approvals[0].decision, ApprovalDecision::Edit);
    assert_eq!(approvals[0].text, "num_stages = 1");
    let advice: Vec<StageAdvice> = sent.messages("stage_advice").unwrap();
    assert_eq!((advice[0].visit, advice[0].stage), (3, 2));
    let [paused, stopped] = ["pause", "stop"].map(|output| sent.messages::<Order>(output).unwrap());
    assert_eq!((paused.len(), stopped.len()), (1, 1));
    assert!(paused[0].id < stopped[0].id && paused[0].reason.contains("pause"));
    let episodes = episodes(&sent);
    assert_eq!(instructed["episode"], episodes[0].id.0.to_string());
    assert_eq!(episodes[0].instruction, "close the drawer");
    let order = sent.order();
    let texts = order.iter().filter(|output| **output == "arm_command");
    assert_eq!(texts.count(), 4, "stop twice, start and quit: {order:?}");
    assert!(order.contains(&"task_prompt"), "{order:?}");
}

#[test]
fn a_word_that_comes_too_late_goes_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let (statuses, sent) = with_page(folder.path(), |folder| {
        // Once this is obeyed, all that the script has brought is there.
        obeyed(
            folder,
            &json!({ "ask": "decide", "program": "7", "decision": "approve" }),
        );
        [
            json!({ "ask": "decide", "program": "6", "decision": "approve" }),
            json!({ "ask": "stage", "program": "7", "visit": 2, "stage": 2 }),
            json!({ "ask": "judge", "episode": "4", "verdict": "success" }),
        ]
        .map(|ask| post(folder, &ask).map(|(status, _)| status))
    });
    assert_eq!(statuses, [Some(409); 3]);
    assert_eq!(sent.messages::<Approval>("approval").unwrap().len(), 1);
    assert!(
        sent.messages::<StageAdvice>("stage_advice")
            .unwrap()
            .is_empty()
    );
}

#[test]
fn verdicts_are_kept_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    for (verdict, lines) in [("fail", 1), ("success", 2)] {
        let ask = json!({ "ask": "judge", "episode": "5", "verdict": verdict, "note": "n" });
        with_page(folder.path(), move |folder| {
            // Once this is obeyed, the program that the verdict names is there.
            obeyed(
                folder,
                &json!({ "ask": "decide", "program": "7", "decision": "approve" }),
            );
            obeyed(folder, &ask)
        });
        let text = fs::read_to_string(folder.path().join("evaluation.jsonl")).unwrap();
        assert_eq!(text.lines().count(), lines);
        let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert_eq!(last["verdict"], verdict);
        assert_eq!(last["instruction"], "open the drawer");
        assert_eq!(last["author"], "embedded");
    }
}
