//! The way of a program, step by step.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tiller_closed_loop::{compile_options, program_message};
use tiller_core::ProgramId;
use tiller_messages::{Episode, Keypoints, ProgramContract, RewardProgram};
use tiller_reward::CompileOptions;
use tiller_vlm::exchange::question_sha256;
use tiller_vlm::prompt::PromptSet;
use tiller_vlm::provider::{Outcome, Picture, ProviderError, Query, Reply};
use tiller_vlm::repair::{Authored, Authoring, AuthoringPolicy, AuthoringTask, Step};
use tiller_vlm::{Author, AuthorRequest};

use crate::scene;

/// What a program is written from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Commission {
    /// The number that the program gets.
    pub id: ProgramId,
    /// Whose instruction it follows.
    pub episode: Episode,
    /// What it is about.
    pub keypoints: Keypoints,
    /// What it is compiled for.
    pub contract: ProgramContract,
    /// Stamp of the annotated picture that its author sees, ns; none where it sees none.
    pub picture_ns: Option<u64>,
}

impl Commission {
    /// What the program is compiled for.
    #[must_use]
    pub fn options(&self) -> CompileOptions {
        compile_options(&self.contract, self.keypoints.names.len())
    }
}

/// What came of a question, as journals hold it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answered {
    /// An answer.
    Reply(Reply),
    /// None.
    Failed {
        /// Why, by name.
        outcome: String,
        /// What happened.
        detail: String,
    },
}

impl Answered {
    /// As a journal holds it.
    #[must_use]
    pub fn of(result: &Result<Reply, ProviderError>) -> Self {
        match result {
            Ok(reply) => Self::Reply(reply.clone()),
            Err(error) => Self::Failed {
                outcome: error.outcome.name().to_owned(),
                detail: error.detail.clone(),
            },
        }
    }

    /// As it was. A failure whose name is not known is one of the server's.
    ///
    /// # Errors
    /// The failure, where there was no answer.
    pub fn result(self) -> Result<Reply, ProviderError> {
        match self {
            Self::Reply(reply) => Ok(reply),
            Self::Failed { outcome, detail } => {
                let outcome = Outcome::from_name(&outcome).unwrap_or(Outcome::ServerError);
                Err(ProviderError::new(outcome, detail))
            }
        }
    }
}

/// What a desk is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum DeskEvent {
    /// A program is needed.
    Begin(Box<Commission>),
    /// What came of the question under way.
    Answer(Answered),
    /// The program under way is needed no more.
    GivenUp,
}

/// What a desk says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum DeskEffect {
    /// A question.
    Ask {
        /// SHA-256 over words and picture, see [`question_sha256`].
        question_sha256: String,
    },
    /// A program. Session and number are those of no message.
    Program(Box<RewardProgram>),
    /// There is no program.
    Nothing {
        /// How it ended, by name.
        status: String,
        /// The whole story.
        message: String,
    },
}

/// What to do next.
#[derive(Debug)]
pub enum Next {
    /// Ask, and tell [`Desk::answer`] what came.
    Ask(Query),
    /// It is over.
    Done(Box<Finished>),
}

impl Next {
    /// As a journal holds it.
    #[must_use]
    pub fn effect(&self) -> DeskEffect {
        match self {
            Self::Ask(query) => DeskEffect::Ask {
                question_sha256: question_sha256(query),
            },
            Self::Done(finished) => match &finished.program {
                Some(program) => DeskEffect::Program(Box::new(program.clone())),
                None => DeskEffect::Nothing {
                    status: finished.authored.status.name().to_owned(),
                    message: finished.authored.message.clone(),
                },
            },
        }
    }
}

/// The end of the matter.
#[derive(Debug)]
pub struct Finished {
    /// What was to be written from.
    pub commission: Commission,
    /// How it came about.
    pub authored: Authored,
    /// The message; none where there is no program.
    pub program: Option<RewardProgram>,
}

/// Where programs are written, one at a time.
#[derive(Debug)]
pub struct Desk {
    prompts: Arc<PromptSet>,
    policy: AuthoringPolicy,
    source: String,
    embedded: Arc<dyn Author>,
    under_way: Option<(Box<Authoring>, Commission)>,
}

impl Desk {
    /// A desk at which `source` is asked, and `embedded` stands by.
    #[must_use]
    pub fn new(
        prompts: Arc<PromptSet>,
        policy: AuthoringPolicy,
        source: String,
        embedded: Arc<dyn Author>,
    ) -> Self {
        Self {
            prompts,
            policy,
            source,
            embedded,
            under_way: None,
        }
    }

