//! Things to say that would otherwise be said with every frame.

use std::collections::BTreeMap;

use eyre::Result;
use tiller_messages::Level;
use tiller_node_kit::Outbox;

/// Time after which the same is said again, ns.
const AGAIN_NS: u64 = 5_000_000_000;
/// Least time between two different things about the same, ns.
const CHANGE_NS: u64 = 300_000_000;

/// Remembers what was said, by what it is about.
#[derive(Default)]
pub(crate) struct Notices {
    said: BTreeMap<(&'static str, &'static str), Said>,
}

struct Said {
    text: String,
    when_ns: u64,
    count: u64,
}

impl Notices {
    /// Warns, unless the same was said a moment ago; `about` is an input, or empty.
    pub(crate) fn warn(
        &mut self,
        outbox: &mut Outbox,
        now_ns: u64,
        (code, about): (&'static str, &'static str),
        text: String,
    ) -> Result<()> {
        let said = self.said.entry((code, about)).or_insert_with(|| Said {
            text: String::new(),
            when_ns: 0,
            count: 0,
        });
        said.count += 1;
        let pause_ns = if said.text == text {
            AGAIN_NS
        } else {
            CHANGE_NS
        };
        if said.count > 1 && now_ns.saturating_sub(said.when_ns) < pause_ns {
            return Ok(());
        }
        let repeated = if said.count > 1 {
            format!(" ({} so far)", said.count)
        } else {
            String::new()
        };
        let told = format!("{text}{repeated}");
        (said.text, said.when_ns) = (text, now_ns);
        outbox.tell(Level::Warning, code, told)
    }
}
