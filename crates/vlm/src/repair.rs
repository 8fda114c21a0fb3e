//! From a model's answers to a checked program: mistakes go back to the model, a bounded number of
//! times, and then something else happens that has a name.
//!
//! [`Authoring`] is a state machine without network or clock. It says what to ask, is told what
//! came, and ends in an [`Authored`] in every case.

use std::sync::Arc;

use tiller_reward::{CompileOptions, Diagnostics, Kind, Program, compile};

use crate::author::{Author, AuthorRequest};
use crate::prompt::PromptSet;
use crate::provider::{Outcome, Picture, ProviderError, Purpose, Query, Reply, Role, Turn};

/// Bytes of mistakes with their source lines that go back; more goes back in short form.
const MAX_RENDERED: usize = 6000;
/// Bytes of a refused answer that go back.
const MAX_ANSWER: usize = 32 * 1024;

/// A program that steers nothing: the policy does what it likes.
const UNSTEERED: &str = "num_stages = 1\n\n# Stage 1: unsteered\ndef stage1_guidance(keypoints, action_sequence):\n    return 0\n";

/// What happens when no model has written a sound program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fallback {
    /// The embedded author writes one; if it does not understand the instruction, as `Hold`.
    Embedded,
    /// The policy runs without steering.
    Unsteered,
    /// The robot holds still.
    Hold,
}

impl Fallback {
    /// As settings name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Fallback::Embedded => "embedded",
            Fallback::Unsteered => "unsteered",
            Fallback::Hold => "hold",
        }
    }
}

/// How a program came about. [`AuthoringStatus::name`] is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuthoringStatus {
    /// The first answer was sound.
    Ok,
    /// A later answer was sound.
    Repaired,
    /// The embedded author wrote the program.
    FallbackEmbedded,
    /// There is no steering.
    FallbackUnsteered,
    /// There is no program, and the robot holds still.
    FallbackHold,
}

impl AuthoringStatus {
    /// A stable snake-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            AuthoringStatus::Ok => "ok",
            AuthoringStatus::Repaired => "repaired",
            AuthoringStatus::FallbackEmbedded => "fallback_embedded",
            AuthoringStatus::FallbackUnsteered => "fallback_unsteered",
            AuthoringStatus::FallbackHold => "fallback_hold",
        }
    }
}

/// A program that has passed every check.
#[derive(Debug, Clone)]
pub struct Written {
    /// The answer as it came.
    pub text: String,
    /// Who wrote it, such as `openai/gpt-5-mini` or `embedded`.
    pub source: String,
    /// The compiled program, with what is remarked about it.
    pub program: Program,
}

/// The end of the matter.
#[derive(Debug, Clone)]
pub struct Authored {
    /// How it came about.
    pub status: AuthoringStatus,
    /// The program; `None` means to hold still.
    pub written: Option<Written>,
    /// What went wrong last, if anything did.
    pub cause: Option<Outcome>,
    /// Status and reasons in words, for people.
    pub message: String,
    /// Answers of the model that were judged.
    pub answers: u32,
}

/// What a program is needed for.
#[derive(Debug, Clone)]
pub struct AuthoringTask {
    /// Instruction and keypoints.
    pub request: AuthorRequest,
    /// The annotated picture.
    pub picture: Option<Picture>,
    /// What the program is compiled for.
    pub options: CompileOptions,
    /// Who is asked, for the program's `source`.
    pub source: String,
    /// Who writes the program under [`Fallback::Embedded`].
    pub embedded: Option<Arc<dyn Author>>,
}

/// How often, and what then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuthoringPolicy {
    /// Further answers that a model may give after its first one.
    pub max_repairs: u32,
    /// What happens when none is sound.
    pub fallback: Fallback,
}

/// What to do next.
#[derive(Debug)]
pub enum Step {
    /// Ask the model, and tell [`Authoring::take`] what came.
    Ask(Box<Authoring>, Query),
    /// It is over.
    Done(Authored),
}

/// The way to a program.
#[derive(Debug)]
pub struct Authoring {
    prompts: Arc<PromptSet>,
    task: AuthoringTask,
    policy: AuthoringPolicy,
    system: String,
    question: String,
    answers: u32,
    /// A program that can be run, about which its author was asked again.
    doubted: Option<Doubted>,
}

