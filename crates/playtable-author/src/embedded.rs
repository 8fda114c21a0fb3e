//! The author that needs no network.

use tiller_core::{MAX_INSTRUCTION, clip};
use tiller_vlm::{Answer, Author, AuthorError, AuthorRequest};

use crate::hard;
use crate::recipes;
use crate::scene::Scene;
use crate::understand::{Goal, TaskSpec, parse};

/// Understands a small English and knows a recipe for every goal in it.
#[derive(Debug, Clone, Copy, Default)]
pub struct EmbeddedAuthor;

impl EmbeddedAuthor {
    /// Understands an instruction that asks for one thing, without writing a program.
    ///
    /// # Errors
    /// As [`Author::author`], and [`AuthorError::SeveralTasks`] when it chains several.
    pub fn understand(&self, request: &AuthorRequest) -> Result<Goal, AuthorError> {
        let mut goals = self.understand_all(request)?.goals;
        match goals.pop() {
            Some(goal) if goals.is_empty() => Ok(goal),
            last => Err(AuthorError::SeveralTasks {
                instruction: clip(&request.instruction, MAX_INSTRUCTION).into_owned(),
                found: goals.iter().chain(&last).map(Goal::to_string).collect(),
            }),
        }
    }

    /// Understands an instruction without writing a program: its goals, first things first, and what
    /// must not be touched.
    ///
    /// # Errors
    /// As [`Author::author`].
    pub fn understand_all(&self, request: &AuthorRequest) -> Result<TaskSpec, AuthorError> {
        parse(&request.instruction, &Scene::new(&request.keypoints)?)
    }
}

impl Author for EmbeddedAuthor {
    fn author(&self, request: &AuthorRequest) -> Result<Answer, AuthorError> {
        let scene = Scene::new(&request.keypoints)?;
        if let Some(program) = hard::write(&request.instruction, &scene, request.hand) {
            return Ok(program.answer());
        }
        let spec = parse(&request.instruction, &scene)?;
        Ok(recipes::write(&spec, &scene, request.hand)?.answer())
    }
}
