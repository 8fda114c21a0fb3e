//! The author that needs no network.

use tiller_vlm::{Answer, Author, AuthorError, AuthorRequest};

use crate::recipes;
use crate::scene::Scene;
use crate::understand::{Goal, parse};

/// Understands a small English about the things on CALVIN's table and knows a recipe for every goal in it.
#[derive(Debug, Clone, Copy, Default)]
pub struct EmbeddedAuthor;

impl EmbeddedAuthor {
    /// Understands an instruction without writing a program: its goals, first things first.
    ///
    /// # Errors
    /// As [`Author::author`].
    pub fn understand(&self, request: &AuthorRequest) -> Result<Vec<Goal>, AuthorError> {
        parse(&request.instruction, &Scene::new(&request.keypoints)?)
    }
}

impl Author for EmbeddedAuthor {
    fn author(&self, request: &AuthorRequest) -> Result<Answer, AuthorError> {
        let scene = Scene::new(&request.keypoints)?;
        let goals = parse(&request.instruction, &scene)?;
        let program = recipes::write(&request.instruction, &goals, &scene, request.hand)?;
        Ok(program.answer())
    }
}
