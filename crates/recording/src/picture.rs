//! Pictures: what was sent beside pixels.

use dora_message::metadata::{MetadataParameters, Parameter};
use tiller_messages::{HeaderError, HeaderValue, ImageHeader, SentAt};

use crate::Sent;

/// Where the robot's clock stood in time since 1970, for cameras that stamp in the latter.
///
/// Nobody records that; it is learnt from messages that carry a stamp of ours, which are sent after
/// their stamp: the least delay that was seen counts as none.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock {
    robot_minus_wall_ns: Option<i64>,
}

impl Clock {
    /// A message with this stamp was sent at this time since 1970, both ns.
    pub fn observe(&mut self, stamp_ns: u64, sent_ns: u64) {
        let difference = i128::from(stamp_ns) - i128::from(sent_ns);
        let Ok(difference) = i64::try_from(difference) else {
            return;
        };
        let known = self.robot_minus_wall_ns.unwrap_or(difference);
        self.robot_minus_wall_ns = Some(known.max(difference));
    }

    /// What to add to time since 1970 to get the robot's, ns; 0 as long as nothing is known.
    #[must_use]
    pub fn robot_minus_wall_ns(&self) -> i64 {
        self.robot_minus_wall_ns.unwrap_or(0)
    }
}

impl Sent {
    /// What the pixels mean, if this is a picture: none where nothing beside the data says how pixels are
    /// written.
    ///
    /// # Errors
    /// [`HeaderError`] when it is a picture whose metadata is incomplete or wrong.
    pub fn image_header(&self, clock: &Clock) -> Result<Option<ImageHeader>, HeaderError> {
        let parameters = self.parameters();
        if !parameters.contains_key("encoding") {
            return Ok(None);
        }
        let sent = SentAt {
            wall_ns: self.sent_ns(),
            robot_minus_wall_ns: clock.robot_minus_wall_ns(),
        };
        ImageHeader::from_lookup(|key| header_value(parameters, key), sent).map(Some)
    }
}

/// A metadata value in the header's terms. Hub cameras write `focal` as integers.
fn header_value(parameters: &MetadataParameters, key: &str) -> Option<HeaderValue> {
    Some(match parameters.get(key)? {
        Parameter::Integer(n) => HeaderValue::Integer(*n),
        Parameter::Float(n) => HeaderValue::Number(*n),
        Parameter::String(text) => HeaderValue::Text(text.clone()),
        Parameter::ListFloat(numbers) => HeaderValue::Numbers(numbers.clone()),
        Parameter::ListInt(numbers) => {
            HeaderValue::Numbers(numbers.iter().map(|n| *n as f64).collect())
        }
        Parameter::ListString(texts) => HeaderValue::Texts(texts.clone()),
        Parameter::Bool(flag) => HeaderValue::Flag(*flag),
        // Python nodes that pass metadata on carry dora's own time along.
        Parameter::Timestamp(time) => HeaderValue::Integer(time.timestamp_nanos_opt()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Entry;
    use crate::testing::{entry, entry_beside, number};

    #[test]
    fn a_picture_is_known_by_what_is_beside_it() {
        let header = ImageHeader {
            seq: 4,
            stamp_ns: 9,
            width: 2,
            height: 1,
            focal: Some([3.0, 4.0]),
            ..ImageHeader::default()
        };
        let written = entry_beside("camera", "image", Some(&number(1)), header.to_pairs());
        let sent = Entry::from(written).open().unwrap();
        assert_eq!(sent.image_header(&Clock::default()).unwrap(), Some(header));
        let sent = Entry::from(entry("a", "b", Some(&number(1))))
            .open()
            .unwrap();
        assert_eq!(sent.image_header(&Clock::default()).unwrap(), None);
    }

    #[test]
    fn the_least_delay_counts_as_none() {
        let mut clock = Clock::default();
        for (stamp, sent) in [(100, 1_050), (120, 1_030), (140, 1_090)] {
            clock.observe(stamp, sent);
        }
        assert_eq!(clock.robot_minus_wall_ns(), 120 - 1_030);
    }
}
