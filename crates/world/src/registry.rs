//! The worlds that a program knows.

use std::fmt;
use std::sync::Arc;

use crate::error::WorldError;
use crate::world::WorldKind;

/// A world that could be there if something were that is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    /// Its name.
    pub name: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    /// What is missing, and how to get it.
    pub reason: String,
}

impl Absent {
    /// That it was asked for.
    #[must_use]
    pub fn error(&self) -> WorldError {
        WorldError::Absent {
            world: self.name,
            reason: self.reason.clone(),
        }
    }
}

/// Worlds by name.
#[derive(Clone, Default)]
pub struct Registry {
    kinds: Vec<Arc<dyn WorldKind>>,
    absent: Vec<Absent>,
}

impl Registry {
    /// No worlds.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// And this one. A world of the same name is replaced.
    #[must_use]
    pub fn with(mut self, kind: impl WorldKind + 'static) -> Self {
        self.kinds
            .retain(|known| known.info().name != kind.info().name);
        self.kinds.push(Arc::new(kind));
        self
    }

    /// And, if it were there, this one.
    #[must_use]
    pub fn without(mut self, absent: Absent) -> Self {
        self.absent.push(absent);
        self
    }

    /// Worlds that are not there.
    #[must_use]
    pub fn absent(&self) -> &[Absent] {
        &self.absent
    }

    /// All of them, in the order in which they were registered.
    #[must_use]
    pub fn kinds(&self) -> &[Arc<dyn WorldKind>] {
        &self.kinds
    }

    /// Their names.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        self.kinds.iter().map(|kind| kind.info().name).collect()
    }

    /// The world of that name.
    ///
    /// # Errors
    /// [`WorldError::Absent`] for one that is not there, else [`WorldError::Unknown`] with the names that there are.
    pub fn find(&self, name: &str) -> Result<Arc<dyn WorldKind>, WorldError> {
        if let Some(absent) = self.absent.iter().find(|absent| absent.name == name) {
            return Err(absent.error());
        }
        let found = self.kinds.iter().find(|kind| kind.info().name == name);
        found.cloned().ok_or_else(|| WorldError::Unknown {
            world: "registered worlds",
            kind: "world",
            expected: format!("one of {}", self.names().join(", ")),
            found: name.to_owned(),
        })
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}
