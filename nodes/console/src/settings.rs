//! Settings.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tiller_core::Problems;
use tiller_node_kit::Environment;
use tiller_page::{Evaluation, TaskList};

/// Where the page is unless a setting says otherwise.
const DEFAULT_ADDRESS: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8180);

/// Where the page is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Nowhere.
    Off,
    /// On this machine, on the usual port or, where it is taken, on any.
    Usual(SocketAddr),
    /// There and nowhere else.
    Exactly(SocketAddr),
}

/// Settings of the node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    /// The run's folder.
    pub(crate) folder: PathBuf,
    pub(crate) place: Place,
    /// The shortest time between two pictures of a camera.
    pub(crate) between_pictures: Duration,
    /// Instructions to choose from.
    pub(crate) tasks: TaskList,
    /// The file of the operator's verdicts.
    pub(crate) evaluation: PathBuf,
}

impl Settings {
    /// Reads and checks everything.
    pub(crate) fn read(mut env: Environment) -> Result<Self, Problems> {
        let folder = env.path("RUN_DIR", "runs/latest");
        let evaluation = match env.optional("EVALUATION") {
            Some(path) => PathBuf::from(path),
            None => folder.join(Evaluation::NAME),
        };
        let place = match env.optional("CONSOLE_ADDRESS") {
            None => Place::Usual(DEFAULT_ADDRESS),
            Some(word) if word == "off" => Place::Off,
            Some(address) => match address.parse() {
                Ok(address) => Place::Exactly(address),
                Err(_) => {
                    let expected = "`off`, or an address and a port, such as 127.0.0.1:8180";
                    env.refuse("CONSOLE_ADDRESS", expected, Some(address));
                    Place::Off
                }
            },
        };
        let rate_hz = env.number("PICTURE_RATE_HZ", 10.0, 0.5..=30.0);
        let mut tasks = TaskList::default();
        if let Some(path) = env.optional("TASKS") {
            let read = fs::read_to_string(&path).map_err(|error| error.to_string());
            let read = read.and_then(|yaml| TaskList::read(&yaml).map_err(|it| it.to_string()));
            match read {
                Ok(read) => tasks = read,
                Err(error) => {
                    let expected = format!("a file with a YAML list of instructions ({error})");
                    env.refuse("TASKS", &expected, Some(path));
                }
            }
        }
        env.finish(Self {
            folder,
            place,
            between_pictures: Duration::from_secs_f64(1.0 / rate_hz),
            tasks,
            evaluation,
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
    fn the_page_is_on_this_machine_alone_unless_told_otherwise() {
        let Place::Usual(address) = read(&[]).unwrap().place else {
            panic!("the usual place");
        };
        assert!(address.ip().is_loopback());
        assert_eq!(
            read(&[("CONSOLE_ADDRESS", "off")]).unwrap().place,
            Place::Off
        );
        let there = read(&[("CONSOLE_ADDRESS", "0.0.0.0:9")]).unwrap().place;
        assert_eq!(there, Place::Exactly("0.0.0.0:9".parse().unwrap()));
    }

    #[test]
    fn mistakes_are_told_together() {
        let wrong = [
            ("CONSOLE_ADDRESS", "robot"),
            ("PICTURE_RATE_HZ", "1000"),
            ("TASKS", "/nowhere/tasks.yml"),
        ];
        let told = read(&wrong).unwrap_err().to_string();
        for (name, _) in wrong {
            assert!(told.contains(name), "{told}");
        }
    }
}
