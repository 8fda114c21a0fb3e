//! Pictures: what was sent beside pixels.

use dora_message::metadata::{MetadataParameters, Parameter};
use tiller_core::RobotClock;
use tiller_messages::{HeaderError, HeaderValue, ImageHeader, SentAt};

use crate::Sent;

impl Sent {
    /// What the pixels mean, if this is a picture: none where nothing beside the data says how pixels are
    /// written.
    ///
    /// # Errors
    /// [`HeaderError`] when it is a picture whose metadata is incomplete or wrong.
    pub fn image_header(&self, clock: &RobotClock) -> Result<Option<ImageHeader>, HeaderError> {
        let parameters = self.parameters();
        if !parameters.contains_key("encoding") {
            return Ok(None);
        }
        let sent = SentAt {
            wall_ns: self.sent_ns(),
            robot_minus_wall_ns: clock.robot_minus_wall_ns().unwrap_or(0),
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
        assert_eq!(
            sent.image_header(&RobotClock::default()).unwrap(),
            Some(header)
        );
        let sent = Entry::from(entry("a", "b", Some(&number(1))))
            .open()
            .unwrap();
        assert_eq!(sent.image_header(&RobotClock::default()).unwrap(), None);
    }
}