/// A sound answer with remarks, and how many answers there were then.
#[derive(Debug)]
struct Doubted {
    reply: Reply,
    program: Program,
    answers: u32,
}

impl Authoring {
    /// Begins with the first question.
    #[must_use]
    pub fn begin(prompts: Arc<PromptSet>, task: AuthoringTask, policy: AuthoringPolicy) -> Step {
        let authoring = Self::new(prompts, task, policy);
        let turns = vec![user(&authoring.question)];
        authoring.ask(Purpose::Reward, turns)
    }

    /// Begins with an answer that is there already, such as one that was sound for another number of
    /// trajectory points: what no longer fits goes back to its author like any other mistake.
    #[must_use]
    pub fn resume(
        prompts: Arc<PromptSet>,
        task: AuthoringTask,
        policy: AuthoringPolicy,
        answer: Reply,
    ) -> Step {
        Self::new(prompts, task, policy).take(Ok(answer))
    }

    fn new(prompts: Arc<PromptSet>, task: AuthoringTask, policy: AuthoringPolicy) -> Box<Self> {
        let request = &task.request;
        let (system, question) =
            prompts.reward(&request.instruction, &request.keypoints, &task.options);
        Box::new(Self {
            prompts,
            task,
            policy,
            system,
            question,
            answers: 0,
            doubted: None,
        })
    }

    fn ask(self: Box<Self>, purpose: Purpose, turns: Vec<Turn>) -> Step {
        let query = Query {
            purpose,
            system: self.system.clone(),
            turns,
            picture: self.task.picture.clone(),
            scene: Some(self.task.request.clone()),
        };
        Step::Ask(self, query)
    }

    /// Judges what came.
    #[must_use]
    pub fn take(mut self: Box<Self>, result: Result<Reply, ProviderError>) -> Step {
        self.answers += 1;
        let left = (self.policy.max_repairs + 1).saturating_sub(self.answers);
        if let Some(doubted) = self.doubted.take() {
            return Step::Done(self.settle(doubted, result));
        }
        let reply = match result {
            Ok(reply) => reply,
            Err(error) if error.outcome == Outcome::Truncated && left > 0 => {
                let turns = vec![user(&self.prompts.shorten(&self.question))];
                return self.ask(Purpose::Repair, turns);
            }
            Err(error) => return Step::Done(self.fall_back(error.outcome, &error.to_string())),
        };
        let diagnostics = match compile(&reply.text, &self.task.options) {
            Ok(program) if left > 0 && has_likely_slip(&program) => {
                return self.ask_again(reply, program, left - 1);
            }
            Ok(program) => return Step::Done(self.finish(reply, program)),
            Err(diagnostics) => diagnostics,
        };
        if left > 0 {
            let told = told(&diagnostics, &reply.text);
            let turns = self.conversation(&reply, &self.prompts.repair(&told, left - 1));
            return self.ask(Purpose::Repair, turns);
        }
        let outcome = verdict(&diagnostics, &reply.text);
        let text = format!(
            "{}: {} answers of {} were not sound; {}. The last one:\n{}",
            outcome.name(),
            self.answers,
            self.task.source,
            outcome.advice(),
            told(&diagnostics, &reply.text).trim_end()
        );
        Step::Done(self.fall_back(outcome, &text))
    }

    /// The first question, the last answer, and what is said about it: it does not grow.
    fn conversation(&self, reply: &Reply, said: &str) -> Vec<Turn> {
        vec![
            user(&self.question),
            Turn {
                role: Role::Model,
                text: cut(&reply.text, MAX_ANSWER).to_owned(),
            },
            user(said),
        ]
    }

    /// Asks once whether what is remarked was meant. The program is taken in any case.
    fn ask_again(mut self: Box<Self>, reply: Reply, program: Program, left: u32) -> Step {
        let remarks = Diagnostics {
            items: program.remarks.clone(),
        };
        let said = self.prompts.doubt(&told(&remarks, &reply.text), left);
        let turns = self.conversation(&reply, &said);
        self.doubted = Some(Doubted {
            reply,
            program,
            answers: self.answers,
        });
        self.ask(Purpose::Repair, turns)
    }

