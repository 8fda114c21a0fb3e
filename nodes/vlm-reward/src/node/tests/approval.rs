//! A program waits for an operator's word.

use tiller_messages::{Approval, ApprovalDecision, Proposal, ProposalState};
use tiller_node_kit::testing::SESSION;

use super::*;

const REQUIRED: [(&str, &str); 1] = [("APPROVAL", "required")];

/// The number of the program that is written as this one, from 1.
fn numbered(written: u64) -> ProgramId {
    ProgramId(SESSION + written)
}

fn word(seq: u64, written: u64, decision: ApprovalDecision) -> Approval {
    Approval {
        seq,
        program: numbered(written),
        decision,
        ..Default::default()
    }
}

fn edit(seq: u64, written: u64, text: &str) -> Approval {
    Approval {
        text: text.into(),
        ..word(seq, written, ApprovalDecision::Edit)
    }
}

/// What was proposed, each proposal once for each of its states.
fn proposals(sent: &Sent) -> Vec<Proposal> {
    sent.messages("proposal").unwrap()
}

fn states(sent: &Sent) -> Vec<(ProgramId, ProposalState)> {
    let all = proposals(sent).into_iter();
    all.map(|proposal| (proposal.id, proposal.state)).collect()
}

fn drive_words(words: &[Approval]) -> Sent {
    let script = words.iter().fold(ready("open the drawer"), |script, word| {
        script.message("approval", word)
    });
    let script = script.wired(&["approval"]).closed("keypoints");
    let (result, sent) = drive_with(&REQUIRED, script);
    result.unwrap();
    sent
}

#[test]
fn without_a_word_nothing_goes_to_the_robot() {
    let sent = drive_words(&[]);
    assert!(programs(&sent).is_empty());
    let proposals = proposals(&sent);
    assert_eq!(states(&sent), [(numbered(1), ProposalState::Proposed)]);
    assert!(!proposals[0].descriptions.is_empty());
    assert_eq!(proposals[0].instruction, "open the drawer");
}

#[test]
fn what_is_approved_goes_once_as_it_was_proposed() {
    let approve = |seq| word(seq, 1, ApprovalDecision::Approve);
    let sent = drive_words(&[approve(1), approve(2)]);
    let programs = programs(&sent);
    assert_eq!(programs.len(), 1);
    let proposal = &proposals(&sent)[0];
    assert_eq!(
        (programs[0].id, &programs[0].text),
        (proposal.id, &proposal.text)
    );
    let expected = [ProposalState::Proposed, ProposalState::Approved];
    assert_eq!(states(&sent), expected.map(|state| (numbered(1), state)));
}

#[test]
fn what_is_refused_does_not_go_and_the_author_can_be_asked_again() {
    let sent = drive_words(&[
        word(1, 1, ApprovalDecision::Refuse),
        word(2, 1, ApprovalDecision::Approve),
    ]);
    assert!(programs(&sent).is_empty());
    let sent = drive_words(&[
        word(1, 1, ApprovalDecision::Refuse),
        word(2, 1, ApprovalDecision::Again),
        word(3, 2, ApprovalDecision::Approve),
    ]);
    let programs = programs(&sent);
    assert_eq!(programs.len(), 1);
    assert_eq!(programs[0].id, numbered(2));
}

#[test]
fn an_edited_program_goes_through_the_same_checks() {
    let text = proposals(&drive_words(&[]))[0].text.clone();
    let first = text.lines().find(|line| line.contains("return")).unwrap();
    let broken = text.replace(first, "    return keypoints[99, 0]");
    let better = format!("{text}\n# seen\n");
    let sent = drive_words(&[
        edit(1, 1, &broken),
        word(2, 2, ApprovalDecision::Approve),
        edit(3, 2, &better),
        word(4, 3, ApprovalDecision::Approve),
    ]);
    let expected = [
        (numbered(1), ProposalState::Proposed),
        (numbered(2), ProposalState::Unsound),
        (numbered(3), ProposalState::Proposed),
        (numbered(3), ProposalState::Approved),
    ];
    assert_eq!(states(&sent), expected);
    let unsound = &proposals(&sent)[1];
    assert_eq!(unsound.text, broken);
    assert!(
        unsound.diagnostics[0].contains("error"),
        "{:?}",
        unsound.diagnostics
    );
    let programs = programs(&sent);
    assert_eq!(programs.len(), 1);
    assert_eq!(programs[0].text, better);
    assert_eq!(programs[0].source, "embedded, edited by an operator");
}

#[test]
fn a_word_about_the_episode_before_is_void() {
    let script = ready("open the drawer").message("episode", &episode(2, "close the drawer"));
    let script = script.message("approval", &word(1, 1, ApprovalDecision::Approve));
    let script = grounded(script, 2, 2, 100)
        .message("approval", &word(2, 1, ApprovalDecision::Approve))
        .message("approval", &word(3, 2, ApprovalDecision::Approve))
        .closed("keypoints");
    let (result, sent) = drive_with(&REQUIRED, script);
    result.unwrap();
    let programs = programs(&sent);
    assert_eq!(programs.len(), 1);
    assert_eq!(programs[0].instruction, "close the drawer");
}

#[test]
fn where_no_word_can_come_it_is_not_waited_for() {
    let (result, _) = drive_with(&REQUIRED, ready("open the drawer").closed("keypoints"));
    let error = result.unwrap_err().to_string();
    assert!(
        error.contains("APPROVAL") && error.contains("`approval`"),
        "{error}"
    );
}

#[test]
fn where_none_is_needed_a_program_goes_at_once_and_is_shown() {
    let (result, sent) = drive(ready("open the drawer").closed("keypoints"));
    result.unwrap();
    assert_eq!(programs(&sent).len(), 1);
    assert_eq!(states(&sent), [(numbered(1), ProposalState::Approved)]);
}
