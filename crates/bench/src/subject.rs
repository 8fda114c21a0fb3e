//! What can be benchmarked: worlds, each with the author that writes its reward programs.

use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;

use tiller_vlm::{Author, RecordedPrograms};
use tiller_world::{Absent, WorldError, WorldKind};

use crate::tuned::SHIPPED;

/// A world and the author that steers in it.
#[derive(Clone)]
pub struct Subject {
    /// Makes the world.
    pub kind: Arc<dyn WorldKind>,
    /// Writes reward programs for its instructions.
    pub author: Arc<dyn Author + Send + Sync>,
    /// Name of the policy that is steered in it unless another one is asked for.
    pub policy: &'static str,
    /// Parameters of the full method in it, as a file of them has it.
    pub tuned: &'static str,
    /// Command that judges records of its episodes in the simulator that it stands for, if there is one: program
    /// and arguments.
    pub referee: Option<Vec<OsString>>,
    /// SHA-256 of the programs that are followed in the place of an author's.
    pub programs_sha256: Option<String>,
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Subject").field(&self.kind).finish()
    }
}

impl Subject {
    /// A world with its author, steered as the first shipped policies are.
    #[must_use]
    pub fn new(kind: impl WorldKind + 'static, author: impl Author + 'static) -> Self {
        Self {
            kind: Arc::new(kind),
            author: Arc::new(author),
            policy: "flow",
            tuned: SHIPPED,
            referee: None,
            programs_sha256: None,
        }
    }

    /// The same world with programs that were written before.
    #[must_use]
    pub fn with_programs(self, programs: RecordedPrograms) -> Self {
        Self {
            programs_sha256: Some(programs.sha256().to_owned()),
            author: Arc::new(programs),
            ..self
        }
    }
}

/// Worlds with their authors by name, one line each: `Subjects::new().with(my_world::kind(), MyAuthor)`.
#[derive(Clone, Debug, Default)]
pub struct Subjects {
    all: Vec<Subject>,
    absent: Vec<Absent>,
}

impl Subjects {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// And this one.
    #[must_use]
    pub fn with(self, kind: impl WorldKind + 'static, author: impl Author + 'static) -> Self {
        self.and(Subject::new(kind, author))
    }

    /// And this one.
    #[must_use]
    pub fn and(mut self, subject: Subject) -> Self {
        self.all.push(subject);
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
        if let Some(absent) = self.absent.iter().find(|it| Some(it.name) == name) {
            return Err(absent.error());
        }
        let found = self.all.iter().find(is_wanted);
        found.ok_or_else(|| WorldError::Unknown {
            world: "registered worlds",
            kind: "world",
            expected: format!("one of {}", self.names().join(", ")),
            found: name.unwrap_or_default().to_owned(),
        })
    }
}