    /// Whether a program is under way.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.under_way.is_some()
    }

    /// Begins a program; one under way is given up.
    pub fn begin(&mut self, commission: Commission, picture: Option<Picture>) -> Next {
        let options = commission.options();
        let task = AuthoringTask {
            request: AuthorRequest {
                hand: options.hand,
                instruction: commission.episode.instruction.clone(),
                keypoints: scene(&commission.keypoints),
            },
            picture,
            options,
            source: self.source.clone(),
            embedded: Some(self.embedded.clone()),
        };
        let step = Authoring::begin(self.prompts.clone(), task, self.policy);
        self.go_on(step, commission)
    }

    /// Judges what came of the question under way; nothing where none is.
    pub fn answer(&mut self, result: Result<Reply, ProviderError>) -> Option<Next> {
        let (authoring, commission) = self.under_way.take()?;
        Some(self.go_on(authoring.take(result), commission))
    }

    /// Nothing will come of what is under way.
    pub fn give_up(&mut self) {
        self.under_way = None;
    }

    fn go_on(&mut self, step: Step, commission: Commission) -> Next {
        match step {
            Step::Ask(authoring, query) => {
                self.under_way = Some((authoring, commission));
                Next::Ask(query)
            }
            Step::Done(authored) => {
                self.under_way = None;
                let points = commission.contract.points as usize;
                let program = authored.written.as_ref().map(|written| RewardProgram {
                    id: commission.id,
                    episode: commission.episode.id,
                    generation: commission.keypoints.generation,
                    instruction: commission.episode.instruction.clone(),
                    ..program_message(&written.program, &written.text, &written.source, points)
                });
                Next::Done(Box::new(Finished {
                    commission,
                    authored,
                    program,
                }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tiller_core::EpisodeId;
    use tiller_vlm::repair::Fallback;
    use tiller_vlm::{Answer, AuthorError};

    use super::*;

    #[derive(Debug)]
    struct Sage;

    const TEXT: &str = "num_stages = 1\n\n# Stage 1: go there\ndef stage1_guidance(keypoints, action_sequence):\n    return -torch.norm(action_sequence - keypoints[0], dim=-1).mean()\n";

    impl Author for Sage {
        fn author(&self, _request: &AuthorRequest) -> Result<Answer, AuthorError> {
            Ok(Answer {
                text: TEXT.to_owned(),
                source: "embedded".to_owned(),
                understood: None,
            })
        }
    }

    fn commission() -> Commission {
        Commission {
            id: ProgramId(9),
            episode: Episode {
                id: EpisodeId(3),
                instruction: "go there".to_owned(),
                ..Episode::default()
            },
            keypoints: Keypoints {
                generation: 2,
                names: vec!["there".to_owned()],
                xyz_m: vec![0.4, 0.0, 0.1],
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

    fn desk(fallback: Fallback) -> Desk {
        let policy = AuthoringPolicy {
            max_repairs: 1,
            fallback,
        };
        let prompts = Arc::new(PromptSet::built_in());
        Desk::new(prompts, policy, "a/model".to_owned(), Arc::new(Sage))
    }

    fn reply(text: &str) -> Result<Reply, ProviderError> {
        Ok(Reply {
            text: text.to_owned(),
            model: String::new(),
            usage: tiller_vlm::provider::Usage::default(),
        })
    }

    #[test]
    fn a_program_says_what_it_is_for() {
        let mut desk = desk(Fallback::Hold);
        let Next::Ask(first) = desk.begin(commission(), None) else {
            panic!("a model is asked");
        };
        let Some(Next::Ask(second)) = desk.answer(reply("num_stages = 1")) else {
            panic!("what is not sound goes back");
        };
        assert_ne!(question_sha256(&first), question_sha256(&second));
        let done = desk.answer(reply(TEXT)).unwrap();
        let DeskEffect::Program(program) = done.effect() else {
            panic!("{done:?}");
        };
        let of = (program.id, program.episode, program.generation);
        assert_eq!(of, (ProgramId(9), EpisodeId(3), 2));
        let said = (program.source.as_str(), program.instruction.as_str());
        assert_eq!(said, ("a/model", "go there"));
        assert_eq!(
            (program.points, program.descriptions),
            (17, vec!["go there".to_owned()])
        );
        assert!(!desk.is_under_way() && desk.answer(reply(TEXT)).is_none());
    }

    #[test]
    fn failures_come_back_from_a_journal_as_they_were() {
        let error = ProviderError::new(Outcome::Overloaded, "no room");
        for fallback in [Fallback::Hold, Fallback::Embedded] {
            let effects = [
                Err(error.clone()),
                Answered::of(&Err(error.clone())).result(),
            ]
            .map(|result| {
                let mut desk = desk(fallback);
                desk.begin(commission(), None);
                desk.answer(result).unwrap().effect()
            });
            assert_eq!(effects[0], effects[1]);
            match (&effects[0], fallback) {
                (DeskEffect::Nothing { status, message }, Fallback::Hold) => {
                    assert_eq!(status, "fallback_hold");
                    assert!(message.contains("no room"), "{message}");
                }
                (DeskEffect::Program(program), _) => assert_eq!(program.source, "embedded"),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn what_is_given_up_takes_no_answer() {
        let mut desk = desk(Fallback::Hold);
        desk.begin(commission(), None);
        assert!(desk.is_under_way());
        desk.give_up();
        assert!(desk.answer(reply(TEXT)).is_none());
    }
}
