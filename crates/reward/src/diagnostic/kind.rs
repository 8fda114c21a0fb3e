//! The sorts of mistakes.

/// The sort of mistake. Each check has its own; [`Kind::code`] is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// The text is not Python.
    Syntax,
    /// The text holds no program.
    NoProgram,
    /// `num_stages` is missing or not a positive integer literal.
    StageCount,
    /// A stage has no function, has two, or has one beyond `num_stages`.
    StageFunction,
    /// A stage function has other parameters than the language asks for.
    Signature,
    /// An import beyond torch, numpy and the parts of Python's library that programs of numbers use.
    Import,
    /// Python that the language does not have.
    Unsupported,
    /// A name that nothing defines.
    UnknownName,
    /// A function, method or attribute that does not exist or is not supported.
    UnknownOperation,
    /// Wrong, missing or superfluous arguments.
    Argument,
    /// An operand of the wrong type.
    Type,
    /// Shapes that do not fit together.
    Shape,
    /// An index or dimension that is out of range.
    Index,
    /// A keypoint that the scene does not have.
    KeypointIndex,
    /// Control flow that depends on positions.
    DynamicControl,
    /// Division by zero among constants, and the like.
    Arithmetic,
    /// The result is missing or not one number.
    Result,
    /// The reward does not depend on where the trajectory goes.
    NoDependence,
    /// The reward depends on the trajectory, but its gradient is zero everywhere.
    NoGradient,
    /// No action moves the reward: it is flat wherever the hand may go.
    Inert,
    /// `done` is never negative: the stage would count as complete before it has begun.
    DoneSign,
    /// The value is infinite or NaN on a probe.
    NotFinite,
    /// The value is finite, yet its gradient is infinite or NaN on a probe.
    NotFiniteGradient,
    /// Larger than the limits allow.
    Limit,
    /// Remark: the first dimension, which counts particles, is taken for time.
    BatchAxis,
    /// Remark: the reward changes only outside the workspace, or close to its goal.
    Flat,
    /// Remark: the reward drives the hand away from everything, as with a forgotten minus.
    Repelled,
    /// Remark: the reward rises as far as the workspace goes.
    Edge,
    /// Remark: the best point lies outside the workspace.
    Outside,
    /// Remark: a position is moved by metres, as with millimetres.
    Units,
    /// Remark: `done` is a comparison, which says nothing of how far it is.
    DoneComparison,
    /// Remark: `done` is negative on every probe.
    DoneNever,
}

/// Whether a program can be used all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The program is refused.
    Error,
    /// The program is accepted: this is probably not what was meant.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

impl Kind {
    /// Every kind, in the order in which a program is checked.
    pub const ALL: [Kind; 32] = [
        Kind::Syntax,
        Kind::NoProgram,
        Kind::StageCount,
        Kind::StageFunction,
        Kind::Signature,
        Kind::Import,
        Kind::Unsupported,
        Kind::UnknownName,
        Kind::UnknownOperation,
        Kind::Argument,
        Kind::Type,
        Kind::Shape,
        Kind::Index,
        Kind::KeypointIndex,
        Kind::DynamicControl,
        Kind::Arithmetic,
        Kind::Result,
        Kind::NoDependence,
        Kind::NoGradient,
        Kind::Inert,
        Kind::DoneSign,
        Kind::NotFinite,
        Kind::NotFiniteGradient,
        Kind::Limit,
        Kind::BatchAxis,
        Kind::Flat,
        Kind::Repelled,
        Kind::Edge,
        Kind::Outside,
        Kind::Units,
        Kind::DoneComparison,
        Kind::DoneNever,
    ];

    /// Errors refuse a program, warnings do not.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self {
            Kind::BatchAxis
            | Kind::Flat
            | Kind::Repelled
            | Kind::Edge
            | Kind::Outside
            | Kind::Units
            | Kind::DoneComparison
            | Kind::DoneNever => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// Whether such a program is more likely a slip than meant: worth asking its author once.
    #[must_use]
    pub fn is_likely_slip(self) -> bool {
        self.severity() == Severity::Warning && !matches!(self, Kind::Edge | Kind::DoneComparison)
    }

    /// A stable kebab-case name.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Kind::Syntax => "syntax",
            Kind::NoProgram => "no-program",
            Kind::StageCount => "stage-count",
            Kind::StageFunction => "stage-function",
            Kind::Signature => "signature",
            Kind::Import => "import",
            Kind::Unsupported => "unsupported",
            Kind::UnknownName => "unknown-name",
            Kind::UnknownOperation => "unknown-operation",
            Kind::Argument => "argument",
            Kind::Type => "type",
            Kind::Shape => "shape",
            Kind::Index => "index",
            Kind::KeypointIndex => "keypoint-index",
            Kind::DynamicControl => "dynamic-control",
            Kind::Arithmetic => "arithmetic",
            Kind::Result => "result",
            Kind::NoDependence => "no-dependence",
            Kind::NoGradient => "no-gradient",
            Kind::Inert => "inert",
            Kind::DoneSign => "done-sign",
            Kind::NotFinite => "not-finite",
            Kind::NotFiniteGradient => "not-finite-gradient",
            Kind::Limit => "limit",
            Kind::BatchAxis => "batch-axis",
            Kind::Flat => "flat",
            Kind::Repelled => "repelled",
            Kind::Edge => "edge",
            Kind::Outside => "outside",
            Kind::Units => "units",
            Kind::DoneComparison => "done-comparison",
            Kind::DoneNever => "done-never",
        }
    }

    /// How such a mistake is mended, where nothing more precise is known; `None` for kinds whose every
    /// mistake says it itself.
    pub(crate) fn help(self) -> Option<&'static str> {
        Some(match self {
            Kind::Argument => "call it with the expected arguments",
            Kind::Type => "give a value of the kind that is needed here",
            Kind::Shape => "check which dimension is time and which is x, y, z: `x.shape` says",
            Kind::Index => "count from 0, or from the end: -1 is the last",
            Kind::Arithmetic => "check the numbers that go in here",
            Kind::Limit => "make the program smaller",
            _ => return None,
        })
    }
}
