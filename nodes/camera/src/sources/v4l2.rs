//! A device of Video4Linux, by the kernel's own interface.

use std::path::{Path, PathBuf};
use std::time::Duration;

use moq_v4l::buffer::{Flags, Metadata, Type};
use moq_v4l::io::traits::CaptureStream;
use moq_v4l::prelude::{Device, MmapStream};
use moq_v4l::video::Capture;
use moq_v4l::{Format, FourCC};
use tiller_node_kit::robot_clock_ns;

use super::{Fault, Options, Source};
use crate::frame::Frame;

/// Buffers that the driver fills in turn.
const BUFFERS: u32 = 4;
/// How long a device may take for a frame until it is opened anew.
const PATIENCE: Duration = Duration::from_secs(3);

/// How the device writes pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pixels {
    /// Four bytes for two pixels: Y, U, Y, V; BT.601, 16 to 235.
    Yuyv,
    /// Red, green, blue.
    Rgb,
    /// A JPEG file.
    Jpeg,
}

/// What is asked for, the first that the device has.
const FORMATS: [(&[u8; 4], Pixels); 3] = [
    (b"YUYV", Pixels::Yuyv),
    (b"RGB3", Pixels::Rgb),
    (b"MJPG", Pixels::Jpeg),
];

/// Reads a device.
pub(super) struct V4l2 {
    device: PathBuf,
    size: Option<[usize; 2]>,
    open: Option<Open>,
}

struct Open {
    // Before the device: it is let go first.
    stream: MmapStream<'static>,
    _device: Device,
    format: Format,
    pixels: Pixels,
}

impl V4l2 {
    pub(super) fn new(device: &Path, options: &Options) -> Self {
        Self {
            device: device.to_owned(),
            size: options.size,
            open: None,
        }
    }

    fn open(&self) -> std::io::Result<Open> {
        let device = Device::with_path(&self.device)?;
        let mut format = device.format()?;
        if let Some([width, height]) = self.size {
            format.width = width as u32;
            format.height = height as u32;
        }
        for (code, pixels) in FORMATS {
            format.fourcc = FourCC::new(code);
            let granted = device.set_format(&format)?;
            if granted.fourcc == format.fourcc {
                let mut stream = MmapStream::with_buffers(&device, Type::VideoCapture, BUFFERS)?;
                stream.set_timeout(PATIENCE);
                let _device = device;
                return Ok(Open {
                    stream,
                    _device,
                    format: granted,
                    pixels,
                });
            }
        }
        Err(std::io::Error::other(
            "expected one of the formats YUYV, RGB3 and MJPG, found none of them",
        ))
    }

    fn failed(&self, error: &std::io::Error) -> Fault {
        let device = self.device.display();
        Fault::Source(format!("`{device}`: {error}"))
    }
}

impl Source for V4l2 {
    fn next(&mut self, frame: &mut Frame) -> Result<(), Fault> {
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.open().map_err(|error| self.failed(&error))?,
        };
        let (format, pixels) = (open.format, open.pixels);
        let read = match open.stream.next() {
            Ok((bytes, metadata)) => {
                frame.stamp_ns = stamp_ns(metadata);
                let used = bytes.len().min(metadata.bytesused as usize);
                if metadata.flags.contains(Flags::ERROR) {
                    Err("the driver says that it is damaged".to_owned())
                } else {
                    take(&bytes[..used], &format, pixels, frame)
                }
            }
            Err(error) => return Err(self.failed(&error)),
        };
        self.open = Some(open);
        read.map_err(Fault::Frame)
    }
}

/// When a frame was taken: as the driver says, if it does by the monotonic clock.
fn stamp_ns(metadata: &Metadata) -> u64 {
    let clock = metadata.flags & Flags::TIMESTAMP_MASK;
    if clock != Flags::TIMESTAMP_MONOTONIC {
        return robot_clock_ns();
    }
    Duration::from(metadata.timestamp)
        .as_nanos()
        .try_into()
        .unwrap_or(u64::MAX)
}

fn take(bytes: &[u8], format: &Format, pixels: Pixels, frame: &mut Frame) -> Result<(), String> {
    frame.depth_mm.clear();
    if pixels == Pixels::Jpeg {
        return frame.decode_colour(bytes);
    }
    let (width, height) = (format.width as usize, format.height as usize);
    frame.set_size(width, height)?;
    let pixel = if pixels == Pixels::Rgb { 3 } else { 2 };
    // Rows may be padded.
    let stride = (format.stride as usize).max(width * pixel);
    let needed = stride * (height - 1) + width * pixel;
    if bytes.len() < needed {
        let found = bytes.len();
        return Err(format!("expected {needed} bytes, found {found}"));
    }
    frame.rgb.clear();
    for row in bytes.chunks(stride).take(height) {
        let row = &row[..width * pixel];
        match pixels {
            Pixels::Rgb => frame.rgb.extend_from_slice(row),
            _ => yuyv(row, &mut frame.rgb),
        }
    }
    Ok(())
}

/// Appends two pixels for each four bytes; BT.601 in fixed point, 8 bits behind the point.
fn yuyv(row: &[u8], rgb: &mut Vec<u8>) {
    for [y0, u, y1, v] in row.as_chunks::<4>().0 {
        let (u, v) = (i32::from(*u) - 128, i32::from(*v) - 128);
        for y in [y0, y1] {
            let y = 298 * (i32::from(*y) - 16) + 128;
            let channels = [y + 409 * v, y - 100 * u - 208 * v, y + 516 * u];
            rgb.extend(channels.map(|channel| (channel >> 8).clamp(0, 255) as u8));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yuyv_becomes_colour() {
        let mut rgb = Vec::new();
        // White and black; pure red twice.
        yuyv(&[235, 128, 16, 128, 81, 90, 81, 240], &mut rgb);
        assert_eq!(rgb[..6], [255, 255, 255, 0, 0, 0]);
        for pixel in rgb[6..].chunks(3) {
            assert!(pixel[0] > 250 && pixel[1] < 5 && pixel[2] < 5, "{pixel:?}");
        }
    }

    #[test]
    fn padded_rows_are_cut_and_short_frames_refused() {
        let mut format = Format::new(2, 2, FourCC::new(b"RGB3"));
        format.stride = 8;
        let bytes = [1, 2, 3, 4, 5, 6, 0, 0, 7, 8, 9, 10, 11, 12];
        let mut frame = Frame::default();
        take(&bytes, &format, Pixels::Rgb, &mut frame).unwrap();
        assert_eq!(frame.rgb, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        let error = take(&bytes[..13], &format, Pixels::Rgb, &mut frame).unwrap_err();
        assert!(error.contains("expected 14 bytes, found 13"), "{error}");
        assert!(take(b"no picture", &format, Pixels::Jpeg, &mut frame).is_err());
    }

    #[test]
    fn a_device_that_is_not_there_is_named_and_tried_again() {
        let options = Options {
            rate_hz: 10.0,
            size: None,
            repeats: true,
            ffmpeg: "ffmpeg".into(),
        };
        let mut source = V4l2::new(Path::new("/dev/no-such-video"), &options);
        for _ in 0..2 {
            let Err(Fault::Source(reason)) = source.next(&mut Frame::default()) else {
                panic!("there is no such device");
            };
            assert!(reason.contains("/dev/no-such-video"), "{reason}");
        }
    }
}