    /// Takes the second thought if it can be run, else the first program.
    fn settle(mut self, doubted: Doubted, result: Result<Reply, ProviderError>) -> Authored {
        let second = result.ok().and_then(|reply| {
            let program = compile(&reply.text, &self.task.options).ok()?;
            Some((reply, program))
        });
        match second {
            Some((reply, program)) => self.finish(reply, program),
            None => {
                self.answers = doubted.answers;
                self.finish(doubted.reply, doubted.program)
            }
        }
    }

    fn finish(self, reply: Reply, program: Program) -> Authored {
        let status = match self.answers {
            1 => AuthoringStatus::Ok,
            _ => AuthoringStatus::Repaired,
        };
        let mut message = format!(
            "{}: {} stages by {} in answer {}",
            status.name(),
            program.stages.len(),
            self.task.source,
            self.answers
        );
        for remark in &program.remarks {
            message.push_str(&format!("\n{remark}"));
        }
        Authored {
            status,
            written: Some(Written {
                text: reply.text,
                source: self.task.source,
                program,
            }),
            cause: None,
            message,
            answers: self.answers,
        }
    }

    fn fall_back(&self, cause: Outcome, reason: &str) -> Authored {
        let done = |status: AuthoringStatus, written, more: &str| Authored {
            status,
            written,
            cause: Some(cause),
            message: format!("{}: {more}{reason}", status.name()),
            answers: self.answers,
        };
        let sound = |text: &str, source: &str| {
            compile(text, &self.task.options)
                .ok()
                .map(|program| Written {
                    text: text.to_owned(),
                    source: source.to_owned(),
                    program,
                })
        };
        let hold = |more: &str| done(AuthoringStatus::FallbackHold, None, more);
        match self.policy.fallback {
            Fallback::Hold => hold(""),
            Fallback::Unsteered => match sound(UNSTEERED, "unsteered") {
                Some(written) => done(AuthoringStatus::FallbackUnsteered, Some(written), ""),
                None => hold("the unsteered program does not fit; "),
            },
            Fallback::Embedded => match self
                .task
                .embedded
                .as_ref()
                .map(|author| author.author(&self.task.request))
            {
                None => hold("there is no embedded author to fall back on; "),
                Some(Err(error)) => hold(&format!(
                    "the embedded author does not help either: {error}; "
                )),
                Some(Ok(answer)) => match sound(&answer.text, &answer.source) {
                    Some(written) => done(AuthoringStatus::FallbackEmbedded, Some(written), ""),
                    None => hold("the embedded author's program does not fit; "),
                },
            },
        }
    }
}

/// Whether something in a program is more likely a slip than meant.
fn has_likely_slip(program: &Program) -> bool {
    let mut remarks = program.remarks.iter();
    remarks.any(|remark| remark.kind.is_likely_slip())
}

fn user(text: &str) -> Turn {
    Turn {
        role: Role::User,
        text: text.to_owned(),
    }
}

/// The mistakes with their source lines, or in short form if that is too long.
fn told(diagnostics: &Diagnostics, text: &str) -> String {
    let rendered = diagnostics.render(text);
    if rendered.len() > MAX_RENDERED {
        diagnostics.to_string()
    } else {
        rendered
    }
}

/// What an answer that does not compile is called.
pub fn verdict(diagnostics: &Diagnostics, text: &str) -> Outcome {
    let has_program = diagnostics
        .items
        .iter()
        .all(|item| item.kind != Kind::NoProgram);
    if has_program {
        Outcome::ProgramInvalid
    } else if reads_as_refusal(text) {
        Outcome::RefusedByModel
    } else {
        Outcome::NoProgram
    }
}

/// Whether an answer without a program begins as models begin when they decline.
fn reads_as_refusal(text: &str) -> bool {
    const WORDS: [&str; 9] = [
        "i can't",
        "i cannot",
        "i can not",
        "i'm sorry",
        "i am sorry",
        "i'm unable",
        "i am unable",
        "i won't",
        "i'm not able",
    ];
    let start: String = text.chars().take(200).collect();
    let start = start.to_lowercase().replace('\u{2019}', "'");
    WORDS.iter().any(|words| start.contains(words))
}

/// At most `limit` bytes of a text.
fn cut(text: &str, limit: usize) -> &str {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests;
