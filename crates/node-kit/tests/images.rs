//! What cameras send: every convention that is understood, and damaged images that are refused by
//! name.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::io::Cursor;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, Float64Array, Int16Array, UInt8Array, UInt16Array};
use dora_node_api::{DoraArray, Metadata, MetadataParameters, Parameter, uhlc::HLC};
use image::{DynamicImage, GrayImage, ImageFormat, RgbImage, RgbaImage};
use proptest::prelude::*;
use tiller_messages::Encoding;
use tiller_node_kit::{ImageInput, ImageReader, robot_clock_ns};

const WIDTH: usize = 16;
const HEIGHT: usize = 8;
const PIXELS: usize = WIDTH * HEIGHT;

fn metadata(encoding: &str, more: &[(&str, Parameter)]) -> Metadata {
    let mut parameters = MetadataParameters::from([
        (
            "encoding".to_owned(),
            Parameter::String(encoding.to_owned()),
        ),
        ("width".to_owned(), Parameter::Integer(WIDTH as i64)),
        ("height".to_owned(), Parameter::Integer(HEIGHT as i64)),
    ]);
    for (key, value) in more {
        parameters.insert((*key).to_owned(), value.clone());
    }
    Metadata::from_parameters(HLC::default().new_timestamp(), parameters)
}

fn bytes(values: impl IntoIterator<Item = u8>) -> DoraArray {
    DoraArray::from(Arc::new(UInt8Array::from_iter_values(values)) as ArrayRef)
}

fn read(encoding: &str, data: &DoraArray) -> Result<ImageInput, String> {
    let metadata = metadata(encoding, &[]);
    let image = ImageReader::new().read(&metadata, data);
    image.map_err(|error| error.to_string())
}

/// Smooth colours, which survive JPEG.
fn rgb() -> Vec<u8> {
    let colour = |pixel: usize| [40 + (pixel % WIDTH) * 8, 90 + (pixel / WIDTH) * 6, 160];
    let colours = (0..PIXELS).flat_map(colour);
    colours.map(|channel| channel as u8).collect()
}

fn depth() -> Vec<u16> {
    (0..PIXELS).map(|pixel| 300 + 7 * pixel as u16).collect()
}

fn file(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let picture: DynamicImage = picture.into();
    picture.write_to(&mut file, format).unwrap();
    file.into_inner()
}

fn picture() -> RgbImage {
    RgbImage::from_raw(WIDTH as u32, HEIGHT as u32, rgb()).unwrap()
}

#[test]
fn every_way_to_send_colour_gives_the_same_pixels() {
    let rgb = rgb();
    let bgr = rgb.chunks(3).flat_map(|c| [c[2], c[1], c[0]]);
    let rgba = rgb.chunks(3).flat_map(|c| [c[0], c[1], c[2], 77]);
    let rgba = RgbaImage::from_raw(WIDTH as u32, HEIGHT as u32, rgba.collect()).unwrap();
    let mut padded = file(picture(), ImageFormat::Jpeg);
    padded.extend([0; 19]);
    let table = [
        ("rgb8", rgb.clone(), 0),
        ("RGB8", rgb.clone(), 0),
        ("bgr8", bgr.collect(), 0),
        ("png", file(picture(), ImageFormat::Png), 0),
        ("PNG", file(rgba, ImageFormat::Png), 0),
        ("jpeg", file(picture(), ImageFormat::Jpeg), 12),
        ("jpg", padded, 12),
    ];
    for (encoding, sent, tolerance) in table {
        let image = read(encoding, &bytes(sent)).unwrap();
        let found = image.rgb().unwrap();
        assert_eq!(found.len(), rgb.len(), "{encoding}");
        let off = found.iter().zip(&rgb).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(off.unwrap() <= tolerance, "{encoding} is off by {off:?}");
        assert!(image.depth_mm().is_err() && image.labels().is_err());
    }
}

#[test]
fn a_grey_jpeg_is_grey_in_colour() {
    let grey = GrayImage::from_pixel(WIDTH as u32, HEIGHT as u32, image::Luma([93]));
    let image = read("jpeg", &bytes(file(grey, ImageFormat::Jpeg))).unwrap();
    let pixels = image.rgb().unwrap();
    assert!(pixels.len() == 3 * PIXELS && pixels.iter().all(|v| v.abs_diff(93) <= 2));
}

