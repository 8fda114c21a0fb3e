//! What becomes of a program once it is written: proposed, decided about, sent.

use eyre::Result;
use tiller_authoring::{Edit, Finished as Written, edited_source};
use tiller_core::ProgramId;
use tiller_messages::{Approval, Episode, Level, ProposalState, RewardProgram};
use tiller_node_kit::Outbox;
use tiller_reward::Program;
use tiller_vlm::provider::Outcome;
use tiller_vlm::repair::AuthoringStatus;

use super::Node;
use crate::kept::Kept;
use crate::proposals::{Offer, Ruling, proposal_of, unsound};
use crate::waiting::waited;
use crate::writing::Finished;

/// The output for those who decide.
const PROPOSAL: &str = "proposal";

impl Node<'_> {
    /// An author has come to an end.
    pub(super) fn finish(&mut self, finished: Finished, outbox: &mut Outbox) -> Result<()> {
        let Finished {
            written,
            refusal,
            duration,
        } = finished;
        let Written {
            commission,
            authored,
            program,
        } = written;
        let episode = &commission.episode;
        if !self.is_embedded {
            let text = waited(&self.author, &authored, duration);
            outbox.tell(Level::Info, "waited", text)?;
        }
        let (Some(program), Some(written)) = (program, &authored.written) else {
            let (code, text) = match (refusal, authored.cause) {
                (Some(reason), _) => (
                    "refused",
                    format!(
                        "instruction `{}` is not understood: {reason}",
                        episode.instruction
                    ),
                ),
                (None, Some(Outcome::ProgramInvalid | Outcome::NoProgram)) => {
                    ("invalid_program", authored.message.clone())
                }
                (None, _) => ("hold", authored.message.clone()),
            };
            let nothing = RewardProgram {
                source: self.author.clone(),
                ..for_grounding(episode, commission.keypoints.generation)
            };
            let proposal = unsound(&nothing, commission.id, text.clone());
            self.proposals.show(proposal);
            self.show(outbox)?;
            return outbox.tell(Level::Error, code, text);
        };
        if !matches!(
            authored.status,
            AuthoringStatus::Ok | AuthoringStatus::Repaired
        ) {
            let text = authored.message.clone();
            outbox.tell(Level::Warning, authored.status.name(), text)?;
        }
        for remark in &written.program.remarks {
            let code = format!("remark_{}", remark.kind.code().replace('-', "_"));
            outbox.tell(Level::Warning, &code, remark.to_string())?;
        }
        let mut text = format!(
            "`{}`: {} stages by author `{}`",
            program.instruction, program.num_stages, program.source
        );
        if !self.is_embedded {
            let how = authored.status.name();
            let seconds = duration.as_secs_f64();
            text += &format!(" ({how}, {} answers, {seconds:.1} s)", authored.answers);
        }
        let mut diagnostics = remarks(&written.program);
        if authored.status != AuthoringStatus::Ok && !authored.message.is_empty() {
            diagnostics.insert(0, authored.message.clone());
        }
        let proposal = proposal_of(&program, diagnostics, authored.answers);
        let offer = self.proposals.written(proposal, Offer { program, text });
        self.show(outbox)?;
        match offer {
            Some(offer) => self.send_program(offer, outbox),
            None => self.tell_proposed(outbox),
        }
    }

    /// An operator has decided.
    pub(super) fn on_approval(&mut self, approval: Approval, outbox: &mut Outbox) -> Result<()> {
        let reason = match approval.reason.is_empty() {
            true => String::new(),
            false => format!(": {}", approval.reason),
        };
        match self.proposals.decide(approval) {
            Ruling::Send(offer) => {
                self.show(outbox)?;
                let text = format!("an operator approves {}{reason}", offer.program.id);
                outbox.tell(Level::Info, "approved", text)?;
                self.send_program(*offer, outbox)
            }
            Ruling::Refused => {
                self.show(outbox)?;
                let text = format!(
                    "an operator does not approve the program{reason}; the robot stands still"
                );
                outbox.tell(Level::Warning, "not_approved", text)
            }
            Ruling::Propose(text) => self.edit(text, outbox),
            Ruling::Again => {
                self.writing.give_up(self.now_ns)?;
                self.writing.ask_anew();
                self.withdraw(outbox);
                self.begun = None;
                let text = format!("an operator has the program written anew{reason}");
                outbox.tell(Level::Info, "again", text)
            }
            Ruling::Void(why) => {
                let text = format!("an operator's word changes nothing: {why}");
                outbox.tell(Level::Warning, "approval_void", text)
            }
        }
    }

    /// An edited text goes through the same parser, checks and compiler as an author's.
    fn edit(&mut self, text: String, outbox: &mut Outbox) -> Result<()> {
        let (Some(before), Some(episode), Some((_, options))) =
            (self.proposals.newest(), &self.episode, self.begun)
        else {
            return Ok(());
        };
        let (episode, generation) = (episode.clone(), before.generation);
        let source = edited_source(&before.source);
        let edit = Edit {
            id: number(&mut self.programs_numbered, outbox),
            episode: &episode,
            generation,
            source: &source,
            options,
        };
        match edit.compile(&text) {
            Ok((compiled, program)) => {
                let told = format!(
                    "`{}`: {} stages by author `{source}`",
                    program.instruction, program.num_stages
                );
                let proposal = proposal_of(&program, remarks(&compiled), 0);
                let text = told;
                self.proposals.edited(proposal, Offer { program, text });
                self.show(outbox)?;
                self.tell_proposed(outbox)
            }
            Err(refused) => {
                let id = edit.id;
                let like = RewardProgram {
                    source,
                    text,
                    ..for_grounding(&episode, generation)
                };
                let rendered = refused.render(&like.text);
                self.proposals.show(unsound(&like, id, rendered));
                self.show(outbox)?;
                let text = format!("{id} does not compile, as an operator has edited it");
                outbox.tell(Level::Warning, "edit_refused", text)
            }
        }
    }

    /// A program goes to the robot, and is kept for a node that takes over.
    fn send_program(&mut self, offer: Offer, outbox: &mut Outbox) -> Result<()> {
        let Offer { program, text } = offer;
        outbox.latch("reward_program", program.clone())?;
        let kept = self.kept.map_or(Ok(()), |kept: &Kept| kept.write(&program));
        if let Err(error) = kept {
            tracing::warn!("a node that takes over has no program: {error:#}");
        }
        self.program = Some(program);
        tracing::info!("{text}");
        outbox.tell(Level::Info, "program", text)
    }

    /// What goes on after another node was, or is, approved already.
    pub(super) fn show_approved(
        &mut self,
        program: &RewardProgram,
        outbox: &mut Outbox,
    ) -> Result<()> {
        let mut proposal = proposal_of(program, Vec::new(), 0);
        proposal.state = ProposalState::Approved;
        self.proposals.show(proposal);
        self.show(outbox)
    }

    /// What was proposed is void.
    pub(super) fn withdraw(&mut self, outbox: &mut Outbox) {
        self.proposals.clear();
        outbox.unlatch(PROPOSAL);
    }

    fn show(&mut self, outbox: &mut Outbox) -> Result<()> {
        match self.proposals.newest() {
            Some(proposal) => outbox.latch(PROPOSAL, proposal.clone()),
            None => Ok(()),
        }
    }

    fn tell_proposed(&self, outbox: &mut Outbox) -> Result<()> {
        let Some(proposal) = self.proposals.newest() else {
            return Ok(());
        };
        let text = format!(
            "{} by author `{}` waits for an operator's approval; what it would steer stands still meanwhile",
            proposal.id, proposal.source
        );
        outbox.tell(Level::Info, "proposed", text)
    }
}

/// The next program's number. Larger than those of all programs before, of a start before this one too.
pub(super) fn number(numbered: &mut u64, outbox: &Outbox) -> ProgramId {
    *numbered += 1;
    ProgramId(outbox.session() + *numbered)
}

/// What is doubtful about a program, for people.
fn remarks(program: &Program) -> Vec<String> {
    program.remarks.iter().map(ToString::to_string).collect()
}

/// No program yet, for a grounding of the episode.
fn for_grounding(episode: &Episode, generation: u32) -> RewardProgram {
    RewardProgram {
        episode: episode.id,
        generation,
        instruction: episode.instruction.clone(),
        ..Default::default()
    }
}
