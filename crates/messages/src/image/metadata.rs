//! The header as key and value, both ways.

use super::{Encoding, ImageHeader, Label, MAX_PIXELS};

/// Longest side of an image, pixels.
const MAX_SIDE: usize = 16384;
/// Stamps from here on are taken for time since 1970 (this is the year 2001): no clock that
/// starts with its machine gets there.
const WALL_CLOCK_FROM_NS: u64 = 1_000_000_000_000_000_000;
/// Characters of a value that an error quotes: metadata can be of any length.
const QUOTED_CHARACTERS: usize = 60;
/// Longest name of a label.
const MAX_NAME_CHARACTERS: usize = 80;

/// A metadata value.
#[derive(Debug, Clone, PartialEq)]
pub enum HeaderValue {
    /// An integer; a point in time as nanoseconds since 1970.
    Integer(i64),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// Numbers.
    Numbers(Vec<f64>),
    /// Texts.
    Texts(Vec<String>),
    /// Yes or no, which no key of an image holds.
    Flag(bool),
}

/// Why metadata is no image header, or does not fit the pixels.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("image metadata `{key}`: expected {expected}, found {found}")]
pub struct HeaderError {
    /// The key.
    pub key: &'static str,
    /// What is allowed.
    pub expected: String,
    /// What was there.
    pub found: String,
}

/// When a message was sent, for cameras that do not say when they looked or say it in time since
/// 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SentAt {
    /// When the message was sent, ns since 1970.
    pub wall_ns: u64,
    /// What to add to time since 1970 to get the robot's clock, ns.
    pub robot_minus_wall_ns: i64,
}

impl SentAt {
    /// Time since 1970 in the robot's clock, ns.
    fn robot_ns(&self, wall_ns: u64) -> u64 {
        wall_ns.saturating_add_signed(self.robot_minus_wall_ns)
    }
}

impl ImageHeader {
    /// The metadata, as key and value.
    pub fn to_pairs(&self) -> Vec<(&'static str, HeaderValue)> {
        // Nanoseconds fit an i64 until the year 2262.
        let integer = |n: u64| HeaderValue::Integer(i64::try_from(n).unwrap_or(i64::MAX));
        let word = self.encoding.as_str().to_owned();
        let mut pairs = vec![
            ("seq", integer(self.seq)),
            ("stamp_ns", integer(self.stamp_ns)),
            ("width", integer(self.width as u64)),
            ("height", integer(self.height as u64)),
            ("encoding", HeaderValue::Text(word)),
        ];
        if !self.frame_id.is_empty() {
            pairs.push(("frame_id", HeaderValue::Text(self.frame_id.clone())));
        }
        let geometry = [
            ("focal", self.focal.as_ref().map(<[f64; 2]>::as_slice)),
            (
                "resolution",
                self.principal_point.as_ref().map(<[f64; 2]>::as_slice),
            ),
            (
                "world_from_camera",
                self.world_from_camera.as_ref().map(<[f64; 16]>::as_slice),
            ),
        ];
        let known = geometry.into_iter();
        pairs.extend(known.filter_map(|(key, v)| Some((key, HeaderValue::Numbers(v?.to_vec())))));
        if !self.labels.is_empty() {
            let texts = self.labels.iter().map(|l| format!("{}={}", l.id, l.name));
            pairs.push(("labels", HeaderValue::Texts(texts.collect())));
        }
        pairs
    }

    /// Reads the metadata; `lookup` gives a key's value.
    ///
    /// The stamp is `stamp_ns` as it is, else `timestamp`, else the time of sending; the last two
    /// are brought to the robot's clock where they are time since 1970.
    ///
    /// # Errors
    /// [`HeaderError`] for the first key that is needed and missing, or has a value that is not
    /// allowed.
    pub fn from_lookup(
        lookup: impl Fn(&'static str) -> Option<HeaderValue>,
        sent: SentAt,
    ) -> Result<Self, HeaderError> {
        let read = Reader { lookup: &lookup };
        let word = read.text("encoding")?;
        let encoding = Encoding::from_name(&word).ok_or_else(|| {
            let expected =
                "`rgb8`, `bgr8`, `jpeg`, `png`, `mono8`, `mono16`, `16UC1` or `32FC1`, in any case";
            error("encoding", expected, &HeaderValue::Text(word))
        })?;
        let header = Self {
            seq: read.optional("seq", Reader::count)?.unwrap_or(0),
            stamp_ns: read.stamp_ns(sent)?,
            frame_id: read.optional("frame_id", Reader::text)?.unwrap_or_default(),
            width: read.size("width")?,
            height: read.size("height")?,
            encoding,
            focal: match read.optional("focal", Reader::focal)? {
                None => read.optional("focal_length", Reader::focal)?,
                focal => focal,
            },
            principal_point: read.optional("resolution", Reader::numbers)?,
            world_from_camera: read.optional("world_from_camera", Reader::numbers)?,
            labels: read.optional("labels", Reader::labels)?.unwrap_or_default(),
        };
        if header.pixels() > MAX_PIXELS {
            return Err(HeaderError {
                key: "width, height",
                expected: format!("at most {MAX_PIXELS} pixels"),
                found: format!("{} x {}", header.width, header.height),
            });
        }
        Ok(header)
    }
}

fn error(key: &'static str, expected: &str, found: &HeaderValue) -> HeaderError {
    let found = match found {
        HeaderValue::Integer(n) => n.to_string(),
        HeaderValue::Number(n) => n.to_string(),
        HeaderValue::Text(text) => {
            let short: String = text.chars().take(QUOTED_CHARACTERS).collect();
            format!("`{}`", short.escape_debug())
        }
        HeaderValue::Numbers(numbers) => match numbers.len() {
            0..=16 => format!("{numbers:?}"),
            count => format!("{count} numbers"),
        },
        HeaderValue::Texts(texts) => format!("{} texts", texts.len()),
        HeaderValue::Flag(flag) => flag.to_string(),
    };
    HeaderError {
        key,
        expected: expected.to_owned(),
        found,
    }
}

struct Reader<'a, F> {
    lookup: &'a F,
}

