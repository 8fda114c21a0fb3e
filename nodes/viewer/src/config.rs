//! Settings.

use std::path::PathBuf;
use std::time::Duration;

use tiller_core::Problems;
use tiller_node_kit::Environment;

/// Where what is seen goes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Destination {
    /// Into a file.
    File(PathBuf),
    /// To a viewer that runs at this address.
    Connect(String),
    /// To a viewer that is started, the program `rerun`; where none can be, into a file.
    Spawn(PathBuf),
}

/// Settings of the node.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    pub(crate) destination: Destination,
    /// The shortest time between two pictures of one input.
    pub(crate) between_pictures: Duration,
    /// The shortest time between two of what is larger, or costs more: depth, labels, the reward field.
    pub(crate) between_heavy: Duration,
    /// Whether the reward field is drawn.
    pub(crate) field: bool,
}

impl Settings {
    /// Reads and checks everything.
    pub(crate) fn read(mut env: Environment) -> Result<Self, Problems> {
        let folder = env.path("RUN_DIR", "runs/latest");
        let address = env.text("VIEW_ADDRESS", "rerun+http://127.0.0.1:9876/proxy");
        let words = [("file", 0), ("connect", 1), ("spawn", 2)];
        let file = folder.join("viewer.rrd");
        let destination = match env.choice("VIEW", "file", &words) {
            1 => Destination::Connect(address),
            2 => Destination::Spawn(file),
            _ => Destination::File(file),
        };
        let pictures_hz = env.number("PICTURES_HZ", 10.0, 0.1..=60.0);
        let heavy_hz = env.number("HEAVY_HZ", 2.0, 0.1..=30.0);
        let field = env.choice("FIELD", "on", &[("on", true), ("off", false)]);
        let between = |hz: f64| Duration::from_secs_f64(1.0 / hz);
        env.finish(Self {
            destination,
            between_pictures: between(pictures_hz),
            between_heavy: between(heavy_hz),
            field,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, Problems> {
        Settings::read(Environment::from_pairs(pairs.iter().copied()))
    }

    #[test]
    fn it_writes_a_file_unless_told_otherwise() {
        let settings = read(&[("RUN_DIR", "runs/a")]).unwrap();
        let file = Destination::File("runs/a/viewer.rrd".into());
        assert_eq!(settings.destination, file);
        assert_eq!(settings.between_pictures, Duration::from_millis(100));
        let live = read(&[("VIEW", "spawn"), ("RUN_DIR", "runs/a")]).unwrap();
        let spawn = Destination::Spawn("runs/a/viewer.rrd".into());
        assert_eq!(live.destination, spawn);
    }

    #[test]
    fn mistakes_are_told_together() {
        let wrong = read(&[("VIEW", "hologram"), ("PICTURES_HZ", "0")]).unwrap_err();
        let told = wrong.to_string();
        assert!(
            told.contains("VIEW") && told.contains("PICTURES_HZ"),
            "{told}"
        );
    }
}
