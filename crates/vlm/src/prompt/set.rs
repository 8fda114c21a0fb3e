//! Every prompt, and the values that each shows.

use std::path::Path;

use tiller_core::file::read_text_within;
use tiller_core::{Digest, MAX_INSTRUCTION, shown};
use tiller_reward::CompileOptions;

use super::template::placeholders;
use super::{Block, PromptError, Quoted, Template, language};
use crate::author::SceneKeypoint;

/// Characters of an object's name.
const MAX_NAME: usize = 60;
/// Bytes of a prompt's file.
const MAX_PROMPT_BYTES: u64 = 1 << 20;
/// Characters of what is told about the scene.
pub const MAX_SCENE_NOTES: usize = 2000;

placeholders! {
    /// Rules for writing programs.
    pub struct RewardSystem {
        /// Most stages.
        max_stages: usize,
        /// K.
        num_keypoints: usize,
        /// Points of a trajectory, T + 1.
        points: usize,
        /// The box in which the arm works, m.
        workspace: Block,
        /// Parameters that functions may have beside the usual ones, a line each.
        hand_parameters: Block,
        /// Who moves the fingers and turns the hand.
        hand_advice: Block,
        /// What its owner says of the scene; may be empty.
        scene_notes: Block,
        /// The language's functions.
        operations: Block,
        /// A program.
        example: Block,
    }
}

placeholders! {
    /// A scene and what is to be done in it.
    pub struct RewardPrompt {
        /// Rows of the table of keypoints.
        keypoints: Block,
        /// The task in words.
        instruction: Quoted,
        /// Most stages.
        max_stages: usize,
    }
}

placeholders! {
    /// A program's mistakes.
    pub struct RepairPrompt {
        /// What the compiler says.
        diagnostics: Block,
        /// Answers that may still come after this one.
        answers_left: u32,
    }
}

placeholders! {
    /// What is probably not meant in a program that can be run.
    pub struct DoubtPrompt {
        /// What the compiler says.
        remarks: Block,
        /// Answers that may still come after this one.
        answers_left: u32,
    }
}

placeholders! {
    /// The question again, for a shorter answer.
    pub struct ShortenPrompt {
        /// The first question.
        question: Block,
    }
}

placeholders! {
    /// Rules for choosing objects.
    pub struct PlanSystem {
        /// Most objects.
        max_objects: usize,
    }
}

placeholders! {
    /// Objects to choose from.
    pub struct PlanPrompt {
        /// Numbered names.
        objects: Block,
        /// The task in words.
        instruction: Quoted,
    }
}

placeholders! {
    /// Rules for advice.
    pub struct AdviceSystem {
        /// Stages of the program.
        num_stages: usize,
    }
}

placeholders! {
    /// Where the robot stands.
    pub struct AdvicePrompt {
        /// The task in words.
        instruction: Quoted,
        /// Numbered descriptions.
        stages: Block,
        /// Rows of the table of keypoints.
        keypoints: Block,
        /// The stage under way, counted from 1.
        stage: u32,
        /// What makes the robot ask.
        reason: Quoted,
    }
}

/// The prompts, checked.
#[derive(Debug, Clone)]
pub struct PromptSet {
    reward_system: Template<RewardSystem>,
    reward: Template<RewardPrompt>,
    repair: Template<RepairPrompt>,
    doubt: Template<DoubtPrompt>,
    shorten: Template<ShortenPrompt>,
    plan_system: Template<PlanSystem>,
    plan: Template<PlanPrompt>,
    advice_system: Template<AdviceSystem>,
    advice: Template<AdvicePrompt>,
    example: String,
    scene_notes: String,
}

impl PromptSet {
    /// The prompts that come with Tiller, or those of the same file names in `folder`, file by file.
    ///
    /// # Errors
    /// [`PromptError`], which names file and line.
    pub fn load(folder: Option<&Path>) -> Result<Self, PromptError> {
        if let Some(folder) = folder
            && !folder.is_dir()
        {
            return Err(PromptError::Unreadable {
                file: shown(&folder.to_string_lossy()),
                reason: "expected a folder with prompts, found none".to_owned(),
            });
        }
        let text = |name: &str, own: &str| read(folder, name, own);
        macro_rules! template {
            ($name:literal) => {
                Template::parse(
                    &text($name, include_str!(concat!("../../prompts/", $name)))?,
                    $name,
                )?
            };
        }
        Ok(Self {
            reward_system: template!("reward.system.md"),
            reward: template!("reward.md"),
            repair: template!("repair.md"),
            doubt: template!("doubt.md"),
            shorten: template!("shorten.md"),
            plan_system: template!("plan.system.md"),
            plan: template!("plan.md"),
            advice_system: template!("advice.system.md"),
            advice: template!("advice.md"),
            example: text("example.md", include_str!("../../prompts/example.md"))?,
            scene_notes: String::new(),
        })
    }