#[test]
fn every_way_to_send_depth_gives_the_same_millimetres() {
    let depth = depth();
    let words = || Arc::new(UInt16Array::from(depth.clone())) as ArrayRef;
    let little = depth.iter().flat_map(|mm| mm.to_le_bytes());
    let metres: Vec<f32> = depth.iter().map(|mm| f32::from(*mm) * 1e-3).collect();
    let grey = image::ImageBuffer::from_raw(WIDTH as u32, HEIGHT as u32, depth.clone());
    let grey = DynamicImage::ImageLuma16(grey.unwrap());
    let table: [(&str, DoraArray); 6] = [
        ("mono16", words().into()),
        ("16UC1", words().into()),
        ("mono16", bytes(little)),
        (
            "32FC1",
            (Arc::new(Float32Array::from(metres.clone())) as ArrayRef).into(),
        ),
        ("32fc1", bytes(metres.iter().flat_map(|m| m.to_le_bytes()))),
        ("png", bytes(file(grey, ImageFormat::Png))),
    ];
    for (encoding, sent) in table {
        let image = read(encoding, &sent).unwrap();
        assert_eq!(image.depth_mm().unwrap(), depth, "{encoding}");
        assert!(image.rgb().is_err());
    }
}

#[test]
fn depth_that_no_millimetres_hold_is_unknown() {
    let mut metres = [1.5_f32; PIXELS];
    let odd = [f32::NAN, f32::INFINITY, -1.0, 0.0, 70.0, 65.535, 0.0004];
    metres[..odd.len()].copy_from_slice(&odd);
    let data = Arc::new(Float32Array::from(metres.to_vec())) as ArrayRef;
    let image = read("32FC1", &data.into()).unwrap();
    assert_eq!(
        image.depth_mm().unwrap()[..8],
        [0, 0, 0, 0, 0, 65535, 0, 1500]
    );
}

#[test]
fn labels_come_as_bytes_or_as_grey_png() {
    let ids: Vec<u8> = (0..PIXELS).map(|pixel| (pixel % 5) as u8).collect();
    let grey = GrayImage::from_raw(WIDTH as u32, HEIGHT as u32, ids.clone()).unwrap();
    for (encoding, sent) in [
        ("mono8", ids.clone()),
        ("png", file(grey, ImageFormat::Png)),
    ] {
        let image = read(encoding, &bytes(sent)).unwrap();
        assert_eq!(image.labels().unwrap(), ids);
    }
}

#[test]
fn a_camera_without_a_stamp_gets_the_time_of_sending() {
    let image = read("rgb8", &bytes(rgb())).unwrap();
    let age_ns = robot_clock_ns().abs_diff(image.header().stamp_ns);
    assert!(age_ns < 10_000_000_000, "off by {age_ns} ns");
}

/// The robot's machine was started 5000 s before this one. The
/// camera says when it took its frame in time since 1970, or nothing.
#[test]
fn a_camera_without_a_stamp_is_stamped_by_the_clock_of_the_robot_and_not_of_this_machine() {
    let hlc = HLC::default();
    let sent = |more: &[(&str, Parameter)]| {
        let parameters = metadata("rgb8", more).parameters;
        Metadata::from_parameters(hlc.new_timestamp(), parameters)
    };
    let ahead_ns = 5_000_000_000_000;
    let mut reader = ImageReader::new();
    let state = sent(&[]);
    let state_ns = robot_clock_ns() + ahead_ns;
    reader.learn_clock(state_ns, &state);
    let wall = |metadata: &Metadata| metadata.timestamp().get_time().as_nanos();
    let frame = sent(&[]);
    let stamped = Parameter::Integer((wall(&state) + 1_000_000) as i64);
    let since_1970 = sent(&[("timestamp", stamped)]);
    for (metadata, later_ns) in [
        (&frame, wall(&frame) - wall(&state)),
        (&since_1970, 1_000_000),
    ] {
        let image = reader.read(metadata, &bytes(rgb())).unwrap();
        assert_eq!(image.header().stamp_ns, state_ns + later_ns);
    }
    // One stamp that cannot be right changes nothing.
    reader.learn_clock(state_ns + 3_600_000_000_000, &sent(&[]));
    let image = reader.read(&frame, &bytes(rgb())).unwrap();
    let later_ns = wall(&frame) - wall(&state);
    assert_eq!(image.header().stamp_ns, state_ns + later_ns);
}

