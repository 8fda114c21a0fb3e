//! Functions and methods: what PyTorch cannot be asked about, and what is refused.
