//! One input's messages in order: what is lost, repeated or too old is counted and left out.

use std::marker::PhantomData;

use thiserror::Error;
use tiller_messages::{Arrival, Message, MessageError, SequenceCheck};

use crate::Input;

/// A message that cannot be used. The node goes on without it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("input `{input}`: {reason}")]
pub struct Refused {
    /// The input that it came by.
    pub input: String,
    /// What was expected and what was found.
    pub reason: String,
}

impl Refused {
    /// The input's message is refused for this reason.
    pub fn new(input: impl Into<String>, reason: impl std::fmt::Display) -> Self {
        Self {
            input: input.into(),
            reason: reason.to_string(),
        }
    }
}

/// Reads the messages of one input.
pub struct Stream<M> {
    check: SequenceCheck,
    repeated: u64,
    message: PhantomData<M>,
}

impl<M: Message> Default for Stream<M> {
    fn default() -> Self {
        Self {
            check: SequenceCheck::default(),
            repeated: 0,
            message: PhantomData,
        }
    }
}

impl<M: Message> Stream<M> {
    /// The message, or none if it is the same as the last one.
    ///
    /// # Errors
    /// When the data is not such a message, a number in it is not finite, or it is older than one that
    /// was read before; a sender of another version is never guessed at.
    pub fn read(&mut self, input: &Input) -> Result<Option<M>, Refused> {
        self.read_with(input, M::check_finite)
    }

    /// As [`Stream::read`], with whatever numbers there are: for a reader that has to answer those that
    /// are not finite too.
    ///
    /// # Errors
    /// As [`Stream::read`].
    pub fn read_any_numbers(&mut self, input: &Input) -> Result<Option<M>, Refused> {
        self.read_with(input, |_| Ok(()))
    }

    fn read_with(
        &mut self,
        input: &Input,
        check: impl Fn(&M) -> Result<(), MessageError>,
    ) -> Result<Option<M>, Refused> {
        let message = M::from_arrow(input.data.as_array().as_ref())
            .map_err(|error| Refused::new(&input.id, error))?;
        check(&message).map_err(|error| Refused::new(&input.id, error))?;
        let name = &input.id;
        match self.check.observe(message.session(), message.seq()) {
            Arrival::Next => {}
            Arrival::After { lost } => tracing::debug!("`{name}`: {lost} lost"),
            Arrival::Restarted => tracing::info!("`{name}`: its sender was started anew"),
            Arrival::Repeated => {
                self.repeated += 1;
                return Ok(None);
            }
            Arrival::Late { last } => {
                self.repeated += 1;
                let late = MessageError::OutOfOrder {
                    message: M::NAME,
                    last,
                    found: (message.session(), message.seq()),
                };
                return Err(Refused::new(name, late));
            }
        }
        Ok(Some(message))
    }

    /// Messages that never came.
    pub fn lost(&self) -> u64 {
        self.check.lost()
    }

    /// Messages that came again or out of order.
    pub fn repeated(&self) -> u64 {
        self.repeated
    }
}
