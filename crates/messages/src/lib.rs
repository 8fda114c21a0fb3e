//! Typed messages of the Tiller dataflow and their Arrow form.
