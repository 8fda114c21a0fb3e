//! An author that needs no network as a provider.

use std::sync::Arc;

use tokio::time::Instant;

use super::{Asking, Identity, Outcome, Provider, ProviderError, Purpose, Query, Reply, Usage};
use crate::author::Author;

/// Answers from the scene, at once and without a network.
#[derive(Debug, Clone)]
pub struct EmbeddedProvider {
    identity: Identity,
    author: Arc<dyn Author>,
}

impl EmbeddedProvider {
    /// Asks `author`.
    #[must_use]
    pub fn new(author: Arc<dyn Author>) -> Self {
        Self {
            identity: Identity::local("embedded"),
            author,
        }
    }

    /// The author's answer, at once.
    ///
    /// # Errors
    /// [`Outcome::InstructionRefused`] in the author's words, or [`Outcome::Unsupported`] for what is no question for
    /// a program.
    pub fn answer(&self, query: &Query) -> Result<Reply, ProviderError> {
        let unsupported = |text: &str| Err(ProviderError::new(Outcome::Unsupported, text));
        if query.purpose != Purpose::Reward {
            return unsupported("the embedded author writes programs only");
        }
        let Some(scene) = &query.scene else {
            return unsupported(
                "the embedded author reads the scene, and the question comes without one",
            );
        };
        let answer = self
            .author
            .author(scene)
            .map_err(|error| ProviderError::new(Outcome::InstructionRefused, error.to_string()))?;
        Ok(Reply {
            text: answer.text,
            model: self.identity.model.clone(),
            usage: Usage::default(),
        })
    }
}

impl Provider for EmbeddedProvider {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn ask<'a>(&'a self, query: &'a Query, _deadline: Instant) -> Asking<'a> {
        Box::pin(std::future::ready(self.answer(query)))
    }
}
