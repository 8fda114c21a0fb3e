//! Settings from the environment of the operator's node; every problem is reported at once.

use std::fmt::Display;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use tiller_closed_loop::SwitcherConfig;
use tiller_stages::StageConfig;

/// Settings of the operator.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    /// Of the machine.
    pub(crate) switcher: SwitcherConfig,
    /// Whether a journal is sent for recorders.
    pub(crate) journal: bool,
}

/// Reads the settings through `lookup`.
pub(crate) fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Settings, String> {
    let mut reader = Reader {
        lookup,
        problems: Vec::new(),
    };
    let defaults = StageConfig::default();
    let seconds = |ns: u64| ns as f64 * 1e-9;
    let ns = |seconds: f64| (seconds * 1e9) as u64;
    let stages = StageConfig {
        upper: reader.number("UPPER", defaults.upper, 0.0, 1.2),
        lower: reader.number("LOWER", defaults.lower, -0.2, 1.0),
        stage_timeout_ns: ns(reader.number(
            "STAGE_TIMEOUT_S",
            seconds(defaults.stage_timeout_ns),
            0.1,
            3600.0,
        )),
        ..defaults
    };
    let journal = match (reader.lookup)("JOURNAL").as_deref().map(str::trim) {
        None | Some("" | "on") => true,
        Some("off") => false,
        Some(found) => {
            let problem = format!("JOURNAL: expected `on` or `off`, found `{found}`");
            reader.problems.push(problem);
            true
        }
    };
    let keypoints_stale_ns = ns(reader.number("KEYPOINTS_STALE_S", 5.0, 0.1, 3600.0));
    if let Err(error) = stages.validate() {
        let problems = error.found.iter().map(ToString::to_string);
        reader.problems.extend(problems);
    }
    if reader.problems.is_empty() {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        Ok(Settings {
            switcher: SwitcherConfig {
                // Larger after every restart.
                session: since_epoch.map_or(1, |time| time.as_micros() as u64),
                stages,
                keypoints_stale_ns,
            },
            journal,
        })
    } else {
        Err(format!("wrong settings: {}", reader.problems.join("; ")))
    }
}

struct Reader<F> {
    lookup: F,
    problems: Vec<String>,
}

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    fn number<T: FromStr + PartialOrd + Display>(
        &mut self,
        name: &str,
        default: T,
        least: T,
        most: T,
    ) -> T {
        let Some(found) = (self.lookup)(name).filter(|text| !text.trim().is_empty()) else {
            return default;
        };
        match found.trim().parse::<T>() {
            Ok(value) if (&least..=&most).contains(&&value) => value,
            _ => {
                let problem =
                    format!("{name}: expected a number from {least} to {most}, found `{found}`");
                self.problems.push(problem);
                default
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_the_machines() {
        assert_eq!(
            read(|_| None).unwrap().switcher.stages,
            StageConfig::default()
        );
    }

    #[test]
    fn every_problem_is_reported() {
        let error = read(|name| match name {
            "UPPER" => Some("high".to_owned()),
            "JOURNAL" => Some("a folder".to_owned()),
            "STAGE_TIMEOUT_S" => Some("0".to_owned()),
            _ => None,
        })
        .unwrap_err();
        assert!(
            ["UPPER", "STAGE_TIMEOUT_S", "JOURNAL"]
                .iter()
                .all(|name| error.contains(name)),
            "{error}"
        );
    }

    #[test]
    fn thresholds_in_the_wrong_order_are_refused() {
        let error = read(|name| match name {
            "UPPER" => Some("0.3".to_owned()),
            "LOWER" => Some("0.6".to_owned()),
            _ => None,
        });
        assert!(error.is_err());
    }
}
