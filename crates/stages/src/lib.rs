//! The stage machine: progress signals to stage decisions.
