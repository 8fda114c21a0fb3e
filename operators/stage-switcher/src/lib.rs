//! The stage machine as a dora operator.
