//! What can be benchmarked: worlds, each with the author that writes its reward programs.

use std::fmt;
use std::sync::Arc;

use tiller_vlm::Author;
use tiller_world::{WorldError, WorldKind};

/// A world and the author that steers in it.
#[derive(Clone)]
pub struct Subject {
    /// Makes the world.
    pub kind: Arc<dyn WorldKind>,
    /// Writes reward programs for its instructions.
    pub author: Arc<dyn Author + Send + Sync>,
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Subject").field(&self.kind).finish()
    }
}

/// Worlds with their authors by name, one line each: `Subjects::new().with(my_world::kind(), MyAuthor)`.
#[derive(Clone, Debug, Default)]
pub struct Subjects {
    all: Vec<Subject>,
}

impl Subjects {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// And this one.
    #[must_use]
    pub fn with(mut self, kind: impl WorldKind + 'static, author: impl Author + 'static) -> Self {
        self.all.push(Subject {
            kind: Arc::new(kind),
            author: Arc::new(author),
        });
        self
    }

    /// All of them, in the order in which they were registered.
    #[must_use]
    pub fn all(&self) -> &[Subject] {
        &self.all
    }

    /// Names of the worlds.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        self.all
            .iter()
            .map(|subject| subject.kind.info().name)
            .collect()
    }

    /// The one of that name; without a name the first.
    ///
    /// # Errors
    /// [`WorldError::Unknown`] with the names that there are.
    pub fn find(&self, name: Option<&str>) -> Result<&Subject, WorldError> {
        let is_wanted =
            |subject: &&Subject| name.is_none_or(|name| subject.kind.info().name == name);
        let found = self.all.iter().find(is_wanted);
        found.ok_or_else(|| WorldError::Unknown {
            world: "registered worlds",
            kind: "world",
            expected: format!("one of {}", self.names().join(", ")),
            found: name.unwrap_or_default().to_owned(),
        })
    }
}
