//! Metadata of dora and the header of an image, both ways.

use std::time::{SystemTime, UNIX_EPOCH};

use dora_node_api::{Metadata, MetadataParameters, Parameter};
use rustix::time::{ClockId, clock_gettime};
use tiller_core::RobotClock;
use tiller_messages::{HeaderError, HeaderValue, ImageHeader, SentAt};

/// The monotonic clock of this machine, ns: the clock of stamps on hardware, as long as this is the robot's machine.
pub fn robot_clock_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    seconds * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}

/// Clocks that stand closer together are one clock, seen through the delay with which messages are sent, ns: machines
/// were not started within so short a time.
const ONE_CLOCK_NS: u64 = 100_000_000;

/// The robot's clock less wall time, ns. That of this machine is read to the microsecond; where the robot is another,
/// what was learnt of it is as good as it gets.
fn robot_minus_wall_ns(learnt: &RobotClock) -> i64 {
    let own = i64::try_from(own_minus_wall_ns()).unwrap_or(0);
    let others = learnt.robot_minus_wall_ns();
    others
        .filter(|others| others.abs_diff(own) > ONE_CLOCK_NS)
        .unwrap_or(own)
}

/// This machine's clock less wall time, ns: wall time is read between two readings of the clock that are close together,
/// for a thread may be put aside in between, and a stamp that is wrong by that refuses all that come after it.
fn own_minus_wall_ns() -> i128 {
    const CLOSE_NS: u64 = 100_000;
    let read = || {
        let before = robot_clock_ns();
        let wall = SystemTime::now().duration_since(UNIX_EPOCH);
        let after = robot_clock_ns();
        let wall_ns = wall.map_or(0, |since| i128::try_from(since.as_nanos()).unwrap_or(0));
        (after - before, i128::from(before) - wall_ns)
    };
    let mut best = read();
    for _ in 0..8 {
        if best.0 <= CLOSE_NS {
            break;
        }
        best = best.min(read());
    }
    best.1
}

/// When a message was sent, ns since 1970.
pub(super) fn sent_ns(metadata: &Metadata) -> u64 {
    metadata.timestamp().get_time().as_nanos()
}

/// The header in a message's metadata.
pub(super) fn header(metadata: &Metadata, clock: &RobotClock) -> Result<ImageHeader, HeaderError> {
    let sent = SentAt {
        wall_ns: sent_ns(metadata),
        robot_minus_wall_ns: robot_minus_wall_ns(clock),
    };
    ImageHeader::from_lookup(|key| value(&metadata.parameters, key), sent)
}

/// A metadata value in the header's terms. Hub cameras write `focal` as integers.
fn value(parameters: &MetadataParameters, key: &str) -> Option<HeaderValue> {
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

/// The metadata of an image.
pub(crate) fn parameters(header: &ImageHeader) -> MetadataParameters {
    let pairs = header.to_pairs().into_iter().map(|(key, value)| {
        let parameter = match value {
            HeaderValue::Integer(n) => Parameter::Integer(n),
            HeaderValue::Number(n) => Parameter::Float(n),
            HeaderValue::Text(text) => Parameter::String(text),
            HeaderValue::Numbers(numbers) => Parameter::ListFloat(numbers),
            HeaderValue::Texts(texts) => Parameter::ListString(texts),
            HeaderValue::Flag(flag) => Parameter::Bool(flag),
        };
        (key.to_owned(), parameter)
    });
    pairs.collect()
}
