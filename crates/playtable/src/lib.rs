//! The simulated play table: a MuJoCo world with a Panda, its tasks and their experts.
