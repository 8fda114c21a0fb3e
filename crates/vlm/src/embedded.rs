//! The author that needs no network.

use crate::author::{Answer, Author, AuthorError, AuthorRequest};
use crate::recipes;
use crate::scene::Scene;
use crate::understand::{Goal, parse};

/// Understands a small English and knows a recipe for every goal in it.
#[derive(Debug, Clone, Copy, Default)]
pub struct EmbeddedAuthor;

impl EmbeddedAuthor {
    /// Understands the instruction without writing a program.
    ///
    /// # Errors
    /// As [`Author::author`].
    pub fn understand(&self, request: &AuthorRequest) -> Result<Goal, AuthorError> {
        parse(&request.instruction, &Scene::new(&request.keypoints)?)
    }
}

impl Author for EmbeddedAuthor {
    fn author(&self, request: &AuthorRequest) -> Result<Answer, AuthorError> {
        let scene = Scene::new(&request.keypoints)?;
        let goal = parse(&request.instruction, &scene)?;
        let Some(point) = scene.find(&goal.object()) else {
            let (object, can) = (goal.object(), scene.abilities());
            return Err(AuthorError::ObjectNotInScene { object, can });
        };
        Ok(Answer {
            text: recipes::write(&goal, point, &scene).to_string(),
            source: "embedded".to_owned(),
            understood: Some(goal.to_string()),
        })
    }
}