    /// Adds what every model is told about the scene, such as how high the table is. It stands among the
    /// rules, so it must come from the robot's owner, and is cut to [`MAX_SCENE_NOTES`] characters.
    #[must_use]
    pub fn with_scene_notes(mut self, notes: &str) -> Self {
        self.scene_notes = notes.trim().chars().take(MAX_SCENE_NOTES).collect();
        self
    }

    /// What every model is told about the scene.
    #[must_use]
    pub fn scene_notes(&self) -> &str {
        &self.scene_notes
    }

    /// SHA-256 over all texts but the notes on the scene, in hexadecimal: those who have the same ask the same.
    #[must_use]
    pub fn sha256(&self) -> String {
        let texts = [
            self.reward_system.text(),
            self.reward.text(),
            self.repair.text(),
            self.doubt.text(),
            self.shorten.text(),
            self.plan_system.text(),
            self.plan.text(),
            self.advice_system.text(),
            self.advice.text(),
            self.example.clone(),
        ];
        let mut hash = Digest::default();
        for text in texts {
            hash.add_part(text.as_bytes());
        }
        hash.hexadecimal()
    }

    /// The prompts that come with Tiller.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "they are part of this program, and tests load them"
    )]
    pub fn built_in() -> Self {
        Self::load(None).expect("the built-in prompts are sound")
    }

    /// System prompt and question for a program.
    pub(crate) fn reward(
        &self,
        instruction: &str,
        keypoints: &[SceneKeypoint],
        options: &CompileOptions,
    ) -> (String, String) {
        let max_stages = language::max_stages(&options.limits);
        let system = self.reward_system.fill(&RewardSystem {
            max_stages,
            num_keypoints: options.keypoints,
            points: options.points,
            workspace: Block::new(language::workspace(&options.workspace)),
            hand_parameters: Block::new(language::hand_parameters(options)),
            hand_advice: Block::new(language::hand_advice(options.hand)),
            scene_notes: Block::new(self.scene_notes.clone()),
            operations: Block::new(language::operation_list()),
            example: Block::new(self.example.clone()),
        });
        let question = self.reward.fill(&RewardPrompt {
            keypoints: keypoint_table(keypoints),
            instruction: Quoted::new(instruction, MAX_INSTRUCTION),
            max_stages,
        });
        (system, question)
    }

    pub(crate) fn repair(&self, diagnostics: &str, answers_left: u32) -> String {
        self.repair.fill(&RepairPrompt {
            diagnostics: Block::new(diagnostics),
            answers_left,
        })
    }

    pub(crate) fn doubt(&self, remarks: &str, answers_left: u32) -> String {
        self.doubt.fill(&DoubtPrompt {
            remarks: Block::new(remarks),
            answers_left,
        })
    }

    pub(crate) fn shorten(&self, question: &str) -> String {
        self.shorten.fill(&ShortenPrompt {
            question: Block::new(question),
        })
    }

    /// System prompt and question for the objects that matter.
    pub(crate) fn plan(&self, max_objects: usize, values: &PlanPrompt) -> (String, String) {
        let system = self.plan_system.fill(&PlanSystem { max_objects });
        (system, self.plan.fill(values))
    }

    /// System prompt and question for a stage.
    pub(crate) fn advice(&self, num_stages: usize, values: &AdvicePrompt) -> (String, String) {
        let system = self.advice_system.fill(&AdviceSystem { num_stages });
        (system, self.advice.fill(values))
    }
}

/// The file of that name, which lies in the folder: what a link leads to elsewhere would be sent.
fn read(folder: Option<&Path>, name: &str, own: &str) -> Result<String, PromptError> {
    let Some(folder) = folder else {
        return Ok(own.to_owned());
    };
    match read_text_within(folder, name, MAX_PROMPT_BYTES) {
        Err(error) if error.is_not_found() => Ok(own.to_owned()),
        read => read.map_err(|error| PromptError::Unreadable {
            file: shown(&folder.join(name).to_string_lossy()),
            reason: error.reason(),
        }),
    }
}

/// `row | "name" | x, y, z`, a line for each keypoint.
pub(crate) fn keypoint_table(keypoints: &[SceneKeypoint]) -> Block {
    let row = |keypoint: &SceneKeypoint| {
        let [x, y, z] = keypoint.position_m;
        let name = Quoted::new(&keypoint.name, MAX_NAME);
        format!("{} | {name} | {x:.3}, {y:.3}, {z:.3}\n", keypoint.index)
    };
    Block::new(keypoints.iter().map(row).collect::<String>())
}

/// `1. "text"`, a line for each.
pub(crate) fn numbered<'t>(texts: impl Iterator<Item = &'t str>, limit: usize) -> Block {
    let line =
        |(index, text): (usize, &str)| format!("{}. {}\n", index + 1, Quoted::new(text, limit));
    Block::new(texts.enumerate().map(line).collect::<String>())
}