#[test]
fn numbers_of_any_kind_are_numbers() {
    let more = [
        ("width", Parameter::Float(WIDTH as f64)),
        ("focal_length", Parameter::ListInt(vec![615, 614])),
        ("resolution", Parameter::ListFloat(vec![8.5, 4.0])),
        ("stamp_ns", Parameter::Integer(77)),
    ];
    let image = ImageInput::read(&metadata("rgb8", &more), bytes(rgb())).unwrap();
    let header = image.header();
    assert_eq!(header.focal, Some([615.0, 614.0]));
    assert_eq!(header.principal_point, Some([8.5, 4.0]));
    assert_eq!(header.stamp_ns, 77);
}

/// A PNG or JPEG file with another size in its head.
fn claims(mut file: Vec<u8>, width: u32, height: u32) -> Vec<u8> {
    if file.starts_with(&[0xff, 0xd8]) {
        let frame = file.windows(2).position(|m| m == [0xff, 0xc0]).unwrap();
        file[frame + 5..frame + 7].copy_from_slice(&(height as u16).to_be_bytes());
        file[frame + 7..frame + 9].copy_from_slice(&(width as u16).to_be_bytes());
    } else {
        file[16..20].copy_from_slice(&width.to_be_bytes());
        file[20..24].copy_from_slice(&height.to_be_bytes());
    }
    file
}

#[test]
fn damaged_images_are_refused_by_name() {
    let jpeg = file(picture(), ImageFormat::Jpeg);
    let png = file(picture(), ImageFormat::Png);
    let cut = |file: &[u8]| bytes(file[..file.len() / 2].to_vec());
    let nulls = UInt8Array::from(vec![Some(1), None, Some(3)]);
    let table: Vec<(&str, DoraArray, &str)> = vec![
        (
            "rgb8",
            bytes(vec![0; 5]),
            "384 bytes (16 x 8 rgb8), found 5",
        ),
        (
            "bgr8",
            bytes(vec![0; 385]),
            "384 bytes (16 x 8 bgr8), found 385",
        ),
        ("rgb8", bytes(vec![]), "found 0"),
        ("mono8", bytes(vec![0; 127]), "128 bytes"),
        ("mono16", bytes(vec![0; 255]), "256 bytes"),
        (
            "mono16",
            (Arc::new(UInt16Array::from(vec![1; 127])) as ArrayRef).into(),
            "254",
        ),
        (
            "mono16",
            (Arc::new(Int16Array::from(vec![1; 128])) as ArrayRef).into(),
            "Int16",
        ),
        (
            "32FC1",
            (Arc::new(Float32Array::from(vec![1.0; 129])) as ArrayRef).into(),
            "516",
        ),
        (
            "32FC1",
            (Arc::new(Float64Array::from(vec![1.0; 128])) as ArrayRef).into(),
            "Float64",
        ),
        (
            "rgb8",
            (Arc::new(UInt16Array::from(vec![1; 384])) as ArrayRef).into(),
            "UInt16",
        ),
        ("rgb8", (Arc::new(nulls) as ArrayRef).into(), "1 nulls"),
        ("jpeg", cut(&jpeg), "a whole file"),
        ("jpeg", bytes(vec![]), "a whole file"),
        ("jpeg", bytes(vec![0; 64]), "a whole file"),
        ("jpeg", bytes(vec![0xff, 0xd8, 0xff, 0xd9]), "jpeg image"),
        ("jpeg", bytes(png.clone()), "a whole file"),
        (
            "jpeg",
            bytes(claims(jpeg.clone(), 60_000, 60_000)),
            "found 60000 x 60000",
        ),
        ("jpeg", bytes(claims(jpeg.clone(), 0, 0)), "jpeg image"),
        ("png", cut(&png), "png image"),
        ("png", bytes(vec![]), "png image"),
        ("png", bytes(jpeg), "png image"),
        ("png", bytes(claims(png, 60_000, 60_000)), "png image"),
        ("yuv420", bytes(vec![0; 192]), "found `yuv420`"),
    ];
    let mut reader = ImageReader::new();
    for (encoding, data, expected) in table {
        let error = reader
            .read(&metadata(encoding, &[]), &data)
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{encoding}: {error}");
        let good = reader.read(&metadata("bgr8", &[]), &bytes(rgb())).unwrap();
        assert_eq!(good.rgb().unwrap()[0], rgb()[2], "after {encoding}");
    }
}

