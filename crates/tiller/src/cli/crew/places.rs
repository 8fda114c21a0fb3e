//! Where workers are wanted.

use std::fmt;
use std::str::FromStr;

/// More workers on one machine are a slip.
const MOST: usize = 1024;

/// A machine of a dora coordinator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Asked {
    /// By a label of its daemon, `gpu=true`.
    Label(String, String),
    /// By its daemon's id.
    Id(String),
}

/// Where workers are to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Places {
    /// So many on this machine.
    Here(usize),
    /// So many on each of these.
    Machines(Vec<(Asked, usize)>),
}

impl Places {
    /// A machine for each worker; none: this one.
    pub(super) fn workers(&self) -> Vec<Option<&Asked>> {
        match self {
            Self::Here(count) => vec![None; *count],
            Self::Machines(all) => all
                .iter()
                .flat_map(|(machine, count)| vec![Some(machine); *count])
                .collect(),
        }
    }
}

impl FromStr for Asked {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_word = |word: &str| {
            let is_part = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
            !word.is_empty() && word.chars().all(is_part)
        };
        match text.split_once('=') {
            Some((key, value)) if is_word(key) && is_word(value) => {
                Ok(Self::Label(key.to_owned(), value.to_owned()))
            }
            None if is_word(text) => Ok(Self::Id(text.to_owned())),
            _ => Err(format!(
                "expected a label such as gpu=true or a machine's id, found `{text}`"
            )),
        }
    }
}

impl FromStr for Places {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(found) = text.parse() {
            return count(found).map(Self::Here);
        }
        let machine = |part: &str| {
            let (name, workers) = match part.split_once(':') {
                Some((name, number)) => {
                    let number = number.parse().map_err(|_| {
                        format!("expected a number of workers after `{name}:`, found `{number}`")
                    })?;
                    (name, count(number)?)
                }
                None => (part, 1),
            };
            Ok((name.trim().parse()?, workers))
        };
        let machines = text.split(',').map(machine).collect::<Result<_, String>>();
        machines.map(Self::Machines)
    }
}

fn count(found: usize) -> Result<usize, String> {
    match found {
        1..=MOST => Ok(found),
        _ => Err(format!("expected 1 to {MOST} workers, found {found}")),
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label(key, value) => write!(f, "{key}={value}"),
            Self::Id(id) => f.write_str(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_a_number_or_machines() {
        let read = |text: &str| text.parse::<Places>();
        assert_eq!(read("3").unwrap(), Places::Here(3));
        let label = || Asked::Label("gpu".to_owned(), "true".to_owned());
        let id = Asked::Id("lab-2".to_owned());
        let places = read("gpu=true:2,lab-2").unwrap();
        assert_eq!(
            places,
            Places::Machines(vec![(label(), 2), (id.clone(), 1)])
        );
        let expected = [label(), label(), id];
        assert!(places.workers().into_iter().flatten().eq(&expected));
        assert_eq!(read("2").unwrap().workers(), [None, None]);
        for wrong in [
            "0", "9999", "", "a,,b", "gpu=", "=x", "a:0", "a:b", "a b", "$HOME",
        ] {
            let error = read(wrong).unwrap_err();
            assert!(error.starts_with("expected"), "{wrong}: {error}");
        }
    }
}