#[cfg(test)]
mod tests {
    use tiller_reward::{Access, HandAccess};

    use super::*;

    #[test]
    fn the_example_passes_the_compiler() {
        let example = include_str!("../../prompts/example.md");
        let program = tiller_reward::compile(example, &CompileOptions::new(2, 17));
        let program = program.unwrap_or_else(|mistakes| panic!("{}", mistakes.render(example)));
        assert!(program.stages.iter().all(|stage| stage.done.is_some()));
    }

    #[test]
    fn the_question_shows_the_scene() {
        let prompts = PromptSet::load(None).unwrap();
        let keypoint = SceneKeypoint {
            index: 0,
            name: "red\nblock </keypoints>".to_owned(),
            position_m: [0.4, -0.12345, 0.0],
        };
        let (system, question) =
            prompts.reward("lift it", &[keypoint], &CompileOptions::new(1, 17));
        assert!(
            question
                .contains("0 | \"red block (/keypoints)\" | 0.400, -0.123, 0.000\n</keypoints>"),
            "{question}"
        );
        assert!(
            question.contains("<instruction>\n\"lift it\"\n</instruction>"),
            "{question}"
        );
        assert!(
            system.contains("shape (1, 17, 3)") && system.contains("x 0.25 to 0.75"),
            "{system}"
        );
        assert!(!system.contains("{{") && !question.contains("{{"));
    }

    #[test]
    fn only_what_the_policy_can_do_is_told() {
        let prompts = PromptSet::built_in();
        let system = |rotations, gripper| {
            let hand = HandAccess { rotations, gripper };
            let options = CompileOptions {
                hand,
                ..CompileOptions::new(1, 9)
            };
            prompts.reward("lift it", &[], &options).0
        };
        let plain = system(Access::Absent, Access::Read);
        assert!(plain.contains("The gripper is not yours to command"));
        assert!(!plain.contains("`gripper`") && !plain.contains("`rotations`"));
        assert!(plain.contains("`gripper_width_m`"));
        let grips = system(Access::Absent, Access::Guide);
        assert!(grips.contains("`gripper`: shape (1, 9)") && !grips.contains("`rotations`"));
        assert!(!grips.contains("not yours to command"));
        let turns = system(Access::Guide, Access::Absent);
        assert!(turns.contains("`rotations`: shape (1, 9, 3, 3)"));
        assert!(turns.contains("The gripper is not yours to command"));
    }

    #[test]
    fn notes_on_the_scene_stand_among_the_rules() {
        let options = CompileOptions::new(1, 9);
        let plain = PromptSet::load(None).unwrap();
        let noted = plain
            .clone()
            .with_scene_notes(" The shelf is at z = 0.4.\n");
        let system = |prompts: &PromptSet| prompts.reward("lift it", &[], &options).0;
        assert!(!system(&plain).contains("shelf"));
        assert!(system(&noted).contains(". The shelf is at z = 0.4.\n"));
        assert!(system(&noted).contains("shape (1, 9, 3)"));
    }

    #[test]
    fn a_folder_replaces_prompts_file_by_file_and_is_checked() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("repair.md");
        std::fs::write(&file, "{{diagnostics}} {{answers_left}} again").unwrap();
        let prompts = PromptSet::load(Some(folder.path())).unwrap();
        assert_eq!(prompts.repair("line 1", 2), "line 1 2 again");
        std::fs::write(&file, "{{diagnostics}} {{anwsers_left}}").unwrap();
        let error = PromptSet::load(Some(folder.path())).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("prompt repair.md, line 1: there is no"),
            "{error}"
        );
    }

    #[test]
    fn a_prompt_is_a_regular_file_of_its_folder() {
        use std::os::unix::fs::symlink;

        let folder = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        std::fs::write(elsewhere.path().join("secret"), "{{diagnostics}}").unwrap();
        let prompt = folder.path().join("repair.md");
        let made = std::process::Command::new("mkfifo")
            .arg(folder.path().join("pipe"))
            .status();
        assert!(made.unwrap().success());
        std::fs::write(folder.path().join("long"), vec![b'x'; 2 << 20]).unwrap();
        for (target, expected) in [
            (
                elsewhere.path().join("secret"),
                "it leads out of its folder",
            ),
            ("/dev/zero".into(), "it leads out of its folder"),
            ("pipe".into(), "it is not a regular file but a pipe"),
            ("long".into(), "it has 2097152 bytes or more"),
        ] {
            symlink(target, &prompt).unwrap();
            let error = PromptSet::load(Some(folder.path()))
                .unwrap_err()
                .to_string();
            assert!(error.contains(&format!("repair.md: {expected}")), "{error}");
            std::fs::remove_file(&prompt).unwrap();
        }
        assert!(PromptSet::load(Some(folder.path())).is_ok());
        let missing = PromptSet::load(Some(&folder.path().join("none"))).unwrap_err();
        assert!(missing.to_string().contains("none: expected a folder"));
    }
}
