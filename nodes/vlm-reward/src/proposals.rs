//! Who decides about a program, and what has been decided.

use tiller_core::ProgramId;
use tiller_messages::{Approval, ApprovalDecision, Proposal, ProposalState, RewardProgram};

/// The newest proposal, and the program that waits with it.
#[derive(Debug, Default)]
pub(crate) struct Proposals {
    is_required: bool,
    newest: Option<Proposal>,
    waiting: Option<Offer>,
}

/// A sound program, and what is told of it once it is sent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Offer {
    pub(crate) program: RewardProgram,
    pub(crate) text: String,
}

/// What a decision comes to.
#[derive(Debug, PartialEq)]
pub(crate) enum Ruling {
    /// The program goes to the robot.
    Send(Box<Offer>),
    /// The robot gets none.
    Refused,
    /// This text is to be proposed.
    Propose(String),
    /// The author is to write anew.
    Again,
    /// It changes nothing, for this reason.
    Void(String),
}

impl Proposals {
    /// Where `is_required`, nothing goes to the robot without an operator's word.
    pub(crate) fn new(is_required: bool) -> Self {
        Self {
            is_required,
            ..Self::default()
        }
    }

    /// The newest proposal as it stands.
    pub(crate) fn newest(&self) -> Option<&Proposal> {
        self.newest.as_ref()
    }

    /// An author has written a sound program; gives it back if it may go to the robot at once.
    pub(crate) fn written(&mut self, mut proposal: Proposal, offer: Offer) -> Option<Offer> {
        proposal.state = match self.is_required {
            true => ProposalState::Proposed,
            false => ProposalState::Approved,
        };
        self.newest = Some(proposal);
        if !self.is_required {
            self.waiting = None;
            return Some(offer);
        }
        self.waiting = Some(offer);
        None
    }

    /// An operator has edited one: it waits for a word in any case.
    pub(crate) fn edited(&mut self, mut proposal: Proposal, offer: Offer) {
        proposal.state = ProposalState::Proposed;
        self.newest = Some(proposal);
        self.waiting = Some(offer);
    }

    /// A program that nobody can approve, or that was approved before this node began.
    pub(crate) fn show(&mut self, proposal: Proposal) {
        self.newest = Some(proposal);
        self.waiting = None;
    }

    /// What was proposed is void.
    pub(crate) fn clear(&mut self) {
        self.newest = None;
        self.waiting = None;
    }

    /// Takes an operator's word.
    pub(crate) fn decide(&mut self, approval: Approval) -> Ruling {
        let Some(newest) = &mut self.newest else {
            return Ruling::Void("expected a proposal to decide about, found none".to_owned());
        };
        if newest.id != approval.program {
            let (expected, found) = (newest.id, approval.program);
            return Ruling::Void(format!(
                "expected a word about {expected}, the newest, found one about {found}"
            ));
        }
        match approval.decision {
            ApprovalDecision::Approve => match self.waiting.take() {
                Some(offer) => {
                    newest.state = ProposalState::Approved;
                    Ruling::Send(Box::new(offer))
                }
                None => {
                    let state = newest.state.as_str();
                    Ruling::Void(format!("expected a program that waits, found one {state}"))
                }
            },
            ApprovalDecision::Refuse => match self.waiting.take() {
                Some(_) => {
                    newest.state = ProposalState::Refused;
                    Ruling::Refused
                }
                None => {
                    let state = newest.state.as_str();
                    Ruling::Void(format!("expected a program that waits, found one {state}"))
                }
            },
            ApprovalDecision::Edit => Ruling::Propose(approval.text),
            ApprovalDecision::Again => Ruling::Again,
        }
    }
}

/// The proposal of a sound program.
pub(crate) fn proposal_of(
    program: &RewardProgram,
    diagnostics: Vec<String>,
    answers: u32,
) -> Proposal {
    Proposal {
        id: program.id,
        descriptions: program.descriptions.clone(),
        diagnostics,
        answers,
        ..unsound(program, program.id, String::new())
    }
}

