//! The file, on a thread of its own: a slow disk keeps nobody from listening.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use dora_node_api::uuid::Uuid;
use dora_recording::{FORMAT_VERSION, RecordEntry, RecordingHeader, RecordingWriter};
use eyre::{Result, WrapErr};
use tiller_core::file::create_in_place;
use tiller_node_kit::thread_steps_back;

/// Bytes that may wait for the disk; what comes beyond them is left out, and counted.
const WAITING: usize = 512 << 20;

/// How often everything is handed on to the file: so much is lost at most if the node is killed.
const FLUSH: Duration = Duration::from_secs(1);

/// A recording that is being written.
pub(crate) struct Disk {
    sender: Option<Sender<RecordEntry>>,
    waiting: Arc<AtomicUsize>,
    is_broken: Arc<AtomicBool>,
    thread: Option<JoinHandle<Written>>,
}

/// What was written.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
    /// Why no more was.
    pub(crate) error: Option<String>,
}

impl Disk {
    /// Makes the file, which takes the place of one that is there.
    ///
    /// # Errors
    /// When that cannot be.
    pub(crate) fn create(path: &Path, descriptor: &str, start_ns: u64) -> Result<Self> {
        let cannot = || format!("cannot record to {}", path.display());
        let file = create_in_place(path).wrap_err_with(cannot)?;
        let header = RecordingHeader {
            version: FORMAT_VERSION,
            start_nanos: start_ns,
            dataflow_id: Uuid::now_v7(),
            descriptor_yaml: descriptor.as_bytes().to_vec(),
        };
        let mut writer = RecordingWriter::new(file, &header).wrap_err_with(cannot)?;
        writer.flush().wrap_err_with(cannot)?;
        Self::start(writer, path)
    }

    fn start<W: Write + Send + 'static>(writer: RecordingWriter<W>, path: &Path) -> Result<Self> {
        let (sender, entries) = channel();
        let scribe = Scribe {
            writer,
            path: path.to_owned(),
            waiting: Arc::default(),
            is_broken: Arc::default(),
        };
        let (waiting, is_broken) = (Arc::clone(&scribe.waiting), Arc::clone(&scribe.is_broken));
        let thread = thread::Builder::new()
            .name("disk".to_owned())
            .spawn(move || scribe.run(&entries))
            .wrap_err("cannot start the disk's thread")?;
        Ok(Self {
            sender: Some(sender),
            waiting,
            is_broken,
            thread: Some(thread),
        })
    }

    /// Hands an entry on; false where it will not be written.
    pub(crate) fn take(&mut self, entry: RecordEntry) -> bool {
        let bytes = entry.event_bytes.len();
        let is_full = self.waiting.load(Ordering::Acquire) + bytes > WAITING;
        if is_full || self.is_broken.load(Ordering::Acquire) {
            return false;
        }
        self.waiting.fetch_add(bytes, Ordering::AcqRel);
        self.sender
            .as_ref()
            .is_some_and(|sender| sender.send(entry).is_ok())
    }

    /// Writes what waits, and the end.
    pub(crate) fn finish(mut self) -> Written {
        self.sender = None;
        let written = self.thread.take().map(JoinHandle::join);
        match written {
            Some(Ok(written)) => written,
            _ => Written {
                error: Some("the disk's thread panicked".to_owned()),
                ..Written::default()
            },
        }
    }
}

struct Scribe<W: Write> {
    writer: RecordingWriter<W>,
    path: PathBuf,
    waiting: Arc<AtomicUsize>,
    is_broken: Arc<AtomicBool>,
}

impl<W: Write> Scribe<W> {
    fn run(mut self, entries: &Receiver<RecordEntry>) -> Written {
        // What waits for the disk is in memory; what is not received in time is lost.
        thread_steps_back();
        let mut written = Written::default();
        let mut flushed = Instant::now();
        loop {
            let entry = match entries.recv_timeout(FLUSH) {
                Ok(entry) => Some(entry),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            if let Some(entry) = entry {
                self.waiting
                    .fetch_sub(entry.event_bytes.len(), Ordering::AcqRel);
                if written.error.is_some() {
                    continue;
                }
                match self.writer.write_entry(&entry) {
                    Ok(()) => {
                        written.messages += 1;
                        written.bytes += entry.encoded_len() as u64;
                    }
                    Err(error) => self.give_up(&mut written, &error),
                }
            }
            if written.error.is_none() && flushed.elapsed() >= FLUSH {
                flushed = Instant::now();
                if let Err(error) = self.writer.flush() {
                    self.give_up(&mut written, &error);
                }
            }
        }
        if written.error.is_none()
            && let Err(error) = self.writer.finish()
        {
            written.error = Some(format!("cannot write {}: {error:#}", self.path.display()));
        }
        written
    }

    /// Said at once; the dataflow goes on without a recording.
    fn give_up(&self, written: &mut Written, error: &eyre::Report) {
        let text = format!("cannot write {}: {error:#}", self.path.display());
        tracing::error!("{text}: nothing more is recorded");
        self.is_broken.store(true, Ordering::Release);
        written.error = Some(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk with room for so many bytes.
    struct Small(usize);

    impl Write for Small {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            match self.0.checked_sub(bytes.len()) {
                Some(left) => self.0 = left,
                None => return Err(std::io::ErrorKind::StorageFull.into()),
            }
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn disk(room: usize) -> Disk {
        let header = RecordingHeader {
            version: FORMAT_VERSION,
            start_nanos: 0,
            dataflow_id: Uuid::nil(),
            descriptor_yaml: Vec::new(),
        };
        let writer = RecordingWriter::new(Small(room), &header).unwrap();
        Disk::start(writer, Path::new("x.drec")).unwrap()
    }

    fn entry(bytes: usize) -> RecordEntry {
        RecordEntry {
            node_id: "a".to_owned(),
            output_id: "b".to_owned(),
            timestamp_offset_nanos: 0,
            event_bytes: vec![0; bytes],
        }
    }

    #[test]
    fn everything_is_written_in_order_to_its_end() {
        let mut disk = disk(1 << 20);
        assert!((0..100).all(|_| disk.take(entry(1_000))));
        let written = disk.finish();
        assert_eq!((written.messages, written.error), (100, None));
        assert!(written.bytes > 100_000);
    }

    #[test]
    fn a_full_disk_is_told_and_nobody_waits_for_it() {
        let mut disk = disk(64 << 10);
        let mut taken = 0_u64;
        while disk.take(entry(8 << 10)) {
            taken += 1;
            assert!(taken < 1_000_000, "what is left out must be said");
        }
        let written = disk.finish();
        let error = written.error.expect("it is full");
        assert!(error.contains("cannot write x.drec"), "{error}");
        assert!(written.messages < taken && taken >= 8, "{taken}");
    }

    #[test]
    fn what_is_too_long_to_wait_is_left_out() {
        let mut disk = disk(1 << 20);
        assert!(!disk.take(entry(WAITING + 1)));
        assert_eq!(disk.finish().messages, 0);
    }
}
