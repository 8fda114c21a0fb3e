//! The worlds that a program knows.

use std::fmt;
use std::sync::Arc;

use crate::error::WorldError;
use crate::world::WorldKind;

/// Worlds by name.
#[derive(Clone, Default)]
pub struct Registry {
    kinds: Vec<Arc<dyn WorldKind>>,
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
    /// [`WorldError::Unknown`] with the names that there are.
    pub fn find(&self, name: &str) -> Result<Arc<dyn WorldKind>, WorldError> {
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