#[test]
fn a_sound_image_of_another_kind_is_refused_by_its_reader() {
    let image = read("mono8", &bytes(vec![1; PIXELS])).unwrap();
    let error = image.rgb().unwrap_err().to_string();
    assert!(
        error.contains("`rgb8`") && error.contains("found `mono8`"),
        "{error}"
    );
}

#[test]
fn a_fingerprint_tells_pixels_apart() {
    let image = |rgb: Vec<u8>| read("rgb8", &bytes(rgb)).unwrap().fingerprint();
    let same = image(rgb());
    assert!(same != 0 && same == image(rgb()));
    for at in [0, 200, 3 * PIXELS - 1] {
        let mut other = rgb();
        other[at] ^= 1;
        assert_ne!(image(other), same, "{at}");
    }
    assert_eq!(image(vec![0; 3 * PIXELS]), 1);
}

#[test]
fn what_is_learnt_of_a_camera_leaves_its_pixels_their_size() {
    let mut image = read("rgb8", &bytes(rgb())).unwrap();
    image.complete(|header| {
        header.focal = Some([9.0; 2]);
        (header.width, header.encoding) = (4000, Encoding::Mono8);
    });
    let header = image.header();
    assert_eq!(
        (header.focal, header.width, header.encoding),
        (Some([9.0; 2]), WIDTH, Encoding::Rgb8)
    );
}

proptest! {
    /// A cable, a disc or a person may change any byte: an error or a picture, never a panic.
    #[test]
    fn no_change_of_a_file_ends_the_reader(
        png in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in any::<prop::sample::Index>(),
    ) {
        let (word, format) =
            if png { ("png", ImageFormat::Png) } else { ("jpeg", ImageFormat::Jpeg) };
        let mut file = file(picture(), format);
        for (at, value) in changes {
            let at = at.index(file.len());
            file[at] = value;
        }
        let whole = read(word, &bytes(file.clone()));
        if let Ok(image) = whole {
            prop_assert_eq!(image.header().pixels(), PIXELS);
        }
        let length = cut.index(file.len());
        prop_assert!(png || length + 2 > file.len() || read(word, &bytes(file[..length].to_vec())).is_err());
    }
}

#[test]
fn a_file_that_comes_again_is_not_decoded_again() {
    let mut reader = ImageReader::new();
    let mut read = |file: &[u8]| {
        let file = bytes(file.iter().copied());
        reader.read(&metadata("png", &[]), &file)
    };
    let pixels = |image: &ImageInput| image.rgb().unwrap().as_ptr();
    let picture = RgbImage::from_raw(WIDTH as u32, HEIGHT as u32, rgb()).unwrap();
    let coloured = file(picture, ImageFormat::Png);
    let black = file(RgbImage::new(WIDTH as u32, HEIGHT as u32), ImageFormat::Png);
    let (first, again) = (read(&coloured).unwrap(), read(&coloured).unwrap());
    assert_eq!(pixels(&first), pixels(&again));
    let other = read(&black).unwrap();
    assert_eq!(other.rgb().unwrap(), [0; 3 * PIXELS]);
    assert_eq!(first.rgb().unwrap(), rgb());
    // What cannot be read is not taken for what came before it, nor for itself.
    assert!(read(&black[..40]).is_err() && read(&black[..40]).is_err());
    assert_eq!(read(&black).unwrap().rgb().unwrap(), [0; 3 * PIXELS]);
}
