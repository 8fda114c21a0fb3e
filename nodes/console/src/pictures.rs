//! Cameras' pictures for the page: the newest alone, packed on a thread that everybody else goes before.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use eyre::{Result, WrapErr};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use tiller_node_kit::thread_steps_back;
use tokio::sync::watch;

/// How closely a picture is kept, 1 to 100.
const QUALITY: u8 = 75;

/// A packed picture.
#[derive(Debug)]
pub(crate) struct Picture {
    /// Counts up over all cameras.
    pub(crate) number: u64,
    /// A JPEG file.
    pub(crate) jpeg: Vec<u8>,
}

/// The newest picture of each camera.
pub(crate) type Album = BTreeMap<String, Arc<Picture>>;

/// Pixels that wait to be packed, three bytes each.
struct Raw {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

#[derive(Default)]
struct Waiting {
    newest: BTreeMap<String, Raw>,
    /// Pictures whose names begin so are shown no longer.
    forgotten: Option<String>,
    is_closed: bool,
}

impl Waiting {
    /// Takes turns, so that one that comes often holds no other back: the first name after the last.
    fn next(&mut self, last: &str) -> Option<(String, Raw)> {
        let after = (Bound::Excluded(last), Bound::Unbounded);
        let mut later = self.newest.range::<str, _>(after);
        let name = later.next().or_else(|| self.newest.first_key_value())?.0;
        let name = name.clone();
        self.newest.remove_entry(&name)
    }
}

/// Packs pictures in the background.
pub(crate) struct Packer {
    waiting: Arc<(Mutex<Waiting>, Condvar)>,
    taken: BTreeMap<String, Instant>,
    between: Duration,
}

impl Packer {
    /// Starts the thread; what it has packed goes to `album`.
    pub(crate) fn start(between: Duration, album: watch::Sender<Album>) -> Result<Self> {
        let waiting = Arc::new((Mutex::new(Waiting::default()), Condvar::new()));
        let theirs = Arc::clone(&waiting);
        thread::Builder::new()
            .name("pictures".to_owned())
            .spawn(move || pack_all(&theirs, &album))
            .wrap_err("no thread for pictures")?;
        Ok(Self {
            waiting,
            taken: BTreeMap::new(),
            between,
        })
    }

    /// Whether a camera's picture is to be taken now: not so soon after its last.
    pub(crate) fn is_due(&mut self, input: &str) -> bool {
        let now = Instant::now();
        // A picture that comes a moment early belongs to its beat.
        let between = self.between.mul_f64(0.9);
        match self.taken.get_mut(input) {
            Some(last) if now.duration_since(*last) < between => false,
            Some(last) => {
                *last = now;
                true
            }
            None => {
                self.taken.insert(input.to_owned(), now);
                true
            }
        }
    }

    /// Hands a picture on in the place of one that still waits; never waits itself.
    pub(crate) fn put(&self, input: &str, width: u32, height: u32, rgb: &[u8]) {
        let (lock, something) = &*self.waiting;
        let raw = Raw {
            width,
            height,
            rgb: rgb.to_vec(),
        };
        let mut waiting = lock.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.newest.insert(input.to_owned(), raw);
        drop(waiting);
        something.notify_one();
    }

    /// Shows pictures no longer whose names begin so, before it packs another.
    pub(crate) fn forget(&self, begin: &str) {
        let mut waiting = self
            .waiting
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        waiting.newest.retain(|name, _| !name.starts_with(begin));
        waiting.forgotten = Some(begin.to_owned());
    }
}

impl Drop for Packer {
    fn drop(&mut self) {
        let (lock, something) = &*self.waiting;
        let mut waiting = lock.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.is_closed = true;
        drop(waiting);
        something.notify_one();
    }
}

fn pack_all(waiting: &(Mutex<Waiting>, Condvar), album: &watch::Sender<Album>) {
    thread_steps_back();
    let (lock, something) = waiting;
    let (mut number, mut last) = (0, String::new());
    loop {
        let mut state = lock.lock().unwrap_or_else(PoisonError::into_inner);
        let (input, raw) = loop {
            if state.is_closed {
                return;
            }
            match state.next(&last) {
                Some(next) => break next,
                None => {
                    state = something
                        .wait(state)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            }
        };
        let forgotten = state.forgotten.take();
        last.clone_from(&input);
        drop(state);
        if let Some(begin) = forgotten {
            album.send_modify(|album| album.retain(|name, _| !name.starts_with(&begin)));
        }
        match pack(&raw) {
            Ok(jpeg) => {
                number += 1;
                let picture = Arc::new(Picture { number, jpeg });
                album.send_modify(|album| drop(album.insert(input, picture)));
            }
            Err(error) => tracing::warn!("`{input}` is not shown: {error:#}"),
        }
    }
}

fn pack(raw: &Raw) -> Result<Vec<u8>> {
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, QUALITY);
    // Thin lines and small things of one colour stay what they are.
    encoder.set_sampling_factor(SamplingFactor::F_1_1);
    let [width, height] = [raw.width, raw.height].map(u16::try_from);
    encoder.encode(&raw.rgb, width?, height?, ColorType::Rgb)?;
    Ok(jpeg)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_picture_of_each_camera_is_packed() {
        let (sender, mut album) = watch::channel(Album::new());
        let packer = Packer::start(Duration::from_millis(1), sender).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        packer.put("image", 4, 2, &[200; 24]);
        packer.put("wrist_image", 2, 2, &[10; 12]);
        runtime.block_on(async {
            album.wait_for(|album| album.len() == 2).await.unwrap();
        });
        let packed = album.borrow();
        let picture = image::load_from_memory(&packed["image"].jpeg).unwrap();
        assert_eq!((picture.width(), picture.height()), (4, 2));
    }

    #[test]
    fn cameras_take_turns() {
        let mut waiting = Waiting::default();
        let mut last = String::new();
        let mut order = Vec::new();
        for _ in 0..5 {
            for name in ["a", "b", "c"] {
                let raw = Raw {
                    width: 1,
                    height: 1,
                    rgb: vec![0; 3],
                };
                waiting.newest.insert(name.to_owned(), raw);
            }
            last = waiting.next(&last).unwrap().0;
            order.push(last.clone());
        }
        assert_eq!(order, ["a", "b", "c", "a", "b"]);
        assert_eq!(waiting.newest.len(), 2);
    }

    #[test]
    fn what_is_forgotten_is_shown_no_longer() {
        let (sender, mut album) = watch::channel(Album::new());
        let packer = Packer::start(Duration::from_millis(1), sender).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let mut shows = |name: &str| {
            packer.put(name, 1, 1, &[0; 3]);
            runtime.block_on(async {
                let shown = album.wait_for(|album| album.contains_key(name)).await;
                shown.unwrap().len()
            })
        };
        assert_eq!(shows("image"), 1);
        assert_eq!(shows("reward 1 1"), 2);
        packer.forget("reward ");
        assert_eq!(shows("reward 2 1"), 2);
    }

    #[test]
    fn what_is_no_picture_is_left_out_and_the_thread_goes_on() {
        let (sender, mut album) = watch::channel(Album::new());
        let packer = Packer::start(Duration::from_millis(1), sender).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        packer.put("a", 70_000, 1, &[0; 210_000]);
        packer.put("b", 1, 1, &[0; 3]);
        runtime.block_on(async {
            album
                .wait_for(|album| album.contains_key("b"))
                .await
                .unwrap();
        });
        assert!(!album.borrow().contains_key("a"));
    }
}
