//! Stamps that cannot be right must not move a clock.

pub(crate) use tiller_core::StampFilter;