/// The proposal of a text that is no program, for the grounding of `like`.
pub(crate) fn unsound(like: &RewardProgram, id: ProgramId, diagnostics: String) -> Proposal {
    Proposal {
        id,
        episode: like.episode,
        generation: like.generation,
        instruction: like.instruction.clone(),
        text: like.text.clone(),
        source: like.source.clone(),
        state: ProposalState::Unsound,
        diagnostics: vec![diagnostics],
        ..Proposal::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(id: u64) -> (Proposal, Offer) {
        let program = RewardProgram {
            id: ProgramId(id),
            text: format!("program {id}"),
            ..Default::default()
        };
        let proposal = proposal_of(&program, Vec::new(), 1);
        let text = format!("{id} is sent");
        (proposal, Offer { program, text })
    }

    fn word(program: u64, decision: ApprovalDecision) -> Approval {
        Approval {
            program: ProgramId(program),
            decision,
            ..Default::default()
        }
    }

    fn state(proposals: &Proposals) -> &'static str {
        proposals
            .newest()
            .map_or("none", |newest| newest.state.as_str())
    }

    #[test]
    fn without_a_demand_for_approval_a_program_goes_at_once() {
        let mut proposals = Proposals::new(false);
        let (proposal, offer) = offer(1);
        assert_eq!(proposals.written(proposal, offer.clone()), Some(offer));
        assert_eq!(state(&proposals), "approved");
        let ruling = proposals.decide(word(1, ApprovalDecision::Refuse));
        assert!(matches!(ruling, Ruling::Void(_)), "{ruling:?}");
    }

    #[test]
    fn a_program_waits_for_a_word_about_itself_and_goes_once() {
        let mut proposals = Proposals::new(true);
        let (proposal, offer) = offer(2);
        assert_eq!(proposals.written(proposal, offer.clone()), None);
        assert_eq!(state(&proposals), "proposed");
        let other = proposals.decide(word(1, ApprovalDecision::Approve));
        assert!(matches!(other, Ruling::Void(_)), "{other:?}");
        let ruling = proposals.decide(word(2, ApprovalDecision::Approve));
        assert_eq!(ruling, Ruling::Send(Box::new(offer)));
        assert_eq!(state(&proposals), "approved");
        let again = proposals.decide(word(2, ApprovalDecision::Approve));
        assert!(matches!(again, Ruling::Void(_)), "{again:?}");
    }

    #[test]
    fn what_is_refused_or_void_never_goes() {
        let mut proposals = Proposals::new(true);
        let (proposal, first) = offer(3);
        proposals.written(proposal, first);
        assert_eq!(
            proposals.decide(word(3, ApprovalDecision::Refuse)),
            Ruling::Refused
        );
        let late = proposals.decide(word(3, ApprovalDecision::Approve));
        assert!(matches!(late, Ruling::Void(_)), "{late:?}");
        let (proposal, second) = offer(4);
        proposals.written(proposal, second);
        proposals.clear();
        let void = proposals.decide(word(4, ApprovalDecision::Approve));
        assert!(matches!(void, Ruling::Void(_)), "{void:?}");
    }

    #[test]
    fn an_edited_program_waits_even_where_nobody_need_approve() {
        let mut proposals = Proposals::new(false);
        let (proposal, first) = offer(5);
        proposals.written(proposal, first);
        let edit = Approval {
            text: "other".into(),
            ..word(5, ApprovalDecision::Edit)
        };
        assert_eq!(proposals.decide(edit), Ruling::Propose("other".into()));
        let (proposal, edited) = offer(6);
        proposals.edited(proposal, edited.clone());
        assert_eq!(state(&proposals), "proposed");
        let ruling = proposals.decide(word(6, ApprovalDecision::Approve));
        assert_eq!(ruling, Ruling::Send(Box::new(edited)));
    }

    #[test]
    fn nobody_approves_what_is_unsound() {
        let mut proposals = Proposals::new(true);
        let program = RewardProgram::default();
        proposals.show(unsound(&program, ProgramId(7), "line 1".into()));
        let ruling = proposals.decide(word(7, ApprovalDecision::Approve));
        assert!(matches!(ruling, Ruling::Void(_)), "{ruling:?}");
        assert_eq!(
            proposals.decide(word(7, ApprovalDecision::Again)),
            Ruling::Again,
            "but it can be written anew"
        );
    }
}
