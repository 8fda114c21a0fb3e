//! A cable between two network namespaces that can be bad.
//!
//! Its ends are TUN devices, and this process carries every packet from one to the other: late, or never. So nothing
//! between them notices that the network is not real, and no kernel needs `sch_netem`.

use std::collections::VecDeque;
use std::ffi::c_char;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What becomes of packets on their way, in each direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Quality {
    /// How long each takes at least.
    pub(crate) delay: Duration,
    /// What is added to that at most; packets stay in order, as in a queue.
    pub(crate) jitter: Duration,
    /// Share of packets that never arrive, 0 to 1.
    pub(crate) loss: f64,
}

/// A cable on a desk.
pub(crate) const GOOD: Quality = Quality {
    delay: Duration::ZERO,
    jitter: Duration::ZERO,
    loss: 0.0,
};

/// A cable that is pulled out.
pub(crate) const CUT: Quality = Quality { loss: 1.0, ..GOOD };

/// Largest packet: an Ethernet cable's, so that loss hits as it does there.
pub(crate) const MTU: usize = 1500;

/// How long a direction sleeps at most before it looks whether the link is still wanted.
const LOOK: Duration = Duration::from_millis(50);

/// A link that carries packets until it is dropped.
pub(crate) struct Link {
    qualities: [Arc<Mutex<Quality>>; 2],
    stopped: Arc<AtomicBool>,
    carried: [Arc<AtomicU64>; 2],
    threads: Vec<JoinHandle<()>>,
}

impl Link {
    /// Takes the two ends; packets go from each to the other, at once.
    pub(crate) fn between(ends: [File; 2]) -> io::Result<Self> {
        let qualities = [(); 2].map(|()| Arc::new(Mutex::new(GOOD)));
        let stopped = Arc::new(AtomicBool::new(false));
        let carried = [(); 2].map(|()| Arc::new(AtomicU64::new(0)));
        let [a, b] = ends;
        let mut threads = Vec::new();
        let ways = [(a.try_clone()?, b.try_clone()?), (b, a)];
        for (index, (from, to)) in ways.into_iter().enumerate() {
            let way = Way {
                from,
                to,
                quality: Arc::clone(&qualities[index]),
                carried: Arc::clone(&carried[index]),
                waiting: VecDeque::new(),
                dice: Dice(index as u64 + 1),
            };
            let stopped = Arc::clone(&stopped);
            threads.push(thread::spawn(move || way.carry(&stopped)));
        }
        Ok(Self {
            qualities,
            stopped,
            carried,
            threads,
        })
    }

    /// What becomes of packets from now on.
    pub(crate) fn set(&self, quality: Quality) {
        self.set_from(0, quality);
        self.set_from(1, quality);
    }

    /// The same for those that come from one end alone.
    pub(crate) fn set_from(&self, end: usize, quality: Quality) {
        *self.qualities[end].lock().unwrap() = quality;
    }

    /// Bytes that arrived at the second end and at the first.
    pub(crate) fn carried(&self) -> [u64; 2] {
        [0, 1].map(|way| self.carried[way].load(Ordering::Relaxed))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// One direction.
struct Way {
    from: File,
    to: File,
    quality: Arc<Mutex<Quality>>,
    carried: Arc<AtomicU64>,
    /// What is on its way, and when it arrives.
    waiting: VecDeque<(Instant, Vec<u8>)>,
    dice: Dice,
}

impl Way {
    fn carry(mut self, stopped: &AtomicBool) {
        let mut buffer = vec![0; MTU];
        while !stopped.load(Ordering::Relaxed) {
            let due = self.waiting.front().map(|(due, _)| *due);
            let until = due.map_or(LOOK, |due| due.saturating_duration_since(Instant::now()));
            wait_for(&self.from, until.min(LOOK));
            loop {
                match self.from.read(&mut buffer) {
                    Ok(length) => self.take(&buffer[..length]),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    // The namespace, and the device with it, is gone.
                    Err(_) => return,
                }
            }
            let now = Instant::now();
            while let Some((_, packet)) = self.waiting.pop_front_if(|(due, _)| *due <= now) {
                // A full queue, or a device that is down, loses packets.
                if self.to.write(&packet).is_ok() {
                    let length = packet.len() as u64;
                    self.carried.fetch_add(length, Ordering::Relaxed);
                }
            }
        }
    }

    fn take(&mut self, packet: &[u8]) {
        let quality = *self.quality.lock().unwrap();
        if self.dice.throw() < quality.loss {
            return;
        }
        let late = quality.delay + quality.jitter.mul_f64(self.dice.throw());
        let before = self.waiting.back().map(|(due, _)| *due);
        let due = Instant::now() + late;
        let due = before.map_or(due, |before| due.max(before));
        self.waiting.push_back((due, packet.to_vec()));
    }
}

/// Numbers from 0 to 1 that are the same in every run (SplitMix64).
struct Dice(u64);

impl Dice {
    fn throw(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// A new TUN device of this name, which lives as long as the file; reading and writing never wait.
///
/// # Errors
/// Where the kernel has no such devices, or does not let this user make one.
pub(crate) fn tun(name: &str) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NONBLOCK)
        .open("/dev/net/tun")?;
    // SAFETY: plain numbers and arrays of them, for which zero is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (letter, byte) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *letter = byte as c_char;
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI) as i16;
    // SAFETY: the request is what TUNSETIFF wants, and outlives the call; the descriptor is open.
    match unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw const request) } {
        0 => Ok(file),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Until there is something to read, or time is up.
fn wait_for(file: &File, limit: Duration) {
    let mut asked = libc::pollfd {
        fd: file.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    let limit_ms = limit.as_nanos().div_ceil(1_000_000) as i32;
    // SAFETY: one entry, which outlives the call.
    unsafe { libc::poll(&raw mut asked, 1, limit_ms) };
}
