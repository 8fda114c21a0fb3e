//! What somebody who watches gets: sections that have changed, and the newest pictures.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::Response;
use tokio::time::timeout;

use super::{Hub, Part, refusal};
use crate::pictures::Album;

/// Most who watch at a time.
const MOST_WATCHERS: usize = 8;

/// Most bytes of what somebody who watches says: nothing but that pictures were drawn.
const MOST_SAID: usize = 1024;

/// Pictures that may be on their way to somebody: more wait for a word that these were drawn.
const MOST_ON_THE_WAY: usize = 4;

/// How long a message may take; who needs longer is let go.
const SLOWEST: Duration = Duration::from_secs(10);

/// Counts somebody who watches.
struct Watching(Arc<AtomicUsize>);

impl Watching {
    fn begin(watchers: &Arc<AtomicUsize>) -> Option<Self> {
        let is_room = |count| (count < MOST_WATCHERS).then_some(count + 1);
        let counted = watchers.fetch_update(Ordering::Relaxed, Ordering::Relaxed, is_room);
        counted.ok().map(|_| Self(Arc::clone(watchers)))
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Begins to show.
pub(super) async fn upgrade(State(hub): State<Arc<Hub>>, upgrade: WebSocketUpgrade) -> Response {
    let Some(watching) = Watching::begin(&hub.watchers) else {
        return refusal(
            StatusCode::SERVICE_UNAVAILABLE,
            "expected at most 8 pages at a time",
        );
    };
    upgrade
        .max_message_size(MOST_SAID)
        .on_upgrade(move |socket| async move {
            show(socket, &hub).await;
            drop(watching);
        })
}

async fn show(mut socket: WebSocket, hub: &Hub) {
    let (mut parts, mut album) = (hub.parts.clone(), hub.album.clone());
    parts.mark_changed();
    album.mark_changed();
    let mut known: Vec<Part> = Vec::new();
    let mut shown: BTreeMap<String, u64> = BTreeMap::new();
    let mut on_the_way = 0_usize;
    loop {
        let message = tokio::select! {
            biased;
            said = socket.recv() => match said {
                Some(Ok(Message::Text(text))) => {
                    if text.as_str() == "drawn" {
                        on_the_way = on_the_way.saturating_sub(1);
                        album.mark_changed();
                    }
                    continue;
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                _ => return,
            },
            changed = parts.changed() => match changed {
                Err(_) => return,
                Ok(()) => {
                    let newest = parts.borrow_and_update().clone();
                    let text = changes(&known, &newest);
                    known = newest;
                    match text {
                        Some(text) => Message::Text(text.into()),
                        None => continue,
                    }
                }
            },
            changed = album.changed(), if on_the_way < MOST_ON_THE_WAY => match changed {
                Err(_) => return,
                Ok(()) => {
                    let picture = next_picture(&album.borrow_and_update(), &mut shown);
                    let Some(picture) = picture else { continue };
                    on_the_way += 1;
                    // Another camera may have one too.
                    album.mark_changed();
                    Message::Binary(picture.into())
                }
            },
        };
        match timeout(SLOWEST, socket.send(message)).await {
            Ok(Ok(())) => {}
            _ => return,
        }
    }
}

/// The sections that are other than they were, as one object.
fn changes(known: &[Part], newest: &[Part]) -> Option<String> {
    let is_known = |part: &Part| {
        let same = |known: &Part| known.name == part.name && Arc::ptr_eq(&known.json, &part.json);
        known.iter().any(same)
    };
    let mut text = String::new();
    for part in newest.iter().filter(|part| !is_known(part)) {
        text.push(if text.is_empty() { '{' } else { ',' });
        text.push_str(&format!("\"{}\":{}", part.name, part.json));
    }
    (!text.is_empty()).then(|| text + "}")
}

/// A camera's newest picture that was not shown: one byte with the length of its name, the name, a JPEG
/// file. The camera whose last one is oldest goes first.
fn next_picture(album: &Album, shown: &mut BTreeMap<String, u64>) -> Option<Vec<u8>> {
    let newer = album.iter().filter(|(name, picture)| {
        let last = shown.get(*name);
        last.is_none_or(|last| *last < picture.number)
    });
    let (name, picture) = newer.min_by_key(|(name, _)| shown.get(*name).copied())?;
    let length = u8::try_from(name.len()).ok()?;
    let mut bytes = Vec::with_capacity(1 + name.len() + picture.jpeg.len());
    bytes.push(length);
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(&picture.jpeg);
    shown.insert(name.clone(), picture.number);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pictures::Picture;

    fn part(name: &'static str, json: &str) -> Part {
        Part {
            name,
            json: json.into(),
        }
    }

    #[test]
    fn only_what_has_changed_goes_out() {
        let (arm, ages) = (part("arm", "1"), part("ages", "2"));
        let first = [arm.clone(), ages];
        assert_eq!(
            changes(&[], &first).as_deref(),
            Some(r#"{"arm":1,"ages":2}"#)
        );
        assert_eq!(changes(&first, &first), None);
        let second = [arm, part("ages", "3")];
        assert_eq!(changes(&first, &second).as_deref(), Some(r#"{"ages":3}"#));
    }

    #[test]
    fn cameras_take_turns_and_no_picture_is_shown_twice() {
        let picture = |number| {
            let jpeg = vec![7];
            Arc::new(Picture { number, jpeg })
        };
        let mut album = Album::from([("a".to_owned(), picture(1)), ("b".to_owned(), picture(2))]);
        let mut shown = BTreeMap::new();
        let mut next = |album: &Album| next_picture(album, &mut shown).map(|bytes| bytes[1]);
        assert_eq!(next(&album), Some(b'a'));
        album.insert("a".to_owned(), picture(3));
        assert_eq!(next(&album), Some(b'b'));
        assert_eq!(next(&album), Some(b'a'));
        assert_eq!(next(&album), None);
    }
}