impl<F: Fn(&'static str) -> Option<HeaderValue>> Reader<'_, F> {
    fn get(&self, key: &'static str, expected: &str) -> Result<HeaderValue, HeaderError> {
        (self.lookup)(key).ok_or_else(|| HeaderError {
            key,
            expected: expected.to_owned(),
            found: "nothing".to_owned(),
        })
    }

    /// A value that may be missing, but not wrong.
    fn optional<T>(
        &self,
        key: &'static str,
        read: impl Fn(&Self, &'static str) -> Result<T, HeaderError>,
    ) -> Result<Option<T>, HeaderError> {
        match (self.lookup)(key) {
            None => Ok(None),
            Some(_) => read(self, key).map(Some),
        }
    }

    fn text(&self, key: &'static str) -> Result<String, HeaderError> {
        match self.get(key, "a text")? {
            HeaderValue::Text(text) => Ok(text),
            other => Err(error(key, "a text", &other)),
        }
    }

    fn count(&self, key: &'static str) -> Result<u64, HeaderError> {
        const EXPECTED: &str = "an integer of 0 or more";
        let found = self.get(key, EXPECTED)?;
        let count = match found {
            HeaderValue::Integer(n) => u64::try_from(n).ok(),
            // Python cameras may compute a size: a whole float is an integer.
            HeaderValue::Number(n) if n >= 0.0 && n < 2f64.powi(63) && n.fract() == 0.0 => {
                Some(n as u64)
            }
            _ => None,
        };
        count.ok_or_else(|| error(key, EXPECTED, &found))
    }

    fn stamp_ns(&self, sent: SentAt) -> Result<u64, HeaderError> {
        if let Some(stamp_ns) = self.optional("stamp_ns", Self::count)? {
            return Ok(stamp_ns);
        }
        Ok(match self.optional("timestamp", Self::count)? {
            None => sent.robot_ns(sent.wall_ns),
            Some(ns) if ns >= WALL_CLOCK_FROM_NS => sent.robot_ns(ns),
            Some(ns) => ns,
        })
    }

    /// A side length.
    fn size(&self, key: &'static str) -> Result<usize, HeaderError> {
        let n = self.count(key)?;
        match usize::try_from(n) {
            Ok(size) if (1..=MAX_SIDE).contains(&size) => Ok(size),
            _ => Err(HeaderError {
                key,
                expected: format!("1 to {MAX_SIDE}"),
                found: n.to_string(),
            }),
        }
    }

    fn numbers<const N: usize>(&self, key: &'static str) -> Result<[f64; N], HeaderError> {
        let expected = format!("{N} finite numbers");
        let found = self.get(key, &expected)?;
        let numbers = match &found {
            HeaderValue::Numbers(v) if v.iter().all(|x| x.is_finite()) => {
                v.as_slice().try_into().ok()
            }
            _ => None,
        };
        numbers.ok_or_else(|| error(key, &expected, &found))
    }

    fn focal(&self, key: &'static str) -> Result<[f64; 2], HeaderError> {
        let focal = self.numbers(key)?;
        if focal.iter().all(|f| *f > 0.0) {
            return Ok(focal);
        }
        let found = HeaderValue::Numbers(focal.to_vec());
        Err(error(key, "2 numbers above 0", &found))
    }

    fn labels(&self, key: &'static str) -> Result<Vec<Label>, HeaderError> {
        const EXPECTED: &str = "at most 256 texts such as `1=red mug`: an id of 0 to 255, a name of 1 to 80 characters";
        let texts = match self.get(key, EXPECTED)? {
            HeaderValue::Texts(texts) if texts.len() <= 256 => texts,
            other => return Err(error(key, EXPECTED, &other)),
        };
        let label = |text: &String| {
            let (id, name) = text.split_once('=')?;
            let (id, name) = (id.trim().parse().ok()?, name.trim());
            // Counts no further than it must.
            let length = name.chars().take(MAX_NAME_CHARACTERS + 1).count();
            let name = (1..=MAX_NAME_CHARACTERS)
                .contains(&length)
                .then(|| name.to_owned())?;
            Some(Label { id, name })
        };
        texts
            .iter()
            .map(|text| {
                label(text).ok_or_else(|| error(key, EXPECTED, &HeaderValue::Text(text.clone())))
            })
            .collect()
    }
}
