//! What a reader allocates per frame, counted: the pixels stay where they arrived.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use arrow::array::{ArrayRef, UInt16Array};
use dora_node_api::arrow_utils::{IpcPayload, decode_arrow_ipc_zero_copy, encode_arrow_ipc};
use dora_node_api::{DoraArray, IntoArrow, Metadata, MetadataParameters, Parameter, uhlc::HLC};
use tiller_node_kit::ImageReader;

struct Counting;

thread_local! {
    static ALLOCATED: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: everything is handed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.with(|bytes| bytes.set(bytes.get() + layout.size()));
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes that a reader may allocate a frame, whatever its size: the header's words and numbers,
/// and what dora's decoder needs for the stream around the pixels.
const LIMIT: usize = 4096;

fn metadata(encoding: &str, side: usize) -> Metadata {
    let text = |text: &str| Parameter::String(text.to_owned());
    let parameters = MetadataParameters::from([
        ("encoding".to_owned(), text(encoding)),
        ("frame_id".to_owned(), text("static")),
        ("width".to_owned(), Parameter::Integer(side as i64)),
        ("height".to_owned(), Parameter::Integer(side as i64)),
        ("stamp_ns".to_owned(), Parameter::Integer(5)),
        ("focal".to_owned(), Parameter::ListFloat(vec![300.0; 2])),
        (
            "resolution".to_owned(),
            Parameter::ListFloat(vec![128.0; 2]),
        ),
        (
            "world_from_camera".to_owned(),
            Parameter::ListFloat(vec![0.5; 16]),
        ),
    ]);
    Metadata::from_parameters(HLC::default().new_timestamp(), parameters)
}

/// Bytes allocated and a sum over the pixels, from the arrival of the message to the last pixel
/// read, in the steady state.
fn reading(encoding: &str, side: usize, message: &DoraArray) -> (usize, u64) {
    let metadata = metadata(encoding, side);
    let payload = IpcPayload::from_vec(encode_arrow_ipc(message).unwrap());
    let mut reader = ImageReader::new();
    let mut read = || {
        let before = ALLOCATED.get();
        let data = decode_arrow_ipc_zero_copy(payload.clone()).unwrap();
        let image = reader.read(&metadata, &data).unwrap();
        let sum = match image.rgb() {
            Ok(rgb) => rgb.iter().map(|v| u64::from(*v)).sum(),
            Err(_) => image
                .depth_mm()
                .unwrap()
                .iter()
                .map(|v| u64::from(*v))
                .sum::<u64>(),
        };
        (ALLOCATED.get() - before, sum)
    };
    read();
    read()
}

#[test]
fn what_a_reader_allocates_does_not_depend_on_the_size_of_the_image() {
    for encoding in ["rgb8", "bgr8", "mono16", "32FC1"] {
        let mut counts = Vec::new();
        for side in [64, 256, 1024] {
            let pixels = side * side;
            let message = match encoding {
                "mono16" => {
                    DoraArray::from(Arc::new(UInt16Array::from(vec![900; pixels])) as ArrayRef)
                }
                "32FC1" => vec![0.9_f32; pixels].into_arrow(),
                _ => vec![3_u8; pixels * 3].into_arrow(),
            };
            let (allocated, sum) = reading(encoding, side, &message);
            let expected = if encoding.ends_with("gb8") || encoding == "bgr8" {
                9
            } else {
                900
            };
            assert_eq!(sum, expected * pixels as u64, "{encoding} {side}");
            counts.push(allocated);
        }
        println!("{encoding}: {counts:?} bytes a frame");
        assert!(
            counts.iter().all(|bytes| *bytes <= LIMIT),
            "{encoding}: {counts:?}"
        );
        assert_eq!(counts[0], counts[2], "{encoding}");
    }
}
