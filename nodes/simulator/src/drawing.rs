//! A thread that draws pictures, so that the world need not stand still meanwhile.

use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;

use eyre::{Result, WrapErr, eyre};
use tiller_world::{Frame, Shot, Studio};

/// A picture on its way: what is to be drawn, and afterwards what it looks like.
pub(crate) struct Sheet {
    /// Which camera's.
    pub(crate) camera: usize,
    /// Number of the picture.
    pub(crate) seq: u64,
    /// What is to be added to the frame's stamp, ns.
    pub(crate) origin_ns: u64,
    pub(crate) shot: Box<dyn Shot>,
    pub(crate) frame: Frame,
}

/// The thread and what lies there.
pub(crate) struct Drawing {
    orders: Sender<Sheet>,
    drawn: Receiver<Drawn>,
    /// Pictures that have not come back.
    pending: usize,
}

/// A picture that was drawn, and on what.
struct Drawn {
    sheet: Result<Sheet>,
    device: Option<String>,
}

impl Drawing {
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start() -> Result<Self> {
        let (orders, ordered) = channel::<Sheet>();
        let (sender, drawn) = channel();
        thread::Builder::new()
            .name("drawing".to_owned())
            .spawn(move || {
                let mut studio = Studio::default();
                let mut is_named = false;
                for mut sheet in ordered {
                    let result = sheet.shot.draw(&mut studio, &mut sheet.frame);
                    let sheet = result.map(|()| sheet).map_err(eyre::Report::from);
                    let device = studio.device().filter(|_| !is_named).map(str::to_owned);
                    is_named |= device.is_some();
                    if sender.send(Drawn { sheet, device }).is_err() {
                        return;
                    }
                }
            })
            .wrap_err("cannot start the thread that draws")?;
        Ok(Self {
            orders,
            drawn,
            pending: 0,
        })
    }

    /// Has a picture drawn.
    ///
    /// # Errors
    /// When the thread has ended.
    pub(crate) fn order(&mut self, sheet: Sheet) -> Result<()> {
        self.orders.send(sheet).map_err(|_| ended())?;
        self.pending += 1;
        Ok(())
    }

    /// Whether pictures are being drawn.
    pub(crate) fn is_busy(&self) -> bool {
        self.pending > 0
    }

    /// The next picture that is ready, or with `wait` the next one at all; none when no more are being drawn.
    ///
    /// # Errors
    /// When it cannot be drawn, or the thread has ended.
    pub(crate) fn next(&mut self, wait: bool) -> Result<Option<Sheet>> {
        if !self.is_busy() {
            return Ok(None);
        }
        let drawn = if wait {
            self.drawn.recv().map_err(|_| ended())?
        } else {
            match self.drawn.try_recv() {
                Ok(drawn) => drawn,
                Err(TryRecvError::Empty) => return Ok(None),
                Err(TryRecvError::Disconnected) => return Err(ended()),
            }
        };
        self.pending -= 1;
        if let Some(device) = drawn.device {
            tracing::info!("rendering on {device}");
        }
        drawn.sheet.map(Some)
    }
}

fn ended() -> eyre::Report {
    eyre!("the thread that draws pictures has ended")
}
